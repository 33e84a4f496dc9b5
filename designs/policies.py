"""Who may do what with a design, in one place."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from commons.people.models import Handle, Membership, User
from designs.models import Design

Visitor = User | AnonymousUser | None

#: Roles in an organisation that may write to its designs.
WRITERS = (Membership.Role.MANAGER, Membership.Role.OWNER)


def known(visitor: Visitor) -> User | None:
    """The person, or None for somebody who is not signed in."""
    return visitor if isinstance(visitor, User) else None


def seen_by(visitor: Visitor) -> Q:
    """The designs that this visitor may see: public ones, their own and those of their organisations."""
    person = known(visitor)
    if person is None:
        return Q(visibility=Design.Visibility.PUBLIC)
    if person.is_staff:
        return Q()
    return (
        Q(visibility=Design.Visibility.PUBLIC)
        | Q(owner__user=person)
        | Q(owner__organisation__in=Membership.objects.filter(user=person).values("organisation"))
    )


def may_write_as(visitor: Visitor, owner: Handle) -> bool:
    """Whether the visitor may make and change designs under this handle."""
    person = known(visitor)
    if person is None:
        return False
    if owner.user_id is not None:
        return owner.user_id == person.pk
    return Membership.objects.filter(organisation=owner.organisation_id, user=person, role__in=WRITERS).exists()


def may_push(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor may push to the design: its owner, or a manager of the organisation that owns it."""
    return may_write_as(visitor, design.owner)
