"""Reads of interlocks: whether a machine shall have power now, and why (not), in words."""

import datetime as dt

from django.utils.translation import gettext as _

from labs.engine import interlocks as engine
from labs.models import Booking, Interlock, Lab, Machine
from labs.queries import badges

S = Booking.Status


def wish(held: Interlock, now: dt.datetime) -> engine.Wish:
    """What the facts say now of the booking for which power was asked: read anew each time, so nothing lingers."""
    return engine.wish(facts(held, now), now)


def facts(held: Interlock, now: dt.datetime) -> engine.Facts:
    """Read what the wish is made of."""
    machine = Machine.objects.get(pk=held.machine_id)
    asked = Booking.objects.select_related("user").filter(machine=machine)
    booking = asked.filter(pk=held.asked).first() if held.asked else None
    in_order = machine.state == Machine.State.OK
    if booking is None or booking.kind != Booking.Kind.USE:
        return engine.Facts(in_use=held.in_use, locked=held.locked, in_order=in_order)
    over_at = booking.ended_at if booking.status == S.DONE else booking.end
    return engine.Facts(
        in_use=held.in_use,
        locked=held.locked,
        in_order=in_order,
        asked=True,
        checked_in=booking.checked_in_at is not None and booking.status in {S.RUNNING, S.DONE},
        active=booking.user.is_active,
        qualified=not badges.missing(machine=machine, user=booking.user, at=now),
        ends=(over_at or booking.end) + dt.timedelta(seconds=held.grace_s),
    )


def of_lab(lab: Lab) -> list[Machine]:
    """The lab's machines, each with its interlock if it has one."""
    return list(Machine.objects.filter(lab=lab).select_related("interlock").order_by("name"))


def of_booking(booking: Booking) -> Interlock | None:
    """The interlock of a booking that is in use now."""
    if booking.status != S.RUNNING:
        return None
    return Interlock.objects.filter(machine=booking.machine_id, in_use=True).first()


def words(why: str) -> str:
    """Why there is no power, as a sentence."""
    sentences = {
        "not-in-use": _("The interlock of this machine is not in use."),
        "locked": _("The machine is locked out by those who run the lab."),
        "in-repair": _("The machine is in repair."),
        "nobody": _("Nobody has asked for power."),
        "not-checked-in": _("Nobody has checked in to this booking; check in first."),
        "not-qualified": _("A badge that this machine asks for is missing or has expired."),
        "account-closed": _("The account is closed."),
        "over": _("The booking is over."),
        "booked": _("The machine is booked, and its person has checked in."),
    }
    return sentences.get(why, "")
