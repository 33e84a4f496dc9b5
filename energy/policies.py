"""Who may see and do what with a community. Household data belong to the household.

Sums over members are public where a community is public and either is a demonstration or has enough members
(15; 30 below an hour), so that nobody's day can be read from them. Labs and public buildings are named; a
home is named only to its own person, to stewards of the community and to staff.
"""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from commons.people.models import Membership, User
from energy.models import Community, CommunityVersion, Member

if TYPE_CHECKING:
    from django.db.models import QuerySet

Viewer = User | AnonymousUser | None
STEWARDS = (Membership.Role.STEWARD, Membership.Role.MANAGER, Membership.Role.OWNER)
OPEN_KINDS = frozenset({Member.Kind.LAB.value, Member.Kind.PUBLIC.value})
LEAST_MEMBERS = 15
LEAST_MEMBERS_BELOW_AN_HOUR = 30


def visible(viewer: Viewer) -> "QuerySet[Community]":
    """Communities that this person may know of."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return Community.objects.filter(public=True)
    if viewer.is_staff:
        return Community.objects.all()
    return Community.objects.filter(Q(public=True) | Q(organisation__memberships__user=viewer)).distinct()


def is_steward(viewer: Viewer, community: Community) -> bool:
    """Whether this person keeps the community's books."""
    if not isinstance(viewer, User):
        return False
    if viewer.is_staff:
        return True
    return (
        community.organisation_id is not None
        and Membership.objects.filter(organisation=community.organisation_id, user=viewer, role__in=STEWARDS).exists()
    )


def may_see_curves(viewer: Viewer, version: CommunityVersion, members: int) -> bool:
    """Whether sums by the hour may be shown, rather than those of the period alone."""
    if version.demo or is_steward(viewer, version.community):
        return True
    return members >= (LEAST_MEMBERS if version.step_minutes >= 60 else LEAST_MEMBERS_BELOW_AN_HOUR)


def may_see_shares(viewer: Viewer, version: CommunityVersion, members: int) -> bool:
    """Whether everybody's share of a saving may be shown, each without a name."""
    return version.demo or is_steward(viewer, version.community) or members >= LEAST_MEMBERS


def may_simulate(viewer: Viewer) -> bool:
    """Whether this person may set a worker to work: anyone signed in who may see the community."""
    return isinstance(viewer, User) and viewer.is_active
