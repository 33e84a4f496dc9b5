"""Which stretches of time may be published of a sum over households, so that no single one shows through it.

A cell is a stretch of which one figure is published. It may be when there are enough members and none uses more than
a given share of it (the 15/15 rule: k members, dominance). Each local day gets the finest of a few lengths at which
all of its cells may be published; a day that has none is joined with the days after it until the whole may be. So
each step lies in one cell, sums over longer times are sums of cells, and nothing that was held back can be got by
subtracting what was not. docs/energy-privacy.md has the table and its limits.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Community, Floats

Ints = NDArray[np.int64]
NOT_SHOWN = -1
#: Lengths of cells within a day, minutes; the data's own step comes before them.
LENGTHS = (60, 180, 360, 720, 1440)


def cells(
    use_kwh: Floats,
    *,
    start: dt.datetime,
    step_minutes: int,
    timezone: str,
    least: int,
    least_below_an_hour: int,
    largest_share: float,
) -> Ints:
    """The number of the cell of each step, rising with time, or NOT_SHOWN; `use_kwh` is of the members to protect
    (members by steps, NaN where nothing is known).
    """
    members, steps = use_kwh.shape
    if members < least:
        return np.full(steps, NOT_SHOWN, dtype=np.int64)
    use = np.nan_to_num(use_kwh)
    day, minute = _local(start, step_minutes, timezone, steps)
    days = int(day[-1]) + 1
    chosen = np.full(days, -1, dtype=np.int64)  # index into `lengths`; -1: not even the whole day
    lengths = [length for length in (step_minutes, *LENGTHS) if length >= 60 or members >= least_below_an_hour]
    for i, length in enumerate(lengths):
        edges = _edges(day * 10_000 + minute // length)
        fails = _dominated(use, edges, largest_share)
        bad = np.zeros(days, dtype=bool)
        bad[day[edges[fails]]] = True
        chosen[(chosen < 0) & ~bad] = i
    within = np.array([*lengths, 1440])[chosen]  # a day without a length of its own is one piece
    pieces = _edges(day * 10_000 + minute // within[day])
    return _joined(use, pieces, chosen[day[pieces]] < 0, largest_share)


def protected(community: Community, exact: frozenset[str]) -> Floats:
    """Use of the members whose kind is not published exactly, members by steps."""
    rows = [i for i, member in enumerate(community.members) if member.kind not in exact]
    return community.load_kwh[rows]


def _local(start: dt.datetime, step_minutes: int, timezone: str, steps: int) -> tuple[Ints, Ints]:
    """Local day, counted from the first, and minute of the day of each step."""
    zone, step = ZoneInfo(timezone), dt.timedelta(minutes=step_minutes)
    local = [(start + i * step).astimezone(zone) for i in range(steps)]
    first = local[0].date().toordinal()
    day = np.array([t.date().toordinal() - first for t in local], dtype=np.int64)
    return day, np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64)


def _edges(labels: Ints) -> Ints:
    """Where each run of equal labels begins."""
    return np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))


def _dominated(use: Floats, edges: Ints, largest_share: float) -> NDArray[np.bool_]:
    """Whether in a cell one member has more than its share."""
    sums = np.add.reduceat(use, edges, axis=1)
    return np.asarray(sums.max(axis=0) > largest_share * sums.sum(axis=0) * (1 + 1e-12))


def _joined(use: Floats, pieces: Ints, weak: NDArray[np.bool_], largest_share: float) -> Ints:
    """Cells from pieces: a weak piece is joined with those after it until the whole may be shown, the last with those
    before it.
    """
    sums = np.add.reduceat(use, pieces, axis=1)
    starts: list[int] = []
    held, waiting = np.zeros(len(use)), False
    totals: list[Floats] = []
    for i in range(len(pieces)):
        if not waiting:
            starts.append(i)
            totals.append(np.zeros(len(use)))
        totals[-1] = totals[-1] + sums[:, i]
        held = totals[-1]
        waiting = bool((weak[i] or waiting) and held.max() > largest_share * held.sum() * (1 + 1e-12))
    while waiting and len(starts) > 1:
        last = totals.pop()
        starts.pop()
        totals[-1] = totals[-1] + last
        waiting = bool(totals[-1].max() > largest_share * totals[-1].sum() * (1 + 1e-12))
    steps = use.shape[1]
    if waiting:
        return np.full(steps, NOT_SHOWN, dtype=np.int64)
    found = np.zeros(steps, dtype=np.int64)
    found[pieces[np.array(starts[1:], dtype=np.int64)]] = 1
    return np.cumsum(found)
