"""The end of a design, and back: archive, delete with thirty days to think again, restore, purge."""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from designs.errors import DesignNotFound, NameNotTyped, NotYours
from designs.models import Design
from designs.policies import check_may_manage, may_restore
from designs.services.designs import delete_design
from designs.services.forks import count_forks
from designs.services.holding import hold
from designs.services.makes import forget_photos
from designs.services.silence import silence_runs

log = logging.getLogger(__name__)

#: How long a deleted design can be brought back; its address stays its own meanwhile.
GRACE = dt.timedelta(days=30)
PURGE_AT_MOST = 50


@transaction.atomic
def archive(*, design: Design, by: User | None) -> Design:
    """Make a design read-only everywhere. Locks the design. Raises NotYours."""
    return _archived(design, by, at=timezone.now())


@transaction.atomic
def unarchive(*, design: Design, by: User | None) -> Design:
    """Let a design be changed again. Locks the design. Raises NotYours."""
    return _archived(design, by, at=None)


def _archived(design: Design, by: User | None, *, at: dt.datetime | None) -> Design:
    held = hold(design)
    check_may_manage(by, held)
    if (held.archived_at is None) != (at is None):
        held.archived_at = at
        held.save(update_fields=["archived_at"])
    return held


@transaction.atomic
def remove(*, design: Design, by: User, typed: str) -> Design:
    """Delete a design: gone for everybody at once, and for good after thirty days. Locks the design.

    `typed` is its address or name, written by the person. Raises NotYours or NameNotTyped.
    """
    held = hold(design)
    check_may_manage(by, held)
    if typed.strip().lower() not in {held.slug, f"{held.owner.name}/{held.slug}", held.name.lower()}:
        raise NameNotTyped(_("Write “%(name)s” to delete it.") % {"name": held.slug})
    held.deleted_at, held.deleted_by = timezone.now(), by
    held.save(update_fields=["deleted_at", "deleted_by"])
    held.transfers.filter(ended_at=None).update(ended_at=timezone.now())
    silence_runs(held)
    _count_forks(held)
    return held


@transaction.atomic
def restore(*, design: Design, by: User | None) -> Design:
    """Bring a deleted design back as it was. Locks the design. Raises DesignNotFound or NotYours."""
    held = (
        Design.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").filter(pk=design.pk).first()
    )
    if held is None or held.deleted_at is None:
        raise DesignNotFound(_("There is nothing to bring back."))
    if by is not None and not may_restore(by, held):
        raise NotYours(_("Only its owner can bring it back."))
    held.deleted_at = held.deleted_by = None
    held.save(update_fields=["deleted_at", "deleted_by"])
    _count_forks(held)
    return held


def purge(*, now: dt.datetime | None = None) -> int:
    """Take away for good what was deleted more than thirty days ago; how many designs. Forks keep all they have."""
    before = (now or timezone.now()) - GRACE
    gone = 0
    for pk in list(Design.objects.filter(deleted_at__lt=before).values_list("pk", flat=True)[:PURGE_AT_MOST]):
        with transaction.atomic():
            held = (
                Design.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("owner")
                .filter(pk=pk, deleted_at__lt=before)
                .first()
            )
            if held is not None:
                forget_photos(held)
                delete_design(design=held, by=None)
                gone += 1
    return gone


def _count_forks(design: Design) -> None:
    """The parent's count of forks, from the forks themselves."""
    if design.forked_from is not None:
        count_forks(design=design.forked_from)
