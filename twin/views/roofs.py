"""Pages of the sun on the roofs."""

import gzip

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.people.models import User
from twin import layers, pages, queries, services
from twin.errors import NotASteward, NotReckoned
from twin.models import DistrictVersion
from twin.policies import may_reckon
from twin.views.districts import PAGE, drawn_bytes
from twin.views.frame import asked_version, frame


@require_http_methods(["GET", "HEAD", "POST"])
def roofs(request: HttpRequest, slug: str) -> HttpResponse:
    """What every roof could produce."""
    _found, of, shared = frame(request, slug, tab="roofs")
    if request.method == "POST":
        return reckon(request, of, "roofs")
    sort = request.GET.get("sort", "kwh")
    context = pages.roofs_page(of, sort, request.GET.get("at", "")) | {"may_reckon": may_reckon(request.user)}
    if context["kept"]:
        page = Paginator(context["order"], PAGE).get_page(request.GET.get("page"))
        context |= {"page": page, "rows": pages.roof_rows(of, context["kept"], list(page))}
    return render(request, "twin/roofs.html", context | shared)


def reckon(request: HttpRequest, of: DistrictVersion, kind: str) -> HttpResponse:
    """Start an engine's work for a steward, and go back to its page."""
    if not may_reckon(request.user):
        raise NotASteward(_("Only stewards of the city have a district reckoned again. Ask one of them."))
    services.start_reckoning(of=of, kind=kind, owner=request.user if isinstance(request.user, User) else None)
    return redirect(f"{request.path}?version={of.number}")


@require_safe
def roofs_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The district with the sun's light on its roofs."""
    of = queries.version(queries.district(slug), asked_version(request))
    kept = queries.reckoning(of, "roofs")
    if kept is None:
        raise NotReckoned(_("The sun on these roofs was not reckoned yet."))

    def made() -> bytes:
        drawn = pages.coloured(of, tint="solar", strengths=pages.solar_strengths(kept))
        return gzip.compress(drawn.encode(), mtime=0)

    name = f"sun:{kept.pk}"
    body = layers.remembered(f"twin:plan:{layers.etag(name, of)}", made)
    return drawn_bytes(request, f'"{layers.etag(name, of)}"', body)


@require_safe
def shadows_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The district with the shadows of an hour."""
    of = queries.version(queries.district(slug), asked_version(request))
    at = request.GET.get("at", "")[:20]
    kept = queries.reckoning(of, "roofs")
    path = queries.drawing(of, "roofs", at) if kept and at else None
    if kept is None or path is None:
        raise NotReckoned(_("No shadows are drawn for this hour."))

    def made() -> bytes:
        return gzip.compress(pages.coloured(of, tint="", strengths={}, shade=path).encode(), mtime=0)

    name = f"shadows:{kept.pk}:{at}"
    body = layers.remembered(f"twin:plan:{layers.etag(name, of)}", made)
    return drawn_bytes(request, f'"{layers.etag(name, of)}"', body)
