"""From where a person asks: the place in the address, else the middle of the neighbourhood that the page is about."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest

from commons.places.models import Place
from commons.web.context import place_of
from labs.models import Lab

Where = tuple[float, float]


def near_of(request: HttpRequest) -> Where | None:
    """Latitude and longitude in degrees: of `lat` and `lon`, or of the page's place; None when nobody knows."""
    return told(request.GET) or middle_of(place_of(request))


def told(query: Mapping[str, Any]) -> Where | None:
    """The position in a query, None when there is none that can be read."""
    try:
        lat, lon = float(str(query.get("lat", ""))), float(str(query.get("lon", "")))
    except ValueError:
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def middle_of(place: Place | None) -> Where | None:
    """The middle of a place's outline; of its labs where it has none."""
    if place is None:
        return None
    corners = list(_corners((place.outline or {}).get("coordinates")))
    if not corners:
        labs = Lab.objects.filter(place=place, lat__isnull=False, lon__isnull=False).values_list("lat", "lon")
        corners = [(lat, lon) for lat, lon in labs if lat is not None and lon is not None]
    if not corners:
        return None
    lats, lons = [lat for lat, _lon in corners], [lon for _lat, lon in corners]
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


def _corners(part: Any) -> Iterator[Where]:
    if not isinstance(part, list | tuple):
        return
    if len(part) >= 2 and all(isinstance(number, int | float) for number in part[:2]):
        yield float(part[1]), float(part[0])
        return
    for one in part:
        yield from _corners(one)
