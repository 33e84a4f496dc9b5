"""Free times on one machine, and the best of them by the sun. Pure: lists of spans in, spans out.

`taken` are blocked spans (bookings with their buffers), sorted by start and not overlapping, as the database
guarantees. `opened` are the spans in which the machine may work, sorted.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from labs.engine.hours import Span

QUARTER = dt.timedelta(minutes=15)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_START, _END = itemgetter(0), itemgetter(1)  # of spans, and of stretches of sun


class Sun(NamedTuple):
    """The share (0..1) of a machine's use that local sun would cover in a stretch of time: expected and, where it is
    foreseen, the ends of its range and what that comes from.
    """

    start: dt.datetime
    end: dt.datetime
    share: float
    low: float | None = None
    high: float | None = None
    basis: str = ""


class Offer(NamedTuple):
    """A time to book; `share` is None when nobody knows the sun."""

    start: dt.datetime
    end: dt.datetime
    share: float | None
    low: float | None = None
    high: float | None = None
    basis: str = ""


class Buffers(NamedTuple):
    """What a machine needs before and after each use."""

    before: dt.timedelta
    after: dt.timedelta


def up_to_quarter(moment: dt.datetime) -> dt.datetime:
    """The next full quarter of an hour, or the moment itself if it is one."""
    return moment + (EPOCH - moment) % QUARTER


def clash(span: Span, taken: Sequence[Span]) -> Span | None:
    """The first taken span that meets this one, or None."""
    where = bisect_right(taken, span.start, key=_END)
    return taken[where] if where < len(taken) and taken[where].start < span.end else None


def opening(span: Span, opened: Sequence[Span]) -> Span | None:
    """The open span that holds all of this one, or None."""
    where = bisect_right(opened, span.start, key=_START) - 1
    return opened[where] if where >= 0 and opened[where].end >= span.end else None


def is_free(span: Span, buffers: Buffers, taken: Sequence[Span], opened: Sequence[Span]) -> bool:
    """Whether exactly this span could be booked."""
    blocked = Span(span.start - buffers.before, span.end + buffers.after)
    return clash(blocked, taken) is None and opening(span, opened) is not None


def next_free(wanted: Span, buffers: Buffers, taken: Sequence[Span], opened: Sequence[Span]) -> Span | None:
    """The first span of the same length, at or after the wanted one, that could be booked; on full quarters.

    None when there is none inside `opened`.
    """
    length, start = wanted.end - wanted.start, wanted.start
    while True:
        span = Span(start, start + length)
        if opening(span, opened) is None:
            where = bisect_right(opened, start, key=lambda s: s.start)
            if where >= len(opened):
                return None
            start = up_to_quarter(opened[where].start)
            continue
        met = clash(Span(span.start - buffers.before, span.end + buffers.after), taken)
        if met is None:
            return span
        start = up_to_quarter(met.end + buffers.before)


class Calendar(NamedTuple):
    """All that a search for time must know of one machine."""

    buffers: Buffers
    taken: Sequence[Span]
    opened: Sequence[Span]


def next_free_together(wanted: Span, calendars: Sequence[Calendar]) -> Span | None:
    """The first span, at or after the wanted one, that could be booked on every one of these machines; or None."""
    span = wanted
    while True:
        found = [next_free(span, *calendar) for calendar in calendars]
        starts = [free.start for free in found if free is not None]
        if len(starts) < len(calendars):
            return None
        latest = max(starts)
        if latest == span.start:
            return span
        span = Span(latest, latest + (wanted.end - wanted.start))


def both(ones: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in spans of both, in the order of `ones`."""
    met = [Span(max(a.start, b.start), min(a.end, b.end)) for a in ones for b in others]
    return [span for span in met if span.start < span.end]


def without(spans: Sequence[Span], removed: Sequence[Span]) -> list[Span]:
    """What is left of the spans when others are taken out of them, in order."""
    left = list(spans)
    for gone in removed:
        pieces = [(Span(s.start, min(s.end, gone.start)), Span(max(s.start, gone.end), s.end)) for s in left]
        left = [piece for pair in pieces for piece in dict.fromkeys(pair) if piece.start < piece.end]
    return sorted(left)


def meeting(span: Span, sun: Sequence[Sun]) -> Sequence[Sun]:
    """The stretches of sun that meet a span: all that its share and range are made of."""
    first = last = bisect_right(sun, span.start, key=_END)
    while last < len(sun) and sun[last].start < span.end:
        last += 1
    return sun[first:last]


def share_of(span: Span, sun: Sequence[Sun]) -> float | None:
    """The mean share over a span, weighted by time; None unless the sun is known for 95 % of it."""
    known, total = dt.timedelta(), 0.0
    for hour in meeting(span, sun):
        part = min(hour.end, span.end) - max(hour.start, span.start)
        known += part
        total += hour.share * part.total_seconds()
    if known.total_seconds() < 0.95 * (span.end - span.start).total_seconds():
        return None
    return min(max(total / known.total_seconds(), 0.0), 1.0)


class Range(NamedTuple):
    """The ends of a share's range over a time, and the least sure of what it comes from."""

    low: float | None
    high: float | None
    basis: str


#: From the surest to the least sure.
BASES = ("forecast", "lately", "season", "carried")


def range_of(span: Span, sun: Sequence[Sun]) -> Range:
    """The mean of the ends over a span, weighted by time; None where no range is known for all of it."""
    low = high = seconds = 0.0
    basis = ""
    for hour in meeting(span, sun):
        if hour.low is None or hour.high is None:
            return Range(None, None, "")
        part = (min(hour.end, span.end) - max(hour.start, span.start)).total_seconds()
        low, high, seconds = low + hour.low * part, high + hour.high * part, seconds + part
        if hour.basis != basis:
            basis = max(basis, hour.basis, key=lambda b: BASES.index(b) if b in BASES else -1)
    return Range(low / seconds, high / seconds, basis) if seconds else Range(None, None, "")


def best(
    length: dt.timedelta,
    buffers: Buffers,
    taken: Sequence[Span],
    opened: Sequence[Span],
    sun: Sequence[Sun],
    *,
    count: int = 3,
    step: dt.timedelta = dt.timedelta(minutes=30),
) -> list[Offer]:
    """The sunniest free times of that length, soonest first among equals; no two of them overlap.

    Shares are compared in whole per cent, since nobody should wait a day for a tenth of one.
    """
    offers: list[Offer] = []
    for opened_span in opened:
        start = opened_span.start + (EPOCH - opened_span.start) % step
        while start + length <= opened_span.end:
            span = Span(start, start + length)
            if is_free(span, buffers, taken, opened):
                met = meeting(span, sun)
                offers.append(Offer(span.start, span.end, share_of(span, met), *range_of(span, met)))
            start += step
    offers.sort(key=lambda o: (-round(100 * (o.share or 0.0)), -round(100 * (o.low or 0.0)), o.start))
    chosen: list[Offer] = []
    for offer in offers:
        if all(offer.end <= c.start or offer.start >= c.end for c in chosen):
            chosen.append(offer)
        if len(chosen) == count:
            break
    return chosen
