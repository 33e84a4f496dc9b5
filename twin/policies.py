"""Who may do what in the twin."""

from django.contrib.auth.models import AnonymousUser

from commons.people.models import Membership, Organisation, User

STEWARDS = (Membership.Role.STEWARD, Membership.Role.MANAGER, Membership.Role.OWNER)


def may_reckon(user: User | AnonymousUser) -> bool:
    """Who may have an engine look at a district again: who may import it."""
    return may_import(user)


def may_import(user: User | AnonymousUser) -> bool:
    """Staff, and stewards of an organisation that is a city."""
    if not isinstance(user, User):
        return False
    return (
        user.is_staff or user.memberships.filter(organisation__kind=Organisation.Kind.CITY, role__in=STEWARDS).exists()
    )
