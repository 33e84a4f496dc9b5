"""A person's own designs room: what was offered to them, what they deleted, starred and put together."""

from collections.abc import Mapping
from typing import Any

from commons.people.models import Handle, Membership, User
from designs.models import Collaborator, Transfer
from designs.policies import WRITERS
from designs.queries.collections import starred_by, writable_by
from designs.queries.deleted import deleted_of
from designs.queries.designs import visible_to
from designs.services.lifecycle import GRACE

MOST = 6


def offers_to(person: User) -> list[Transfer]:
    """Open offers that this person may take."""
    managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    handles = Handle.objects.filter(user=person) | Handle.objects.filter(organisation__in=managed)
    return list(
        Transfer.objects.filter(to__in=handles, ended_at=None, design__deleted_at=None)
        .select_related("design__owner", "to", "by")
        .order_by("created_at")
    )


def mine(person: User) -> Mapping[str, Any]:
    """What My things shows of designs."""
    deleted = [(design, design.deleted_at + GRACE) for design in deleted_of(person)[:20] if design.deleted_at]
    managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    designs = visible_to(person)
    own = designs.filter(owner__user=person) | designs.filter(owner__organisation__in=managed)
    shared = designs.filter(pk__in=Collaborator.objects.filter(user=person).values("design"))
    starred = starred_by(person)
    return {
        "offers": offers_to(person),
        "deleted": deleted,
        "own": list(own[:MOST]),
        "shared": list(shared[:MOST]),
        "starred": list(starred[:MOST]),
        "more_stars": max(0, starred.count() - MOST),
        "collections": list(writable_by(person)[:MOST]),
    }
