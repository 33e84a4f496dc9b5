"""How we measure: what a figure is, from which data."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons import csv_files, sockets
from commons.errors import NotFound
from commons.places import queries
from commons.places.models import Place
from commons.web.context import place_of, set_place


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """All headline figures with their definitions."""
    here = place_of(request)
    return render(request, "site/figures.html", {"place": here, "figures": queries.figures_of(here) if here else []})


@require_safe
def figure(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure of one place (`?place=`), with every row it is made of."""
    headline, here = _asked(request, slug)
    found = queries.figure_of(headline, here)
    context = {
        "headline": headline, "figure": found, "place": here, "evidence": queries.evidence_table(found),
        "switch": queries.switch(here),
    }  # fmt: skip
    return render(request, "site/measure.html", context)


@require_safe
def figure_file(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """The same as a file: JSON with everything, or CSV of the rows."""
    headline, here = _asked(request, slug)
    found = queries.figure_of(headline, here)
    name = f"{slug}-{here.slug}"
    if form == "csv":
        columns = queries.evidence_columns(found)
        return csv_files.answer(name, columns, ([row.get(c) for c in columns] for row in found.evidence))
    document = {
        "place": here.slug,
        **queries.figure_document(headline, found),
        "evidence": list(found.evidence),
    }
    response = JsonResponse(document, json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


def _asked(request: HttpRequest, slug: str) -> tuple[sockets.HeadlineFigure, Place]:
    headline = sockets.figures.get(slug)
    if headline is None:
        raise NotFound(_("There is no figure called “%(slug)s”.") % {"slug": slug})
    asked = request.GET.get("place")
    here = queries.place(asked) if asked else place_of(request)
    if here is not None:
        set_place(request, here)
        return headline, here
    raise NotFound(_("There is no place yet that the figure could be about."))
