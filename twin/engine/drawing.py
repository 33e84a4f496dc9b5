"""A district as a picture from the south-west: for the page before, or without, the map. Plain Python, so
pages may call it.

Parallel projection: metres east and north around the middle (equirectangular, good to a decimetre over a
district), turned by 20 degrees and tilted. Walls are drawn where they face the viewer, buildings from back to
front.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]
Geometry: TypeAlias = dict[str, Any]

WIDTH = 1200
_TURN = math.radians(20)
_TILT = 0.62
_RISE = 0.78
_EARTH_M = 6_371_000.0
MOST_BUILDINGS = 2500
MOST_STREETS = 12_000
"""Pieces of street in a picture, so that one of a city stays some 0.1 MB on the wire; who fetches them leaves paths out
where there are more.
"""


@dataclass(frozen=True, slots=True)
class Solid:
    """A building: its MultiPolygon, foot and top in metres above the ground.

    `tint` names a colour of the page ("solar", "bad" …) that is laid over its roof, as strong as `strength`, 0..1.
    """

    geometry: Geometry
    top_m: float
    foot_m: float = 0.0
    tint: str = ""
    strength: float = 0.0


@dataclass(frozen=True, slots=True)
class _View:
    lon: float
    lat: float
    scale: float
    left: float
    upper: float

    def ground(self, lon: float, lat: float) -> Point:
        """Turned metres: x right, y away from the viewer."""
        east = math.radians(lon - self.lon) * math.cos(math.radians(self.lat)) * _EARTH_M
        north = math.radians(lat - self.lat) * _EARTH_M
        return (
            east * math.cos(_TURN) - north * math.sin(_TURN),
            east * math.sin(_TURN) + north * math.cos(_TURN),
        )

    def spot(self, at: Point, z_m: float) -> tuple[int, int]:
        """The place on the picture, in whole units."""
        x = (at[0] - self.left) * self.scale
        y = (self.upper - at[1] * _TILT - z_m * _RISE) * self.scale
        return round(x), round(y)


def picture(
    solids: Sequence[Solid],
    streets: Iterable[tuple[Geometry, bool]],
    areas: Iterable[tuple[Geometry, str]],
    bounds: Sequence[float],
    shade: str = "",
) -> str:
    """An SVG document with the symbol `city`. Colours are the page's own custom properties, with light ones
    to fall back on.

    `streets`: line and whether cars drive there. `areas`: outline and "green" or "water". `bounds`: west,
    south, east, north. `shade`: a path of `ground_path` that is dark.
    """
    view, height = _view(bounds)
    drawn = [_area(view, geometry, kind) for geometry, kind in areas]
    drawn += _streets(view, streets)
    if shade:
        drawn.append(f'<path fill="var(--ink, #1b2420)" fill-opacity=".34" fill-rule="evenodd" d="{shade}"/>')
    keep = sorted(solids, key=lambda s: -_size(s))[:MOST_BUILDINGS]
    drawn += [_solid(view, solid) for solid in sorted(keep, key=lambda s: -_depth(view, s))]
    body = "".join(drawn)
    ground = f'<rect width="{WIDTH}" height="{height}" fill="var(--map-ground, #ecebe3)"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">'
        f'<g id="city" stroke-linejoin="round" stroke-linecap="round">{ground}{body}</g></svg>'
    )


def ground_path(geometry: Geometry, bounds: Sequence[float]) -> str:
    """A MultiPolygon on the ground as a path in the units of the picture of these bounds."""
    view, _height = _view(bounds)
    return "".join(_line(view, ring[:-1], closed=True) for ring in _rings(geometry))


def height_of(bounds: Sequence[float]) -> int:
    """The height of the picture for these bounds; its width is `WIDTH`."""
    return _view(bounds)[1]


def _view(bounds: Sequence[float]) -> tuple[_View, int]:
    west, south, east, north = bounds
    middle = _View((west + east) / 2, (south + north) / 2, 1.0, 0.0, 0.0)
    corners = [middle.ground(lon, lat) for lon in (west, east) for lat in (south, north)]
    left, right = min(x for x, _y in corners), max(x for x, _y in corners)
    near, far = min(y for _x, y in corners), max(y for _x, y in corners)
    scale = WIDTH / max(right - left, 1.0)
    upper = far * _TILT + 25
    return _View(middle.lon, middle.lat, scale, left, upper), math.ceil((upper - near * _TILT) * scale)


def _path(spots: Iterable[tuple[int, int]], *, closed: bool) -> str:
    """A path in steps from spot to spot, which are shorter to write than the spots; spots that fall together
    are one.
    """
    pieces: list[str] = []
    last: tuple[int, int] | None = None
    for x, y in spots:
        if last is None:
            pieces.append(f"M{x} {y}l")
        elif (x, y) != last:
            dx, dy = x - last[0], y - last[1]
            pieces.append(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}")
            pieces.append(" ")
        last = (x, y)
    if len(pieces) < 2:
        return ""
    return "".join(pieces).rstrip() + ("z" if closed else "")


def _line(view: _View, ring: Iterable[Sequence[float]], *, closed: bool) -> str:
    return _path((view.spot(view.ground(p[0], p[1]), 0.0) for p in ring), closed=closed)


def _rings(geometry: Geometry) -> Iterable[Sequence[Sequence[float]]]:
    for polygon in geometry["coordinates"]:
        yield from polygon


def _area(view: _View, geometry: Geometry, kind: str) -> str:
    fill = "var(--map-water, #cfe0e8)" if kind == "water" else "var(--map-park, #d7e3cf)"
    outline = "".join(_line(view, ring[:-1], closed=True) for ring in _rings(geometry))
    return f'<path fill="{fill}" fill-rule="evenodd" d="{outline}"/>'


def _streets(view: _View, streets: Iterable[tuple[Geometry, bool]]) -> list[str]:
    """Two strokes: paths thin, streets wide."""
    wide: list[str] = []
    thin: list[str] = []
    for geometry, car in streets:
        (wide if car else thin).append(_line(view, geometry["coordinates"], closed=False))
    colour = "var(--map-road, #fbfaf6)"
    return [
        f'<path fill="none" stroke="{colour}" stroke-width="{width * view.scale:.1f}" d="{"".join(lines)}"/>'
        for lines, width in ((thin, 2.2), (wide, 7.0))
        if lines
    ]


def _size(solid: Solid) -> float:
    ring = solid.geometry["coordinates"][0][0]
    lon, lat = [p[0] for p in ring], [p[1] for p in ring]
    return float((max(lon) - min(lon)) * (max(lat) - min(lat)))


def _depth(view: _View, solid: Solid) -> float:
    """How far away its nearest corner is: nearer ones are drawn over it."""
    return min(view.ground(p[0], p[1])[1] for p in solid.geometry["coordinates"][0][0])


def _solid(view: _View, solid: Solid) -> str:
    lit: list[str] = []
    shaded: list[str] = []
    roof: list[str] = []
    for polygon in solid.geometry["coordinates"]:
        for number, raw in enumerate(polygon):
            ring = [view.ground(p[0], p[1]) for p in raw[:-1]]
            if _signed(ring) < 0 if number == 0 else _signed(ring) > 0:
                ring.reverse()
            roof.append(_path((view.spot(at, solid.top_m) for at in ring), closed=True))
            for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
                if b[0] - a[0] <= 0.01:  # an outer ring runs against the clock, so walls towards the viewer run right
                    continue
                wall = [
                    view.spot(a, solid.foot_m),
                    view.spot(b, solid.foot_m),
                    view.spot(b, solid.top_m),
                    view.spot(a, solid.top_m),
                ]
                (lit if b[1] <= a[1] else shaded).append(_path(wall, closed=True))
    edge = 'stroke="var(--map-edge, #aaa79a)" stroke-width=".5"'
    parts = (
        (lit, 'fill="var(--map-wall-a, #d3d0c4)"'),
        (shaded, 'fill="var(--map-wall-b, #bfbcaf)"'),
        (roof, f'fill="var(--map-roof, #f7f5ee)" fill-rule="evenodd" {edge}'),
        (roof if solid.tint and solid.strength > 0 else [], _tint(solid)),
    )
    return "".join(f'<path {look} d="{"".join(lines)}"/>' for lines, look in parts if lines)


def _tint(solid: Solid) -> str:
    fallback = {"solar": "#f8ab00", "bad": "#b3401f", "act": "#1f6b52"}.get(solid.tint, "#8a8a80")
    return f'fill="var(--{solid.tint}, {fallback})" fill-opacity="{solid.strength:.2f}" fill-rule="evenodd"'


def _signed(ring: Sequence[Point]) -> float:
    """Twice the area of a ring, positive against the clock."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
