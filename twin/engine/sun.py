"""Sun and shade among buildings: the horizon that each point sees, and the shadows on the ground.

A city of prisms and roofs without overhangs is a height field, so what a point sees of the sky in one direction is
told by one number: the elevation of the highest edge there. `horizons` finds it without rays: each edge of a roof
is laid over the directions in which it is seen, and in each direction the exact elevation of the edge counts. A
table of 360 directions for each point then answers every hour of the year, and the sky-view factor is an integral
over the same table, exact in elevation. Between two directions the horizon's tangent is interpolated: exact for a
wall to the second order of the step.

Azimuths run from north by east. Everything stands on the same plane: there is no terrain, no trees.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from energy.engine.compiled import compiled
from twin.engine.crs import to_degrees, to_metres
from twin.engine.model import Geometry, Thing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

DIRECTIONS = 360
LOWEST_TAN = math.tan(math.radians(0.5))
"""A block of houses that nowhere rises more than half a degree over a point is not looked at."""
BLOCK_M = 80.0
LIFT_M = 1e-6


@dataclass(frozen=True, slots=True)
class Edges:
    """Upper edges of obstacles: ends (n, 3) in metres, and the number of the building that each belongs to.

    They stand by blocks of the plan: block b holds edges `first[b]` to before `first[b + 1]`, lies within
    `box[b]` (west, south, east, north) and is at most `top[b]` high.
    """

    start: Floats
    end: Floats
    owner: Ints
    first: Ints
    box: Floats
    top: Floats


def edges(start: Floats, end: Floats, owner: Ints) -> Edges:
    """Edges (n, 3) in blocks."""
    if not len(start):
        none = np.empty((0, 3))
        return Edges(none, none, owner, np.zeros(1, dtype=np.int64), np.empty((0, 4)), np.empty(0))
    cell = np.floor((start[:, :2] + end[:, :2]) / (2 * BLOCK_M)).astype(np.int64)
    order = np.lexsort((np.arange(len(cell)), cell[:, 1], cell[:, 0]))
    start, end, owner, cell = start[order], end[order], owner[order], cell[order]
    begins = np.ones(len(cell), dtype=bool)
    begins[1:] = (cell[1:] != cell[:-1]).any(axis=1)
    first = np.flatnonzero(begins)
    low, high = np.minimum(start, end), np.maximum(start, end)
    west_south = np.minimum.reduceat(low[:, :2], first)
    east_north_top = np.maximum.reduceat(high, first)
    box = np.column_stack([west_south, east_north_top[:, :2]])
    ends = np.append(first, len(start)).astype(np.int64)
    return Edges(np.ascontiguousarray(start), np.ascontiguousarray(end), owner, ends, box, east_north_top[:, 2].copy())


def ring_edges(rings: Sequence[Floats], owners: Sequence[int]) -> Edges:
    """The edges of closed rings, each (k, 3) without its closing position."""
    if not rings:
        return edges(np.empty((0, 3)), np.empty((0, 3)), np.empty(0, dtype=np.int64))
    start = np.concatenate(rings)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    owner = np.repeat(np.asarray(owners, dtype=np.int64), [len(ring) for ring in rings])
    return edges(start, end, owner)


@compiled
def _horizons(  # noqa: PLR0917 compiled: positional alone
    points: Floats,
    self_of: Ints,
    start: Floats,
    end: Floats,
    owner: Ints,
    first: Ints,
    box: Floats,
    top: Floats,
    out: Floats,
) -> None:
    """The greatest tangent of elevation in each direction, from each point."""
    count = out.shape[1]
    step = 2.0 * math.pi / count
    sines, cosines = np.empty(count), np.empty(count)
    for k in range(count):
        sines[k], cosines[k] = math.sin(k * step), math.cos(k * step)
    for p in range(len(points)):
        x, y, z, own = points[p, 0], points[p, 1], points[p, 2], self_of[p]
        for block in range(len(top)):
            rise = top[block] - z
            if rise <= LIFT_M:
                continue
            aside = max(box[block, 0] - x, x - box[block, 2], 0.0)
            along = max(box[block, 1] - y, y - box[block, 3], 0.0)
            if rise * rise < LOWEST_TAN * LOWEST_TAN * (aside * aside + along * along):
                continue
            for e in range(first[block], first[block + 1]):
                if owner[e] == own:
                    continue
                z0, z1 = start[e, 2] - z, end[e, 2] - z
                if z0 <= LIFT_M and z1 <= LIFT_M:
                    continue
                x0, y0, x1, y1 = start[e, 0] - x, start[e, 1] - y, end[e, 0] - x, end[e, 1] - y
                from_ = math.atan2(x0, y0) / step
                # the angle between the two ends, signed: never more than half a turn
                turn = math.atan2(x1 * y0 - y1 * x0, x0 * x1 + y0 * y1) / step
                low, high = (from_, from_ + turn) if turn >= 0 else (from_ + turn, from_)
                for k in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1):
                    i = k % count
                    across = sines[i] * (y1 - y0) - cosines[i] * (x1 - x0)
                    if across == 0.0:
                        continue
                    t = min(max((cosines[i] * x0 - sines[i] * y0) / across, 0.0), 1.0)
                    far = sines[i] * (x0 + t * (x1 - x0)) + cosines[i] * (y0 + t * (y1 - y0))
                    up = z0 + t * (z1 - z0)
                    if far > 1e-9 and up > out[p, i] * far:
                        out[p, i] = up / far


def horizons(points: Floats, obstacles: Edges, own: Ints | None = None, directions: int = DIRECTIONS) -> Floats:
    """The tangent of the horizon's elevation (points, directions), 0 where nothing rises.

    `points` (n, 3) in metres; `own[i]` is the building whose edges point i does not see (none: -1).
    """
    out = np.zeros((len(points), directions))
    blind = np.full(len(points), -1, dtype=np.int64) if own is None else own
    o = obstacles
    _horizons(np.ascontiguousarray(points), blind, o.start, o.end, o.owner, o.first, o.box, o.top, out)
    return out


def sky_view(tangents: Floats, tilt: float = 0.0, azimuth: float = 180.0) -> Floats:
    """The share of an even sky's light that a plane of this tilt and azimuth (degrees) receives, over what falls on
    the horizontal under an open sky: (points,); (1 + cos tilt) / 2 where nothing rises.
    """
    count = tangents.shape[1]
    around = 2 * np.pi * np.arange(count) / count
    tilt_r, face = math.radians(tilt), math.radians(azimuth)
    level = math.sin(tilt_r) * np.cos(around - face)
    up = math.cos(tilt_r)
    height = np.arctan(tangents)
    if tilt_r > 0:
        behind = np.where(level < 0, np.arctan2(-level, max(up, 1e-12)), 0.0)
        height = np.maximum(height, behind)
    seen = level * ((np.pi / 2 - height) / 2 - np.sin(2 * height) / 4) + up * np.cos(height) ** 2 / 2
    return np.asarray(seen.sum(axis=1) * 2 / count)


def visible(tangents: Floats, sun_tan: Floats, sun_azimuth: Floats) -> NDArray[np.bool_]:
    """Whether the sun of this elevation (its tangent) and azimuth (degrees) shines on each point (points, suns)."""
    out = np.empty((len(tangents), len(sun_tan)), dtype=np.bool_)
    _visible(tangents, sun_tan, sun_azimuth, out)
    return out


@compiled
def _visible(tangents: Floats, sun_tan: Floats, sun_azimuth: Floats, out: Any) -> None:
    count = tangents.shape[1]
    for s in range(len(sun_tan)):
        place = (sun_azimuth[s] % 360.0) / 360.0 * count
        k = int(place)
        part = place - k
        here, there = k % count, (k + 1) % count
        for p in range(len(tangents)):
            horizon = tangents[p, here] * (1.0 - part) + tangents[p, there] * part
            out[p, s] = sun_tan[s] > horizon and sun_tan[s] > 0.0


# --- shadows on the ground ----------------------------------------------------------------------------------
def outlines(buildings: Sequence[Thing], epsg: int) -> list[shapely.MultiPolygon]:
    """Footprints in metres, mended where a ring crosses itself; one projection call."""
    rings: list[list[tuple[int, int]]] = []
    flat: list[list[float]] = []
    for building in buildings:
        spans = []
        for polygon in building.geometry["coordinates"]:
            for number, ring in enumerate(polygon):
                spans.append((len(ring), number))
                flat.extend(ring)
        rings.append(spans)
    at = np.array(flat, dtype=np.float64).reshape(-1, 2)
    xy = np.column_stack(to_metres(epsg)(at[:, 0], at[:, 1])) if len(at) else at
    found, place = [], 0
    for spans in rings:
        polygons: list[tuple[Floats, list[Floats]]] = []
        for length, number in spans:
            ring = xy[place : place + length]
            place += length
            if number == 0:
                polygons.append((ring, []))
            else:
                polygons[-1][1].append(ring)
        shape = shapely.MultiPolygon([(shell, holes) for shell, holes in polygons if len(shell) > 3])
        found.append(shape if shape.is_valid else _flat(shape.buffer(0)))
    return found


def _flat(shape: Any) -> shapely.MultiPolygon:
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, shapely.Polygon)]
    return shapely.MultiPolygon(parts)


def shadows(
    shapes: Sequence[shapely.MultiPolygon], height_m: Floats, zenith: float, azimuth: float
) -> shapely.MultiPolygon:
    """What of the ground lies in the buildings' shadow, in metres; the buildings themselves are left out.

    Empty by night. Angles in degrees. A sun below 1 degree casts shadows as one at 1 degree.
    """
    if zenith >= 90 or not len(shapes):
        return shapely.MultiPolygon()
    long = height_m * math.tan(math.radians(min(zenith, 89.0)))
    shift = np.array([-math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))])
    pieces: list[Any] = []
    for shape, length in zip(shapes, long, strict=True):
        step = shift * length
        for polygon in shape.geoms:
            for ring in (polygon.exterior, *polygon.interiors):
                at = shapely.get_coordinates(ring)
                pieces.append(shapely.polygons(np.stack([at[:-1], at[1:], at[1:] + step, at[:-1] + step], axis=1)))
            pieces.append([shapely.transform(polygon, lambda c, s=step: c + s)])
    whole = shapely.union_all(shapely.buffer(np.concatenate(pieces), 0))
    return _flat(shapely.difference(whole, shapely.union_all(np.array(shapes, dtype=object))))


def degrees(shape: shapely.MultiPolygon, epsg: int, *, coarse_m: float = 0.7) -> Geometry:
    """A shape in metres as a MultiPolygon in WGS 84, simplified to `coarse_m`; slivers under 2 m2 are dropped."""
    simple = _flat(shapely.simplify(shape, coarse_m))
    back = to_degrees(epsg)
    polygons = []
    for polygon in simple.geoms:
        if polygon.area < 2:
            continue
        rings = []
        for ring in (polygon.exterior, *polygon.interiors):
            at = shapely.get_coordinates(ring)
            rings.append(np.column_stack(back(at[:, 0], at[:, 1])).round(7).tolist())
        polygons.append(rings)
    return {"type": "MultiPolygon", "coordinates": polygons}
