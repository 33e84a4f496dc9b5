"""Normals as the eye expects them: smooth over gentle bends, sharp at edges."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designs.engine.model import Part, Points, Triangles

CREASE_DEG = 29.0
MAX_FANS = 96


@dataclass(frozen=True, slots=True)
class Surface:
    """Corners ready to draw: `points` (n, 3) mm, `normals` (n, 3) unit, `triangles` (m, 3)."""

    points: Points
    normals: Points
    triangles: Triangles


def face_normals(points: Points, triangles: Triangles) -> tuple[Points, npt.NDArray[np.float64]]:
    """Unit normals (m, 3) and areas (m,) of triangles; a triangle without area has normal 0."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    cross = np.cross(b - a, c - a)
    length = np.linalg.norm(cross, axis=1)
    return cross / np.where(length > 0, length, 1.0)[:, None], length / 2.0


@dataclass(frozen=True, slots=True)
class Faces:
    """Of each triangle of a part the unit normal (m, 3), turned outwards as a whole, and the area (m,) in mm²;
    `volume_mm3` is signed: negative where the file is inside out, meaningless where it does not close."""

    normals: Points
    areas: npt.NDArray[np.float64]
    volume_mm3: float


def faces_of(part: Part) -> Faces:
    """Normals, areas, and the sum of signed tetrahedra (divergence theorem) about the middle for precision."""
    normals, areas = face_normals(part.points, part.triangles)
    corner = part.points[part.triangles[:, 0]] - part.points.mean(axis=0)
    volume = float(np.einsum("ij,ij->i", corner, normals) @ areas) / 3.0
    return Faces(-normals if volume < 0 else normals, areas, volume)


def corner_normals(points: Points, triangles: Triangles) -> Points:
    """Normals (m, 3, 3) at each corner: the area-weighted mean of the triangles around the point that bend less than
    the crease angle. Points where very many triangles meet keep the flat normal: pairs grow with their square."""
    normals, areas = face_normals(points, triangles)
    weighted = normals * areas[:, None]
    corners = triangles.reshape(-1)
    order = np.argsort(corners, kind="stable")
    starts = np.searchsorted(corners[order], np.arange(len(points) + 1))
    valence = np.diff(starts)[corners[order]]
    start = starts[corners[order]]
    faces = order // 3
    sums = np.repeat(weighted, 3, axis=0)
    limit = np.cos(np.radians(CREASE_DEG))
    live = np.flatnonzero((valence > 1) & (valence <= MAX_FANS))
    shift = 1
    while len(live):
        other = start[live] + (live - start[live] + shift) % valence[live]
        mine, theirs = faces[live], faces[other]
        near = np.einsum("ij,ij->i", normals[mine], normals[theirs]) > limit
        sums[order[live[near]]] += weighted[theirs[near]]
        shift += 1
        live = live[valence[live] > shift]
    length = np.linalg.norm(sums, axis=1)
    flat = np.repeat(normals, 3, axis=0)
    return np.where(length[:, None] > 0, sums / np.where(length > 0, length, 1.0)[:, None], flat).reshape(-1, 3, 3)


def surface(points: Points, triangles: Triangles) -> Surface:
    """One corner for each different (point, normal); normals are told apart to one part in 64."""
    normals = corner_normals(points, triangles).reshape(-1, 3)
    rounded = np.round(normals * 64).astype(np.int64) + 64
    keys = ((triangles.reshape(-1) * 129 + rounded[:, 0]) * 129 + rounded[:, 1]) * 129 + rounded[:, 2]
    _keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return Surface(points[triangles.reshape(-1)[first]], normals[first], inverse.reshape(-1, 3).astype(np.int64))
