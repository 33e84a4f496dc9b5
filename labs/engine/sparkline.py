"""The last hour of a machine as one small path. Pure: points in, SVG path data out."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, TOP, BOTTOM = 120.0, 30.0, 3.0, 28.0


class Sparkline(NamedTuple):
    """`line` and `area` are SVG path data in a box of 120 × 30; both empty when there is nothing to draw."""

    line: str
    area: str


def sparkline(points: Sequence[tuple[float, float]], *, start: float, end: float, floor_w: float = 200.0) -> Sparkline:
    """Draw (time, watts) from `start` to `end`; zero is at the bottom, `floor_w` keeps an idle line low."""
    inside = [(t, max(w, 0.0)) for t, w in points if start <= t <= end]
    if len(inside) < 2:
        return Sparkline("", "")
    top_w = max(floor_w, *(w for _, w in inside))
    places = [(WIDTH * (t - start) / (end - start), BOTTOM - (BOTTOM - TOP) * w / top_w) for t, w in inside]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return Sparkline(line, f"{line}L{places[-1][0]:.1f} {HEIGHT:.0f}L{places[0][0]:.1f} {HEIGHT:.0f}Z")
