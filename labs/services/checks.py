"""What speaks against a booking: the one place. Each check refuses with its own error, sentence and remedy."""

import datetime as dt

from django.utils import formats
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.hours import Span
from labs.errors import BadTime, NotQualified, OutOfService, TooMany
from labs.models import Booking, Machine
from labs.queries import badges, bookings

SHORTEST = dt.timedelta(minutes=5)
HORIZON = dt.timedelta(days=90)
GRACE = dt.timedelta(minutes=5)


def check_booking(*, machine: Machine, user: User, span: Span, now: dt.datetime, moved: Booking | None = None) -> None:
    """Refuse by the first rule that speaks against it; `moved` is the booking that gets this time instead of its own.

    Whether the time is taken is not asked here: the insert itself finds out. Raises BadTime, OutOfService,
    NotQualified, TooMany.
    """
    if moved is None or moved.start > now or span.start != moved.start:
        check_time(machine=machine, span=span, now=now)
    if moved is None:
        check_machine(machine=machine)
    check_person(machine=machine, user=user, until=span.end)
    if moved is None:
        check_cap(machine=machine, user=user, now=now)


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
    held = Booking.objects.filter(user=user, machine__lab=machine.lab_id, end__gt=now, status__in=Booking.OPEN).count()
    if held >= most:
        raise TooMany(
            _("You have %(held)s bookings to come in %(lab)s, and it allows %(most)s; cancel one first.")
            % {"held": held, "lab": machine.lab.name, "most": most}
        )
