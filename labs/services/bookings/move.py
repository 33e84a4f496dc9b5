"""Move, make longer or shorter, cancel: one booking, those made in one step, or a series from here on.

A group is changed all or none. Its rows let go of their time first and take the new one after, all inside the
transaction, so that a series can move into the time of its own next occurrence.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Literal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from labs.engine import recurrence
from labs.engine.hours import Span
from labs.errors.bookings import HasBegun, SeriesClash
from labs.models import Booking, Machine
from labs.queries import rulebook
from labs.services import hooks, queue
from labs.services.bookings import rows, telling
from labs.services.checks import check_booking, local

#: How far a change reaches: this booking; all machines of its step; it and those of its series that follow; the series.
Scope = Literal["one", "together", "following", "all"]
SCOPES: tuple[Scope, ...] = ("one", "together", "following", "all")


def reached(booking: Booking, scope: Scope, now: dt.datetime) -> list[Booking]:
    """The bookings that a change of this one reaches; of others only those that have not begun. Locks nothing."""
    others = Q()
    if scope in {"following", "all"} and booking.series_id and booking.occurrence:
        others = Q(series=booking.series_id)
        if scope == "following":
            others &= Q(occurrence__gte=booking.occurrence)
    elif scope != "one" and booking.together:
        others = Q(together=booking.together)
    if not others:
        return [booking]
    found = Booking.objects.filter(others, status__in=Booking.OPEN, start__gt=now).exclude(pk=booking.pk)
    return [booking, *found.order_by("start", "pk")]


@transaction.atomic
def move_booking(
    *,
    booking: Booking,
    start: dt.datetime,
    end: dt.datetime,
    machine: Machine | None = None,
    scope: Scope = "one",
    by: User | None = None,
    now: dt.datetime | None = None,
) -> Booking:
    """Give a booking another time, or machine, by the same rules.

    With a wider scope the others move by as much of the lab's local time and get the same length. Raises OverAlready,
    HasBegun, BadTime, NotQualified, Overlap; SeriesClash where several are reached and some cannot move.
    """
    now = now or timezone.now()
    reach = reached(booking, scope, now)
    machines = rows.lock_machines({b.machine_id for b in reach} | ({machine.pk} if machine else set()))
    held = rows.lock_bookings([b.pk for b in reach], machines)
    first = next(b for b in held if b.pk == booking.pk)
    rows.refuse_if_over(first, now)
    if first.status == Booking.Status.RUNNING and (start != first.start or machine not in {None, first.machine}):
        raise HasBegun(_("It is in use; only its end can change."))
    target = next((m for m in machines if machine and m.pk == machine.pk), None)
    shift = recurrence.Shift.between(first.start, start, end - start, first.machine.lab.zone)
    spans = {b.pk: Span(start, end) if b.pk == first.pk else shift.apply(b.start) for b in held}
    if len(held) == 1:
        _move(first, target or first.machine, spans[first.pk], now)
    else:
        _move_all(held, spans, now)
    for row in held:
        rows.save(row, now, *rows.PLACE, "occurrence")
        hooks.changed(row, "moved")
    if by is not None and by != first.user:
        telling.moved(held, actor=by)
    return first


def _move(booking: Booking, machine: Machine, span: Span, now: dt.datetime) -> None:
    known = rulebook.read(machine.lab, booking.user)
    if booking.kind == Booking.Kind.USE:
        check_booking(machine=machine, user=booking.user, span=span, now=now, moved=booking, known=known)
    rows.place(booking, machine, span, known)
    if rows.meets(booking):
        raise rows.taken([machine], span, without=[booking.pk], known={machine.lab_id: known})


def _move_all(held: Sequence[Booking], spans: Mapping[uuid.UUID, Span], now: dt.datetime) -> None:
    """Place each on its new time or list what stands in the way; the rows of the group never stand in each other's."""
    own = [b.pk for b in held]
    states = {b.pk: b.status for b in held}
    known = rulebook.read_all((b.machine.lab for b in held), held[0].user)
    clashes = []
    for booking in held:
        span, rules = spans[booking.pk], known[booking.machine.lab_id]
        try:
            check_booking(machine=booking.machine, user=booking.user, span=span, now=now, moved=booking, known=rules)
            rows.place(booking, booking.machine, span, rules)
            if rows.meets(booking, without=own):
                raise rows.taken([booking.machine], span, without=own, known=known)
        except CityError as refusal:
            clashes.append(clash(booking.machine, span, refusal))
    if clashes:
        raise series_clash(clashes, len(held) - len(clashes))
    Booking.objects.filter(pk__in=own).update(status=Booking.Status.CANCELLED)
    for booking in held:
        Booking.objects.filter(pk=booking.pk).update(
            **{name: getattr(booking, name) for name in rows.PLACE}, status=states[booking.pk]
        )


def clash(machine: Machine, span: Span, refusal: CityError) -> dict[str, object]:
    """One time of a series that cannot be had, for the refusal that lists them."""
    return {
        "machine": machine.pk,
        "start": span.start.isoformat(),
        "end": span.end.isoformat(),
        "when": local(span.start, machine),
        "code": refusal.code,
        "detail": str(refusal.sentence),
        "next_free": refusal.data.get("next_free"),
    }


def series_clash(clashes: list[dict[str, object]], fits: int) -> SeriesClash:
    """The refusal of a series."""
    times = "; ".join(str(c["when"]) for c in clashes[:5]) + ("; …" if len(clashes) > 5 else "")
    sentence = _("%(count)s of %(all)s times cannot be had: %(times)s. Leave them out, or choose another time.")
    words = {"count": len(clashes), "all": len(clashes) + fits, "times": times}
    return SeriesClash(sentence % words, clashes=clashes, fits=fits)


@transaction.atomic
def cancel_booking(
    *,
    booking: Booking,
    by: User | None = None,
    reason: str = "",
    scope: Scope = "one",
    now: dt.datetime | None = None,
) -> Booking:
    """Free the time. Raises OverAlready, and HasBegun for one that is in use: that is ended.

    An offer of the waitlist is let go by it; who waited leaves the list.
    """
    now = now or timezone.now()
    reach = reached(booking, scope, now)
    held = rows.lock_bookings([b.pk for b in reach], rows.lock_machines({b.machine_id for b in reach}))
    first = next(b for b in held if b.pk == booking.pk)
    rows.refuse_if_over(first, now)
    if first.status == Booking.Status.RUNNING:
        raise HasBegun(_("It is in use; end it instead, and the rest of its time is free."))
    freed = [(row, free(row, reason=reason, now=now)) for row in held]
    for row, what in freed:
        hooks.changed(row, what)
    if by is not None and by != first.user and first.kind == Booking.Kind.USE:
        telling.cancelled(held, actor=by)
    booking.status = first.status
    return first


def free(row: Booking, *, reason: str, now: dt.datetime) -> Literal["cancelled", "lapsed"]:
    """Cancel a booking that is locked; what the hooks are to hear, when all that belongs to it is written."""
    offered = row.status == Booking.Status.OFFERED
    row.status, row.cancelled_at, row.reason = Booking.Status.CANCELLED, now, reason[:200]
    rows.save(row, now, "status", "cancelled_at", "reason")
    if offered:
        queue.let_go(row)
    return "lapsed" if offered else "cancelled"
