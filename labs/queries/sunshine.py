"""Where a job would stand in the sun: the best free times before a deadline, and what came of it."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from commons.people.models import User
from labs.engine import placing, times
from labs.engine.hours import Span
from labs.engine.placing import Place, Share
from labs.engine.times import Sun
from labs.models import FlexibleBooking, Lab, Machine, SunDay
from labs.queries import bookings, rulebook, rules, sun
from labs.queries.rulebook import Rulebook

LONGEST_LOOK = dt.timedelta(days=28)
MINUTE = dt.timedelta(minutes=1)


# --- the best times ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a machine: how long, from when, until when, how strong, at which hours of the day."""

    machine: Machine
    length: dt.timedelta
    earliest: dt.datetime
    deadline: dt.datetime
    kw: float
    from_min: int | None = None
    until_min: int | None = None

    @property
    def has_hours(self) -> bool:
        """Whether hours of the day were named; else a machine that works alone is offered while people are up."""
        return self.from_min is not None or self.until_min is not None

    def suits(self, span: Span) -> bool:
        """Whether a time lies in the hours of the day that were asked for, by the lab's clock."""
        if self.from_min is None and self.until_min is None:
            return True
        zone = self.machine.lab.zone
        start, end = span.start.astimezone(zone), (span.end - MINUTE / 60).astimezone(zone)
        if start.date() != end.date():
            return False
        first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
        return first >= (self.from_min or 0) and last < (self.until_min or 24 * 60)


def share_of(suns: Sequence[Sun], span: Span) -> Share | None:
    """The share of a time with its range; where there is none, both ends are the share itself."""
    expected = times.share_of(span, suns)
    if expected is None:
        return None
    known = times.range_of(span, suns)
    if known.low is None or known.high is None:
        return Share(expected, expected, expected)
    return Share(expected, min(known.low, expected), max(known.high, expected))


@dataclass(frozen=True, slots=True)
class Found:
    """Every free time for a wish, the best first; `soonest` in the order of time, and the sun behind them."""

    wish: Wish
    places: Sequence[Place]
    suns: Sequence[Sun]

    @property
    def soonest(self) -> Sequence[Place]:
        """The times as first come, first served would give them."""
        return sorted(self.places)

    def basis(self, span: Span) -> str:
        """What the share of a time comes from."""
        return times.range_of(span, self.suns).basis


def look(wish: Wish, *, now: dt.datetime, known: Rulebook | None = None, without: Collection[uuid.UUID] = ()) -> Found:
    """The free times for a wish, by hours, closures and bookings; a few queries. Rules of a person are not asked.

    `without` leaves bookings out that would give their time up.
    """
    machine, known = wish.machine, known or rulebook.read(wish.machine.lab)
    start = max(wish.earliest, now)
    end = min(wish.deadline, start + LONGEST_LOOK)
    suns = sun.outlook(machine.lab.place, start, end, wish.kw)
    if machine.state == Machine.State.REPAIR or start >= end:
        return Found(wish, [], suns)
    day = dt.timedelta(days=1)
    opened = bookings.bookable if wish.has_hours else bookings.waking
    calendar = times.Calendar(
        known.buffers(machine),
        bookings.taken(machine, start - day, end + day, without=without),
        sorted(opened(machine, start, end, now=now, known=known)),
    )
    spans = [s for s in placing.free_spans(wish.length, calendar, start, end) if wish.suits(s)]
    return Found(wish, placing.ranked(spans, lambda span: share_of(suns, span)), suns)


def allowed(machine: Machine, user: User, *, now: dt.datetime, known: Rulebook) -> placing.Allowed:
    """Whether the lab's rules would let this person have a time; some queries each."""
    return lambda span: not rules.why_not(machine=machine, user=user, span=span, now=now, known=known)


def best_slots(wish: Wish, *, user: User | None, now: dt.datetime, count: int = 3) -> list[tuple[Place, str]]:
    """The best free times of a wish that do not overlap, each with what its share comes from."""
    known = rulebook.read(wish.machine.lab, user)
    found = look(wish, now=now, known=known)
    may = allowed(wish.machine, user, now=now, known=known) if user is not None else (lambda _span: True)
    return [(place, found.basis(place.span)) for place in placing.apart(found.places, count, may)]


# --- what came of it ---------------------------------------------------------------------------------------------


def open_ones(now: dt.datetime) -> list[FlexibleBooking]:
    """Flexible bookings that may still move, the soonest first."""
    rows = FlexibleBooking.objects.filter(status=FlexibleBooking.Status.OPEN)
    return list(rows.order_by("placed_start", "pk").select_related("booking"))


def of_person(user: User) -> QuerySet[FlexibleBooking]:
    """A person's flexible bookings, newest first."""
    rows = FlexibleBooking.objects.filter(user=user).select_related("booking__machine__lab__place")
    return rows.order_by("-created_at", "pk")


def find(key: uuid.UUID | str) -> FlexibleBooking | None:
    """A flexible booking of that id."""
    rows = FlexibleBooking.objects.select_related("booking__machine__lab__place", "booking__user", "user")
    return rows.filter(pk=key).first()


@dataclass(frozen=True, slots=True)
class Came:
    """Some days of a lab together: kWh, how much of it on local surplus, and how much at the times first asked for."""

    days: int
    jobs: int
    moved: int
    kwh: float
    sun_kwh: float
    first_sun_kwh: float
    exact: bool

    @property
    def share(self) -> float | None:
        """Share of the kWh on local surplus."""
        return self.sun_kwh / self.kwh if self.kwh > 0 else None

    @property
    def first_share(self) -> float | None:
        """The same at the times first asked for."""
        return self.first_sun_kwh / self.kwh if self.kwh > 0 else None


def came(lab: Lab, since: dt.date) -> Came | None:
    """What came of the days since; None where no day was worked out."""
    rows = list(SunDay.objects.filter(lab=lab, day__gte=since))
    if not rows:
        return None
    return Came(
        len(rows),
        sum(r.jobs for r in rows),
        sum(r.moved for r in rows),
        sum(r.kwh for r in rows),
        sum(r.sun_kwh for r in rows),
        sum(r.first_sun_kwh for r in rows),
        all(r.exact for r in rows),
    )


def days_of(lab: Lab, most: int = 31) -> list[SunDay]:
    """The newest days that were worked out."""
    return list(SunDay.objects.filter(lab=lab).order_by("-day")[:most])


BASIS_ORDER: Mapping[str, int] = {name: nth for nth, name in enumerate(times.BASES)}
