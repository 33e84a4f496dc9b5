"""Book one machine, or several in one step."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.engine.hours import Span
from labs.errors.bookings import BadTogether
from labs.models import Booking, BookingSeries, Machine
from labs.queries import rulebook
from labs.queries.rulebook import Rulebook
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
    """Book several machines for the same time, all or none. Raises as create_booking, and BadTogether.

    They may stand in several labs: those of each lab then share a `together` of their own, and each lab approves,
    moves and cancels its own alone.
    """
    now = now or timezone.now()
    check_together(machines)
    rows.lock_person(user)
    facts: dict[str, Any] = {"design": design, "booked_by": booked_by, "note": note, "together": True}
    return write(rows.lock_machines(machines), user, Span(start, end), now=now, **facts)


def check_together(machines: Sequence[Machine]) -> None:
    """Refuse none, too many, or the same twice. Raises BadTogether."""
    if not machines or len({m.pk for m in machines}) != len(machines) or len(machines) > MOST_TOGETHER:
        raise BadTogether(_("Name each machine once, and at most %(most)s of them.") % {"most": MOST_TOGETHER})


def write(
    machines: Sequence[Machine],
    user: User,
    span: Span,
    *,
    now: dt.datetime,
    status: str | None = None,
    series: BookingSeries | None = None,
    together: bool = False,
    known: Mapping[int, Rulebook] | None = None,
    **facts: Any,
) -> list[Booking]:
    """Check and insert a booking on each of these machines; the person and the machines are locked already.

    `known` are the rules of their labs, if they were read in this step already.
    """
    known = known or rulebook.read_all((m.lab for m in machines), user)
    for nth, machine in enumerate(machines):
        check_booking(
            machine=machine, user=user, span=span, now=now, beside=machines[:nth], known=known[machine.lab_id]
        )
    asked_by: User = facts.get("booked_by") or user
    made = []
    for lab, here in _by_lab(machines).items():
        first = status or first_status(here, known[lab], asked_by)
        step = uuid.uuid4() if together else None
        for machine in here:
            booking = Booking(user=user, status=first, series=series, together=step, **facts)
            booking.occurrence = span.start if series else None
            rows.place(booking, machine, span, known[lab])
            made.append(booking)
    if not rows.insert(made):
        raise rows.taken(machines, span, without=[booking.pk for booking in made], known=known)
    for booking in made:
        hooks.changed(booking, "created")
    if series is None:
        for held in _by_lab([b.machine for b in made]):
            _tell([b for b in made if b.machine.lab_id == held], asked_by)
    return made


def _by_lab(machines: Sequence[Machine]) -> dict[int, list[Machine]]:
    found: dict[int, list[Machine]] = {}
    for machine in machines:
        found.setdefault(machine.lab_id, []).append(machine)
    return found


def _tell(made: Sequence[Booking], asked_by: User) -> None:
    """Those who run the lab of a request, or the person for whom somebody else booked."""
    if made[0].status == Booking.Status.REQUESTED:
        telling.requested(made, actor=asked_by)
    elif asked_by != made[0].user:
        telling.booked_for_you(made, actor=asked_by)


def first_status(machines: Sequence[Machine], known: Rulebook, by: User) -> str:
    """Requested where one of a lab's machines wants approval; who runs the lab approves by booking."""
    if not any(known.holds(machine).needs_approval for machine in machines):
        return Booking.Status.BOOKED
    return Booking.Status.BOOKED if policies.may_manage(by, machines[0].lab) else Booking.Status.REQUESTED
