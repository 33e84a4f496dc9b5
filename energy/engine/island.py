"""Cut off from the grid for H hours: in how many of all hours would the community have got through?

For every step as the first one: what batteries and vehicles hold then, as the rule ran them (self-consumption first),
serves what is used beyond the sun, and the sun's rest fills them again. All storage is one pool, with the least
efficiency of its kind, so a full battery beside an empty one is not seen, and neither are lines. Batteries give before
vehicles. Only vehicles that may give back and are at home in the first step help; those stay, and those on the road do
not come back. Use stays as it was; nobody saves. Unserved energy over all starts is the expected energy not supplied,
its share of use the loss of load probability (LPSP).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy.engine.community import Community, Floats
from energy.engine.compiled import compiled

HOURS = (1, 3, 6, 12, 24, 48)
CYCLES_AT_MOST = 60


@dataclass(frozen=True)
class Pool:
    """What is stored at the beginning of each step (steps), with what bounds it; kWh and kWh a step."""

    battery_held: Floats
    battery_kwh: float
    battery_step: float
    battery_one_way: float
    vehicle_held: Floats
    vehicle_kwh: Floats
    vehicle_step: Floats
    vehicle_one_way: float
    grid_kwh: Floats


@dataclass(frozen=True, slots=True)
class Survival:
    """For one length: share of starts that get through, mean and largest unserved kWh, and the mean's share of use;
    how many starts there are.
    """

    hours: float
    survive: float
    unserved_kwh: float
    worst_kwh: float
    unserved_share: float
    starts: int


def survival(community: Community, hours: Sequence[float] = HOURS) -> list[Survival]:
    """For each length that fits into the period."""
    load, made = community.load_kwh.sum(axis=0), community.pv_kwh.sum(axis=0)
    return of_pool(load, made, pool(community), community.hours, hours)


def of_pool(
    load_kwh: Floats, pv_kwh: Floats, pool: Pool, step_hours: float, hours: Sequence[float] = HOURS
) -> list[Survival]:
    """The same of sums and a pool."""
    counts = [round(length / step_hours) for length in hours]
    fitting = [(length, n) for length, n in zip(hours, counts, strict=True) if 0 < n <= len(load_kwh)]
    if not fitting:
        return []
    steps = np.array([n for _length, n in fitting], dtype=np.int64)
    unserved = np.zeros((len(steps), len(load_kwh)))
    _cut_off(
        load_kwh - pv_kwh,
        pool.battery_held,
        pool.battery_kwh,
        pool.battery_step,
        pool.battery_one_way,
        pool.vehicle_held,
        pool.vehicle_kwh,
        pool.vehicle_step,
        pool.vehicle_one_way,
        steps,
        unserved,
    )
    used = np.concatenate(([0.0], np.cumsum(load_kwh)))
    found = []
    for row, (length, n) in enumerate(fitting):
        starts = len(load_kwh) - n + 1
        missing, asked = unserved[row, :starts], used[n:] - used[:-n]
        share = float(missing.sum() / asked.sum()) if asked.sum() > 0 else 0.0
        got_through = float((missing <= 1e-9).mean())
        found.append(Survival(length, got_through, float(missing.mean()), float(missing.max()), share, starts))
    return found


@compiled
def _cut_off(  # noqa: PLR0917 compiled: positional alone
    net: Floats,
    battery_held: Floats,
    battery_kwh: float,
    battery_step: float,
    battery_one_way: float,
    vehicle_held: Floats,
    vehicle_kwh: Floats,
    vehicle_step: Floats,
    vehicle_one_way: float,
    lengths: np.ndarray,
    unserved: Floats,
) -> None:
    """From every start to the longest length; writes what is unserved after each length that still fits."""
    steps = net.shape[0]
    longest = lengths[-1]
    for first in range(steps):
        held, car = battery_held[first], vehicle_held[first]
        car_kwh, car_step = vehicle_kwh[first], vehicle_step[first]
        missing, row = 0.0, 0
        for n in range(min(longest, steps - first)):
            need = net[first + n]
            if need < 0:
                into = min(-need, battery_step, (battery_kwh - held) / battery_one_way)
                held += into * battery_one_way
                late = min(-need - into, car_step, (car_kwh - car) / vehicle_one_way)
                car += late * vehicle_one_way
            else:
                back = min(need, battery_step, held * battery_one_way)
                held = max(0.0, held - back / battery_one_way)
                given = min(need - back, car_step, car * vehicle_one_way)
                car = max(0.0, car - given / vehicle_one_way)
                missing += need - back - given
            while row < len(lengths) and lengths[row] == n + 1:
                unserved[row, first] = missing
                row += 1


def pool(community: Community) -> Pool:
    """All storage as the rule runs it, step by step: the same rule as `fleet`, told apart by kind."""
    steps = community.steps
    batteries = [m.battery for m in community.members if m.battery]
    common = community.battery
    all_batteries = batteries + ([common] if common else [])
    cars = [m.vehicle for m in community.members if m.vehicle and m.vehicle.v2g]
    held, car_held, car_kwh, car_step, grid = (np.zeros(steps) for _ in range(5))
    for row, member in enumerate(community.members):
        battery, car = member.battery, member.vehicle
        away = car.away(community.local_minute) if car else np.ones(steps, dtype=bool)
        trips = community.trips_kwh[row]
        _hold(
            community.net_kwh[row],
            battery.kwh if battery else 0.0,
            battery.kw * community.hours if battery else 0.0,
            battery.one_way if battery else 1.0,
            car.kwh if car else 0.0,
            car.kw * community.hours if car else 0.0,
            car.efficiency if car else 1.0,
            car.kwh_per_day if car else 0.0,
            away,
            trips,
            community.cyclic,
            bool(car and car.v2g),
            held,
            car_held,
            grid,
        )
        if car and car.v2g:
            car_kwh += np.where(away, 0.0, car.kwh)
            car_step += np.where(away, 0.0, car.kw * community.hours)
    if common:
        nothing, out = np.zeros(steps), np.zeros(steps)
        step, never = common.kw * community.hours, np.ones(steps, dtype=bool)
        _hold(
            grid.copy(),
            common.kwh,
            step,
            common.one_way,
            0.0,
            0.0,
            1.0,
            0.0,
            never,
            nothing,
            community.cyclic,
            False,
            held,
            nothing,
            out,
        )
        grid = out
    return Pool(
        held,
        sum(b.kwh for b in all_batteries),
        sum(b.kw for b in all_batteries) * community.hours,
        min((b.one_way for b in all_batteries), default=1.0),
        car_held,
        car_kwh,
        car_step,
        min((c.efficiency for c in cars), default=1.0),
        grid,
    )


@compiled
def _hold(  # noqa: PLR0917 compiled: positional alone
    net: Floats,
    kwh: float,
    step: float,
    one_way: float,
    car_kwh: float,
    car_step: float,
    car_one_way: float,
    car_need: float,
    away: np.ndarray,
    trips: Floats,
    cyclic: bool,
    gives: bool,
    held_sum: Floats,
    car_sum: Floats,
    grid: Floats,
) -> None:
    """One home through the period; adds what its battery holds before each step, and its vehicle where it is at home
    and may give. In a cyclic community it begins as it ends.
    """
    held, car = 0.0, 0.0
    for _turn in range(CYCLES_AT_MOST if cyclic else 0):
        begun, car_begun = held, car
        for t in range(net.shape[0]):
            held, car, _left, _home = _step(
                net[t], kwh, step, one_way, car_kwh, car_step, car_one_way, car_need, away[t], trips[t], held, car
            )
        if abs(held - begun) + abs(car - car_begun) < 1e-9:
            break
    for t in range(net.shape[0]):
        held_sum[t] += held
        held, car, left, before = _step(
            net[t], kwh, step, one_way, car_kwh, car_step, car_one_way, car_need, away[t], trips[t], held, car
        )
        if gives and not away[t]:
            car_sum[t] += before
        grid[t] += left


@compiled
def _step(  # noqa: PLR0917 compiled: positional alone
    net: float,
    kwh: float,
    step: float,
    one_way: float,
    car_kwh: float,
    car_step: float,
    car_one_way: float,
    car_need: float,
    away: bool,
    trip: float,
    held: float,
    car: float,
) -> tuple[float, float, float, float]:
    """A step of one home: what battery and vehicle hold after it, what it takes from the grid, and what the vehicle
    held when it was back.
    """
    car -= min(trip, car)
    before = car
    at_once = 0.0 if away else min(car_step, max(0.0, car_need - car) / car_one_way)
    car += at_once * car_one_way
    left = net + at_once
    if left < 0:
        into = max(0.0, min(-left, step, (kwh - held) / one_way))
        held += into * one_way
        left += into
    else:
        back = min(left, step, held * one_way)
        held = max(0.0, held - back / one_way)
        left -= back
    if left < 0 and not away:
        late = max(0.0, min(-left, car_step - at_once, (car_kwh - car) / car_one_way))
        car += late * car_one_way
        left += late
    return held, car, left, before
