"""By which key a community's surplus is shared and at what price.

A new rule holds from the first of a month, local time, since statements are made by month: what was billed stays.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from energy.deciding import meaning
from energy.deciding.body import KIND
from energy.errors import BadTerms
from energy.models import Community, SchemeVersion
from energy.models.tariffs import holding
from energy.queries import measured
from energy.schemes import FRAMES
from energy.services.tariffs import add_scheme_version, take_back

MOST_A_KWH = 2.0


def _holds(key: str, day: dt.date | None = None) -> SchemeVersion:
    """The rules that hold on a day. Raises BadTerms where there are none to change."""
    community = Community.objects.filter(slug=key).first()
    versions = list(SchemeVersion.objects.filter(scheme__community=community)) if community else []
    found = holding(versions, day or dt.datetime.now(measured.zone(community)).date()) if community else None
    if not isinstance(found, SchemeVersion):
        raise BadTerms(_("This community has no rules of sharing yet; its stewards set the first."))
    return found


def fields(key: str) -> Sequence[sockets.EffectField]:
    """Key and price."""
    try:
        keys = FRAMES[_holds(key).law].keys
    except BadTerms:
        return ()
    words = dict(SchemeVersion.Key.choices)
    return (
        sockets.EffectField("key", gettext_lazy("Shared"), choices=[(name, words[name]) for name in keys]),
        sockets.EffectField(
            "price", gettext_lazy("Price of a shared kWh"), least=0, most=MOST_A_KWH, unit=gettext_lazy("a kWh")
        ),
    )


def now(key: str) -> Mapping[str, Any]:
    """What holds; empty before the first rules."""
    try:
        found = _holds(key)
    except BadTerms:
        return {}
    return {"key": found.key, "price": float(found.price)}


def check(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Key and price as they are kept. Raises BadTerms."""
    frame = FRAMES[_holds(key).law]
    asked = str(value.get("key", ""))
    if asked not in frame.keys:
        raise BadTerms(_("This frame does not know that key; use one of: %(keys)s.") % {"keys": ", ".join(frame.keys)})
    try:
        price = Decimal(str(value.get("price", ""))).quantize(Decimal("0.000001"))
    except InvalidOperation:
        price = Decimal(-1)
    if not 0 <= price <= Decimal(str(MOST_A_KWH)):
        raise BadTerms(_("The price of a shared kWh is a number from 0 to %(most)s.") % {"most": f"{MOST_A_KWH:g}"})
    return {"key": asked, "price": float(price)}


def say(key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    if not value:
        return _("no rules of sharing yet")
    shared = dict(SchemeVersion.Key.choices)[value["key"]]
    return _("shared %(how)s, at %(price)s a kWh") % {"how": shared, "price": f"{value['price']:.3f}"}


def border(key: str, at: dt.datetime) -> dt.datetime:
    """The next first of a month, local midnight."""
    zone = measured.zone(Community.objects.get(slug=key))
    local = at.astimezone(zone)
    first = dt.datetime(local.year, local.month, 1, tzinfo=zone)
    if first == local:
        return first
    year, month = divmod(local.year * 12 + local.month, 12)
    return dt.datetime(year, month + 1, 1, tzinfo=zone)


def apply(key: str, value: Mapping[str, Any], at: dt.datetime, url: str) -> None:
    """Add the rules that hold from that month on: the law and its reliefs stay, key and price are new."""
    community = Community.objects.get(slug=key)
    enact(community, at.astimezone(measured.zone(community)).date(), url, value["price"], value["key"])


def enact(community: Community, day: dt.date, url: str, price: float, key: str = "") -> None:
    """Add rules that hold from a day; two votes that come into force on the same day become one version of both.

    Raises BadTerms, TermsInUse.
    """
    held = _holds(community.slug, day)
    if held.valid_from == day:
        take_back(version=held)
    add_scheme_version(
        community=community,
        law=held.law,
        key=key or held.key,
        price=Decimal(str(price)),
        valid_from=day,
        shares=held.shares if key in ("", held.key) else None,
        grid_fee_relief_pct=held.grid_fee_relief_pct,
        levies_relief_pct=held.levies_relief_pct,
        again=held.again,
        taxed=held.taxed,
        decided_by=_("by vote"),
        decided_url=url,
    )


EFFECT = sockets.Effect(
    slug="energy.sharing_rule",
    body=KIND,
    title=gettext_lazy("How the surplus is shared"),
    fields=fields,
    now=now,
    check=check,
    say=say,
    border=border,
    apply=apply,
    preview=meaning.preview,
    reckon=meaning.reckon,
    measure=meaning.measure,
    shows=meaning.shows,
    order=10,
)
