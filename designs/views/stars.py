"""Stars, watching, and putting a design into a collection: small forms on a design's page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commons.people.signed_in import person_of
from designs import queries
from designs.queries.collections import starred_by
from designs.services import stars
from designs.views.posting import said_as_message


@require_POST
@login_required
def star(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Give a star, or take it back with `star=0`."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    if request.POST.get("star") == "0":
        stars.unstar(design=design, by=person)
    else:
        stars.star(design=design, by=person)
    return redirect("rooms:design", design.owner.name, design.slug)


@require_POST
@login_required
def watch(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Say what one wants to hear of a design."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    with said_as_message(request):
        stars.watch(design=design, by=person, level=request.POST.get("level", ""))
        messages.success(request, _("Saved."))
    return redirect("rooms:design", design.owner.name, design.slug)


@require_safe
@login_required
def starred(request: HttpRequest) -> HttpResponse:
    """The designs that I gave a star."""
    page = Paginator(starred_by(person_of(request)), 24).get_page(request.GET.get("page"))
    return render(request, "designs/starred.html", {"page": page})
