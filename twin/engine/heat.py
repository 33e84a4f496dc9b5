"""Where a district heats up most, by how it is built: three classes, no degrees.

After the local climate zones of Stewart and Oke 2012 (Bulletin of the American Meteorological Society 93, 1879-1900):
within 150 m of a building, the share of ground that buildings cover (40 % or more is compact, 20 to 40 % open) and
the share of green and water (they count zones as green from about 20 to 40 % of pervious ground; we take 20 %).
Compact without green is `strong`, compact with green or open without is `moderate`, everything else `weak`. How much
warmer a night gets depends on wind, material and weather, which a map does not hold: so no temperature is given.
Trees in streets and in yards are mostly not on the map, so green is rather more than we see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

RADIUS_M = 150.0
SPOTS = 150
AT_ONCE = 1000
"""Buildings whose spots are in memory at a time."""
COMPACT, OPEN, GREEN = 0.40, 0.20, 0.20
WEAK, MODERATE, STRONG = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Heat:
    """Of each building: shares of built and of green ground around it, mean height, and the class 0, 1 or 2."""

    built: Floats
    green: Floats
    height_m: Floats
    level: Ints


def exposure(
    shapes: Sequence[Any], height_m: Floats, green: Sequence[Any], *, planted: "NDArray[np.bool_] | None" = None
) -> Heat:
    """How buildings (outlines in metres) are exposed, with outlines of green and water around them.

    `planted`: buildings (n,) whose roofs are green; they stay built, and count as green too.
    """
    n = len(shapes)
    middle = np.array([[p.x, p.y] for p in map(shapely.centroid, shapes)]).reshape(-1, 2)
    planted_roofs: list[Any] = []
    if planted is not None:
        planted_roofs = [shape for shape, is_planted in zip(shapes, planted.tolist(), strict=True) if is_planted]
    ground = _Ground(
        bounds=tuple(shapely.total_bounds(np.array([*shapes], dtype=object)).tolist()) if n else (0.0, 0.0, 0.0, 0.0),
        roofs=_cover(shapes, height_m),
        green=_cover(green, np.ones(len(green))),
        planted=_cover(planted_roofs, np.ones(len(planted_roofs))),
    )
    parts = [ground.around(middle[some : some + AT_ONCE]) for some in range(0, n, AT_ONCE)] or [np.zeros((3, 0))]
    built, parks, mean_m = np.concatenate(parts, axis=1)
    return Heat(built, parks, mean_m, _levels(built, parks))


@dataclass(frozen=True, slots=True)
class _Cover:
    """Shapes with a value each, asked by points."""

    tree: shapely.STRtree
    value: Floats

    def greatest(self, points: Any) -> Floats:
        """The greatest value of the shapes that cover each point, 0 where none does."""
        out = np.zeros(len(points))
        if len(self.value):
            point, shape = self.tree.query(points, predicate="within")
            np.maximum.at(out, point, np.maximum(self.value[shape], 1e-6))
        return out


def _cover(shapes: Sequence[Any], value: Floats) -> _Cover:
    return _Cover(shapely.STRtree(np.array([*shapes], dtype=object)), value)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What stands and grows within the bounds (west, south, east, north)."""

    bounds: tuple[float, ...]
    roofs: _Cover
    green: _Cover
    planted: _Cover

    def around(self, middle: Floats) -> Floats:
        """Shares of built and of green ground around some places, and the mean height: (3, k)."""
        west, south, east, north = self.bounds
        spots = (middle[:, None, :] + _disc()[None, :, :]).reshape(-1, 2)
        known = (spots[:, 0] >= west) & (spots[:, 0] <= east) & (spots[:, 1] >= south) & (spots[:, 1] <= north)
        points = shapely.points(spots)
        tall = self.roofs.greatest(points)
        is_green = (self.green.greatest(points) > 0) & (tall == 0) | (self.planted.greatest(points) > 0)
        shape = (len(middle), SPOTS)
        inside, roof, park = known.reshape(shape), tall.reshape(shape), is_green.reshape(shape)
        seen = np.maximum(inside.sum(axis=1), 1)
        houses = ((roof > 0) & inside).sum(axis=1)
        mean_m = (roof * inside).sum(axis=1) / np.maximum(houses, 1)
        return np.array([houses / seen, (park & inside).sum(axis=1) / seen, mean_m])


def spread(cells: Sequence[Any], count: Floats, shapes: Sequence[Any], floor_m2: Floats) -> tuple[Floats, float]:
    """People of grid cells laid on the buildings in each by their floor of homes: each building's people, and how many
    live in cells where no building is known.
    """
    found = np.zeros(len(shapes))
    homeless = 0.0
    middles = shapely.points(np.array([[p.x, p.y] for p in map(shapely.centroid, shapes)]).reshape(-1, 2))
    tree = shapely.STRtree(middles)
    for cell, people in zip(cells, count, strict=True):
        inside = tree.query(cell, predicate="covers")
        floor = floor_m2[inside].sum()
        if floor > 0:
            found[inside] += people * floor_m2[inside] / floor
        else:
            homeless += float(people)
    return found, homeless


def _levels(built: Floats, green: Floats) -> Ints:
    dense = np.where(built >= COMPACT, 2, np.where(built >= OPEN, 1, 0))
    cooled = (green >= GREEN).astype(np.int64)
    return np.asarray(np.clip(dense - cooled, WEAK, STRONG), dtype=np.int64)


def _disc() -> Floats:
    """Spots spread evenly over the disc (a sunflower's seeds: Vogel 1979)."""
    k = np.arange(SPOTS) + 0.5
    far = RADIUS_M * np.sqrt(k / SPOTS)
    turn = k * np.pi * (3 - np.sqrt(5))
    return np.column_stack([far * np.cos(turn), far * np.sin(turn)])
