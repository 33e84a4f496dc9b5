"""What a person is to a lab, as its rules and prices see it."""

from commons.people.models import Membership, User
from labs.models import Lab

ROLE_OF = {
    Membership.Role.MEMBER: "member",
    Membership.Role.TRAINER: "trainer",
    Membership.Role.STEWARD: "member",
    Membership.Role.MANAGER: "manager",
    Membership.Role.OWNER: "manager",
}


def role_of(user: User | None, lab: Lab) -> str:
    """Guest, member, trainer or manager."""
    if user is None or not user.is_authenticated:
        return "guest"
    if user.is_staff:
        return "manager"
    found = Membership.objects.filter(organisation=lab.organisation_id, user=user).values_list("role", flat=True)
    return next((ROLE_OF[Membership.Role(role)] for role in found), "guest")
