"""Vehicles for SUMO from an equilibrium: one set of possible trips for all seeds, of which each seed keeps its part.

Trips are drawn once (`TRIPS_SEED`) at 5/4 of the demand; a seed keeps each with the chance 4/5, by a number that
depends on the trip and the seed alone. So baseline and variant have the same trips of the same seed, leaving at the
same moment, and only what the variant changes differs. Each takes one of the equilibrium's ways, by their shares.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.engine.assignment import Assignment, Demand
from twin.engine.network import ROAD, RoadNetwork

TRIPS_SEED = 20_260_101
HOUR_S = 3600.0
_MORE = 1.25


@dataclass(frozen=True, slots=True)
class Trips:
    """All possible trips (t,): pair of nodes, when they leave in seconds, and the number that picks their way; which
    pair of the demand it is, and the number that says which sides have it.
    """

    origin: NDArray[np.int64]
    destination: NDArray[np.int64]
    depart_s: NDArray[np.float64]
    pick: NDArray[np.float64]
    pair: NDArray[np.int64]
    thin: NDArray[np.float64]


def possible(od: Demand) -> Trips:
    """Every trip that any seed may keep, in order of departure. Depends on the demand alone, not on the network."""
    dice = np.random.default_rng(TRIPS_SEED)
    number = dice.poisson(od.trips * _MORE)
    pair = np.repeat(np.arange(len(od.trips)), number)
    depart, pick = dice.uniform(0, HOUR_S, len(pair)), dice.uniform(0, 1, len(pair))
    order = np.argsort(depart, kind="stable")
    pair = pair[order]
    thin = np.random.default_rng([TRIPS_SEED, 0, 1]).uniform(0, 1, len(pair))
    return Trips(od.origin[pair], od.destination[pair], depart[order], pick[order], pair, thin)


def kept(trips: Trips, seed: int) -> NDArray[np.bool_]:
    """Which of them this seed keeps (t,)."""
    return np.random.default_rng([TRIPS_SEED, seed]).uniform(0, 1, len(trips.depart_s)) < 1 / _MORE


def within(trips: Trips, share: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Which of them a side has that has this share of each pair's (t,)."""
    if share is None:
        return np.ones(len(trips.thin), dtype=np.bool_)
    found: NDArray[np.bool_] = trips.thin < share[trips.pair]
    return found


def write(path: Path, network: RoadNetwork, found: Assignment, trips: Trips, keep: NDArray[np.bool_]) -> int:
    """Write the kept trips as vehicles with routes; how many. Who drives only outside, or nowhere, is left out."""
    ways, n = found.ways, len(network.xy_m)
    first_of: dict[int, tuple[int, int]] = {}
    for p, q in enumerate(ways.pair.tolist()):
        name = int(ways.origin[q]) * n + int(ways.destination[q])
        begin, _end = first_of.get(name, (p, p))
        first_of[name] = (begin, p + 1)
    shares = {name: np.cumsum(ways.flow[begin:end]) for name, (begin, end) in first_of.items()}
    routes = [_route(network, ways.link[ways.first[p] : ways.first[p + 1]]) for p in range(len(ways.pair))]
    lines = []
    for t in np.flatnonzero(keep).tolist():
        name = int(trips.origin[t]) * n + int(trips.destination[t])
        if name not in shares:
            continue
        begin, end = first_of[name]
        total = shares[name]
        p = begin + min(int(np.searchsorted(total, trips.pick[t] * total[-1], side="right")), end - begin - 1)
        if routes[p]:
            lines.append(
                f'<vehicle id="{t}" depart="{trips.depart_s[t]:.1f}" departLane="best" departSpeed="max">'
                f'<route edges="{routes[p]}"/></vehicle>'
            )
    path.write_text("<routes>\n" + "\n".join(lines) + "\n</routes>\n", encoding="utf-8")
    return len(lines)


def _route(network: RoadNetwork, links: NDArray[np.int32]) -> str:
    """The roads of a way; of one that goes round outside, the longer of its parts within."""
    parts: list[list[str]] = [[]]
    for i in links.tolist():
        if network.kind[i] == ROAD:
            parts[-1].append(f"r{i}")
        elif parts[-1]:
            parts.append([])
    longest: list[str] = []
    for part in parts:
        longest = part if len(part) > len(longest) else longest
    return " ".join(longest)
