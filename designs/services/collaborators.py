"""Who works on a design beside its owner."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.people.models import User
from commons.said import said
from designs.errors import AlreadyTheirs, BadName, NotYours
from designs.models import Collaborator, Design, Watch
from designs.policies import check_may_manage, may_manage
from designs.services.holding import hold
from designs.services.telling import design_url, tell_people


@transaction.atomic
def set_collaborator(*, design: Design, person: User, role: str, by: User | None) -> Collaborator:
    """Let a person see or maintain a design, or change which; they hear of it. Locks the design.

    Raises NotYours, BadName (no such role) or AlreadyTheirs (the owner needs no role).
    """
    held = hold(design)
    check_may_manage(by, held)
    if role not in Collaborator.Role.values:
        raise BadName(_("“%(role)s” is not a role.") % {"role": role[:20]})
    if may_manage(person, held):
        raise AlreadyTheirs(_("%(name)s owns this design and may do everything already.") % {"name": person})
    found, made = Collaborator.objects.update_or_create(design=held, user=person, defaults={"role": role})
    if made:
        text = said(lazy("%(name)s lets you work on %(design)s"), name=by or held.owner.title, design=held.name)
        if role == Collaborator.Role.READER:
            text = said(lazy("%(name)s lets you see %(design)s"), name=by or held.owner.title, design=held.name)
        tell_people([person], kind="designs.invited", text=text, url=design_url(held), actor=by)
    return found


@transaction.atomic
def remove_collaborator(*, design: Design, person: User, by: User | None) -> None:
    """End a role; a person may always end their own. Locks the design. Raises NotYours."""
    held = hold(design)
    if by is not None and by.pk != person.pk and not may_manage(by, held):
        raise NotYours(_("Only its owner can end this."))
    Collaborator.objects.filter(design=held, user=person).delete()
    if not held.is_public and not may_manage(person, held):
        Watch.objects.filter(design=held, user=person).delete()
