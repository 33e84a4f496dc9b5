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
    """For each point its number among the different ones, and those, sorted by x, then y, then z."""
    order = np.lexsort(points.T[::-1])  # several times faster than np.unique over rows
    ranked = points[order]
    fresh = np.ones(len(points), bool)
    fresh[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    number = np.empty(len(points), np.int64)
    number[order] = np.cumsum(fresh) - 1
    return number, ranked[fresh]


def weld(points: Points, triangles: Triangles) -> tuple[Points, Triangles]:
    """Make equal points one point and drop triangles that have lost a corner and points that nobody uses."""
    number, unique = numbered(points)
    triangles = number[triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (a != c)]
    used, renumbered = np.unique(triangles, return_inverse=True)
    return unique[used], renumbered.reshape(-1, 3).astype(np.int64)
