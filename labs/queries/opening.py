"""When labs are open, with the days that differ from the week. The one place that reads opening hours."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from labs.engine import hours
from labs.engine.hours import Span
from labs.models import Lab, OpeningException

Days = Mapping[dt.date, Sequence[Sequence[str]]]


def days_that_differ(lab: Lab, start: dt.datetime, end: dt.datetime) -> dict[dt.date, Sequence[Sequence[str]]]:
    """The days between two moments that differ from the week, by the lab's own calendar, with their hours."""
    return _days(_rows(lab), start.astimezone(lab.zone).date(), end.astimezone(lab.zone).date())


def _rows(lab: Lab) -> Iterable[OpeningException]:
    """A lab's exceptions; read once for each object, however often it is asked."""
    known: list[OpeningException] | None = lab.__dict__.get("_exceptions")
    if known is None:
        known = list(lab.opening_exceptions.all().order_by("pk"))
        lab.__dict__["_exceptions"] = known
    return known


def know(labs: Iterable[Lab]) -> None:
    """Read the exceptions of many labs in one query."""
    asked: dict[int, list[Lab]] = {}
    for lab in labs:
        if "_exceptions" not in lab.__dict__:
            asked.setdefault(lab.pk, []).append(lab)
    if not asked:
        return
    found: dict[int, list[OpeningException]] = {pk: [] for pk in asked}
    for row in OpeningException.objects.filter(lab__in=list(asked)).order_by("pk"):
        found[row.lab_id].append(row)
    for pk, same in asked.items():
        for lab in same:
            lab.__dict__["_exceptions"] = found[pk]


def _days(rows: Iterable[OpeningException], first: dt.date, last: dt.date) -> dict[dt.date, Sequence[Sequence[str]]]:
    found: dict[dt.date, Sequence[Sequence[str]]] = {}
    for row in rows:
        day = max(row.first, first - dt.timedelta(days=1))
        while day <= min(row.last, last + dt.timedelta(days=1)):
            found[day] = row.spans
            day += dt.timedelta(days=1)
    return found


def open_spans(lab: Lab, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """When the lab is open between two moments; a lab that is not active is not."""
    if lab.status != Lab.Status.ACTIVE:
        return []
    return hours.open_spans(lab.opening_hours, lab.zone, start, end, days_that_differ(lab, start, end))


def note_on(lab: Lab, day: dt.date) -> str:
    """What the lab says of a day that differs, or nothing."""
    notes = [row.note for row in _rows(lab) if row.first <= day <= row.last]
    return notes[-1] if notes else ""


def coming(lab: Lab, today: dt.date, days: int = 60) -> list[OpeningException]:
    """The days to come that differ, the next first."""
    until = today + dt.timedelta(days=days)
    return sorted((r for r in _rows(lab) if r.last >= today and r.first <= until), key=lambda r: (r.first, r.pk))
