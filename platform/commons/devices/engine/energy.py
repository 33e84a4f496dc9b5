"""From readings to energy: segments between neighbouring readings, shared over cells of time.

How it counts, for a device that draws power:

- **Power** (`power_w`) is integrated as a straight line between two readings at most MAX_HOLD apart
  (trapezoid rule). Between readings further apart nothing is known: that time is a gap, is not measured and
  counts as no energy. Power below zero (feeding in) counts as zero, so energy is never negative.
- **Counters** (`energy_wh_total`): energy is the sum of the positive steps. A step back is a reset and counts
  as zero, a lower bound that needs no guess about what the counter had been reset to. Where the device
  declares at which reading its counter wraps round, a step back that is a forward step of less than half the
  counter's range is a rollover and counts as that forward step.
- A counter bridges a gap: its step over it is measured. It is spread evenly over the gap, at most over its
  last MAX_SPREAD; only the shape in between is assumed, and `dense` says how much of the time that concerns.
- A segment that crosses an edge is cut there: a line's integral, a counter's share by time.

Everything is added one after the other in the order of (time, seq). So what is computed from a set of
readings does not depend on how they came, and a later reading can be added to what is there with the very
same bits.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Meaning = Literal["power", "counter", "plain"]

MAX_HOLD_US = 300 * 1_000_000
MAX_SPREAD_US = 31 * 86_400 * 1_000_000
_US_PER_HOUR = 3_600_000_000.0
PLAIN, POWER, COUNTER = 0, 1, 2
MEANINGS: dict[Meaning, int] = {"plain": PLAIN, "power": POWER, "counter": COUNTER}


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches [start, end] (µs) whose energy is known, of one stream or of many (`stream` says of which).

    A counter's has `energy_wh`; a power's runs from `first_w` to `last_w`. An instant (start = end) is a counter's
    step within one microsecond."""

    stream: Int64
    start: Int64
    end: Int64
    energy_wh: Float64
    first_w: Float64
    last_w: Float64
    is_counter: npt.NDArray[np.bool_]


def segments_of(ts: Int64, value: Float64, meaning: Meaning, wraps_wh: float | None = None) -> Segments:
    """The segments between readings of one stream, sorted by (time, seq); n readings give at most n-1."""
    wraps = np.array([np.nan if wraps_wh is None else wraps_wh])
    return segments_of_many(
        np.zeros(len(ts), dtype=np.int64), ts, value, meaning=np.array([MEANINGS[meaning]]), wraps_wh=wraps
    )


def segments_of_many(stream: Int64, ts: Int64, value: Float64, *, meaning: Int64, wraps_wh: Float64) -> Segments:
    """The segments between neighbouring readings of each stream.

    Readings are sorted by (stream, time, seq); `stream` indexes `meaning` (MEANINGS) and `wraps_wh` (NaN where it is
    not known).
    """
    of = stream[1:]
    kind = meaning[of]
    start, end = ts[:-1], ts[1:]
    is_counter = kind == COUNTER
    step = np.diff(value)
    forward = step + wraps_wh[of]
    rolled = (step < 0) & (forward >= 0) & (forward < wraps_wh[of] / 2)
    energy = np.maximum(np.where(rolled, forward, step), 0.0)
    start = np.where(is_counter, np.maximum(start, end - MAX_SPREAD_US), start)
    counted = is_counter & ((end > start) | (energy > 0))
    drawn = (kind == POWER) & (end > start) & (end - start <= MAX_HOLD_US)
    keep = (stream[:-1] == of) & (counted | drawn)
    power = np.maximum(value, 0.0)
    return Segments(of[keep], start[keep], end[keep], energy[keep], power[:-1][keep], power[1:][keep], is_counter[keep])


@dataclass(slots=True)
class Cells:
    """What falls into each of n cells of time.

    Of the values: count, sum, least and greatest (+inf and -inf where there is none). Of the segments:
    energy, µs whose energy is known, µs between readings at most MAX_HOLD apart.
    """

    count: Int64
    total: Float64
    low: Float64
    high: Float64
    energy_wh: Float64
    covered_us: Int64
    dense_us: Int64

    @classmethod
    def empty(cls, n: int) -> "Cells":
        """Nothing in n cells."""
        return cls(
            count=np.zeros(n, dtype=np.int64),
            total=np.zeros(n),
            low=np.full(n, np.inf),
            high=np.full(n, -np.inf),
            energy_wh=np.zeros(n),
            covered_us=np.zeros(n, dtype=np.int64),
            dense_us=np.zeros(n, dtype=np.int64),
        )

    def add(self, cell: Int64, value: Float64) -> None:
        """Add values one after the other; `np.add.at` keeps their order, which a pairwise sum would not."""
        np.add.at(self.count, cell, 1)
        np.add.at(self.total, cell, value)
        np.minimum.at(self.low, cell, value)
        np.maximum.at(self.high, cell, value)


def edges_over(start: int, end: int, step: int) -> Int64:
    """Edges of the cells of `step` µs, aligned to 1970, that hold all from start to end, both inclusive."""
    return np.arange(start - start % step, end - end % step + step + 1, step, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of `step` µs, aligned to 1970, of many streams one after the other: stream s has `count[s]` of them,
    the first of which begins at `first[s]` · step."""

    step: int
    first: Int64
    count: Int64
    offset: Int64

    @classmethod
    def over(cls, low: Int64, high: Int64, step: int) -> "Grid":
        """Cells that hold all from `low` to `high` (µs, inclusive) of each stream."""
        first = low // step
        count = high // step - first + 1
        return cls(step, first, count, np.cumsum(count) - count)

    @property
    def size(self) -> int:
        """How many cells there are in all."""
        return int(self.count.sum())

    def cell(self, stream: Int64, ts: Int64) -> Int64:
        """The cells in which moments of streams lie."""
        return np.asarray(self.offset[stream] + ts // self.step - self.first[stream], dtype=np.int64)

    def streams(self, cell: Int64) -> Int64:
        """Whose the cells are."""
        return np.asarray(np.searchsorted(self.offset, cell, side="right") - 1, dtype=np.int64)

    def start(self, stream: Int64, cell: Int64) -> Int64:
        """When the cells begin, in µs."""
        return np.asarray((self.first[stream] + cell - self.offset[stream]) * self.step, dtype=np.int64)


def share_in_grid(segments: Segments, grid: Grid, into: Cells) -> None:
    """Add the segments of many streams to the cells of their grid, cut where they cross an edge."""
    step, of = grid.step, segments.stream
    least, most = grid.first[of] * step, (grid.first[of] + grid.count[of]) * step
    index, low, high = _inside(segments, least, most)
    if not len(index):
        return
    first = low[index] // step
    last = np.maximum((high[index] - 1) // step, first)
    which, number = _pieces(index, first, last)
    start = np.maximum(low[which], number * step)
    end = np.minimum(high[which], (number + 1) * step)
    _add(segments, which, grid.cell(of[which], number * step), start, end, into)


def share(segments: Segments, edges: Int64, into: Cells) -> None:
    """Add the segments of one stream to the cells between the n+1 ascending edges, cut where they cross one."""
    index, low, high = _inside(segments, edges[0], edges[-1])
    if not len(index):
        return
    first = np.searchsorted(edges, low[index], side="right") - 1
    last = np.maximum(np.searchsorted(edges, high[index], side="left") - 1, first)
    which, cell = _pieces(index, first, last)
    start = np.maximum(low[which], edges[cell])
    end = np.minimum(high[which], edges[cell + 1])
    _add(segments, which, cell, start, end, into)


def _inside(
    segments: Segments, least: "Int64 | np.int64", most: "Int64 | np.int64"
) -> tuple[npt.NDArray[np.intp], Int64, Int64]:
    """Which segments lie in [least, most), and all of them cut to it."""
    low, high = np.maximum(segments.start, least), np.minimum(segments.end, most)
    instant = segments.start == segments.end
    inside = (high > low) | (instant & (low == segments.start) & (segments.start < most))
    return np.flatnonzero(inside), low, high


def _pieces(index: npt.NDArray[np.intp], first: Int64, last: Int64) -> tuple[npt.NDArray[np.intp], Int64]:
    """One piece for each cell from first to last of each segment: of which segment, in which cell."""
    pieces = last - first + 1
    which = np.repeat(index, pieces)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return which, np.asarray(np.repeat(first, pieces) + nth, dtype=np.int64)


def _add(  # noqa: PLR0917
    segments: Segments, which: npt.NDArray[np.intp], cell: Int64, start: Int64, end: Int64, into: Cells
) -> None:
    """Add the pieces [start, end] of the segments `which` to their cells, in this order."""
    np.add.at(into.energy_wh, cell, _piece_wh(segments, which, start, end))
    long = segments.end[which] - segments.start[which] > MAX_HOLD_US
    np.add.at(into.covered_us, cell, end - start)
    np.add.at(into.dense_us, cell, np.where(long, 0, end - start))


def _piece_wh(segments: Segments, which: npt.NDArray[np.intp], start: Int64, end: Int64) -> Float64:
    """Energy of the pieces [start, end] of the segments `which`."""
    whole = segments.end[which] - segments.start[which]
    length = np.maximum(whole, 1).astype(np.float64)
    part = np.where(whole == 0, 1.0, (end - start) / length)
    counted = segments.energy_wh[which] * part
    first, last = segments.first_w[which], segments.last_w[which]
    at_start = first + (last - first) * ((start - segments.start[which]) / length)
    at_end = first + (last - first) * ((end - segments.start[which]) / length)
    drawn = (at_start + at_end) * 0.5 * (end - start) / _US_PER_HOUR
    return np.asarray(np.where(segments.is_counter[which], counted, drawn), dtype=np.float64)


def uncovered(segments: Segments, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of [start, end] that no segment covers, in order. Segments are sorted and do not overlap."""
    parts, at = [], start
    for low, high in zip(segments.start.tolist(), segments.end.tolist(), strict=True):
        if low > at:
            parts.append((at, min(low, end)))
        at = max(at, high)
        if at >= end:
            break
    if at < end:
        parts.append((at, end))
    return [(low, high) for low, high in parts if high > low]
