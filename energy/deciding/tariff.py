"""What a kWh costs within the community: the price alone, the key of sharing stays as it is.

The price stands in the rules of sharing (`SchemeVersion`), which is what settlements read and keep by version; this
vote writes a version of them from the first of a month on.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from energy.deciding import meaning, sharing
from energy.deciding.body import KIND
from energy.models import Community
from energy.queries import measured


def fields(key: str) -> Sequence[sockets.EffectField]:
    """The price."""
    return [field for field in sharing.fields(key) if field.name == "price"]


def now(key: str) -> Mapping[str, Any]:
    """What holds; empty before the first rules."""
    return {name: value for name, value in sharing.now(key).items() if name == "price"}


def check(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The price as it is kept. Raises BadTerms."""
    kept = sharing.check(key, {**sharing.now(key), "price": value.get("price", "")})
    return {"price": kept["price"]}


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    return (
        _("%(price)s a kWh within the community") % {"price": f"{value['price']:.3f}"} if value else _("no price yet")
    )


def apply(key: str, value: Mapping[str, Any], at: dt.datetime, url: str) -> None:
    """Add the rules that hold from that month on, with the new price."""
    community = Community.objects.get(slug=key)
    sharing.enact(community, at.astimezone(measured.zone(community)).date(), url, value["price"])


EFFECT = sockets.Effect(
    slug="energy.tariff",
    body=KIND,
    title=gettext_lazy("What a kWh costs within the community"),
    fields=fields,
    now=now,
    check=check,
    say=say,
    border=sharing.border,
    apply=apply,
    preview=meaning.preview,
    reckon=meaning.reckon,
    measure=meaning.measure,
    shows=meaning.shows,
    order=12,
)
