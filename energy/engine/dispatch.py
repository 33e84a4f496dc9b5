"""The exact optimum of one storage under linear prices, in one backward and one forward pass.

The cost to go V(e) over the energy held is convex and piecewise linear. One step is an infimal convolution
with the step's own cost c_t,

    V_t(e) = min over D of c_t(D) + V_{t+1}(e + D),

and c_t has at most four straight pieces (discharge and charge, each into export and import). Convolving
piecewise linear functions merges their pieces in order of slope (Rockafellar, Convex Analysis, 1970), so a
step costs as many operations as V has pieces, which stay few: 5 under time-of-use prices, below 20 under
volatile ones. Nothing is discretised: the optimum equals the linear programme's.

The policy needs no V: for each piece of c_t with slope s it is enough to know the energy level up to which
V_{t+1} falls faster than -s. These thresholds are kept, and the forward pass reads the schedule off them: the
energy after a step is the largest of min(threshold, what is held plus the piece's right end).

Where a tariff has few prices, `levels` says the same of each slope by itself, several times faster.

Prices: import >= export in every step. Where exporting costs, solar is curtailed and the storage may charge
and discharge within one step, which burns energy: that is the optimum of the linear programme with a shared
converter, c/Pc + d/Pd <= 1. The end is free (V_T = 0) or fixed; a cyclic storage is a search over its start,
convex too.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from energy.engine import levels
from energy.engine.community import Bools, Floats
from energy.engine.compiled import compiled
from energy.engine.refusals import Infeasible, gettext_noop

PIECES = 4
TOLERANCE = 1e-9
SLICE = 16
#: How far from a start, as parts of the capacity, its neighbours stand that prove it the best.
NEIGHBOURS = (1e-6, 1e-3)
GOLDEN = 0.6180339887498949


TOO_FAR = gettext_noop("the trips take more than can be charged before them; lower ev_kwh_per_day or raise ev_kw")


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
def _solve(  # noqa: PLR0912, PLR0915, PLR0917 compiled: one loop, positional alone
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
    start: float,
    end: float,
    scratch: Floats,
    stored: Floats,
) -> float:
    """Backward over V's pieces, then forward over the thresholds; fills `stored` and answers V_0(start).

    `end` below zero is free. `scratch` holds `room_for(steps)` numbers: for each step the right ends of c's
    pieces as a change of stored energy and their thresholds, then V's slopes and lengths twice, read from one
    and written to the other. Infinite where no schedule meets the trips.
    """
    steps: Any = np.uint64(net.shape[0])
    one: Any = np.uint64(1)
    four: Any = np.uint64(PIECES)
    most = four * steps + np.uint64(8)
    levels_at, slopes_at = four * steps, np.uint64(2) * four * steps
    lengths_at = slopes_at + np.uint64(2) * most
    own_slopes, own_lengths = np.empty(PIECES), np.empty(PIECES)
    now, then = np.uint64(0), most
    count = np.uint64(0)
    left = 0.0
    value = 0.0
    if end >= 0.0:
        left = end
    elif kwh > 0.0:
        scratch[slopes_at], scratch[lengths_at], count = 0.0, kwh, one
    right = left if end >= 0.0 else kwh
    for back in range(np.uint64(0), steps):
        t = steps - one - back
        left += trips[t]
        right += trips[t]
        up, down = (0.0, 0.0) if away[t] else (most_up, most_down)
        own, own_value = _pieces(net[t], pv[t], buy[t], sell[t], up, down, eta, own_slopes, own_lengths)
        at = -down / eta
        place = t * four
        value += own_value
        for j in range(np.uint64(PIECES)):
            if j < np.uint64(own):
                at += own_lengths[j]
                value += own_slopes[j] * own_lengths[j]
                scratch[place + j] = at
            else:
                scratch[place + j] = -np.inf
                scratch[levels_at + place + j] = 0.0
        # V(e) = min over D of c(D) + V(e + D): with d = -D the pieces of c come in reverse order with negative
        # slopes. What lies below empty is skipped, what lies above full is not written.
        left -= at
        right += down / eta
        skip = max(0.0, -left)
        room = min(right, kwh) - max(left, 0.0)
        reach = left + at
        a, b, merged = np.uint64(0), own - 1, np.uint64(0)
        while b >= 0 or (a < count and room > 0.0):
            take = b < 0
            if a < count:
                slope = scratch[slopes_at + now + a]
                take = take or slope <= -own_slopes[b]
            if take:
                length = scratch[lengths_at + now + a]
                reach += length
                a += one
            else:
                slope, length = -own_slopes[b], own_lengths[b]
                scratch[levels_at + place + np.uint64(b)] = reach
                b -= 1
            if skip > 0.0:
                cut = min(skip, length)
                value += slope * cut
                skip -= cut
                length -= cut
            length = min(length, room)
            if length > 0.0:
                room -= length
                if merged > 0 and scratch[slopes_at + then + merged - one] == slope:
                    scratch[lengths_at + then + merged - one] += length
                else:
                    scratch[slopes_at + then + merged] = slope
                    scratch[lengths_at + then + merged] = length
                    merged += one
        left, right = max(left, 0.0), min(right, kwh)
        if left > kwh + TOLERANCE or right < -TOLERANCE or left > right + TOLERANCE:
            return np.inf
        count = merged
        now, then = then, now
    if start < left - TOLERANCE or start > right + TOLERANCE:
        return np.inf
    reach = left
    for k in range(count):
        value += scratch[slopes_at + now + k] * min(scratch[lengths_at + now + k], max(0.0, start - reach))
        reach += scratch[lengths_at + now + k]
    held = start
    stored[0] = held
    for t in range(steps):
        place = t * four
        after = held if away[t] else held - most_down / eta
        for j in range(np.uint64(PIECES)):
            after = max(after, min(scratch[levels_at + place + j], held + scratch[place + j]))
        held = after - trips[t]
        stored[t + one] = held
    return value


@compiled
def _solve_any(  # noqa: PLR0917 compiled: positional alone
    net: Floats,
    pv: Floats,
    buy: Floats,
    sell: Floats,
    trips: Floats,
    away: Bools,
    tariff: tuple[int, levels.Kinds, Floats, Floats],
    own: tuple[float, float, float, float],
    start: float,
    end: float,
    scratch: Floats,
    stored: Floats,
) -> float:
    """By levels where the tariff's prices are few, else by pieces; `own`: capacity, most up, most down, efficiency."""
    kwh, up, down, eta = own
    pairs, kinds, buys, sells = tariff
    table, places = np.empty(levels.TABLE), np.empty(levels.PLACES, dtype=np.uint8)
    if pairs > 0 and levels.tabled(buys, sells, pairs, up, down, eta, table, places):
        return levels.solve(
            net, buy, sell, trips, away, kinds, table, places, kwh, up, down, eta, start, end, scratch, stored
        )
    return _solve(net, pv, buy, sell, trips, away, kwh, up, down, eta, start, end, scratch, stored)


@compiled
def _solve_many(  # noqa: PLR0917 compiled: positional alone
    net: Floats,
    pv: Floats,
    buy: Floats,
    sell: Floats,
    trips: Floats,
    away: Bools,
    tariff: tuple[int, levels.Kinds, Floats, Floats],
    own: Floats,
    scratch: Floats,
    stored: Floats,
    costs: Floats,
) -> None:
    """Home after home (rows), each starting empty with a free end; `own` holds capacity, most up, most down
    and efficiency of each. One row of trips and absences may stand for all.
    """
    same = trips.shape[0] == 1
    for row in range(net.shape[0]):
        which = 0 if same else row
        costs[row] = _solve_any(
            net[row],
            pv[row],
            buy,
            sell,
            trips[which],
            away[which],
            tariff,
            (own[row, 0], own[row, 1], own[row, 2], own[row, 3]),
            0.0,
            -1.0,
            scratch,
            stored[row],
        )


def room_for(steps: int) -> int:
    """How many numbers `_solve` needs to think: no step adds more than four pieces."""
    return 2 * PIECES * steps + 4 * (PIECES * steps + 8)


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
    scratch, stored = np.empty(room_for(steps)), np.empty(steps + 1)
    tariff = levels.tariff(task.import_price, task.export_price)
    own = (storage.kwh, storage.charge_step_kwh, storage.discharge_step_kwh, storage.efficiency)

    def cost_from(start: float, end: float) -> float:
        return float(
            _solve_any(
                task.net_kwh,
                task.pv_kwh,
                task.import_price,
                task.export_price,
                task.trips_kwh,
                task.away,
                tariff,
                own,
                start,
                end,
                scratch,
                stored,
            )
        )

    start, end = 0.0, -1.0
    if cyclic:
        start = end = _around(task, storage, lambda e: cost_from(e, e))
    cost = cost_from(start, end)
    if not np.isfinite(cost):
        raise Infeasible(TOO_FAR)
    return Optimum(cost, stored, _exchange(task.net_kwh, stored, task.trips_kwh, storage.efficiency))


def best_many(
    net_kwh: Floats,
    pv_kwh: Floats,
    import_price: Floats,
    export_price: Floats,
    storages: Sequence[Storage],
    *,
    trips_kwh: Floats | None = None,
    away: Bools | None = None,
    threads: int = 1,
) -> tuple[Floats, Floats]:
    """Each home's least cost by itself, and what it holds at each step's start and at the end.

    `net_kwh`, `pv_kwh` homes by steps; storages start empty with a free end. `trips_kwh` and `away` homes by
    steps (none: nobody drives). Homes are taken by threads in slices; the answers do not depend on how many.
    Raises Infeasible, naming the first home by its number from 0.
    """
    homes, steps = net_kwh.shape
    own = np.array([(s.kwh, s.charge_step_kwh, s.discharge_step_kwh, s.efficiency) for s in storages])
    trips = np.zeros((1, steps)) if trips_kwh is None else trips_kwh
    gone = np.zeros((1, steps), dtype=np.bool_) if away is None else away
    tariff = levels.tariff(import_price, export_price)
    costs, stored = np.empty(homes), np.empty((homes, steps + 1))

    def some(first: int) -> None:
        here = slice(first, min(first + SLICE, homes))
        driven = (trips, gone) if len(trips) == 1 else (trips[here], gone[here])
        scratch = np.empty(room_for(steps))
        _solve_many(
            net_kwh[here],
            pv_kwh[here],
            import_price,
            export_price,
            *driven,
            tariff,
            own[here],
            scratch,
            stored[here],
            costs[here],
        )

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(some, range(0, homes, SLICE)))
    if not np.isfinite(costs).all():
        raise Infeasible(
            gettext_noop(
                "the trips of home %(number)d take more than can be charged before them; lower ev_kwh_per_day "
                "or raise ev_kw"
            ),
            number=int(np.flatnonzero(~np.isfinite(costs))[0]),
        )
    return costs, stored


def _exchange(net_kwh: Floats, stored: Floats, trips_kwh: Floats, eta: float) -> Floats:
    """Net energy at the grid's side from what is held."""
    change = np.diff(stored) + trips_kwh
    return np.asarray(net_kwh + np.maximum(change * eta, change / eta))


def _around(task: Task, storage: Storage, cost: Callable[[float], float]) -> float:
    """The start (and end) of least cost. What stands in the middle of the time run twice is it, where what is stored
    does not last all the time through; the cost is convex in the start, so its neighbours prove it. Else by search.
    """
    twice = Task(
        np.tile(task.net_kwh, 2),
        np.tile(task.pv_kwh, 2),
        np.tile(task.import_price, 2),
        np.tile(task.export_price, 2),
        np.tile(task.trips_kwh, 2),
        np.tile(task.away, 2),
    )
    try:
        middle = float(best(twice, storage).stored_kwh[len(task.net_kwh)])
    except Infeasible:
        return _search(cost, storage.kwh)
    here = cost(middle)
    near = [middle + sign * part * storage.kwh for part in NEIGHBOURS for sign in (-1, 1)]
    proved = np.isfinite(here) and all(here <= cost(e) + 1e-12 * abs(here) for e in near if 0 <= e <= storage.kwh)
    return middle if proved else _search(cost, storage.kwh)


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
