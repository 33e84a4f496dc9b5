"""Reads of the twin."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from commons.places.models import Place
from twin.engine.model import LAYERS, CityModel
from twin.engine.model import Thing as CityThing
from twin.errors import DistrictNotFound, NoSuchLayer
from twin.models import LAYER_MODELS, Access, Building, District, DistrictVersion, Service, Street, Thing
from twin.words import SKIPPED_WHAT, SKIPPED_WHY, word


def districts() -> QuerySet[District]:
    """Districts that hold something, by name."""
    return District.objects.filter(current__isnull=False).select_related("current", "place").order_by("name")


def district(slug: str) -> District:
    """The district of that name, or the one that models the place of that name. Raises DistrictNotFound."""
    found = districts().filter(Q(slug=slug) | Q(place__slug=slug)).order_by(F("slug").asc()).all()
    best = next((d for d in found if d.slug == slug), None) or next(iter(found), None)
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
    return table._default_manager.filter(stood, district_id=of.district_id).order_by("key")


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
