"""The week of one machine: taken times, the sun behind them, and every hour at which the chosen length would fit."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from commons.people.models import User
from labs.engine import hours, times
from labs.engine.hours import Span
from labs.models import Booking, Machine
from labs.policies import is_fellow
from labs.queries import bookings, sun

FIRST_HOUR, LAST_HOUR = 8, 21
QUARTER = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Block:
    """Something on the drawn day: `top` and `length` in quarters of an hour from its first hour."""

    top: int
    length: int
    words: str = ""
    detail: str = ""
    kind: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the table: `free` means that the chosen length could begin here."""

    hour: int
    free: bool
    why: str
    share: float | None
    url: str
    picked: bool


@dataclass(slots=True)
class Day:
    """A day of the week on the machine."""

    date: dt.date
    today: bool
    shown: bool
    suns: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    shut: list[Block] = field(default_factory=list)
    past: int = 0
    cells: list[Cell] = field(default_factory=list)
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday, and the addresses of the weeks beside."""

    days: list[Day]
    before: str
    after: str
    today: str
    table: list[tuple[int, list[Cell]]]

    @property
    def hours(self) -> list[tuple[int, int]]:
        """The hours beside the drawn days: (quarters from the top, hour)."""
        return [(4 * (h - FIRST_HOUR), h) for h in range(FIRST_HOUR + 1, LAST_HOUR)]


def monday(text: str, default: dt.date) -> dt.date:
    """The Monday of a day written as 2026-06-15, or of the default."""
    try:
        day = dt.date.fromisoformat(text) if text else default
    except ValueError:
        day = default
    day = min(max(day, dt.date(2000, 1, 10)), dt.date(2100, 1, 1))
    return day - dt.timedelta(days=day.weekday())


def build(
    machine: Machine,
    *,
    first: dt.date,
    length: dt.timedelta,
    now: dt.datetime,
    viewer: User | None,
    pick: dt.datetime | None,
    asked: Mapping[str, str],
) -> Week:
    """The week that begins on `first`, for a booking of that length. Three queries."""
    zone, one = machine.lab.zone, dt.timedelta(days=1)
    start, end = hours.at(first, 0, zone), hours.at(first + 7 * one, 0, zone)
    rows = _bookings(machine, start - one, end + one)
    taken = sorted(Span(b.blocked.lower, b.blocked.upper) for b in rows)
    doors = bookings.opened(machine, start - one, end + 2 * one)
    shares = sun.hours(machine.lab.place, start, end + one)
    today = now.astimezone(zone).date()
    fellow = is_fellow(viewer, machine.lab)
    focus = (pick or now).astimezone(zone).date()
    days = []
    for nth in range(7):
        date = first + nth * one
        day = Day(date, date == today, date == focus or (nth == 0 and not first <= focus < first + 7 * one))
        _draw(day, machine, rows, doors, shares, now, viewer, fellow)
        if pick is not None and pick.astimezone(zone).date() == date:
            day.blocks.append(_block(day, Span(pick, pick + length), zone, kind="pick"))
        day.cells = [
            _cell(machine, date, hour, length, taken, doors, shares, now, pick, asked) for hour in range(24)
        ]
        day.blocks = [b for b in day.blocks if b.length > 0]
        days.append(day)
    table = [(hour, [day.cells[hour] for day in days]) for hour in range(24)]
    table = [
        (hour, cells) for hour, cells in table if FIRST_HOUR <= hour < LAST_HOUR or any(c.free for c in cells)
    ]
    address = {k: v for k, v in asked.items() if k != "week"}
    return Week(
        days,
        "?" + urlencode({**address, "week": (first - 7 * one).isoformat()}),
        "?" + urlencode({**address, "week": (first + 7 * one).isoformat()}),
        "?" + urlencode(address),
        table,
    )


def _bookings(machine: Machine, start: dt.datetime, end: dt.datetime) -> list[Booking]:
    rows = Booking.objects.filter(machine=machine, blocked__overlap=DateTimeTZRange(start, end))
    return list(
        rows.exclude(status=Booking.Status.CANCELLED).select_related("user", "design").order_by("start")
    )


def _quarters(day: Day, span: Span, zone: dt.tzinfo) -> tuple[int, int]:
    """Where a span lies on the drawn day, cut to it: quarters from the top, and how many."""
    top = dt.datetime.combine(day.date, dt.time(FIRST_HOUR), zone)
    bottom = dt.datetime.combine(day.date, dt.time(LAST_HOUR), zone)
    low, high = max(span.start, top), min(span.end, bottom)
    if high <= low:
        return 0, 0
    return round((low - top) / QUARTER), max(round((high - low) / QUARTER), 1)


def _block(day: Day, span: Span, zone: dt.tzinfo, words: str = "", detail: str = "", kind: str = "") -> Block:
    top, length = _quarters(day, span, zone)
    clock = f"{span.start.astimezone(zone):%H:%M}–{span.end.astimezone(zone):%H:%M}"
    return Block(top, length, words or clock, detail, kind)


def _draw(
    day: Day,
    machine: Machine,
    rows: list[Booking],
    doors: list[Span],
    shares: list[times.Sun],
    now: dt.datetime,
    viewer: User | None,
    fellow: bool,
) -> None:
    zone = machine.lab.zone
    whole = Span(hours.at(day.date, FIRST_HOUR * 60, zone), hours.at(day.date, LAST_HOUR * 60, zone))
    for at in range(FIRST_HOUR, LAST_HOUR):
        hour = Span(hours.at(day.date, at * 60, zone), hours.at(day.date, (at + 1) * 60, zone))
        share = times.share_of(hour, shares) if hour.end > hour.start else None
        if share:
            day.suns.append((4 * (at - FIRST_HOUR), round(62 * share)))
    day.share = times.share_of(whole, shares) or 0.0
    for booking in rows:
        mine = viewer is not None and booking.user_id == viewer.pk
        name = "" if not (mine or fellow) else str(booking.user)
        span = Span(booking.start, booking.end)
        detail = f"{span.start.astimezone(zone):%H:%M}–{span.end.astimezone(zone):%H:%M}"
        block = _block(day, span, zone, name, detail, "mine" if mine else "taken")
        if block.length:
            day.blocks.append(block)
    at = whole.start
    for door in [*doors, Span(whole.end, whole.end)]:
        if door.start > at and at < whole.end:
            top, length = _quarters(day, Span(at, door.start), zone)
            if length:
                day.shut.append(Block(top, length))
        at = max(at, door.end)
    day.past = _quarters(day, Span(whole.start, max(now, whole.start)), zone)[1]


def _cell(
    machine: Machine,
    date: dt.date,
    hour: int,
    length: dt.timedelta,
    taken: list[Span],
    doors: list[Span],
    shares: list[times.Sun],
    now: dt.datetime,
    pick: dt.datetime | None,
    asked: Mapping[str, str],
) -> Cell:
    start = hours.at(date, hour * 60, machine.lab.zone)
    span = Span(start, start + length)
    why = bookings.why_not(machine, span, bookings.buffers(machine), taken, doors, now)
    url = "?" + urlencode({**asked, "start": start.isoformat()}) if not why else ""
    return Cell(hour, not why, why, times.share_of(span, shares), url, pick == start)
