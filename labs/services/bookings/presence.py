"""Check in, end early, and what the clock does with those who do not come or do not leave."""

import datetime as dt

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors import OverAlready
from labs.errors.bookings import TooEarly
from labs.models import Booking
from labs.queries import rules
from labs.services import hooks
from labs.services.bookings import rows, telling
from labs.services.checks import local

#: So long before the start one may check in, if nobody else holds the machine.
EARLY = dt.timedelta(minutes=15)


@transaction.atomic
def check_in(*, booking: Booking, by: User | None = None, now: dt.datetime | None = None) -> Booking:
    """Here I am: the machine is in use. Raises OverAlready, TooEarly. Checking in twice changes nothing."""
    now = now or timezone.now()
    held = rows.lock(booking)
    rows.refuse_if_over(held, now)
    if held.status == Booking.Status.RUNNING:
        return held
    if held.status != Booking.Status.BOOKED or held.kind != Booking.Kind.USE:
        raise OverAlready(_("This time is not booked yet, so nobody can check in to it."))
    if now < held.start and (now < held.start - EARLY or _used_by_another(held, now)):
        words = {"time": local(held.start, held.machine), "machine": held.machine.name}
        opens = (held.start - EARLY).isoformat()
        raise TooEarly(_("%(machine)s is yours from %(time)s; check in then.") % words, **{"from": opens})
    held.status, held.checked_in_at = Booking.Status.RUNNING, now
    rows.save(held, now, "status", "checked_in_at")
    hooks.changed(held, "checked-in")
    return held


def _used_by_another(booking: Booking, now: dt.datetime) -> bool:
    others = Booking.objects.filter(machine=booking.machine_id, blocked__contains=now, status__in=Booking.HOLDING)
    return others.exclude(pk=booking.pk).exists()


@transaction.atomic
def end_early(*, booking: Booking, by: User | None = None, now: dt.datetime | None = None) -> Booking:
    """I am done: the rest of the time is free, but for the machine's buffer. Raises OverAlready.

    What has not begun when it is ended is cancelled.
    """
    now = now or timezone.now()
    held = rows.lock(booking)
    rows.refuse_if_over(held, now)
    begun = held.status in {Booking.Status.RUNNING, Booking.Status.BOOKED}
    if not begun or (held.start > now and held.status == Booking.Status.BOOKED):
        raise OverAlready(_("This booking has not begun; cancel it instead."))
    if held.start >= now:
        held.status, held.cancelled_at = Booking.Status.CANCELLED, now
        rows.save(held, now, "status", "cancelled_at")
        hooks.changed(held, "cancelled")
        return held
    finish(held, now=now, end=now)
    hooks.changed(held, "ended")
    return held


def finish(held: Booking, *, now: dt.datetime, end: dt.datetime, until: dt.datetime | None = None) -> None:
    """Write a locked booking down as done at `end`; `until` is where its blocked time ends, if not after its buffer."""
    after = dt.timedelta(minutes=held.buffer_after_min)
    held.status, held.ended_at, held.end = Booking.Status.DONE, end, end
    held.blocked = DateTimeTZRange(held.blocked.lower, until or end + after)
    rows.save(held, now, "status", "ended_at", "end", "blocked")


def release_unused(now: dt.datetime) -> list[Booking]:
    """By the clock: where a machine wants a check-in, time that nobody came for is given free, and counted as missed.

    A machine that reports a job of the booking has seen somebody. One transaction each.
    """
    begun = Booking.objects.filter(status=Booking.Status.BOOKED, kind=Booking.Kind.USE, start__lte=now)
    found = []
    for booking in begun.select_related("machine__lab", "user").order_by("start"):
        if _is_unused(booking, now):
            with transaction.atomic():
                held = rows.lock(booking)
                if held.status == Booking.Status.BOOKED and _is_unused(held, now):
                    held.status = Booking.Status.MISSED
                    rows.save(held, now, "status")
                    hooks.changed(held, "missed")
                    telling.missed(held)
                    found.append(held)
    return found


def _is_unused(booking: Booking, now: dt.datetime) -> bool:
    within = rules.for_machine(booking.machine, booking.user).check_in_within_min
    if not within or min(booking.start + dt.timedelta(minutes=within), booking.end) > now:
        return False
    return not booking.jobs.exists()


def close_finished(now: dt.datetime) -> list[Booking]:
    """By the clock: what is past its end is done, one transaction each. Call release_unused first."""
    over = Booking.objects.filter(status__in=[Booking.Status.BOOKED, Booking.Status.RUNNING], end__lte=now)
    found = []
    for booking in over.order_by("start"):
        with transaction.atomic():
            held = rows.lock(booking)
            if held.status in {Booking.Status.BOOKED, Booking.Status.RUNNING} and held.end <= now:
                finish(held, now=now, end=held.end, until=held.blocked.upper)
                hooks.changed(held, "ended")
                found.append(held)
    return found
