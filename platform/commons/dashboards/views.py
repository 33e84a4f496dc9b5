"""Dashboards of a city and of its neighbourhoods: how has it gone, and what shows it?"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons import csv_files
from commons import sockets as house
from commons.dashboards import documents, drawing, outlines, queries, sockets
from commons.errors import NotFound
from commons.places import queries as places
from commons.places.models import Place
from commons.web.context import set_place

FEWEST_POINTS = 2
MOST_SHOWN = 60


@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """The headline figures over time."""
    here = _asked(request, slug)
    past = [(one, _figure_chart(one)) for one in queries.histories(here)]
    return render(request, "dashboards/overview.html", _frame(here, "overview") | {"past": past})


@require_safe
def tab(request: HttpRequest, slug: str, tab: str) -> HttpResponse:
    """The panels of one page."""
    here = _asked(request, slug)
    known = sockets.tabs.get(tab)
    if known is None:
        raise NotFound(_("There is no page “%(tab)s” of this dashboard.") % {"tab": tab[:60]})
    filled = [
        {
            "panel": one.panel,
            "sheet": one.sheet,
            "rows": one.sheet.rows[:MOST_SHOWN],
            "more": max(len(one.sheet.rows) - MOST_SHOWN, 0),
            "chart": drawn_twice(one.sheet.chart),
        }
        for one in queries.panels_of(here, tab)
    ]
    return render(request, "dashboards/tab.html", _frame(here, tab) | {"tab": known, "panels": filled})


@require_safe
def sectors(request: HttpRequest, slug: str) -> HttpResponse:
    """What the city knows of each sector."""
    here = _asked(request, slug)
    rows = queries.sectors(here)
    context = {
        "sectors": rows,
        "respects": queries.RESPECTS,
        "count": queries.counted(rows),
        "definition": documents.sectors_definition(),
        "version": queries.SECTORS_VERSION,
    }
    return render(request, "dashboards/sectors.html", _frame(here, "sectors") | context)


@require_safe
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """The neighbourhoods of the city side by side, and on a map shaded by one figure (`?figure=`)."""
    here = _asked(request, slug)
    rows = queries.compared(here)
    headlines = list(house.figures)
    asked = request.GET.get("figure", "")
    shown = next((one for one in headlines if one.slug == asked), headlines[0] if headlines else None)
    parts = [row for row in rows if row.place.kind == Place.Kind.NEIGHBOURHOOD]
    values = {row.place.slug: row.value(shown.slug) for row in parts} if shown else {}
    shapes, height = outlines.drawn({row.place.slug: row.place.outline for row in parts if row.place.outline}, values)
    by_slug = {row.place.slug: row.place for row in parts}
    context = {
        "rows": rows,
        "headlines": headlines,
        "shown": shown,
        "height": height,
        "width": outlines.WIDTH,
        "shapes": [(shape, by_slug[shape.key], values.get(shape.key)) for shape in shapes],
    }
    return render(request, "dashboards/compare.html", _frame(here, "compare") | context)


@require_safe
def export(request: HttpRequest, slug: str, what: str, form: str) -> HttpResponseBase:
    """A figure's past, a panel, the sectors or the comparison, as CSV or JSON with definition and version."""
    here = _asked(request, slug)
    table = documents.table(what, here)
    name = f"{what}-{here.slug}"
    if form == "csv":
        columns = [*table.columns, "definition_version", "definition"]
        tail = [table.head["version"], table.head["definition"]]
        return csv_files.answer(name, columns, ([*(row.get(c) for c in table.columns), *tail] for row in table.rows))
    response = JsonResponse(table.document(), json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


def _asked(request: HttpRequest, slug: str) -> Place:
    here = places.place(slug)
    set_place(request, here)
    return here


def _frame(here: Place, on: str) -> dict[str, Any]:
    """What every page of a dashboard has: the place, its neighbours, the tabs."""
    return {"place": here, "switch": places.switch(here), "tabs": queries.tabs_of(here), "on": on}


def drawn_twice(chart: sockets.Chart | None) -> dict[str, Any] | None:
    """A chart for a wide page and for a phone; None where nothing is known."""
    if chart is None or not any(v is not None for line in chart.lines for v in line.values):
        return None
    sizes = [("hide-s", drawing.draw(chart, drawing.WIDE)), ("hide-l", drawing.draw(chart, drawing.NARROW))]
    return {"chart": chart, "sizes": sizes}


def _figure_chart(past: queries.History) -> dict[str, Any] | None:
    if len(past.known) < FEWEST_POINTS:
        return None
    percent = past.headline.style == "percent"
    lines = [sockets.Line(past.headline.title, "act", [point.value for point in past.points])]
    if any(point.upper is not None for point in past.points):
        lines.append(sockets.Line(_("at most"), "load", [point.upper for point in past.points], "dashed"))
    ticks = [date_format(point.start, _("j M")) for point in past.points]
    return drawn_twice(sockets.Chart(ticks, lines, "%" if percent else "", percent=percent, goal=past.headline.goal))
