"""How far two surfaces are apart, for any triangles at all: points spread over each, and their distance to the other.

The largest distance of a sampled point is exact (point to triangle), so the figure is a lower bound of the Hausdorff
distance that the density of points closes in on: Aspert et al. 2002, MESH. No randomness: points follow the R2
sequence (Roberts 2018), so the same files give the same figures.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designs.engine.model import Part, Points, Triangles

SAMPLES = 40_000
NEAREST = 4
WORST = 48
R2 = (0.7548776662466927, 0.5698402909980532)

Distances = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Deviation:
    """mm: the largest distance from the base to the head and back, and the mean of both over the surfaces."""

    base_to_head_mm: float
    head_to_base_mm: float
    mean_mm: float

    @property
    def max_mm(self) -> float:
        """The larger way."""
        return max(self.base_to_head_mm, self.head_to_base_mm)


class Surface:
    """A surface that answers how far points are from it."""

    def __init__(self, part: Part, samples: int = SAMPLES) -> None:
        from scipy.spatial import cKDTree  # noqa: PLC0415 only in the sandbox

        self.corners = part.points[part.triangles]
        self.samples, self.owner = spread(self.corners, samples)
        # Small triangles get no sample of their own; their middles stand in, so that none is overlooked.
        silent = np.ones(len(self.corners), bool)
        silent[self.owner] = False
        some = np.flatnonzero(silent)[:: max(1, int(silent.sum()) // samples)]
        self._feet = np.concatenate([self.samples, self.corners[some].mean(axis=1)])
        self._of = np.concatenate([self.owner, some])
        self._tree = cKDTree(self._feet, balanced_tree=False, compact_nodes=False)
        self._low, self._high = self.corners.min(axis=1), self.corners.max(axis=1)

    def distances(self, points: Points) -> Distances:
        """Close upper bounds: exact to the triangles whose samples are nearest."""
        near = min(NEAREST, len(self._feet))
        _far, index = self._tree.query(points, k=near)
        index = index.reshape(len(points), near)
        found = np.full(len(points), np.inf)
        for rank in range(near):
            found = np.minimum(found, to_triangles(points, self.corners[self._of[index[:, rank]]]))
        return found

    def largest(self, points: Points, bounds: Distances) -> float:
        """The exact distance of the farthest of the points; `bounds` are upper bounds of each one's distance."""
        best = 0.0
        for at in np.argsort(-bounds)[:WORST]:
            if bounds[at] <= best:
                break
            best = max(best, self._exact(points[at], float(bounds[at])))
        return best

    def _exact(self, point: Points, bound: float) -> float:
        """The distance to all triangles whose boxes are near enough to matter."""
        gap = np.maximum(np.maximum(self._low - point, point - self._high), 0.0)
        close = np.flatnonzero(np.einsum("ij,ij->i", gap, gap) <= bound * bound)
        if not len(close):
            return bound
        return min(bound, float(to_triangles(np.tile(point, (len(close), 1)), self.corners[close]).min()))


def deviation(base: Part, head: Part, *, samples: int = SAMPLES) -> Deviation:
    """Both ways between two surfaces."""
    a, b = Surface(base, samples), Surface(head, samples)
    from_a, from_b = _probes(a, base), _probes(b, head)
    there, back = b.distances(from_a), a.distances(from_b)
    n, m = len(a.samples), len(b.samples)
    mean = float((there[:n].mean() + back[:m].mean()) / 2)
    return Deviation(b.largest(from_a, there), a.largest(from_b, back), mean)


def _probes(surface: Surface, part: Part) -> Points:
    """Samples and corners: a surface is often farthest at a corner."""
    step = max(1, len(part.points) // len(surface.samples))
    return np.concatenate([surface.samples, part.points[::step]])


def spread(corners: Points, count: int) -> tuple[Points, Triangles]:
    """`count` points spread evenly over triangles (m, 3, 3), with the triangle of each."""
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    ends = np.cumsum(area)
    owner = np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1], side="right").clip(0, len(corners) - 1)
    u, v = (np.modf(np.arange(1, count + 1) * step)[0] for step in R2)
    over = u + v > 1
    u, v = np.where(over, 1 - u, u)[:, None], np.where(over, 1 - v, v)[:, None]
    a, b, c = np.moveaxis(corners[owner], 1, 0)
    return a + u * (b - a) + v * (c - a), owner.astype(np.int64)


def to_triangles(points: Points, corners: Points) -> Distances:
    """Distance of each point (n, 3) to its own triangle (n, 3, 3): to the plane where the foot falls inside, else to
    the nearest edge (Ericson 2005, section 5.1)."""
    a, b, c = np.moveaxis(corners, 1, 0)
    normal = np.cross(b - a, c - a)
    square = np.einsum("ij,ij->i", normal, normal)
    inside = square > 0
    edges = np.full(len(points), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        along, to_point = end - start, points - start
        inside &= np.einsum("ij,ij->i", np.cross(normal, along), to_point) >= 0
        length = np.einsum("ij,ij->i", along, along)
        share = np.clip(np.einsum("ij,ij->i", to_point, along) / np.where(length > 0, length, 1.0), 0, 1)
        rest = to_point - share[:, None] * along
        edges = np.minimum(edges, np.einsum("ij,ij->i", rest, rest))
    height = np.einsum("ij,ij->i", points - a, normal) / np.sqrt(np.where(square > 0, square, 1.0))
    return np.sqrt(np.where(inside, height * height, edges))
