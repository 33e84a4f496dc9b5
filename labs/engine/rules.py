"""A lab's rules, as data: which of them hold for a machine and a person, and what they say against a booking.

Pure: rows and facts in, findings out; no clock, no words. Every time is read as absolute time (two times of one zone
are otherwise compared by the clock on the wall, which is wrong twice a year). Days and weeks are the lab's own, so the
Sunday in October has 25 hours and the one in March 23.

Which rule holds: of rows with the same name, the one nearest to the machine (machine, then class, then lab), and of
those the one that names the person's role. Limits that count (hours a day, hours a week, open bookings) hold each in
its own scope: a lab's 20 hours a week and the laser's 4 hours a week are two limits, and a booking keeps both.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from zoneinfo import ZoneInfo

from labs.engine import circuits, hours, times
from labs.engine.circuits import Load
from labs.engine.hours import Span
from labs.engine.times import Buffers

Value = bool | float | str
Kind = Literal["minutes", "hours", "days", "count", "percent", "points", "flag", "week"]
ZERO = dt.timedelta()
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
QUARTER = times.QUARTER
ROLES = ("guest", "member", "trainer", "manager")
COUNTING = ("per_day_h", "per_week_h", "open_bookings")


@dataclass(frozen=True, slots=True)
class Sort:
    """What kind of value a rule has, and between which bounds; `default` is what holds where a lab says nothing."""

    kind: Kind
    low: float = 0
    high: float = 0
    default: Value | None = None


#: Every rule that a lab can set.
SORTS: Mapping[str, Sort] = {
    "shortest_min": Sort("minutes", 5, 1440, 5.0),
    "longest_h": Sort("hours", 0.25, 744),
    "lead_min": Sort("minutes", 0, 43_200, 0.0),
    "horizon_days": Sort("days", 1, 730, 90.0),
    "gap_min": Sort("minutes", 0, 10_080, 0.0),
    "buffer_before_min": Sort("minutes", 0, 720),
    "buffer_after_min": Sort("minutes", 0, 720),
    "per_day_h": Sort("hours", 0, 25),
    "per_week_h": Sort("hours", 0, 169),
    "open_bookings": Sort("count", 0, 1000),
    "free_hours": Sort("week", default=""),
    "blackout": Sort("week", default=""),
    "circuit_budget": Sort("flag", default=False),
    "members_only": Sort("flag", default=False),
    "needs_approval": Sort("flag", default=False),
    "check_in_within_min": Sort("minutes", 0, 240, 0.0),
    "cancel_until_min": Sort("minutes", 0, 43_200, 0.0),
    "late_refund_pct": Sort("percent", 0, 100, 0.0),
    "no_shows": Sort("count", 0, 100, 0.0),
    "no_show_days": Sort("days", 1, 366, 30.0),
    "pause_days": Sort("days", 1, 366, 7.0),
    "points_week": Sort("points", 0, 100_000, 0.0),
    "points_keep_pct": Sort("percent", 0, 100, 50.0),
}


class Unreadable(ValueError):
    """A value that cannot be read; `part` is the part of it that cannot."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def read(name: str, text: str) -> Value:
    """The value of a rule from what a person typed. Raises Unreadable; KeyError for a name that is no rule."""
    sort, text = SORTS[name], text.strip()
    if sort.kind == "flag":
        word = text.lower()
        if word not in {"yes", "no", "true", "false", "on", "off", "1", "0"}:
            raise Unreadable(text)
        return word in {"yes", "true", "on", "1"}
    if sort.kind == "week":
        return write_week(read_week(text))
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise Unreadable(text) from None
    whole = sort.kind in {"minutes", "days", "count"}
    if not sort.low <= number <= sort.high or (whole and number != int(number)):
        raise Unreadable(text)
    return number


Week = dict[str, list[list[str]]]


def read_week(text: str) -> Week:
    """A week of spans from "mon 16:00-18:00, wed 09:00-12:00", in the shape of opening hours. Raises Unreadable."""
    week: Week = {}
    for part in (p.strip() for p in text.replace(";", ",").replace("–", "-").split(",")):
        if not part:
            continue
        day, _space, clock = part.lower().partition(" ")
        opens, dash, closes = clock.replace(" ", "").partition("-")
        days = _days(day, part)
        if not dash:
            raise Unreadable(part)
        for name in days:
            week.setdefault(name, []).append([opens, closes])
        try:
            for name in days:
                week[name].sort(key=lambda span: hours.minute_of_day(span[0]))
            hours.check(week)
        except ValueError:
            raise Unreadable(part) from None
    return week


def _days(text: str, part: str) -> list[str]:
    """ "mon", or "mon-fri"."""
    first, dash, last = text.partition("-")
    if first not in hours.DAYS or (dash and last not in hours.DAYS):
        raise Unreadable(part)
    low = hours.DAYS.index(first)
    high = hours.DAYS.index(last) if dash else low
    if high < low:
        raise Unreadable(part)
    return list(hours.DAYS[low : high + 1])


def write_week(week: Week) -> str:
    """The week as text, in the order of its days."""
    return ", ".join(f"{day} {span[0]}-{span[1]}" for day in hours.DAYS for span in week.get(day, ()))


@dataclass(frozen=True, slots=True)
class Row:
    """A rule as a lab set it: for a machine, for a class of machines, or (neither) for the whole lab; perhaps for one
    role. `value` None says: no limit here."""

    name: str
    value: Value | None
    machine: int | None = None
    cls: str = ""
    role: str = ""
    key: int | None = None

    @property
    def level(self) -> int:
        """2 for a machine's own, 1 for a class, 0 for the lab."""
        return 2 if self.machine is not None else 1 if self.cls else 0

    def holds(self, machine: int, cls: str, role: str) -> bool:
        """Whether it speaks about this machine and this role at all."""
        here = self.machine == machine if self.machine is not None else not self.cls or self.cls == cls
        return here and (not self.role or self.role == role)

    def covers(self, machine: int, cls: str) -> bool:
        """Whether a booking on this machine counts for it."""
        return self.machine == machine if self.machine is not None else not self.cls or self.cls == cls


@dataclass(frozen=True, slots=True)
class Ruled:
    """What holds for one machine and one role: by name the row that holds, and the limits that count."""

    by_name: Mapping[str, Row]
    counting: Sequence[Row]

    def number(self, name: str) -> float | None:
        """A number, or None where there is no limit."""
        row = self.by_name.get(name)
        return None if row is None or row.value is None else float(row.value)

    def minutes(self, name: str) -> dt.timedelta:
        """A length of time in minutes."""
        return MINUTE * (self.number(name) or 0)

    def flag(self, name: str) -> bool:
        """Yes or no."""
        row = self.by_name.get(name)
        return bool(row.value) if row is not None else False

    def week(self, name: str) -> Week:
        """A week of spans; empty: none."""
        row = self.by_name.get(name)
        return read_week(str(row.value)) if row is not None and row.value else {}


def resolve(
    rows: Iterable[Row], *, machine: int, cls: str, role: str, defaults: Mapping[str, Value | None] | None = None
) -> Ruled:
    """Which rows hold; `defaults` are the machine's own facts and the lab's, which any row goes before."""
    known = {name: sort.default for name, sort in SORTS.items()} | dict(defaults or {})
    best: dict[str, Row] = {name: Row(name, value) for name, value in known.items()}
    rank: dict[str, tuple[int, bool, int]] = {}
    scoped: dict[tuple[str, int], Row] = {}
    for row in rows:
        if not row.holds(machine, cls, role):
            continue
        mine = (row.level, bool(row.role), row.key or 0)
        if row.name not in rank or mine > rank[row.name]:
            best[row.name], rank[row.name] = row, mine
        if row.name in COUNTING:
            held = scoped.get((row.name, row.level))
            if held is None or (bool(row.role), row.key or 0) > (bool(held.role), held.key or 0):
                scoped[row.name, row.level] = row
    for name in COUNTING:
        if (name, 0) not in scoped and known.get(name) is not None:
            scoped[name, 0] = Row(name, known[name])
    counting = [scoped[name, level] for name in COUNTING for level in (2, 1, 0) if (name, level) in scoped]
    return Ruled(best, [row for row in counting if row.value is not None])


@dataclass(frozen=True, slots=True)
class Own:
    """Another booking of the same person in the same lab that holds its time; `open`: it is still to come."""

    span: Span
    machine: int
    cls: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class OnCircuit:
    """The circuit of the asked machine: its limit in W, what is asked of it (the machine first, then those that are
    booked in the same step), and the uses that hold their time there."""

    name: str
    limit_w: float
    asked: Sequence[Load]
    others: Sequence[Load]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known when somebody asks for a time. `opened` are the spans in which the machine may work around
    the asked time; `moved_from` is the old start of a booking that is being moved; `funds` what a wallet holds."""

    span: Span
    now: dt.datetime
    zone: ZoneInfo
    machine: int
    cls: str
    role: str
    opened: Sequence[Span] = ()
    own: Sequence[Own] = ()
    beside: Sequence[Own] = ()
    missed: Sequence[dt.datetime] = ()
    missing_badges: Sequence[str] = ()
    repair: bool = False
    moved_from: dt.datetime | None = None
    grace: dt.timedelta = dt.timedelta(minutes=5)
    circuit: OnCircuit | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that speaks against the asked time, with the numbers that its sentence needs.

    `not_before`: no start before this can keep the rule; None: another time does not help. `longest`: a booking of
    at most this length would keep it.
    """

    rule: str
    row: Row | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    not_before: dt.datetime | None = None
    longest: dt.timedelta | None = None


def absolute(span: Span) -> Span:
    """The span in UTC, so that differences and comparisons are of real time."""
    return Span(span.start.astimezone(dt.UTC), span.end.astimezone(dt.UTC))


def evaluate(ruled: Ruled, facts: Facts) -> list[Finding]:
    """Everything that speaks against the time, the weightiest first."""
    facts = replace(facts, span=absolute(facts.span), now=facts.now.astimezone(dt.UTC))
    checks = (
        (_length, _when, _shut, _out, _person, _counted, _gap, _circuit)
        if is_near(facts.span, facts.now)
        else (_length, _when)
    )
    return [finding for check in checks for finding in check(ruled, facts)]


def is_near(span: Span, now: dt.datetime) -> bool:
    """Whether the span is worth looking at closely: no rule lets one be longer or farther away than this."""
    return span.end - span.start <= 32 * DAY and abs(span.start - now) <= 1100 * DAY


def _length(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    length = facts.span.end - facts.span.start
    shortest = max(ruled.minutes("shortest_min"), 5 * MINUTE)
    if length < shortest:
        yield Finding("shortest_min", ruled.by_name.get("shortest_min"), {"minutes": shortest / MINUTE})
    most = ruled.number("longest_h") or SORTS["longest_h"].high
    if length > HOUR * most:
        yield Finding("longest_h", ruled.by_name.get("longest_h"), {"hours": most}, longest=HOUR * most)


def _when(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    start, now = facts.span.start, facts.now
    if facts.moved_from is not None and facts.moved_from <= now and start == facts.moved_from:
        return
    if start < now - facts.grace:
        yield Finding("past", args={"start": start}, not_before=now)
        return
    lead = ruled.minutes("lead_min")
    if lead and start < now + lead:
        args = {"minutes": lead / MINUTE, "earliest": now + lead}
        yield Finding("lead_min", ruled.by_name["lead_min"], args, not_before=now + lead)
    days = ruled.number("horizon_days") or SORTS["horizon_days"].high
    if start > now + DAY * days:
        args = {"days": days, "latest": now + DAY * days}
        yield Finding("horizon_days", ruled.by_name.get("horizon_days"), args)


def _shut(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    span = facts.span
    if span.end <= span.start:
        return
    if facts.moved_from is not None and facts.moved_from <= facts.now and span.start == facts.moved_from:
        return
    if times.opening(span, facts.opened) is None:
        later = [door.start for door in facts.opened if door.start > span.start]
        yield Finding("hours", not_before=later[0] if later else span.start + QUARTER)
    for shut in _windows(ruled.week("blackout"), facts.zone, span):
        args = {"from": shut.start, "until": shut.end}
        yield Finding("blackout", ruled.by_name["blackout"], args, not_before=shut.end)
        return


def _windows(week: Week, zone: ZoneInfo, span: Span) -> list[Span]:
    return hours.open_spans(week, zone, span.start, span.end) if week else []


def _out(_ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    if facts.repair and facts.moved_from is None:
        yield Finding("repair")


def _person(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    if facts.missing_badges:
        yield Finding("badge", args={"badges": list(facts.missing_badges)})
    if facts.moved_from is not None:
        return
    if ruled.flag("members_only") and facts.role == "guest":
        yield Finding("members_only", ruled.by_name["members_only"])
    until = paused_until(ruled, facts.missed, facts.now)
    if until is not None:
        args = {"count": ruled.number("no_shows"), "days": ruled.number("no_show_days"), "until": until}
        yield Finding("no_shows", ruled.by_name["no_shows"], args)


def paused_until(ruled: Ruled, missed: Sequence[dt.datetime], now: dt.datetime) -> dt.datetime | None:
    """Until when a person who did not come too often may not book, or None.

    The pause begins at the missed booking by which `no_shows` of them lie within `no_show_days`.
    """
    most = int(ruled.number("no_shows") or 0)
    if most <= 0:
        return None
    window, pause = DAY * (ruled.number("no_show_days") or 30), DAY * (ruled.number("pause_days") or 0)
    times_missed = sorted(m.astimezone(dt.UTC) for m in missed if m <= now)
    for nth in range(len(times_missed) - 1, most - 2, -1):
        if times_missed[nth] - times_missed[nth - most + 1] <= window:
            until = times_missed[nth] + pause
            return until if until > now else None
    return None


def _counted(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    for row in ruled.counting:
        own = [o for o in (*facts.own, *facts.beside) if row.covers(o.machine, o.cls)]
        most = float(row.value or 0)
        if row.name == "open_bookings":
            held = sum(o.open and o.span.end > facts.now for o in own)
            if facts.moved_from is None and held >= most:
                yield Finding("open_bookings", row, {"held": held, "most": most})
            continue
        yield from _hours_kept(ruled, row, facts, [absolute(o.span) for o in own], HOUR * most)


def _hours_kept(ruled: Ruled, row: Row, facts: Facts, own: Sequence[Span], most: dt.timedelta) -> Iterator[Finding]:
    """The first day or week in which the person would have more hours than the limit."""
    free = ruled.week("free_hours")
    pieces = local_days(facts.span, facts.zone) if row.name == "per_day_h" else local_weeks(facts.span, facts.zone)
    for date, piece in pieces:
        asked = _counting_time(_cut(facts.span, piece), free, facts.zone)
        if not asked:
            continue
        used = sum((_counting_time(_cut(o, piece), free, facts.zone) for o in own), ZERO)
        if used + asked > most:
            left = max(most - used, ZERO)
            args = {"hours": most / HOUR, "used": used / HOUR, "left": left / HOUR, "date": date}
            yield Finding(row.name, row, args, not_before=piece.end, longest=left or None)
            return


def local_days(span: Span, zone: ZoneInfo) -> Iterator[tuple[dt.date, Span]]:
    """The lab's days that a span touches: each 23, 24 or 25 hours of real time."""
    day = span.start.astimezone(zone).date()
    while (start := hours.at(day, 0, zone)) < span.end:
        yield day, Span(start, hours.at(day + DAY, 0, zone))
        day += DAY


def local_weeks(span: Span, zone: ZoneInfo) -> Iterator[tuple[dt.date, Span]]:
    """The lab's weeks, from Monday, that a span touches: each 167, 168 or 169 hours."""
    day = span.start.astimezone(zone).date()
    day -= DAY * day.weekday()
    while (start := hours.at(day, 0, zone)) < span.end:
        yield day, Span(start, hours.at(day + 7 * DAY, 0, zone))
        day += 7 * DAY


def _cut(span: Span, frame: Span) -> Span:
    return Span(max(span.start, frame.start), min(span.end, frame.end))


def _counting_time(span: Span, free: Week, zone: ZoneInfo) -> dt.timedelta:
    """How long it is, without the hours that count for nothing."""
    if span.end <= span.start:
        return ZERO
    quiet = sum((w.end - w.start for w in _windows(free, zone, span)), ZERO)
    return span.end - span.start - quiet


def _gap(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    gap = ruled.minutes("gap_min")
    if not gap:
        return
    row = ruled.by_name["gap_min"]
    near = [absolute(o.span) for o in facts.own if row.covers(o.machine, o.cls)]
    meeting = [o for o in near if o.end > facts.span.start - gap and o.start < facts.span.end + gap]
    if meeting:
        last = max(o.end for o in meeting)
        yield Finding("gap_min", row, {"minutes": gap / MINUTE, "after": last + gap}, not_before=last + gap)


def _circuit(ruled: Ruled, facts: Facts) -> Iterator[Finding]:
    """Whether the circuit carries it: each use with its highest power while it warms up."""
    on = facts.circuit
    if on is None or not ruled.flag("circuit_budget") or facts.span.end <= facts.span.start:
        return
    length = facts.span.end - facts.span.start
    asked = [replace(load, span=Span(facts.span.start, facts.span.start + length)) for load in on.asked]
    over = circuits.overload(asked, on.others, on.limit_w)
    if over is None:
        return
    fits = circuits.next_fit(asked, on.others, on.limit_w)
    args = {
        "circuit": on.name, "limit_w": on.limit_w, "watts": over.watts, "at": over.at, "others": over.others,
        "asks_w": sum(load.at(over.at) for load in asked), "fits": fits,
    }  # fmt: skip
    yield Finding("circuit_budget", ruled.by_name["circuit_budget"], args, not_before=fits)


#: What another time of the same person on the same machine cannot mend.
LASTING = frozenset({"badge", "repair", "members_only", "no_shows", "open_bookings", "shortest_min"})


def next_allowed(
    ruled: Ruled, facts: Facts, *, taken: Sequence[Span] = (), buffers: Buffers | None = None, tries: int = 400
) -> Span | None:
    """The first time at or after the asked one that every rule allows and nobody has, on full quarters.

    A booking that is too long is asked for at the length that is allowed. None when no time helps (a badge is
    missing), or when there is none within the spans of `facts.opened` or the horizon.
    """
    facts = replace(facts, span=absolute(facts.span), now=facts.now.astimezone(dt.UTC))
    around = buffers or Buffers(ZERO, ZERO)
    if not is_near(facts.span, facts.now):
        return None
    start = facts.span.start
    for _try in range(tries):
        later = start + MINUTE
        for length in _lengths(ruled, facts):
            span = Span(start, start + length)
            found = evaluate(ruled, replace(facts, span=span))
            if any(f.rule in LASTING or f.rule == "horizon_days" for f in found):
                return None
            met = times.clash(Span(span.start - around.before, span.end + around.after), taken)
            if not found and met is None:
                return span
        # the shortest was asked last, so what speaks against it speaks against all
        waits = [f.not_before for f in found if f.not_before is not None]
        if met is not None:
            waits.append(met.end + around.before)
        start = times.up_to_quarter(max([later, *waits]))
    return None


def _lengths(ruled: Ruled, facts: Facts) -> list[dt.timedelta]:
    """The asked length as far as one booking may go, and what fits into the limits of a day and a week at any time."""
    shortest = max(ruled.minutes("shortest_min"), 5 * MINUTE)
    most = ruled.number("longest_h") or SORTS["longest_h"].high
    full = max(min(facts.span.end - facts.span.start, HOUR * most), shortest)
    limits = [HOUR * float(row.value or 0) for row in ruled.counting if row.name != "open_bookings"]
    kept = max(min([full, *limits]), shortest)
    return [full] if kept == full else [full, kept]
