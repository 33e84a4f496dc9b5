"""Roof surfaces of a CityJSON file (LoD 2 and finer), for `roofs.potential`.

Only surfaces that the file itself calls RoofSurface are taken, of each building's finest level of detail and with
its parts. Heights are counted from the building's own lowest point, since the twin has no terrain.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twin.engine import cityjson
from twin.engine.crs import to_metres

Floats: TypeAlias = NDArray[np.float64]
Json: TypeAlias = Mapping[str, Any]
LEAST_LOD = "2"


def read(path: Path, name: str, epsg: int) -> dict[str, list[Floats]]:
    """Outer rings (k, 3) of roof surfaces by building, metres in `epsg`, z over the building's foot. Raises
    `Unreadable`.
    """
    found: dict[str, list[Floats]] = {}
    head: Json = {}
    for _line, document in cityjson._documents(path, name):
        if document.get("type") == "CityJSON":
            head, frame = document, cityjson._head(document, name)
        points = cityjson._points(document, head, name)
        for key, members in _buildings(document.get("CityObjects", {})):
            rings, foot = _roof(members, points)
            if rings:
                found[key] = [_placed(ring, frame, epsg, foot) for ring in rings]
    return found


def _buildings(objects: Json) -> Iterator[tuple[str, list[Json]]]:
    parts: dict[str, list[Json]] = defaultdict(list)
    for key, thing in objects.items():
        if thing.get("type") == "BuildingPart":
            parts[(thing.get("parents") or [key])[0]].append(thing)
    for key, thing in objects.items():
        if thing.get("type") == "Building":
            yield key, [thing, *parts[key]]


def _roof(members: Sequence[Json], points: Floats) -> tuple[list[Floats], float]:
    """The roof's rings in the file's system, and the lowest z of the building."""
    geometries = [g for member in members for g in member.get("geometry", []) if str(g.get("lod", "")) >= LEAST_LOD]
    if not geometries:
        return [], 0.0
    best = max(str(g["lod"]) for g in geometries)
    rings: list[Floats] = []
    foot = np.inf
    for geometry in geometries:
        if str(geometry["lod"]) != best:
            continue
        for surface, kind in cityjson._surfaces(geometry):
            at = points[surface[0]] if surface and len(surface[0]) > 2 else points[:0]
            foot = min(foot, float(at[:, 2].min())) if len(at) else foot
            if kind == "RoofSurface" and len(at):
                rings.append(at)
    return rings, foot


def _placed(ring: Floats, frame: cityjson._Frame, epsg: int, foot: float) -> Floats:
    lon, lat = frame.to_degrees.transform(ring[:, 0], ring[:, 1])
    x, y = to_metres(epsg)(np.asarray(lon), np.asarray(lat))
    return np.column_stack([x, y, (ring[:, 2] - foot) * frame.z_m])
