"""What a file's geometry is once read: parts of triangles in millimetres."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece: `points` (n, 3) in mm, `triangles` (m, 3) indices into them; equal points are one point."""

    name: str
    points: Points
    triangles: Triangles


@dataclass(frozen=True, slots=True)
class Model:
    """All pieces of a file, where they stand. `units` is the file's own unit, "unknown" when it does not say."""

    parts: tuple[Part, ...]
    units: str
    warnings: tuple[str, ...] = field(default=())

    @property
    def triangle_count(self) -> int:
        """Triangles of all parts."""
        return sum(len(part.triangles) for part in self.parts)

    def bounds(self) -> Points:
        """(2, 3): lowest and highest corner in mm."""
        lows = [part.points.min(axis=0) for part in self.parts]
        highs = [part.points.max(axis=0) for part in self.parts]
        return np.array([np.min(lows, axis=0), np.max(highs, axis=0)])


def numbered(points: Points) -> tuple[npt.NDArray[np.int64], Points]:
    """For each point its number among the different ones, and those."""
    first, place = _alike(points)
    return place, points[first]


def weld(points: Points, triangles: Triangles) -> tuple[Points, Triangles]:
    """Make equal points one point and drop triangles that have lost a corner and points that nobody uses."""
    first, place = _alike(points)
    triangles = place[triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (a != c)]
    used = np.zeros(len(first), bool)
    used[triangles.reshape(-1)] = True
    renumbered = np.cumsum(used) - 1
    return points[first[used]], renumbered[triangles].astype(np.int64)


def _alike(points: Points) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each different point the place of one that is like it, and for each point the number of its kind.

    Points are sorted by one 64-bit number mixed of their coordinates, a sixth of the work of sorting rows; where two
    different points mix to one number, rows are sorted after all.
    """
    rows = np.ascontiguousarray(points + 0.0)  # minus zero becomes zero
    bits = rows.view(np.uint64).reshape(-1, 3)
    with np.errstate(over="ignore"):
        mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ bits[:, 1]) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(32)) ^ bits[:, 2]) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    order = np.argsort(mixed, kind="stable")
    ordered = mixed[order]
    new = np.ones(len(rows), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first, kind = order[new], np.empty(len(rows), np.int64)
    kind[order] = np.cumsum(new) - 1
    if not np.array_equal(rows[first][kind], rows):
        _rows, first, kind = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first.astype(np.int64), kind.reshape(-1).astype(np.int64)
