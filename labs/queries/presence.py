"""What a person has to do on the floor now: bookings that can be checked in to, or ended."""

import datetime as dt
from typing import NamedTuple

from commons.people.models import User
from labs.models import Booking, Lab, Machine
from labs.services.bookings import EARLY


class AtHand(NamedTuple):
    """A booking, and what its person can do with it now."""

    booking: Booking
    check_in: bool
    end: bool


def at_hand(
    person: User, *, now: dt.datetime, machine: Machine | None = None, lab: Lab | None = None, ahead_h: int = 12
) -> list[AtHand]:
    """The person's bookings of a machine or a lab that run or begin in the coming hours, soonest first."""
    states = (Booking.Status.BOOKED, Booking.Status.RUNNING)
    rows = Booking.objects.filter(user=person, kind=Booking.Kind.USE, status__in=states, end__gt=now)
    rows = rows.filter(start__lt=now + dt.timedelta(hours=ahead_h)).select_related("machine__lab__place")
    rows = rows.filter(machine=machine) if machine else rows.filter(machine__lab=lab) if lab else rows
    return [
        AtHand(
            booking,
            booking.status == Booking.Status.BOOKED and booking.start - EARLY <= now,
            booking.status == Booking.Status.RUNNING or booking.start <= now,
        )
        for booking in rows.order_by("start", "machine")
    ]
