"""Maintenance and closures: they take the machine's time like a booking, so one constraint covers all."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine import times
from labs.engine.hours import Span
from labs.errors import BadTime
from labs.errors.bookings import ClosureClash
from labs.models import Booking, Machine
from labs.services import hooks
from labs.services.bookings import rows, telling
from labs.services.bookings.move import free
from labs.services.bookings.presence import finish
from labs.services.checks import local

S = Booking.Status
TICK = dt.timedelta(microseconds=1)


@transaction.atomic
def close_machine(
    *,
    machine: Machine,
    start: dt.datetime,
    end: dt.datetime,
    kind: str = Booking.Kind.MAINTENANCE,
    reason: str = "",
    by: User,
    cancel_conflicting: bool = False,
    together: uuid.UUID | None = None,
    now: dt.datetime | None = None,
) -> list[Booking]:
    """Take the machine's time for maintenance or a closure; the bookings that were cancelled or cut short for it.

    What stands in the time is listed in a ClosureClash, or with `cancel_conflicting` cancelled and its people told;
    one in use ends when the closure begins. Time that is closed already stays as it is. Raises BadTime too.
    `together` names all pieces of the closure; `reopen_machine` takes it.
    """
    now = now or timezone.now()
    if end <= start or kind == Booking.Kind.USE:
        raise BadTime(_("A closure ends after it starts."))
    machine = rows.lock_machines([machine])[0]
    span = Span(start, end)
    standing = Booking.objects.filter(machine=machine, blocked__overlap=DateTimeTZRange(start, end))
    keys = list(standing.filter(status__in=Booking.HOLDING).values_list("pk", flat=True))
    held = rows.lock_bookings(keys, [machine])
    clashes = [b for b in held if b.kind == Booking.Kind.USE and b.status != S.DONE and b.end > now]
    if clashes and not cancel_conflicting:
        raise _clash(machine, clashes)
    told: list[tuple[Booking, hooks.What]] = []
    for booking in clashes:
        begun = booking.status == S.RUNNING or (booking.status == S.BOOKED and booking.start < now)
        if begun and booking.start < start:
            told.append((booking, _cut(booking, start, now)))
        elif booking.status == S.RUNNING:  # checked in early, and closed before it began
            told.append((booking, _cut(booking, booking.start + TICK, now)))
        else:
            told.append((booking, free(booking, reason=reason or _("The machine is closed then."), now=now)))
    stay = [Span(b.blocked.lower, b.blocked.upper) for b in held if b.holds]
    pieces = times.without([span], stay)
    name = together or uuid.uuid4()
    told += [(row, "created") for row in _write(machine, pieces, kind=kind, reason=reason, by=by, together=name)]
    for booking, what in sorted(told, key=lambda one: one[0].user_id):  # wallets are locked in one order by all
        hooks.changed(booking, what)
    for booking in clashes:
        telling.cancelled([booking], actor=by)
    return clashes


def _cut(booking: Booking, at: dt.datetime, now: dt.datetime) -> hooks.What:
    """One in use ends where the closure begins: now, or later."""
    if at <= now:
        finish(booking, now=now, end=min(at, booking.end), until=at)
        return "cut-short"
    booking.end, booking.blocked = min(at, booking.end), DateTimeTZRange(booking.blocked.lower, at)
    rows.save(booking, now, "end", "blocked")
    return "cut-short"


def _write(
    machine: Machine, pieces: Iterable[Span], *, kind: str, reason: str, by: User, together: uuid.UUID
) -> list[Booking]:
    made = [
        Booking(
            machine=machine,
            user=by,
            booked_by=by,
            kind=kind,
            start=piece.start,
            end=piece.end,
            blocked=DateTimeTZRange(piece.start, piece.end),
            reason=reason[:200],
            together=together,
        )
        for piece in pieces
    ]
    if made and not rows.insert(made):
        raise rows.taken([machine], Span(made[0].start, made[-1].end))
    return made


def _clash(machine: Machine, clashes: list[Booking]) -> ClosureClash:
    listed = [
        {"id": str(b.pk), "person": b.user.username, "start": b.start.isoformat(), "end": b.end.isoformat()}
        for b in clashes
    ]
    times_ = "; ".join(local(b.start, machine) for b in clashes[:5]) + ("; …" if len(clashes) > 5 else "")
    sentence = _("%(count)s bookings stand in this time: %(times)s. Cancel them with it, or choose another time.")
    return ClosureClash(sentence % {"count": len(clashes), "times": times_}, bookings=listed)


@transaction.atomic
def reopen_machine(
    *, machine: Machine, together: uuid.UUID | None = None, now: dt.datetime | None = None
) -> list[Booking]:
    """End the closures of that name, or those that hold the machine now; what was ended. Later pieces are cancelled."""
    now = now or timezone.now()
    machine = rows.lock_machines([machine])[0]
    closures = Booking.objects.filter(machine=machine, status__in=Booking.OPEN, end__gt=now)
    closures = closures.exclude(kind=Booking.Kind.USE)
    closures = closures.filter(together=together) if together else closures.filter(start__lte=now)
    held = rows.lock_bookings(list(closures.values_list("pk", flat=True)), [machine])
    told: list[tuple[Booking, hooks.What]] = []
    for booking in held:
        if booking.start < now:
            finish(booking, now=now, end=now)
            told.append((booking, "ended"))
        else:
            told.append((booking, free(booking, reason="", now=now)))
    for booking, what in told:
        hooks.changed(booking, what)
    return held
