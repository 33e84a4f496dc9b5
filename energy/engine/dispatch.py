"""The exact optimum of one storage under linear prices, in one backward and one forward pass.

The cost to go V(e) over the energy held is convex and piecewise linear. One step is an infimal convolution
with the step's own cost c_t,

    V_t(e) = min over D of c_t(D) + V_{t+1}(e + D),

and c_t has at most four straight pieces (discharge and charge, each into export and import). Convolving
piecewise linear functions merges their pieces in order of slope (Rockafellar, Convex Analysis, 1970), so a
step costs as many operations as V has pieces, which stay few: 5 under time-of-use prices, below 20 under
volatile ones. Nothing is discretised: the optimum equals the linear programme's.

The policy needs no V: for each piece of c_t with slope s it is enough to know the energy level up to which
V_{t+1} falls faster than -s. These thresholds are kept, and the forward pass reads the schedule off them.

Prices: import >= export in every step. Where exporting costs, solar is curtailed and the storage may charge
and discharge within one step, which burns energy: that is the optimum of the linear programme with a shared
converter, c/Pc + d/Pd <= 1. The end is free (V_T = 0) or fixed; a cyclic storage is a search over its start,
convex too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from energy.engine.community import Bools, Floats
from energy.engine.compiled import compiled
from energy.engine.refusals import Infeasible, gettext_noop

PIECES = 4
MOST_PIECES = 8192
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Storage:
    """One storage: capacity kWh, most energy at the grid side in a step (each way), efficiency of one way."""

    kwh: float
    charge_step_kwh: float
    discharge_step_kwh: float
    efficiency: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """The least cost, the energy held at the start of each step and at the end (steps + 1), and net exchange
    per step.

    `net_kwh` is before curtailing and burning, which happen only where exporting costs.
    """

    cost: float
    stored_kwh: Floats
    net_kwh: Floats


@compiled
def _pieces(  # noqa: PLR0917 compiled: positional alone
    net: float,
    pv: float,
    buy: float,
    sell: float,
    most_up: float,
    most_down: float,
    eta: float,
    slopes: Floats,
    lengths: Floats,
) -> tuple[int, float]:
    """The convex pieces of c(D), D the change of stored energy from -most_down/eta to most_up*eta.

    Writes slopes (rising) and lengths; answers how many pieces, and c at the left end. The grid costs buy*g
    above zero; below it sell*g, and where sell is negative nothing until all solar is curtailed, then sell*(g
    + pv).
    """
    start = net - most_down
    span_down = most_down / eta
    span = span_down + most_up * eta
    if sell >= 0.0:
        cost = buy * start if start > 0.0 else sell * start
    elif buy < 0.0:
        cost = (buy if start > -pv else sell) * (start + pv)
    else:
        cost = buy * max(start, 0.0) + sell * min(start + pv, 0.0)
    if span <= 0.0:
        return 0, cost
    # where the least exchange, without burning, crosses zero
    if start >= 0.0:
        zero = 0.0
    elif net >= 0.0:
        zero = -start / eta
    else:
        zero = min(span_down - net * eta, span)
    bend = min(max((-pv - start) * span / (most_up + most_down), 0.0), span)
    steepest = (most_up + most_down) / span
    if sell >= 0.0:
        ends = (min(zero, span_down), span_down, max(zero, span_down), span)
        prices = (sell * eta, buy * eta, sell / eta, buy / eta)
    elif buy < 0.0:
        ends = (bend, span, span, span)
        prices = (sell * steepest, buy * steepest, 0.0, 0.0)
    else:
        ends = (bend, max(bend, zero), max(bend, zero, span_down), span)
        prices = (sell * steepest, 0.0, buy * eta, buy / eta)
    count = 0
    at = 0.0
    for k in range(4):
        if ends[k] > at:
            slopes[count], lengths[count] = prices[k], ends[k] - at
            at = ends[k]
            count += 1
    return count, cost


@compiled
def _backward(  # noqa: PLR0912, PLR0915, PLR0917 compiled: one loop, positional alone
    net: Floats,
    pv: Floats,
    buy: Floats,
    sell: Floats,
    trips: Floats,
    away: Bools,
    kwh: float,
    most_up: float,
    most_down: float,
    eta: float,
    end: float,
    rise: Floats,
    level: Floats,
) -> tuple[float, float, Floats, Floats, int]:
    """From the last step to the first. Fills, for each step and piece of c_t, the piece's reach (`rise`: its
    right end as a change of stored energy) and its threshold (`level`); answers V_0 as left end, value there,
    slopes, lengths and their number.
    """
    steps = net.shape[0]
    slopes, lengths = np.empty(MOST_PIECES), np.empty(MOST_PIECES)
    new_slopes, new_lengths = np.empty(MOST_PIECES), np.empty(MOST_PIECES)
    own_slopes, own_lengths = np.empty(PIECES), np.empty(PIECES)
    count = 0
    left = 0.0
    value = 0.0
    if end >= 0.0:
        left = end
    else:
        slopes[0], lengths[0], count = 0.0, kwh, 1
    for t in range(steps - 1, -1, -1):
        left += trips[t]
        up, down = (0.0, 0.0) if away[t] else (most_up, most_down)
        own, own_value = _pieces(net[t], pv[t], buy[t], sell[t], up, down, eta, own_slopes, own_lengths)
        # thresholds: the level up to which V falls faster than the piece costs
        k, reach = 0, left
        at = -down / eta
        for j in range(own - 1, -1, -1):
            while k < count and slopes[k] < -own_slopes[j]:
                reach += lengths[k]
                k += 1
            level[t, j] = reach
        for j in range(PIECES):
            if j < own:
                at += own_lengths[j]
                rise[t, j] = at
            else:
                rise[t, j] = np.nan
        # convolve: V(e) = min over D of c(D) + V(e + D); with d = -D the pieces of c come in reverse order
        # with negative slopes
        total_up = at
        new_left = left - total_up
        new_value = value + own_value
        for j in range(own):
            new_value += own_slopes[j] * own_lengths[j]
        a, b, merged = 0, own - 1, 0
        while a < count or b >= 0:
            if b < 0 or (a < count and slopes[a] <= -own_slopes[b]):
                new_slopes[merged], new_lengths[merged] = slopes[a], lengths[a]
                a += 1
            else:
                new_slopes[merged], new_lengths[merged] = -own_slopes[b], own_lengths[b]
                b -= 1
            merged += 1
        # cut to what the storage can hold
        count, left, value = 0, new_left, new_value
        reach = new_left
        for k in range(merged):
            first, last = reach, reach + new_lengths[k]
            reach = last
            if first < 0.0:
                cut = min(last, 0.0) - first
                value += new_slopes[k] * cut
                left = min(last, 0.0)
                first += cut
            last = min(last, kwh)
            if last > first:
                if count > 0 and slopes[count - 1] == new_slopes[k]:
                    lengths[count - 1] += last - first
                else:
                    slopes[count], lengths[count] = new_slopes[k], last - first
                    count += 1
        if left > kwh + 1e-9 or left < -1e-9:
            return -1.0, np.inf, slopes, lengths, 0
    return left, value, slopes, lengths, count


@compiled
def _forward(  # noqa: PLR0917 compiled: positional alone
    trips: Floats, away: Bools, most_down: float, eta: float, stored: Floats, rise: Floats, level: Floats
) -> None:
    """Read the schedule off the thresholds; fills stored[1:] from stored[0]."""
    for t in range(rise.shape[0]):
        held = stored[t]
        lowest = held if away[t] else held - most_down / eta
        after = lowest
        for j in range(PIECES):
            if np.isnan(rise[t, j]):
                break
            if level[t, j] <= after:
                break
            after = min(level[t, j], held + rise[t, j])
            if after == level[t, j]:
                break
        stored[t + 1] = after - trips[t]


@compiled
def _value(  # noqa: PLR0917 compiled: positional alone
    e: float, left: float, value: float, slopes: Floats, lengths: Floats, count: int
) -> float:
    """V_0 at e; infinite where it is not defined."""
    if e < left - 1e-9:
        return np.inf
    reach = left
    for k in range(count):
        step = min(lengths[k], max(0.0, e - reach))
        value += slopes[k] * step
        reach += lengths[k]
    return value if e <= reach + 1e-9 else np.inf


@dataclass(frozen=True, slots=True)
class Task:
    """What a storage stands behind: net energy (load minus solar, kWh a step), curtailable solar, prices,
    trips and absences.
    """

    net_kwh: Floats
    pv_kwh: Floats
    import_price: Floats
    export_price: Floats
    trips_kwh: Floats
    away: Bools

    @staticmethod
    def at_home(net_kwh: Floats, pv_kwh: Floats, import_price: Floats, export_price: Floats) -> "Task":
        """A storage that never leaves."""
        steps = len(net_kwh)
        return Task(net_kwh, pv_kwh, import_price, export_price, np.zeros(steps), np.zeros(steps, dtype=np.bool_))


def best(task: Task, storage: Storage, *, cyclic: bool = False) -> Optimum:
    """The exact optimum; starts empty with a free end, or cyclic with a free start. Raises Infeasible."""
    steps = len(task.net_kwh)
    rise, level = np.empty((steps, PIECES)), np.empty((steps, PIECES))

    def cost_from(start: float, end: float) -> float:
        return float(_value(start, *_run(task, storage, end, rise, level)))

    start, end = 0.0, -1.0
    if cyclic:
        start = end = _search(lambda e: cost_from(e, e), storage.kwh)
    cost = cost_from(start, end)
    if not np.isfinite(cost):
        raise Infeasible(
            gettext_noop("the trips take more than can be charged before them; lower ev_kwh_per_day or raise ev_kw")
        )
    stored = np.empty(steps + 1)
    stored[0] = start
    _forward(task.trips_kwh, task.away, storage.discharge_step_kwh, storage.efficiency, stored, rise, level)
    change = np.diff(stored) + task.trips_kwh
    eta = storage.efficiency
    return Optimum(cost, stored, task.net_kwh + np.where(change > 0, change / eta, change * eta))


def _run(
    task: Task, storage: Storage, end: float, rise: Floats, level: Floats
) -> tuple[float, float, Floats, Floats, int]:
    left, value, slopes, lengths, count = _backward(
        task.net_kwh,
        task.pv_kwh,
        task.import_price,
        task.export_price,
        task.trips_kwh,
        task.away,
        storage.kwh,
        storage.charge_step_kwh,
        storage.discharge_step_kwh,
        storage.efficiency,
        end,
        rise,
        level,
    )
    return left, value, slopes, lengths, count


def _search(cost: Callable[[float], float], most: float) -> float:
    """The start (and end) of least cost: golden section over a convex function that may be infinite near
    either end.
    """
    low, high = 0.0, most
    one, two = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    cost_one, cost_two = cost(one), cost(two)
    while high - low > 1e-10 * max(1.0, most):
        if cost_one <= cost_two and np.isfinite(cost_one):
            high, two, cost_two = two, one, cost_one
            one = high - GOLDEN * (high - low)
            cost_one = cost(one)
        else:
            low, one, cost_one = one, two, cost_two
            two = low + GOLDEN * (high - low)
            cost_two = cost(two)
    return min((low, (low + high) / 2, high), key=cost)
