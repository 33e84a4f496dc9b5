"""Who may see and do what with a community. Household data belong to the household (docs/energy-privacy.md).

Figures of every quarter of an hour or hour of a home or shop are its person's own, and of those whom they allow.
What everybody may see are sums over at least 15 of them (30 below an hour) of which none has more than 15 %, rounded;
labs and public buildings are shown by name. Stewards see the sums exactly. Generated data are nobody's. How sums are
cut for the public is in `energy.queries.public`, and nowhere else.
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
LARGEST_SHARE = 0.15
#: Fewer households than this must not tell two published versions apart.
LEAST_CHANGED = 5
#: Of what these households differ by, none may be more than this, and the whole must not be nearly one's own.
LARGEST_SHARE_OF_CHANGE = 0.5
NEARLY = 0.2


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


def is_member(viewer: Viewer, version: CommunityVersion) -> bool:
    """Whether a member of this version is this person's."""
    return isinstance(viewer, User) and version.members.filter(person=viewer).exists()


def sees_exactly(viewer: Viewer, version: CommunityVersion) -> bool:
    """Whether this person sees sums over members as they are: who keeps the books, and all where nobody's data are."""
    return version.demo or is_steward(viewer, version.community)


def may_see_member(viewer: Viewer, member: Member) -> bool:
    """Whether this person sees the member's own figures, step by step: its person alone; labs and public buildings are
    for all.
    """
    if member.kind in OPEN_KINDS:
        return True
    return isinstance(viewer, User) and viewer.is_active and member.person_id == viewer.pk


def may_see_sum(viewer: Viewer, community: Community, members: int, largest_share: float) -> bool:
    """Whether this person sees a sum by the hour over so many members of whom none has more than a share of it: all
    where enough hide each other, else who keeps the books.
    """
    return (members >= LEAST_MEMBERS and largest_share <= LARGEST_SHARE) or is_steward(viewer, community)


def is_nobodys(version: CommunityVersion) -> bool:
    """Whether no person and no organisation of this city stands behind the data, as with a published data set."""
    community = version.community
    if community.organisation_id is not None or community.participants.exists():
        return False
    return not version.members.filter(person__isnull=False).exists()


def may_simulate(viewer: Viewer, version: CommunityVersion) -> bool:
    """Whether this person may set a worker to work: anyone signed in, where the answer's sums may be seen by them."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if sees_exactly(viewer, version) or is_member(viewer, version) or is_nobodys(version):
        return True
    return version.members.exclude(kind__in=OPEN_KINDS).count() >= LEAST_MEMBERS


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
