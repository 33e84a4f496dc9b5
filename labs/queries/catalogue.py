"""Reads of labs and machines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.people.models import Membership, User
from commons.places.models import Place
from commons.sockets import Hit, Reach
from commons.web.fulltext import matching
from labs.errors import UnknownLab, UnknownMachine
from labs.models import Badge, Lab, LabTie, Machine
from labs.policies import MANAGING

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Pin(TypedDict):
    """A lab on a map."""

    lat: float
    lon: float
    title: str
    url: str
    detail: str


class Counted(TypedDict):
    """What a list of labs also knows."""

    machine_count: int


def labs(place: Place | None = None) -> "QuerySet[WithAnnotations[Lab, Counted]]":
    """All labs, or those of a place and its parts, with the number of their machines."""
    rows = Lab.objects.select_related("organisation", "place").annotate(machine_count=Count("machines"))
    if place is not None:
        rows = rows.filter(of_place(place))
    return rows.order_by("name")


def of_place(place: Place, prefix: str = "") -> Q:
    """The labs of a place: its own and, for a city, those of its neighbourhoods."""
    return Q(**{f"{prefix}place": place}) | Q(**{f"{prefix}place__parent": place})


def reaches(place: Place) -> list[Reach]:
    """What the machines of a place that are in order can make."""
    rows = Machine.objects.filter(of_place(place, "lab__"), state=Machine.State.OK)
    return [Reach(machine.process, machine.volume_mm) for machine in rows]


def find_lab(slug: str) -> Lab:
    """The lab of that name. Raises UnknownLab."""
    found = Lab.objects.select_related("organisation", "place").filter(slug=slug.lower()).first()
    if found is None:
        raise UnknownLab(_("There is no lab called “%(slug)s”.") % {"slug": slug})
    return found


def find_shown(slug: str) -> Lab:
    """The lab of that name with `belongs`: where it belongs by consent of both sides, [{kind, title, url}]; one query
    for both. Raises UnknownLab."""
    tie = JSONObject(kind="kind", title="title", url="url")
    held = LabTie.objects.filter(lab=OuterRef("pk"), state=LabTie.State.HOLDS).order_by("-kind")
    rows = Lab.objects.select_related("organisation", "place").annotate(belongs=ArraySubquery(held.values(told=tie)))
    found = rows.filter(slug=slug.lower()).first()
    return found if found is not None else find_lab(slug)


def machines(lab: Lab | None = None) -> QuerySet[Machine]:
    """The machines of a lab, or of all, with what a list needs."""
    rows = Machine.objects.select_related("lab__place", "device", "circuit").prefetch_related("required_badges")
    return (rows if lab is None else rows.filter(lab=lab)).order_by("pk")


def find_machine(*, lab: str = "", slug: str = "", pk: int | None = None) -> Machine:
    """A machine by lab and name, or by number. Raises UnknownMachine."""
    rows = machines()
    found = (rows.filter(pk=pk) if pk is not None else rows.filter(lab__slug=lab.lower(), slug=slug)).first()
    if found is None:
        words = {"name": f"{lab}/{slug}" if pk is None else pk}
        raise UnknownMachine(_("There is no machine “%(name)s”.") % words)
    return found


def managed_by(user: User | None) -> set[int]:
    """The keys of the labs that the person manages."""
    if user is None or not user.is_authenticated:
        return set()
    if user.is_staff:
        return set(Lab.objects.values_list("pk", flat=True))
    held = Membership.objects.filter(user=user, role__in=MANAGING).values("organisation")
    return set(Lab.objects.filter(organisation__in=held).values_list("pk", flat=True))


def pins(place: Place | None = None) -> list[Pin]:
    """The labs of a place that have a position, for maps of any room."""
    found = labs(place).exclude(lat=None).exclude(lon=None)
    return [
        {
            "lat": lab.lat,
            "lon": lab.lon,
            "title": lab.name,
            "url": reverse("rooms:lab", args=[lab.slug]),
            "detail": ngettext("%(n)d machine", "%(n)d machines", lab.machine_count) % {"n": lab.machine_count},
        }
        for lab in found
        if lab.lat is not None and lab.lon is not None
    ]


def search_labs(words: str, _user: User | None, limit: int) -> Sequence[Hit]:
    """Labs whose name, description or address hold every word, best first."""
    found = matching(Lab.objects.all(), words, name="A", address="B", about="C")[:limit]
    return [
        Hit(lab.name, reverse("rooms:lab", args=[lab.slug]), lab.address or lab.about[:80], 0.5 + _points(lab))
        for lab in found
    ]


def search_machines(words: str, _user: User | None, limit: int) -> Sequence[Hit]:
    """Machines whose name, model, kind, materials or lab hold every word, best first."""
    fields = {"name": "A", "model": "B", "maker": "B", "cls": "B", "materials": "C", "about": "D", "lab__name": "D"}
    found = matching(Machine.objects.select_related("lab"), words, **fields)[:limit]
    return [
        Hit(
            m.name,
            reverse("rooms:machine", args=[m.lab.slug, m.slug]),
            f"{m.get_cls_display()}, {m.lab.name}",
            0.3 + _points(m),
        )
        for m in found
    ]


def _points(row: Lab | Machine) -> float:
    return float(getattr(row, "points", 0.0))


def badges_of(lab: Lab) -> QuerySet[Badge]:
    """The badges that count in a lab: its own and those of all labs."""
    return Badge.objects.filter(Q(lab=lab) | Q(lab=None)).order_by("name")
