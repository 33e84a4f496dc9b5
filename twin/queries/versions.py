"""Reads of versions: as of a date, and what differs between two."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from twin.engine.model import LAYERS, Layer
from twin.errors import DistrictNotFound, NoSuchLayer
from twin.models import LAYER_MODELS, Building, District, DistrictVersion, Street, Thing

_MARKS = frozenset({"corrected"})


def versions(found: District) -> QuerySet[DistrictVersion]:
    """All versions of a district, newest first."""
    return found.versions.select_related("author").order_by("-number")


def version_at(found: District, moment: dt.datetime) -> DistrictVersion:
    """The version that stood at a moment. Raises DistrictNotFound before the first."""
    stood = found.versions.filter(created_at__lte=moment).order_by("-number").first()
    if stood is None:
        raise DistrictNotFound(_("“%(name)s” had no version then; its first is younger.") % {"name": found.name})
    return stood


def totals(district: District, number: int) -> dict[str, Any]:
    """Counts of a version from its rows: each layer, how heights are known, kilometres on foot and by car."""
    stood = Q(district=district, since__lte=number) & (Q(until=None) | Q(until__gt=number))
    counted: dict[str, Any] = {layer: LAYER_MODELS[layer]._default_manager.filter(stood).count() for layer in LAYERS}
    known = Building.objects.filter(stood).values_list("height_source").annotate(n=Count("pk"))
    streets = Street.objects.filter(stood)
    km = {way: (streets.filter(**{way: True}).aggregate(m=Sum("length_m"))["m"] or 0) / 1000 for way in ("foot", "car")}
    return counted | {
        "height_sources": dict(known),
        "foot_km": round(km["foot"], 3),
        "car_km": round(km["car"], 3),
    }


@dataclass(frozen=True, slots=True)
class LayerDiff:
    """Keys of a layer with their rows' numbers, by what became of them between two versions: (before, after)."""

    began: Mapping[str, int]
    ended: Mapping[str, int]
    changed: Mapping[str, tuple[int, int]]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {"began": len(self.began), "ended": len(self.ended), "changed": len(self.changed)}


def diff(found: District, before: int, after: int) -> dict[Layer, LayerDiff]:
    """What differs between two versions, layer by layer; `before` 0 is the empty district.

    Only rows that began or ended between the two are read, so it costs what differs, not what stands.
    """
    return {layer: _layer_diff(found, layer, before, after) for layer in LAYERS}


def _layer_diff(found: District, layer: Layer, before: int, after: int) -> LayerDiff:
    rows = LAYER_MODELS[layer]._default_manager.filter(district=found)
    then = rows.filter(since__lte=before, until__gt=before, until__lte=after)
    now = rows.filter(Q(since__gt=before, since__lte=after) & (Q(until=None) | Q(until__gt=after)))
    old = {key: (pk, bytes(print_)) for key, pk, print_ in then.values_list("key", "pk", "fingerprint")}
    new = {key: (pk, bytes(print_)) for key, pk, print_ in now.values_list("key", "pk", "fingerprint")}
    return LayerDiff(
        began={key: pk for key, (pk, _print) in sorted(new.items()) if key not in old},
        ended={key: pk for key, (pk, _print) in sorted(old.items()) if key not in new},
        changed={
            key: (old[key][0], pk) for key, (pk, print_) in sorted(new.items()) if key in old and old[key][1] != print_
        },
    )


def rows_of(layer: Layer, numbers: list[int]) -> dict[int, Thing]:
    """Rows of a layer by their numbers."""
    return LAYER_MODELS[layer]._default_manager.in_bulk(numbers)


@dataclass(frozen=True, slots=True)
class Differs:
    """One property before and after; `shape` names a geometry that differs."""

    name: str
    before: Any
    after: Any


def differences(before: Thing, after: Thing) -> Iterator[Differs]:
    """Each property that differs between two rows of a thing, by name; then its shape."""
    for name in sorted({*before.properties, *after.properties} - _MARKS):
        old, new = before.properties.get(name), after.properties.get(name)
        if old != new:
            yield Differs(name, old, new)
    if before.geometry != after.geometry:
        yield Differs("shape", None, None)


def layer_named(name: str) -> Layer:
    """A layer by its name. Raises NoSuchLayer."""
    for layer in LAYERS:
        if layer == name:
            return layer
    raise NoSuchLayer(_("A district has the layers %(names)s.") % {"names": ", ".join(LAYERS)})
