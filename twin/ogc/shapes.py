"""Whether a GeoJSON geometry meets an upright rectangle, exactly; in pure Python, so that the web loads no geometry
library for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

Box = tuple[float, float, float, float]
Pair = Sequence[float]


def envelope(geometry: dict[str, Any]) -> Box:
    """West, south, east, north of a geometry. Raises ValueError for an empty one."""
    xs, ys = zip(*((p[0], p[1]) for p in _pairs(geometry["coordinates"])), strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes meet; touching counts."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def within(a: Box, b: Box) -> bool:
    """Whether `a` lies in `b`."""
    return b[0] <= a[0] and a[2] <= b[2] and b[1] <= a[1] and a[3] <= b[3]


def meets(geometry: dict[str, Any], box: Box) -> bool:
    """Whether the geometry and the box have a point in common; borders belong to both."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return _inside(coordinates, box)
    if kind == "MultiPoint":
        return any(_inside(p, box) for p in coordinates)
    if kind == "LineString":
        return _line(coordinates, box)
    if kind == "MultiLineString":
        return any(_line(part, box) for part in coordinates)
    if kind == "Polygon":
        return _polygon(coordinates, box)
    if kind == "MultiPolygon":
        return any(_polygon(part, box) for part in coordinates)
    raise ValueError(kind)


def _pairs(coordinates: Any) -> Iterator[Pair]:
    if isinstance(coordinates[0], int | float):
        yield coordinates
        return
    for inner in coordinates:
        yield from _pairs(inner)


def _inside(p: Pair, box: Box) -> bool:
    return box[0] <= p[0] <= box[2] and box[1] <= p[1] <= box[3]


def _line(points: Sequence[Pair], box: Box) -> bool:
    return any(_segment(a, b, box) for a, b in pairwise(points))


def _segment(a: Pair, b: Pair, box: Box) -> bool:
    """Liang and Barsky's cut of a segment by a rectangle (1984), with its borders."""
    if _inside(a, box) or _inside(b, box):
        return True
    dx, dy = b[0] - a[0], b[1] - a[1]
    if box[0] == box[2] and box[1] == box[3]:
        return _on(a, b, (box[0], box[1]))
    low, high = 0.0, 1.0
    for step, distance in ((-dx, a[0] - box[0]), (dx, box[2] - a[0]), (-dy, a[1] - box[1]), (dy, box[3] - a[1])):
        if step == 0:
            if distance < 0:
                return False
        elif step < 0:
            low = max(low, distance / step)
        else:
            high = min(high, distance / step)
        if low > high:
            return False
    return True


def _on(a: Pair, b: Pair, p: Pair) -> bool:
    """Whether a point lies on a segment, to about a tenth of a millimetre."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    if length == 0:
        return False
    along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length
    across = abs((p[0] - a[0]) * dy - (p[1] - a[1]) * dx) / length**0.5
    return 0 <= along <= 1 and across < 1e-9


def _polygon(rings: Sequence[Sequence[Pair]], box: Box) -> bool:
    if any(_line(ring, box) for ring in rings):
        return True
    corner = (box[0], box[1])
    return _within_ring(corner, rings[0]) and not any(_within_ring(corner, hole) for hole in rings[1:])


def _within_ring(p: Pair, ring: Sequence[Pair]) -> bool:
    inside = False
    for a, b in pairwise(ring):
        if (a[1] > p[1]) != (b[1] > p[1]) and p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0]:
            inside = not inside
    return inside


def moved(coordinates: Any, ways: "Iterable[Any]") -> Any:
    """The coordinates with each position replaced by the next of `ways`."""
    source = iter(ways)

    def go(part: Any) -> Any:
        return next(source) if isinstance(part[0], int | float) else [go(inner) for inner in part]

    return go(coordinates)


def positions(geometry: dict[str, Any]) -> list[Pair]:
    """Every position of a geometry, in order."""
    return list(_pairs(geometry["coordinates"]))
