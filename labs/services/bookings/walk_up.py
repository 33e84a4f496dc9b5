"""Book what is free from now on, by somebody who stands there, and check in."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from commons.people.models import User
from labs.models import Booking, Machine
from labs.services.bookings.create import create_booking
from labs.services.bookings.presence import check_in

#: How long one may book for at a kiosk, in minutes.
LENGTHS = (15, 30, 60, 120, 240)


@transaction.atomic
def walk_up(*, machine: Machine, user: User, minutes: int, now: dt.datetime | None = None) -> Booking:
    """Book the machine from now on under all its rules, and check in, unless the lab still has to approve it.

    Raises what create_booking raises.
    """
    now = now or timezone.now()
    start = now.replace(second=0, microsecond=0)
    length = dt.timedelta(minutes=minutes)
    booking = create_booking(machine=machine, user=user, start=start, end=start + length, now=now)
    return check_in(booking=booking, by=user, now=now) if booking.status == Booking.Status.BOOKED else booking
