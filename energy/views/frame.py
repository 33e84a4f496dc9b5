"""What every page of a community shares: the community, who looks at it, and its tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from energy import policies, queries
from energy.errors import CommunityNotFound
from energy.models import Community, Participant
from energy.queries import mine, participants

Shown = Callable[[policies.Viewer, Community], bool]


def _all(_viewer: policies.Viewer, _community: Community) -> bool:
    return True


def _own(viewer: policies.Viewer, community: Community) -> bool:
    return bool(mine.has_own(community, viewer))


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a community, and to whom it is shown."""

    slug: str
    title: str | Promise
    url_name: str
    shown_to: Shown = _all


#: In the order of the page; one line each.
TABS = (
    Tab("now", _("Now"), "rooms:community"),
    Tab("year", _("Year"), "rooms:community_year"),
    Tab("sharing", _("Sharing"), "rooms:community_sharing"),
    Tab("grid", _("Grid"), "rooms:community_grid"),
    Tab("forecast", _("Ahead"), "rooms:community_forecast"),
    Tab("tariffs", _("Tariff and rules"), "rooms:community_tariffs"),
    Tab("bills", _("Bills"), "rooms:community_bills", policies.has_bills),
    Tab("simulations", _("Simulations"), "rooms:community_simulations"),
    Tab("own", _("My energy"), "rooms:community_mine", _own),
    Tab("mine", _("My home"), "rooms:community_setup", participants.speaks_here),
    Tab("participants", _("Members"), "rooms:community_participants", policies.is_steward),
)


def home_tab(viewer: policies.Viewer, participant: Participant) -> str:
    """Under which tab a home stands: one's own, or the members'."""
    return "mine" if policies.speaks_for(viewer, participant) else "participants"


def found(request: HttpRequest, slug: str) -> Community:
    """A community by its own address, or the one that stands for a place of that address. Raises CommunityNotFound."""
    try:
        return queries.community(slug, request.user)
    except CommunityNotFound:
        place = Place.objects.filter(slug=slug).first()
        stands = queries.community_of(place) if place else None
        if stands is None:
            raise
        return stands


def frame(request: HttpRequest, slug: str, *, tab: str) -> tuple[Community, dict[str, Any]]:
    """The community and what every page of it needs. Raises CommunityNotFound."""
    community = found(request, slug)
    return community, around(request, community, tab=tab)


def around(request: HttpRequest, community: Community, *, tab: str) -> dict[str, Any]:
    """What every page of a community needs, where the page has asked who may see it."""
    tabs = [
        {"slug": part.slug, "title": part.title, "url": reverse(part.url_name, args=[community.slug])}
        for part in TABS
        if part.shown_to(request.user, community)
    ]
    steward = policies.is_steward(request.user, community)
    may_try = community.demo and request.user.is_authenticated and all(part["slug"] != "mine" for part in tabs)
    return {"community": community, "tabs": tabs, "tab_here": tab, "steward": steward, "may_try": may_try}
