"""Book one machine, or several in one step."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.engine.hours import Span
from labs.errors.bookings import BadTogether
from labs.models import Booking, BookingSeries, Machine
from labs.queries import rules
from labs.services import hooks
from labs.services.bookings import rows, telling
from labs.services.checks import check_booking

if TYPE_CHECKING:
    from designs.models import Design

MOST_TOGETHER = 12


@transaction.atomic
def create_booking(
    *,
    machine: Machine,
    user: User,
    start: dt.datetime,
    end: dt.datetime,
    design: "Design | None" = None,
    booked_by: User | None = None,
    note: str = "",
    status: str | None = None,
    demo: bool = False,
    now: dt.datetime | None = None,
) -> Booking:
    """Book the machine for a person, or refuse: BadTime, OutOfService, NotQualified, TooMany, Overlap.

    Where the lab wants to approve it is only requested, and holds its time until that is decided.
    """
    now = now or timezone.now()
    rows.lock_person(user)
    facts: dict[str, Any] = {"design": design, "booked_by": booked_by, "note": note, "demo": demo}
    machines = rows.lock_machines([machine])
    return write(machines, user, Span(start, end), now=now, status=status, **facts)[0]


@transaction.atomic
def book_together(
    *,
    machines: Sequence[Machine],
    user: User,
    start: dt.datetime,
    end: dt.datetime,
    design: "Design | None" = None,
    booked_by: User | None = None,
    note: str = "",
    now: dt.datetime | None = None,
) -> list[Booking]:
    """Book several machines of a lab for the same time, all or none. Raises as create_booking, and BadTogether."""
    now = now or timezone.now()
    check_together(machines)
    rows.lock_person(user)
    facts: dict[str, Any] = {"design": design, "booked_by": booked_by, "note": note, "together": uuid.uuid4()}
    return write(rows.lock_machines(machines), user, Span(start, end), now=now, **facts)


def check_together(machines: Sequence[Machine]) -> None:
    """Refuse none, too many, or those of several labs. Raises BadTogether."""
    if not machines or len({m.pk for m in machines}) != len(machines) or len(machines) > MOST_TOGETHER:
        raise BadTogether(_("Name each machine once, and at most %(most)s of them.") % {"most": MOST_TOGETHER})
    if len({m.lab_id for m in machines}) > 1:
        raise BadTogether(_("These machines stand in different labs; book those of each lab in a step of their own."))


def write(
    machines: Sequence[Machine],
    user: User,
    span: Span,
    *,
    now: dt.datetime,
    status: str | None = None,
    series: BookingSeries | None = None,
    **facts: Any,
) -> list[Booking]:
    """Check and insert a booking on each of these machines; the person and the machines are locked already."""
    for nth, machine in enumerate(machines):
        check_booking(machine=machine, user=user, span=span, now=now, beside=machines[:nth])
    asked_by: User = facts.get("booked_by") or user
    first = status or first_status(machines, user, asked_by)
    made = []
    for machine in machines:
        booking = Booking(user=user, status=first, series=series, **facts)
        booking.occurrence = span.start if series else None
        rows.place(booking, machine, span)
        made.append(booking)
    if not rows.insert(made):
        raise rows.taken(machines, span, without=[booking.pk for booking in made])
    for booking in made:
        hooks.changed(booking, "created")
    if first == Booking.Status.REQUESTED and series is None:
        telling.requested(made, actor=asked_by)
    elif asked_by != user and series is None:
        telling.booked_for_you(made, actor=asked_by)
    return made


def first_status(machines: Sequence[Machine], user: User, by: User) -> str:
    """Requested where one of the machines wants approval; who runs the lab approves by booking."""
    if not any(rules.for_machine(machine, user).needs_approval for machine in machines):
        return Booking.Status.BOOKED
    return Booking.Status.BOOKED if policies.may_manage(by, machines[0].lab) else Booking.Status.REQUESTED
