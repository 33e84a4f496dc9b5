"""What a lab's rules say of a machine, and everything that speaks against a booking: one place for all of it.

The rules are rows (`labs.models.rules`, read by `labs.queries.rulebook`), what they mean is pure (`labs.engine.rules`);
here the facts are read and the findings get their sentences.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q

from commons.errors import CityError
from commons.people.models import User
from labs.engine import rules as engine
from labs.engine.hours import Span
from labs.engine.prices import NOTHING
from labs.engine.rules import Facts, Own, Ruled
from labs.errors.money import NoFunds
from labs.models import Booking, Machine
from labs.queries import badges, bookings, books, circuits, prices, rule_words, rulebook
from labs.queries.rule_words import local
from labs.queries.rulebook import Rulebook, Rules, active, for_machine, for_machines, resolved, row, rows_of

__all__ = [
    "GRACE",
    "Refusal",
    "Rulebook",
    "Rules",
    "active",
    "allowed_time",
    "for_machine",
    "for_machines",
    "local",
    "resolved",
    "row",
    "rows_of",
    "why_not",
]

GRACE = dt.timedelta(minutes=5)
DAY = dt.timedelta(days=1)
BACK = 15 * DAY
"""How far back one's own bookings count: a week, and a day for each side of it."""
AHEAD = 28 * DAY
"""How far ahead of the asked time an allowed one is looked for."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and all that was read to answer it."""

    machine: Machine
    user: User
    ruled: Ruled
    facts: Facts
    missing: Sequence[Any]
    moved: Booking | None
    known: Rulebook
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
    known: Rulebook | None = None,
) -> Asked:
    """Read what the rules need to know: rows, role, badges, own bookings, opening hours; about five queries.

    `known` is what was read of the lab's rules in this step already.
    """
    span = engine.absolute(span)
    known = known or rulebook.read(machine.lab, user)
    role, ruled = known.role, known.ruled(machine)
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
        beside=[Own(span, other.pk, other.cls) for other in beside if other.lab_id == machine.lab_id],
        missed=_missed(user, machine.lab_id, ruled, now),
        missing_badges=[badge.slug for badge in missing],
        repair=machine.state == Machine.State.REPAIR,
        moved_from=moved.start.astimezone(dt.UTC) if moved is not None else None,
        grace=GRACE,
        circuit=circuits.asked(machine, span, ahead=ahead, moved=moved, beside=beside)
        if near and ruled.flag("circuit_budget")
        else None,
    )
    return Asked(machine, user, ruled, facts, missing, moved, known, beside)


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
    held = Booking.objects.filter(user=user, machine__lab=lab, status=Booking.Status.MISSED, excuse=None)
    return list(held.filter(Q(start__gt=now - back)).values_list("start", flat=True))


def why_not(
    *,
    machine: Machine,
    user: User,
    span: Span,
    now: dt.datetime,
    moved: Booking | None = None,
    beside: Sequence[Machine] = (),
    known: Rulebook | None = None,
) -> list[Refusal]:
    """All that speaks against this booking, the weightiest first; `moved` is the booking that gets this time, `beside`
    are the machines that are booked for the same time in the same step.

    Whether the time is taken is not asked here: the insert itself finds out.
    """
    asked = ask(machine=machine, user=user, span=span, now=now, moved=moved, beside=beside, known=known)
    found = [rule_words.refusal(finding, asked) for finding in engine.evaluate(asked.ruled, asked.facts)]
    return [Refusal(**words) for words in found] + _funds(asked)


def _funds(asked: Asked) -> list[Refusal]:
    """Whether the person's wallet holds what it would cost; nothing is asked where use is free."""
    till, lab = prices.till_of(asked.machine.lab_id), asked.machine.lab
    start, end = asked.facts.span
    if till is None or end <= start or not engine.is_near(asked.facts.span, asked.facts.now):
        return []
    bill = [asked.machine, *(other for other in asked.beside if other.lab_id == lab.pk)]
    costs = [prices.price_in(till, machine, asked.known.role, asked.facts.span).gross for machine in bill]
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
    *,
    machine: Machine,
    user: User,
    span: Span,
    now: dt.datetime,
    moved: Booking | None = None,
    known: Rulebook | None = None,
) -> Span | None:
    """The first time at or after the asked one that the rules allow this person and that nobody has; None when no
    time within four weeks would do, or when the wallet does not hold what it costs."""
    asked = ask(machine=machine, user=user, span=span, now=now, moved=moved, ahead=AHEAD, known=known)
    start, end = asked.facts.span
    if not engine.is_near(asked.facts.span, now):
        return None
    taken = bookings.taken(
        machine, start - DAY, max(start, end) + AHEAD, without=[moved.pk] if moved is not None else ()
    )
    found = engine.next_allowed(asked.ruled, asked.facts, taken=taken, buffers=asked.known.buffers(machine))
    if found is None or _funds(replace(asked, facts=replace(asked.facts, span=found))):
        return None
    return found
