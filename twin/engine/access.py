"""Minutes on foot from every building to the nearest service of each kind.

minutes = (straight to the network + shortest path + straight to the service) / 1.33 m/s / 60. For each kind
one Dijkstra (scipy, `min_only`) runs from all services of the kind at once: each service is an extra node,
joined by a one-way edge as long as its straight way. That is exact, and 446 buildings x 20 kinds take about
15 ms. Limits: no waiting at crossings, no slopes, no opening hours; services beyond the extract are not seen,
so minutes near its rim are upper bounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.engine.walk import WalkGraph

Floats: TypeAlias = NDArray[np.float64]

SPEED_M_S = 1.33
EVERYDAY = ("grocery", "school", "pharmacy", "library", "health", "transit", "park")
"""The seven kinds of the 15-minute figure."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a kind of service is, over all buildings; shares are 0..1 of the buildings."""

    services: int
    median_min: float
    max_min: float
    share_5: float
    share_10: float
    share_15: float


def minutes(
    walk: WalkGraph,
    buildings_m: Floats,
    services_m: Floats,
    kinds: Sequence[str],
    speed_m_s: float = SPEED_M_S,
) -> dict[str, Floats]:
    """For each kind the minutes (m,) from each of `buildings_m` (m, 2) to the nearest of `services_m` (k, 2).

    `kinds` (k) names each service's kind. Buildings and services are in the graph's metres.
    """
    at, out_m = walk.snap(buildings_m)
    node, in_m = walk.snap(services_m)
    whole = _with_services(walk, node, in_m)
    n = len(walk.xy_m)
    found = {}
    for kind, members in sorted(_by_kind(kinds).items()):
        reached = dijkstra(whole, directed=True, indices=n + members, min_only=True)
        found[kind] = (out_m + reached[at]) / speed_m_s / 60
    return found


def _by_kind(kinds: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    names = np.asarray(kinds)
    return {str(kind): np.flatnonzero(names == kind) for kind in np.unique(names)}


def _with_services(walk: WalkGraph, node: NDArray[np.int64], in_m: Floats) -> "csr_array[np.float64]":
    """The graph with one extra node for each service and an edge from it to its node on the network.

    A service that stands on a node gets a millimetre: scipy reads a stored zero as no edge.
    """
    n, k = len(walk.xy_m), len(node)
    inner = walk.lengths_m
    indptr = np.concatenate([inner.indptr, inner.indptr[-1] + 1 + np.arange(k)])
    indices = np.concatenate([inner.indices, node])
    data = np.concatenate([inner.data, np.maximum(in_m, 1e-3)])
    return csr_array((data, indices, indptr), shape=(n + k, n + k))


def reach(found: Mapping[str, Floats], kinds: Sequence[str]) -> dict[str, Reach]:
    """The summary of each kind (contract: `access DISTRICT --json`)."""
    summary = {}
    for kind, mins in found.items():
        shares = [float((mins <= limit).mean()) for limit in (5, 10, 15)]
        summary[kind] = Reach(list(kinds).count(kind), float(np.median(mins)), float(mins.max()), *shares)
    return summary


def all_within(found: Mapping[str, Floats], limit_min: float = 15.0, kinds: Sequence[str] = EVERYDAY) -> float | None:
    """The share of buildings with every one of these kinds within the limit; None when a kind is not there
    at all.
    """
    if any(kind not in found for kind in kinds):
        return None
    worst = np.max([found[kind] for kind in kinds], axis=0)
    return float((worst <= limit_min).mean())
