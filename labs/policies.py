"""Who may do what in a lab: the one place."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from commons.people.models import Membership, User
from labs.models import Account, Booking, Fault, Invoice, Job, Lab, Machine, WaitlistEntry

MANAGING = (Membership.Role.MANAGER, Membership.Role.OWNER)
TRAINING = (*MANAGING, Membership.Role.TRAINER)
#: Who has a machine booked within a day of now stands beside it, or has just left it.
NEAR = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is in a lab: one of its own people, one who teaches, one who runs it."""

    fellow: bool = False
    trains: bool = False
    manages: bool = False


def standing(user: User | None, lab: Lab) -> Standing:
    """All of it in one question, for a page that asks more than once."""
    if user is None or not user.is_authenticated:
        return Standing()
    if user.is_staff:
        return Standing(fellow=True, trains=True, manages=True)
    membership = Membership.objects.filter(organisation=lab.organisation_id, user=user).first()
    if membership is None:
        return Standing()
    return Standing(fellow=True, trains=membership.role in TRAINING, manages=membership.role in MANAGING)


def _has_role(user: User | None, lab: Lab, roles: tuple[str, ...]) -> bool:
    if user is None or not user.is_authenticated:
        return False
    if user.is_staff:
        return True
    return Membership.objects.filter(organisation=lab.organisation_id, user=user, role__in=roles).exists()


def may_manage(user: User | None, lab: Lab) -> bool:
    """Add machines, enrol devices, take a machine out of service."""
    return _has_role(user, lab, MANAGING)


def is_fellow(user: User | None, lab: Lab) -> bool:
    """See who has booked: the lab's own people."""
    return _has_role(user, lab, tuple(Membership.Role.values))


def may_train(user: User | None, lab: Lab) -> bool:
    """Give badges of the lab."""
    return _has_role(user, lab, TRAINING)


def may_make(user: User | None, lab: Lab) -> bool:
    """Quote, queue and make what people order: who trains or manages."""
    return _has_role(user, lab, TRAINING)


def labs_that_make(user: User) -> set[int]:
    """The keys of the labs for which the person may quote and make."""
    if user.is_staff:
        return set(Lab.objects.values_list("pk", flat=True))
    held = Membership.objects.filter(user=user, role__in=TRAINING).values("organisation")
    return set(Lab.objects.filter(organisation__in=held).values_list("pk", flat=True))


def may_change_booking(user: User | None, booking: Booking) -> bool:
    """Move or cancel it: the person who booked, or who manages the lab."""
    if user is None or not user.is_authenticated:
        return False
    return booking.user_id == user.pk or may_manage(user, booking.machine.lab)


def may_excuse(user: User | None, booking: Booking) -> bool:
    """Say that somebody who did not come is not to be counted: who trains or manages, but not for themselves."""
    if booking.status != Booking.Status.MISSED or (user is not None and booking.user_id == user.pk):
        return False
    return may_train(user, booking.machine.lab)


def may_change_entry(user: User | None, entry: WaitlistEntry) -> bool:
    """Take a place off a waitlist: the person who waits, or who manages the lab."""
    if user is None or not user.is_authenticated:
        return False
    return entry.user_id == user.pk or may_manage(user, entry.lab)


def may_see_wallet(user: User | None, wallet: Account) -> bool:
    """Whose it is, and who manages the lab."""
    return _own_or_managed(user, wallet.user_id, wallet.lab)


def may_see_invoice(user: User | None, invoice: Invoice) -> bool:
    """Who is billed, and who manages the lab."""
    return _own_or_managed(user, invoice.user_id, invoice.lab)


def _own_or_managed(user: User | None, owner: int | None, lab: Lab) -> bool:
    if user is None or not user.is_authenticated:
        return False
    return owner == user.pk or may_manage(user, lab)


def may_take_down(user: User | None, machine: Machine) -> bool:
    """Whether one word of this person takes the machine out of use: the lab's own people, and who has it booked."""
    if user is None or not user.is_authenticated:
        return False
    if is_fellow(user, machine.lab):
        return True
    now = timezone.now()
    held = Booking.objects.filter(machine=machine, user=user, kind=Booking.Kind.USE, status__in=Booking.HOLDING)
    return held.filter(start__lte=now + NEAR, end__gte=now - NEAR).exists()


def may_see_fault(user: User | None, fault: Fault) -> bool:
    """The lab's own people, and who reported it."""
    if user is None or not user.is_authenticated:
        return False
    return fault.reporter_id == user.pk or is_fellow(user, fault.machine.lab)


def may_speak_of(user: User | None, job: Job) -> bool:
    """Say which design a job was of, and send its file: who had the machine booked, and who manages the lab."""
    if user is None or not user.is_authenticated:
        return False
    booked = job.booking is not None and job.booking.user_id == user.pk
    return booked or may_manage(user, job.machine.lab)
