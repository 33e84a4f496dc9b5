"""Reads of the twin."""

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.shelf import Stamp
from twin.engine.model import LAYERS, CityModel
from twin.engine.model import Thing as CityThing
from twin.errors import BuildingNotFound, DistrictNotFound, NoSuchLayer
from twin.models import LAYER_MODELS, Access, Building, District, DistrictVersion, Service, Street, Thing
from twin.words import SKIPPED_WHAT, SKIPPED_WHY, word


def districts() -> QuerySet[District]:
    """Districts that hold something, by name."""
    return District.objects.filter(current__isnull=False).select_related("current", "place").order_by("name")


def district(slug: str) -> District:
    """The district of that name, else of that place, else of a part of it. Raises DistrictNotFound."""
    names = Q(slug=slug) | Q(place__slug=slug) | Q(place__parent__slug=slug)
    found = sorted(districts().filter(names), key=lambda d: (d.slug != slug, d.place is None or d.place.slug != slug))
    best = next(iter(found), None)
    if best is None:
        raise DistrictNotFound(_("There is no district “%(slug)s”.") % {"slug": slug})
    return best


def current(found: District) -> DistrictVersion:
    """The district's current version; `districts()` holds only those that have one."""
    if found.current is None:
        raise DistrictNotFound(_("“%(name)s” holds nothing yet.") % {"name": found.name})
    return found.current


def version(found: District, number: int | None) -> DistrictVersion:
    """A version by its number, or the current one. Raises DistrictNotFound."""
    if number is None:
        return current(found)
    chosen = found.versions.filter(number=number).first()
    if chosen is None:
        raise DistrictNotFound(_("“%(name)s” has no version %(n)d.") % {"name": found.name, "n": number})
    return chosen


def things(layer: str, of: DistrictVersion) -> QuerySet[Any]:
    """The rows of a layer as of a version, by key. Raises NoSuchLayer."""
    table = LAYER_MODELS.get(layer)
    if table is None:
        raise NoSuchLayer(_("A district has the layers %(names)s.") % {"names": ", ".join(LAYERS)})
    stood = Q(since__lte=of.number) & (Q(until=None) | Q(until__gt=of.number))
    rows: QuerySet[Any] = table._default_manager.filter(stood, district_id=of.district_id).order_by("key")
    return rows


def as_model(of: DistrictVersion) -> CityModel:
    """A stored version as the engines take it."""
    model = CityModel(epsg=of.epsg, licence=of.licence, attribution=of.attribution)
    for layer in LAYERS:
        rows: Iterator[Thing] = things(layer, of).iterator(chunk_size=5000)
        model.layer(layer).extend(CityThing(row.key, row.geometry, row.properties) for row in rows)
    return model


def access(of: DistrictVersion) -> Access | None:
    """What is kept of a version's access."""
    return Access.objects.filter(version=of).first()


def access_in_short(of: DistrictVersion) -> Access | None:
    """The same without what is known of each building but their number; `stamp` changes whenever any of it does."""
    number = Func(F("keys"), function="jsonb_array_length", output_field=IntegerField())
    rows = Access.objects.filter(version=of).defer("keys", "minutes")
    return rows.annotate(stamp=Stamp(Access), buildings=number).first()


def of_place(place: Place) -> QuerySet[District]:
    """The districts that model this place itself."""
    return districts().filter(place=place)


def skipped_in_words(of: DistrictVersion) -> list[dict[str, Any]]:
    """What an import left out and why, in words."""
    return [
        {"what": word(SKIPPED_WHAT, row["what"]), "why": word(SKIPPED_WHY, row["why"]), "count": row["count"]}
        for row in of.skipped
    ]


def named(query: str, limit: int) -> list[tuple[District, Thing]]:
    """Streets, services and buildings whose name holds the words, each street once."""
    hits: list[tuple[District, Thing]] = []
    for table in (Street, Service, Building):
        rows = (
            table._default_manager.filter(until=None, name__icontains=query, district__current__isnull=False)
            .select_related("district")
            .order_by("district_id", "name", "pk")
            .distinct("district_id", "name")[:limit]
        )
        hits.extend((row.district, row) for row in rows)
    return hits


def listed(layer: str, of: DistrictVersion, kind: str, query: str) -> QuerySet[Any]:
    """Rows of a layer by name, those without one last; only of a kind, and only with these words, where
    given.
    """
    rows: QuerySet[Any] = things(layer, of)
    if kind:
        rows = rows.filter(kind=kind)
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(properties__address__icontains=query))
    rows = rows.annotate(nameless=Q(name="")).order_by("nameless", "name", "key")
    return rows.defer("geometry")


def kinds(layer: str, of: DistrictVersion) -> list[tuple[str, int]]:
    """The kinds of a layer with how many there are, most first."""
    counted = things(layer, of).order_by().values_list("kind").annotate(n=Count("pk")).order_by("-n", "kind")
    return [(kind, n) for kind, n in counted]


def lab_pins(place: Place | None) -> list[dict[str, Any]]:
    """The labs of a place as pins {"lat", "lon", "title", "url", "detail"}, if the labs' room is there."""
    if place is None or not apps.is_installed("labs") or importlib.util.find_spec("labs.queries") is None:
        return []
    pins = getattr(importlib.import_module("labs.queries"), "pins", None)
    return [dict(pin) for pin in pins(place)] if pins else []


def building(of: DistrictVersion, key: str) -> Building:
    """A building of a version by its key. Raises BuildingNotFound."""
    row: Building | None = things("buildings", of).filter(key=key).first()
    if row is None:
        raise BuildingNotFound(_("There is no building “%(key)s” in this district.") % {"key": key})
    return row


def best_known(of: DistrictVersion, limit: int = 12) -> QuerySet[Any]:
    """The highest buildings that have a name: what the map says in words."""
    rows: QuerySet[Any] = things("buildings", of).exclude(name="").order_by("-height_m", "name")
    return rows.defer("geometry")[:limit]
