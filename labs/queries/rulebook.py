"""A lab's rules as they stand, read once and passed on to all who ask of them in one step."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from commons.people.models import User
from commons.shelf import once
from labs.engine import hours
from labs.engine import rules as engine
from labs.engine.hours import Span
from labs.engine.rules import Row, Ruled
from labs.engine.times import Buffers
from labs.models import BookingRule, Lab, Machine
from labs.queries.roles import role_of, roles_of

GUEST = "guest"


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
class Rulebook:
    """All rules of a lab that hold now, and what a person is to the lab (a guest, if none is named)."""

    role: str
    rows: Sequence[Row]

    def ruled(self, machine: Machine) -> Ruled:
        """What holds on a machine of the lab for this person, for the engine."""
        return resolved(machine, self.role, self.rows)

    def holds(self, machine: Machine) -> Rules:
        """What holds on a machine of the lab for this person."""
        return _told(self.ruled(machine))

    def buffers(self, machine: Machine) -> Buffers:
        """What the machine needs before and after each use, whoever uses it."""
        found = resolved(machine, GUEST, self.rows)
        return Buffers(found.minutes("buffer_before_min"), found.minutes("buffer_after_min"))

    def blackout(self, machine: Machine) -> str:
        """The hours of the week that nobody may book it in, as text; nothing where there are none."""
        row = resolved(machine, "", self.rows).by_name.get("blackout")
        return str(row.value) if row is not None and row.value else ""

    def kept_free(self, machine: Machine, span: Span, now: dt.datetime | None) -> list[Span]:
        """What the rules for everybody keep from booking within a span: hours of the week and, where `now` is told,
        what is too soon or too far ahead."""
        ruled, (start, end) = resolved(machine, "", self.rows), engine.absolute(span)
        week = ruled.week("blackout")
        shut = hours.open_spans(week, machine.lab.zone, start, end) if week else []
        if now is not None:
            told = _told(ruled)
            shut.append(Span(now + dt.timedelta(days=told.horizon_days), end))
            if told.lead_min:
                shut.append(Span(start, now + dt.timedelta(minutes=told.lead_min)))
        return [s for s in shut if s.start < s.end]


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


def read(lab: Lab, user: User | None = None) -> Rulebook:
    """The lab's rules and what the person is to it; two queries."""
    return Rulebook(role_of(user, lab), once(("rules", lab.pk), lambda: rows_of(lab)))


def read_all(labs: Iterable[Lab], user: User | None = None) -> Mapping[int, Rulebook]:
    """The same for many labs by their keys; two queries, whatever their number."""
    asked = {lab.pk: lab for lab in labs}
    rows: dict[int, list[Row]] = {key: [] for key in asked}
    for rule in BookingRule.objects.filter(lab__in=list(asked), active=True):
        if rule.name in engine.SORTS:
            rows[rule.lab_id].append(row(rule))
    roles = roles_of(user, asked.values())
    return {key: Rulebook(roles[key], rows[key]) for key in asked}


def for_machine(machine: Machine, user: User | None = None) -> Rules:
    """What holds on this machine, for this person (a guest, if none is named); two queries at most."""
    return read(machine.lab, user).holds(machine)


def for_machines(machines: Sequence[Machine], user: User | None = None) -> dict[int, Rules]:
    """The same for many machines by their keys, with one query for all their rules and one for the roles."""
    known = read_all((m.lab for m in machines), user)
    return {m.pk: known[m.lab_id].holds(m) for m in machines}


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
