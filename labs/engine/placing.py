"""The best time for a job before a deadline, by the sun that is expected to be spare; and when to move it. Pure Python.

Times are compared in whole per cent of the expected share, then by the low end of its range, then by how soon they are:
nobody should wait a day for a tenth of a per cent. But a time that was asked for gives way to none that is not better
than it, exactly.

A job that is placed already moves only for `LEAST_GAIN` more of the expected share: a move is a notice to a person.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from labs.engine import times
from labs.engine.hours import Span
from labs.engine.times import Calendar

STEP = dt.timedelta(minutes=15)
LEAST_GAIN = 0.05
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Share(NamedTuple):
    """A share of local surplus with its range; the low end is what nineteen of twenty stay above."""

    expected: float
    low: float
    high: float


class Place(NamedTuple):
    """A time for the job and the share of local surplus in it; None where nobody knows the sun."""

    start: dt.datetime
    end: dt.datetime
    share: Share | None

    @property
    def span(self) -> Span:
        """Its time."""
        return Span(self.start, self.end)


ShareOf = Callable[[Span], Share | None]
Allowed = Callable[[Span], bool]


def free_spans(
    length: dt.timedelta, calendar: Calendar, earliest: dt.datetime, deadline: dt.datetime, step: dt.timedelta = STEP
) -> Iterator[Span]:
    """Every free time of that length that begins at `earliest` or later, on full steps, and ends by the deadline."""
    for opened in calendar.opened:
        start = max(opened.start, earliest)
        start += (EPOCH - start) % step
        last = min(opened.end, deadline) - length
        while start <= last:
            span = Span(start, start + length)
            if times.is_free(span, calendar.buffers, calendar.taken, calendar.opened):
                yield span
            start += step


def _rank(place: Place) -> tuple[int, int, dt.datetime]:
    share = place.share or Share(0.0, 0.0, 0.0)
    return (-round(100 * share.expected), -round(100 * share.low), place.start)


def ranked(spans: Iterable[Span], share_of: ShareOf) -> list[Place]:
    """The times, the best first."""
    return sorted((Place(span.start, span.end, share_of(span)) for span in spans), key=_rank)


def apart(
    places: Iterable[Place], count: int, allowed: Allowed = lambda _span: True, most_asked: int = 60
) -> list[Place]:
    """The best of them that do not overlap and that are allowed; `allowed` is asked of `most_asked` at most."""
    chosen: list[Place] = []
    asked = 0
    for place in places:
        if len(chosen) == count or asked == most_asked:
            break
        if any(place.start < other.end and other.start < place.end for other in chosen):
            continue
        asked += 1
        if allowed(place.span):
            chosen.append(place)
    return chosen


def choose(places: Sequence[Place], asked: Place | None = None) -> Place | None:
    """The best place; the asked one, if it could be had, unless another is better than it."""
    if not places:
        return asked
    best = places[0]
    if asked is not None and _expected(best) <= _expected(asked):
        return asked
    return best


def _expected(place: Place) -> float:
    return place.share.expected if place.share is not None else 0.0


def is_better(new: Place, held: Place) -> bool:
    """Whether a move is worth its notice."""
    return _expected(new) - _expected(held) >= LEAST_GAIN - 1e-9
