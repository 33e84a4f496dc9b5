"""Opening hours as spans of absolute time, right on both days when the clock changes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Week = Mapping[str, Sequence[Sequence[str]]]
Differing = Mapping[dt.date, Sequence[Sequence[str]]]
WHOLE_DAY = (("00:00", "24:00"),)


class Span(NamedTuple):
    """A half-open stretch of time, both ends aware."""

    start: dt.datetime
    end: dt.datetime


def minute_of_day(text: str) -> int:
    """Minutes after midnight of "HH:MM"; "24:00" is the end of the day. ValueError when it is neither."""
    hours, _, minutes = text.partition(":")
    minutes = minutes or "0"
    if not (hours.isdecimal() and minutes.isdecimal()):
        raise ValueError(text)
    total = int(hours) * 60 + int(minutes)
    if not (0 <= int(minutes) < 60 and 0 <= total <= 24 * 60):
        raise ValueError(text)
    return total


def check(week: Week) -> None:
    """ValueError with the day when a week of opening hours cannot be read."""
    for day, spans in week.items():
        if day not in DAYS:
            raise ValueError(day)
        last = -1
        for span in spans:
            if len(span) != 2:
                raise ValueError(day)
            opens, closes = minute_of_day(span[0]), minute_of_day(span[1])
            if not last < opens < closes:
                raise ValueError(day)
            last = closes


def at(day: dt.date, minute: int, zone: ZoneInfo) -> dt.datetime:
    """That minute of a local day as UTC; 24 × 60 is the next midnight."""
    if minute == 24 * 60:
        day, minute = day + dt.timedelta(days=1), 0
    return dt.datetime.combine(day, dt.time(minute // 60, minute % 60), zone).astimezone(dt.UTC)


def check_day(spans: Sequence[Sequence[str]]) -> None:
    """ValueError when the hours of one day cannot be read; no hours at all mean closed."""
    check({DAYS[0]: spans})


def open_spans(
    week: Week, zone: ZoneInfo, start: dt.datetime, end: dt.datetime, differing: Differing | None = None
) -> list[Span]:
    """When it is open from `start` to `end`, in order, neighbours joined; an empty week is always open.

    `differing` has the hours of days that do not follow the week, by the local date; none on a day means closed.
    """
    if not week and not differing:
        return [Span(start, end)]
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    spans: list[Span] = []
    while day <= last:
        usual = week.get(DAYS[day.weekday()], ()) if week else WHOLE_DAY
        for opens, closes in (differing or {}).get(day, usual):
            span = Span(at(day, minute_of_day(opens), zone), at(day, minute_of_day(closes), zone))
            if spans and spans[-1].end >= span.start:
                span = Span(spans.pop().start, span.end)
            spans.append(span)
        day += dt.timedelta(days=1)
    return [Span(max(s.start, start), min(s.end, end)) for s in spans if s.end > start and s.start < end]


def read_day(text: str) -> list[list[str]]:
    """The hours of a day as people write them: "9-21", "09:00–12:30, 13:00–17:00"; nothing means closed.

    ValueError with the piece that cannot be read.
    """
    spans: list[list[str]] = []
    for piece in text.replace("–", "-").replace(";", ",").split(","):
        if not piece.strip():
            continue
        opens, dash, closes = (part.strip().replace(".", ":") for part in piece.partition("-"))
        try:
            if not dash:
                raise ValueError
            pair = [_clock(minute_of_day(opens)), _clock(minute_of_day(closes))]
            check_day([*spans, pair])
        except ValueError:
            raise ValueError(piece.strip()) from None
        spans.append(pair)
    return spans


def write_day(spans: Sequence[Sequence[str]]) -> str:
    """The same for people: "09:00–12:30, 13:00–17:00"."""
    return ", ".join(f"{opens}–{closes}" for opens, closes in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
