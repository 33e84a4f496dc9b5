"""Readings at the end of streams, folded into cells by a compiled loop: what `energy.segments_of_many`, `share_in_grid`
and `Cells.add` do with columns, in one pass and to the same bits (`tests/engines/test_fold.py`).

For a group of some thousand readings the columns' forty small steps cost more than the reckoning itself. The compiler
is loaded by whoever has much to read (`reading.Reader`).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from commons.devices.engine.energy import COUNTER, MAX_HOLD_US, MAX_SPREAD_US, POWER, Cells, Grid

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

US_PER_HOUR = 3_600_000_000.0


class Fold:
    """New readings of streams sorted by (stream, time, seq), each stream newer than its head: `head_ts` and
    `head_value`, where `has_head`. `meaning` and `wraps_wh` as in `energy.segments_of_many`."""

    def __init__(  # noqa: PLR0917 columns
        self, of: Int64, ts: Int64, value: Float64, heads: tuple[Int64, Float64, Int64], meaning: Int64, wraps: Float64
    ) -> None:
        self._columns = (of, ts, value, *heads, meaning, wraps)

    def low(self) -> Int64:
        """When the first reading of each stream, or the segment that ends with it, begins."""
        begins = np.empty(len(self._columns[3]), dtype=np.int64)
        _begins(*self._columns, begins)
        return begins

    def into(self, grid: Grid, cells: Cells) -> None:
        """Add the readings and the segments between them to the cells of a grid that holds all of them."""
        whole = (cells.count, cells.covered_us, cells.dense_us)
        _fold(
            *self._columns,
            grid.step,
            grid.first,
            grid.offset,
            *whole,
            cells.total,
            cells.low,
            cells.high,
            cells.energy_wh,
        )


def warm_up() -> None:
    """Compile it, or load what was compiled before."""
    one, value, none = np.zeros(1, dtype=np.int64), np.zeros(1), np.full(1, np.nan)
    fold = Fold(one, one, value, (one, value, one), one, none)
    fold.into(Grid.over(fold.low(), one, 1), Cells.empty(1))


def _compiled(function: F) -> F:
    return cast(F, njit(cache=True, nogil=True)(function))


@_compiled
def _counted(before: float, value: float, wraps: float) -> float:
    """Energy of a counter's step."""
    step = value - before
    forward = step + wraps
    if step < 0 and forward >= 0 and forward < wraps / 2:
        return forward
    return max(step, 0.0)


@_compiled
def _begins(  # noqa: PLR0917
    of: Int64,
    ts: Int64,
    value: Float64,
    head_ts: Int64,
    head_value: Float64,
    has_head: Int64,
    meaning: Int64,
    wraps: Float64,
    begins: Int64,
) -> None:
    last = -1
    for n in range(len(of)):
        s = of[n]
        if s == last:
            continue
        last = s
        begins[s] = ts[n]
        if has_head[s]:
            start = head_ts[s]
            if meaning[s] == COUNTER:
                start = max(start, ts[n] - MAX_SPREAD_US)
                if ts[n] > start:
                    begins[s] = start
            elif meaning[s] == POWER and 0 < ts[n] - start <= MAX_HOLD_US:
                begins[s] = start


@_compiled
def _fold(  # noqa: PLR0917
    of: Int64,
    ts: Int64,
    value: Float64,
    head_ts: Int64,
    head_value: Float64,
    has_head: Int64,
    meaning: Int64,
    wraps: Float64,
    step: int,
    first: Int64,
    offset: Int64,
    count: Int64,
    covered: Int64,
    dense: Int64,
    total: Float64,
    low: Float64,
    high: Float64,
    energy: Float64,
) -> None:
    last = -1
    before_ts, before, has = 0, 0.0, False
    for n in range(len(of)):
        s, at, now = of[n], ts[n], value[n]
        if s != last:
            last = s
            before_ts, before, has = head_ts[s], head_value[s], has_head[s] != 0
        cell = offset[s] + at // step - first[s]
        count[cell] += 1
        total[cell] += now
        low[cell] = min(low[cell], now)
        high[cell] = max(high[cell], now)
        if has and meaning[s] != 0:
            is_counter = meaning[s] == COUNTER
            start, wh, begin_w, end_w = before_ts, 0.0, 0.0, 0.0
            if is_counter:
                wh = _counted(before, now, wraps[s])
                start = max(start, at - MAX_SPREAD_US)
                keep = at > start or wh > 0
            else:
                begin_w, end_w = max(before, 0.0), max(now, 0.0)
                keep = 0 < at - start <= MAX_HOLD_US
            if keep:
                whole = at - start
                length = float(max(whole, 1))
                number = start // step
                final = max((at - 1) // step, number)
                while number <= final:
                    low_us, high_us = max(start, number * step), min(at, (number + 1) * step)
                    cell = offset[s] + number - first[s]
                    if is_counter:
                        part = 1.0 if whole == 0 else (high_us - low_us) / length
                        energy[cell] += wh * part
                    else:
                        at_low = begin_w + (end_w - begin_w) * ((low_us - start) / length)
                        at_high = begin_w + (end_w - begin_w) * ((high_us - start) / length)
                        energy[cell] += (at_low + at_high) * 0.5 * (high_us - low_us) / US_PER_HOUR
                    covered[cell] += high_us - low_us
                    if whole <= MAX_HOLD_US:
                        dense[cell] += high_us - low_us
                    number += 1
        before_ts, before, has = at, now, True
