"""A district's power and heat in a year of hours, building by building, by rule.

Each building is one member behind one meter: its use by the benchmark of its floor (`floors`), laid over the year by a
standard profile; panels on its roof by the roofs' potential; a heat pump that follows the weather; cars that charge
when they come home; batteries that serve the building first. Nobody looks ahead, nobody plays: `energy.engine.fleet`
runs the storages, hour by hour. The district's own exchange with the grid is the sum of its buildings', hour by hour,
behind its community battery if it has one. Costs are the sum of the bills, unless a rule shares.

Energies kWh, powers kW, money in the currency's units (100 ct). Arrays: n buildings, T hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import erf, sqrt
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from energy.engine import fleet, heat, pv, strategies
from energy.engine import trips as car_trips
from energy.engine.community import Floats
from twin.engine import outage, roofs
from twin.engine.floors import HOME, MIXED, NONE, benchmark, storeys
from twin.engine.measures.base import Changes
from twin.engine.model import CityModel, Thing
from twin.engine.whatif.draws import Draw

Singles: TypeAlias = NDArray[np.float32]

HOURS = 8760
EFFICIENCY = 0.95
"""Of a battery, one way."""
V2G_KWH, V2G_KW = 10.0, 3.7
HEATS_UNDER_C, WATER_SHARE, WATER_C = 15.0, 0.2, 50.0
"""Rooms are heated on days under this mean; a fifth of a building's heat is hot water (assumptions)."""
PRICE_OF_HOUR = np.array(
    [0.72, 0.68, 0.66, 0.65, 0.68, 0.80, 1.05, 1.30, 1.35, 1.20, 1.00, 0.88,
     0.82, 0.78, 0.80, 0.88, 1.02, 1.25, 1.45, 1.42, 1.25, 1.08, 0.92, 0.80]
)  # fmt: skip
"""An exchange's mean price of each hour over its mean of the day: two humps, their size our assumption."""
MOVING_SHARE = 0.5
"""The half of a household's price that moves with the exchange; grid fees and taxes stay (assumption)."""
CUT_HOURS, ESSENTIAL = 24, 0.25
EVERY_WEEK = 4
"""Draws are reckoned over each fourth week of the year."""
LAB_DAY = (8, 20)
SLICE = 1024


@dataclass(frozen=True, slots=True)
class Houses:
    """Buildings as energy sees them (n,): floor, the share of it where people live, use of power and of heat a year,
    and what their roofs could carry. `group`: of use, see `floors`.
    """

    keys: list[str]
    group: list[str]
    floor_m2: Floats
    home_share: Floats
    power_kwh: Floats
    heat_kwh: Floats
    roof_kwp: Floats
    roof_kwh: Floats
    flat: NDArray[np.bool_]

    def homes(self, home_m2: float) -> Floats:
        """Households of each building."""
        return self.floor_m2 * self.home_share / home_m2


@dataclass(frozen=True, slots=True)
class Times:
    """Series of a typical year (T,): shares of a year's use of homes and others, of sun, of heat as electricity (kWh of
    power for each kWh of heat), of cars' charging, of labs that follow the sun less those that do not; and the local
    hour of the day.
    """

    home: Singles
    work: Singles
    sun: Singles
    pump: Singles
    cars: Singles
    labs: Singles
    hour: NDArray[np.int64]
    scale: float = 1.0

    def weeks(self, every: int = EVERY_WEEK) -> "Times":
        """Each so manieth week of it; `scale` makes sums of a year of them."""
        week = np.arange(len(self.hour)) // 168
        keep = (week % every == every // 2) & (week < len(self.hour) // 168)
        series = {name: np.ascontiguousarray(getattr(self, name)[keep]) for name in _SERIES}
        return Times(**series, hour=self.hour[keep], scale=len(self.hour) / int(keep.sum()))


_SERIES = ("home", "work", "sun", "pump", "cars", "labs")


@dataclass(frozen=True, slots=True)
class Known:
    """What the roofs' run found (n,) by key of building: kWp and kWh a year, shade and all."""

    kwp: Mapping[str, float]
    kwh: Mapping[str, float]


def times(weather: pv.Weather, shares: Mapping[str, Floats]) -> Times:
    """The series under a place's weather; `shares` of the year by hour for "home" and "work"."""
    made = pv.year([pv.Roof(1.0, roofs.DEFAULT.flat_tilt)], weather)[0]
    air = weather.air_c
    days = air.reshape(-1, 24).mean(axis=1)
    rooms = np.repeat(np.maximum(HEATS_UNDER_C - days, 0.0), 24)
    rooms = rooms / rooms.sum() if rooms.sum() > 0 else np.full(len(air), 1 / len(air))
    water = np.full(len(air), 1 / len(air))
    pump = (1 - WATER_SHARE) * rooms / heat.standard_cop(air)
    pump += WATER_SHARE * water / heat.standard_cop(air, WATER_C)
    hour = np.arange(len(air)) % 24
    cars = np.tile(_charging(), len(air) // 24)
    day = np.arange(len(air)) // 24
    # 2025 begins on a Wednesday
    cars = cars * np.where((day + weather.start.weekday()) % 7 >= 5, car_trips.WEEKEND, 1.0)
    open_ = (hour >= LAB_DAY[0]) & (hour < LAB_DAY[1])
    sunny = made * open_ + open_ * made.mean() * 0.05
    return Times(
        home=shares["home"].astype(np.float32),
        work=shares["work"].astype(np.float32),
        sun=(made / max(made.sum(), 1e-9)).astype(np.float32),
        pump=pump.astype(np.float32),
        cars=(cars / cars.sum()).astype(np.float32),
        labs=(sunny / sunny.sum() - shares["work"]).astype(np.float32),
        hour=hour.astype(np.int64),
    )


def _charging() -> Floats:
    """The share of a day's charging in each hour: cars come home as `energy.engine.trips` says and charge at once, two
    thirds in the first hour.
    """

    def before(hour: float) -> float:
        return 0.5 * (1 + erf((hour - car_trips.BACK_H) / (car_trips.BACK_SPREAD_H * sqrt(2))))

    back = np.array([before(h + 1) - before(h) + before(h - 23) - before(h - 24) for h in range(24)])
    return np.asarray(back * 2 / 3 + np.roll(back, 1) / 3)


def kwh_of_a_kwp(weather: pv.Weather) -> float:
    """What a kWp on an unshaded flat roof gives in a year."""
    return float(pv.year([pv.Roof(1.0, roofs.DEFAULT.flat_tilt)], weather)[0].sum())


def houses(model: CityModel, shapes: Sequence[shapely.Geometry], known: Known | None, kwh_a_kwp: float) -> Houses:
    """The buildings of a model; without what the roofs' run found, every roof is flat and without shade."""
    about = [building.properties for building in model.buildings]
    marks = [benchmark(str(p.get("use", ""))) for p in about]
    ground = np.array([shape.area for shape in shapes], dtype=np.float64)
    floor = ground * np.array([storeys(p) for p in about], dtype=np.float64)
    assumed = roofs.DEFAULT
    kwp = ground * assumed.flat_share * assumed.free_share * assumed.kwp_per_m2
    kwp = np.where((ground >= assumed.least_m2) & np.array([mark is not NONE for mark in marks]), kwp, 0.0)
    kwh = kwp * kwh_a_kwp
    keys = [building.key for building in model.buildings]
    if known is not None:
        kwp = np.array([known.kwp.get(key, 0.0) for key in keys], dtype=np.float64)
        kwh = np.array([known.kwh.get(key, 0.0) for key in keys], dtype=np.float64)
    pitched = roofs.GABLED | roofs.HIPPED | roofs.ONE_SIDED
    return Houses(
        keys=keys,
        group=[mark.group for mark in marks],
        floor_m2=floor,
        home_share=np.array([1.0 if mark is HOME else 0.5 if mark is MIXED else 0.0 for mark in marks]),
        power_kwh=floor * np.array([mark.power for mark in marks]),
        heat_kwh=floor * np.array([mark.heat for mark in marks]),
        roof_kwp=kwp,
        roof_kwh=kwh,
        flat=np.array([str(p.get("roof_shape", "")) not in pitched for p in about], dtype=np.bool_),
    )


def lots(buildings: Sequence[Thing], number: int, what: str) -> Floats:
    """A number in 0..1 for each building that depends on its key, the draw and the question alone."""
    salt = f"{what}:{number}:".encode()
    digests = b"".join(blake2b(salt + b.key.encode(), digest_size=8).digest() for b in buildings)
    return np.frombuffer(digests, dtype=">u8").astype(np.float64) / 2**64


def chosen(suits: NDArray[np.bool_], share: float, lot: Floats) -> NDArray[np.bool_]:
    """This share of those that suit, those with the lowest lots: a larger share holds every smaller one."""
    places = np.flatnonzero(suits)
    order = places[np.argsort(lot[places], kind="stable")]
    found = np.zeros(len(suits), dtype=np.bool_)
    found[order[: round(share * len(places))]] = True
    return found


@dataclass(frozen=True, slots=True)
class Stock:
    """What the buildings own under some measures, in one draw (n,): solar kWh a year, batteries, kWh of cars, heat from
    pumps, and kWh of labs that follow the sun.
    """

    sun_kwh: Floats
    kwp: Floats
    battery_kwh: Floats
    battery_kw: Floats
    cars_kwh: Floats
    car_km: float
    pumped_kwh: Floats
    labs_kwh: Floats


def stock(model: CityModel, own: Houses, made: Changes, labs: Mapping[str, float], draw: Draw) -> Stock:
    """Who has what."""
    n = len(own.keys)
    has = np.zeros(n, dtype=np.bool_)
    if made.solar:
        lot = lots(model.buildings, draw.number, "solar")
        for share, uses in made.solar:
            suits = own.roof_kwh > 0
            if uses is not None:
                suits = suits & np.array([group in uses for group in own.group], dtype=np.bool_)
            has |= chosen(suits, share, lot)
    e = draw.energy
    homes = own.homes(e.home_m2)
    share, kwh, kw = made.home_battery
    electric = homes * e.cars_per_home * made.cars
    given = electric if made.v2g else np.zeros(n)
    lab = np.array([labs.get(key, 0.0) for key in own.keys]) if made.labs_by_sun else np.zeros(n)
    return Stock(
        sun_kwh=np.where(has, own.roof_kwh, 0.0) * draw.sun,
        kwp=np.where(has, own.roof_kwp, 0.0),
        battery_kwh=homes * share * kwh + given * V2G_KWH,
        battery_kw=homes * share * kw + given * V2G_KW,
        cars_kwh=electric * e.car_km * e.car_kwh_per_km,
        car_km=float(electric.sum()) * e.car_km,
        pumped_kwh=own.heat_kwh * made.heat_pumps * draw.load,
        labs_kwh=np.minimum(lab, 0.8 * own.power_kwh * draw.load * (1 - own.home_share)),
    )


@dataclass(frozen=True, slots=True)
class Year:
    """What a year comes to. Of the district: kWh, kW and money; of buildings (n,): `cost`, `use_kwh`, `made_kwh`."""

    made_kwh: float
    used_kwh: float
    import_kwh: float
    export_kwh: float
    peak_kw: float
    cost_total: float
    heat_kwh: float
    cost: Floats
    use_kwh: Floats
    solar_kwh: Floats


def prices(made: Changes, over: Times, draw: Draw) -> tuple[Floats, Floats]:
    """What a kWh costs and what is paid for one sent back, in each hour; never more than it costs."""
    e = draw.energy
    kind, buy_ct, sell_ct = made.tariff or ("flat", None, None)
    # a price that the measure names stays as it is named
    buy = (e.buy_ct if buy_ct is None else buy_ct) / 100
    sell = (e.sell_ct if sell_ct is None else sell_ct) / 100
    shape = np.ones(24)
    if kind == "dynamic":
        shape = 1 - MOVING_SHARE + MOVING_SHARE * PRICE_OF_HOUR / PRICE_OF_HOUR.mean()
    bought = buy * shape[over.hour]
    return bought, np.minimum(np.full(len(bought), sell), bought)


def year(own: Houses, has: Stock, made: Changes, over: Times, draw: Draw) -> Year:
    """The year by rule."""
    buy, sell = prices(made, over, draw)
    levels = None
    if made.tariff and made.tariff[0] == "dynamic":
        day = (np.arange(len(over.hour)) // 24).astype(np.float64)
        levels = strategies.by_price(buy, day, EFFICIENCY**2, 1.0)
    meters = _Meters(own, has, over, draw, buy, sell, levels)
    alone, grid, use = _each(meters)
    netted = _cost(grid, buy, sell)
    shared = _shared(made.sharing, meters, (alone, grid, use), float(alone.sum()) - netted)
    kwh, kw = made.community_battery
    if kwh > 0:
        common = fleet.Fleet.batteries(np.array([kwh]), np.array([kw]), np.array([EFFICIENCY]))
        row = np.ascontiguousarray(grid[np.newaxis])
        grid = fleet.run(row, np.zeros_like(row), common, import_price=buy, export_price=sell, levels=levels).series[
            "grid"
        ]
    earned = _by_use(netted - _cost(grid, buy, sell), use)
    cost = (alone - shared - earned) * over.scale
    return Year(
        made_kwh=float(has.sun_kwh.sum()),
        used_kwh=float(use.sum()) * over.scale,
        import_kwh=float(np.maximum(grid, 0.0).sum()) * over.scale,
        export_kwh=float(np.maximum(-grid, 0.0).sum()) * over.scale,
        peak_kw=float(grid.max(initial=0.0)),
        cost_total=float(cost.sum()),
        heat_kwh=float((own.heat_kwh * draw.load - has.pumped_kwh).sum()),
        cost=cost,
        use_kwh=use * over.scale,
        solar_kwh=has.sun_kwh,
    )


def _slices(n: int) -> list[slice]:
    return [slice(first, min(first + SLICE, n)) for first in range(0, n, SLICE)]


def series(own: Houses, has: Stock, over: Times, draw: Draw, rows: slice) -> tuple[Singles, Singles]:
    """Use and solar of some buildings in each hour (n, T)."""
    power = (own.power_kwh[rows] * draw.load).astype(np.float32)
    at_home = own.home_share[rows].astype(np.float32)
    load = np.outer(power * at_home, over.home) + np.outer(power * (1 - at_home), over.work)
    more = ((has.pumped_kwh, over.pump), (has.cars_kwh, over.cars), (has.labs_kwh, over.labs))
    for amount, shape in more:
        if amount[rows].any():
            load += np.outer(amount[rows].astype(np.float32), shape)
    solar = np.outer(has.sun_kwh[rows].astype(np.float32), over.sun)
    return np.ascontiguousarray(load), np.ascontiguousarray(solar)


@dataclass(frozen=True, slots=True)
class _Meters:
    """All that bills are made of."""

    own: Houses
    has: Stock
    over: Times
    draw: Draw
    buy: Floats
    sell: Floats
    levels: fleet.Levels | None

    def run(self, rows: slice, *, each: bool = False) -> tuple[fleet.Year, Singles]:
        """Some buildings, each behind its own meter; and their use."""
        load, solar = series(self.own, self.has, self.over, self.draw, rows)
        kwh = self.has.battery_kwh[rows]
        batteries = fleet.Fleet.batteries(kwh, self.has.battery_kw[rows], np.full(len(load), EFFICIENCY))
        levels = self.levels if kwh.any() else None
        found = fleet.run(
            load, solar, batteries, import_price=self.buy, export_price=self.sell, levels=levels, each=each
        )
        return found, load

    def net(self, rows: slice) -> Floats:
        """What each of them takes from the grid in each hour, below zero what it sends."""
        found = self.run(rows, each=True)[0].net_kwh
        assert found is not None  # noqa: S101 asked for
        return found


def _each(meters: _Meters) -> tuple[Floats, Floats, Floats]:
    """Each building's cost, their exchange with the grid hour by hour, and each one's use."""
    cost, use, grid = [np.zeros(0)], [np.zeros(0)], np.zeros(len(meters.buy))
    for rows in _slices(len(meters.own.keys)):
        found, load = meters.run(rows)
        cost.append(found.totals["cost"])
        use.append(load.sum(axis=1, dtype=np.float64))
        grid += found.series["grid"]
    return np.concatenate(cost), grid, np.concatenate(use)


def _cost(grid: Floats, buy: Floats, sell: Floats) -> float:
    return float((np.maximum(grid, 0.0) * buy - np.maximum(-grid, 0.0) * sell).sum())


def _by_use(amount: float, use: Floats) -> Floats:
    total = float(use.sum())
    return use * (amount / total) if total > 0 else np.zeros(len(use))


def _shared(rule: str, meters: _Meters, found: tuple[Floats, Floats, Floats], saving: float) -> Floats:
    """What each building gets of the saving of being one community; rules as in `energy.engine.sharing`.

    Mid-market and Owen pay each hour's energy at a price of the community's, so they are sums of flows times prices and
    need no table of members by hours.
    """
    alone, grid, use = found
    if not rule:
        return np.zeros(len(alone))
    if rule == "equal":
        users = use > 0
        return np.where(users, saving / max(int(users.sum()), 1), 0.0)
    if rule == "proportional":
        return _by_use(saving, use)
    buy, sell = meters.buy, meters.sell
    if rule == "owen":
        price = np.where(grid > 0, buy, np.where(grid < 0, sell, (buy + sell) / 2))
        return alone - _paid(meters, price, price)
    lacking, sparing = _both(meters)
    traded, mid = np.minimum(lacking, sparing), (buy + sell) / 2
    part = np.divide(traded, lacking, out=np.zeros_like(traded), where=lacking > 0)
    given = np.divide(traded, sparing, out=np.zeros_like(traded), where=sparing > 0)
    return _paid(meters, part * (buy - mid), -given * (mid - sell))


def _paid(meters: _Meters, lack: Floats, spare: Floats) -> Floats:
    """Each building's lacks and spares (taken as below zero) at these prices of each hour."""
    found = [np.zeros(0)]
    for rows in _slices(len(meters.own.keys)):
        net = meters.net(rows)
        found.append(np.where(net > 0, net * lack, net * spare).sum(axis=1))
    return np.concatenate(found)


def _both(meters: _Meters) -> tuple[Floats, Floats]:
    """What all lack and what all have to spare, hour by hour."""
    lacking, sparing = np.zeros(len(meters.buy)), np.zeros(len(meters.buy))
    for rows in _slices(len(meters.own.keys)):
        net = meters.net(rows)
        lacking += np.maximum(net, 0.0).sum(axis=0)
        sparing += np.maximum(-net, 0.0).sum(axis=0)
    return lacking, sparing


def lasts(own: Houses, has: Stock, made: Changes, over: Times, draw: Draw) -> tuple[Floats, float]:
    """In a power cut, with a quarter of the use kept on: the share of the beginnings after which each building is still
    supplied a day later (n,), not a number where nothing is used; and the same for the district as one grid.
    """
    alone = np.where(own.power_kwh > 0, 0.0, np.nan)
    kwh, kw = made.community_battery
    if not has.sun_kwh.any() and not has.battery_kwh.any() and not kwh:
        return alone, 0.0
    starts = np.arange(0, len(over.hour), 4 * outage.EVERY)
    most: Any = {"essential": ESSENTIAL, "most": CUT_HOURS, "starts": starts}
    all_load, all_solar = np.zeros(len(over.hour)), np.zeros(len(over.hour))
    for rows in _slices(len(own.keys)):
        load, solar = (values.astype(np.float64) for values in series(own, has, over, draw, rows))
        all_load += load.sum(axis=0)
        all_solar += solar.sum(axis=0)
        stored = has.battery_kwh[rows]
        mine = np.flatnonzero(((has.sun_kwh[rows] > 0) | (stored > 0)) & (own.power_kwh[rows] > 0))
        if len(mine):
            found = outage.supplied(
                np.ascontiguousarray(load[mine]), np.ascontiguousarray(solar[mine]), stored[mine],
                storage_kw=has.battery_kw[rows][mine], **most,
            )  # fmt: skip
            alone[rows.start + mine] = found.share(CUT_HOURS)
    whole = outage.supplied(
        all_load[np.newaxis], all_solar[np.newaxis], np.array([has.battery_kwh.sum() + kwh]),
        storage_kw=np.array([has.battery_kw.sum() + kw]), **most,
    )  # fmt: skip
    return alone, float(whole.share(CUT_HOURS)[0])


def changed(own: Houses, fresh: Houses, keys: Sequence[str]) -> Houses:
    """The houses with some of them as they are afresh; roofs stay as they were."""
    place = {key: i for i, key in enumerate(own.keys)}
    at = [place[key] for key in keys]
    made = {}
    for name in ("floor_m2", "home_share", "power_kwh", "heat_kwh"):
        values = getattr(own, name).copy()
        values[at] = getattr(fresh, name)[at]
        made[name] = values
    group = list(own.group)
    for i in at:
        group[i] = fresh.group[i]
    return replace(own, group=group, **made)
