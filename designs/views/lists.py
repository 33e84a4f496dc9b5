"""The list of designs, and making a new one."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from designs import licences, queries
from designs.engine import formats
from designs.forms import NewDesign
from designs.models import Design
from designs.queries.owners import handles_of
from designs.services import create_design, import_later, index_later, wish, write_files
from designs.visitors import of_session

FORMATS = ("stl", "step", "3mf", "obj", "glb", "svg", "dxf")


@require_safe
def designs(request: HttpRequest) -> HttpResponse:
    """What can be made? Cards with pictures, filtered by what stands in the address."""
    asked = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "licence", "format")}
    person = of_session(request)
    found = queries.listed(visitor=person, q=asked["q"], licence=asked["licence"], file_format=asked["format"])
    page = Paginator(found, 24).get_page(request.GET.get("page"))
    looser = [] if page.object_list else _looser(person, asked)
    used = queries.visible_to(person).order_by("licence").values_list("licence", flat=True).distinct()
    return render(
        request,
        "designs/list.html",
        {"page": page, "asked": asked, "filtered": any(asked.values()), "licences": used, "formats": FORMATS,
         "looser": looser},
    )  # fmt: skip


def _looser(person: User | None, asked: dict[str, str]) -> list[dict[str, Any]]:
    """What taking one filter away would find: its words, how many designs, the address; only those that find some."""
    given = {name: value for name, value in asked.items() if value}
    found = []
    for name, value in given.items():
        rest = {other: words for other, words in given.items() if other != name}
        count = queries.listed(
            visitor=person, q=rest.get("q", ""), licence=rest.get("licence", ""), file_format=rest.get("format", "")
        ).count()
        if rest and count:
            words = value.upper() if name == "format" else value
            found.append({"without": words, "count": count, "url": "?" + urlencode(rest)})
    return found


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A new design: empty, from one file, or from a git address."""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    form = NewDesign(request.POST or None, request.FILES or None, owners=handles_of(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(form, request.user)
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            return redirect("rooms:run", made.pk) if isinstance(made, Run) else redirect(made)
    context = {"form": form, "offered": licences.OFFERED, "max_mb": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000}
    return render(request, "designs/new.html", context, status=422 if form.errors else 200)


def _make(form: NewDesign, person: User) -> Design | Run:
    """The new design, or the run that brings it from elsewhere."""
    data, file = form.cleaned_data, form.cleaned_data.get("file")
    if data.get("source"):
        wanted = wish(
            source=data["source"], owner=form.owner(), by=person, name=data["name"], licence=data["licence"],
            visibility=data["visibility"],
        )  # fmt: skip
        return import_later(wanted=wanted, by=person)
    design = create_design(
        owner=form.owner(), name=data["name"], summary=data["summary"], licence=data["licence"],
        visibility=data["visibility"], by=person,
    )  # fmt: skip
    if file is not None:
        path = file.name.replace("\\", "/").rsplit("/", 1)[-1]
        readme = f"# {design.name}\n\n{design.summary}\n"
        files = {path: file.read(), **({} if path.lower() == "readme.md" else {"README.md": readme.encode()})}
        write_files(design=design, files=files, message=_("Add %(path)s") % {"path": path}, author=person, by=person)
        index_later(design=design, by=person)
    return design


def known_formats() -> tuple[str, ...]:
    """Formats that get a picture, for the words on the page."""
    return tuple(sorted(formats.DRAWN))
