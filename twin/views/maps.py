"""The page of a district's map, its table, and what reports there now."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.people.models import User
from twin import map_files, pages, queries, services
from twin.errors import NotASteward
from twin.models import District, DistrictVersion
from twin.pages import maps
from twin.policies import may_reckon
from twin.queries import live
from twin.views.frame import asked, frame

PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def city_map(request: HttpRequest, slug: str) -> HttpResponse:
    """The map; a steward may have its files made anew."""
    found, of, shared = frame(request, slug, tab="map")
    if request.method == "POST":
        return _made_anew(request, of)
    context = pages.map_page(found, of, request.GET) | _table(request, found, of)
    return render(request, "twin/city_map.html", context | shared | {"may_reckon": may_reckon(request.user)})


def _made_anew(request: HttpRequest, of: DistrictVersion) -> HttpResponse:
    if not may_reckon(request.user):
        raise NotASteward(_("Only stewards of the city have the files of a map made anew. Ask one of them."))
    if map_files.is_large(of):
        services.start_map(of=of, owner=request.user if isinstance(request.user, User) else None)
    return redirect("rooms:district-map", slug=of.district.slug)


@require_safe
def map_table(request: HttpRequest, slug: str) -> HttpResponse:
    """The table alone, for the map's own page when another figure is chosen."""
    found = queries.district(slug)
    of = asked(request, found)
    return render(request, "twin/parts/map_table.html", _table(request, found, of))


def _table(request: HttpRequest, found: District, of: DistrictVersion) -> dict[str, Any]:
    mine = maps.chosen(request.GET, queries.access(of))
    context = pages.table_page(found, of, mine)
    page = Paginator(context.pop("order"), PAGE).get_page(request.GET.get("page"))
    return context | {"page": page, "rows": maps.rows_of(found, of, mine, list(page)), "query": mine.query}


@require_safe
def map_live(request: HttpRequest, slug: str) -> JsonResponse:
    """What reports in the district now, for pages whom the stream does not reach."""
    here = live.things(queries.district(slug))
    answer = JsonResponse({**live.now_of(here)})
    patch_cache_control(answer, no_store=True)
    return answer
