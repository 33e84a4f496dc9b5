"""Reads of bookings: what is taken, what is free, what is best."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils import timezone

from commons.people.models import User
from labs.engine import hours, times
from labs.engine.hours import Span
from labs.engine.times import Buffers, Offer
from labs.models import Booking, Machine
from labs.queries import opening, sun

LOOK_AHEAD = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time on one machine. `free`: a booking of exactly this time would be taken."""

    start: dt.datetime
    end: dt.datetime
    free: bool
    solar_share: float | None
    why: str = ""


def buffers(machine: Machine) -> Buffers:
    """What the machine needs before and after each use."""
    before, after = machine.buffer_before_min, machine.buffer_after_min
    return Buffers(dt.timedelta(minutes=before), dt.timedelta(minutes=after))


def opened(machine: Machine, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """When the machine may work between two times: always if it works alone, else while the lab is open."""
    if machine.unattended:
        return [Span(start, end)]
    return opening.open_spans(machine.lab, start, end)


def is_open(machine: Machine, span: Span) -> bool:
    """Whether the machine may work for all of the span."""
    day = dt.timedelta(days=1)
    return times.opening(span, opened(machine, span.start - day, span.end + day)) is not None


def taken(machine: Machine, start: dt.datetime, end: dt.datetime, *, without: Booking | None = None) -> list[Span]:
    """Blocked spans, bookings with their buffers, in order."""
    meeting = Booking.objects.filter(machine=machine, blocked__overlap=DateTimeTZRange(start, end))
    meeting = meeting.filter(status__in=Booking.HOLDING)
    if without is not None:
        meeting = meeting.exclude(pk=without.pk)
    return sorted(Span(r.lower, r.upper) for r in meeting.values_list("blocked", flat=True))


def next_free(machine: Machine, wanted: Span, *, without: Booking | None = None) -> Span | None:
    """The first time of the same length, at or after the wanted one, that could be booked."""
    day = dt.timedelta(days=1)
    until = wanted.end + LOOK_AHEAD
    return times.next_free(
        wanted,
        buffers(machine),
        taken(machine, wanted.start - day, until + day, without=without),
        [s for s in opened(machine, wanted.start - day, until) if s.end > wanted.start],
    )


@dataclass(frozen=True, slots=True)
class Diary:
    """What is known of a machine's time between two moments: read once, asked often."""

    machine: Machine
    now: dt.datetime
    buffers: Buffers
    taken: list[Span]
    opened: list[Span]
    sun: list[times.Sun]

    def why_not(self, span: Span) -> str:
        """“past”, “repair”, “closed”, “taken”, or nothing when the span could be booked."""
        if span.start < self.now:
            return "past"
        if self.machine.state == Machine.State.REPAIR:
            return "repair"
        if times.opening(span, self.opened) is None:
            return "closed"
        blocked = Span(span.start - self.buffers.before, span.end + self.buffers.after)
        return "taken" if times.clash(blocked, self.taken) else ""

    def share(self, span: Span) -> float | None:
        """The share of local sun in the span, or None."""
        return times.share_of(span, self.sun)

    def slot(self, span: Span) -> Slot:
        """The span as a slot."""
        why = self.why_not(span)
        return Slot(span.start, span.end, not why, self.share(span), why)


def diary(machine: Machine, *, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> Diary:
    """The machine's time between two moments, with a day to spare on both sides; a few queries."""
    low, high = start - dt.timedelta(days=1), end + dt.timedelta(days=2)
    return Diary(
        machine,
        now,
        buffers(machine),
        taken(machine, low, high),
        opened(machine, low, high),
        sun.hours(machine.lab.place, start, end + dt.timedelta(days=1)),
    )


def slots(
    machine: Machine, *, start: dt.datetime, end: dt.datetime, step: dt.timedelta, now: dt.datetime
) -> list[Slot]:
    """The time between two moments in steps, each free or not, with its sun."""
    known, found = diary(machine, start=start, end=end, now=now), []
    while start + step <= end:
        found.append(known.slot(Span(start, start + step)))
        start += step
    return found


def best(machine: Machine, *, length: dt.timedelta, now: dt.datetime, days: int = 7, count: int = 3) -> list[Offer]:
    """The sunniest free times of that length in the coming days, at hours when people are up."""
    if machine.state == Machine.State.REPAIR:
        return []
    start = times.up_to_quarter(now + dt.timedelta(minutes=5))
    end = start + dt.timedelta(days=days)
    day = dt.timedelta(days=1)
    found = times.best(
        length,
        buffers(machine),
        taken(machine, start - day, end + day),
        [s for s in _waking(machine, start, end) if s.end - s.start >= length],
        sun.hours(machine.lab.place, start, end),
        count=count,
    )
    return sorted(found, key=lambda o: -round(100 * (o.share or 0.0)))


def _waking(machine: Machine, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """Open time; one that works alone is offered when somebody can be there to start it."""
    spans = opened(machine, start, end)
    if not machine.unattended:
        return spans
    lab = machine.lab
    if lab.opening_hours:
        starts = opening.open_spans(lab, start, end)
    else:
        week = {name: [["08:00", "21:00"]] for name in hours.DAYS}
        starts = hours.open_spans(week, lab.zone, start, end, opening.days_that_differ(lab, start, end))
    return [Span(s.start, min(s.end, end)) for s in starts] or spans


def of_person(user: User) -> QuerySet[Booking]:
    """A person's bookings, next first."""
    rows = Booking.objects.filter(user=user).select_related("machine__lab__place", "design__owner")
    return rows.order_by("start", "pk")


def to_come(user: User) -> QuerySet[Booking]:
    """A person's bookings that are not over."""
    return of_person(user).filter(end__gt=timezone.now(), status__in=Booking.OPEN)


def find(booking_id: uuid.UUID | str) -> Booking | None:
    """The booking of that id."""
    return Booking.objects.select_related("machine__lab__place", "user", "design").filter(pk=booking_id).first()
