"""Roads and trips before and after: measures as a changed copy of the network and of the trips, and their equilibrium.

Today's equilibrium comes first; the scenario's starts from its ways. Both reach the same gap. Trips are the same on
both sides but for what a measure says (shifted trips, a building that is used otherwise).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from energy.engine.refusals import gettext_noop
from twin.engine import demand
from twin.engine.assignment import Assignment, Demand, Ways, assign
from twin.engine.crs import to_metres
from twin.engine.demand import EXCHANGE, THROUGH, WITHIN, Assumptions
from twin.engine.measures.base import Calmed, Changes, NewStreet, Refused
from twin.engine.model import CityModel, Position
from twin.engine.network import OUTSIDE, ROAD, RoadNetwork
from twin.engine.whatif.draws import Draw

Floats: TypeAlias = NDArray[np.float64]

GAP, GAP_OF_DRAWS = 1e-6, 1e-5
NEW_KMH, NEW_CAPACITY = 30.0, 500.0
NEAREST_M = 150.0
LEAST_M = 5.0
STOPPED_S = 1.0
MOST_KEPT = 20_000_000
"""Links of the ways of all draws that are kept for the scenario's draws to start from: 80 MB. A network whose draws
have more is drawn `FEW` times.
"""
FEW = 4


@dataclass(frozen=True, slots=True)
class Roads:
    """A network and who drives on it, and which part of the trips each pair is (k,)."""

    network: RoadNetwork
    od: Demand
    part: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hour:
    """The busiest hour: sums over the district's streets; `outside`: cars that drive round it, and `outside_km`."""

    found: Assignment
    vehicles: float
    vehicle_km: float
    vehicle_h: float
    delay_h: float
    unserved: float
    outside: float
    outside_km: float

    @property
    def speed_kmh(self) -> float:
        """The mean over the district's streets."""
        return self.vehicle_km / self.vehicle_h if self.vehicle_h > 0 else 0.0

    @property
    def mean_min(self) -> float:
        """Of a trip, outside and connectors included."""
        return self.found.total_travel_time / 60 / self.vehicles if self.vehicles > 0 else 0.0


def roads(network: RoadNetwork, od: Demand) -> Roads:
    """Today's."""
    return Roads(network, od, demand.part_of(network, od))


def changed(  # noqa: PLR0917 today, then what changes it
    today: Roads,
    before: CityModel,
    after: CityModel,
    made: Changes,
    keys: Callable[[str], Sequence[str]],
    a: Assumptions,
) -> Roads:
    """The roads and trips under measures. `keys`: the pieces of a street. Raises Refused for what leaves no road."""
    network = today.network
    for number, new in enumerate(made.streets, 1):
        network = _with_street(network, before, new, number)
    for name, calmed in made.calmed:
        network = _calmed(network, keys(name), calmed)
    shut = [key for name in made.closed for key in keys(name)]
    if shut:
        network = network.close(shut)
        if network.closed[network.kind == ROAD].all():
            raise Refused(
                gettext_noop(
                    "This closes every street of the district, so nobody could drive anywhere. Leave some open."
                ),
                field="street",
            )
    od, part = today.od, today.part
    if made.buildings:
        od = demand.trips(after, a, today.network)
        part = demand.part_of(today.network, od)
    for mode, share in made.shifts:
        moved = part == WITHIN if mode == "walk" else (part == WITHIN) | (part == EXCHANGE)
        od = replace(od, trips=np.where(moved, od.trips * (1 - share), od.trips))
    then = Roads(network, od, part)
    return today if _same(today, then) else then


def _same(a: Roads, b: Roads) -> bool:
    """Whether nothing is different, so that the one answer serves both."""
    if a.network is b.network and a.od is b.od:
        return True
    names = ("tail", "free_flow_s", "capacity_veh_h", "closed", "speed_kmh", "lanes")
    alike = all(np.array_equal(getattr(a.network, name), getattr(b.network, name)) for name in names)
    return alike and all(np.array_equal(getattr(a.od, n), getattr(b.od, n)) for n in ("origin", "destination", "trips"))


def _calmed(network: RoadNetwork, keys: Sequence[str], how: Calmed) -> RoadNetwork:
    if not how.lane:
        return network.calm(keys, speed_kmh=how.speed_kmh, capacity_share=how.capacity_share)
    there = network.of(keys)
    lanes = network.lanes[there].astype(np.float64)
    capacity = network.capacity_veh_h.copy()
    capacity[there] *= np.where(lanes > 1, (lanes - 1) / np.maximum(lanes, 1), 0.5)
    left = network.lanes.copy()
    left[there] = np.maximum(network.lanes[there] - 1, 1)
    return replace(network, capacity_veh_h=capacity, lanes=left)


def _with_street(network: RoadNetwork, model: CityModel, new: NewStreet, number: int) -> RoadNetwork:
    """A copy with two more links, behind all others, between the crossings nearest to both ends."""
    usable = np.unique(np.concatenate([network.tail[network.kind == ROAD], network.head[network.kind == ROAD]]))
    ends = nearest(model, network.xy_m[usable], (new.start, new.end))
    a, b = (int(usable[i]) for i in ends)
    length = max(float(np.hypot(*(network.xy_m[a] - network.xy_m[b]))), LEAST_M)

    def more(values: Any, *pair: float) -> Any:
        return np.concatenate([values, np.array(pair, dtype=values.dtype)])

    two = (length, length)
    return replace(
        network,
        tail=more(network.tail, a, b),
        head=more(network.head, b, a),
        length_m=more(network.length_m, *two),
        free_flow_s=more(network.free_flow_s, *(each / (NEW_KMH / 3.6) for each in two)),
        capacity_veh_h=more(network.capacity_veh_h, NEW_CAPACITY, NEW_CAPACITY),
        speed_kmh=more(network.speed_kmh, NEW_KMH, NEW_KMH),
        kind=more(network.kind, ROAD, ROAD),
        closed=more(network.closed, False, False),
        forward=more(network.forward, True, False),
        pieces=(*network.pieces, (f"new-street-{number}",), (f"new-street-{number}",)),
        lanes=more(network.lanes, 1, 1),
        fixed_s=more(network.fixed_s, 0.0, 0.0) if len(network.fixed_s) else network.fixed_s,
    )


def nearest(model: CityModel, xy_m: Floats, ends: Sequence[Position]) -> list[int]:
    """The places nearest to both ends. Raises Refused where one is farther than 150 m, or both are the same."""
    assert model.epsg is not None  # noqa: S101 every reader sets it
    lon, lat = np.array(ends, dtype=np.float64).T
    away, found = KDTree(xy_m).query(np.column_stack(to_metres(model.epsg)(lon, lat)))
    if away.max() > NEAREST_M:
        raise Refused(
            gettext_noop("A new street must begin and end within %(m)d m of a crossing; %(far)d m is too far."),
            field="from" if away[0] > NEAREST_M else "to", m=int(NEAREST_M), far=round(float(away.max())),
        )  # fmt: skip
    if found[0] == found[1]:
        raise Refused(
            gettext_noop("Both ends of the new street lie at the same crossing; move one of them."), field="to"
        )
    return [int(i) for i in found]


def hour(now: Roads, draw: Draw, start: Assignment | None) -> Hour:
    """The equilibrium of the hour in a draw."""
    od = now.od
    if draw.number:
        od = replace(od, trips=od.trips * np.where(now.part == THROUGH, draw.through, draw.trips))
    network = now.network
    found = assign(network, od, gap=GAP_OF_DRAWS if draw.number else GAP, start=start)
    mine = network.kind == ROAD
    km = network.length_m / 1000
    served = np.isfinite(found.pair_cost_s)
    return Hour(
        found=found,
        vehicles=float(od.trips[served].sum()),
        vehicle_km=float((found.flow * km)[mine].sum()),
        vehicle_h=float((found.flow * found.cost_s)[mine].sum()) / 3600,
        delay_h=float((found.flow * np.maximum(found.cost_s - network.free_flow_s, 0.0))[mine].sum()) / 3600,
        unserved=found.unserved,
        outside=float(found.flow[network.kind == OUTSIDE].sum()) / 2,
        outside_km=float((found.flow * km)[network.kind == OUTSIDE].sum()),
    )


def hours(
    now: Roads, draws: Sequence[Draw], beside: Sequence[Hour] | None, tell: Callable[[float], None]
) -> tuple[Hour, ...]:
    """The hour in each draw. `beside`: today's, whose ways each starts from. A large city is drawn a few times alone,
    for each takes half a minute; the ways of these are not kept, and the scenario's start from its first.
    """
    first = hour(now, draws[0], beside[0].found if beside else None)
    light = len(first.found.ways.link) * len(draws) > MOST_KEPT
    taken = draws[: FEW + 1] if light else draws
    found = [first]
    for number, draw in enumerate(taken[1:], 1):
        before = beside[number].found if beside and number < len(beside) else first.found
        one = hour(now, draw, before if len(before.ways.pair) else first.found)
        found.append(replace(one, found=replace(one.found, ways=Ways.none())) if light else one)
        tell(len(found) / len(taken))
    return tuple(found)


def by_street(now: Roads, found: Hour, keys: Sequence[str]) -> tuple[Floats, Floats]:
    """Vehicles in the hour and mean speed (km/h) on each piece of street, both directions; 0 where there is no road."""
    place = {key: i for i, key in enumerate(keys)}
    flow, seconds, metres = np.zeros(len(keys)), np.zeros(len(keys)), np.zeros(len(keys))
    cost = found.found.cost_s
    for i, names in enumerate(now.network.pieces):
        for name in names:
            at = place.get(name)
            if at is None or now.network.kind[i] != ROAD:
                continue
            flow[at] += found.found.flow[i]
            seconds[at] += cost[i]
            metres[at] += now.network.length_m[i]
    speed = np.divide(metres, np.maximum(seconds, STOPPED_S), out=np.zeros(len(keys)), where=metres > 0) * 3.6
    return flow, speed
