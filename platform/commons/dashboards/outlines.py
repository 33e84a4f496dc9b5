"""The neighbourhoods of a city as a drawing: outlines in a box, pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, MOST_HEIGHT, EDGE = 760, 420, 10
SHADES = 5


@dataclass(frozen=True, slots=True)
class Outline:
    """A neighbourhood: its path, where its name stands, and how dark it is (0: not known, 1 to 5)."""

    key: str
    d: str
    x: float
    y: float
    shade: int


def drawn(outlines: Mapping[str, Mapping[str, Any]], values: Mapping[str, float | None]) -> tuple[list[Outline], int]:
    """Outlines (GeoJSON by key) with the values that shade them, and the height of the drawing; [] without any."""
    rings = {key: _rings(shape) for key, shape in outlines.items()}
    points = [point for shape in rings.values() for ring in shape for point in ring]
    if not points:
        return [], 0
    west, east = min(x for x, _y in points), max(x for x, _y in points)
    south, north = min(y for _x, y in points), max(y for _x, y in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    size = min(
        (WIDTH - 2 * EDGE) / max((east - west) * squeeze, 1e-9), (MOST_HEIGHT - 2 * EDGE) / max(north - south, 1e-9)
    )
    aside = (WIDTH - (east - west) * squeeze * size) / 2

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return round(aside + (point[0] - west) * squeeze * size, 1), round(EDGE + (north - point[1]) * size, 1)

    known = [value for value in values.values() if value is not None]
    top = max(known, default=0.0)
    found = []
    for key, shape in rings.items():
        flat = [[place(point) for point in ring] for ring in shape]
        xs, ys = [x for ring in flat for x, _y in ring], [y for ring in flat for _x, y in ring]
        d = " ".join("M" + "L".join(f"{x} {y}" for x, y in ring) + "Z" for ring in flat)
        found.append(Outline(key, d, (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, shade(values.get(key), top)))
    return found, math.ceil((north - south) * size + 2 * EDGE)


def shade(value: float | None, top: float) -> int:
    """1 to 5 by the share of the largest; 0 where it is not known."""
    if value is None:
        return 0
    return 1 + min(int(SHADES * value / top), SHADES - 1) if top > 0 else 1


def _rings(shape: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    polygons: Sequence[Any] = shape.get("coordinates") or []
    if shape.get("type") == "Polygon":
        polygons = [polygons]
    return [[(float(p[0]), float(p[1])) for p in ring] for polygon in polygons for ring in polygon]
