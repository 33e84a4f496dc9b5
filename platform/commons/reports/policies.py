"""Who looks after reports: staff, and the stewards, managers and owners of the city's own organisations."""

from django.utils.translation import gettext as _

from commons.people.models import Membership, Organisation, User
from commons.reports.errors import NotModerator
from commons.reports.models import Case

ROLES = (Membership.Role.STEWARD, Membership.Role.MANAGER, Membership.Role.OWNER)


def may_moderate(person: object) -> bool:
    """Whether this person decides about reports."""
    if not isinstance(person, User) or not person.is_active:
        return False
    city = Membership.objects.filter(user=person, role__in=ROLES, organisation__kind=Organisation.Kind.CITY)
    return person.is_staff or city.exists()


def check_may_moderate(person: object) -> None:
    """Raises NotModerator."""
    if not may_moderate(person):
        raise NotModerator(_("Only the city's stewards and staff look after reports."))


def may_decide(person: User, case: Case) -> bool:
    """Nobody decides about what is their own."""
    return may_moderate(person) and case.author_id != person.pk
