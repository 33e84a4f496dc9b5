"""Giving a design to another owner: an offer, which the other side takes or refuses."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.people.models import Handle, User
from commons.said import said
from designs.errors import AlreadyTheirs, NameTaken, NoSuchOffer
from designs.models import Collaborator, Design, Transfer
from designs.policies import check_may_manage, may_manage, may_take, may_write_as
from designs.queries.audience import owners_of
from designs.services.holding import hold
from designs.services.renaming import move
from designs.services.telling import design_url, my_url, tell_people


@transaction.atomic
def offer(*, design: Design, to: Handle, by: User) -> Transfer:
    """Offer a design to another name, in place of an earlier offer. Who makes designs under both names need not ask:
    it is theirs at once. Locks the design. Raises NotYours, AlreadyTheirs or NameTaken."""
    held = hold(design)
    check_may_manage(by, held)
    if to.pk == held.owner_id:
        raise AlreadyTheirs(_("It belongs to %(name)s already.") % {"name": to.title})
    _check_free(held, to)
    held.transfers.filter(ended_at=None).update(ended_at=timezone.now())
    transfer = Transfer.objects.create(design=held, to=to, by=by)
    if may_write_as(by, to):
        _hand_over(held, transfer)
        return transfer
    text = said(lazy("%(name)s offers you the design %(design)s"), name=by, design=held.name)
    tell_people(owners_of(to), kind="designs.offered", text=text, url=my_url(), actor=by)
    return transfer


@transaction.atomic
def take(*, transfer: Transfer, by: User) -> Design:
    """Take what is offered: the design moves, the old address leads to it. Locks the design.

    Raises NoSuchOffer or NameTaken.
    """
    transfer, held = _open(transfer)
    if not may_take(by, transfer) or (transfer.by is not None and not may_manage(transfer.by, held)):
        raise NoSuchOffer(_("This design is not offered to you."))
    _check_free(held, transfer.to)
    before = owners_of(held.owner)
    _hand_over(held, transfer)
    text = said(lazy("%(name)s has taken over %(design)s"), name=transfer.to.title, design=held.name)
    tell_people(before, kind="designs.taken", text=text, url=design_url(held), actor=by)
    return held


@transaction.atomic
def refuse(*, transfer: Transfer, by: User) -> None:
    """Refuse an offer, or withdraw one's own. Locks the design. Raises NoSuchOffer."""
    transfer, held = _open(transfer)
    withdrawn = may_manage(by, held)
    if not withdrawn and not may_take(by, transfer):
        raise NoSuchOffer(_("This design is not offered to you."))
    transfer.ended_at = timezone.now()
    transfer.save(update_fields=["ended_at"])
    if not withdrawn:
        text = said(lazy("%(name)s does not take over %(design)s"), name=transfer.to.title, design=held.name)
        tell_people(owners_of(held.owner), kind="designs.refused", text=text, url=design_url(held), actor=by)


def _open(transfer: Transfer) -> tuple[Transfer, Design]:
    held = hold(transfer.design)
    found = Transfer.objects.select_related("to", "by").filter(pk=transfer.pk, ended_at=None).first()
    if found is None:
        raise NoSuchOffer(_("This offer was answered or withdrawn meanwhile."))
    return found, held


def _check_free(design: Design, to: Handle) -> None:
    if Design.objects.filter(owner=to, slug=design.slug).exists():
        words = {"owner": to.title, "slug": design.slug}
        raise NameTaken(_("%(owner)s has a design “%(slug)s” already; rename this one first.") % words)


def _hand_over(design: Design, transfer: Transfer) -> None:
    move(design, owner=transfer.to, slug=design.slug)
    if transfer.to.user_id is not None:
        Collaborator.objects.filter(design=design, user=transfer.to.user_id).delete()
    transfer.ended_at, transfer.accepted = timezone.now(), True
    transfer.save(update_fields=["ended_at", "accepted"])
