"""Labs as bodies: who belongs, who runs them, by which charter they begin (docs/deciding.md)."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.urls import reverse

from commons import sockets
from commons.people.models import Membership, User
from labs.models import Lab
from labs.policies import MANAGING

KIND = "labs.lab"
CHARTER = {
    "methods": ["consent", "majority", "approval", "condorcet"],
    "quorum": "1/5",
    "notice_h": 72,
    "window_h": 168,
    "objection_h": 48,
    "member_days": 14,
    "limits": {
        "labs.quota": {"per_week_h": [1, 168], "open_bookings": [1, 100]},
        "labs.surplus_price": {"discount_percent": [0, 50], "above_surplus_share": [0, 1]},
    },
}


def find(key: str, person: User | None) -> sockets.Decider | None:
    """The lab of that slug."""
    lab = Lab.objects.select_related("place").filter(slug=key).first()
    return sockets.Decider(lab.name, reverse("rooms:lab", args=[lab.slug]), lab.place, lab.demo) if lab else None


def members(key: str) -> Mapping[int, dt.datetime]:
    """The lab's own people, since they belong."""
    rows = Membership.objects.filter(organisation__lab__slug=key)
    return dict(rows.values_list("user_id", "since"))


def stewards(key: str) -> Collection[int]:
    """Who runs it."""
    rows = Membership.objects.filter(organisation__lab__slug=key, role__in=MANAGING)
    return set(rows.values_list("user_id", flat=True))


def keys_of(person: User) -> Collection[str]:
    """The labs that a person belongs to."""
    return sorted(Lab.objects.filter(organisation__memberships__user=person).values_list("slug", flat=True))


def border(key: str, at: dt.datetime) -> dt.datetime:
    """The next Monday, local midnight."""
    lab = Lab.objects.select_related("place").get(slug=key)
    local = at.astimezone(lab.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local == midnight and local.weekday() == 0:
        return local
    day = (local + dt.timedelta(days=7 - local.weekday())).date()
    return dt.datetime.combine(day, dt.time(), lab.zone)
