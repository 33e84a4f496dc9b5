"""Who drives from where to where in the busiest hour: trips by car from people, work and services.

Four steps without the last (the assignment): people and work of each zone; trips that begin and end there; a gravity
model between them (exponential deterrence of the minutes on empty streets, balanced by Furness); the share that drives.
Trips from and to the world go by the stations at the rim, as do those that only pass through. Every assumption is a
field of `Assumptions`, with where it comes from; change any of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from twin.engine.assignment import Assignment, Demand, assign
from twin.engine.crs import to_metres
from twin.engine.model import CityModel, Thing
from twin.engine.network import ROAD, RoadNetwork, Zone, road_network

Floats: TypeAlias = NDArray[np.float64]

HOMES = frozenset({"apartments", "residential", "house", "detached", "terrace", "semidetached_house", "dormitory"})
WORK = frozenset(
    {
        "office", "commercial", "retail", "public", "school", "university", "hotel", "industrial", "hospital", "museum",
        "train_station", "government", "civic", "warehouse", "kindergarten", "college", "supermarket", "mixed_use",
    }
)  # fmt: skip
NOBODY = frozenset({"garage", "garages", "roof", "shed", "ruins", "construction", "carport", "greenhouse"})
STOREY_M = 3.3

VISITS: Mapping[str, float] = {
    "grocery": 900, "school": 350, "kindergarten": 120, "library": 400, "pharmacy": 250, "health": 200,
    "community": 100, "post": 200, "bank": 120, "culture": 250, "food": 60, "university": 900, "safety": 60,
    "park": 80, "playground": 40, "sport": 200,
}  # fmt: skip
"""Visits a day to a service of each kind: our assumption of their order of magnitude, not data."""


def _assumed(default: float, low: float, high: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "source": source})


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the traffic of a district rests on; metadata of each field: bounds, unit, and where the value comes from.

    `counts`: vehicles an hour in both directions by key of a street; where given, three factors (within, in and out,
    through) are fitted to them.
    """

    floor_m2_per_person: float = _assumed(40.0, 5, 200, "m²", "Statistics Finland, floor area per person, rounded")
    floor_m2_per_job: float = _assumed(30.0, 5, 500, "m²", "our assumption: offices and shops together")
    unknown_use_homes: float = _assumed(0.4, 0, 1, "share", "our assumption: floor area of buildings of no stated use")
    trips_per_person: float = _assumed(2.7, 0, 10, "a day", "national travel surveys (2.5 to 3), rounded")
    trips_per_job: float = _assumed(2.0, 0, 10, "a day", "there and back")
    peak_share: float = _assumed(
        0.1, 0.01, 0.3, "of the day", "usual share of the busiest hour (K factor 0.08 to 0.12)"
    )
    outward_share: float = _assumed(0.6, 0, 1, "share", "our assumption: evening peak of an inner city, work flows out")
    share_car: float = _assumed(0.25, 0, 1, "of trips", "our assumption after travel surveys of Nordic inner cities")
    share_transit: float = _assumed(0.3, 0, 1, "of trips", "our assumption after travel surveys of Nordic inner cities")
    share_bike: float = _assumed(0.1, 0, 1, "of trips", "our assumption after travel surveys of Nordic inner cities")
    people_per_car: float = _assumed(1.3, 1, 5, "people", "travel surveys (1.2 to 1.5), rounded")
    deterrence_per_min: float = _assumed(0.1, 0, 2, "per minute", "our assumption: trips halve every 7 minutes")
    outside_share: float = _assumed(0.8, 0, 1, "share", "our assumption: most trips of a small district leave it")
    through_share: float = _assumed(0.12, 0, 1.5, "of capacity", "our assumption: what only passes, at each station")
    co2_g_per_km: float = _assumed(
        150.0, 0, 1000, "g/km", "our assumption: cars in use in the EU, tank to wheel, rounded"
    )
    counts: Mapping[str, float] = field(default_factory=dict)

    @property
    def share_walk(self) -> float:
        """The rest of the trips."""
        return 1.0 - self.share_car - self.share_transit - self.share_bike

    def numbers(self) -> dict[str, Any]:
        """As JSON, always in the same order."""
        return asdict(self) | {"counts": dict(sorted(self.counts.items()))}


def assumptions(given: Mapping[str, Any]) -> Assumptions:
    """The assumptions with these in place of ours. Raises ValueError naming the field that makes no sense."""
    known = {each.name: each for each in fields(Assumptions)}
    if strange := set(given) - set(known):
        raise ValueError(f"there is no assumption “{sorted(strange)[0]}”")
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == "counts":
            values[name] = _counts(value)
            continue
        low, high = known[name].metadata["low"], known[name].metadata["high"]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise ValueError(f"{name} must be a number")
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}")
        values[name] = float(value)
    made = Assumptions(**values)
    if made.share_walk < -1e-9:
        raise ValueError("share_car, share_transit and share_bike must not sum to more than 1")
    return made


def _counts(given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping) or len(given) > 5000:
        raise ValueError("counts must name streets (at most 5000) with vehicles an hour")
    for key, value in given.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not isfinite(value) or not 0 <= value <= 50_000:
            raise ValueError(f"counts: “{str(key)[:60]}” must be from 0 to 50000 vehicles an hour")
    return {str(key): float(value) for key, value in given.items()}


@dataclass(frozen=True, slots=True)
class Activity:
    """People, jobs and visits a day of each zone (z,); `known`: "grid" where people are counted, else "floors"."""

    people: Floats
    jobs: Floats
    visits: Floats
    known: str


def activity(model: CityModel, zones: tuple[Zone, ...], assumed: Assumptions) -> Activity:
    """What goes on in each zone, stations 0."""
    homes, work = _floors(model, assumed)
    counted = _counted(model, homes)
    people_of = homes / assumed.floor_m2_per_person if counted is None else counted
    zone_of = np.full(len(model.buildings), -1, dtype=np.int64)
    for z, zone in enumerate(zones):
        zone_of[list(zone.buildings)] = z
    inside = zone_of >= 0
    n = len(zones)
    people = np.bincount(zone_of[inside], weights=people_of[inside], minlength=n)
    jobs = np.bincount(zone_of[inside], weights=work[inside] / assumed.floor_m2_per_job, minlength=n)
    return Activity(
        people.astype(np.float64),
        jobs.astype(np.float64),
        _visits(model, zones),
        "floors" if counted is None else "grid",
    )


def _floors(model: CityModel, assumed: Assumptions) -> tuple[Floats, Floats]:
    """Floor area of homes and of work in each building, in m²."""
    homes, work = np.zeros(len(model.buildings)), np.zeros(len(model.buildings))
    for i, building in enumerate(model.buildings):
        use = str(building.properties.get("use") or "yes")
        if use in NOBODY:
            continue
        levels = float(building.properties.get("levels") or 0)
        levels = levels or max(float(building.properties.get("height_m") or STOREY_M) / STOREY_M, 1.0)
        area = _area_m2(building) * min(levels, 60.0) * 0.85
        share = 1.0 if use in HOMES else 0.0 if use in WORK else assumed.unknown_use_homes
        homes[i], work[i] = area * share, area * (1 - share)
    return homes, work


def _area_m2(building: Thing) -> float:
    """The ground that it stands on."""
    total = 0.0
    for polygon in building.geometry["coordinates"]:
        for number, ring in enumerate(polygon):
            lon, lat = np.radians(np.array([p[:2] for p in ring], dtype=np.float64)).T
            x, y = (lon - lon[0]) * np.cos(lat[0]) * 6_371_000.0, (lat - lat[0]) * 6_371_000.0
            area = abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
            total += area if number == 0 else -area
    return max(total, 0.0)


def _counted(model: CityModel, homes: Floats) -> Floats | None:
    """People of each building from the grid that counts them, by floor area of homes in its cell; None without a grid.

    A cell of people without any home in the file is left out.
    """
    cells: list[Thing] = [cell for cell in getattr(model, "people", ()) if cell.properties.get("population")]
    if not cells or not model.buildings:
        return None
    from shapely import STRtree, points  # noqa: PLC0415 only models with people need it
    from shapely.geometry import shape  # noqa: PLC0415 with it

    outlines = [shape(cell.geometry) for cell in cells]
    if not any(outline.area for outline in outlines):
        return None
    middles = points([np.array(b.geometry["coordinates"][0][0][:-1])[:, :2].mean(axis=0) for b in model.buildings])
    building, cell = STRtree(outlines).query(middles, predicate="intersects")
    first = np.unique(building, return_index=True)[1]
    building, cell = building[first], cell[first]
    total = np.bincount(cell, weights=homes[building], minlength=len(cells))
    found = np.zeros(len(homes))
    heads = np.array([float(c.properties["population"]) for c in cells])
    share = np.divide(homes[building], total[cell], out=np.zeros(len(building)), where=total[cell] > 0)
    found[building] = heads[cell] * share
    return found


def _visits(model: CityModel, zones: tuple[Zone, ...]) -> Floats:
    """Visits a day to the services nearest to each zone."""
    found = np.zeros(len(zones))
    near = [z for z, zone in enumerate(zones) if not zone.station]
    if not model.services or not near or model.epsg is None:
        return found
    degrees = np.array([service.geometry["coordinates"][:2] for service in model.services], dtype=np.float64)
    place = np.column_stack(to_metres(model.epsg)(degrees[:, 0], degrees[:, 1]))
    middle = np.array([zones[z].xy_m for z in near])
    for spot, service in zip(place, model.services, strict=True):
        z = near[int(np.hypot(*(middle - spot).T).argmin())]
        found[z] += VISITS.get(str(service.properties.get("kind")), 0.0)
    return found


def trips(model: CityModel, assumed: Assumptions | None = None, network: RoadNetwork | None = None) -> Demand:
    """Cars an hour between the zones and stations of the network (made of the model if none is given).

    Raises ValueError when the model has no street for cars.
    """
    assumed = assumed or Assumptions()
    network = network or road_network(model)
    zones = network.zones
    if not zones:
        return Demand(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    goes_on = activity(model, zones, assumed)
    table = _table(network, goes_on, assumed)
    node = np.array([zone.node for zone in zones], dtype=np.int64)
    origin, destination = np.nonzero(table > 1e-6)
    return Demand(node[origin], node[destination], table[origin, destination])


def _table(network: RoadNetwork, goes_on: Activity, assumed: Assumptions) -> Floats:
    """Cars an hour (z, z)."""
    zones = network.zones
    minutes = _minutes(network)
    near = np.exp(-assumed.deterrence_per_min * np.where(np.isfinite(minutes), minutes, 1e9))
    station = np.array([zone.station for zone in zones])
    by_car = assumed.share_car / assumed.people_per_car * assumed.peak_share
    people = goes_on.people * assumed.trips_per_person * by_car
    others = (goes_on.jobs * assumed.trips_per_job + goes_on.visits * 2.0) * by_car
    leave = people * (1 - assumed.outward_share) + others * assumed.outward_share
    come = people * assumed.outward_share + others * (1 - assumed.outward_share)
    outside = assumed.outside_share if station.any() else 0.0
    within = (1 - outside) * min(leave.sum(), come.sum())
    table = np.zeros((len(zones), len(zones)))
    if within > 0:
        kernel = near.copy()
        np.fill_diagonal(kernel, 0.0)
        table += furness(kernel, within * leave / leave.sum(), within * come / come.sum())
        leave = leave - within * leave / leave.sum()
        come = come - within * come / come.sum()
    if station.any():
        out = np.array([zone.capacity_out for zone in zones])
        into = np.array([zone.capacity_in for zone in zones])
        table += _spread(near * out[None, :], leave)
        table += _spread((near * into[:, None]).T, come).T
        table += _passing(network, out, into, assumed.through_share)
    table[~np.isfinite(minutes)] = 0.0
    return table


def _spread(kernel: Floats, amounts: Floats) -> Floats:
    """Each row's amount by the weights of its row."""
    total = kernel.sum(axis=1)
    share = np.divide(kernel, total[:, None], out=np.zeros_like(kernel), where=total[:, None] > 0)
    spread: Floats = share * amounts[:, None]
    return spread


def _passing(network: RoadNetwork, out: Floats, into: Floats, share: float) -> Floats:
    """Who only passes: from each station to those beyond the middle, by capacity; nobody turns back at once."""
    place = np.array([zone.xy_m for zone in network.zones])
    apart = np.hypot(*(place[:, None, :] - place[None, :, :]).transpose(2, 0, 1))
    far = apart > 0.3 * max(float(apart.max()), 1.0)
    kernel = np.outer(into, out) * far
    within = min(into.sum(), out.sum()) * share
    if within <= 0 or not kernel.any():
        return np.zeros_like(kernel)
    return furness(kernel, within * into / into.sum(), within * out / out.sum())


def furness(kernel: Floats, rows: Floats, columns: Floats, rounds: int = 60) -> Floats:
    """The table nearest to the kernel with these sums of rows (exact) and columns (as near as the rounds come)."""
    table = kernel.copy()
    for _round in range(rounds):
        sums = table.sum(axis=0)
        table *= np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)[None, :]
        sums = table.sum(axis=1)
        table *= np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        if np.allclose(table.sum(axis=0), columns, rtol=1e-9, atol=1e-12):
            break
    return table


def _minutes(network: RoadNetwork) -> Floats:
    """Minutes between zones on empty streets, by a zero demand's shortest ways."""
    zones = np.array([zone.node for zone in network.zones], dtype=np.int64)
    from_, to = np.repeat(zones, len(zones)), np.tile(zones, len(zones))
    empty = assign(network, Demand(from_, to, np.full(len(from_), 1e-9)), gap=1.0, max_iterations=1)
    return empty.pair_cost_s.reshape(len(zones), len(zones)) / 60


WITHIN, EXCHANGE, THROUGH = 0, 1, 2


def part_of(network: RoadNetwork, od: Demand) -> NDArray[np.int64]:
    """Of each pair whether it stays within, goes in or out, or only passes (k,)."""
    station = np.zeros(len(network.xy_m), dtype=np.int64)
    station[[zone.node for zone in network.zones if zone.station]] = 1
    found: NDArray[np.int64] = station[od.origin] + station[od.destination]
    return found


@dataclass(frozen=True, slots=True)
class Fit:
    """How trips were fitted to counts: the factor of each part, and each count with the flow beside it.

    GEH = sqrt(2 (m - c)^2 / (m + c)); below 5 is what practice calls good (Design Manual for Roads and Bridges).
    """

    factors: tuple[float, float, float]
    counts: dict[str, tuple[float, float, float]]


def calibrated(
    network: RoadNetwork, od: Demand, counts: Mapping[str, float], *, gap: float = 1e-4, rounds: int = 4
) -> tuple[Demand, Assignment, Fit]:
    """Trips whose three parts are scaled so that flows come near the counts, never below 0.2 or above 5 times.

    Least squares with a pull to the factors of before (a tenth of the flows' norm), assigned anew each round.
    Counts of streets that the network does not have are left out.
    """
    part = part_of(network, od)
    places = [(key, network.of([key])) for key in counts]
    places = [(key, there) for key, there in places if len(there)]
    found, factors = assign(network, od, gap=gap), np.ones(3)
    now = od
    for _round in range(rounds if places else 0):
        flows = _by_part(network, now, found, part)
        seen = np.array([flows[:, there].sum(axis=1) for _key, there in places]) / np.maximum(factors, 1e-9)
        wanted = np.array([counts[key] for key, _there in places])
        pull = 0.1 * max(float(np.linalg.norm(seen)), 1e-9)
        left, right = np.vstack([seen, pull * np.eye(3)]), np.concatenate([wanted, pull * factors])
        factors = np.clip(nnls(left, right)[0], 0.2, 5.0)
        now = replace(od, trips=od.trips * factors[part])
        found = assign(network, now, gap=gap, start=found)
    beside = {}
    for key, there in places:
        flow, count = float(found.flow[there].sum()), float(counts[key])
        geh = float(np.sqrt(2 * (flow - count) ** 2 / (flow + count))) if flow + count > 0 else 0.0
        beside[key] = (count, flow, geh)
    return now, found, Fit((float(factors[0]), float(factors[1]), float(factors[2])), beside)


def _by_part(network: RoadNetwork, od: Demand, found: Assignment, part: NDArray[np.int64]) -> Floats:
    """Flow of each part on each link (3, m)."""
    ways, n = found.ways, len(network.xy_m)
    names, wanted = od.origin * n + od.destination, ways.origin * n + ways.destination
    order = np.argsort(names)
    mine = part[order[np.searchsorted(names[order], wanted)]][ways.pair]
    length = np.diff(ways.first)
    flows = np.zeros((3, len(network.tail)))
    np.add.at(flows, (np.repeat(mine, length), ways.link), np.repeat(ways.flow, length))
    return flows


@dataclass(frozen=True, slots=True)
class Answer:
    """What an hour of traffic comes to. Arrays by link (m,), by zone (z,) or by pair."""

    vehicles: float
    vehicle_km: float
    vehicle_h: float
    delay_h: float
    speed_kmh: float
    co2_kg: float
    diverted: float
    unserved: float
    volume_over_capacity: Floats
    delay_s: Floats
    zone_delay_min: Floats
    zone_trips: Floats


def answer(network: RoadNetwork, od: Demand, found: Assignment, assumed: Assumptions) -> Answer:
    """Sums over the roads of the district; who drives round outside is counted as `diverted`, not in the sums.

    Delay is time beyond that on empty streets; of a zone, the mean over the trips that begin or end there.
    """
    roads = network.kind == ROAD
    flow, km = found.flow, network.length_m / 1000
    delay_s = np.where(roads, found.cost_s - network.free_flow_s, 0.0)
    vehicle_km, hours = float((flow * km)[roads].sum()), float((flow * found.cost_s)[roads].sum()) / 3600
    node_zone = np.full(len(network.xy_m), -1, dtype=np.int64)
    for z, zone in enumerate(network.zones):
        node_zone[zone.node] = z
    begin, end = node_zone[od.origin], node_zone[od.destination]
    served = np.isfinite(found.pair_cost_s)
    empty = assign(network, replace(od, trips=np.full(len(od.trips), 1e-9)), gap=1.0, max_iterations=1).pair_cost_s
    late = np.where(served, found.pair_cost_s - np.where(served, empty, 0.0), 0.0) * od.trips / 60
    n = len(network.zones)
    zone_trips = np.bincount(begin, od.trips * served, n) + np.bincount(end, od.trips * served, n)
    zone_late = np.bincount(begin, late, n) + np.bincount(end, late, n)
    outside = float(flow[network.kind == 2].sum()) / 2
    return Answer(
        vehicles=float(od.trips[served].sum()),
        vehicle_km=vehicle_km,
        vehicle_h=hours,
        delay_h=float((flow * delay_s).sum()) / 3600,
        speed_kmh=vehicle_km / hours if hours > 0 else 0.0,
        co2_kg=vehicle_km * assumed.co2_g_per_km / 1000,
        diverted=outside,
        unserved=found.unserved,
        volume_over_capacity=np.where(roads, flow / network.capacity_veh_h, 0.0),
        delay_s=delay_s,
        zone_delay_min=np.divide(zone_late, zone_trips, out=np.zeros(n), where=zone_trips > 0),
        zone_trips=zone_trips.astype(np.float64),
    )
