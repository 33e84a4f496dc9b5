"""The exact optimum of one storage where a tariff has few prices: levels of the energy held, not pieces of a cost.

`dispatch` keeps the cost to go V as pieces in order of their slopes. Under a tariff of few prices there are few slopes:
an import or export price p gives -p/eta (what charging costs) and -p*eta (what discharging saves), and the free end
gives 0. Let E_k be the energy up to which V falls at least as fast as slope s_k. Merging the pieces of a step then says
for each slope by itself

    E_k before the step  =  E_k after it - D_k, cut to what is possible,

where D_k is how far the step alone would charge if stored energy were worth -s_k: a sum of the step's two bends times
zeros and ones that depend on the prices alone. So no merging, no branch, and all slopes (sixteen at most) go side by
side in two registers (`lanes`). The levels of a step's own slopes are its policy, as in `dispatch`.

For export prices of zero and more, and import prices no lower. Storages as there: a fixed or a free end, trips and
absences.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Bools, Floats
from energy.engine.compiled import compiled
from energy.engine.lanes import WIDTH, every, get, greater, lesser, put

Kinds = NDArray[np.uint8]

PAIRS = 12
PIECES = 4
TOLERANCE = 1e-9
AWAY = PAIRS
"""The row of a table for steps in which the storage is away: no slope makes it charge."""
ROWS = PAIRS + 1
TABLE, PLACES = (3 * ROWS + 1) * WIDTH, PAIRS * PIECES
"""How long `table` and `own` of `tabled` are."""

_WIDTH: Any = np.uint64(WIDTH)
_PIECES: Any = np.uint64(PIECES)
_ONE: Any = np.uint64(1)


@compiled
def kinds_of(buy: Floats, sell: Floats, kinds: Kinds, buys: Floats, sells: Floats) -> int:
    """Which pair of prices holds in each step: fills `kinds`, and the pairs' prices (PAIRS at most); answers how many
    pairs, or 0 where levels do not apply.
    """
    count, last = 0, 0
    for t in range(buy.shape[0]):
        if count == 0 or buy[t] != buys[last] or sell[t] != sells[last]:
            last = 0
            while last < count and (buys[last] != buy[t] or sells[last] != sell[t]):
                last += 1
            if last == count:
                if count == PAIRS or not (sell[t] >= 0.0 and buy[t] >= sell[t]):
                    return 0
                buys[count], sells[count] = buy[t], sell[t]
                count += 1
        kinds[t] = last
    return count


def tariff(buy: Floats, sell: Floats) -> tuple[int, Kinds, Floats, Floats]:
    """How many pairs of prices there are (0: levels do not apply), which holds in each step, and their prices."""
    kinds, buys, sells = np.empty(len(buy), dtype=np.uint8), np.empty(PAIRS), np.empty(PAIRS)
    return kinds_of(buy, sell, kinds, buys, sells), kinds, buys, sells


def room_for(steps: int) -> int:
    """How many numbers `solve` needs to think."""
    return (PIECES + 1) * steps + WIDTH


@compiled
def _slopes_of(buys: Floats, sells: Floats, pairs: int, eta: float, slopes: Floats) -> int:
    """Writes the distinct slopes, rising, and infinity after them; answers how many, or 0 where they are too many."""
    count = 1
    slopes[:] = np.inf
    slopes[0] = 0.0
    for pair in range(pairs):
        for price in (buys[pair], sells[pair]):
            for slope in (-price / eta, -price * eta):
                at = 0
                while at < count and slopes[at] < slope:
                    at += 1
                if at < count and slopes[at] == slope:
                    continue
                if count == WIDTH:
                    return 0
                for k in range(count, at, -1):
                    slopes[k] = slopes[k - 1]
                slopes[at] = slope
                count += 1
    return count


@compiled
def tabled(  # noqa: PLR0917 compiled: positional alone
    buys: Floats, sells: Floats, pairs: int, up: float, down: float, eta: float, table: Floats, own: Kinds
) -> bool:
    """What a storage makes of each pair of prices; whether its slopes are few enough.

    `table` (3 * ROWS + 1 rows of WIDTH): D_k = base + below * (the bend below zero) + above * (the bend above), and
    last the slopes. `own` (PAIRS rows of PIECES): the places of a step's own slopes among them.
    """
    slopes = table[3 * ROWS * WIDTH :]
    count = _slopes_of(buys, sells, pairs, eta, slopes)
    table[: 3 * ROWS * WIDTH] = 0.0
    for pair in range(pairs):
        prices = (sells[pair] * eta, buys[pair] * eta, sells[pair] / eta, buys[pair] / eta)
        for k in range(count):
            worth = -slopes[k]
            first, second, third, fourth = (
                1.0 if prices[0] < worth else 0.0,
                1.0 if prices[1] < worth else 0.0,
                1.0 if prices[2] < worth else 0.0,
                1.0 if prices[3] < worth else 0.0,
            )
            table[pair * WIDTH + k] = (first - 1.0) * (down / eta) + fourth * (up * eta)
            table[(ROWS + pair) * WIDTH + k] = first - second
            table[(2 * ROWS + pair) * WIDTH + k] = third - fourth
            for piece in range(PIECES):
                if slopes[k] == -prices[piece]:
                    own[pair * PIECES + piece] = k
    return count > 0


@compiled
def solve(  # noqa: PLR0915, PLR0917 compiled: two loops, positional alone
    net: Floats,
    buy: Floats,
    sell: Floats,
    trips: Floats,
    away: Bools,
    kinds: Kinds,
    table: Floats,
    own: Kinds,
    kwh: float,
    most_up: float,
    most_down: float,
    eta: float,
    start: float,
    end: float,
    scratch: Floats,
    stored: Floats,
) -> float:
    """Backward over the levels, then forward over the policy; fills `stored` and answers the cost from `start`.

    `end` below zero is free. `scratch` holds `room_for(steps)` numbers. Infinite where no schedule meets
    the trips.
    """
    steps: Any = np.uint64(net.shape[0])
    room = (_PIECES + _ONE) * steps
    deep, high = most_down / eta, most_up * eta
    left = right = end
    for k in range(WIDTH):
        scratch[room + np.uint64(k)] = end
    if end < 0.0:
        left, right = 0.0, kwh
        for k in range(WIDTH):
            scratch[room + np.uint64(k)] = kwh if table[3 * ROWS * WIDTH + k] >= 0.0 else 0.0
    levels = get(scratch, room)
    for back in range(np.uint64(0), steps):
        t = steps - _ONE - back
        driven = trips[t]
        levels = levels + every(driven)
        left += driven
        right += driven
        place = (_PIECES + _ONE) * t
        kind: Any = np.uint64(kinds[t])
        if away[t]:
            kind = np.uint64(AWAY)
            bend = 0.0
        else:
            # where the exchange with the grid is zero, as a change of the energy held
            bend = -min(net[t], most_down) / eta if net[t] >= 0.0 else min(-net[t], most_up) * eta
            put(scratch, room, levels)
            for piece in range(_PIECES):
                scratch[place + piece] = scratch[room + np.uint64(own[kind * _PIECES + piece])]
            left -= high
            right += deep
        scratch[place + _PIECES] = bend
        row = kind * _WIDTH
        change = get(table, row)
        change = change + get(table, np.uint64(ROWS * WIDTH) + row) * every(min(bend, 0.0))
        change = change + get(table, np.uint64(2 * ROWS * WIDTH) + row) * every(max(bend, 0.0))
        left, right = max(left, 0.0), min(right, kwh)
        if left > kwh + TOLERANCE or right < -TOLERANCE or left > right + TOLERANCE:
            return np.inf
        levels = lesser(greater(levels - change, every(left)), every(right))
    if start < left - TOLERANCE or start > right + TOLERANCE:
        return np.inf
    cost = 0.0
    held = start
    stored[0] = held
    for t in range(steps):
        place = (_PIECES + _ONE) * t
        after = held
        if not away[t]:
            bend = scratch[place + _PIECES]
            first = min(scratch[place], held + min(bend, 0.0))
            second = min(scratch[place + _ONE], held)
            third = min(scratch[place + np.uint64(2)], held + bend) if bend > 0.0 else -np.inf
            fourth = min(scratch[place + np.uint64(3)], held + high)
            after = max(held - deep, first, second, third, fourth)
        change_held = after - held
        exchange = net[t] + max(change_held * eta, change_held / eta)
        cost += buy[t] * max(exchange, 0.0) + sell[t] * min(exchange, 0.0)
        held = after - trips[t]
        stored[t + _ONE] = held
    return cost
