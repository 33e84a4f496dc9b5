"""Pages of the twin: parse, call, render."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from commons.runs.queries import visible_to
from commons.web.lately import kept_a_moment
from twin import files, pages, plan, queries, services
from twin import layers as layer_files
from twin.errors import NotASteward
from twin.forms import ImportForm
from twin.models import DistrictVersion
from twin.policies import may_import
from twin.views.frame import asked, frame

PAGE = 50


@kept_a_moment
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All districts."""
    return render(request, "twin/home.html", {"cards": pages.district_cards(), "may_import": may_import(request.user)})


@kept_a_moment
@require_safe
def district(request: HttpRequest, slug: str) -> HttpResponse:
    """What the city is made of, and how much is modelled."""
    found, of, shared = frame(request, slug, tab="district")
    return render(request, "twin/district.html", pages.district_page(found, of) | shared)


@require_safe
def things(request: HttpRequest, slug: str) -> HttpResponse:
    """The map as a list, for who cannot see it."""
    found, of, shared = frame(request, slug, tab="list")
    layer = request.GET.get("layer", "buildings")
    kind, query = request.GET.get("kind", ""), request.GET.get("q", "").strip()
    rows = queries.listed(layer, of, kind, query)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = pages.list_page(found, of, layer, list(page)) | {"page": page, "kind": kind, "query": query}
    return render(request, "twin/list.html", context | shared)


@require_safe
def building(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """What is known of a building; only the facts for the map's panel."""
    found, of, shared = frame(request, slug, tab="list")
    context = pages.building_page(found, of, queries.building(of, key)) | shared
    piece = request.headers.get("HX-Request") == "true"
    return render(request, "twin/building_facts.html" if piece else "twin/building.html", context)


def plan_picture(request: HttpRequest, of: DistrictVersion) -> HttpResponse:
    """The picture's bytes with their name, or 304."""
    return drawn_bytes(request, f'"{layer_files.etag("plan", of)}"', plan.gzipped(of))


def drawn_bytes(request: HttpRequest, tag: str, body: bytes) -> HttpResponse:
    """A gzipped picture with its name, or 304."""
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(body if zipped else layer_files.unpacked(body), content_type="image/svg+xml")
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = tag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = "public, max-age=300, stale-while-revalidate=86400"
    return response


@require_safe
def picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The district drawn from the south-west, for pages without the map."""
    return plan_picture(request, asked(request, queries.district(slug)))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Import files as a district, for stewards."""
    if not may_import(request.user):
        raise NotASteward(_("Only stewards of the city import districts. Ask one of them, or propose it."))
    form = ImportForm(request.POST or None, request.FILES or None, initial={"slug": request.GET.get("slug", "")})
    if request.method == "POST" and form.is_valid() and (run := _started(form, request)):
        return redirect("rooms:district-importing", run_id=run.pk)
    return render(request, "twin/new.html", {"form": form}, status=400 if form.errors else 200)


def _started(form: ImportForm, request: HttpRequest) -> Run | None:
    """The run of a valid form, or None with the refusal on the form."""
    given: dict[str, Any] = form.cleaned_data
    try:
        services.check_slug(given["slug"])
        kept = [files.keep(file.name or "", file.chunks()) for file in given.pop("sources")]
        return services.start_import(
            **given, files=kept, owner=request.user if isinstance(request.user, User) else None
        )
    except CityError as refusal:
        form.add_error("slug" if refusal.code == "twin:bad-slug" else "sources", str(refusal.sentence))
        return None


@require_safe
def importing(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """How far an import is."""
    user = request.user if isinstance(request.user, User) else None
    run = get_object_or_404(visible_to(user), pk=run_id, kind="twin.import")
    return render(
        request,
        "twin/importing.html",
        {"run": run, "slug": run.inputs["slug"], "name": run.inputs["name"] or run.inputs["slug"]},
    )
