"""How a lab is used, in the figures that its decisions are measured by: four weeks before a vote, and the time since.

What is measured is what happened, not what the value alone did: more people may have come for other reasons, and the
page says “before” and “since”.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.web import numbers
from labs.models import Booking, Job, Lab

SPAN = dt.timedelta(weeks=4)
ENOUGH = dt.timedelta(days=7)


def figures(lab: Lab, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Hours, people, the share of who used most, and the local sun's share of what jobs took, in a time."""
    rows = Booking.objects.filter(
        machine__lab=lab, kind=Booking.Kind.USE, status__in=Booking.HOLDING, start__gte=since, start__lt=until
    )
    hours: dict[int, float] = {}
    for person, start, end in rows.values_list("user_id", "start", "end"):
        hours[person] = hours.get(person, 0.0) + (end - start) / dt.timedelta(hours=1)
    jobs = Job.objects.filter(machine__lab=lab, finished_at__gte=since, finished_at__lt=until, energy_kwh__gt=0)
    rows_of_jobs = jobs.exclude(solar_share=None).values_list("energy_kwh", "solar_share")
    known = [(energy or 0.0, share or 0.0) for energy, share in rows_of_jobs]
    kwh = sum(energy for energy, _share in known)
    weeks = (until - since) / dt.timedelta(weeks=1)
    total = sum(hours.values())
    return {
        "people": len(hours),
        "hours_a_week": round(total / weeks, 2) if weeks else 0.0,
        "most_share": round(max(hours.values()) / total, 4) if total else None,
        "sun_share": round(sum(energy * share for energy, share in known) / kwh, 4) if kwh else None,
        "days": round((until - since) / dt.timedelta(days=1)),
    }


def reckon(key: str, _value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How it was used before the vote."""
    lab = Lab.objects.filter(slug=key).first()
    now = timezone.now()
    return {"figures": figures(lab, now - SPAN, now)} if lab else None


def measure(
    key: str, _before: Mapping[str, Any], _after: Mapping[str, Any], since: dt.datetime, until: dt.datetime
) -> Mapping[str, Any] | None:
    """How it was used since, after a week at the earliest; proof of a closed loop when there was anything to see."""
    lab = Lab.objects.filter(slug=key).first()
    if lab is None or until - since < ENOUGH:
        return None
    found = figures(lab, since, until)
    return {"figures": found} | ({"system": "production"} if found["people"] else {})


def shows(_key: str, found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The figures in words."""
    if not found:
        return []

    def share(name: str) -> str:
        return numbers.percent(found[name]) if found.get(name) is not None else "–"

    return [
        {"title": _("people who booked"), "value": str(found["people"])},
        {"title": _("hours booked a week"), "value": numbers.number(found["hours_a_week"], 1)},
        {"title": _("of which by who booked most"), "value": share("most_share")},
        {"title": _("local sun in what jobs took"), "value": share("sun_share")},
    ]
