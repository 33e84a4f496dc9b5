"""Who asks for power: whoever checks in to a booking, and whoever presses “power on again” during it."""

import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors.interlocks import NoPower
from labs.models import Booking, Interlock, InterlockCommand, Machine
from labs.queries import interlocks
from labs.services import hooks

log = logging.getLogger(__name__)


def heard(booking: Booking, what: hooks.What) -> None:
    """A booking changed: a check-in asks for power, and after any change the relays it is about are looked at."""
    about = Interlock.objects.filter(Q(machine=booking.machine_id) | Q(asked=booking.pk))
    keys = list(about.values_list("pk", flat=True))
    if not keys:
        return
    if what == "checked-in":
        for held in Interlock.objects.select_for_update().filter(machine=booking.machine_id, in_use=True):
            _ask(held, booking, booking.user)
    look_again(keys)


@transaction.atomic
def ask_power(*, booking: Booking, by: User) -> Interlock:
    """Power for a booking that is checked in, again or for the first time. Raises NoPower."""
    held = Interlock.objects.select_for_update().filter(machine=booking.machine_id, in_use=True).first()
    if held is None:
        raise NoPower(_("This machine has no interlock; switch it on yourself."), why="not-in-use")
    held.asked = booking.pk
    wished = interlocks.wish(held, timezone.now())
    if not wished.on:
        raise NoPower(interlocks.words(wished.why), why=wished.why)
    _ask(held, booking, by)
    look_again([held.pk])
    return held


def _ask(held: Interlock, booking: Booking, by: User) -> None:
    now = timezone.now()
    held.asked, held.asked_at, held.trouble = booking.pk, now, ""
    held.save(update_fields=["asked", "asked_at", "trouble", "updated_at"])
    InterlockCommand.objects.create(
        machine_id=held.machine_id,
        at=now,
        what=InterlockCommand.What.WANTED,
        driver=held.driver,
        booking=booking.pk,
        person=by,
    )


def look_again(keys: Iterable[int]) -> None:
    """After the transaction, have the worker look at these interlocks at once; if it cannot be rung, its clock does."""
    numbers = sorted(keys)
    if numbers:
        transaction.on_commit(lambda: _ring(numbers))


def look_at(machine: Machine) -> None:
    """The machine changed: look at its interlock, if it has one."""
    look_again(Interlock.objects.filter(machine=machine).values_list("pk", flat=True))


def _ring(numbers: list[int]) -> None:
    from labs.tasks import interlocks_settle  # noqa: PLC0415 tasks import services

    try:
        interlocks_settle.apply_async((numbers,), queue="default", retry=False)
    except Exception:
        log.warning("the worker could not be rung for interlocks %s; its clock will look", numbers, exc_info=True)
