"""Reads of offers, corrections and conflicts."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.people.models import User
from twin.engine.corrections import FIELDS
from twin.engine.corrections import Correction as Rule
from twin.engine.model import Layer
from twin.engine.model import Thing as CityThing
from twin.errors import NoSuchLayer, ThingNotFound
from twin.models import Conflict, Correction, District, Offer, Thing
from twin.policies import may_decide
from twin.queries.districts import current, things
from twin.words import AREAS, KINDS, USES, word


def layer_of(name: str) -> Layer:
    """The layer of that name, if its things may be corrected. Raises NoSuchLayer."""
    if not FIELDS.get(cast("Layer", name)):
        raise NoSuchLayer(_("Buildings, streets, services and areas may be corrected."))
    return cast("Layer", name)


def thing(district: District, layer: str, key: str) -> Thing:
    """A thing of the current version. Raises ThingNotFound."""
    row: Thing | None = things(layer_of(layer), current(district)).filter(key=key).first()
    if row is None:
        raise ThingNotFound(_("There is no “%(key)s” in this district now.") % {"key": key[:120]})
    return row


def of_kind(district: District, layer: str, kind: str) -> QuerySet[Any]:
    """The things of a kind in the current version."""
    rows: QuerySet[Any] = things(layer, current(district)).filter(kind=kind)
    return rows


def kind_word(layer: str, kind: str) -> str:
    """The kind of a thing in words."""
    return word({"services": KINDS, "areas": AREAS, "buildings": USES}.get(layer, {}), kind)


def title(row: Thing) -> str:
    """What a thing is called: its name, its address, or its kind."""
    return row.name or row.properties.get("address", "") or kind_word(row.layer, row.kind) or row.key


def bounds(district: District) -> tuple[float, float, float, float]:
    """West, south, east, north of the district's buildings."""
    west, south, east, north = current(district).bounds
    return west, south, east, north


def last_number(district: District) -> int:
    """The highest number that a version of the district has."""
    return district.versions.order_by("-number").values_list("number", flat=True).first() or 0


def standing_at(district: District, number: int) -> QuerySet[Correction]:
    """The corrections that stood in a version."""
    stood = Q(since__lte=number) & (Q(until=None) | Q(until__gt=number))
    return Correction.objects.filter(stood, district=district)


def corrections(district: District) -> list[Rule]:
    """The corrections that stand, as the engine takes them."""
    return [
        Rule(one.pk, cast("Layer", one.layer), one.key, cast("Any", one.action), one.name, one.value, one.was)
        for one in Correction.objects.filter(district=district, until=None).order_by("pk")
    ]


def standing_thing(district: District, layer: Layer, key: str) -> CityThing | None:
    """A thing of the current version as the engine takes it, or None."""
    row = things(layer, current(district)).filter(key=key).first() if district.current else None
    return CityThing(row.key, row.geometry, row.properties) if row else None


def offers(district: District, viewer: User | AnonymousUser, state: str = "") -> QuerySet[Offer]:
    """The offers that the viewer may see, newest first: all for who decides, else one's own."""
    found = Offer.objects.filter(district=district).select_related("author", "decided_by").order_by("-pk")
    if state in Offer.State.values:
        found = found.filter(state=state)
    if may_decide(viewer):
        return found
    return found.filter(author=viewer) if isinstance(viewer, User) else found.none()


def offer(district: District, viewer: User | AnonymousUser, pk: int) -> Offer:
    """An offer that the viewer may see. Raises ThingNotFound."""
    found = offers(district, viewer).filter(pk=pk).first()
    if found is None:
        raise ThingNotFound(_("There is no correction of that number."))
    return found


def conflicts(district: District, *, only_open: bool = True) -> QuerySet[Conflict]:
    """Where imports contest corrections, newest first."""
    found = Conflict.objects.filter(district=district).select_related("correction", "correction__offer").order_by("-pk")
    return found.filter(decision=Conflict.Decision.OPEN) if only_open else found


def conflict(district: District, pk: int) -> Conflict:
    """A conflict by its number. Raises ThingNotFound."""
    found = conflicts(district, only_open=False).filter(pk=pk).first()
    if found is None:
        raise ThingNotFound(_("There is no conflict of that number."))
    return found
