"""A whole district at once: its walk graph, its buildings' anchors, its access. What the run and the command
call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from twin.engine.access import Reach, all_within, minutes, reach
from twin.engine.crs import to_metres
from twin.engine.model import CityModel, Thing
from twin.engine.walk import WalkGraph, graph

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DistrictAccess:
    """Access of a district. `minutes[kind]` stands in the order of `keys`."""

    keys: list[str] = field(default_factory=list)
    minutes: Mapping[str, Floats] = field(default_factory=dict)
    summary: Mapping[str, Reach] = field(default_factory=dict)
    all_within_15: float | None = None
    nodes: int = 0
    edges: int = 0
    kept_share: float = 0.0


def anchor(building: Thing) -> tuple[float, float]:
    """Where a building is entered, as far as nobody knows its doors: the mean of its outer ring's vertices,
    in degrees.
    """
    ring = np.array(building.geometry["coordinates"][0][0][:-1])
    lon, lat = ring.mean(axis=0)
    return float(lon), float(lat)


def walk_graph(model: CityModel) -> WalkGraph:
    """The walking network of a model. Raises ValueError when no street is open on foot."""
    return way_graph(model, "foot")


def way_graph(model: CityModel, way: str) -> WalkGraph:
    """The network of the streets whose property `way` ("foot", "bicycle") is true. Raises ValueError without any."""
    streets = [street for street in model.streets if street.properties.get(way)]
    about = [street.properties for street in streets]
    a = np.array([p["a"] for p in about], dtype=np.int64)
    b = np.array([p["b"] for p in about], dtype=np.int64)
    length_m = np.array([p["length_m"] for p in about], dtype=np.float64)
    first = places_m(model, [street.geometry["coordinates"][0] for street in streets])
    last = places_m(model, [street.geometry["coordinates"][-1] for street in streets])
    return graph(a, b, length_m, first, last)


def access(model: CityModel) -> DistrictAccess:
    """Minutes on foot from each building to each kind of service; empty when there are no streets or no
    services.
    """
    if not (model.buildings and model.services and any(s.properties["foot"] for s in model.streets)):
        return DistrictAccess()
    walk = walk_graph(model)
    kinds = [service.properties["kind"] for service in model.services]
    anchors = places_m(model, [anchor(building) for building in model.buildings])
    places = places_m(model, [service.geometry["coordinates"] for service in model.services])
    found = minutes(walk, anchors, places, kinds)
    return DistrictAccess(
        keys=[building.key for building in model.buildings],
        minutes=found,
        summary=reach(found, kinds),
        all_within_15=all_within(found),
        nodes=len(walk.xy_m),
        edges=walk.lengths_m.nnz // 2,
        kept_share=walk.kept_share,
    )


def places_m(model: CityModel, degrees: "list[tuple[float, float]] | list[list[float]]") -> Floats:
    """Positions in degrees as metres (n, 2) in the model's system."""
    assert model.epsg is not None  # noqa: S101 every reader sets it
    flat = np.array(degrees, dtype=np.float64).reshape(-1, 2)
    x, y = to_metres(model.epsg)(flat[:, 0], flat[:, 1])
    return np.column_stack([x, y])
