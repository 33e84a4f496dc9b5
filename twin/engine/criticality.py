"""Which pieces of path the district leans on: how many buildings get farther from what they need if one is closed.

Closing a piece changes a building's minutes to the nearest service of a kind only if the piece lies on the building's
shortest way, that is, in the tree that one Dijkstra a kind gives. What hangs below the piece in that tree is found
anew, from the edges that enter it from outside: exact, and for all pieces together about as much work as some
runs over the whole network. Closed means closed on foot, one piece between two crossings at a time. Where two pieces
join the same two crossings, either stands in for the other, and neither is counted.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from energy.engine.compiled import compiled
from twin.engine import access
from twin.engine.access import EVERYDAY, SPEED_M_S
from twin.engine.district import anchor, places_m, walk_graph
from twin.engine.model import CityModel
from twin.engine.walk import WalkGraph

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

FARTHER_MIN = 2.0


@dataclass(frozen=True, slots=True)
class Lean:
    """A piece of path (nodes `a` and `b` of the graph) and who leans on it.

    `buildings`: how many are farther by more than the limit from one kind at least; `cut`: of them with no way at
    all to a kind; `worst_min`: the greatest finite detour.
    """

    a: int
    b: int
    buildings: int
    cut: int
    worst_min: float


@compiled
def _below(  # noqa: PLR0912, PLR0917 compiled: positional alone, and in one piece
    indptr: Ints,
    indices: Ints,
    data: Floats,
    far: Floats,
    parent: Ints,
    entry: Floats,
    child_ptr: Ints,
    children: Ints,
    weight: Ints,
    home_ptr: Ints,
    homes: Ints,
    limit_m: float,
) -> Any:
    """For each tree edge, the buildings below it that get farther: lists of node, building, metres more."""
    n = len(far)
    stamp = np.full(n, -1, dtype=np.int64)
    fresh = np.empty(n)
    nodes, who, more = [0], [0], [0.0]
    nodes.clear()
    who.clear()
    more.clear()
    stack = np.empty(n, dtype=np.int64)
    inside = np.empty(n, dtype=np.int64)
    for v in range(n):
        u = parent[v]
        if u < 0 or weight[v] == 0:
            continue
        count, top = 0, 1
        stack[0] = v
        while top > 0:
            top -= 1
            y = stack[top]
            stamp[y] = v
            fresh[y] = np.inf
            inside[count] = y
            count += 1
            for c in range(child_ptr[y], child_ptr[y + 1]):
                stack[top] = children[c]
                top += 1
        heap = [(0.0, 0)]
        heap.clear()
        for i in range(count):
            y = inside[i]
            best = entry[y]
            for e in range(indptr[y], indptr[y + 1]):
                x = indices[e]
                if stamp[x] != v and not (x == u and y == v):
                    best = min(best, far[x] + data[e])
            if best < np.inf:
                fresh[y] = best
                heapq.heappush(heap, (best, y))
        while len(heap) > 0:
            d, y = heapq.heappop(heap)
            if d > fresh[y]:
                continue
            for e in range(indptr[y], indptr[y + 1]):
                x = indices[e]
                if stamp[x] == v and d + data[e] < fresh[x]:
                    fresh[x] = d + data[e]
                    heapq.heappush(heap, (fresh[x], x))
        for i in range(count):
            y = inside[i]
            extra = fresh[y] - far[y]
            if extra > limit_m:
                for h in range(home_ptr[y], home_ptr[y + 1]):
                    nodes.append(v)
                    who.append(homes[h])
                    more.append(extra)
    return nodes, who, more


def leaning(
    walk: WalkGraph,
    homes_m: Floats,
    services_m: Floats,
    kinds: Sequence[str],
    *,
    farther_min: float = FARTHER_MIN,
    wanted: Sequence[str] = EVERYDAY,
) -> list[Lean]:
    """The pieces that some building leans on, those of most buildings first."""
    at, _out = walk.snap(homes_m)
    node, in_m = walk.snap(services_m)
    whole = access._with_services(walk, node, in_m)
    n = len(walk.xy_m)
    home_ptr, homes = _grouped(at, n)
    names = np.asarray(kinds)
    found: list[tuple[Ints, Ints, Floats, Ints]] = []
    for kind in wanted:
        members = np.flatnonzero(names == kind)
        if not len(members):
            continue
        far, before, _source = dijkstra(
            whole, directed=True, indices=n + members, min_only=True, return_predecessors=True
        )
        entry = np.full(n, np.inf)
        np.minimum.at(entry, node[members], np.maximum(in_m[members], 1e-3))
        parent = np.where((before[:n] >= 0) & (before[:n] < n), before[:n], -1).astype(np.int64)
        found.append(_of_kind(walk, far[:n], parent, entry, home_ptr, homes, farther_min * 60 * SPEED_M_S))
    return _gathered(found)


def _of_kind(  # noqa: PLR0917 a tree and what hangs on it
    walk: WalkGraph, far: Floats, parent: Ints, entry: Floats, home_ptr: Ints, homes: Ints, limit_m: float
) -> tuple[Ints, Ints, Floats, Ints]:
    n = len(far)
    hung = np.flatnonzero(parent >= 0)
    child_ptr, order = _grouped(parent[hung], n)
    children = hung[order]
    weight = np.diff(home_ptr).astype(np.int64)
    for v in np.argsort(-far):
        if parent[v] >= 0:
            weight[parent[v]] += weight[v]
    m = walk.lengths_m
    indptr, indices = m.indptr.astype(np.int64), m.indices.astype(np.int64)
    nodes, who, more = _below(
        indptr, indices, m.data, far, parent, entry, child_ptr, children, weight, home_ptr, homes, limit_m
    )
    v = np.array(nodes, dtype=np.int64)
    return v, np.array(who, dtype=np.int64), np.array(more), parent[v] if len(v) else v


def _grouped(of: Ints, n: int) -> tuple[Ints, Ints]:
    """Positions by what they belong to: pointers (n + 1) and the positions."""
    order = np.argsort(of, kind="stable").astype(np.int64)
    return np.concatenate([[0], np.cumsum(np.bincount(of, minlength=n))]).astype(np.int64), order


def _gathered(found: Sequence[tuple[Ints, Ints, Floats, Ints]]) -> list[Lean]:
    """One row a piece, whichever way it was walked."""
    if not found:
        return []
    v, who, more, u = (np.concatenate([part[i] for part in found]) for i in range(4))
    by_piece: dict[tuple[int, int], dict[int, float]] = {}
    for a, b, building, extra in zip(u.tolist(), v.tolist(), who.tolist(), more.tolist(), strict=True):
        hit = by_piece.setdefault((min(a, b), max(a, b)), {})
        hit[building] = max(hit.get(building, 0.0), extra)
    rows = []
    for (a, b), hit in by_piece.items():
        finite = [extra for extra in hit.values() if extra < np.inf]
        worst = max(finite, default=0.0) / 60 / SPEED_M_S
        rows.append(Lean(a, b, len(hit), len(hit) - len(finite), worst))
    return sorted(rows, key=lambda row: (-row.buildings, -row.cut, -row.worst_min, row.a, row.b))


def of_district(model: CityModel, *, farther_min: float = FARTHER_MIN) -> list[tuple[str, Lean]]:
    """The keys of the pieces of street that buildings lean on; empty without streets or services."""
    if not (model.buildings and model.services and any(s.properties["foot"] for s in model.streets)):
        return []
    walk = walk_graph(model)
    kinds = [service.properties["kind"] for service in model.services]
    homes = places_m(model, [anchor(building) for building in model.buildings])
    services = places_m(model, [service.geometry["coordinates"] for service in model.services])
    pieces = _pieces(model, walk)
    rows = leaning(walk, homes, services, kinds, farther_min=farther_min)
    return [(keys[0], row) for row in rows if len(keys := pieces.get((row.a, row.b), [])) == 1]


def _pieces(model: CityModel, walk: WalkGraph) -> dict[tuple[int, int], list[str]]:
    """The pieces of street between two nodes of the graph."""
    number = {int(node): i for i, node in enumerate(walk.ids)}
    found: dict[tuple[int, int], list[str]] = {}
    for street in model.streets:
        about = street.properties
        a, b = number.get(int(about["a"])), number.get(int(about["b"]))
        if about["foot"] and a is not None and b is not None and a != b:
            found.setdefault((min(a, b), max(a, b)), []).append(street.key)
    return found
