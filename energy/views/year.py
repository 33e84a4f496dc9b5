"""The year of a community: its hours as a picture and as a file, its months, where it stands against net positive."""

from array import array
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from commons import csv_files
from energy import charts, figures, heat, policies, queries
from energy.errors import CommunityNotFound
from energy.models import CommunityVersion
from energy.queries import public
from energy.queries import year as whole
from energy.views.frame import found as find
from energy.views.frame import frame

SHOWN = {
    "spare": (_("Sun to spare"), "solar", "grid"),
    "solar": (_("Solar"), "solar", "grid"),
    "use": (_("Use"), "load", "grid"),
    "grid": (_("From the grid"), "grid", "solar"),
}
COLUMNS = ("load", "pv", "import", "export", "charge", "discharge", "stored", "vehicles")


@require_safe
def year(request: HttpRequest, slug: str) -> HttpResponse:
    """All hours at one look, then the months and the balance."""
    community, context = frame(request, slug, tab="year")
    version = public.version(community, request.user)
    context |= {"least": policies.LEAST_MEMBERS, "version": version}
    context |= {"standing": public.standing(version, request.user) if version else None}
    if version is None:
        return render(request, "energy/year.html", context)
    simulation = queries.latest_simulation(version, "rule", "none")
    story = whole.year(version, simulation, request.user)
    context |= {"simulation": simulation, "year": story}
    if simulation and context["standing"].enough:
        context |= {"figures": figures.of(simulation, request.user), "balance": figures.balance(simulation.totals)}
        context |= {"island": figures.island(simulation, request.user)}
    if story is not None:
        asked = request.GET.get("show", "spare")
        shown = asked if asked in SHOWN else "spare"
        title, above, below = SHOWN[shown]
        context |= {
            "shown": shown,
            "kinds": [(name, words[0]) for name, words in SHOWN.items()],
            "heat_title": title,
            "heat": heat.draw(story.days, story.shown(shown), above, below),
            "hours": whole.by_month(story, shown),
            "hour_marks": heat.HOUR_MARKS,
            "hour_numbers": range(24),
            "heat_words": charts.year_words(story, shown),
            "months_words": charts.months_words(story.months),
            "lacking": -story.balance,
            "room": whole.capacity(version),
            "source": gettext(version.source) if version.source else "",
            "months_chart": charts.months_chart(story.months),
            "stored_chart": charts.stored_year(story.stored, version.timezone) if story.stored else None,
        }
    return render(request, "energy/year.html", context)


@require_safe
def year_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Each step as it may be seen, as a table of comma-separated values."""
    community = find(request, slug)
    version = public.version(community, request.user)
    curves = public.curves(version, request.user, "load", "pv") if version else {}
    if version is None or "load" not in curves:
        raise CommunityNotFound(_("The hours of “%(name)s” are not shown.") % {"name": community})
    simulation = queries.latest_simulation(version, "rule", "none")
    flows = public.flows(simulation, request.user) if simulation else {}
    shown = {**flows, **curves}
    names = [name for name in COLUMNS if name in shown]
    columns = ["time", *(f"{name}_kwh" for name in names)]
    rows = _rows(version, [shown[name] for name in names])
    return csv_files.answer(f"{community.slug}-{version.number}", columns, rows)


def _rows(version: CommunityVersion, columns: "list[array[float]]") -> Iterator[list[str]]:
    for i, moment in enumerate(whole.moments(version)):
        yield [moment.isoformat(), *(f"{values[i]:.4f}" for values in columns)]
