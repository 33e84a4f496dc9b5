"""Calendar text: RFC 5545, the part of it that a feed of bookings needs. Pure: events in, text out.

Times are written by the clock of the lab with its VTIMEZONE, so that a calendar shows the lab's time; a time that the
clock shows twice in autumn is written in UTC, since programs disagree on which of the two is meant. UIDs stay, SEQUENCE
counts changes, and what was cancelled is written as cancelled, so that calendars take it away.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

PRODUCT = "-//Living City//Bookings//EN"
OCTETS = 75
DAY = dt.timedelta(days=1)
#: So far around the events the VTIMEZONE knows when clocks change.
AROUND = dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Event:
    """One booking. `status` is CONFIRMED, TENTATIVE or CANCELLED; times are aware; `zone` is the lab's."""

    uid: str
    start: dt.datetime
    end: dt.datetime
    zone: ZoneInfo
    status: str
    summary: str
    sequence: int
    created: dt.datetime
    changed: dt.datetime
    location: str = ""
    description: str = ""
    url: str = ""
    geo: tuple[float, float] | None = None
    busy: bool = True


def text(value: str) -> str:
    """A text value: backslash, semicolon, comma and line breaks escaped; other control characters left out."""
    value = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(c for c in value if c >= " " and c != "\x7f")


def folded(line: str) -> str:
    """A line of at most 75 octets each, going on after a space; characters are never split."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS:
            pieces.append(piece)
            piece, size = "", 1
        piece, size = piece + character, size + octets
    return "\r\n ".join([*pieces, piece])


def utc(moment: dt.datetime) -> str:
    """A moment in UTC: 20261122T200000Z."""
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def stamped(name: str, moment: dt.datetime, zone: ZoneInfo) -> str:
    """DTSTART or DTEND by the zone's clock; in UTC where that would be read as another moment."""
    there = moment.astimezone(zone)
    if zone.key == "UTC" or there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset():
        return f"{name}:{utc(moment)}"
    return f"{name};TZID={zone.key}:{there:%Y%m%dT%H%M%S}"


def offset(delta: dt.timedelta) -> str:
    """An offset from UTC: +0200."""
    seconds = int(delta.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours:02}{minutes:02}" + (f"{seconds:02}" if seconds else "")


def turns(zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """The moments (UTC, to the second) at which the zone's clock changes between two others."""
    low = start.astimezone(dt.UTC)
    while low < end:
        high = min(low + DAY, end.astimezone(dt.UTC))
        if _rule(low, zone) != _rule(high, zone):
            left, right = low, high
            while right - left > dt.timedelta(seconds=1):
                middle = (left + (right - left) / 2).replace(microsecond=0)
                left, right = (middle, right) if _rule(middle, zone) == _rule(low, zone) else (left, middle)
            yield right
        low = high


def _rule(moment: dt.datetime, zone: ZoneInfo) -> tuple[dt.timedelta | None, str | None]:
    there = moment.astimezone(zone)
    return there.utcoffset(), there.tzname()


def timezone(zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> list[str]:
    """The VTIMEZONE of a zone, true from before `start` until after `end`: one observance for each change."""
    first = (start - AROUND).astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone.key}"]
    before = first.astimezone(zone)
    lines += _observance(before, before.utcoffset() or dt.timedelta(), before)
    for turn in turns(zone, first, end + AROUND):
        old = (turn - dt.timedelta(seconds=1)).astimezone(zone).utcoffset() or dt.timedelta()
        lines += _observance((turn + old).replace(tzinfo=None), old, turn.astimezone(zone))
    return [*lines, "END:VTIMEZONE"]


def _observance(onset: dt.datetime, old: dt.timedelta, there: dt.datetime) -> list[str]:
    """`onset` is the wall clock by the old offset; `there` the same moment by the new."""
    kind = "DAYLIGHT" if there.dst() else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{onset:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{offset(old)}",
        f"TZOFFSETTO:{offset(there.utcoffset() or dt.timedelta())}",
        f"TZNAME:{text(there.tzname() or 'UTC')}",
        f"END:{kind}",
    ]


def event(given: Event) -> list[str]:
    """The VEVENT of a booking."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{text(given.uid)}",
        f"DTSTAMP:{utc(given.changed)}",
        f"CREATED:{utc(given.created)}",
        f"LAST-MODIFIED:{utc(given.changed)}",
        f"SEQUENCE:{given.sequence}",
        stamped("DTSTART", given.start, given.zone),
        stamped("DTEND", given.end, given.zone),
        f"SUMMARY:{text(given.summary)}",
        f"STATUS:{given.status}",
        f"TRANSP:{'OPAQUE' if given.busy and given.status != 'CANCELLED' else 'TRANSPARENT'}",
    ]
    if given.location:
        lines.append(f"LOCATION:{text(given.location)}")
    if given.geo:
        lines.append(f"GEO:{given.geo[0]:.6f};{given.geo[1]:.6f}")
    if given.description:
        lines.append(f"DESCRIPTION:{text(given.description)}")
    if given.url:
        lines.append(f"URL:{given.url}")
    return [*lines, "END:VEVENT"]


def calendar(name: str, events: Sequence[Event]) -> str:
    """The whole feed, with every zone that its events name."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",
        f"X-WR-CALNAME:{text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for zone in _zones(events):
        there = [given for given in events if given.zone == zone]
        lines += timezone(zone, min(given.start for given in there), max(given.end for given in there))
    for given in events:
        lines += event(given)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _zones(events: Iterable[Event]) -> list[ZoneInfo]:
    return sorted({given.zone for given in events if given.zone.key != "UTC"}, key=lambda zone: zone.key)
