"""Who may do what with a design, in one place."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils.translation import gettext as _

from commons.people.models import Handle, Membership, User
from designs.errors import Archived, Mirrored, NotYours
from designs.models import Collaborator, Design, Proposal, Transfer

Visitor = User | AnonymousUser | None

#: Roles in an organisation that may write to its designs.
WRITERS = (Membership.Role.MANAGER, Membership.Role.OWNER)


def known(visitor: Visitor) -> User | None:
    """The person, or None for somebody who is not signed in."""
    return visitor if isinstance(visitor, User) else None


def seen_by(visitor: Visitor) -> Q:
    """The designs that this visitor may see: public ones, their own, those of their organisations, and those whose
    owner lets them. What staff has hidden only they and its owner see; deleted ones nobody sees but who may bring them
    back (`queries.deleted.deleted_of`)."""
    there = Q(deleted_at=None)
    shown = Q(hidden_at=None)
    person = known(visitor)
    if person is None:
        return there & shown & Q(visibility=Design.Visibility.PUBLIC)
    if person.is_staff:
        return there
    memberships = Membership.objects.filter(user=person)
    return there & (
        (shown & Q(visibility=Design.Visibility.PUBLIC))
        | Q(owner__user=person)
        | Q(owner__organisation__in=memberships.filter(role__in=WRITERS).values("organisation"))
        | (shown & Q(owner__organisation__in=memberships.values("organisation")))
        | (shown & Q(pk__in=Collaborator.objects.filter(user=person).values("design")))
    )


def may_write_as(visitor: Visitor, owner: Handle) -> bool:
    """Whether the visitor may make and change designs under this handle."""
    person = known(visitor)
    if person is None:
        return False
    if owner.user_id is not None:
        return owner.user_id == person.pk
    return Membership.objects.filter(organisation=owner.organisation_id, user=person, role__in=WRITERS).exists()


def may_manage(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor may rename, give away, archive or delete it and say who works on it: its owner."""
    return may_write_as(visitor, design.owner)


def may_push(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor may push, edit and merge: who maintains it, unless its files come from elsewhere."""
    return may_maintain(visitor, design) and not design.is_mirror


def may_maintain(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor looks after it, so may release: the owner and maintainers, while it is not archived."""
    person = known(visitor)
    if person is None or design.is_archived or design.deleted_at is not None:
        return False
    return (
        may_manage(person, design)
        or design.collaborators.filter(user=person, role=Collaborator.Role.MAINTAINER).exists()
    )


def may_restore(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor may bring a deleted design back: whoever may manage it."""
    return design.deleted_at is not None and may_manage(visitor, design)


def may_take(visitor: Visitor, transfer: Transfer) -> bool:
    """Whether the visitor may take or refuse a design that is offered: who makes designs under the receiving name."""
    return transfer.ended_at is None and may_write_as(visitor, transfer.to)


def may_talk(visitor: Visitor, design: Design) -> bool:
    """Whether the visitor may comment on the design and offer changes: everybody signed in who sees it."""
    person = known(visitor)
    if person is None or design.is_archived:
        return False
    return Design.objects.filter(seen_by(person), pk=design.pk).exists()


def check_may_manage(person: User | None, design: Design) -> None:
    """Raises NotYours for all but the owner. None is the city itself."""
    if person is not None and not may_manage(person, design):
        raise NotYours(_("Only its owner can do this with “%(name)s”.") % {"name": design.name})


def check_not_archived(design: Design) -> None:
    """Raises Archived."""
    if design.is_archived:
        raise Archived(_("“%(name)s” is archived: it can be read, and nothing in it changes.") % {"name": design.name})


def check_not_mirrored(design: Design) -> None:
    """Raises Mirrored, with the address that the design follows."""
    if design.is_mirror:
        raise Mirrored(
            _("“%(name)s” follows %(url)s: change it there, or turn it into an ordinary design in its settings.")
            % {"name": design.name, "url": design.mirror.url[:200]},
            url=design.mirror.url,
        )


def check_may_push(person: User | None, design: Design) -> None:
    """Raises Archived, NotYours for all but the owner and maintainers, or Mirrored."""
    check_may_maintain(person, design)
    check_not_mirrored(design)


def check_may_maintain(person: User | None, design: Design) -> None:
    """Raises Archived, or NotYours for all but the owner and maintainers."""
    check_not_archived(design)
    if not may_maintain(person, design):
        raise NotYours(_("You may read this design but not push to it."))


def shows_more(source: Design, target: Design) -> bool:
    """Whether offering from `source` to `target` would show files to people who do not see them now."""
    return source.pk != target.pk and not source.is_public


def may_offer(visitor: Visitor, source: Design, target: Design) -> bool:
    """Whether the visitor may offer what is in `source` to `target`: who may talk there and sees the source. Out of a
    private source only who may push to it offers, since that shows its files to everybody who sees the target."""
    person = known(visitor)
    if person is None or not may_talk(person, target) or target.is_mirror:
        return False
    if shows_more(source, target):
        return may_push(person, source)
    return Design.objects.filter(seen_by(person), pk=source.pk).exists()


def may_steer(visitor: Visitor, proposal: Proposal) -> bool:
    """Whether the visitor may retitle, close and reopen a change: its author, and who may merge it."""
    person = known(visitor)
    if person is None or proposal.design.is_archived:
        return False
    if proposal.author_id == person.pk:
        return may_talk(person, proposal.design)
    return may_push(person, proposal.design)
