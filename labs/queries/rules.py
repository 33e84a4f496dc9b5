"""What a lab's rules say of a machine, and everything that speaks against a booking: one place for all of it.

The rules are rows (`labs.models.rules`), what they mean is pure (`labs.engine.rules`); here the facts are read and the
findings get their sentences.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from commons.errors import CityError
from commons.people.models import User
from labs.engine import hours
from labs.engine import rules as engine
from labs.engine.hours import Span
from labs.engine.prices import NOTHING
from labs.engine.rules import Facts, Own, Row, Ruled
from labs.errors.money import NoFunds
from labs.models import Booking, BookingRule, Lab, Machine
from labs.queries import badges, bookings, books, circuits, prices, rule_words
from labs.queries.roles import role_of, roles_of
from labs.queries.rule_words import local

__all__ = ["GRACE", "Refusal", "Rules", "allowed_time", "for_machine", "for_machines", "local", "why_not"]

GRACE = dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)
BACK = 15 * DAY
"""How far back one's own bookings count: a week, and a day for each side of it."""
AHEAD = 28 * DAY
"""How far ahead of the asked time an allowed one is looked for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits that hold for one machine and one person; None, 0 or False where the lab sets none."""

    shortest_min: int = 5
    longest_h: float = 24
    lead_min: int = 0
    horizon_days: int = 90
    gap_min: int = 0
    buffer_before_min: int = 0
    buffer_after_min: int = 0
    needs_approval: bool = False
    members_only: bool = False
    check_in_within_min: int = 0
    cancel_until_min: int = 0
    late_refund_share: float = 0
    per_day_h: float | None = None
    per_week_h: float | None = None
    open_bookings: int | None = 20
    points_week: float = 0
    points_keep_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that speaks against a booking: what it says, and what would help. `data` goes into the API's answer."""

    rule: str
    code: str
    sentence: str
    remedy: str
    error: type[CityError]
    data: Mapping[str, Any] = field(default_factory=dict)

    def raised(self, **more: Any) -> CityError:
        """The refusal as the error that a service raises."""
        return self.error(f"{self.sentence} {self.remedy}".strip(), **self.data, **more)


def active(lab: Lab | int) -> QuerySet[BookingRule]:
    """The rules of a lab that hold now."""
    return BookingRule.objects.filter(lab=lab, active=True)


def row(rule: BookingRule) -> Row:
    """A stored rule as the engine reads it."""
    value = engine.read(rule.name, rule.value) if rule.value else None
    return Row(rule.name, value, rule.machine_id, rule.cls, rule.role, rule.pk)


def rows_of(lab: Lab | int) -> list[Row]:
    """All rules of a lab that hold now, as the engine reads them; one query."""
    return [row(rule) for rule in active(lab) if rule.name in engine.SORTS]


def resolved(machine: Machine, role: str, rows: Iterable[Row]) -> Ruled:
    """What holds on a machine for a role; the machine's own facts are what holds where no rule speaks."""
    defaults: dict[str, engine.Value | None] = {
        "longest_h": float(machine.longest_h),
        "buffer_before_min": float(machine.buffer_before_min),
        "buffer_after_min": float(machine.buffer_after_min),
        "open_bookings": float(machine.lab.open_bookings_max),
    }
    return engine.resolve(rows, machine=machine.pk, cls=machine.cls, role=role, defaults=defaults)


def for_machine(machine: Machine, user: User | None = None) -> Rules:
    """What holds on this machine, for this person (a guest, if none is named); two queries at most."""
    return _told(resolved(machine, role_of(user, machine.lab), rows_of(machine.lab_id)))


def for_machines(machines: Sequence[Machine], user: User | None = None) -> dict[int, Rules]:
    """The same for many machines by their keys, with one query for all their rules and one for the roles."""
    labs = {m.lab_id: m.lab for m in machines}
    rows: dict[int, list[Row]] = {key: [] for key in labs}
    for rule in BookingRule.objects.filter(lab__in=list(labs), active=True):
        if rule.name in engine.SORTS:
            rows[rule.lab_id].append(row(rule))
    roles = roles_of(user, labs.values())
    return {m.pk: _told(resolved(m, roles[m.lab_id], rows[m.lab_id])) for m in machines}


def _told(ruled: Ruled) -> Rules:
    def whole(name: str) -> int:
        return int(ruled.number(name) or 0)

    longest, horizon, most = ruled.number("longest_h"), ruled.number("horizon_days"), ruled.number("open_bookings")
    keep = ruled.number("points_keep_pct")
    return Rules(
        shortest_min=max(whole("shortest_min"), 5),
        longest_h=744 if longest is None else longest,
        lead_min=whole("lead_min"),
        horizon_days=730 if horizon is None else int(horizon),
        gap_min=whole("gap_min"),
        buffer_before_min=whole("buffer_before_min"),
        buffer_after_min=whole("buffer_after_min"),
        needs_approval=ruled.flag("needs_approval"),
        members_only=ruled.flag("members_only"),
        check_in_within_min=whole("check_in_within_min"),
        cancel_until_min=whole("cancel_until_min"),
        late_refund_share=(ruled.number("late_refund_pct") or 0) / 100,
        per_day_h=ruled.number("per_day_h"),
        per_week_h=ruled.number("per_week_h"),
        open_bookings=None if most is None else int(most),
        points_week=ruled.number("points_week") or 0,
        points_keep_share=(50 if keep is None else keep) / 100,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and all that was read to answer it."""

    machine: Machine
    user: User
    ruled: Ruled
    facts: Facts
    missing: Sequence[Any]
    moved: Booking | None
    beside: Sequence[Machine] = ()


def ask(
    *,
    machine: Machine,
    user: User,
    span: Span,
    now: dt.datetime,
    moved: Booking | None = None,
    beside: Sequence[Machine] = (),
    ahead: dt.timedelta = DAY,
) -> Asked:
    """Read what the rules need to know: rows, role, badges, own bookings, opening hours; about five queries."""
    span = engine.absolute(span)
    role = role_of(user, machine.lab)
    ruled = resolved(machine, role, rows_of(machine.lab_id))
    missing = badges.missing(machine=machine, user=user, at=span.end)
    near = engine.is_near(span, now)
    facts = Facts(
        span=span,
        now=now,
        zone=machine.lab.zone,
        machine=machine.pk,
        cls=machine.cls,
        role=role,
        opened=bookings.opened(machine, span.start - DAY, max(span) + ahead) if near else (),
        own=own_bookings(user, machine.lab_id, since=min(span.start, now) - BACK if near else now, without=moved),
        beside=[Own(span, other.pk, other.cls) for other in beside],
        missed=_missed(user, machine.lab_id, ruled, now),
        missing_badges=[badge.slug for badge in missing],
        repair=machine.state == Machine.State.REPAIR,
        moved_from=moved.start.astimezone(dt.UTC) if moved is not None else None,
        grace=GRACE,
        circuit=circuits.asked(machine, span, ahead=ahead, moved=moved, beside=beside)
        if near and ruled.flag("circuit_budget")
        else None,
    )
    return Asked(machine, user, ruled, facts, missing, moved, beside)


def kept_free(machine: Machine, span: Span, now: dt.datetime | None) -> list[Span]:
    """What the rules for everybody keep from booking within a span: hours of the week and, where `now` is told, what is
    too soon or too far ahead; one query."""
    ruled, (start, end) = resolved(machine, "", rows_of(machine.lab_id)), engine.absolute(span)
    week = ruled.week("blackout")
    shut = hours.open_spans(week, machine.lab.zone, start, end) if week else []
    if now is not None:
        told = _told(ruled)
        shut.append(Span(now + dt.timedelta(days=told.horizon_days), end))
        if told.lead_min:
            shut.append(Span(start, now + dt.timedelta(minutes=told.lead_min)))
    return [s for s in shut if s.start < s.end]


def own_bookings(user: User, lab: int, *, since: dt.datetime, without: Booking | None = None) -> list[Own]:
    """A person's bookings in a lab that hold their time and end after `since`."""
    held = Booking.objects.filter(
        user=user, machine__lab=lab, kind=Booking.Kind.USE, end__gt=since, status__in=Booking.HOLDING
    )
    if without is not None:
        held = held.exclude(pk=without.pk)
    values = held.values_list("start", "end", "machine_id", "machine__cls", "status")
    return [Own(Span(start, end), key, cls, status in Booking.OPEN) for start, end, key, cls, status in values]


def _missed(user: User, lab: int, ruled: Ruled, now: dt.datetime) -> list[dt.datetime]:
    if not ruled.number("no_shows"):
        return []
    back = DAY * ((ruled.number("no_show_days") or 30) + (ruled.number("pause_days") or 0) + 1)
    held = Booking.objects.filter(user=user, machine__lab=lab, status=Booking.Status.MISSED)
    return list(held.filter(Q(start__gt=now - back)).values_list("start", flat=True))


def why_not(
    *,
    machine: Machine,
    user: User,
    span: Span,
    now: dt.datetime,
    moved: Booking | None = None,
    beside: Sequence[Machine] = (),
) -> list[Refusal]:
    """All that speaks against this booking, the weightiest first; `moved` is the booking that gets this time, `beside`
    are the machines that are booked for the same time in the same step.

    Whether the time is taken is not asked here: the insert itself finds out.
    """
    asked = ask(machine=machine, user=user, span=span, now=now, moved=moved, beside=beside)
    found = [rule_words.refusal(finding, asked) for finding in engine.evaluate(asked.ruled, asked.facts)]
    return [Refusal(**words) for words in found] + _funds(asked)


def _funds(asked: Asked) -> list[Refusal]:
    """Whether the person's wallet holds what it would cost; nothing is asked where use is free."""
    till, lab = prices.till_of(asked.machine.lab_id), asked.machine.lab
    start, end = asked.facts.span
    if till is None or end <= start or not engine.is_near(asked.facts.span, asked.facts.now):
        return []
    costs = [prices.price_of(machine, asked.user, asked.facts.span).gross for machine in (asked.machine, *asked.beside)]
    more = sum(costs, NOTHING) - (books.charged(asked.moved) if asked.moved is not None else 0)
    if more <= 0:
        return []
    held = books.wallet_of(lab, asked.user, till.unit)
    if held is not None:
        holds = held.balance
    else:
        week = asked.ruled.number("points_week") if till.mode == till.Mode.POINTS else 0
        holds = Decimal(str(week or 0))
    if holds - more >= -till.credit:
        return []
    sentence, remedy = prices.short(lab, more, holds, till.unit)
    data = {"price": str(more), "funds": str(holds), "unit": till.unit}
    return [Refusal("funds", NoFunds.code, sentence, remedy, NoFunds, data)]


def allowed_time(
    *, machine: Machine, user: User, span: Span, now: dt.datetime, moved: Booking | None = None
) -> Span | None:
    """The first time at or after the asked one that the rules allow this person and that nobody has; None when no
    time within four weeks would do, or when the wallet does not hold what it costs."""
    asked = ask(machine=machine, user=user, span=span, now=now, moved=moved, ahead=AHEAD)
    start, end = asked.facts.span
    if not engine.is_near(asked.facts.span, now):
        return None
    taken = bookings.taken(
        machine, start - DAY, max(start, end) + AHEAD, without=[moved.pk] if moved is not None else ()
    )
    found = engine.next_allowed(asked.ruled, asked.facts, taken=taken, buffers=bookings.buffers(machine))
    if found is None or _funds(replace(asked, facts=replace(asked.facts, span=found))):
        return None
    return found
