"""Designs that were deleted and can still be brought back."""

from django.db.models import Q, QuerySet

from commons.people.models import Membership, User
from designs.models import Design
from designs.policies import WRITERS


def deleted_of(person: User) -> QuerySet[Design]:
    """The deleted designs that this person may bring back, newest first."""
    managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    return (
        Design.objects.filter(Q(owner__user=person) | Q(owner__organisation__in=managed), deleted_at__isnull=False)
        .select_related("owner", "owner__user", "owner__organisation")
        .order_by("-deleted_at")
    )
