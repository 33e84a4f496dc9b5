"""Many homes through many steps by one rule: sixteen at a time, series read once.

Series are rows of homes, float32 or float64, kWh a step. Homes go in blocks of sixteen (`lanes`), blocks in
chunks of 256; a chunk takes 256 steps of a block at once, so that what it touches stays in the first two
caches and each value is read from memory once. Chunks are independent: threads take them as they come, and
their sums are added in their order, so that the number of threads changes no bit.

What a home does in a step, in kWh at the grid's side (all terms at least zero):

    into = max(min(spare, ceiling - held), spare - export_cap, min(refill - held, target - left))
    back = max(min(need, held - floor), left - target)

each cut to the battery's power and to what fits or is there; `left` is what the home lacks (need) or has to
spare after its vehicle, `floor`, `refill` and `ceiling` are levels of each step (shares of the capacity),
`target` and `export_cap` are each home's own. Self-consumption first is floor = refill = 0, ceiling = 1 and
no target or cap; `strategies` says the others. refill <= floor in every step, so nothing charges and
discharges at once.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.compiled import compiled, compiled_sums
from energy.engine.lanes import WIDTH, every, get, greater, if_less, lesser, net_tile, put

Series = NDArray[np.float32] | NDArray[np.float64]

TILE = 256
CHUNK = 256
SERIES = ("grid", "charge", "discharge", "vehicles", "stored", "bought")
TOTALS = ("import_kwh", "export_kwh", "cost", "peak_kwh", "held_kwh", "vehicle_held_kwh", "driven_kwh", "unserved_kwh")
DAY_MIN = 1440.0

# indices are unsigned, so that compiled code need not ask whether they count from the end
_STEP: Any = np.uint64(WIDTH)
_HALF: Any = np.uint64(8)
_TILE: Any = np.uint64(TILE)
_SUMS: Any = np.uint64(len(SERIES) * WIDTH)
# one block's numbers, sixteen of each: first what changes, then what it owns
_BUY, _SELL, _COST, _PEAK, _HELD, _EV, _DRIVEN, _MISSED, _AWAY = (np.uint64(k * WIDTH) for k in range(9))
_OWNS: Any = np.uint64(9)
_KWH, _POWER, _ETA, _PER_ETA, _TARGET, _CAP = (np.uint64(k * WIDTH) for k in range(9, 15))
_EV_KWH, _EV_POWER, _EV_ETA, _EV_PER_ETA, _EV_NEED, _EV_FROM, _EV_FOR = (np.uint64(k * WIDTH) for k in range(15, 22))
_BLOCK: Any = np.uint64(22 * WIDTH)
_CHARGE, _DISCHARGE, _CARS, _STORED, _BOUGHT = (np.uint64(k * WIDTH) for k in range(1, 6))


@dataclass(frozen=True, slots=True)
class Fleet:
    """What each home has, one number a home: capacity kWh, most kWh a step each way, efficiency of one way;
    the same of a vehicle, with what a day's trip takes, when it leaves (local minute) and for how many
    minutes.
    """

    kwh: Floats
    step_kwh: Floats
    one_way: Floats
    target_kwh: Floats
    export_cap_kwh: Floats
    ev_kwh: Floats
    ev_step_kwh: Floats
    ev_one_way: Floats
    ev_trip_kwh: Floats
    ev_from_min: Floats
    ev_away_min: Floats

    @staticmethod
    def batteries(kwh: Floats, step_kwh: Floats, one_way: Floats) -> "Fleet":
        """Homes with batteries and nothing else to steer."""
        n = len(kwh)
        none, all_, one = np.zeros(n), np.full(n, np.inf), np.ones(n)
        return Fleet(kwh, step_kwh, one_way, all_, all_, none, none, one, none, none, none)

    def packed(self) -> Floats:
        """One row for each number the loops read."""
        rows = [np.asarray(getattr(self, field.name), dtype=np.float64) for field in fields(self)]
        rows.insert(3, 1 / rows[2])
        rows.insert(9, 1 / rows[8])
        return np.ascontiguousarray(rows)

    @property
    def plain(self) -> bool:
        """Whether only batteries are there, and no home has a target or a cap."""
        free = np.isinf(self.target_kwh).all() and np.isinf(self.export_cap_kwh).all()
        return bool(free and not self.ev_kwh.any())


@dataclass(frozen=True, slots=True)
class Levels:
    """For each step, the share of its capacity that a battery keeps back (`floor`), fills up to from the grid
    (`refill`) and lets the sun fill (`ceiling`).
    """

    floor: Floats
    refill: Floats
    ceiling: Floats


@dataclass(frozen=True, slots=True)
class Year:
    """What came of it: one number a home (`TOTALS`), one a step over all homes (`SERIES`; `grid` is their net
    exchange, `bought` the sum of what each takes), and, where asked for, each home's exchange with the grid
    (homes by steps).
    """

    totals: dict[str, Floats]
    series: dict[str, Floats]
    net_kwh: Floats | None


@compiled
def _fill(  # noqa: PLR0917 compiled: positional alone
    load: Series, pv: Series, tile: Floats, first: Any, homes: Any, steps: Any, at: Any, n: Any
) -> None:
    """The net energy of a block's homes for n steps, sixteen homes after one another; zero past the last."""
    whole: Any = np.uint64(0)
    if first + _STEP <= homes:
        whole = (n // _HALF) * _HALF
        for half in range(np.uint64(0), _STEP, _HALF):
            row = (first + half) * steps + at
            for t in range(np.uint64(0), whole, _HALF):
                net_tile(load, pv, row + t, steps, tile, t * _STEP + half)
    for t in range(whole, n):
        for lane in range(_STEP):
            net = 0.0
            if first + lane < homes:
                here = (first + lane) * steps + at + t
                net = np.float64(load[here]) - np.float64(pv[here])
            tile[t * _STEP + lane] = net


@compiled
def _serve_itself(  # noqa: PLR0917 compiled: positional alone
    tile: Floats, sums: Floats, own: Floats, at: Any, buy: Floats, sell: Floats, first: Any, n: Any
) -> None:
    """Batteries alone, self-consumption first: the same as `_steer` with nothing to steer, twice as quick."""
    zero = every(0.0)
    bought, sold, cost = get(own, at + _BUY), get(own, at + _SELL), get(own, at + _COST)
    peak, held = get(own, at + _PEAK), get(own, at + _HELD)
    kwh, power = get(own, at + _KWH), get(own, at + _POWER)
    eta, per_eta = get(own, at + _ETA), get(own, at + _PER_ETA)
    most_in = zero - power
    for t in range(n):
        net = get(tile, t * _STEP)
        # what the battery gives (below zero: takes): as much as is asked, within power, content and room
        given = greater(lesser(net, power), most_in)
        given = greater(lesser(given, held * eta), (held - kwh) * per_eta)
        held = greater(held - greater(given * per_eta, given * eta), zero)
        back = greater(given, zero)
        into = back - given
        grid = net - given
        taken = greater(grid, zero)
        bought = bought + taken
        sold = sold + grid
        cost = cost + taken * every(buy[first + t] - sell[first + t]) + grid * every(sell[first + t])
        peak = greater(peak, taken)
        place = t * _SUMS
        put(sums, place, get(sums, place) + grid)
        put(sums, place + _CHARGE, get(sums, place + _CHARGE) + into)
        put(sums, place + _DISCHARGE, get(sums, place + _DISCHARGE) + back)
        put(sums, place + _STORED, get(sums, place + _STORED) + held)
        put(sums, place + _BOUGHT, get(sums, place + _BOUGHT) + taken)
    put(own, at + _BUY, bought)
    put(own, at + _SELL, sold)
    put(own, at + _COST, cost)
    put(own, at + _PEAK, peak)
    put(own, at + _HELD, held)


@compiled
def _steer(  # noqa: PLR0915, PLR0917 compiled: one loop, positional alone
    tile: Floats,
    sums: Floats,
    own: Floats,
    at: Any,
    buy: Floats,
    sell: Floats,
    floor: Floats,
    refill: Floats,
    ceiling: Floats,
    minute: Floats,
    spare_to_ev: float,
    first: Any,
    n: Any,
) -> None:
    """Vehicles, levels, targets and caps."""
    zero, one, day = every(0.0), every(1.0), every(DAY_MIN)
    spare_on = every(spare_to_ev)
    bought, sold, cost = get(own, at + _BUY), get(own, at + _SELL), get(own, at + _COST)
    peak, held, ev = get(own, at + _PEAK), get(own, at + _HELD), get(own, at + _EV)
    driven, missed, was_away = get(own, at + _DRIVEN), get(own, at + _MISSED), get(own, at + _AWAY)
    kwh, power = get(own, at + _KWH), get(own, at + _POWER)
    eta, per_eta = get(own, at + _ETA), get(own, at + _PER_ETA)
    target, cap = get(own, at + _TARGET), get(own, at + _CAP)
    ev_kwh, ev_power, ev_need = get(own, at + _EV_KWH), get(own, at + _EV_POWER), get(own, at + _EV_NEED)
    ev_eta, ev_per_eta = get(own, at + _EV_ETA), get(own, at + _EV_PER_ETA)
    ev_from, ev_for = get(own, at + _EV_FROM), get(own, at + _EV_FOR)
    for t in range(n):
        net = get(tile, t * _STEP)
        # the vehicle: is it back, what did the trip take, what must be on board for the next
        since = every(minute[first + t]) - ev_from
        since = if_less(since, zero, since + day, since)
        home = if_less(since, ev_for, zero, one)
        trip = ev_need * was_away * home
        served = lesser(trip, ev)
        driven = driven + served
        missed = missed + (trip - served)
        ev = ev - served
        was_away = one - home
        at_once = lesser(ev_power, greater(ev_need - ev, zero) * ev_per_eta) * home
        ev = ev + at_once * ev_eta
        left = net + at_once
        # the battery
        spare, need = greater(zero - left, zero), greater(left, zero)
        room = (kwh - held) * per_eta
        wanted = lesser(spare, greater((every(ceiling[first + t]) * kwh - held) * per_eta, zero))
        wanted = greater(wanted, spare - cap)
        wanted = greater(wanted, lesser((every(refill[first + t]) * kwh - held) * per_eta, target - left))
        into = greater(lesser(lesser(wanted, power), room), zero)
        asked = lesser(need, greater((held - every(floor[first + t]) * kwh) * eta, zero))
        asked = greater(asked, left - target)
        back = greater(lesser(lesser(asked, power), held * eta), zero)
        held = greater(held + into * eta - back * per_eta, zero)
        left = left + into - back
        # sun to spare after the battery
        fits = lesser(ev_power - at_once, (ev_kwh - ev) * ev_per_eta) * home * spare_on
        late = greater(lesser(zero - left, fits), zero)
        ev = ev + late * ev_eta
        grid = left + late
        taken = greater(grid, zero)
        bought = bought + taken
        sold = sold + grid
        cost = cost + taken * every(buy[first + t] - sell[first + t]) + grid * every(sell[first + t])
        peak = greater(peak, taken)
        place = t * _SUMS
        put(sums, place, get(sums, place) + grid)
        put(sums, place + _CHARGE, get(sums, place + _CHARGE) + into)
        put(sums, place + _DISCHARGE, get(sums, place + _DISCHARGE) + back)
        put(sums, place + _CARS, get(sums, place + _CARS) + at_once + late)
        put(sums, place + _STORED, get(sums, place + _STORED) + held + ev)
        put(sums, place + _BOUGHT, get(sums, place + _BOUGHT) + taken)
        put(tile, t * _STEP, grid)
    put(own, at + _BUY, bought)
    put(own, at + _SELL, sold)
    put(own, at + _COST, cost)
    put(own, at + _PEAK, peak)
    put(own, at + _HELD, held)
    put(own, at + _EV, ev)
    put(own, at + _DRIVEN, driven)
    put(own, at + _MISSED, missed)
    put(own, at + _AWAY, was_away)


@compiled_sums
def _chunk(  # noqa: PLR0912, PLR0917 compiled: positional alone
    load: Series,
    pv: Series,
    owns: Floats,
    buy: Floats,
    sell: Floats,
    floor: Floats,
    refill: Floats,
    ceiling: Floats,
    minute: Floats,
    spare_to_ev: float,
    plain: bool,
    homes: Any,
    first: Any,
    last: Any,
    totals: Floats,
    series: Floats,
    each: Floats,
) -> None:
    """One chunk of homes, tile after tile: adds to their totals, writes the chunk's series, and each home's
    exchange where `each` has room for it.
    """
    steps: Any = np.uint64(buy.shape[0])
    homes, first, last = np.uint64(homes), np.uint64(first), np.uint64(last)
    blocks = (last - first + _STEP - np.uint64(1)) // _STEP
    own = np.zeros(blocks * _BLOCK)
    for home in range(first, last):
        block, lane = (home - first) // _STEP * _BLOCK, (home - first) % _STEP
        for k in range(np.uint64(owns.shape[0])):
            own[block + (_OWNS + k) * _STEP + lane] = owns[k, home]
        own[block + _HELD + lane] = totals[4, home]
        own[block + _EV + lane] = totals[5, home]
    tile, sums = np.zeros(_TILE * _STEP), np.zeros(_TILE * _SUMS)
    for at in range(np.uint64(0), steps, _TILE):
        n = min(_TILE, steps - at)
        sums[:] = 0.0
        for block in range(blocks):
            _fill(load, pv, tile, first + block * _STEP, last, steps, at, n)
            if plain:
                _serve_itself(tile, sums, own, block * _BLOCK, buy, sell, at, n)
            else:
                _steer(
                    tile,
                    sums,
                    own,
                    block * _BLOCK,
                    buy,
                    sell,
                    floor,
                    refill,
                    ceiling,
                    minute,
                    spare_to_ev,
                    at,
                    n,
                )
            if each.size > 0:
                for home in range(first + block * _STEP, min(first + (block + np.uint64(1)) * _STEP, last)):
                    lane = home - first - block * _STEP
                    for t in range(n):
                        each[home, at + t] = tile[t * _STEP + lane]
        for t in range(n):
            for k in range(np.uint64(series.shape[0])):
                total = 0.0
                for lane in range(_STEP):
                    total += sums[t * _SUMS + k * _STEP + lane]
                series[k, at + t] = total
    for home in range(first, last):
        block, lane = (home - first) // _STEP * _BLOCK, (home - first) % _STEP
        for k in range(np.uint64(totals.shape[0])):
            totals[k, home] = own[block + k * _STEP + lane]
        totals[1, home] = totals[0, home] - totals[1, home]


def run(
    load_kwh: Series,
    pv_kwh: Series,
    fleet: Fleet,
    *,
    import_price: Floats,
    export_price: Floats,
    levels: Levels | None = None,
    minute: NDArray[np.int64] | None = None,
    held_kwh: Floats | None = None,
    vehicle_held_kwh: Floats | None = None,
    spare_to_vehicles: bool = True,
    each: bool = False,
    threads: int = 1,
) -> Year:
    """All homes through all steps.

    `load_kwh`, `pv_kwh` homes by steps, contiguous and of one type; `minute`: the local minute of the day at
    which each step begins (only vehicles ask); storages begin empty unless `held_kwh` says otherwise.
    `each=True` also answers each home's exchange with the grid. Memory beside the series: six numbers a step
    for each 256 homes.
    """
    homes, steps = load_kwh.shape
    totals = np.zeros((len(TOTALS), homes))
    totals[4] = 0.0 if held_kwh is None else held_kwh
    totals[5] = 0.0 if vehicle_held_kwh is None else vehicle_held_kwh
    owns = fleet.packed()
    zero = np.zeros(steps)
    by = levels or Levels(zero, zero, np.ones(steps))
    minutes = zero if minute is None else minute.astype(np.float64)
    plain = levels is None and fleet.plain and not each
    net = np.empty((homes, steps) if each else (0, 0))
    starts = range(0, homes, CHUNK)
    parts = np.empty((len(starts), len(SERIES), steps))
    flat: list[Any] = [np.ascontiguousarray(values).reshape(-1) for values in (load_kwh, pv_kwh)]

    def one(number: int) -> None:
        first = starts[number]
        _chunk(
            flat[0],
            flat[1],
            owns,
            import_price,
            export_price,
            by.floor,
            by.refill,
            by.ceiling,
            minutes,
            float(spare_to_vehicles),
            plain,
            homes,
            first,
            min(first + CHUNK, homes),
            totals,
            parts[number],
            net,
        )

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(len(starts))))
    else:
        for number in range(len(starts)):
            one(number)
    summed = np.add.reduce(parts, axis=0) if starts else np.zeros((len(SERIES), steps))
    return Year(dict(zip(TOTALS, totals, strict=True)), dict(zip(SERIES, summed, strict=True)), net if each else None)
