"""Book, move, cancel. Each locks the person and then the machine, so that no two writers wait for each other.

The exclusion constraint is the truth and the lock keeps it cheap: a plain conflicting INSERT was seen to
fall into deadlock storms, so the row goes in by ON CONFLICT DO NOTHING and the refusal names the next free
time.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.hours import Span
from labs.errors import BadTime, NotQualified, OutOfService, OverAlready, Overlap, TooMany
from labs.models import Booking, Machine
from labs.queries import badges, bookings

if TYPE_CHECKING:
    from designs.models import Design

SHORTEST = dt.timedelta(minutes=5)
HORIZON = dt.timedelta(days=90)
GRACE = dt.timedelta(minutes=5)


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


def local(moment: dt.datetime, machine: Machine) -> str:
    """A time in the lab's own zone, in words."""
    there = moment.astimezone(machine.lab.zone)
    return f"{formats.date_format(there, _('l j F'))} {formats.time_format(there, 'H:i')}"


def check_time(*, machine: Machine, span: Span, now: dt.datetime) -> None:
    """Refuse a time that no machine could have: past, upside down, too short, too long, too far, closed."""
    length = span.end - span.start
    if length < SHORTEST:
        raise BadTime(_("A booking ends at least five minutes after it starts."))
    if span.start < now - GRACE:
        raise BadTime(_("%(start)s is past; choose a time to come.") % {"start": local(span.start, machine)})
    if length > dt.timedelta(hours=machine.longest_h):
        words = {"machine": machine.name, "hours": machine.longest_h}
        raise BadTime(_("%(machine)s can be booked for at most %(hours)s h at a time; choose less.") % words)
    if span.start > now + HORIZON:
        raise BadTime(_("Bookings open %(days)s days ahead; choose a nearer time.") % {"days": HORIZON.days})
    if not bookings.is_open(machine, span):
        words = {"lab": machine.lab.name, "machine": machine.name}
        raise BadTime(
            _(
                "%(lab)s is closed for a part of that time, and %(machine)s does not work alone; "
                "choose a time within the opening hours."
            )
            % words
        )


def check_person(*, machine: Machine, user: User, until: dt.datetime) -> None:
    """Refuse a person without the machine's badges, good until the end of the booking."""
    missing = badges.missing(machine=machine, user=user, at=until)
    if missing:
        names = ", ".join(badge.name for badge in missing)
        raise NotQualified(
            _("%(machine)s asks for the badge “%(names)s”; a trainer of %(lab)s can give it to you.")
            % {"machine": machine.name, "names": names, "lab": machine.lab.name},
            badge=missing[0].slug,
            missing=[{"slug": badge.slug, "name": badge.name} for badge in missing],
        )


def check_machine(*, machine: Machine) -> None:
    """Refuse a machine that is in repair."""
    if machine.state == Machine.State.REPAIR:
        raise OutOfService(
            _("%(machine)s is in repair. %(note)s") % {"machine": machine.name, "note": machine.state_note}
        )


def check_cap(*, machine: Machine, user: User, now: dt.datetime) -> None:
    """Refuse more open bookings than the lab allows one person."""
    most = machine.lab.open_bookings_max
    held = Booking.objects.filter(
        user=user, machine__lab=machine.lab_id, end__gt=now, status=Booking.Status.BOOKED
    ).count()
    if held >= most:
        raise TooMany(
            _("You have %(held)s bookings to come in %(lab)s, and it allows %(most)s; cancel one first.")
            % {"held": held, "lab": machine.lab.name, "most": most}
        )


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
    check_time(machine=machine, span=span, now=now)
    check_machine(machine=machine)
    check_person(machine=machine, user=user, until=end)
    check_cap(machine=machine, user=user, now=now)
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
    if held.start > now or start != held.start:
        check_time(machine=machine, span=span, now=now)
    check_person(machine=machine, user=held.user, until=end)
    blocked = _range(span, machine)
    others = Booking.objects.filter(machine=machine, blocked__overlap=blocked).exclude(pk=held.pk)
    if others.exclude(status=Booking.Status.CANCELLED).exists():
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
