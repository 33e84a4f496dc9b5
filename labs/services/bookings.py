"""Book, move, cancel. Each locks the person and then the machine, so that no two writers wait for each other.

The exclusion constraint is the truth and the lock keeps it cheap: a plain conflicting INSERT was seen to
fall into deadlock storms, so the row goes in by ON CONFLICT DO NOTHING and the refusal names the next free
time.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.hours import Span
from labs.errors import OverAlready, Overlap
from labs.models import Booking, Machine
from labs.queries import bookings
from labs.services.checks import check_booking, local

if TYPE_CHECKING:
    from designs.models import Design


def _range(span: Span, machine: Machine) -> DateTimeTZRange:
    return DateTimeTZRange(
        span.start - dt.timedelta(minutes=machine.buffer_before_min),
        span.end + dt.timedelta(minutes=machine.buffer_after_min),
    )


def _lock_person(user: User) -> None:
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def _lock_machine(machine: Machine) -> Machine:
    found = Machine.objects.select_for_update(no_key=True, of=("self",)).select_related("lab__place")
    return found.get(pk=machine.pk)


def _taken(machine: Machine, span: Span, *, without: Booking | None = None) -> Overlap:
    found = bookings.next_free(machine, span, without=without)
    if found is None:
        sentence = _("%(machine)s is taken then, and for as far as bookings are open.") % {"machine": machine.name}
        return Overlap(sentence, next_free=None)
    sentence = _("%(machine)s is taken then. It is free %(start)s.") % {
        "machine": machine.name,
        "start": local(found.start, machine),
    }
    return Overlap(sentence, next_free={"start": found.start.isoformat(), "end": found.end.isoformat()})


@transaction.atomic
def create_booking(
    *,
    machine: Machine,
    user: User,
    start: dt.datetime,
    end: dt.datetime,
    design: "Design | None" = None,
    demo: bool = False,
) -> Booking:
    """Book the machine for a person, or refuse: BadTime, OutOfService, NotQualified, TooMany, Overlap."""
    now, span = timezone.now(), Span(start, end)
    _lock_person(user)
    machine = _lock_machine(machine)
    check_booking(machine=machine, user=user, span=span, now=now)
    booking = Booking(
        machine=machine,
        user=user,
        start=start,
        end=end,
        design=design,
        demo=demo,
        blocked=_range(span, machine),
        buffer_before_min=machine.buffer_before_min,
        buffer_after_min=machine.buffer_after_min,
    )
    Booking.objects.bulk_create([booking], ignore_conflicts=True)
    if not Booking.objects.filter(pk=booking.pk).exists():
        raise _taken(machine, span)
    return booking


@transaction.atomic
def move_booking(*, booking: Booking, start: dt.datetime, end: dt.datetime) -> Booking:
    """Give a booking another time by the same rules. Raises OverAlready, BadTime, NotQualified, Overlap."""
    now, span = timezone.now(), Span(start, end)
    machine = _lock_machine(booking.machine)
    held = Booking.objects.select_for_update(of=("self",)).select_related("user").get(pk=booking.pk)
    _refuse_if_over(held, now)
    check_booking(machine=machine, user=held.user, span=span, now=now, moved=held)
    blocked = _range(span, machine)
    others = Booking.objects.filter(machine=machine, blocked__overlap=blocked).exclude(pk=held.pk)
    if others.filter(status__in=Booking.HOLDING).exists():
        raise _taken(machine, span, without=held)
    held.start, held.end, held.blocked = start, end, blocked
    held.buffer_before_min, held.buffer_after_min = machine.buffer_before_min, machine.buffer_after_min
    held.save(update_fields=["start", "end", "blocked", "buffer_before_min", "buffer_after_min"])
    return held


@transaction.atomic
def cancel_booking(*, booking: Booking) -> Booking:
    """Free the time. A booking that has ended or is cancelled refuses with OverAlready."""
    held = Booking.objects.select_for_update(of=("self",)).get(pk=booking.pk)
    now = timezone.now()
    _refuse_if_over(held, now)
    held.status, held.cancelled_at = Booking.Status.CANCELLED, now
    held.save(update_fields=["status", "cancelled_at"])
    return held


def _refuse_if_over(booking: Booking, now: dt.datetime) -> None:
    if booking.status == Booking.Status.CANCELLED:
        raise OverAlready(_("This booking was cancelled; book a new time."))
    if booking.end <= now:
        raise OverAlready(_("This booking has ended; book a new time."))
