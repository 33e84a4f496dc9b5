"""Buildings of a CityJSON file (LoD 2 and finer) as triangles for the map: its roofs as they are, not boxes.

Every surface of a building's finest level is cut into triangles: three and four corners by hand, others by a
constrained Delaunay triangulation in the plane that the surface faces most (GEOS, through shapely), so holes stay
holes. Positions are metres east and south of an origin in Web Mercator's own measure, and up from the building's
lowest point: the twin has no terrain.

The packed form, little-endian: "LCM1", the length of the header (uint32), the header as JSON padded with blanks to a
multiple of four, then four int16 for each corner: east, south, up in `step` metres, and 1 on a roof, else 0. Three
corners make a triangle. The header: {"origin": [x, y] (0..1), "metre" (of origin's measure), "step", "keys", "first"
(corner where each building begins)}.
"""

import json
import math
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.engine import cityjson
from twin.engine.roof_surfaces import LEAST_LOD, _buildings

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Json: TypeAlias = Mapping[str, Any]

MAGIC = b"LCM1"
_AROUND_M = 2 * math.pi * 6_371_008.8
"""The Earth's girth as the map's own library has it."""
_MOST = 32_767


@dataclass(frozen=True, slots=True)
class Body:
    """A building: corners of triangles (3 n, 3), lon, lat in degrees and metres up, and whether each is on a roof."""

    key: str
    corners: Floats
    roof: NDArray[np.bool_]


def read(path: Path, name: str, wanted: Collection[str]) -> list[Body]:
    """The wanted buildings that the file has in LoD 2 or finer. Raises `Unreadable`."""
    found: list[Body] = []
    head: Json = {}
    for _line, document in cityjson._documents(path, name):
        if document.get("type") == "CityJSON":
            head, frame = document, cityjson._head(document, name)
        points = cityjson._points(document, head, name)
        for raw, members in _buildings(document.get("CityObjects", {})):
            key = raw.replace("/", "_")
            if key in wanted and (body := _body(key, members, points, frame)) is not None:
                found.append(body)
    return found


def _body(key: str, members: Sequence[Json], points: Floats, frame: "cityjson._Frame") -> Body | None:
    geometries = [g for member in members for g in member.get("geometry", []) if str(g.get("lod", "")) >= LEAST_LOD]
    if not geometries:
        return None
    best = max(str(g["lod"]) for g in geometries)
    pieces: list[Floats] = []
    roofs: list[bool] = []
    for geometry in geometries:
        if str(geometry["lod"]) != best:
            continue
        for rings, kind in cityjson._surfaces(geometry):
            if kind == "GroundSurface":
                continue
            corners = triangles([points[ring] for ring in rings if len(ring) > 2])
            pieces.append(corners)
            roofs.extend([kind == "RoofSurface"] * len(corners))
    if not roofs:
        return None
    at = np.concatenate(pieces)
    lon, lat = frame.to_degrees.transform(at[:, 0], at[:, 1])
    up = (at[:, 2] - at[:, 2].min()) * frame.z_m
    return Body(key, np.column_stack([lon, lat, up]), np.array(roofs))


def triangles(rings: Sequence[Floats]) -> Floats:
    """The corners (3 n, 3) of the triangles of a flat surface with its holes; none where it has no area."""
    if not rings:
        return np.empty((0, 3))
    outer = rings[0]
    if len(rings) == 1 and len(outer) == 3:
        return outer
    normal = _normal(outer)
    if not normal.any():
        return np.empty((0, 3))
    drop = int(np.abs(normal).argmax())
    keep = [axis for axis in range(3) if axis != drop]
    if len(rings) == 1 and len(outer) == 4 and _convex(outer[:, keep]):
        return outer[[0, 1, 2, 0, 2, 3]]
    corners = np.concatenate(rings)
    middle = corners[:, keep].mean(axis=0)
    flat = shapely.Polygon(rings[0][:, keep] - middle, [ring[:, keep] - middle for ring in rings[1:]])
    if not flat.is_valid:
        return _fan(outer)
    cut = shapely.get_parts(shapely.constrained_delaunay_triangles(flat))
    at = shapely.get_coordinates(cut).reshape(-1, 4, 2)[:, :3].reshape(-1, 2)
    near = ((at[:, None, :] - (corners[:, keep] - middle)[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(corners[near])


def _normal(ring: Floats) -> Floats:
    """Newell's normal."""
    after = np.roll(ring, -1, axis=0)
    return np.asarray(np.cross(ring - ring[0], after - ring[0]).sum(axis=0))


def _convex(ring: Floats) -> bool:
    side = np.roll(ring, -1, axis=0) - ring
    after = np.roll(side, -1, axis=0)
    turn = side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]
    return bool((turn >= 0).all() or (turn <= 0).all())


def _fan(ring: Floats) -> Floats:
    """A fan from the first corner: near enough for a ring that crosses itself."""
    n = len(ring)
    return np.asarray(ring[np.array([(0, i, i + 1) for i in range(1, n - 1)]).ravel()])


def packed(bodies: Sequence[Body]) -> bytes:
    """The bodies as bytes; see above."""
    if not bodies:
        return b""
    corners = np.concatenate([body.corners for body in bodies])
    x = (corners[:, 0] + 180) / 360
    y = (1 - np.arcsinh(np.tan(np.radians(corners[:, 1]))) / np.pi) / 2
    origin = (float((x.min() + x.max()) / 2), float((y.min() + y.max()) / 2))
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * origin[1]))))
    metre = 1 / (_AROUND_M * math.cos(math.radians(lat)))
    placed = np.column_stack([(x - origin[0]) / metre, (y - origin[1]) / metre, corners[:, 2]])
    step = max(float(np.abs(placed).max()) / _MOST, 0.001)
    body = np.empty((len(placed), 4), dtype="<i2")
    body[:, :3] = np.rint(placed / step)
    body[:, 3] = np.concatenate([one.roof for one in bodies])
    first = np.cumsum([0, *(len(one.corners) for one in bodies)])[:-1].tolist()
    header = {"origin": origin, "metre": metre, "step": step, "keys": [one.key for one in bodies], "first": first}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return MAGIC + struct.pack("<I", len(text)) + text + body.tobytes()


def unpacked(data: bytes) -> Iterator[tuple[str, Floats, NDArray[np.bool_]]]:
    """Each building's key, its corners in metres around the origin, and which are on roofs; for tests and for others
    who read the file.
    """
    (length,) = struct.unpack("<I", data[4:8])
    header = json.loads(data[8 : 8 + length])
    body = np.frombuffer(data, dtype="<i2", offset=8 + length).reshape(-1, 4)
    ends = [*header["first"][1:], len(body)]
    for key, low, high in zip(header["keys"], header["first"], ends, strict=True):
        yield key, body[low:high, :3] * header["step"], body[low:high, 3] == 1
