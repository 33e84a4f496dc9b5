"""What differs between two versions, drawn from above: what began, ended and changed, over the pale district. Plain
Python, so pages may call it.

Colour is never alone: what began is filled, what ended is hollow with a broken line, what changed has a thick rim; and
a ring is drawn around each, so that one small thing in a district is found.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Geometry: TypeAlias = dict[str, Any]
Fate: TypeAlias = Literal["began", "ended", "changed"]

WIDTH, HEIGHT = 1200, 720
MOST = 4000
RINGED = 60
_MARGIN = 1.35
_LEAST_DEGREES = 0.006
"""Some 670 m wide at least, so that one house is seen among its neighbours."""
_LOOKS: dict[Fate, tuple[str, str]] = {
    "began": ("var(--added, #1c63b8)", 'fill="var(--added, #1c63b8)" fill-opacity=".55" stroke-width="2"'),
    "ended": ("var(--removed, #b04a0c)", 'fill="none" stroke-width="2.5" stroke-dasharray="7 5"'),
    "changed": ("var(--warn, #7d5200)", 'fill="var(--warn, #7d5200)" fill-opacity=".25" stroke-width="3.5"'),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    west: float
    north: float
    x_scale: float
    y_scale: float

    def spot(self, at: Sequence[float]) -> tuple[int, int]:
        """The place on the picture."""
        return round((at[0] - self.west) * self.x_scale), round((self.north - at[1]) * self.y_scale)


def _plan(differs: Sequence[tuple[Fate, Geometry]], bounds: Sequence[float]) -> _Plan:
    """The part of the district where something differs, with a margin, in the picture's own proportions."""
    spots = [at for _fate, geometry in differs for at in _positions(geometry["coordinates"])]
    west, south, east, north = bounds
    narrow = math.cos(math.radians((south + north) / 2))
    if spots:
        west, east = min(at[0] for at in spots), max(at[0] for at in spots)
        south, north = min(at[1] for at in spots), max(at[1] for at in spots)
    wide = max((east - west) * narrow * _MARGIN, (north - south) * _MARGIN * WIDTH / HEIGHT, _LEAST_DEGREES)
    scale = WIDTH / wide
    left = (west + east) / 2 - wide / narrow / 2
    upper = (south + north) / 2 + wide * HEIGHT / WIDTH / 2
    return _Plan(left, upper, scale * narrow, scale)


def picture(
    ground: Iterable[tuple[Geometry, str]],
    differs: Sequence[tuple[Fate, Geometry]],
    bounds: Sequence[float],
) -> str:
    """An SVG document with the symbol `diff`.

    `ground`: outlines and lines of the district with their kind ("building", "street", "green", "water"). `differs`:
    what became of which geometry, at most `MOST`; the picture shows where they are. `bounds`: west, south, east, north
    of the district, for when nothing differs.
    """
    plan = _plan(differs[:MOST], bounds)
    drawn = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="var(--map-ground, #ecebe3)"/>', *_ground(plan, ground)]
    drawn += [_changed(plan, fate, geometry) for fate, geometry in differs[:MOST]]
    if len(differs) <= RINGED:
        drawn += [_ring(plan, fate, geometry) for fate, geometry in differs]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<g id="diff" stroke-linejoin="round" stroke-linecap="round">{"".join(drawn)}</g></svg>'
    )


def _ground(plan: _Plan, ground: Iterable[tuple[Geometry, str]]) -> list[str]:
    """One path for each kind, so that a district of thousands is a few elements."""
    paths: dict[str, list[str]] = {"water": [], "green": [], "street": [], "building": []}
    for geometry, kind in ground:
        if _seen(plan, geometry):
            paths[kind].append(_path(plan, geometry))
    look = {
        "water": 'fill="var(--map-water, #cfe0e8)" fill-rule="evenodd"',
        "green": 'fill="var(--map-park, #d7e3cf)" fill-rule="evenodd"',
        "street": 'fill="none" stroke="var(--map-road, #fbfaf6)" stroke-width="3"',
        "building": 'fill="var(--map-wall-a, #d3d0c4)" fill-rule="evenodd"',
    }
    return [f'<path {look[kind]} d="{"".join(lines)}"/>' for kind, lines in paths.items() if lines]


def _seen(plan: _Plan, geometry: Geometry) -> bool:
    """Whether its box reaches into the picture."""
    x, y = zip(*(plan.spot(at) for at in _positions(geometry["coordinates"])), strict=True)
    return bool(max(x) >= 0 and min(x) <= WIDTH and max(y) >= 0 and min(y) <= HEIGHT)


def _path(plan: _Plan, geometry: Geometry) -> str:
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            x, y = plan.spot(coordinates)
            return f"M{x - 6} {y}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z"
        case "LineString":
            return _line(plan, coordinates, closed=False)
        case _:
            return "".join(_line(plan, ring, closed=True) for polygon in coordinates for ring in polygon)


def _line(plan: _Plan, positions: Sequence[Sequence[float]], *, closed: bool) -> str:
    spots = [plan.spot(at) for at in positions]
    thin = [spot for number, spot in enumerate(spots) if number == 0 or spot != spots[number - 1]]
    return "M" + " ".join(f"{x} {y}" for x, y in thin) + ("z" if closed else "")


def _changed(plan: _Plan, fate: Fate, geometry: Geometry) -> str:
    stroke, look = _LOOKS[fate]
    if geometry["type"] == "LineString":
        dashes = ' stroke-dasharray="7 5"' if fate == "ended" else ""
        return f'<path fill="none" stroke="{stroke}" stroke-width="6"{dashes} d="{_path(plan, geometry)}"/>'
    return f'<path stroke="{stroke}" fill-rule="evenodd" {look} d="{_path(plan, geometry)}"/>'


def _ring(plan: _Plan, fate: Fate, geometry: Geometry) -> str:
    spots = [plan.spot(at) for at in _positions(geometry["coordinates"])]
    x = (min(spot[0] for spot in spots) + max(spot[0] for spot in spots)) / 2
    y = (min(spot[1] for spot in spots) + max(spot[1] for spot in spots)) / 2
    far = max(math.hypot(spot[0] - x, spot[1] - y) for spot in spots) + 14
    stroke, _look = _LOOKS[fate]
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{far:.0f}" fill="none" stroke="{stroke}" stroke-width="2"/>'


def _positions(coordinates: Any) -> Iterable[Sequence[float]]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates
    else:
        for inner in coordinates:
            yield from _positions(inner)
