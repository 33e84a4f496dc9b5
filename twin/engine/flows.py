"""Flows as a plan seen from above: a street is as wide as its flow and coloured by flow over capacity. Plain Python.

North is up; equirectangular, good to a decimetre over a district. Colours are the page's own custom properties.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Geometry: TypeAlias = dict[str, Any]

WIDTH = 1200
TALLEST = 1400
WIDEST_STROKE = 17.0
THINNEST_STROKE = 1.2

#: Flow over capacity below which a street has this colour; the words stand in the page's legend.
CLASSES = (
    (0.5, "var(--map-edge, #aaa79a)"),
    (0.8, "var(--good, #1b6a4f)"),
    (1.0, "var(--solar, #f8ab00)"),
    (math.inf, "var(--bad, #ab2f1b)"),
)


@dataclass(frozen=True, slots=True)
class Stroke:
    """A street: its line in degrees, vehicles an hour in both directions, and the ratio of the worse one."""

    line: Sequence[Sequence[float]]
    flow: float
    voc: float


@dataclass(frozen=True, slots=True)
class _Frame:
    west: float
    north: float
    across: float
    down: float
    height: int

    def spot(self, at: Sequence[float]) -> tuple[int, int]:
        return round((at[0] - self.west) * self.across), round((self.north - at[1]) * self.down)


def picture(
    strokes: Sequence[Stroke], buildings: Iterable[Geometry] = (), areas: Iterable[tuple[Geometry, str]] = ()
) -> tuple[str, list[int]]:
    """An SVG document with the symbol `flows`, and its width and height. `areas`: outline and "green" or "water"."""
    frame = _frame(strokes)
    ground = f'<rect width="{WIDTH}" height="{frame.height}" fill="var(--map-ground, #ecebe3)"/>'
    parts = [ground]
    for geometry, kind in areas:
        fill = "var(--map-water, #cfe0e8)" if kind == "water" else "var(--map-park, #d7e3cf)"
        parts.append(f'<path fill="{fill}" fill-rule="evenodd" d="{_outline(frame, geometry)}"/>')
    houses = "".join(_outline(frame, geometry) for geometry in buildings)
    parts.append(f'<path fill="var(--map-wall-a, #d3d0c4)" fill-rule="evenodd" d="{houses}"/>')
    lines = "".join(_line(frame, stroke.line) for stroke in strokes)
    parts.append(f'<path fill="none" stroke="var(--map-road, #fbfaf6)" stroke-width="5" d="{lines}"/>')
    parts += _coloured(frame, strokes)
    body = "".join(parts)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {frame.height}">'
        f'<g id="flows" stroke-linejoin="round" stroke-linecap="round">{body}</g></svg>'
    )
    return svg, [WIDTH, frame.height]


def _frame(strokes: Sequence[Stroke]) -> _Frame:
    lon = [p[0] for stroke in strokes for p in stroke.line] or [0.0, 1e-3]
    lat = [p[1] for stroke in strokes for p in stroke.line] or [0.0, 1e-3]
    west, east, south, north = min(lon), max(lon), min(lat), max(lat)
    shrink = math.cos(math.radians((south + north) / 2))
    wide, tall = max((east - west) * shrink, 1e-5), max(north - south, 1e-5)
    scale = min((WIDTH - 40) / wide, (TALLEST - 40) / tall)
    left = (WIDTH - wide * scale) / 2
    return _Frame(west - left / scale / shrink, north + 20 / scale, scale * shrink, scale, math.ceil(tall * scale) + 40)


def _line(frame: _Frame, line: Iterable[Sequence[float]], *, closed: bool = False) -> str:
    steps: list[str] = []
    last: tuple[int, int] | None = None
    for at in line:
        x, y = frame.spot(at)
        if last is None:
            steps.append(f"M{x} {y}")
        elif (x, y) != last:
            steps.append(f"l{x - last[0]} {y - last[1]}")
        last = (x, y)
    if len(steps) < 2:
        return ""
    return "".join(steps) + ("z" if closed else "")


def _outline(frame: _Frame, geometry: Geometry) -> str:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return "".join(_line(frame, ring, closed=True) for polygon in polygons for ring in polygon)


def _coloured(frame: _Frame, strokes: Sequence[Stroke]) -> list[str]:
    """One path for each colour and width, the fullest streets on top; widths in steps of a pixel."""
    most = max((stroke.flow for stroke in strokes), default=0.0) or 1.0
    groups: dict[tuple[int, int], list[str]] = {}
    for stroke in strokes:
        if stroke.flow < 0.5:
            continue
        number = next(i for i, (limit, _colour) in enumerate(CLASSES) if stroke.voc < limit)
        width = max(round(WIDEST_STROKE * math.sqrt(stroke.flow / most)), 1)
        groups.setdefault((number, width), []).append(_line(frame, stroke.line))
    look = 'fill="none" stroke="{}" stroke-width="{}"'
    return [
        f'<path {look.format(CLASSES[number][1], max(width, THINNEST_STROKE))} d="{"".join(d)}"/>'
        for (number, width), d in sorted(groups.items())
    ]
