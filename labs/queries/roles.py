"""What a person is to a lab, as its rules and prices see it."""

from collections.abc import Iterable

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


def roles_of(user: User | None, labs: Iterable[Lab]) -> dict[int, str]:
    """The same for many labs by their keys, in one query."""
    asked = {lab.pk: lab.organisation_id for lab in labs}
    if user is None or not user.is_authenticated:
        return dict.fromkeys(asked, "guest")
    if user.is_staff:
        return dict.fromkeys(asked, "manager")
    held = Membership.objects.filter(organisation__in=asked.values(), user=user).values_list("organisation_id", "role")
    known = {organisation: ROLE_OF[Membership.Role(role)] for organisation, role in held}
    return {lab: known.get(organisation, "guest") for lab, organisation in asked.items()}
