"""How many hours a week each member booked, and what a quota would have meant in those weeks."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.web import numbers
from labs.deciding import use
from labs.models import Booking, Lab

WEEKS = 12
WEEK = dt.timedelta(weeks=1)


def reckon(key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the lab was used, and of each person the hours of the last twelve weeks: {"figures", "people"}."""
    lab = Lab.objects.filter(slug=key).first()
    if lab is None:
        return None
    now = timezone.now()
    return {"figures": use.figures(lab, now - use.SPAN, now), "people": people(lab, value, now)}


def people(lab: Lab, value: Mapping[str, Any], now: dt.datetime) -> dict[str, dict[str, float]]:
    """Of each person who booked: mean, least and most hours a week, and in how many weeks it was beyond the quota."""
    since = now - WEEKS * WEEK
    rows = Booking.objects.filter(
        machine__lab=lab, kind=Booking.Kind.USE, status__in=Booking.HOLDING, start__gte=since, start__lt=now
    )
    hours: dict[int, list[float]] = {}
    for person, start, end in rows.values_list("user_id", "start", "end"):
        mine = hours.setdefault(person, [0.0] * WEEKS)
        mine[min(WEEKS - 1, (now - start) // WEEK)] += (end - start) / dt.timedelta(hours=1)
    most = value.get("per_week_h")
    return {
        str(person): {
            "mean": round(sum(weeks) / WEEKS, 2),
            "low": round(min(weeks), 2),
            "high": round(max(weeks), 2),
            "beyond": sum(most is not None and one > float(most) for one in weeks),
        }
        for person, weeks in hours.items()
    }


def you(mine: Mapping[str, float]) -> str:
    """What a reader booked in a week, with the range, and how often that was beyond the quota."""
    words = {name: numbers.number(mine[name], 1) for name in ("mean", "low", "high")}
    said = _("For you: %(mean)s hours a week in the last twelve weeks, from %(low)s to %(high)s.") % words
    if not mine["beyond"]:
        return said + " " + _("Never beyond it.")
    beyond = ngettext("In %(n)d week it was beyond it.", "In %(n)d weeks it was beyond it.", int(mine["beyond"]))
    return f"{said} {beyond % {'n': mine['beyond']}}"
