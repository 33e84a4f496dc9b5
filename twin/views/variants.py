"""Scenarios beside each other, and their answers as files."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons.errors import BadInput
from twin import comparison, papers, queries
from twin.comparison import document
from twin.errors import NoAnswerYet, ScenarioNotFound
from twin.models import District, ScenarioResult, ScenarioVersion
from twin.pages import differences, variants
from twin.pages import scenarios as shown
from twin.queries import scenario_pages
from twin.views.frame import frame
from twin.views.scenarios import number_of, person

TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf", "geojson": "application/geo+json"}


def chosen(request: HttpRequest, district: District) -> list[ScenarioVersion]:
    """The versions that `with` names: ids, or id.version, parted by commas. Raises BadInput, ScenarioNotFound."""
    asked = [part for text in request.GET.getlist("with") for part in text.split(",") if part]
    if len(asked) > variants.MOST:
        raise BadInput(_("At most %(n)d scenarios stand beside each other.") % {"n": variants.MOST}, where="with")
    found = []
    for text in dict.fromkeys(asked):
        pk, _dot, number = text.partition(".")
        scenario = queries.scenarios.scenario(pk[:20])
        if scenario.district_id != district.pk:
            raise ScenarioNotFound(_("There is no scenario of this address."))
        found.append(queries.scenarios.scenario_version(scenario, number_of(number)))
    return found


@require_safe
def scenario_compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Which of up to six does best, figure by figure."""
    found, _of, shared = frame(request, slug, tab="scenarios")
    versions = chosen(request, found)
    kept = [(version, scenario_pages.answer(version)[0]) for version in versions]
    columns = [(version, document(result, version)) for version, result in kept if result]
    comparisons = [one for _version, one in columns]
    asked = ",".join(f"{version.scenario_id}.{version.number}" for version, _one in columns)
    base = [(title, reverse("rooms:scenario_files", args=[slug, ending])) for ending, title in shown.FORMATS]
    context: dict[str, Any] = {
        "columns": [{"version": version, "scenario": version.scenario} for version, _one in columns],
        "groups": variants.table(comparisons) if comparisons else [],
        "unlike": variants.unlike(comparisons),
        "missing": [version for version, result in kept if result is None],
        "files": [{"title": title, "url": f"{url}?with={asked}"} for title, url in base] if columns else [],
        "others": queries.scenarios.scenarios(found, person(request))[:40],
        "chosen": [version.scenario_id for version in versions],
        "most": variants.MOST,
    }
    return render(request, "twin/scenario_compare.html", shared | context)


@require_safe
def scenario_files(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """Answers as a table, a paper, or what differs on the map."""
    district = queries.district(slug)
    versions = chosen(request, district)
    depth = request.GET.get("depth", "")
    depth = depth if depth in shown.DEPTHS else ""
    kept = [(version, scenario_pages.answer(version, depth)[0]) for version in versions]
    answered = [(version, result) for version, result in kept if result]
    if not answered or ending not in TYPES:
        raise NoAnswerYet(_("No engine has answered this yet, so there is nothing to take along."))
    body = _made(request, answered, ending)
    response = HttpResponse(body, content_type=TYPES[ending])
    name = f"{slug}-{answered[0][0].scenario_id}" if len(answered) == 1 else f"{slug}-scenarios"
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _made(request: HttpRequest, answered: list[tuple[ScenarioVersion, ScenarioResult]], ending: str) -> bytes:
    comparisons = [document(result, version) for version, result in answered]
    if ending == "csv":
        return ("\ufeff" + papers.table(comparisons)).encode()
    if ending == "pdf":
        made_at = max(result.made_at for _version, result in answered)
        return papers.paper(comparisons, made_at=made_at, address=request.build_absolute_uri())
    parts = [
        (one, layer, {"features": comparison.features(result, layer)})
        for one, (_version, result) in zip(comparisons, answered, strict=True)
        for layer in differences.LAYERS
        if result.detail_sha256
    ]
    return json.dumps(papers.features(comparisons, parts), separators=(",", ":")).encode()
