"""What every write of a booking shares: locks in one order, the insert that never storms, the refusal with a way out.

The exclusion constraint is the truth and the locks keep it cheap: a plain conflicting INSERT was seen to fall into
deadlock storms of minutes, so rows go in by ON CONFLICT DO NOTHING, and who was too late hears the next free time.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine import times
from labs.engine.hours import Span
from labs.errors import OverAlready, Overlap
from labs.errors.bookings import MovedMeanwhile
from labs.models import Booking, Circuit, Lab, Machine
from labs.queries import bookings, rulebook
from labs.queries.rulebook import Rulebook
from labs.services.checks import local


def lock_person(user: User) -> None:
    """Nobody else books for this person until the transaction ends, so that limits of one person are exact."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def lock_machines(machines: Iterable[Machine | int]) -> list[Machine]:
    """Lock these machines, lowest number first, whatever order they were named in; as they stand now."""
    numbers = {m if isinstance(m, int) else m.pk for m in machines}
    rows = Machine.objects.select_for_update(no_key=True, of=("self",)).select_related("lab__place")
    rows = rows.defer("lab__place__outline")  # large, and no rule reads it
    found, labs = list(rows.filter(pk__in=numbers).order_by("pk")), dict[int, Lab]()
    for machine in found:  # one object for each lab, so that what is read of it is read once
        machine.lab = labs.setdefault(machine.lab_id, machine.lab)
    lock_circuits(found)
    return found


def lock_circuits(machines: Sequence[Machine]) -> None:
    """Where a lab staggers what its circuits carry, lock those too, after the machines and lowest number first:
    bookings of different machines that share one then see each other."""
    keys = {machine.circuit_id for machine in machines if machine.circuit_id is not None}
    if keys:
        ruled = {"lab__bookingrules__name": "circuit_budget", "lab__bookingrules__active": True}
        rows = Circuit.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys, **ruled)
        list(rows.only("pk").order_by("pk"))


def lock_bookings(keys: Collection[uuid.UUID], machines: Iterable[Machine]) -> list[Booking]:
    """Lock these bookings of machines that are locked already, soonest first. Raises MovedMeanwhile."""
    at_hand = {machine.pk: machine for machine in machines}
    rows = Booking.objects.select_for_update(of=("self",)).select_related("user").filter(pk__in=keys)
    held = list(rows.order_by("start", "pk"))
    if any(booking.machine_id not in at_hand for booking in held) or len(held) != len(keys):
        raise MovedMeanwhile(_("Somebody has just changed this booking; look at it again."))
    for booking in held:
        booking.machine = at_hand[booking.machine_id]
    return held


def lock(booking: Booking) -> Booking:
    """Lock one booking and its machine."""
    return lock_bookings([booking.pk], lock_machines([booking.machine_id]))[0]


def blocked(span: Span, buffers: times.Buffers) -> DateTimeTZRange:
    """The span with what the machine needs before and after."""
    return DateTimeTZRange(span.start - buffers.before, span.end + buffers.after)


def place(booking: Booking, machine: Machine, span: Span, known: Rulebook) -> None:
    """Put the booking on this machine and time, with the buffers that the lab's rules give it; does not save."""
    buffers = known.buffers(machine)
    booking.machine, booking.start, booking.end = machine, span.start, span.end
    booking.blocked = blocked(span, buffers)
    booking.buffer_before_min = buffers.before // MINUTE
    booking.buffer_after_min = buffers.after // MINUTE


MINUTE = dt.timedelta(minutes=1)
PLACE = ("machine", "start", "end", "blocked", "buffer_before_min", "buffer_after_min")


@cache
def _insert(count: int) -> str:
    fields = Booking._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    row = "(" + ", ".join(["%s"] * len(fields)) + ")"
    rows = ", ".join([row] * count)
    table = Booking._meta.db_table
    return f'INSERT INTO "{table}" ({columns}) VALUES {rows} ON CONFLICT DO NOTHING RETURNING "id"'  # noqa: S608


def insert(rows: Sequence[Booking]) -> bool:
    """Write all these bookings by one statement; False when one of them meets a booking that holds its time.

    Then the others stand written: the caller raises, and its transaction takes them back.
    """
    fields = Booking._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_insert(len(rows)), values)
        written = len(cursor.fetchall())
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return written == len(rows)


def meets(booking: Booking, *, without: Collection[uuid.UUID] = ()) -> bool:
    """Whether another booking holds a part of the time on which this one is placed."""
    others = Booking.objects.filter(machine=booking.machine_id, blocked__overlap=booking.blocked)
    return others.filter(status__in=Booking.HOLDING).exclude(pk__in={booking.pk, *without}).exists()


def save(booking: Booking, now: dt.datetime, *fields: str) -> None:
    """Save these columns as one change that calendars hear of."""
    booking.sequence += 1
    booking.updated_at = now
    booking.save(update_fields=[*fields, "sequence", "updated_at"])


def refuse_if_over(booking: Booking, now: dt.datetime) -> None:
    """Refuse to change what is cancelled, declined, missed, done or past. Raises OverAlready."""
    if booking.status in {Booking.Status.CANCELLED, Booking.Status.DECLINED}:
        raise OverAlready(_("This booking was cancelled; book a new time."))
    if booking.status == Booking.Status.MISSED:
        raise OverAlready(_("Nobody came to this booking, so its time was given free; book a new time."))
    if booking.status == Booking.Status.DONE or booking.end <= now:
        raise OverAlready(_("This booking has ended; book a new time."))


def taken(
    machines: Sequence[Machine],
    span: Span,
    *,
    without: Collection[uuid.UUID] = (),
    known: Mapping[int, Rulebook] | None = None,
) -> Overlap:
    """The refusal when another was faster: which machine, and when all of them are free next."""
    known = known or rulebook.read_all(m.lab for m in machines)
    wanted = [Booking(machine=m, blocked=blocked(span, known[m.lab_id].buffers(m))) for m in machines]
    names = ", ".join(b.machine.name for b in wanted if meets(b, without=without)) or machines[0].name
    found = bookings.next_free_together(machines, span, without=without, known=known)
    if found is None:
        sentence = _("%(machine)s is taken then, and for as far as bookings are open.") % {"machine": names}
        return Overlap(sentence, next_free=None)
    words = {"machine": names, "start": local(found.start, machines[0])}
    sentence = (
        _("%(machine)s is taken then. It is free %(start)s.")
        if len(machines) == 1
        else _("%(machine)s is taken then. All of them are free %(start)s.")
    )
    return Overlap(sentence % words, next_free={"start": found.start.isoformat(), "end": found.end.isoformat()})
