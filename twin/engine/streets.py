"""Streets cut into segments at every crossing: the rows of the layer and, those open on foot, the edges of
the walk graph.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.engine import tags as osm
from twin.engine.crs import to_metres
from twin.engine.model import CityModel, Position, Properties, Thing
from twin.engine.tags import Tags


@dataclass(slots=True)
class Way:
    """A street as it was drawn: node ids and their positions, None where the file does not hold the node; its source,
    licence and date.
    """

    key: str
    tags: dict[str, str]
    nodes: Sequence[int]
    positions: Sequence[Position | None]
    origin: Properties = field(default_factory=dict)


def _inside(way: Way) -> Iterator[tuple[list[int], list[Position]]]:
    """The runs of a way that lie within the file, each of two nodes or more."""
    nodes: list[int] = []
    at: list[Position] = []
    for node, position in zip(way.nodes, way.positions, strict=True):
        if position is not None:
            nodes.append(node)
            at.append(position)
            continue
        if len(nodes) > 1:
            yield nodes, at
        nodes, at = [], []
    if len(nodes) > 1:
        yield nodes, at


def described(tags: Tags, country: str = "") -> Properties:
    """What all segments of a way share: who may use it, and for cars direction, lanes, speed and capacity, each with
    how it is known (`…_source`).
    """
    about: Properties = {
        "highway": tags["highway"],
        "class": osm.road_class(tags),
        "name": tags.get("name", ""),
        "foot": osm.on_foot(tags),
        "car": osm.by_car(tags),
    }
    about["bicycle"], about["bicycle_source"] = osm.by_bicycle(tags)
    if about["car"] or about["bicycle"]:
        about["oneway"] = osm.oneway(tags)
        about["bicycle_oneway"] = osm.bicycle_oneway(tags)
    if about["car"]:
        about["lanes"], about["lanes_source"] = osm.lanes(tags)
        about["speed_kmh"], about["speed_source"] = osm.speed_kmh(tags, country)
        about["capacity_veh_h"], about["capacity_source"] = osm.capacity_veh_h(tags), "assumption"
    return about


def cut(ways: Sequence[Way], model: CityModel, country: str = "") -> None:
    """Add the segments of the ways to the model: cut at every node that two ways (or one way twice) touch.

    Needs `model.epsg`; lengths are measured in it, in metres to the decimetre.
    """
    uses: Counter[int] = Counter()
    runs: list[tuple[Way, list[int], list[Position]]] = []
    for way in ways:
        inside = list(_inside(way))
        if not inside:
            model.skip("street", "outside")
        for nodes, at in inside:
            runs.append((way, nodes, at))
            uses.update(nodes)
    pieces: Counter[str] = Counter()
    for way, nodes, at in runs:
        start, about = 0, {**described(way.tags, country), **way.origin, "way": way.key}
        for i in range(1, len(nodes)):
            if i == len(nodes) - 1 or uses[nodes[i]] > 1:
                _add(model, about, pieces, nodes[start : i + 1], at[start : i + 1])
                start = i
    _measure(model)


def _add(model: CityModel, shared: Properties, pieces: Counter[str], nodes: list[int], at: list[Position]) -> None:
    about = {**shared, "a": nodes[0], "b": nodes[-1]}
    geometry = {"type": "LineString", "coordinates": [list(position) for position in at]}
    # Named by its ends, so that a new crossing elsewhere on the way does not rename this piece.
    key = f"{shared['way']}:{nodes[0]}-{nodes[-1]}"
    pieces[key] += 1
    if pieces[key] > 1:
        key = f"{key}#{pieces[key]}"
    model.streets.append(Thing(key, geometry, about))


def _measure(model: CityModel) -> None:
    """Write each segment's length, all in one projection call."""
    assert model.epsg is not None  # noqa: S101 set by the reader before it cuts
    fresh = [street for street in model.streets if "length_m" not in street.properties]
    if not fresh:
        return
    counts = np.array([len(street.geometry["coordinates"]) for street in fresh])
    flat = np.array([position for street in fresh for position in street.geometry["coordinates"]])
    x, y = to_metres(model.epsg)(flat[:, 0], flat[:, 1])
    steps = np.hypot(np.diff(x), np.diff(y))
    ends = np.cumsum(counts)
    steps[ends[:-1] - 1] = 0.0
    lengths = np.add.reduceat(np.append(steps, 0.0), ends - counts)
    for street, length in zip(fresh, lengths, strict=True):
        street.properties["length_m"] = round(float(length), 1)
