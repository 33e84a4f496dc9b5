"""All machines of a lab side by side, for a day or a week: bars of bookings on tracks of time.

A track is one machine on one local day, in quarters of an hour of *absolute* time from its first hour, so that both
days on which the clock changes are as long as they really are. Bookings are read in one query and drawn as text
here: a template that loops over five thousand of them would take longer than all the rest.
"""

import datetime as dt
import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import BigIntegerField, F, Func, Value
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.people.models import User
from commons.web import numbers
from labs.engine import hours
from labs.engine.hours import Span
from labs.engine.times import Sun, share_of
from labs.models import Booking, Lab, Machine
from labs.queries import badges, bookings, rulebook, sun, sun_words
from labs.queries.rulebook import Rulebook

QUARTER = dt.timedelta(minutes=15)
#: Opacity in per cent of an hour that is all sun.
SUN_AT_MOST = 62
#: A free stretch shorter than this is no place for a booking.
SHORTEST_GAP = 2
USUAL_MIN = 60

#: Plain texts: a comparison with a choice of a model costs ten times as much, five thousand times a page.
USE, MAINTENANCE = Booking.Kind.USE.value, Booking.Kind.MAINTENANCE.value
WAITING = frozenset({Booking.Status.REQUESTED.value, Booking.Status.OFFERED.value})


@dataclass(frozen=True, slots=True)
class Window:
    """The part of each local day that is drawn, in minutes after midnight."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One local day: where it begins, how many quarters it has, its hours and its sun in quarters from the start."""

    date: dt.date
    zone: ZoneInfo
    span: Span
    quarters: int
    labels: Sequence[tuple[int, str]]
    suns: Sequence[tuple[int, int, int]]
    today: bool
    now: int | None
    name: str
    """“Friday 27 November”."""
    short: str
    """“Fri 27”."""
    iso: str
    """When it begins, by its own clock."""
    told: str = ""
    """Its sun in words."""

    @property
    def epoch(self) -> int:
        """When it begins, in seconds since 1970."""
        return int(self.span.start.timestamp())


class Held(NamedTuple):
    """A booking as the grid needs it; times in seconds since 1970, which are quicker to read than dates."""

    machine: int
    user: int
    start: int
    end: int
    kind: str
    status: str
    id: uuid.UUID | None = None
    person: str = ""


@dataclass(slots=True)
class Row:
    """A machine and its tracks, as HTML. `may` is whether the person has the badges; `out` that it is in repair."""

    machine: Machine
    may: bool
    out: bool
    book_url: str
    tracks: list[SafeString] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grid:
    """What the page draws."""

    days: Sequence[Day]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who looks, and when: `fellow` sees names; `full` draws words and free stretches, else bars alone."""

    viewer: User | None
    fellow: bool
    now: dt.datetime
    full: bool


def window(lab: Lab) -> Window:
    """The hours from the first opening to the last closing of the week; the whole day where it is always open."""
    spans = [span for day in lab.opening_hours.values() for span in day]
    if not spans:
        return Window(0, 24 * 60)
    opens = min(hours.minute_of_day(span[0]) for span in spans)
    closes = max(hours.minute_of_day(span[1]) for span in spans)
    return Window(opens // 60 * 60, -(-closes // 60) * 60)


def build(lab: Lab, machines: Sequence[Machine], dates: Sequence[dt.date], asked: Asked) -> Grid:
    """The machines on the days; six queries whatever their number."""
    zone, shown = lab.zone, window(lab)
    whole = Span(hours.at(dates[0], shown.opens, zone), hours.at(dates[-1], shown.closes, zone))
    suns = sun.outlook(lab.place, whole.start, whole.end)
    days = [_day(date, shown, zone, suns, asked.now) for date in dates]
    held = _held(lab, whole, days, full=asked.full)
    usable = badges.may_use(machines, asked.viewer, at=asked.now)
    known = rulebook.read(lab)
    for machine in machines:  # one object, so that its hours are read once
        machine.lab = lab
    shut = {key: [_complement(day, spans) for day in days] for key, spans in _opened(machines, known, whole).items()}
    pen, rows = _Pen(asked), []
    for machine in machines:
        url = reverse("rooms:book", args=[lab.slug, machine.slug])
        row = Row(machine, machine.pk in usable, machine.state == Machine.State.REPAIR, url)
        closed = shut[_hours_of(machine, known)]
        row.tracks = [pen.track(row, day, held.get((machine.pk, nth), ()), closed[nth]) for nth, day in enumerate(days)]
        rows.append(row)
    return Grid(days, rows)


def _day(date: dt.date, shown: Window, zone: ZoneInfo, suns: Sequence[Sun], now: dt.datetime) -> Day:
    span = Span(hours.at(date, shown.opens, zone), hours.at(date, shown.closes, zone))
    quarters = (span.end - span.start) // QUARTER
    labels, lit = [], []
    for quarter in range(0, quarters, 4):
        at = span.start + quarter * QUARTER
        labels.append((quarter, f"{at.astimezone(zone):%H}"))
        share = share_of(Span(at, min(at + 4 * QUARTER, span.end)), suns)
        if share:
            lit.append((quarter, min(4, quarters - quarter), round(SUN_AT_MOST * share)))
    here = (now - span.start) // QUARTER if span.start <= now < span.end else None
    name, short = date_format(date, _("l j F")), date_format(date, "D j")
    iso = span.start.astimezone(zone).isoformat()
    today = now.astimezone(zone).date() == date
    told = sun_words.day_words(span, suns, zone) if suns else ""
    return Day(date, zone, span, quarters, labels, lit, today, here, name, short, iso, told)


def _epoch(column: str) -> Func:
    """The column in seconds since 1970."""
    return Func(F(column), template="EXTRACT(EPOCH FROM %(expressions)s)::bigint", output_field=BigIntegerField())


def _held(lab: Lab, whole: Span, days: Sequence[Day], *, full: bool) -> dict[tuple[int, int], list[Held]]:
    """The bookings of the time by machine and day; one over midnight stands on both. Names and ids only in full."""
    columns = ("machine_id", "user_id", "first", "last", "kind", "status")
    who = Coalesce(NullIf("user__name", Value("")), "user__username")
    rows = (
        Booking.objects.filter(machine__lab=lab, blocked__overlap=DateTimeTZRange(*whole), status__in=Booking.HOLDING)
        .annotate(first=_epoch("start"), last=_epoch("end"), **({"who": who} if full else {}))
        .order_by("start")
        .values_list(*columns, *(("pk", "who") if full else ()))
    )
    begins = [day.epoch for day in days]
    ends = [int(day.span.end.timestamp()) for day in days]
    found: dict[tuple[int, int], list[Held]] = defaultdict(list)
    for row in rows:
        booking = Held(*row)
        nth = bisect_right(ends, booking.start)
        while nth < len(days) and begins[nth] < booking.end:
            found[booking.machine, nth].append(booking)
            nth += 1
    return found


def _hours_of(machine: Machine, known: Rulebook) -> tuple[bool, str]:
    """What machines with the same hours share: whether they work alone, and the hours that rules keep from booking."""
    return machine.unattended, known.blackout(machine)


def _opened(machines: Iterable[Machine], known: Rulebook, whole: Span) -> dict[tuple[bool, str], list[Span]]:
    """When machines may be booked, once for all that have the same hours."""
    found: dict[tuple[bool, str], list[Span]] = {}
    for machine in machines:
        key = _hours_of(machine, known)
        if key not in found:
            found[key] = bookings.bookable(machine, whole.start, whole.end, known=known)
    return found


def _place(first: int, last: int, quarters: int) -> tuple[int, int]:
    """Where seconds from the start of a day lie on it, cut to it: quarters from the start (down), how many (up)."""
    low, high = max(first // 900, 0), min(-(-last // 900), quarters)
    return (low, high - low) if high > low else (0, 0)


def _complement(day: Day, opened: Sequence[Span]) -> list[tuple[int, int]]:
    """The stretches of the day in which a machine may not work."""
    at, found = day.span.start, []
    for span in [*opened, Span(day.span.end, day.span.end)]:
        if span.start > at:
            first, last = (at - day.span.start).total_seconds(), (span.start - day.span.start).total_seconds()
            top, length = _place(int(first), int(last), day.quarters)
            if length:
                found.append((top, length))
        at = max(at, span.end)
    return found


def _gaps(busy: Sequence[tuple[int, int]], quarters: int) -> list[tuple[int, int]]:
    """The free stretches between the busy ones."""
    at, found = 0, []
    for top, length in busy:
        if top > at:
            found.append((at, top - at))
        at = max(at, top + length)
    if at < quarters:
        found.append((at, quarters - at))
    return found


def _kind(booking: Held, mine: int | None) -> str:
    """The bar's class: maintenance, a closure, one's own, a request or an offer, or taken."""
    if booking.kind != USE:
        return "work" if booking.kind == MAINTENANCE else "closed"
    if booking.user == mine:
        return "mine"
    return "asked" if booking.status in WAITING else "taken"


def _lit(day: Day) -> str:
    """The sun behind a track, the same for all machines of the day."""
    return "".join(f'<i class="sun from-{top} len-{length} o-{share}"></i>' for top, length, share in day.suns)


class _Pen:
    """Draws tracks. What many tracks say is made once: there are hundreds of them and few different counts."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.mine = asked.viewer.pk if asked.viewer is not None else None
        self.pattern = _("%(machine)s, %(day)s: %(bookings)s, %(free)s free")
        self.count = cache(lambda n: ngettext("%(n)d booking", "%(n)d bookings", n) % {"n": n})
        self.sun = cache(_lit)
        self.free = cache(lambda quarters: numbers.duration(quarters * QUARTER))

    def track(self, row: Row, day: Day, held: Sequence[Held], shut: list[tuple[int, int]]) -> SafeString:
        """One track with everything on it."""
        start = day.epoch
        drawn = [(*_place(b.start - start, b.end - start, day.quarters), b) for b in held]
        gaps = _gaps(sorted([(top, length) for top, length, _b in drawn] + shut), day.quarters)
        parts = [self._opening(row, day, len(drawn), sum(length for _top, length in gaps))]
        parts.append(self.sun(day))
        parts += [f'<i class="shut from-{top} len-{length}"></i>' for top, length in shut]
        if self.asked.full:
            parts += self._free(row, day, gaps)
            parts += [self._bar(day, top, length, booking) for top, length, booking in drawn]
        else:
            mine = self.mine
            parts += [f'<i class="held {_kind(b, mine)} from-{top} len-{length}"></i>' for top, length, b in drawn]
        if day.now is not None:
            parts.append(f'<i class="now from-{day.now}"></i>')
        parts.append("</div>")
        return mark_safe("".join(parts))  # noqa: S308 what people wrote is escaped in each part

    def _opening(self, row: Row, day: Day, count: int, free: int) -> str:
        """The tag: what script must know, and “Saimaa, Friday 27 November: 3 bookings, 6 h 30 free”."""
        machine = row.machine
        words = self.pattern % {
            "machine": machine.name, "day": day.name, "bookings": self.count(count), "free": self.free(free),
        }  # fmt: skip
        out = " data-out" if row.out else ""
        return (
            f'<div class="track len-{day.quarters}" role="group" aria-label="{escape(words)}"'
            f' data-machine="{machine.pk}" data-name="{escape(machine.name)}" data-book="{row.book_url}"'
            f' data-from="{day.iso}" data-quarters="{day.quarters}" data-day="{escape(day.short)}"{out}>'
        )

    def _bar(self, day: Day, top: int, length: int, booking: Held) -> str:
        kind = _kind(booking, self.mine)
        name = escape(self._name(booking, kind))
        first, last = (dt.datetime.fromtimestamp(at, day.zone) for at in (booking.start, booking.end))
        clock = f"{first:%H:%M}–{last:%H:%M}"
        own = f' data-booking="{booking.id}"' if kind == "mine" and last > self.asked.now else ""
        return (
            f'<div class="held {kind} from-{top} len-{length}" title="{name} {clock}"{own}>'
            f"<b>{name}</b> <span>{clock}</span></div>"
        )

    def _name(self, booking: Held, kind: str) -> str:
        if kind == "work":
            return _("Maintenance")
        if kind == "closed":
            return _("Closed")
        if kind == "mine":
            return _("You")
        return booking.person if self.asked.fellow else _("Taken")

    def _free(self, row: Row, day: Day, gaps: Sequence[tuple[int, int]]) -> list[str]:
        """Links to book what is free and to come; they work without script, and with it a drag begins on them."""
        if row.out:
            return []
        past, found = max(-((day.span.start - self.asked.now) // QUARTER), 0), []
        for top, length in gaps:
            first, last = max(top, past), top + length
            if last - first < SHORTEST_GAP:
                continue
            start = day.span.start + first * QUARTER
            clock = f"{start.astimezone(day.zone):%H:%M}"
            words = escape(_("%(machine)s is free from %(time)s") % {"machine": row.machine.name, "time": clock})
            asked = f"start={start:%Y-%m-%dT%H:%M}Z&amp;minutes={min((last - first) * 15, USUAL_MIN)}"
            place = f"from-{first} len-{last - first}"
            found.append(f'<a class="gap {place}" href="{row.book_url}?{asked}" aria-label="{words}"></a>')
        return found
