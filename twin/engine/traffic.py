"""An hour of traffic of a district from end to end: roads, trips, equilibrium, what it comes to, and its picture."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.engine import assignment, demand
from twin.engine.assignment import Assignment, Demand
from twin.engine.demand import Answer, Assumptions
from twin.engine.flows import Stroke, picture
from twin.engine.model import CityModel
from twin.engine.network import ROAD, RoadNetwork, road_network

GAP = 1e-6
VERSION = "twin traffic 1"
"""What was reckoned with what; raise it when any result may change."""

Say = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Traffic:
    """`summary`: figures by name; `streets`: columns by street (both directions together); `zones`: rows; `svg`."""

    summary: dict[str, Any]
    streets: dict[str, list[Any]]
    zones: list[dict[str, Any]]
    svg: str


@dataclass(frozen=True, slots=True)
class Solved:
    """Roads, trips and their equilibrium, with the fit to counts where there are any."""

    network: RoadNetwork
    od: Demand
    found: Assignment
    fit: demand.Fit | None


def solve(model: CityModel, assumed: Assumptions, *, network: RoadNetwork | None = None) -> Solved:
    """The equilibrium of a model. Raises ValueError when nobody can drive there."""
    network = network or road_network(model)
    od = demand.trips(model, assumed, network)
    fit = None
    start = None
    if assumed.counts:
        od, start, fit = demand.calibrated(network, od, assumed.counts)
    return Solved(network, od, assignment.assign(network, od, gap=GAP, start=start), fit)


def traffic(model: CityModel, assumed: Assumptions, say: Say = lambda _share, _stage: None) -> Traffic:
    """The whole answer for a district. Raises ValueError when nobody can drive there."""
    say(0.1, "network")
    network = road_network(model)
    say(0.3, "trips")
    solved = solve(model, assumed, network=network)
    say(0.7, "answer")
    answer = demand.answer(network, solved.od, solved.found, assumed)
    streets = _streets(model, network, solved.found, answer)
    say(0.85, "picture")
    svg, size = _drawn(model, streets)
    summary = _summary(model, solved, answer, assumed) | {"picture": size}
    return Traffic(summary, streets, _zones(network, answer, model, assumed), svg)


def _summary(model: CityModel, solved: Solved, answer: Answer, assumed: Assumptions) -> dict[str, Any]:
    network, od, found = solved.network, solved.od, solved.found
    part = demand.part_of(network, od)
    goes_on = demand.activity(model, network.zones, assumed)
    by_all = (
        goes_on.people.sum() * assumed.trips_per_person
        + goes_on.jobs.sum() * assumed.trips_per_job
        + goes_on.visits.sum() * 2.0
    ) * assumed.peak_share
    modes = {way: getattr(assumed, f"share_{way}") for way in ("car", "transit", "bike", "walk")}
    roads = network.kind == ROAD
    return {
        "engine": found.engine,
        "gap": found.gap,
        "rounds": found.iterations,
        "objective_h": found.objective / 3600,
        "links": int(roads.sum()),
        "nodes": len(network.xy_m),
        "road_km": float(network.length_m[roads].sum()) / 1000,
        "zones": sum(not zone.station for zone in network.zones),
        "stations": sum(zone.station for zone in network.zones),
        "kept_share": network.kept_share,
        "people": float(goes_on.people.sum()),
        "jobs": float(goes_on.jobs.sum()),
        "visits": float(goes_on.visits.sum()),
        "people_known": goes_on.known,
        "person_trips": {way: float(by_all * share) for way, share in modes.items()},
        "trips": {
            name: float(od.trips[part == number].sum()) for number, name in enumerate(("within", "exchange", "through"))
        },
        **{
            name: float(getattr(answer, name))
            for name in (
                "vehicles", "vehicle_km", "vehicle_h", "delay_h", "speed_kmh", "co2_kg", "diverted", "unserved",
            )
        },
        "over_capacity_km": float(network.length_m[answer.volume_over_capacity > 1].sum()) / 1000,
        "fit": None
        if solved.fit is None
        else {"factors": list(solved.fit.factors), "counts": {k: list(v) for k, v in solved.fit.counts.items()}},
    }  # fmt: skip


def _streets(model: CityModel, network: RoadNetwork, found: Assignment, answer: Answer) -> dict[str, list[Any]]:
    """For each piece of street: flow of both directions, the worse of their ratios, speeds and delay."""
    links: dict[str, list[int]] = defaultdict(list)
    for i, names in enumerate(network.pieces):
        for key in names:
            links[key].append(i)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("key", "name", "flow", "voc", "speed_kmh", "free_kmh", "delay_s")
    }
    for street in model.streets:
        if street.key not in links:
            continue
        mine = np.array(links[street.key])
        metres, seconds = network.length_m[mine], found.cost_s[mine]
        worst = int(mine[answer.volume_over_capacity[mine].argmax()])
        length = float(street.properties["length_m"])
        columns["key"].append(street.key)
        columns["name"].append(street.properties.get("name", ""))
        columns["flow"].append(round(float(found.flow[mine].sum()), 1))
        columns["voc"].append(round(float(answer.volume_over_capacity[worst]), 3))
        columns["speed_kmh"].append(round(float((metres / seconds).min()) * 3.6, 1))
        columns["free_kmh"].append(round(float(network.speed_kmh[worst]), 1))
        columns["delay_s"].append(round(float(answer.delay_s[worst] * length / network.length_m[worst]), 1))
    return columns


def _zones(network: RoadNetwork, answer: Answer, model: CityModel, assumed: Assumptions) -> list[dict[str, Any]]:
    """Each zone with its people, its cars and how long they are late on average."""
    goes_on = demand.activity(model, network.zones, assumed)
    return [
        {
            "name": zone.name,
            "station": zone.station,
            "place": _place(model, zone.buildings),
            "people": round(float(goes_on.people[z])),
            "jobs": round(float(goes_on.jobs[z])),
            "cars": round(float(answer.zone_trips[z]), 1),
            "delay_min": round(float(answer.zone_delay_min[z]), 3),
        }
        for z, zone in enumerate(network.zones)
    ]


def _place(model: CityModel, buildings: tuple[int, ...]) -> str:
    """What people call a zone: the street of most of its addresses."""
    met: dict[str, int] = defaultdict(int)
    for i in buildings:
        street = str(model.buildings[i].properties.get("address", "")).rstrip("0123456789abcdefABCDEF-– ,")
        if street:
            met[street] += 1
    return max(met, key=lambda name: (met[name], name)) if met else ""


def _drawn(model: CityModel, streets: dict[str, list[Any]]) -> tuple[str, list[int]]:
    place = {key: i for i, key in enumerate(streets["key"])}
    strokes = [
        Stroke(street.geometry["coordinates"], streets["flow"][i], streets["voc"][i])
        for street in model.streets
        if (i := place.get(street.key)) is not None
    ]
    areas = [(area.geometry, str(area.properties.get("kind", "green"))) for area in model.areas]
    return picture(strokes, [building.geometry for building in model.buildings], areas)
