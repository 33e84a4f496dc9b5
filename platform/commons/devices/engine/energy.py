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


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches [start, end] (µs) whose energy is known. A counter's has `energy_wh`; a power's runs from
    `first_w` to `last_w`. An instant (start = end) is a counter's step within one microsecond."""

    start: Int64
    end: Int64
    energy_wh: Float64
    first_w: Float64
    last_w: Float64
    is_counter: bool


def segments_of(ts: Int64, value: Float64, meaning: Meaning, wraps_wh: float | None = None) -> Segments:
    """The segments between readings sorted by (time, seq); n readings give at most n-1."""
    start, end = ts[:-1], ts[1:]
    if meaning == "counter":
        step = np.diff(value)
        back = step < 0
        if wraps_wh is not None:
            forward = step + wraps_wh
            step = np.where(back & (forward >= 0) & (forward < wraps_wh / 2), forward, step)
        energy = np.maximum(step, 0.0)
        start = np.maximum(start, end - MAX_SPREAD_US)
        keep = (end > start) | (energy > 0)
        nothing = np.zeros(int(keep.sum()))
        return Segments(start[keep], end[keep], energy[keep], nothing, nothing, is_counter=True)
    power = np.maximum(value, 0.0)
    keep = (end > start) & (end - start <= MAX_HOLD_US) & (meaning == "power")
    nothing = np.zeros(int(keep.sum()))
    return Segments(start[keep], end[keep], nothing, power[:-1][keep], power[1:][keep], is_counter=False)


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


def share(segments: Segments, edges: Int64, into: Cells) -> None:
    """Add the segments to the cells between the n+1 ascending edges, cut where they cross one."""
    low, high = np.maximum(segments.start, edges[0]), np.minimum(segments.end, edges[-1])
    instant = segments.start == segments.end
    inside = (high > low) | (instant & (low == segments.start) & (segments.start < edges[-1]))
    index = np.flatnonzero(inside)
    if not len(index):
        return
    first = np.searchsorted(edges, low[index], side="right") - 1
    last = np.maximum(np.searchsorted(edges, high[index], side="left") - 1, first)
    pieces = last - first + 1
    which = np.repeat(index, pieces)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cell = np.repeat(first, pieces) + nth
    start = np.maximum(low[which], edges[cell])
    end = np.minimum(high[which], edges[cell + 1])
    np.add.at(into.energy_wh, cell, _piece_wh(segments, which, start, end))
    long = segments.end[which] - segments.start[which] > MAX_HOLD_US
    np.add.at(into.covered_us, cell, end - start)
    np.add.at(into.dense_us, cell, np.where(long, 0, end - start))


def _piece_wh(segments: Segments, which: npt.NDArray[np.intp], start: Int64, end: Int64) -> Float64:
    """Energy of the pieces [start, end] of the segments `which`."""
    whole = segments.end[which] - segments.start[which]
    length = np.maximum(whole, 1).astype(np.float64)
    if segments.is_counter:
        part = np.where(whole == 0, 1.0, (end - start) / length)
        return np.asarray(segments.energy_wh[which] * part, dtype=np.float64)
    first, last = segments.first_w[which], segments.last_w[which]
    at_start = first + (last - first) * ((start - segments.start[which]) / length)
    at_end = first + (last - first) * ((end - segments.start[which]) / length)
    return np.asarray((at_start + at_end) * 0.5 * (end - start) / _US_PER_HOUR, dtype=np.float64)


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
