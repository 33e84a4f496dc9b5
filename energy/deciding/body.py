"""Energy communities as bodies: who belongs, who keeps the books, by which charter they begin (docs/deciding.md)."""

import datetime as dt
from collections.abc import Collection

from django.urls import reverse

from commons import sockets
from commons.people.models import Membership, User
from energy import policies
from energy.models import Community, Participant
from energy.queries import measured

KIND = "energy.community"
CHARTER = {
    "methods": ["consent", "majority", "condorcet", "shares"],
    "quorum": "1/5",
    "notice_h": 72,
    "window_h": 168,
    "objection_h": 72,
    "member_days": 30,
    "limits": {"energy.sharing_rule": {"price": [0, 1]}, "energy.tariff": {"price": [0, 1]}},
}


def find(key: str, person: User | None) -> sockets.Decider | None:
    """The community of that slug, if the person may know of it."""
    found = policies.visible(person).select_related("place").filter(slug=key).first()
    if found is None:
        return None
    return sockets.Decider(found.name, reverse("rooms:community", args=[found.slug]), found.place, found.demo)


def members(key: str) -> dict[int, dt.datetime]:
    """Who speaks for a member of today, since the first midnight on which one of theirs belonged."""
    community = Community.objects.filter(slug=key).first()
    if community is None:
        return {}
    zone = measured.zone(community)
    today = dt.datetime.now(zone).date()
    found: dict[int, dt.datetime] = {}
    for one in community.participants.exclude(person=None).order_by("joined_on"):
        if one.belongs(today) and one.person_id is not None:
            found.setdefault(one.person_id, dt.datetime.combine(one.joined_on, dt.time(), zone))
    return found


def stewards(key: str) -> Collection[int]:
    """Who keeps the community's books."""
    rows = Membership.objects.filter(organisation__communities__slug=key, role__in=policies.STEWARDS)
    return set(rows.values_list("user_id", flat=True))


def keys_of(person: User) -> Collection[str]:
    """The communities that a person's home or shop belongs to."""
    mine = Participant.objects.filter(person=person, left_on=None)
    return sorted(set(mine.values_list("community__slug", flat=True)))
