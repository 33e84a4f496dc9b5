"""What rooms bring to dashboards: figures over time, panels of rows with a chart, cells of the sectors.

Everything that passes here is public: it is shown to everybody and exported. A room cuts its sums before it hands them
over (energy: `energy/queries/public.py`).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from commons.sockets import Socket, Text

if TYPE_CHECKING:
    from commons.places.models import Place

#: How a page writes a cell; exports have the plain value.
Kind = Literal["text", "number", "kwh", "kw", "co2", "grams", "percent", "ratio", "date", "hours"]
Colour = Literal["solar", "load", "battery", "grid", "export", "act"]


@dataclass(frozen=True, slots=True)
class Point:
    """A headline figure over one period, both days inclusive. `upper` where `value` is a lower bound."""

    start: dt.date
    end: dt.date
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    upper: float | None = None
    completeness: float | None = None


@dataclass(frozen=True, slots=True)
class FigureHistory:
    """A headline figure worked out again for periods that are over, from the evidence itself. `slug` is the figure's;
    `how` one sentence: which periods, from what. Without such a plug the days kept by beat are shown."""

    slug: str
    how: Text
    points: "Callable[[Place], Sequence[Point]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a panel's table; `name` is that of the export."""

    name: str
    title: Text
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a chart: bars or a line, in a colour of the guide."""

    label: Text
    colour: Colour
    values: Sequence[float | None]
    form: Literal["bar", "line", "dashed"] = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn above a panel's table. `ticks` are words along the bottom, one a value; "" is not written."""

    ticks: Sequence[str]
    lines: Sequence[Line]
    unit: Text
    percent: bool = False
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A panel of one place, filled. `finding` says in a sentence what the rows show. A row may have "url": its
    proof."""

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    finding: Text
    start: dt.date | None = None
    end: dt.date | None = None
    chart: Chart | None = None
    notes: Sequence[Text] = ()
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A question about a place that rows answer. `fill` answers None where there is nothing to say.

    `tab` is the page that it stands on; `definition` and `version` go with every export.
    """

    slug: str
    tab: str
    title: Text
    definition: Text
    version: str
    fill: "Callable[[Place], Sheet | None]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class CellState:
    """What a room knows of a sector in one respect: `live` is measured and fresh, `partial` is modelled, declared, old
    or of a part alone. `sentence` says which. Of what a room knows nothing it says nothing."""

    sector: str
    respect: Literal["made", "used", "open"]
    status: Literal["live", "partial"]
    sentence: Text
    value: float | None = None
    unit: Text = ""
    as_of: "dt.datetime | None" = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class SectorCells:
    """What a room finds about the sectors of a place, in the database at the time of asking."""

    slug: str
    find: "Callable[[Place], Iterable[CellState]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of the dashboard with panels; its address is the slug."""

    slug: str
    title: Text
    question: Text
    order: int = 100
    icon: str = field(default="city")


histories: Socket[FigureHistory] = Socket("figure_histories")
panels: Socket[Panel] = Socket("panels")
cells: Socket[SectorCells] = Socket("sector_cells")
tabs: Socket[Tab] = Socket("dashboard_tabs")
