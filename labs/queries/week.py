"""The week of one machine: taken times, the sun behind them, every hour that would fit."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from commons.people.models import User
from commons.web import numbers
from labs.engine import hours
from labs.engine.hours import Span
from labs.models import Booking, Machine
from labs.policies import is_fellow
from labs.queries import bookings

FIRST_HOUR, LAST_HOUR = 8, 21
QUARTER = dt.timedelta(minutes=15)
ONE = dt.timedelta(days=1)
SUN_AT_MOST = 62
"""Opacity in per cent of an hour that is all sun: words on it stay readable."""


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
    url: str = ""

    @property
    def sunniest(self) -> int:
        """The share of sun of its best hour, in per cent: what the strip of days shows on a phone."""
        return round(100 * max((share for _top, share in self.suns), default=0) / SUN_AT_MOST)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday, and the addresses of the weeks beside."""

    days: list[Day]
    before: str
    after: str
    today: str
    table: list[tuple[int, list[Cell]]]

    @property
    def title(self) -> str:
        """“23–29 November”, or “30 November – 6 December”."""
        first, last = self.days[0].date, self.days[-1].date
        if first.month == last.month:
            return f"{first.day}–{numbers.day(last, last)}"
        return f"{numbers.day(first, last)} – {numbers.day(last, last)}"

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


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page asks for: a booking of `length`, perhaps at `pick`; `address` goes on in every link.

    `focus` is the day that a phone shows, if not the day of the choice.
    """

    length: dt.timedelta
    pick: dt.datetime | None
    address: Mapping[str, str]
    viewer: User | None
    focus: dt.date | None = None

    @property
    def start(self) -> dict[str, str]:
        """The choice as a part of an address."""
        return {"start": self.pick.isoformat()} if self.pick else {}

    def url(self, **more: str) -> str:
        """The page with this changed."""
        return "?" + urlencode({**self.address, **more})


def build(machine: Machine, *, first: dt.date, asked: Asked, now: dt.datetime) -> Week:
    """The week that begins on `first`; a few queries."""
    zone = machine.lab.zone
    start, end = hours.at(first, 0, zone), hours.at(first + 7 * ONE, 0, zone)
    diary = bookings.diary(machine, start=start, end=end, now=now)
    rows = _bookings(machine, start - ONE, end + ONE)
    fellow = is_fellow(asked.viewer, machine.lab)
    days = []
    for nth in range(7):
        focus = asked.focus or (asked.pick or now).astimezone(zone).date()
        day = _day(first, nth, focus, now.astimezone(zone).date())
        day.url = asked.url(**asked.start, week=first.isoformat(), shown=day.date.isoformat())
        _draw_ground(day, diary)
        day.blocks = [_booked(day, booking, asked.viewer, fellow, zone) for booking in rows]
        if asked.pick is not None and asked.pick.astimezone(zone).date() == day.date:
            day.blocks.append(_block(day, Span(asked.pick, asked.pick + asked.length), zone, kind="pick"))
        day.blocks = [block for block in day.blocks if block.length]
        day.cells = [_cell(day.date, hour, diary, asked) for hour in range(24)]
        days.append(day)
    return Week(
        days,
        asked.url(week=(first - 7 * ONE).isoformat()),
        asked.url(week=(first + 7 * ONE).isoformat()),
        asked.url(),
        _table(days),
    )


def _day(first: dt.date, nth: int, focus: dt.date, today: dt.date) -> Day:
    """The nth day; a phone shows the day of the choice, or the first of the week."""
    date = first + nth * ONE
    elsewhere = not first <= focus < first + 7 * ONE
    return Day(date, date == today, date == focus or (elsewhere and nth == 0))


def _table(days: list[Day]) -> list[tuple[int, list[Cell]]]:
    """The week by hours; hours of the night only if something is free in them."""
    rows = [(hour, [day.cells[hour] for day in days]) for hour in range(24)]
    return [(hour, row) for hour, row in rows if FIRST_HOUR <= hour < LAST_HOUR or any(cell.free for cell in row)]


def _bookings(machine: Machine, start: dt.datetime, end: dt.datetime) -> list[Booking]:
    rows = Booking.objects.filter(machine=machine, blocked__overlap=DateTimeTZRange(start, end))
    return list(rows.filter(status__in=Booking.HOLDING).select_related("user", "design").order_by("start"))


def _quarters(day: Day, span: Span, zone: dt.tzinfo) -> tuple[int, int]:
    """Where a span lies on the drawn day, cut to it: quarters from the top, and how many."""
    top = dt.datetime.combine(day.date, dt.time(FIRST_HOUR), zone)
    bottom = dt.datetime.combine(day.date, dt.time(LAST_HOUR), zone)
    low, high = max(span.start, top), min(span.end, bottom)
    if high <= low:
        return 0, 0
    return round((low - top) / QUARTER), max(round((high - low) / QUARTER), 1)


def _block(day: Day, span: Span, zone: dt.tzinfo, name: str = "", kind: str = "") -> Block:
    top, length = _quarters(day, span, zone)
    clock = f"{span.start.astimezone(zone):%H:%M}–{span.end.astimezone(zone):%H:%M}"
    return Block(top, length, name or clock, clock if name else "", kind)


def _booked(day: Day, booking: Booking, viewer: User | None, fellow: bool, zone: dt.tzinfo) -> Block:
    """A booking on the day; who it is, only the person and the lab's own people see."""
    mine = viewer is not None and booking.user_id == viewer.pk
    span = Span(booking.start, booking.end)
    name = str(booking.user) if mine or fellow else ""
    return _block(day, span, zone, name, "mine" if mine else "taken")


def _draw_ground(day: Day, diary: bookings.Diary) -> None:
    """The sun, the closed hours and the past of the day."""
    zone = diary.machine.lab.zone
    whole = Span(hours.at(day.date, FIRST_HOUR * 60, zone), hours.at(day.date, LAST_HOUR * 60, zone))
    for at in range(FIRST_HOUR, LAST_HOUR):
        hour = Span(hours.at(day.date, at * 60, zone), hours.at(day.date, (at + 1) * 60, zone))
        share = diary.share(hour) if hour.end > hour.start else None
        if share:
            day.suns.append((4 * (at - FIRST_HOUR), round(SUN_AT_MOST * share)))
    at_most = whole.start
    for door in [*diary.opened, Span(whole.end, whole.end)]:
        if door.start > at_most and at_most < whole.end:
            top, length = _quarters(day, Span(at_most, door.start), zone)
            if length:
                day.shut.append(Block(top, length))
        at_most = max(at_most, door.end)
    day.past = _quarters(day, Span(whole.start, max(diary.now, whole.start)), zone)[1]


def _cell(date: dt.date, hour: int, diary: bookings.Diary, asked: Asked) -> Cell:
    start = hours.at(date, hour * 60, diary.machine.lab.zone)
    slot = diary.slot(Span(start, start + asked.length))
    url = asked.url(start=start.isoformat()) if slot.free else ""
    return Cell(hour, slot.free, slot.why, slot.solar_share, url, asked.pick == start)
