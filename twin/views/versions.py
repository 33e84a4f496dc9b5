"""Pages of versions: the timeline, what differs between two, undoing."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commons.errors import BadInput
from commons.people.models import User
from twin import layers as layer_files
from twin import pages, queries, services
from twin.errors import NotASteward
from twin.models import District, DistrictVersion
from twin.policies import may_decide
from twin.views.frame import frame

PAGE = 30


@require_safe
def versions(request: HttpRequest, slug: str) -> HttpResponse:
    """How the district came to be what it is."""
    found, _of, shared = frame(request, slug, tab="versions")
    page = Paginator(queries.versions.versions(found), PAGE).get_page(request.GET.get("page"))
    decides = may_decide(request.user)
    context = {
        "page": page,
        "rows": pages.timeline(list(page), found.current),
        "numbers": list(queries.versions.versions(found).values_list("number", flat=True)[:400]),
        "may_decide": decides,
        "waiting": queries.offers.offers(found, request.user, "offered").count() if decides else 0,
        "contested": queries.offers.conflicts(found).count(),
    }
    return render(request, "twin/versions.html", shared | context)


def _pair(request: HttpRequest, found: District) -> tuple[int, DistrictVersion]:
    """The two versions of the address, the older first; the current one and the one before it without any."""
    after = _number(request, "to")
    later = queries.version(found, after)
    before = _number(request, "from")
    earlier = later.number - 1 if before is None else before
    if earlier > later.number:
        return later.number, queries.version(found, earlier)
    if earlier:
        queries.version(found, earlier)
    return earlier, later


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_safe
def difference(request: HttpRequest, slug: str) -> HttpResponse:
    """What differs between two versions."""
    found, _of, shared = frame(request, slug, tab="versions")
    before, after = _pair(request, found)
    numbers = list(queries.versions.versions(found).values_list("number", flat=True)[:400])
    context = pages.difference_page(found, before, after) | {"numbers": numbers}
    return render(request, "twin/difference.html", shared | context)


@require_safe
def difference_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture of what differs."""
    found = queries.district(slug)
    before, after = _pair(request, found)
    tag = f'"{pages.difference_etag(before, after)}"'
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        body = pages.difference_picture(found, before, after)
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(body if zipped else layer_files.unpacked(body), content_type="image/svg+xml")
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = tag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = "public, max-age=300, stale-while-revalidate=86400"
    return response


@login_required
@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring an older version back."""
    found = queries.district(slug)
    if not isinstance(request.user, User) or not may_decide(request.user):
        raise NotASteward(_("Only stewards of the city undo versions."))
    text = request.POST.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(_("“%(text)s” is not the number of a version.") % {"text": text[:20]})
    made = services.restore(district=found, number=int(text), by=request.user, note=request.POST.get("note", "")[:300])
    messages.success(request, _("Version %(n)d stands: it is version %(old)s again.") % {"n": made.number, "old": text})
    return redirect("rooms:twin-versions", slug=found.slug)
