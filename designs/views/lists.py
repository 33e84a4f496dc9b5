"""The list of designs, and making a new one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from commons import sockets
from commons.errors import CityError
from commons.people.models import User
from commons.places.queries import place as place_of
from commons.runs.models import Run
from commons.web import numbers
from commons.web.context import place_of as place_here
from commons.web.lately import kept_a_moment
from designs import naming, vocabulary
from designs.engine import formats
from designs.forms import NewDesign
from designs.models import Card, Design
from designs.queries import asked as asking
from designs.queries import counted, listing
from designs.queries.asked import Asked
from designs.queries.owners import handles_of
from designs.services import create_design, delete_design, import_later, index_later, uploads, wish, write_files
from designs.views.editing import limits, named, sent_files
from designs.visitors import of_session

ON_A_PAGE = 24
MOST_CHOICES = 8
LICENCE_GROUPS = {
    counted.OPEN: gettext_lazy("Open"),
    counted.NON_COMMERCIAL: gettext_lazy("Not for sale"),
    counted.OTHER: gettext_lazy("Others"),
}
ORDERS = {
    "best": gettext_lazy("Best"),
    "new": gettext_lazy("Newest"),
    "made": gettext_lazy("Most made"),
    "starred": gettext_lazy("Most stars"),
}
#: Printers that many have: the box in mm.
BEDS = ("120x120x120", "180x180x180", "220x220x250", "256x256x256", "350x350x350")


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen, or taken away when it is `on`. `count` is None where nobody counted."""

    title: str | Promise
    url: str
    count: int | None = None
    on: bool = False


class Counted(Paginator):  # type: ignore[type-arg]
    """Pages of designs whose number is known already."""

    def __init__(self, pks: Sequence[int] | QuerySet[Card, int], total: int) -> None:
        super().__init__(pks, ON_A_PAGE)
        self.total = total

    @property
    def count(self) -> int:
        """How many there are."""
        return self.total


@kept_a_moment
@require_safe
def designs(request: HttpRequest) -> HttpResponse:
    """What can be made? Cards with pictures, filtered by what stands in the address."""
    asked, person = asking.read(request.GET.dict()), of_session(request)
    found = listing.found(asked, person)
    page = Counted(found.pks, found.counts.total).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "designs": listing.designs_of(page.object_list),
        "asked": asked,
        "kept": asked.given().items(),
        "total": found.counts.total,
        "meant": " ".join(found.meant),
        "filters": _filters(asked),
        "groups": _groups(asked, found.counts, listing.tags_of(found)),
        "more": _more(request, asked, found.counts),
        "orders": _orders(asked),
        "looser": [] if found.counts.total else _looser(asked, person),
        "beds": BEDS,
        "chosen_bed": asked.given().get("fits", ""),
    }
    return render(request, "designs/list.html", context)


def _groups(
    asked: Asked, counts: counted.Counts, tags: dict[str, int | None]
) -> list[tuple[str | Promise, list[Choice]]]:
    """The groups of filters with their counts, most designs first; the one that is chosen is always there."""
    titles = {slug: str(title) for slug, title in vocabulary.PROCESSES.items()}
    upper = {slug: slug.upper() for slug in vocabulary.FORMATS}
    groups: list[tuple[str | Promise, list[Choice]]] = [
        (pgettext("by a process", "Made by"), _choices(asked, "process", counts.processes, titles)),
        (_("Licence"), _choices(asked, "licence", counts.licences, {k: str(v) for k, v in LICENCE_GROUPS.items()})),
        (_("Files"), _choices(asked, "format", counts.formats, upper)),
        (_("Tags"), _choices(asked, "tag", tags, {tag: tag for tag in tags})),
    ]
    return [(title, choices) for title, choices in groups if choices]


def _choices(asked: Asked, name: str, counts: dict[str, Any], titles: dict[str, str]) -> list[Choice]:
    chosen = getattr(asked, name)
    slugs = sorted((slug for slug in counts if slug in titles), key=lambda slug: (-(counts[slug] or 0), titles[slug]))
    shown = slugs[:MOST_CHOICES]
    if chosen and chosen not in shown:
        shown = [chosen, *shown]
    return [
        Choice(
            titles.get(slug, slug),
            (asked.without(name) if slug == chosen else asked.having(name, slug)).address(),
            counts.get(slug, 0),
            slug == chosen,
        )
        for slug in shown
    ]


def _more(request: HttpRequest, asked: Asked, counts: counted.Counts) -> list[Choice]:
    """What is asked with yes or no: a release, and makeable near the visitor's place."""
    found = []
    if counts.released or asked.has_release:
        other = replace(asked, has_release=not asked.has_release)
        found.append(Choice(_("With a release"), other.address(), counts.released, asked.has_release))
    here = (place_of(asked.near) if asked.near else place_here(request)) if any(sockets.makeable) else None
    if here is not None:
        other = replace(asked, near="" if asked.near else here.slug)
        found.append(Choice(_("Makeable in %(place)s") % {"place": here.name}, other.address(), None, bool(asked.near)))
    return found


def _orders(asked: Asked) -> list[Choice]:
    return [
        Choice(title, replace(asked, sort=slug).address(), None, slug == asked.order) for slug, title in ORDERS.items()
    ]


def _said(asked: Asked, name: str) -> str:
    """A filter in words."""
    value = asked.given()[name]
    if name == "fits" and asked.fits:
        return _("fits %(size)s mm") % {"size": " × ".join(numbers.number(side) for side in asked.fits)}
    words: dict[str, str] = {
        "process": str(vocabulary.PROCESSES.get(value, value)),
        "licence": str(LICENCE_GROUPS.get(value, value)),
        "format": value.upper(),
        "has_release": _("With a release"),
        "near": _("Makeable in %(place)s") % {"place": place_of(value).name} if name == "near" else "",
        "owner": _("by %(name)s") % {"name": value},
    }
    return words.get(name, value)


def _filters(asked: Asked) -> list[Choice]:
    """What is asked, each with the address that asks it no more."""
    return [Choice(_said(asked, name), asked.without(name).address(), None, True) for name in asked.given()]


def _looser(asked: Asked, person: User | None) -> list[dict[str, Any]]:
    """What taking one filter away would find: its words, how many designs, the address; only those that find some."""
    return [
        {"without": _said(asked, name), "count": count, "url": other.address()}
        for name, other, count in listing.looser(asked, person)
    ]


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A new design: from files, from a git address, or empty."""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    form = NewDesign(request.POST or None, request.FILES or None, owners=handles_of(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, form, request.user)
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            return redirect("rooms:run", made.pk) if isinstance(made, Run) else redirect(made)
    context = {"form": form, "limits": limits()}
    return render(request, "designs/new.html", context, status=422 if form.errors else 200)


def _make(request: HttpRequest, form: NewDesign, person: User) -> Design | Run:
    """The new design, or the run that brings it from elsewhere."""
    data, file = form.cleaned_data, form.cleaned_data.get("file")
    if data.get("source"):
        wanted = wish(
            source=data["source"], owner=form.owner(), by=person, name=data["name"], licence=data["licence"],
            visibility=data["visibility"], follow_hours=data["follow_hours"] or 0, summary=data["summary"],
        )  # fmt: skip
        return import_later(wanted=wanted, by=person)
    if data.get("archive"):
        return uploads.take(
            file=data["archive"], owner=form.owner(), by=person, name=data["name"], summary=data["summary"],
            licence=data["licence"], visibility=data["visibility"],
        )  # fmt: skip
    files = sent_files(request, field="file") if file is not None else {}
    told = naming.of_files(files)
    design = create_design(
        owner=form.owner(), name=data["name"] or told.name, summary=data["summary"] or told.summary,
        licence=data["licence"], visibility=data["visibility"], by=person,
    )  # fmt: skip
    if files:
        message = named(files)
        if not any(path.lower() == "readme.md" for path in files):
            files["README.md"] = f"# {design.name}\n\n{design.summary}\n".encode()
        try:
            write_files(design=design, files=files, message=message, author=person, by=person)
        except CityError:  # a design that nobody asked for, empty
            delete_design(design=design, by=person)
            raise
        index_later(design=design, by=person)
    return design


def known_formats() -> tuple[str, ...]:
    """Formats that get a picture, for the words on the page."""
    return tuple(sorted(formats.DRAWN))
