"""How a job's energy splits into warming up, making and waiting: pure, numpy in and out, no clock.

The power curve is cut at the moments at which the machine turned from one to the other, and what falls into each part
is summed. Where those moments come from, the best first; the answer names it:

- `state`: the machine says itself what it does (warming, making, paused, idle).
- `temperature`: it warms until it first reaches 95 % of the plateau, the median of its hotter half.
- `progress`: it warms until the progress first rises, and waits after it reached 1.
- `power`: it warms while a first, unbroken stretch draws clearly more than what follows (LEAP times its median), and it
  waits where it draws no more than `idle_w` and a half. Neither is certain; a machine that draws evenly gets no
  warm-up rather than an invented one.

The parts are shares of one whole that is known otherwise (a counter's sum, say): they are scaled to it, so that they
always sum to it, and none is below zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Kind = Literal["warm", "making", "idle"]
Method = Literal["state", "temperature", "progress", "power", "none"]

KINDS: tuple[Kind, ...] = ("warm", "making", "idle")
LEAP = 1.35
HOT = 0.95
#: Of a job's length at most: heating that takes longer than this is not told from work by power alone.
MOST_WARM = 0.5
_US_PER_HOUR = 3_600_000_000.0
#: The numbers by which `state` is kept in the readings (commons.devices.channels.STATES).
OF_STATE: dict[int, Kind] = {0: "idle", 1: "idle", 2: "warm", 3: "making", 4: "idle", 5: "idle"}


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of a channel: times in µs, ascending, and values."""

    ts: Int64
    value: Float64

    @classmethod
    def of(cls, rows: Sequence[tuple[int, float]]) -> "Series":
        """From pairs of time and value."""
        return cls(np.array([t for t, _v in rows], dtype=np.int64), np.array([v for _t, v in rows], dtype=np.float64))

    def __len__(self) -> int:
        return len(self.ts)


NOTHING = Series(np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stretches of time in which a known energy was taken: start and end in µs, ascending and apart, Wh in each."""

    start: Int64
    end: Int64
    wh: Float64


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of one kind, from and until in µs, with its Wh."""

    kind: Kind
    start: int
    end: int
    wh: float


@dataclass(frozen=True, slots=True)
class Split:
    """The phases of a job in order, covering its time without gap, and how they were told apart."""

    phases: tuple[Phase, ...]
    method: Method

    def wh(self, kind: Kind) -> float:
        """Energy of all phases of a kind."""
        return float(sum(phase.wh for phase in self.phases if phase.kind == kind))


def split(
    pieces: Pieces,
    low: int,
    high: int,
    *,
    total_wh: float,
    idle_w: float,
    state: Series = NOTHING,
    progress: Series = NOTHING,
    temperature: Series = NOTHING,
) -> Split:
    """The phases of [low, high) µs. `total_wh` is the whole that they sum to; no pieces: all is making."""
    if high <= low:
        return Split((), "none")
    marks, method = _marks(pieces, low, high, idle_w, state, progress, temperature)
    edges = np.array([*(at for at, _kind in marks), high], dtype=np.int64)
    wh = _scaled(_between(pieces, edges), edges, max(total_wh, 0.0))
    phases = [
        Phase(kind, int(edges[n]), int(edges[n + 1]), float(wh[n]))
        for n, (_at, kind) in enumerate(marks)
        if edges[n + 1] > edges[n]
    ]
    return Split(tuple(phases), method)


Marks = list[tuple[int, Kind]]


def _marks(  # noqa: PLR0917 all that may tell
    pieces: Pieces, low: int, high: int, idle_w: float, state: Series, progress: Series, temperature: Series
) -> tuple[Marks, Method]:
    """From when on it does what, beginning at `low`; and how that is known."""
    if len(state):
        return _by_state(state, low, high), "state"
    warm = _warm_by_temperature(temperature, low, high)
    if warm is not None:
        return _until(low, high, warm, _done(progress, low, high)), "temperature"
    first = _rises(progress, low, high)
    if first is not None:
        return _until(low, high, first, _done(progress, low, high)), "progress"
    if len(pieces.start):
        return _by_power(pieces, low, high, idle_w), "power"
    return [(low, "making")], "none"


def _by_state(state: Series, low: int, high: int) -> Marks:
    at = int(np.searchsorted(state.ts, low, side="right")) - 1
    marks: Marks = [(low, _kind(state.value[max(at, 0)]))]
    for ts, value in zip(state.ts.tolist(), state.value.tolist(), strict=True):
        if low < ts < high and _kind(value) != marks[-1][1]:
            marks.append((ts, _kind(value)))
    return marks


def _kind(value: float) -> Kind:
    return OF_STATE.get(int(value), "making")


def _within(series: Series, low: int, high: int) -> Series:
    inside = (series.ts >= low) & (series.ts < high)
    return Series(series.ts[inside], series.value[inside])


def _warm_by_temperature(series: Series, low: int, high: int) -> int | None:
    """When it was first hot; None where nothing was heated by 15 degrees or more, or too little is known."""
    found = _within(series, low, high)
    if len(found) < 4:
        return None
    hotter = np.sort(found.value)[len(found) // 2 :]
    plateau, cold = float(np.median(hotter)), float(found.value[0])
    if plateau - cold < 15:
        return None
    reached = np.flatnonzero(found.value >= cold + HOT * (plateau - cold))
    return int(found.ts[reached[0]])


def _rises(series: Series, low: int, high: int) -> int | None:
    found = _within(series, low, high)
    if len(found) < 2 or not bool(np.any(found.value > 0)):
        return None
    risen = int(np.flatnonzero(found.value > 0)[0])
    return int(found.ts[risen - 1]) if risen else low


def _done(series: Series, low: int, high: int) -> int:
    found = _within(series, low, high)
    ended = np.flatnonzero(found.value >= 1.0)
    return int(found.ts[ended[0]]) if len(ended) else high


def _until(low: int, high: int, warm: int, done: int) -> Marks:
    marks: Marks = [(low, "warm" if warm > low else "making")]
    if warm > low:
        marks.append((warm, "making"))
    if warm < done < high:
        marks.append((done, "idle"))
    return marks


def _by_power(pieces: Pieces, low: int, high: int, idle_w: float) -> Marks:
    """A clear leap at the beginning is warming up; no more than half above what it draws when idle is waiting."""
    start, end = np.maximum(pieces.start, low), np.minimum(pieces.end, high)
    keep = end > start
    length = np.maximum(pieces.end - pieces.start, 1)[keep]
    watts, start, end = pieces.wh[keep] / (length / _US_PER_HOUR), start[keep], end[keep]
    if not len(watts):
        return [(low, "making")]
    idle = watts <= 1.5 * idle_w
    marks: Marks = []
    for at, is_idle in zip(start.tolist(), idle.tolist(), strict=True):
        kind: Kind = "idle" if is_idle else "making"
        if not marks or marks[-1][1] != kind:
            marks.append((at if marks else low, kind))
    warm = _leap(watts, start, end, idle, low, high)
    if warm is None:
        return marks
    first, until = warm
    return [
        *((at, kind) for at, kind in marks if at < first),
        (first, "warm"),
        (until, "making"),
        *((at, kind) for at, kind in marks if at > until),
    ]


def _leap(  # noqa: PLR0917 one curve, in its columns
    watts: Float64, start: Int64, end: Int64, idle: npt.NDArray[np.bool_], low: int, high: int
) -> tuple[int, int] | None:
    """From and until when it clearly drew more than afterwards; None where there is no such leap."""
    working = np.flatnonzero(~idle)
    if len(working) < 4:
        return None
    first = int(working[0])
    # a heater that pulses rises above its mean again and again: smooth over three pieces
    smooth = np.convolve(watts, np.ones(3) / 3, mode="same")
    smooth[[0, -1]] = watts[[0, -1]]
    usual = float(np.median(watts[working]))
    below = np.flatnonzero(smooth[first:] < LEAP * usual)
    last = first + (int(below[0]) if len(below) else len(watts)) - 1
    if last < first or last + 1 >= len(watts):
        return None
    begin, until = (low if first == 0 else int(start[first])), int(end[last])
    if until - begin > MOST_WARM * (high - low) or until >= high:
        return None
    rest = working[working > last]
    return (begin, until) if len(rest) and watts[first : last + 1].mean() >= LEAP * watts[rest].mean() else None


def _between(pieces: Pieces, edges: Int64) -> Float64:
    """Wh of the pieces between the ascending edges, each piece spread evenly over its time."""
    wh = np.zeros(len(edges) - 1)
    length = np.maximum(pieces.end - pieces.start, 1).astype(np.float64)
    for n in range(len(wh)):
        inside = np.minimum(pieces.end, edges[n + 1]) - np.maximum(pieces.start, edges[n])
        wh[n] = float((pieces.wh * np.maximum(inside, 0) / length).sum())
    return np.maximum(wh, 0.0)


def _scaled(wh: Float64, edges: Int64, total: float) -> Float64:
    """The parts scaled to the whole; where nothing is known of the parts, by time."""
    known = float(wh.sum())
    weight = wh if known > 0 else np.diff(edges).astype(np.float64)
    scaled = weight * (total / float(weight.sum()))
    # the largest takes what rounding left, so that the sum is the whole
    largest = int(np.argmax(scaled))
    scaled[largest] = max(total - float(np.delete(scaled, largest).sum()), 0.0)
    return scaled


def over_steps(split_: Split, edges: Int64) -> Float64:
    """Wh of the phases in steps between ascending edges: for prices and CO2 that change by the hour."""
    if not split_.phases:
        return np.zeros(len(edges) - 1)
    rows = split_.phases
    pieces = Pieces(
        np.array([p.start for p in rows], dtype=np.int64),
        np.array([p.end for p in rows], dtype=np.int64),
        np.array([p.wh for p in rows]),
    )
    return _between(pieces, edges)
