"""Reads of dashboards: the figures over time, the rooms' panels, the sectors, and places side by side."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons import sockets as house
from commons.dashboards import sockets
from commons.dashboards.models import FigureDay
from commons.places import queries as places
from commons.places.models import Place

log = logging.getLogger(__name__)

MOST_DAYS = 400
Status = Literal["live", "partial", "none"]
Words = str | Promise

#: What people of a place need, and make or use; each is asked in three respects.
SECTORS: tuple[tuple[str, Words], ...] = (
    ("food", lazy("Food")),
    ("energy", lazy("Energy")),
    ("making", lazy("Making and repair")),
    ("materials", lazy("Materials")),
    ("mobility", lazy("Mobility")),
    ("buildings", lazy("Homes and buildings")),
    ("water", lazy("Water")),
    ("waste", lazy("Waste and reuse")),
    ("nature", lazy("Green and air")),
    ("learning", lazy("Learning")),
    ("care", lazy("Care and public services")),
    ("deciding", lazy("Deciding together")),
)
RESPECTS: tuple[tuple[str, Words], ...] = (
    ("made", lazy("Made or provided here")),
    ("used", lazy("Used here")),
    ("open", lazy("Open to all")),
)
SECTORS_VERSION = "sectors 1"


@dataclass(frozen=True, slots=True)
class History:
    """A headline figure of a place over time. `how` says where the points come from."""

    headline: house.HeadlineFigure
    figure: house.Figure
    points: Sequence[sockets.Point]
    how: Words

    @property
    def known(self) -> list[sockets.Point]:
        """Points with a value."""
        return [point for point in self.points if point.value is not None]


def histories(here: Place) -> list[History]:
    """All headline figures of a place, each with its past."""
    return [_history(headline, figure, here) for headline, figure in places.figures_of(here)]


def history(slug: str, here: Place) -> History | None:
    """One of them."""
    headline = house.figures.get(slug)
    return None if headline is None else _history(headline, places.figure_of(headline, here), here)


def _history(headline: house.HeadlineFigure, figure: house.Figure, here: Place) -> History:
    plug = sockets.histories.get(headline.slug)
    if plug is not None:
        try:
            return History(headline, figure, list(plug.points(here)), plug.how)
        except Exception:
            log.exception("the past of %s of %s failed", headline.slug, here.slug)
    return History(headline, figure, kept(headline.slug, here), _("As it stood on each day; kept since the first."))


def kept(slug: str, here: Place) -> list[sockets.Point]:
    """The days of a figure that were written down, oldest first, with every gap between them as a day without value."""
    rows = list(FigureDay.objects.filter(place=here, figure=slug).order_by("-day")[:MOST_DAYS])[::-1]
    if not rows:
        return []
    by_day = {row.day: row for row in rows}
    days = [rows[0].day + dt.timedelta(days=n) for n in range((rows[-1].day - rows[0].day).days + 1)]
    return [_point(day, by_day.get(day)) for day in days[-MOST_DAYS:]]


def _point(day: dt.date, row: FigureDay | None) -> sockets.Point:
    if row is None:
        return sockets.Point(day, day, None)
    return sockets.Point(day, day, row.value, row.numerator, row.denominator, row.upper, row.completeness)


@dataclass(frozen=True, slots=True)
class Filled:
    """A panel with what a place puts into it."""

    panel: sockets.Panel
    sheet: sockets.Sheet


def tabs_of(here: Place) -> list[sockets.Tab]:
    """The rooms' pages that have a panel; whether the place fills it is seen there."""
    used = {panel.tab for panel in sockets.panels}
    return [tab for tab in sockets.tabs if tab.slug in used]


def panels_of(here: Place, tab: str) -> list[Filled]:
    """The panels of a page that have something to say. A room that fails costs its own panel, never the page."""
    found = []
    for panel in sockets.panels:
        if panel.tab == tab and (sheet := _filled(panel, here)) is not None:
            found.append(Filled(panel, sheet))
    return found


def panel(slug: str, here: Place) -> Filled | None:
    """One panel of a place."""
    known = sockets.panels.get(slug)
    sheet = _filled(known, here) if known else None
    return Filled(known, sheet) if known and sheet else None


def _filled(panel: sockets.Panel, here: Place) -> sockets.Sheet | None:
    try:
        return panel.fill(here)
    except Exception:
        log.exception("the panel %s of %s failed", panel.slug, here.slug)
        return None


@dataclass(frozen=True, slots=True)
class Cell:
    """A sector in one respect: how well it is known here, and what shows it."""

    sector: str
    respect: str
    status: Status
    states: Sequence[sockets.CellState] = ()

    @property
    def label(self) -> Words:
        """The status in a word."""
        return {"live": _("live"), "partial": _("partial"), "none": _("none")}[self.status]


@dataclass(frozen=True, slots=True)
class Sector:
    """A row of the table of sectors."""

    slug: str
    title: Words
    cells: Sequence[Cell] = field(default=())


def sectors(here: Place) -> list[Sector]:
    """Each sector in each respect, by what rooms find in the database at the time of asking."""
    found: dict[tuple[str, str], list[sockets.CellState]] = {}
    for plug in sockets.cells:
        try:
            told = list(plug.find(here))
        except Exception:
            log.exception("the cells of %s of %s failed", plug.slug, here.slug)
            continue
        for state in told:
            found.setdefault((state.sector, state.respect), []).append(state)
    return [
        Sector(slug, title, [_cell(slug, respect, found.get((slug, respect), [])) for respect, _words in RESPECTS])
        for slug, title in SECTORS
    ]


def _cell(sector: str, respect: str, states: list[sockets.CellState]) -> Cell:
    states.sort(key=lambda state: state.status != "live")
    return Cell(sector, respect, states[0].status if states else "none", states)


def counted(rows: Sequence[Sector]) -> dict[str, int]:
    """How many cells are live, partial and none."""
    listed = [cell.status for row in rows for cell in row.cells]
    return {status: listed.count(status) for status in ("live", "partial", "none")}


@dataclass(frozen=True, slots=True)
class Compared:
    """A place among its neighbours, with its headline figures."""

    place: Place
    figures: places.Figures

    def value(self, slug: str) -> float | None:
        """A headline figure's value."""
        return next((figure.value for headline, figure in self.figures if headline.slug == slug), None)


def neighbours(here: Place) -> list[Place]:
    """The neighbourhoods of the place's city, or of the place if it is one."""
    city = here if here.kind == Place.Kind.CITY else here.parent
    return list(city.parts.select_related("parent").order_by("name")) if city else [here]


def compared(here: Place) -> list[Compared]:
    """Every neighbourhood of the city with the same figures by the same definitions; the city's own row last."""
    city = here if here.kind == Place.Kind.CITY else here.parent
    listed = [*neighbours(here), *([city] if city else [])]
    return [Compared(place, places.figures_of(place)) for place in listed]


def compared_rows(rows: Sequence[Compared]) -> list[Mapping[str, Any]]:
    """The same as rows of a file."""
    found: list[Mapping[str, Any]] = []
    for row in rows:
        cells: dict[str, Any] = {"place": row.place.slug, "name": row.place.name, "kind": row.place.kind}
        for headline, figure in row.figures:
            cells[headline.slug] = figure.value
            cells[f"{headline.slug}_version"] = headline.version
        found.append(cells)
    return found
