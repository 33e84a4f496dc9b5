"""Excuse somebody who did not come."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors.bookings import NotMissed
from labs.models import Booking, Excuse
from labs.services import hooks
from labs.services.bookings import rows, telling

SHORTEST = 3


@transaction.atomic
def excuse_missed(*, booking: Booking, by: User, reason: str, now: dt.datetime | None = None) -> Excuse:
    """Let a missed booking count no longer, with the reason; what it cost and its fee are given back.

    The booking stays missed, with its excuse beside it. Raises NotMissed.
    """
    now, reason = now or timezone.now(), " ".join(reason.split())
    held = rows.lock(booking)
    if held.status != Booking.Status.MISSED:
        raise NotMissed(_("Only a booking that nobody came to is excused."))
    if Excuse.objects.filter(booking=held).exists():
        raise NotMissed(_("This booking is excused already."))
    if len(reason) < SHORTEST:
        raise NotMissed(_("Say why, in a few words; the person reads it."))
    made = Excuse.objects.create(booking=held, by=by, reason=reason[:200], at=now)
    hooks.changed(held, "excused")
    telling.excused(held, made.reason, actor=by)
    return made
