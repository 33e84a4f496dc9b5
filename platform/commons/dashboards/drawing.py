"""Charts as geometry for SVG, drawn on the server: pure, numbers in and shapes out.

A chart is drawn twice, once for a wide page and once for a phone, so that words are never shrunk.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from commons.dashboards.sockets import Chart, Line
from commons.web import numbers

WIDE, NARROW = (900, 260, 9), (340, 220, 4)
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 12, 26
GAP_SHARE = 0.28
#: Half of a word at the right edge.
EDGE_WORD = 24


@dataclass(frozen=True, slots=True)
class Tick:
    """A word on an axis, and where."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from its foot up (or down)."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line; `dots` are values with no neighbour, which a line alone would not show."""

    d: str
    colour: str
    dashed: bool
    dots: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart of one size. `zero` is the height of nought, `goal` that of the goal."""

    width: int
    height: int
    left: int
    right: int
    ys: Sequence[Tick]
    xs: Sequence[Tick]
    bars: Sequence[Bar]
    paths: Sequence[Path]
    zero: float
    goal: float | None


def draw(chart: Chart, size: tuple[int, int, int]) -> Drawn:
    """The chart in a box of width and height, with so many words along the bottom at most."""
    width, height, most = size
    known = [v for line in chart.lines for v in line.values if v is not None]
    low, high = min([0.0, *known]), max([0.0, *known, *([chart.goal] if chart.goal is not None else [])])
    steps = scale(low, high or 1.0)
    bottom, top = steps[0], steps[-1]

    def y(value: float) -> float:
        return TOP + (height - TOP - BOTTOM) * (1 - (value - bottom) / (top - bottom))

    count = max(len(chart.ticks), 1)
    slot = (width - LEFT - RIGHT) / count
    middles = [LEFT + slot * (i + 0.5) for i in range(count)]
    barred = [line for line in chart.lines if line.form == "bar"]
    return Drawn(
        width,
        height,
        LEFT,
        width - RIGHT,
        [Tick(round(y(step), 1), _word(step, steps, percent=chart.percent)) for step in steps],
        list(_words(chart.ticks, middles, most)),
        [bar for nth, line in enumerate(barred) for bar in _bars(line, nth, len(barred), middles, slot, y)],
        [_path(line, middles, y) for line in chart.lines if line.form != "bar"],
        round(y(0.0), 1),
        None if chart.goal is None else round(y(chart.goal), 1),
    )


def scale(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round steps that hold nought and everything between `low` and `high`."""
    span = max(high - low, 1e-9)
    raw = span / wanted
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]


def _word(step: float, steps: Sequence[float], *, percent: bool) -> str:
    if percent:
        return numbers.percent(step)
    apart = steps[1] - steps[0]
    decimals = 0 if apart >= 1 and apart == round(apart) else 1 if round(apart * 10, 6) == round(apart * 10) else 2
    return numbers.number(step, decimals)


def _words(ticks: Sequence[str], middles: Sequence[float], most: int) -> Iterator[Tick]:
    said = [(x, words) for x, words in zip(middles, ticks, strict=False) if words]
    every = max(1, math.ceil(len(said) / most))
    for nth, (x, words) in enumerate(said):
        if nth % every == 0:
            yield Tick(round(min(x, middles[-1] + RIGHT - EDGE_WORD), 1), words)


def _bars(  # noqa: PLR0917 a line and where it stands
    line: Line, nth: int, of: int, middles: Sequence[float], slot: float, y: Callable[[float], float]
) -> Iterator[Bar]:
    wide = slot * (1 - GAP_SHARE) / of
    for middle, value in zip(middles, line.values, strict=False):
        if value is not None:
            left = middle - slot * (1 - GAP_SHARE) / 2 + nth * wide
            above, foot = min(y(value), y(0.0)), max(y(value), y(0.0))
            yield Bar(
                round(left, 1), round(above, 1), round(max(wide - 0.6, 0.6), 1), round(foot - above, 1), line.colour
            )


def _path(line: Line, middles: Sequence[float], y: Callable[[float], float]) -> Path:
    pieces: list[list[tuple[float, float]]] = [[]]
    for middle, value in zip(middles, line.values, strict=False):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((round(middle, 1), round(y(value), 1)))
    drawn = " ".join("M" + "L".join(f"{x} {z}" for x, z in piece) for piece in pieces if len(piece) > 1)
    return Path(drawn, line.colour, line.form == "dashed", [piece[0] for piece in pieces if len(piece) == 1])
