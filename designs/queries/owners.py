"""Under which names a person may make designs."""

from django.db.models import Q
from django.utils.translation import gettext as _

from commons.errors import NotFound
from commons.people.models import Handle, Membership, User
from designs.policies import WRITERS


def owner_called(name: str) -> Handle:
    """The handle of that name, whoever asks. Raises NotFound."""
    found = Handle.objects.filter(name=name.lower()).first()
    if found is None:
        raise NotFound(_("There is nobody called “%(name)s”; make an account first (create_user).") % {"name": name})
    return found


def handles_of(person: User) -> list[Handle]:
    """Their own handle first, then the organisations that they manage."""
    managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    found = Handle.objects.filter(Q(user=person) | Q(organisation__in=managed)).select_related("user", "organisation")
    return sorted(found, key=lambda handle: (handle.user_id is None, handle.name))
