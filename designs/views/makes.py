"""Makes of a design: who made it, with which photos; telling of one's own; the photos themselves."""

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commons.errors import CityError
from commons.people.signed_in import person_of
from designs import markdown, queries
from designs.errors import DesignNotFound
from designs.queries.makes import find_make, find_photo, makes_of
from designs.queries.measured import measured_of, own_measured
from designs.services import makes
from designs.views.content import SANDBOX
from designs.views.frame import frame
from designs.views.posting import number, said_as_message
from designs.visitors import of_session, reader

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

PAGE = 24


@require_safe
def makes_page(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Who made it, and how did it turn out?"""
    return _page(request, owner, slug)


def _page(
    request: HttpRequest, owner: str, slug: str, *, typed: str = "", refusal: CityError | None = None
) -> HttpResponse:
    design, _commit, context = frame(request, owner, slug, tab="makes")
    page = Paginator(makes_of(design, of_session(request)), PAGE).get_page(request.GET.get("page"))
    pointed = measured_of(page)
    known = markdown.known_names(make.text for make in page)
    context |= {
        "page": page,
        "makes": [(make, markdown.comment(make.text, people=known), pointed.get(make.measured)) for make in page],
        "own_measured": own_measured(design, of_session(request)) if context["may_talk"] else [],
        "chosen": request.POST.get("measured", ""),
        "releases": design.releases.order_by("-created_at")[:20],
        "typed": typed,
        "refusal": refusal,
        "max_photos": makes.MAX_PHOTOS,
        "max_mb": makes.MAX_PHOTO_BYTES // 1_000_000,
    }
    return render(request, "designs/makes.html", context, status=refusal.status if refusal else 200)


@require_POST
@login_required
def add(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Tell that one made it."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    text = request.POST.get("text", "")
    release = design.releases.filter(pk=number(request.POST.get("release", ""))).first()
    measured = request.POST.get("measured", "")[:80]
    try:
        sent = cast("list[UploadedFile[bytes]]", request.FILES.getlist("photos"))
        made = makes.add_make(design=design, author=person, text=text, photos=sent, release=release, measured=measured)
    except CityError as refusal:
        return _page(request, owner, slug, typed=text, refusal=refusal)
    if sent:
        messages.success(request, _("Your make is here. Its photos show in a moment."))
    return redirect(reverse("rooms:design_makes", args=[design.owner.name, design.slug]) + f"#make-{made.pk}")


@require_POST
@login_required
def delete(request: HttpRequest, owner: str, slug: str, pk: int) -> HttpResponse:
    """Take one's own make away."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    with said_as_message(request):
        makes.delete_make(make=find_make(design, pk, person), by=person)
        messages.success(request, _("Your make is gone."))
    return redirect("rooms:design_makes", design.owner.name, design.slug)


@require_safe
def picture(request: HttpRequest, owner: str, slug: str, pk: str, photo: str) -> HttpResponseBase:
    """A photo of a make, as we drew it."""
    visitor = reader(request)
    design = queries.find(owner=owner, slug=slug, visitor=visitor)
    name, _dash, kind = photo.partition("-")
    found = find_photo(design, number(pk), name, visitor)
    path = makes.picture_path(found, kind)
    if not path.is_file():
        raise DesignNotFound(_("There is no such photo here."))
    response = FileResponse(path.open("rb"), content_type="image/jpeg", headers=SANDBOX)
    everybody = design.is_public and design.hidden_at is None and found.make.hidden_at is None
    response["Cache-Control"] = f"{'public' if everybody else 'private'}, max-age=3600"
    return response
