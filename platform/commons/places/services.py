"""Writes about places. Each is one transaction and idempotent: the same slug again changes what is given."""

import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commons.places.errors import BadOutline, BadTimeZone, OtherKind
from commons.places.models import Place

Outline = Mapping[str, Any]


def ensure_city(
    *,
    slug: str,
    name: str,
    timezone: str = "UTC",
    country: str = "",
    outline: Outline | None = None,
    demo: bool = False,
) -> Place:
    """The city of that slug, made or brought up to date."""
    return _ensure(
        Place.Kind.CITY,
        slug,
        parent=None,
        name=name,
        timezone=timezone,
        country=country,
        outline=outline,
        demo=demo,
    )


def ensure_neighbourhood(
    *,
    slug: str,
    name: str,
    city: Place | None = None,
    timezone: str | None = None,
    outline: Outline | None = None,
    demo: bool = False,
) -> Place:
    """The neighbourhood of that slug, made or brought up to date; its time zone is its city's unless given."""
    zone = timezone or (city.timezone if city else "UTC")
    country = city.country if city else ""
    return _ensure(
        Place.Kind.NEIGHBOURHOOD,
        slug,
        parent=city,
        name=name,
        timezone=zone,
        country=country,
        outline=outline,
        demo=demo,
    )


@transaction.atomic
def _ensure(kind: str, slug: str, *, demo: bool, outline: Outline | None, **facts: Any) -> Place:
    if facts["timezone"] not in zoneinfo.available_timezones():
        raise BadTimeZone(
            _("“%(zone)s” is not a time zone; write it like Europe/Helsinki.") % {"zone": facts["timezone"]}
        )
    if outline is not None:
        check_outline(outline)
        facts["outline"] = dict(outline)
    place = Place.objects.select_for_update().filter(slug=slug).first()
    if place is None:
        return Place.objects.create(kind=kind, slug=slug, demo=demo, **facts)
    if place.kind != kind:
        raise OtherKind(
            _("“%(slug)s” is already a %(kind)s.") % {"slug": slug, "kind": place.get_kind_display().lower()}
        )
    for name, value in facts.items():
        setattr(place, name, value)
    place.save()
    return place


def check_outline(outline: Outline) -> None:
    """Refuse what is not a GeoJSON Polygon or MultiPolygon with closed rings in degrees."""
    depth = {"Polygon": 1, "MultiPolygon": 2}.get(str(outline.get("type")))
    if depth is None:
        raise BadOutline(
            _("An outline is a GeoJSON Polygon or MultiPolygon, not “%(type)s”.") % {"type": outline.get("type")}
        )
    rings: list[Any] = list(outline.get("coordinates") or [])
    if depth == 2:
        rings = [ring for polygon in rings for ring in polygon]
    if not rings:
        raise BadOutline(_("This outline has no rings."))
    for number, ring in enumerate(rings, start=1):
        _check_ring(ring, number)


def _check_ring(ring: Any, number: int) -> None:
    try:
        points = [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, IndexError, KeyError):
        raise BadOutline(_("Ring %(n)d is not a list of [longitude, latitude].") % {"n": number}) from None
    if len(points) < 4 or points[0] != points[-1]:
        raise BadOutline(
            _("Ring %(n)d is not closed: it needs four points or more, the last equal to the first.") % {"n": number}
        )
    if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in points):
        raise BadOutline(
            _("Ring %(n)d leaves the globe: longitudes are within ±180, latitudes within ±90.") % {"n": number}
        )


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A GeoJSON polygon of a bounding box in degrees."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@transaction.atomic
def remove_demo() -> int:
    """Take the demo's places away, neighbourhoods before their city; a place that others still use stays. How many."""
    neighbourhoods, _rows = Place.objects.filter(demo=True, kind=Place.Kind.NEIGHBOURHOOD).delete()
    cities, _rows = Place.objects.filter(demo=True, kind=Place.Kind.CITY, parts=None).delete()
    return neighbourhoods + cities
