"""Who may see and do what with a community. Household data belong to the household.

Sums over members are public where a community is public and either is a demonstration or has enough members
(15; 30 below an hour), so that nobody's day can be read from them. Labs and public buildings are named; a
home is named only to its own person, to stewards of the community and to staff.
"""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from commons.people.models import Membership, User
from energy.models import Community, CommunityVersion, Member, Participant

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


def may_simulate(viewer: Viewer) -> bool:
    """Whether this person may set a worker to work: anyone signed in who may see the community."""
    return isinstance(viewer, User) and viewer.is_active


def may_found(viewer: Viewer) -> bool:
    """Whether this person may found a community: anyone signed in; the community is then theirs to look after."""
    return isinstance(viewer, User) and viewer.is_active


def speaks_for(viewer: Viewer, participant: Participant) -> bool:
    """Whether this person is the participant: its own, or one who leads its organisation. Not staff."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if participant.person_id is not None and participant.person_id == viewer.pk:
        return True
    return (
        participant.organisation_id is not None
        and Membership.objects.filter(organisation=participant.organisation_id, user=viewer, role__in=STEWARDS).exists()
    )


def may_see_participant(viewer: Viewer, participant: Participant) -> bool:
    """Whether this person may see its page: itself, those whom it allows, and stewards (sums and missing days)."""
    return (
        speaks_for(viewer, participant) or is_steward(viewer, participant.community) or _is_viewer(viewer, participant)
    )


def may_see_readings(viewer: Viewer, participant: Participant) -> bool:
    """Whether this person may see its 15-minute data: itself, those whom it allows, stewards only if it says so. Not
    staff."""
    if speaks_for(viewer, participant) or _is_viewer(viewer, participant):
        return True
    return participant.stewards_see and is_steward(viewer, participant.community)


def may_change_participant(viewer: Viewer, participant: Participant) -> bool:
    """Whether this person may change assets, meters and who sees: itself; a steward while nobody speaks for it."""
    if speaks_for(viewer, participant):
        return True
    nobody = participant.person_id is None and participant.organisation_id is None
    return nobody and is_steward(viewer, participant.community)


def _is_viewer(viewer: Viewer, participant: Participant) -> bool:
    return isinstance(viewer, User) and viewer.is_active and participant.viewers.filter(pk=viewer.pk).exists()


def may_see_bills(viewer: Viewer, participant: Participant) -> bool:
    """Whether this person may read a participant's statements: who may see its readings; stewards otherwise see sums
    alone, and a statement only of somebody for whom nobody else could take it.
    """
    nobody = participant.person_id is None and participant.organisation_id is None
    return may_see_readings(viewer, participant) or (nobody and is_steward(viewer, participant.community))


def own_participants(viewer: Viewer, community: Community) -> "QuerySet[Participant]":
    """The participants of a community for whom this person speaks, or whose data they may see."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return Participant.objects.none()
    runs = Q(organisation__memberships__user=viewer, organisation__memberships__role__in=STEWARDS)
    mine = Q(person=viewer) | Q(viewers=viewer) | runs
    return community.participants.filter(mine).distinct().order_by("joined_on", "pk")


def has_bills(viewer: Viewer, community: Community) -> bool:
    """Whether there are bills here for this person: members have theirs, stewards see sums."""
    return is_steward(viewer, community) or own_participants(viewer, community).exists()
