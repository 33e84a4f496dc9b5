"""Minutes on foot against a plain Dijkstra and against the reference figures of central Helsinki."""

import heapq
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.engine.access import EVERYDAY, SPEED_M_S, all_within, minutes, reach
from twin.engine.crs import metric_epsg, to_metres
from twin.engine.walk import graph


def plain_dijkstra(edges: list[tuple[int, int, float]], start: int) -> dict[int, float]:
    """Shortest lengths from a node, by the book."""
    around: dict[int, list[tuple[int, float]]] = {}
    for a, b, length in edges:
        around.setdefault(a, []).append((b, length))
        around.setdefault(b, []).append((a, length))
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        far, node = heapq.heappop(queue)
        if far > best[node]:
            continue
        for there, length in around.get(node, []):
            if far + length < best.get(there, np.inf):
                best[there] = far + length
                heapq.heappush(queue, (far + length, there))
    return best


def test_a_street_of_three_nodes_by_hand() -> None:
    walk = graph(
        np.array([10, 20]),
        np.array([20, 30]),
        np.array([100.0, 50.0]),
        np.array([[0.0, 0.0], [100.0, 0.0]]),
        np.array([[100.0, 0.0], [150.0, 0.0]]),
    )
    found = minutes(walk, np.array([[0.0, 10.0]]), np.array([[150.0, 20.0], [100.0, -40.0]]), ["school", "library"])
    assert found["school"] == pytest.approx([(10 + 150 + 20) / SPEED_M_S / 60])
    assert found["library"] == pytest.approx([(10 + 100 + 40) / SPEED_M_S / 60])


def test_the_nearest_counts_the_way_from_the_network_to_the_door() -> None:
    """Of two services the one nearer to the network may be farther along it; the sum decides."""
    walk = graph(
        np.array([0, 1]),
        np.array([1, 2]),
        np.array([100.0, 30.0]),
        np.array([[0.0, 0.0], [100.0, 0.0]]),
        np.array([[100.0, 0.0], [130.0, 0.0]]),
    )
    found = minutes(walk, np.array([[0.0, 0.0]]), np.array([[100.0, 50.0], [130.0, 0.0]]), ["grocery", "grocery"])
    assert found["grocery"] == pytest.approx([130 / SPEED_M_S / 60], rel=1e-4)


def test_parallel_edges_take_the_shorter_and_loops_are_dropped() -> None:
    at = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    to = np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 0.0]])
    walk = graph(
        np.array([1, 2, 1]),
        np.array([2, 1, 1]),
        np.array([90.0, 9.0, 5.0]),
        at,
        np.array([to[0], at[0], at[0]]),
    )
    assert walk.lengths_m.nnz == 2
    assert walk.lengths_m.data == pytest.approx([9.0, 9.0])


def test_only_the_largest_piece_is_walked() -> None:
    a, b = np.array([1, 2, 8]), np.array([2, 3, 9])
    xy_a = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 500.0]])
    xy_b = np.array([[10.0, 0.0], [20.0, 0.0], [10.0, 500.0]])
    walk = graph(a, b, np.array([10.0, 10.0, 10.0]), xy_a, xy_b)
    assert (walk.pieces, len(walk.xy_m)) == (2, 3)
    node, far = walk.snap(np.array([[0.0, 490.0]]))
    assert walk.xy_m[node[0]].tolist() == [0.0, 0.0]
    assert far[0] == pytest.approx(490.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 25), st.integers(1, 6))
def test_equal_to_a_plain_dijkstra_from_each_building(seed: int, n: int, k: int) -> None:
    """One run from all services of a kind gives what one run from each building gives."""
    random = np.random.default_rng(seed)
    xy = random.uniform(0, 1000, (n, 2))
    a = np.concatenate([np.arange(1, n), random.integers(0, n, n)])
    b = np.concatenate([[int(random.integers(0, i)) for i in range(1, n)], random.integers(0, n, n)])
    length = random.uniform(1, 300, len(a))
    walk = graph(a, b, length, xy[a], xy[b])
    homes, shops = random.uniform(0, 1000, (7, 2)), random.uniform(0, 1000, (k, 2))
    kinds = [("grocery", "school")[i % 2] for i in range(k)]
    found = minutes(walk, homes, shops, kinds)
    edges = [(int(i), int(j), float(w)) for i, j, w in zip(a, b, length, strict=True) if i != j]
    nearest = [int(np.argmin(np.hypot(*(xy - p).T))) for p in np.vstack([homes, shops])]
    straight = [float(np.hypot(*(xy[at] - p))) for at, p in zip(nearest, np.vstack([homes, shops]), strict=True)]
    for kind in set(kinds):
        for i in range(len(homes)):
            far = plain_dijkstra(edges, nearest[i])
            ways = [far[nearest[7 + j]] + max(straight[7 + j], 1e-3) for j in range(k) if kinds[j] == kind]
            assert found[kind][i] * SPEED_M_S * 60 == pytest.approx(straight[i] + min(ways), rel=1e-9)


def test_shares_and_medians_of_a_kind() -> None:
    found = {kind: np.array([4.0, 6.0, 16.0]) for kind in EVERYDAY}
    summary = reach(found, [*EVERYDAY, "school"])
    assert summary["school"].services == 2
    assert (summary["school"].median_min, summary["school"].max_min) == (6.0, 16.0)
    assert (summary["school"].share_5, summary["school"].share_15) == (
        pytest.approx(1 / 3),
        pytest.approx(2 / 3),
    )
    assert all_within(found) == pytest.approx(2 / 3)
    assert all_within({"school": found["school"]}) is None


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (24.94, 60.17, 3067),
        (4.36, 52.01, 32631),
        (8.56, 47.37, 32632),
        (5.3, 60.4, 32632),
        (15.6, 78.2, 32633),
        (-58.4, -34.6, 32721),
        (179.9, 0.0, 32660),
    ],
)
def test_the_metric_system_of_a_place(lon: float, lat: float, epsg: int) -> None:
    assert metric_epsg(lon, lat) == epsg


# Reference figures: median and worst minutes, share within 5 minutes (1.33 m/s, EPSG:3067).
REFERENCE = {
    "grocery": (3.17, 11.05, 0.834),
    "school": (6.87, 23.32, None),
    "pharmacy": (6.41, 30.56, None),
    "library": (4.68, 22.42, None),
    "health": (4.89, 29.46, None),
    "transit": (1.62, 9.61, 0.991),
    "park": (3.38, 24.57, None),
}


@pytest.mark.shared
def test_the_reference_graph_gives_the_reference_figures(shared: Path) -> None:
    """Streets, services and buildings as the reference has them: to 0.01 min."""
    folder = shared / "data" / "twin" / "helsinki-centre"
    roads, services, buildings = (
        json.loads((folder / f"{name}.geojson").read_bytes())["features"] for name in ("roads", "services", "buildings")
    )
    project = to_metres(3067)

    def metres(points: list[list[float]]) -> np.ndarray:
        at = np.array(points)
        return np.column_stack(project(at[:, 0], at[:, 1]))

    foot = [r for r in roads if r["properties"]["foot"]]
    walk = graph(
        np.array([r["properties"]["a"] for r in foot]),
        np.array([r["properties"]["b"] for r in foot]),
        np.array([r["properties"]["len"] for r in foot]),
        metres([r["geometry"]["coordinates"][0] for r in foot]),
        metres([r["geometry"]["coordinates"][-1] for r in foot]),
    )
    assert (len(foot), walk.pieces) == (4646, 22)
    assert walk.kept_share == pytest.approx(0.978, abs=5e-4)
    anchors = metres([list(np.mean(b["geometry"]["coordinates"][0][0][:-1], axis=0)) for b in buildings])
    kinds = [s["properties"]["kind"] for s in services]
    found = minutes(walk, anchors, metres([s["geometry"]["coordinates"] for s in services]), kinds)
    summary = reach(found, kinds)
    assert len(summary) == 20
    for kind, (median, worst, within_5) in REFERENCE.items():
        assert summary[kind].median_min == pytest.approx(median, abs=0.01)
        assert summary[kind].max_min == pytest.approx(worst, abs=0.01)
        if within_5 is not None:
            assert summary[kind].share_5 == pytest.approx(within_5, abs=5e-4)
    assert all_within(found) == pytest.approx(0.917, abs=5e-4)
