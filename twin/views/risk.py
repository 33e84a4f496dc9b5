"""Pages of risk and of carbon."""

import gzip

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from twin import layers, pages, queries
from twin.errors import NotReckoned
from twin.policies import may_reckon
from twin.views.districts import drawn_bytes
from twin.views.frame import asked_version, frame
from twin.views.roofs import reckon


@require_http_methods(["GET", "HEAD", "POST"])
def risk(request: HttpRequest, slug: str) -> HttpResponse:
    """What may go wrong, and whom it hits."""
    _found, of, shared = frame(request, slug, tab="risk")
    if request.method == "POST":
        return reckon(request, of, "risk")
    return render(request, "twin/risk.html", pages.risk_page(of) | shared | {"may_reckon": may_reckon(request.user)})


@require_safe
def carbon(request: HttpRequest, slug: str) -> HttpResponse:
    """What the district emits in a year, on one ledger."""
    _found, of, shared = frame(request, slug, tab="carbon")
    return render(request, "twin/carbon.html", pages.carbon_page(of) | shared)


@require_safe
def heat_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The district with its classes of heat on the roofs."""
    of = queries.version(queries.district(slug), asked_version(request))
    kept = queries.reckoning(of, "risk")
    if kept is None:
        raise NotReckoned(_("Heat was not reckoned for this district yet."))

    def made() -> bytes:
        return gzip.compress(pages.coloured(of, tint="bad", strengths=pages.heat_strengths(kept)).encode(), mtime=0)

    name = f"heat:{kept.pk}"
    body = layers.remembered(f"twin:plan:{layers.etag(name, of)}", made)
    return drawn_bytes(request, f'"{layers.etag(name, of)}"', body)
