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
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class _Trees:
    """Shortest ways from every node (n,) to its nearest service, one row for each kind (k, n).

    `far`: metres along them; `parent`: the next node on the way, -1 where it leaves the network; `entry`: metres from
    the node straight to a service that stands at it; `children[child_ptr[v]:child_ptr[v + 1]]` come by node v;
    `weight`: buildings at a node and at all that come by it.
    """

    far: Floats
    parent: Ints
    entry: Floats
    child_ptr: Ints
    children: Ints
    weight: Ints


@compiled
def _lean(  # noqa: PLR0912, PLR0915, PLR0917 compiled: positional alone, and in one piece
    ends: Ints,
    indptr: Ints,
    indices: Ints,
    data: Floats,
    far: Floats,
    parent: Ints,
    entry: Floats,
    child_ptr: Ints,
    children: Ints,
    weight: Ints,
    homes: Ints,
    limit_m: float,
    out: Floats,
) -> None:
    """For each piece (m, 2): buildings that get farther, those of them without any way, and the longest detour in
    metres. Piece by piece over all kinds, so that nothing but `out` grows with the district.
    """
    n = far.shape[1]
    stamp, fresh = np.full(n, -1, dtype=np.int64), np.empty(n)
    seen, most = np.full(n, -1, dtype=np.int64), np.empty(n)
    stack, inside, hit = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    heap = [(0.0, 0)]
    turn = 0
    for p in range(len(ends)):
        hits = 0
        for k in range(len(far)):
            u, v = ends[p, 0], ends[p, 1]
            if parent[k, v] != u:
                u, v = v, u
            if parent[k, v] != u or weight[k, v] == 0:
                continue
            turn += 1
            count, top = 0, 1
            stack[0] = v
            while top > 0:
                top -= 1
                y = stack[top]
                stamp[y] = turn
                inside[count] = y
                count += 1
                for c in range(child_ptr[k, y], child_ptr[k, y + 1]):
                    stack[top] = children[k, c]
                    top += 1
            heap.clear()
            for i in range(count):
                y = inside[i]
                best = entry[k, y]
                for e in range(indptr[y], indptr[y + 1]):
                    x = indices[e]
                    if stamp[x] != turn and not (x == u and y == v):
                        best = min(best, far[k, x] + data[e])
                fresh[y] = best
                if best < np.inf:
                    heapq.heappush(heap, (best, y))
            while len(heap) > 0:
                d, y = heapq.heappop(heap)
                if d > fresh[y]:
                    continue
                for e in range(indptr[y], indptr[y + 1]):
                    x = indices[e]
                    if stamp[x] == turn and d + data[e] < fresh[x]:
                        fresh[x] = d + data[e]
                        heapq.heappush(heap, (fresh[x], x))
            for i in range(count):
                y = inside[i]
                extra = fresh[y] - far[k, y]
                if homes[y] == 0 or extra <= limit_m:
                    continue
                if seen[y] != p:
                    seen[y], most[y], hit[hits] = p, extra, y
                    hits += 1
                most[y] = max(most[y], extra)
        for i in range(hits):
            y = hit[i]
            out[p, 0] += homes[y]
            if most[y] < np.inf:
                out[p, 2] = max(out[p, 2], most[y])
            else:
                out[p, 1] += homes[y]


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
    n = len(walk.xy_m)
    homes = np.bincount(at, minlength=n).astype(np.int64)
    trees = _trees(walk, homes, services_m, kinds, wanted)
    if trees is None:
        return []
    m = walk.lengths_m
    low, high = m.nonzero()
    ends = np.column_stack([low, high])[low < high].astype(np.int64)
    out = np.zeros((len(ends), 3))
    _lean(
        ends, m.indptr.astype(np.int64), m.indices.astype(np.int64), m.data,
        trees.far, trees.parent, trees.entry, trees.child_ptr, trees.children, trees.weight,
        homes, farther_min * 60 * SPEED_M_S, out,
    )  # fmt: skip
    rows = [
        Lean(a, b, int(out[i, 0]), int(out[i, 1]), float(out[i, 2]) / 60 / SPEED_M_S)
        for i, (a, b) in enumerate(ends.tolist())
        if out[i, 0]
    ]
    return sorted(rows, key=lambda row: (-row.buildings, -row.cut, -row.worst_min, row.a, row.b))


def _trees(
    walk: WalkGraph, homes: Ints, services_m: Floats, kinds: Sequence[str], wanted: Sequence[str]
) -> _Trees | None:
    """The trees of the wanted kinds; None where none of them is there."""
    node, in_m = walk.snap(services_m)
    whole = access._with_services(walk, node, in_m)
    n, names = len(walk.xy_m), np.asarray(kinds)
    found = []
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
        found.append((far[:n], parent, entry, *_hanging(far[:n], parent, homes)))
    return _Trees(*(np.stack(part) for part in zip(*found, strict=True))) if found else None


def _hanging(far: Floats, parent: Ints, homes: Ints) -> tuple[Ints, Ints, Ints]:
    """What comes by each node: pointers, children (n, those that are none at the end), and buildings."""
    n = len(far)
    hung = np.flatnonzero(parent >= 0)
    order = np.argsort(parent[hung], kind="stable")
    children = np.full(n, -1, dtype=np.int64)
    children[: len(hung)] = hung[order]
    child_ptr = np.concatenate([[0], np.cumsum(np.bincount(parent[hung], minlength=n))]).astype(np.int64)
    weight = homes.copy()
    for v in np.argsort(-far).tolist():
        if parent[v] >= 0:
            weight[parent[v]] += weight[v]
    return child_ptr, children, weight


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
