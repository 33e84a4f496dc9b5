"""The year as a picture: a column for each day, a row for each hour, one path for each shade.

Shades are few and of the two colours of the thing (sun to spare, power from the grid), so that the picture reads in
both themes and with any eyes; runs of one shade in a day are one stroke, which keeps 8,760 hours small.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commons.web import numbers

SHADES = 4
EVEN_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Shade:
    """All cells of one shade as strokes, one unit a day by one unit an hour. `css` is its class."""

    css: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a day; `wide` is its x with days across, `tall` its y with days down."""

    at: int
    words: str

    @property
    def wide(self) -> int:
        """Where it stands with days across."""
        return 40 + 3 * self.at

    @property
    def tall(self) -> int:
        """Where it stands with days down."""
        return 33 + 2 * self.at


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour's mark on the scale of the day."""

    hour: int

    @property
    def words(self) -> str:
        """The time on the clock."""
        return f"{self.hour:02d}:00"

    @property
    def wide(self) -> int:
        """Its y with days across."""
        return 6 + 8 * self.hour + 4

    @property
    def tall(self) -> int:
        """Its x with days down."""
        return 36 + 12 * self.hour


@dataclass(frozen=True, slots=True)
class Grade:
    """One shade of the legend in words."""

    css: str
    words: str


HOUR_MARKS = tuple(Hour(hour) for hour in (0, 6, 12, 18, 24))


@dataclass(frozen=True, slots=True)
class Heat:
    """The picture, its labels and the steps of its scale in kW."""

    shades: Sequence[Shade]
    months: Sequence[Label]
    days: int
    scale: Sequence[Grade]

    @property
    def width(self) -> int:
        """Of the picture for a wide page: three units a day, and the hours' labels."""
        return self.days * 3 + 46

    @property
    def height(self) -> int:
        """Of the picture for a phone: two units a day, and the hours' labels."""
        return self.days * 2 + 30


def draw(
    days: Sequence[dt.date],
    cells: Sequence[Sequence[float | None]],
    above: str,
    below: str = "grid",
    span: Callable[[str, float, Sequence[str]], str] | None = None,
) -> Heat:
    """Draw mean kW by day and hour; `above` and `below` are the colours of either side of zero. `span` says in words
    what a shade stands for, where that is not kW.
    """
    words = span or _span
    known = [abs(value) for row in cells for value in row if value is not None]
    top = _top(known)
    strokes: dict[str, list[str]] = {}
    for x, row in enumerate(cells):
        y = 0
        while y < len(row):
            css = _shade(row[y], top, above, below)
            end = y
            while end < len(row) and _shade(row[end], top, above, below) == css:
                end += 1
            if css:
                strokes.setdefault(css, []).append(f"M{x} {y}v{end - y}")
            y = end
    months = [
        Label(x, date_format(day, "M")) for x, day in enumerate(days) if day.day == 1 or (x == 0 and day.day < 20)
    ]
    names = [f"{below}-{i}" for i in range(SHADES, 0, -1)] if any(name.startswith(below) for name in strokes) else []
    names += ["even", *(f"{above}-{i}" for i in range(1, SHADES + 1))]
    shades = [Shade(name, "".join(strokes[name])) for name in names if name in strokes]
    return Heat(shades, months, len(days), [Grade(name, words(name, top, names)) for name in names])


def _top(known: Sequence[float]) -> float:
    """Where the strongest shade begins to saturate: the 98th of 100 hours, so that one peak does not pale the rest."""
    return sorted(known)[int(len(known) * 0.98)] if known else 0.0


def _shade(value: float | None, top: float, above: str, below: str) -> str:
    if value is None:
        return ""
    if abs(value) <= EVEN_SHARE * top:
        return "even"
    step = min(SHADES, int(abs(value) / top * SHADES) + 1) if top else 1
    return f"{above if value > 0 else below}-{step}"


def _span(name: str, top: float, names: Sequence[str]) -> str:
    """What a shade stands for in kW; the strongest is open."""
    if name == "even":
        return _("about nothing")
    colour, _dash, step = name.rpartition("-")
    both = colour != names[-1].rpartition("-")[0]  # the lower side of a picture with two sides
    low, high = ((int(step) - i) * top / SHADES for i in (1, 0))
    digits = numbers.digits(high, 2, 1) if high else 0
    if int(step) == SHADES:
        words = _("over %(kw)s") % {"kw": numbers.kw(low)}
    else:
        words = numbers.with_unit(numbers.span(numbers.number(low, digits), numbers.number(high, digits)), "kW")
    return _("%(kw)s lacking") % {"kw": words} if both else words
