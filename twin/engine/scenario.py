"""What a list of measures would do to a district, beside today.

`base` gathers a district once; `reckon` says what a list of measures makes of it; `compare` holds two outcomes against
each other. Today is the empty list: both go through the same engines with the same assumptions, trips and draws, so
that what differs is due to the measures alone, and no measure is exactly no difference.

A difference has an interval where it rests on assumptions with a spread: the 5th to the 95th percentile of the
differences in 20 draws (`whatif.draws`), each draw shared by both sides. What is a pure function of the map (access,
heat) has none and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from energy.engine import pv
from energy.engine.refusals import gettext_noop
from twin.engine import (
    CARBON_VERSION,
    ENGINE_VERSION,
    RISK_VERSION,
    SCENARIO_VERSION,
    access,
    demand,
    heat,
    sun,
)
from twin.engine import assignment as traffic_engine
from twin.engine import measures as registry
from twin.engine import network as road_engine
from twin.engine.access import EVERYDAY
from twin.engine.demand import EXCHANGE, WITHIN, Assumptions
from twin.engine.district import DistrictAccess
from twin.engine.measures.base import Changes, Given
from twin.engine.model import CityModel
from twin.engine.supposed import Energy
from twin.engine.whatif import draws, energy, places, traffic, who
from twin.engine.whatif.draws import Draw

Floats: TypeAlias = NDArray[np.float64]
Say: TypeAlias = Callable[[float, str], None]

LIMIT_MIN = 15.0
LOW, HIGH = 5.0, 95.0
DIGITS = 7


@dataclass(frozen=True)
class Base:
    """A district as every reckoning of it begins. `labs`: kWh a year that labs measured, by key of their building."""

    model: CityModel
    shapes: list[shapely.Geometry]
    roads: traffic.Roads | None
    houses: energy.Houses
    times: energy.Times
    weeks: energy.Times
    kwh_a_kwp: float
    roofs: energy.Known | None
    traffic: Assumptions
    energy: Energy
    labs: Mapping[str, float]
    fronts: NDArray[np.int64]
    ages: dict[str, Floats] | None

    def keys(self, name: str) -> list[str]:
        """The pieces of the street of this key, or of this name."""
        if name in self._keys:
            return [name]
        return self._names.get(name, [])

    def __post_init__(self) -> None:
        names: dict[str, list[str]] = {}
        for street in self.model.streets:
            names.setdefault(str(street.properties.get("name") or ""), []).append(street.key)
        names.pop("", None)
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_keys", {street.key for street in self.model.streets})

    _names: Mapping[str, list[str]] = field(init=False, repr=False)
    _keys: set[str] = field(init=False, repr=False)


def base(
    model: CityModel,
    *,
    weather: pv.Weather,
    shares: Mapping[str, Floats],
    roofs: energy.Known | None = None,
    traffic_: Assumptions | None = None,
    energy_: Energy | None = None,
    labs: Mapping[str, float] | None = None,
) -> Base:
    """Gather a district. `shares`: of a year's use by hour, of "home" and "work"; `roofs`: what their run found."""
    assert model.epsg is not None  # noqa: S101 every reader sets it
    assumed = traffic_ or Assumptions()
    shapes = [*sun.outlines(model.buildings, model.epsg)]
    kwh_a_kwp = energy.kwh_of_a_kwp(weather)
    houses = energy.houses(model, shapes, roofs, kwh_a_kwp)
    over = energy.times(weather, shares)
    return Base(
        model=model,
        shapes=shapes,
        roads=_roads(model, assumed),
        houses=houses,
        times=over,
        weeks=over.weeks(),
        kwh_a_kwp=kwh_a_kwp,
        roofs=roofs,
        traffic=assumed,
        energy=energy_ or Energy(),
        labs=labs or {},
        fronts=who.fronts(model, shapes),
        ages=who.people(model, shapes, houses.floor_m2 * houses.home_share),
    )


def _roads(model: CityModel, assumed: Assumptions) -> traffic.Roads | None:
    """None where nobody can drive."""
    try:
        network = road_engine.road_network(model)
    except ValueError:
        return None
    od = demand.trips(model, assumed, network)
    if assumed.counts:
        od = demand.calibrated(network, od, assumed.counts)[0]
    return traffic.roads(network, od)


@dataclass(frozen=True)
class Outcome:
    """What came of a list of measures. `figures` by key, None where an engine has no answer; `draws[0]` are the figures
    with ranges in our own values as draws see them, the others in the draws. Of buildings (n,) and streets (m,) columns
    by name.
    """

    measures: tuple[dict[str, Any], ...]
    changes: Changes
    figures: Mapping[str, float | None]
    draws: tuple[Mapping[str, float], ...]
    buildings: Mapping[str, Floats]
    streets: Mapping[str, Floats]
    roads: traffic.Roads | None
    hour: traffic.Hour | None
    hours: tuple[traffic.Hour, ...]
    reached: places.Reached
    groups: tuple[str, ...]


def reckon(of: Base, measures: Sequence[Given], *, beside: Outcome | None = None, say: Say | None = None) -> Outcome:
    """What the measures (checked ones) make of a district. `beside`: today's outcome, whose equilibria the scenario's
    start from; engines that no measure touches answer as they did for it. Raises `measures.Refused`.
    """
    tell = say or (lambda _share, _stage: None)
    made = registry.changes(measures)
    touched = registry.touched(measures)
    tell(0.0, "city")
    city = places.model(of.model, made, of.keys)
    own = of.houses
    if made.buildings:
        fresh = energy.houses(city, of.shapes, of.roofs, of.kwh_a_kwp)
        own = energy.changed(own, fresh, list(made.buildings))
    tell(0.1, "access")
    reached = places.reached(city) if beside is None or "access" in touched or made.calmed else beside.reached
    tell(0.2, "traffic")
    roads = of.roads
    if roads is not None:
        roads = traffic.changed(roads, of.model, city, made, of.keys, of.traffic)
    all_draws = draws.draws(of.energy)
    hours = _hours(roads, all_draws, of, beside, lambda part: tell(0.2 + 0.3 * part, "traffic"))
    tell(0.5, "energy")
    years = [_year(of, own, made, all_draws[0], full=True)]
    for draw in all_draws:
        years.append(_year(of, own, made, draw))
        tell(0.5 + 0.3 * draw.number / len(all_draws), "energy")
    figures: dict[str, float | None] = {}
    columns: dict[str, Floats] = {}
    full = years[0]
    figures |= _energy(full)
    columns |= {"cost": full.cost, "made_kwh": full.solar_kwh, "use_kwh": full.use_kwh}
    tell(0.8, "risk")
    has = energy.stock(of.model, own, made, of.labs, all_draws[0])
    alone, together = energy.lasts(own, has, made, of.times, all_draws[0])
    columns["outage_day"] = alone * 100
    users = np.isfinite(alone)
    figures["outage_day"] = float(alone[users].mean() * 100) if users.any() else None
    figures["outage_grid"] = together * 100
    untouched = beside is not None and "heat" not in touched
    columns["heat"] = beside.buildings["heat"] if beside and untouched else _heat(of, city, own, made)
    figures["heat_strong"] = float((columns["heat"] == heat.STRONG).sum())
    figures |= _access(reached, made)
    columns["walk_min"] = _everyday(reached.foot, of.houses.keys)
    streets: dict[str, Floats] = {}
    if hours and roads is not None:
        figures |= _traffic(hours[0])
        names = [street.key for street in of.model.streets]
        streets["flow"], streets["speed"] = traffic.by_street(roads, hours[0], names)
        front = of.fronts
        columns["street_veh"] = np.where(front >= 0, streets["flow"][front], np.nan)
    figures |= _carbon(of, own, made, full, hours[0] if hours else None, roads, all_draws[0])
    drawn = tuple(
        _drawn(of, own, made, year, hours[k] if k < len(hours) else None, roads, draw)
        for k, (draw, year) in enumerate(zip(all_draws, years[1:], strict=True))
    )
    return Outcome(
        measures=tuple(dict(each) for each in measures),
        changes=made,
        figures=figures,
        draws=drawn,
        buildings=columns,
        streets=streets,
        roads=roads,
        hour=hours[0] if hours else None,
        hours=hours,
        reached=reached,
        groups=tuple(own.group),
    )


def _hours(
    roads: traffic.Roads | None,
    all_draws: Sequence[Draw],
    of: Base,
    beside: Outcome | None,
    tell: Callable[[float], None],
) -> tuple[traffic.Hour, ...]:
    """The equilibrium of each draw; today's own where no road or trip differs."""
    if roads is None:
        return ()
    if beside is not None and roads is of.roads:
        return beside.hours
    return traffic.hours(roads, all_draws, beside.hours if beside else None, tell)


def _year(of: Base, own: energy.Houses, made: Changes, draw: Draw, *, full: bool = False) -> energy.Year:
    has = energy.stock(of.model, own, made, of.labs, draw)
    return energy.year(own, has, made, of.times if full else of.weeks, draw)


def _heat(of: Base, city: CityModel, own: energy.Houses, made: Changes) -> Floats:
    """The class of each building."""
    planted = None
    if made.green_roofs > 0:
        lot = energy.lots(of.model.buildings, 0, "green")
        planted = energy.chosen(own.flat & (own.roof_kwp > 0), made.green_roofs, lot)
    return places.exposed(city, of.shapes, made, planted).level.astype(np.float64)


# --- figures ------------------------------------------------------------------------------------------------
def _energy(year: energy.Year) -> dict[str, float | None]:
    used = year.used_kwh
    return {
        "made_kwh": year.made_kwh,
        "used_kwh": used,
        "prosumer_ratio": year.made_kwh / used if used > 0 else None,
        "self_sufficiency": max(0.0, 1 - year.import_kwh / used) * 100 if used > 0 else None,
        "import_kwh": year.import_kwh,
        "export_kwh": year.export_kwh,
        "peak_kw": year.peak_kw,
        "cost": year.cost_total,
    }


def _traffic(hour: traffic.Hour) -> dict[str, float | None]:
    return {
        "mean_min": hour.mean_min,
        "vehicle_km": hour.vehicle_km,
        "vehicle_h": hour.vehicle_h,
        "delay_h": hour.delay_h,
        "speed_kmh": hour.speed_kmh,
        "outside": hour.outside,
        "unserved": hour.unserved,
    }


def _everyday(found: DistrictAccess, keys: Sequence[str]) -> Floats:
    """The mean of the minutes on foot to the everyday kinds that there are."""
    kinds = [kind for kind in EVERYDAY if kind in found.minutes]
    if not kinds:
        return np.full(len(keys), np.nan)
    return np.asarray(np.mean([found.minutes[kind] for kind in kinds], axis=0))


def _access(reached: places.Reached, made: Changes) -> dict[str, float | None]:
    foot = reached.foot
    mean = _everyday(foot, foot.keys)
    all_foot = access.all_within(foot.minutes, LIMIT_MIN)
    ridden = access.all_within(reached.bicycle.minutes, LIMIT_MIN) if reached.bicycle else None
    found: dict[str, float | None] = {
        "walk_min": float(np.mean(mean)) if len(mean) and np.isfinite(mean).all() else None,
        "walk_15": None if all_foot is None else all_foot * 100,
        "bicycle_15": None if ridden is None else ridden * 100,
    }
    return found


def _carbon(  # noqa: PLR0917 the parts of the ledger
    of: Base, own: energy.Houses, made: Changes, year: energy.Year, hour: traffic.Hour | None,
    roads: traffic.Roads | None, draw: Draw,
) -> dict[str, float | None]:  # fmt: skip
    """The ledger in tonnes a year: heat that is burnt, power that is bought, and driving in the district or
    round it, and by its people beyond; an electric car drives without a tailpipe and charges at home.
    """
    e = draw.energy
    heat_kg, power_kg = year.heat_kwh * e.heat_kg_per_kwh, year.import_kwh * e.power_kg_per_kwh
    homes = float(own.homes(e.home_m2).sum())
    their_km = homes * e.cars_per_home * e.car_km
    here_km, mine = 0.0, 0.0
    if hour is not None and roads is not None:
        here_km = (hour.vehicle_km + hour.outside_km) / of.traffic.peak_share * e.days_a_year
        trips = roads.od.trips
        ours = (roads.part == WITHIN) | (roads.part == EXCHANGE)
        mine = here_km * float(trips[ours].sum() / max(trips.sum(), 1e-9)) / 2
    beyond = max(their_km - mine, 0.0)
    cars_kg = max(here_km + beyond - made.cars * their_km, 0.0) * e.car_kg_per_km
    return {
        "carbon_buildings": heat_kg / 1000,
        "carbon_electricity": power_kg / 1000,
        "carbon_mobility": cars_kg / 1000,
        "carbon": (heat_kg + power_kg + cars_kg) / 1000,
    }


def _drawn(  # noqa: PLR0917 as `_carbon`
    of: Base, own: energy.Houses, made: Changes, year: energy.Year, hour: traffic.Hour | None,
    roads: traffic.Roads | None, draw: Draw,
) -> dict[str, float]:  # fmt: skip
    found = _energy(year) | _carbon(of, own, made, year, hour, roads, draw)
    if hour is not None:
        found |= _traffic(hour)
    elif roads is not None:  # a draw of a large city without its traffic
        found |= dict.fromkeys(("carbon", "carbon_mobility"))
    return {key: value for key, value in found.items() if value is not None}


# --- comparison ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's words: label, unit, group, which way is better, and which engine says it."""

    key: str
    label: str
    unit: str
    group: str
    better: str
    engine: str


ENERGY, TRAFFIC, ACCESS, CARBON, RISK = (
    "Living City district energy 1",
    traffic_engine.NAME,
    "Living City access 2",
    "Living City carbon ledger 1",
    "Living City risk 1",
)
ENGINES: tuple[dict[str, str], ...] = (
    {"name": ENERGY, "version": SCENARIO_VERSION, "what": gettext_noop("a year of hours, storages by rule")},
    {"name": TRAFFIC, "version": SCENARIO_VERSION, "what": gettext_noop("the busiest hour, user equilibrium")},
    {"name": ACCESS, "version": ENGINE_VERSION, "what": gettext_noop("minutes on foot and by bicycle")},
    {"name": CARBON, "version": CARBON_VERSION, "what": gettext_noop("heat, power and driving on one ledger")},
    {"name": RISK, "version": RISK_VERSION, "what": gettext_noop("power cuts and heat")},
)
FIGURES: tuple[Figure, ...] = (
    Figure("made_kwh", gettext_noop("Solar power made"), "kWh/year", "energy", "up", ENERGY),
    Figure("used_kwh", gettext_noop("Power used"), "kWh/year", "energy", "none", ENERGY),
    Figure("prosumer_ratio", gettext_noop("Prosumer ratio"), "", "energy", "up", ENERGY),
    Figure("self_sufficiency", gettext_noop("Use met by the district itself"), "%", "energy", "up", ENERGY),
    Figure("import_kwh", gettext_noop("Bought from the grid"), "kWh/year", "energy", "down", ENERGY),
    Figure("export_kwh", gettext_noop("Sent to the grid"), "kWh/year", "energy", "none", ENERGY),
    Figure("peak_kw", gettext_noop("Highest draw from the grid"), "kW", "energy", "down", ENERGY),
    Figure("cost", gettext_noop("All bills for power"), "EUR/year", "energy", "down", ENERGY),
    Figure("mean_min", gettext_noop("A trip by car takes"), "min", "traffic", "down", TRAFFIC),
    Figure("vehicle_km", gettext_noop("Driven on its streets in the busiest hour"), "km", "traffic", "down", TRAFFIC),
    Figure("vehicle_h", gettext_noop("Time in cars in that hour"), "h", "traffic", "down", TRAFFIC),
    Figure("delay_h", gettext_noop("Lost in queues in that hour"), "h", "traffic", "down", TRAFFIC),
    Figure("speed_kmh", gettext_noop("Mean speed of cars"), "km/h", "traffic", "none", TRAFFIC),
    Figure("outside", gettext_noop("Cars that go round the district instead"), "1/h", "traffic", "none", TRAFFIC),
    Figure("unserved", gettext_noop("Trips that no way is left for"), "1/h", "traffic", "down", TRAFFIC),
    Figure("walk_min", gettext_noop("To an everyday service on foot"), "min", "access", "down", ACCESS),
    Figure("walk_15", gettext_noop("All seven within 15 minutes on foot"), "%", "access", "up", ACCESS),
    Figure("bicycle_15", gettext_noop("All seven within 15 minutes by bicycle"), "%", "access", "up", ACCESS),
    Figure("carbon", gettext_noop("Greenhouse gases"), "t CO2e/year", "carbon", "down", CARBON),
    Figure("carbon_buildings", gettext_noop("of it heat"), "t CO2e/year", "carbon", "down", CARBON),
    Figure("carbon_electricity", gettext_noop("of it power"), "t CO2e/year", "carbon", "down", CARBON),
    Figure("carbon_mobility", gettext_noop("of it driving"), "t CO2e/year", "carbon", "down", CARBON),
    Figure("outage_day", gettext_noop("Buildings lit a day into a power cut"), "%", "risk", "up", RISK),
    Figure("outage_grid", gettext_noop("The same as one local grid"), "%", "risk", "up", RISK),
    Figure("heat_strong", gettext_noop("Buildings where heat gathers most"), "", "risk", "down", RISK),
)  # fmt: skip
RANGED = gettext_noop(
    "In 19 of 20 draws of what we assume, each the same for today and for the scenario, the difference lies about here."
)
FEW = gettext_noop(
    "In a city this large the traffic is drawn four times instead of twenty; in each of them the difference lies here."
)
EXACT = gettext_noop("A pure function of the map: the same input gives the same figure, so there is no range.")
MIDDLE = gettext_noop("Reckoned once, in the middle of our assumptions; without a range.")
_PURE = frozenset({"walk_min", "walk_15", "bicycle_15", "heat_strong"})

GENERAL = (
    gettext_noop("These are models: they show what changes and by how much beside today, not what will be."),
    gettext_noop("A building's use of power and heat is the benchmark of its floor, not a meter."),
    gettext_noop("Money is yearly running cost; what panels, batteries, pumps and streets cost to buy is left out."),
)
NO_ROADS = gettext_noop("No streets that are open to cars hang together here, so there is no answer about traffic.")
PLAIN_ROOFS = gettext_noop("The roofs' own run is not done: every roof counts as flat and without shade.")
NO_AGES = gettext_noop("No population grid with ages is imported, so gains and losses by age are not known.")
NOISE = gettext_noop("Noise on the street in front follows the number of vehicles alone: twice as many are 3 dB more.")
LEFT_OUT = gettext_noop(
    "Trips that no way is left for are counted by themselves; kilometres and times are of those that can be driven."
)
ROUND = gettext_noop(
    "Who drives round the district instead is not in its kilometres; that way is an assumption, and on the ledger."
)
LAB_UNKNOWN = gettext_noop(
    "No lab of this place measured its use in the last year, so moving its hours changes nothing."
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario beside today: `figures`, `who` and `limits` as the API has them, and the columns behind them."""

    figures: list[dict[str, Any]]
    who: list[dict[str, Any]]
    limits: list[str]
    buildings: dict[str, list[Any]]
    streets: dict[str, list[Any]]

    def document(self) -> dict[str, Any]:
        """What is kept in the row."""
        return {"figures": self.figures, "who": self.who, "limits": self.limits, "engines": [dict(e) for e in ENGINES]}


def compare(of: Base, baseline: Outcome, variant: Outcome) -> Comparison:
    """The scenario less today."""
    figures = []
    for figure in FIGURES:
        before, after = baseline.figures.get(figure.key), variant.figures.get(figure.key)
        if before is None or after is None:
            continue
        low, high, how = _range(figure.key, after - before, baseline, variant)
        figures.append(
            {
                "key": figure.key, "label": figure.label, "unit": figure.unit, "group": figure.group,
                "baseline": rounded(before), "scenario": rounded(after), "difference": rounded(after - before),
                "low": low, "high": high, "better": figure.better, "engine": figure.engine, "how": how,
            }
        )  # fmt: skip
    buildings, streets = _columns(of, baseline, variant)
    return Comparison(figures, _who(of, baseline, variant), _limits(of, baseline, variant), buildings, streets)


def _range(key: str, difference: float, baseline: Outcome, variant: Outcome) -> tuple[float | None, float | None, str]:
    """The interval of a difference: how far the draws' differences lie from that of our own values."""
    if key in _PURE:
        return None, None, EXACT
    pairs = [(a[key], b[key]) for a, b in zip(baseline.draws, variant.draws, strict=True) if key in a and key in b]
    if len(pairs) < 2:
        return None, None, MIDDLE
    moved = np.array([b - a for a, b in pairs])
    off = moved[1:] - moved[0]
    few = len(off) < draws.DRAWS
    low, high = np.percentile(off, [0.0, 100.0] if few else [LOW, HIGH]).tolist()
    return rounded(difference + min(low, 0.0)), rounded(difference + max(high, 0.0)), FEW if few else RANGED


def rounded(value: float) -> float:
    """To seven digits, so that a figure is the same text wherever it is reckoned."""
    number = float(f"{value:.{DIGITS}g}")
    return 0.0 if number == 0 else number


def _who(of: Base, baseline: Outcome, variant: Outcome) -> list[dict[str, Any]]:
    touched = registry.touched(variant.measures)
    asked: list[tuple[who.Question, Floats]] = []
    if "access" in touched:
        asked.append((who.ACCESS, variant.buildings["walk_min"] - baseline.buildings["walk_min"]))
    if "traffic" in touched and "street_veh" in variant.buildings and "street_veh" in baseline.buildings:
        asked.append((who.NOISE, _louder(baseline, variant)))
    if "energy" in touched:
        asked.append((who.COST, variant.buildings["cost"] - baseline.buildings["cost"]))
        asked.append((who.CUT, variant.buildings["outage_day"] - baseline.buildings["outage_day"]))
    # as it is used today: who gains is who is there
    return [row for question, by in asked for row in who.rows(question, by, baseline.groups, of.ages)]


def _louder(baseline: Outcome, variant: Outcome) -> Floats:
    return who.decibels(baseline.buildings["street_veh"], variant.buildings["street_veh"])


def _limits(of: Base, baseline: Outcome, variant: Outcome) -> list[str]:
    touched = registry.touched(variant.measures)
    found = list(GENERAL)
    if of.roads is None:
        found.append(NO_ROADS)
    if of.roofs is None and "energy" in touched:
        found.append(PLAIN_ROOFS)
    if of.ages is None:
        found.append(NO_AGES)
    if "traffic" in touched and baseline.hour is not None:
        found.append(NOISE)
    if variant.figures.get("unserved"):
        found.append(LEFT_OUT)
    if variant.figures.get("outside") != baseline.figures.get("outside"):
        found.append(ROUND)
    if variant.changes.labs_by_sun and not of.labs:
        found.append(LAB_UNKNOWN)
    return [*found, *registry.limits(variant.measures)]


def _columns(of: Base, baseline: Outcome, variant: Outcome) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Each building's and each street's own figures, before and after; streets without traffic are left out."""
    buildings: dict[str, list[Any]] = {"key": list(of.houses.keys)}
    for name, digits in (("cost", 2), ("made_kwh", 0), ("walk_min", 3), ("outage_day", 1), ("heat", 0)):
        before, after = baseline.buildings[name], variant.buildings[name]
        buildings[name] = _listed(after - before, digits)
        buildings[f"{name}_before"] = _listed(before, digits)
    if "street_veh" in baseline.buildings and "street_veh" in variant.buildings:
        buildings["street_db"] = _listed(_louder(baseline, variant), 2)
        buildings["street_veh_before"] = _listed(baseline.buildings["street_veh"], 1)
    streets: dict[str, list[Any]] = {}
    if baseline.streets and variant.streets:
        used = (baseline.streets["flow"] > 0) | (variant.streets["flow"] > 0)
        at = np.flatnonzero(used).tolist()
        streets["key"] = [of.model.streets[i].key for i in at]
        for name in ("flow", "speed"):
            before, after = baseline.streets[name][at], variant.streets[name][at]
            streets[name] = _listed(after - before, 1)
            streets[f"{name}_before"] = _listed(before, 1)
    return buildings, streets


def _listed(values: Floats, digits: int) -> list[float | None]:
    clean = np.round(values, digits) + 0.0
    return [value if known else None for value, known in zip(clean.tolist(), np.isfinite(clean).tolist(), strict=True)]
