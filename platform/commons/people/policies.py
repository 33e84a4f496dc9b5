"""Who may do what with organisations: owners and managers look after the people in them."""

from django.utils.translation import gettext as _

from commons.people import queries
from commons.people.errors import NotYourOrganisation
from commons.people.models import Membership, Organisation

MANAGE = frozenset({Membership.Role.OWNER.value, Membership.Role.MANAGER.value})


def may_manage(user: object, organisation: Organisation) -> bool:
    """Whether this person may change who belongs and with which role."""
    return bool(getattr(user, "is_staff", False)) or queries.role_in(user, organisation) in MANAGE


def check_may_manage(user: object, organisation: Organisation) -> None:
    """Raises NotYourOrganisation."""
    if not may_manage(user, organisation):
        raise NotYourOrganisation(
            _("Only owners and managers of %(name)s change its people.") % {"name": organisation.name}
        )


def check_may_give(user: object, organisation: Organisation, role: str) -> None:
    """Only an owner makes an owner, so that a manager cannot take an organisation over."""
    check_may_manage(user, organisation)
    owner = getattr(user, "is_staff", False) or queries.role_in(user, organisation) == Membership.Role.OWNER
    if role == Membership.Role.OWNER and not owner:
        raise NotYourOrganisation(_("Only an owner of %(name)s makes owners.") % {"name": organisation.name})
