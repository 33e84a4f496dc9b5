"""Reads of bookings: what is taken, what is free, what is best."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from commons.people.models import User
from labs.engine import hours, times
from labs.engine.hours import Span
from labs.engine.times import Buffers, Calendar, Offer
from labs.models import Booking, Lab, Machine
from labs.queries import opening, rulebook, sun
from labs.queries.rulebook import Rulebook

LOOK_AHEAD = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time on one machine. `free`: a booking of exactly this time would be taken."""

    start: dt.datetime
    end: dt.datetime
    free: bool
    solar_share: float | None
    why: str = ""
    solar_share_low: float | None = None
    solar_share_high: float | None = None
    solar_basis: str = ""


def buffers(machine: Machine, known: Rulebook | None = None) -> Buffers:
    """What the machine needs before and after each use, by the lab's rules (`known`, where they were read already)."""
    return (known or rulebook.read(machine.lab)).buffers(machine)


def opened(machine: Machine, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """When the machine may work between two times: always if it works alone, else while the lab is open."""
    if machine.unattended:
        return [Span(start, end)]
    return opening.open_spans(machine.lab, start, end)


def bookable(
    machine: Machine,
    start: dt.datetime,
    end: dt.datetime,
    *,
    now: dt.datetime | None = None,
    known: Rulebook | None = None,
) -> list[Span]:
    """When the machine may work and the lab's rules for everybody let it be booked: not in hours that are kept from
    booking and, where `now` is told, neither too soon nor too far ahead."""
    kept = (known or rulebook.read(machine.lab)).kept_free(machine, Span(start, end), now)
    return times.without(opened(machine, start, end), kept)


def is_open(machine: Machine, span: Span) -> bool:
    """Whether the machine may work for all of the span."""
    day = dt.timedelta(days=1)
    return times.opening(span, opened(machine, span.start - day, span.end + day)) is not None


def taken(machine: Machine, start: dt.datetime, end: dt.datetime, *, without: Collection[uuid.UUID] = ()) -> list[Span]:
    """Blocked spans, bookings with their buffers, in order; `without` the bookings of these ids."""
    meeting = Booking.objects.filter(machine=machine, blocked__overlap=DateTimeTZRange(start, end))
    meeting = meeting.filter(status__in=Booking.HOLDING)
    if without:
        meeting = meeting.exclude(pk__in=without)
    return sorted(Span(r.lower, r.upper) for r in meeting.values_list("blocked", flat=True))


def calendar(
    machine: Machine,
    start: dt.datetime,
    end: dt.datetime,
    *,
    without: Collection[uuid.UUID] = (),
    known: Rulebook | None = None,
) -> Calendar:
    """All that a search for time between two moments must know of a machine."""
    day, known = dt.timedelta(days=1), known or rulebook.read(machine.lab)
    return Calendar(
        known.buffers(machine),
        taken(machine, start - day, end + day, without=without),
        [s for s in bookable(machine, start - day, end, known=known) if s.end > start],
    )


def next_free(machine: Machine, wanted: Span, *, without: Collection[uuid.UUID] = ()) -> Span | None:
    """The first time of the same length, at or after the wanted one, that could be booked."""
    return next_free_together([machine], wanted, without=without)


def next_free_together(
    machines: Sequence[Machine],
    wanted: Span,
    *,
    without: Collection[uuid.UUID] = (),
    known: Mapping[int, Rulebook] | None = None,
) -> Span | None:
    """The first time of the same length, at or after the wanted one, that could be booked on all these machines."""
    until, known = wanted.end + LOOK_AHEAD, known or rulebook.read_all(m.lab for m in machines)
    calendars = [calendar(m, wanted.start, until, without=without, known=known[m.lab_id]) for m in machines]
    return times.next_free_together(wanted, calendars)


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
        why, met = self.why_not(span), times.meeting(span, self.sun)
        known = times.range_of(span, met)
        share = times.share_of(span, met)
        return Slot(span.start, span.end, not why, share, why, known.low, known.high, known.basis)


def diary(machine: Machine, *, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> Diary:
    """The machine's time between two moments, with a day to spare on both sides; a few queries."""
    low, high = start - dt.timedelta(days=1), end + dt.timedelta(days=2)
    known, kw = rulebook.read(machine.lab), sun.draw_of(machine)
    return Diary(
        machine,
        now,
        known.buffers(machine),
        taken(machine, low, high),
        bookable(machine, low, high, now=now, known=known),
        sun.outlook(machine.lab.place, start, end + dt.timedelta(days=1), kw),
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
    day, known = dt.timedelta(days=1), rulebook.read(machine.lab)
    found = times.best(
        length,
        known.buffers(machine),
        taken(machine, start - day, end + day),
        [s for s in waking(machine, start, end, now=now, known=known) if s.end - s.start >= length],
        sun.outlook(machine.lab.place, start, end, sun.draw_of(machine, length)),
        count=count,
    )
    return sorted(found, key=lambda o: (-round(100 * (o.share or 0.0)), -round(100 * (o.low or 0.0))))


def waking(machine: Machine, start: dt.datetime, end: dt.datetime, *, now: dt.datetime, known: Rulebook) -> list[Span]:
    """Open time; one that works alone is offered when somebody can be there to start it."""
    spans = bookable(machine, start, end, now=now, known=known)
    if not machine.unattended:
        return spans
    lab = machine.lab
    if lab.opening_hours:
        starts = opening.open_spans(lab, start, end)
    else:
        week = {name: [["08:00", "21:00"]] for name in hours.DAYS}
        starts = hours.open_spans(week, lab.zone, start, end, opening.days_that_differ(lab, start, end))
    return times.both(starts, spans) or spans


def of_person(user: User) -> QuerySet[Booking]:
    """A person's bookings, next first; closures that the person made are none of them."""
    rows = Booking.objects.filter(user=user, kind=Booking.Kind.USE).select_related(
        "machine__lab__place", "design__owner", "excuse"
    )
    return rows.order_by("start", "pk")


def to_come(user: User) -> QuerySet[Booking]:
    """A person's bookings that are not over."""
    return of_person(user).filter(end__gt=timezone.now(), status__in=Booking.OPEN)


def find(booking_id: uuid.UUID | str) -> Booking | None:
    """The booking of that id."""
    return (
        Booking.objects.select_related(
            "machine__lab__place", "user", "booked_by", "decided_by", "design__owner", "series", "excuse__by"
        )
        .select_related("flexible")
        .filter(pk=booking_id)
        .first()
    )


def beside(booking: Booking) -> list[Booking]:
    """The other bookings that were made in the same step."""
    if not booking.together or booking.kind != Booking.Kind.USE:
        return []
    rows = Booking.objects.filter(together=booking.together).exclude(pk=booking.pk)
    return list(rows.select_related("machine__lab__place").order_by("machine"))


def of_series(booking: Booking) -> list[Booking]:
    """All occurrences of the booking's series on its machine, soonest first; nothing for one that stands alone."""
    if booking.series_id is None:
        return []
    rows = Booking.objects.filter(series=booking.series_id, machine=booking.machine_id)
    return list(rows.select_related("machine__lab__place").order_by("start"))


def no_shows(user: User, lab: Lab, *, since: dt.datetime | None = None) -> int:
    """How often the person did not come to a booking in the lab."""
    rows = Booking.objects.filter(user=user, machine__lab=lab, status=Booking.Status.MISSED, excuse=None)
    return (rows.filter(start__gte=since) if since else rows).count()


def requests(lab: Lab, now: dt.datetime) -> list[Booking]:
    """What waits for a decision, soonest first; of a series or of several machines the first stands for all.

    Each carries `missed`, how often its person did not come.
    """
    rows = Booking.objects.filter(machine__lab=lab, status=Booking.Status.REQUESTED, end__gt=now)
    absent = Q(user__bookings__status="missed", user__bookings__machine__lab=lab, user__bookings__excuse=None)
    missed = Count("user__bookings", filter=absent)
    found: dict[object, Booking] = {}
    for booking in rows.select_related("machine", "user").annotate(missed=missed).order_by("start", "machine"):
        found.setdefault(booking.series_id or booking.together or booking.pk, booking)
    return list(found.values())


def closures(lab: Lab, now: dt.datetime) -> list[Booking]:
    """Maintenance and closures that are not over, soonest first."""
    rows = Booking.objects.filter(machine__lab=lab, status__in=Booking.OPEN, end__gt=now)
    return list(rows.exclude(kind=Booking.Kind.USE).select_related("machine").order_by("start"))


def missed(lab: Lab, *, since: dt.datetime) -> list[tuple[str, list[Booking]]]:
    """Who did not come and is not excused, most often first, with the bookings, the newest first."""
    rows = Booking.objects.filter(machine__lab=lab, status=Booking.Status.MISSED, start__gte=since, excuse=None)
    found: dict[str, list[Booking]] = {}
    for booking in rows.select_related("machine", "user").order_by("-start", "pk"):
        found.setdefault(str(booking.user) if booking.user else "–", []).append(booking)
    return sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
