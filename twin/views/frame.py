"""What every page of a district shares: the district, the version that is looked at, and its tabs."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.people.models import User
from twin import queries
from twin.models import District, DistrictVersion
from twin.policies import may_import, may_offer

Viewer = User | AnonymousUser


def _all(_viewer: Viewer, _district: District) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a district, and to whom it is shown."""

    slug: str
    title: str | Promise
    url_name: str
    shown_to: Callable[[Viewer, District], bool] = _all


#: In the order of the page; one line each.
TABS = (
    Tab("district", _("District"), "rooms:district"),
    Tab("scenarios", _("Scenarios"), "rooms:scenarios"),
    Tab("map", _("Map"), "rooms:district-map"),
    Tab("list", _("List"), "rooms:district-list"),
    Tab("traffic", _("Traffic"), "rooms:district-traffic"),
    Tab("roofs", _("Roofs"), "rooms:district-roofs"),
    Tab("energy", _("Energy"), "rooms:district-energy"),
    Tab("risk", _("Risk"), "rooms:district-risk"),
    Tab("carbon", _("Carbon"), "rooms:district-carbon"),
    Tab("ahead", _("Ahead"), "rooms:district-ahead"),
    Tab("coverage", _("Coverage"), "rooms:district-coverage"),
    Tab("versions", _("Versions"), "rooms:twin-versions"),
)


def frame(request: HttpRequest, slug: str, *, tab: str) -> tuple[District, DistrictVersion, dict[str, Any]]:
    """The district, its version that `?version=` asks for, and what every page of it needs. Raises DistrictNotFound."""
    district = queries.district(slug)
    of = asked(request, district)
    tabs = [
        {"slug": part.slug, "title": part.title, "url": reverse(part.url_name, args=[district.slug])}
        for part in TABS
        if part.shown_to(request.user, district)
    ]
    shared = {
        "district": district,
        "version": of,
        "is_current": of.pk == district.current_id,
        "tabs": tabs,
        "tab_here": tab,
        "may_import": may_import(request.user),
        "may_offer": may_offer(request.user),
    }
    return district, of, shared


def asked(request: HttpRequest, district: District) -> DistrictVersion:
    """The version that the address asks for, by number (`version`) or by date (`at`), else the current one. Raises
    DistrictNotFound.
    """
    number = asked_version(request)
    day = parse_date(request.GET.get("at", "")) if number is None and _is_date(request.GET.get("at", "")) else None
    if day is None:
        return queries.version(district, number)
    night = dt.datetime.combine(day, dt.time.max, tzinfo=timezone.get_current_timezone())
    return queries.versions.version_at(district, night)


def _is_date(text: str) -> bool:
    try:
        return parse_date(text) is not None
    except ValueError:
        return False


def asked_version(request: HttpRequest) -> int | None:
    """The version that the address asks for; what is no number asks for the current one."""
    text = request.GET.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
