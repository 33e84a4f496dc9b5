"""Reads of interlocks: whether a machine shall have power now, and why (not), in words."""

import datetime as dt
import uuid

from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.engine import interlocks as engine
from labs.errors.interlocks import UnknownMending
from labs.models import Booking, Interlock, Lab, Machine, Mending
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
    mending = None
    if held.asked is not None and booking is None:
        mending = Mending.objects.select_related("person").filter(machine=machine, pk=held.asked).first()
    if mending is not None:
        return engine.Facts(
            in_use=held.in_use,
            locked=held.locked,
            mending=True,
            down=is_down(machine, now),
            active=mending.person.is_active,
            ends=mending.ended_at or mending.until,
        )
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


def is_down(machine: Machine, now: dt.datetime) -> bool:
    """Whether nobody may use the machine now: it is in repair, or closed."""
    if machine.state != Machine.State.OK:
        return True
    closed = Booking.objects.filter(machine=machine, start__lte=now, end__gt=now, status__in=Booking.OPEN)
    return closed.exclude(kind=Booking.Kind.USE).exists()


def person_of(held: Interlock) -> User | None:
    """For whom power was asked: the person of the booking, or who mends."""
    if held.asked is None:
        return None
    booking = Booking.objects.select_related("user").filter(pk=held.asked).first()
    if booking is not None:
        return booking.user
    mending = Mending.objects.select_related("person").filter(pk=held.asked).first()
    return mending.person if mending is not None else None


def mendings(machine: Machine, now: dt.datetime) -> list[Mending]:
    """Who may mend it now."""
    rows = Mending.objects.filter(machine=machine, ended_at=None, until__gt=now)
    return list(rows.select_related("person", "by"))


def mending_for(person: User | None, key: uuid.UUID) -> Mending:
    """The mending of that number, if the person mends or runs the lab. Raises UnknownMending."""
    found = Mending.objects.filter(pk=key).select_related("machine__lab__place", "person", "by").first()
    mine = found is not None and person is not None and found.person_id == person.pk
    if found is None or not (mine or policies.may_manage(person, found.machine.lab)):
        raise UnknownMending(_("Nobody lent you this power."))
    return found


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
        "mending": _("Somebody mends the machine."),
        "not-mending": _("The machine is in order again, so there is nothing to mend."),
    }
    return sentences.get(why, "")
