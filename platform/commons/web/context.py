"""What every page knows: the sections, the place it is about, today's sun."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from commons import sockets
from commons.notices.queries import unread_count
from commons.people.models import User
from commons.places import queries, sun
from commons.places.models import Place

#: The cookie that remembers the place a visitor looked at last.
PLACE_COOKIE = "place"


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for the base layout, which is about a place and tells its time. The sun is asked only where it shows."""
    here = place_of(request)
    if here is not None:
        timezone.activate(queries.zone_of(here))

    return {
        "nav_entries": list(sockets.nav),
        "languages": settings.LANGUAGES,
        "demo_city": settings.DEMO,
        "unread_notices": cache(lambda: _unread(request)),
        "here": here,
        "sun_place": here,
        "sun_hours": SimpleLazyObject(lambda: sun.hours_of(here) if here else []),
    }


def _unread(request: HttpRequest) -> int:
    """How many notices the person has not read; asked only where the bell shows."""
    person = getattr(request, "user", None)
    return unread_count(person) if isinstance(person, User) else 0


def place_of(request: HttpRequest) -> Place | None:
    """The visitor's place: the page's own, the remembered one, their home, or the first. Found once a request."""
    known: dict[str, Place | None] = request.__dict__.setdefault("_city", {})
    if "place" not in known:
        known["place"] = queries.home_of(request.COOKIES.get(PLACE_COOKIE), getattr(request, "user", None))
    return known["place"]


def set_place(request: HttpRequest, place: Place) -> None:
    """Say which place this page is about: the layout is about it too, and times are its own."""
    request.__dict__.setdefault("_city", {})["place"] = place
    timezone.activate(queries.zone_of(place))
