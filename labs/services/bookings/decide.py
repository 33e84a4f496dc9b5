"""Approve or decline what somebody asked for."""

import datetime as dt
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors.bookings import NotRequested
from labs.models import Booking
from labs.services import hooks
from labs.services.bookings import rows, telling
from labs.services.bookings.move import reached


def approve_booking(*, booking: Booking, by: User, now: dt.datetime | None = None) -> Booking:
    """Say yes: what was asked for in one step, or as one series, is booked. Raises NotRequested, OverAlready."""
    return _decide(booking, by=by, yes=True, reason="", now=now or timezone.now())


def decline_booking(*, booking: Booking, by: User, reason: str = "", now: dt.datetime | None = None) -> Booking:
    """Say no, with a reason that the person reads; the time is free. Raises NotRequested, OverAlready."""
    return _decide(booking, by=by, yes=False, reason=reason, now=now or timezone.now())


def decline_forgotten(now: dt.datetime) -> list[Booking]:
    """By the clock: what nobody answered before it would begin is declined, one transaction each."""
    waiting = Booking.objects.filter(status=Booking.Status.REQUESTED, start__lte=now)
    reason = _("Nobody answered in time.")
    found = []
    for booking in waiting.order_by("start"):
        with transaction.atomic():
            held = rows.lock(booking)
            if held.status == Booking.Status.REQUESTED and held.start <= now:
                _set(held, by=None, yes=False, reason=reason, now=now)
                telling.declined([held], actor=None)
                found.append(held)
    return found


@transaction.atomic
def _decide(booking: Booking, *, by: User | None, yes: bool, reason: str, now: dt.datetime) -> Booking:
    reach = reached(booking, "all" if booking.series_id else "together", now)
    held = rows.lock_bookings([b.pk for b in reach], rows.lock_machines({b.machine_id for b in reach}))
    first = next(b for b in held if b.pk == booking.pk)
    rows.refuse_if_over(first, now)
    if first.status != Booking.Status.REQUESTED:
        raise NotRequested(_("This booking was decided already; look at it again."))
    asked = [b for b in held if b.status == Booking.Status.REQUESTED]
    for row in asked:
        _set(row, by=by, yes=yes, reason=reason, now=now)
    (telling.approved if yes else telling.declined)(asked, actor=by)
    return first


def _set(row: Booking, *, by: User | None, yes: bool, reason: str, now: dt.datetime) -> None:
    row.status = Booking.Status.BOOKED if yes else Booking.Status.DECLINED
    row.decided_by, row.decided_at, row.reason = by, now, reason[:200]
    rows.save(row, now, "status", "decided_by", "decided_at", "reason")
    what: Literal["approved", "declined"] = "approved" if yes else "declined"
    hooks.changed(row, what)
