"""What use costs when the sun has power to spare: a discount, and how much of the power must be surplus for it.

The value itself is what prices read at the time of the booking (`holds`, which is `commons.decisions.queries.value` of
“labs.surplus_price” and “labs.lab:<slug>”): nothing else is written. From a Monday, local time.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.decisions import queries
from commons.web import numbers
from labs.deciding import sunny, use
from labs.deciding.body import KIND, border
from labs.errors.rules import BadRule
from labs.models import Lab

SLUG = "labs.surplus_price"
MOST_PERCENT = 50


def fields(_key: str) -> Sequence[sockets.EffectField]:
    """The discount, and from which share of surplus it is given."""
    return [
        sockets.EffectField("discount_percent", gettext_lazy("Discount"), (), 0, MOST_PERCENT, "%"),
        sockets.EffectField("above_surplus_share", gettext_lazy("From this share of local surplus"), (), 0, 1),
    ]


def holds(key: str, at: dt.datetime | None = None) -> Mapping[str, Any]:
    """What holds for a lab at a moment; empty where nothing was decided."""
    found = queries.value(SLUG, f"{KIND}:{key}", at)
    return dict(found.value) if found else {}


def check(_key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Both as they are kept. Raises BadRule."""
    try:
        percent, share = float(value.get("discount_percent", "")), float(value.get("above_surplus_share") or 0.5)
    except (TypeError, ValueError):
        raise BadRule(_("Discount and share are numbers."), field="value") from None
    if not 0 <= percent <= MOST_PERCENT:
        raise BadRule(_("A discount is from 0 to %(most)d %%.") % {"most": MOST_PERCENT}, field="value")
    if not 0 <= share <= 1:
        raise BadRule(_("A share of surplus is from 0 to 1."), field="value")
    return {"discount_percent": percent, "above_surplus_share": share}


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    if not value or not value["discount_percent"]:
        return _("the same price in sun and dark")
    return _("%(discount)s %% less when at least %(share)s of the power is local surplus") % {
        "discount": f"{value['discount_percent']:g}",
        "share": numbers.percent(value["above_surplus_share"]),
    }


def reckon(key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the last bookings would have cost, beside what they cost by the value that holds."""
    return sunny.reckon(key, value, holds(key))


def measure(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], since: dt.datetime, until: dt.datetime
) -> Mapping[str, Any] | None:
    """How the lab was used since, which of it was sunny, and what was taken off."""
    found = use.measure(key, before, after, since, until)
    if found is None:
        return None
    lab = Lab.objects.select_related("place").get(slug=key)
    return {**found, "figures": found["figures"] | sunny.measure(lab, after, since, until)}


EFFECT = sockets.Effect(
    slug=SLUG,
    body=KIND,
    title=gettext_lazy("What use costs when the sun has power to spare"),
    fields=fields,
    now=holds,
    check=check,
    say=say,
    border=border,
    apply=lambda _key, _value, _at, _url: None,
    preview=sunny.preview,
    reckon=reckon,
    measure=measure,
    shows=sunny.shows,
    order=24,
)
