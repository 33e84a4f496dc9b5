"""Faults: reported, the machine taken down, its bookers told, kept down by the clock, fixed.

A machine that is down holds its time by a closure that reaches a day ahead and is moved on by the clock, so that a
fault cancels what is near and leaves next week alone. What a manager expects moves the closure's end at once.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import NotAllowed
from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from labs import policies
from labs.engine.hours import Span
from labs.engine.times import up_to_quarter
from labs.errors.floor import BadFault, ClosedFault, TooManyFaults
from labs.models import Booking, Fault, LogEntry, Machine, Outage
from labs.queries.addresses import path_of
from labs.queries.alternatives import instead
from labs.services import catalogue
from labs.services.bookings import close_machine, reopen_machine, rows
from labs.services.bookings.telling import managers
from labs.services.checks import local
from labs.services.log import write_entry

AHEAD = dt.timedelta(hours=24)
"""So far ahead a machine that is down keeps its time."""
REFILL = dt.timedelta(hours=12)
"""When less than this is left, the clock moves the end on."""
WARNED = dt.timedelta(days=14)
"""Bookings up to here are told that the machine may not be ready."""
LONGEST = dt.timedelta(days=366)
MOST_A_DAY = 10
MOST_INSTEAD = 3
SHORTEST = dt.timedelta(minutes=15)


class Hit(NamedTuple):
    """A booking that the fault takes, as it stood before."""

    user: User
    span: Span


@transaction.atomic
def report_fault(
    *,
    machine: Machine,
    by: User,
    what: str,
    severity: str = Fault.Severity.DOWN,
    at_machine: bool = False,
    back_on: dt.date | None = None,
    now: dt.datetime | None = None,
) -> Fault:
    """Write down what is wrong. Raises BadFault, TooManyFaults.

    “It cannot be used” takes the machine down at once when it comes from somebody who stands there (`at_machine`: a
    label was scanned, or a kiosk is used), has it booked or belongs to the lab; else a manager confirms it first.
    """
    now = now or timezone.now()
    what = what.strip()
    if len(what) < 3:
        raise BadFault(_("Say what is wrong, in a sentence: what happened, and what you saw or heard."))
    if severity not in Fault.Severity.values:
        known = ", ".join(Fault.Severity.values)
        raise BadFault(_("“%(severity)s” is not known; there are %(known)s.") % {"severity": severity, "known": known})
    machine = rows.lock_machines([machine])[0]
    _refuse_a_flood(machine, by, now)
    fault = Fault.objects.create(machine=machine, reporter=by, what=what[:2000], severity=severity, reported_at=now)
    _log(fault, LogEntry.Kind.FAULT, what, by, now)
    _tell_managers(fault)
    if severity == Fault.Severity.DOWN and (at_machine or policies.may_take_down(by, machine)):
        _take_down(fault, by=by, until=_end_of(machine, back_on), now=now)
    return fault


def _refuse_a_flood(machine: Machine, by: User, now: dt.datetime) -> None:
    if policies.may_manage(by, machine.lab):
        return
    today = Fault.objects.filter(reporter=by, machine__lab=machine.lab_id, reported_at__gt=now - dt.timedelta(days=1))
    if today.count() >= MOST_A_DAY:
        words = {"most": MOST_A_DAY, "lab": machine.lab.name}
        raise TooManyFaults(_("You reported %(most)s faults in a day; speak to the people of %(lab)s.") % words)


@transaction.atomic
def confirm_fault(*, fault: Fault, by: User, now: dt.datetime | None = None) -> Fault:
    """Take the machine down for a fault that waited for it, or that turned out worse. Raises ClosedFault."""
    now = now or timezone.now()
    held = _lock(fault)
    if held.outage_id is None:
        held.severity = Fault.Severity.DOWN
        held.save(update_fields=["severity"])
        _take_down(held, by=by, until=None, now=now)
    return held


@transaction.atomic
def keep_fault(*, fault: Fault, keeper: User | None, by: User) -> Fault:
    """Say who looks after it; that person is told. Raises ClosedFault, NotAllowed for who is not of the lab."""
    held = _lock(fault)
    if keeper is not None and not policies.is_fellow(keeper, held.machine.lab):
        raise NotAllowed(_("Only somebody of %(lab)s can look after it.") % {"lab": held.machine.lab.name})
    held.keeper = keeper
    held.save(update_fields=["keeper"])
    if keeper is not None:
        sentence = said(
            lazy("You look after a fault of %(machine)s: %(what)s"), machine=held.machine.name, what=held.what[:120]
        )
        tell(people=[keeper], kind="labs.fault_kept", text=sentence, url=url_of(held), actor=by)
    return held


@transaction.atomic
def expect_back(*, fault: Fault, until: dt.datetime, by: User, now: dt.datetime | None = None) -> Fault:
    """Say when the machine is expected back; until then its time is closed, and who booked it is told. Raises
    ClosedFault, BadFault."""
    now = now or timezone.now()
    held = _lock(fault)
    if held.outage is None:
        raise BadFault(_("The machine is in use; take it down first."))
    if not now < until <= now + LONGEST:
        raise BadFault(_("Choose a time to come, within a year."))
    held.outage.expected_until = until
    held.outage.save(update_fields=["expected_until"])
    _release_after(held, max(until, now + SHORTEST), now)
    _close(held.outage, held.machine, until=until, by=by, reason=_reason(held), now=now)
    _show_state(held.machine)
    return held


def _release_after(fault: Fault, until: dt.datetime, now: dt.datetime) -> None:
    """Give back what the closure holds beyond `until`: all of it is ended and written again shorter."""
    assert fault.outage is not None  # noqa: S101 the caller looked
    beyond = Booking.objects.filter(machine=fault.machine, together=fault.outage.closure, end__gt=until)
    if beyond.filter(status__in=Booking.OPEN).exists():
        reopen_machine(machine=fault.machine, together=fault.outage.closure, now=now)


@transaction.atomic
def fix_fault(*, fault: Fault, by: User, remedy: str, now: dt.datetime | None = None) -> Fault:
    """It works again: when no other fault keeps the machine down it opens at once, and those who lost their time are
    told. Raises ClosedFault, BadFault."""
    if len(remedy.strip()) < 3:
        raise BadFault(_("Say what was done, so that the next one knows."))
    return _close_fault(fault, Fault.Status.FIXED, by=by, remedy=remedy, now=now or timezone.now())


@transaction.atomic
def dismiss_fault(*, fault: Fault, by: User, remedy: str = "", now: dt.datetime | None = None) -> Fault:
    """Nothing was wrong. Raises ClosedFault."""
    return _close_fault(fault, Fault.Status.DISMISSED, by=by, remedy=remedy, now=now or timezone.now())


@transaction.atomic
def machine_in_order(*, machine: Machine, by: User, remedy: str, now: dt.datetime | None = None) -> Machine:
    """Close all that keeps the machine down; it can be booked again. Also for one that was taken out by other means."""
    now = now or timezone.now()
    machine = rows.lock_machines([machine])[0]
    for fault in Fault.objects.filter(machine=machine, status=Fault.Status.OPEN, outage__isnull=False):
        _close_fault(fault, Fault.Status.FIXED, by=by, remedy=remedy, now=now)
    return catalogue.set_state(machine=machine, state=Machine.State.OK)


def keep_down(now: dt.datetime) -> int:
    """By the clock: move the closure of machines that are down on, so that nobody books or keeps time on them that is
    near; how many were moved. One transaction each."""
    moved = 0
    for key in Outage.objects.filter(ended_at=None).values_list("pk", "machine_id"):
        with transaction.atomic():
            machine = rows.lock_machines([key[1]])[0]
            outage = Outage.objects.filter(pk=key[0], ended_at=None).first()
            if outage is not None and _held_until(outage, now) < now + REFILL:
                moved += _move_on(outage, machine, now)
    return moved


def url_of(fault: Fault) -> str:
    """The page of the fault."""
    return path_of("rooms:fault", fault.pk)


def _move_on(outage: Outage, machine: Machine, now: dt.datetime) -> int:
    fault = outage.faults.filter(status=Fault.Status.OPEN).order_by("reported_at").first()
    by = outage.opened_by or next(iter(managers(machine.lab)), None)
    if fault is None or by is None:
        return 0
    fault.machine = machine
    _close(outage, machine, until=now + AHEAD, by=by, reason=_reason(fault), now=now)
    return 1


def _held_until(outage: Outage, now: dt.datetime) -> dt.datetime:
    """Until when the machine's closures hold it without a break from now on."""
    closed = Booking.objects.filter(machine=outage.machine_id, status__in=Booking.HOLDING, end__gt=now)
    until = now
    for start, end in closed.exclude(kind=Booking.Kind.USE).order_by("start").values_list("start", "end"):
        if start > until:
            break
        until = max(until, end)
    return until


def _lock(fault: Fault) -> Fault:
    """The fault as it stands now, with its machine locked first. Raises ClosedFault."""
    machine = rows.lock_machines([fault.machine_id])[0]
    held = Fault.objects.select_for_update(of=("self",)).select_related("outage", "reporter").get(pk=fault.pk)
    held.machine = machine
    if held.status != Fault.Status.OPEN:
        raise ClosedFault(_("Somebody has closed this fault already; report a new one if it is back."))
    return held


def _take_down(fault: Fault, *, by: User, until: dt.datetime | None, now: dt.datetime) -> None:
    machine = fault.machine
    outage = Outage.objects.filter(machine=machine, ended_at=None).first()
    if outage is None:
        outage = Outage.objects.create(machine=machine, began_at=now, opened_by=by)
        _log(fault, LogEntry.Kind.DOWN, _reason(fault), by, now)
    if until is not None and now < until:
        outage.expected_until = max(until, outage.expected_until or until)
        outage.save(update_fields=["expected_until"])
    fault.outage = outage
    fault.save(update_fields=["outage"])
    end = max(now + AHEAD, outage.expected_until or now)
    _close(outage, machine, until=end, by=by, reason=_reason(fault), now=now)
    _show_state(machine)
    _warn_later(fault, after=end, now=now)


def _close(outage: Outage, machine: Machine, *, until: dt.datetime, by: User, reason: str, now: dt.datetime) -> None:
    """Close the machine from now on, and offer those who lose their time something else."""
    hit = _standing(machine, Span(now, until))
    close_machine(
        machine=machine,
        start=now,
        end=until,
        kind=Booking.Kind.MAINTENANCE,
        reason=reason,
        by=by,
        cancel_conflicting=True,
        together=outage.closure,
        now=now,
    )
    for one in hit:
        _offer_instead(machine, one, now)


def _standing(machine: Machine, span: Span) -> list[Hit]:
    held = Booking.objects.filter(machine=machine, kind=Booking.Kind.USE, status__in=Booking.OPEN)
    found = held.filter(start__lt=span.end, end__gt=span.start).select_related("user").order_by("start")
    return [Hit(booking.user, Span(booking.start, booking.end)) for booking in found]


def _offer_instead(machine: Machine, hit: Hit, now: dt.datetime) -> None:
    """Tell the person which machines like it are free then, up to three, with the way to book each."""
    start = max(hit.span.start, up_to_quarter(now))
    if hit.span.end - start < SHORTEST:
        return
    others = instead(machine, hit.user, Span(start, hit.span.end), now=now, most=MOST_INSTEAD)
    if not others:
        return
    minutes = int((hit.span.end - start).total_seconds() // 60)
    stamp = start.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if len(others) == 1:
        only = others[0]
        sentence = said(
            lazy("Instead of %(machine)s: %(other)s in %(lab)s is free %(time)s."),
            machine=machine.name,
            other=only.name,
            lab=only.lab.name,
            time=local(start, only),
        )
        address = path_of("rooms:book", only.lab.slug, only.slug)
    else:
        sentence = said(
            lazy("Instead of %(machine)s, free %(time)s: %(others)s."),
            machine=machine.name,
            others="; ".join(f"{other.name}, {other.lab.name}" for other in others),
            time=local(start, machine),
        )
        address = path_of("rooms:instead", machine.lab.slug, machine.slug)
    tell(people=[hit.user], kind="labs.instead", text=sentence, url=f"{address}?minutes={minutes}&start={stamp}")


def _warn_later(fault: Fault, *, after: dt.datetime, now: dt.datetime) -> None:
    """Those whose bookings stand for now: the machine may not be ready."""
    machine = fault.machine
    held = Booking.objects.filter(machine=machine, kind=Booking.Kind.USE, status__in=Booking.OPEN)
    later = held.filter(start__gte=after, start__lt=now + WARNED).select_related("user").order_by("start")
    first: dict[int, Booking] = {}
    for booking in later:
        first.setdefault(booking.user_id, booking)
    for booking in first.values():
        sentence = said(
            lazy("%(machine)s is in repair. Your booking %(time)s stands for now; you hear if it cannot be kept."),
            machine=machine.name,
            time=local(booking.start, machine),
        )
        tell(people=[booking.user], kind="labs.fault_ahead", text=sentence, url=path_of("rooms:booking", booking.pk))


def _close_fault(fault: Fault, status: str, *, by: User, remedy: str, now: dt.datetime) -> Fault:
    held = _lock(fault)
    held.status, held.closed_by, held.closed_at, held.remedy = status, by, now, remedy.strip()[:2000]
    held.save(update_fields=["status", "closed_by", "closed_at", "remedy"])
    said_so = held.remedy or str(Fault.Status(status).label)
    _log(held, LogEntry.Kind.FIXED, said_so, by, now)
    if held.outage is not None and not held.outage.faults.filter(status=Fault.Status.OPEN).exists():
        _end_outage(held.outage, held.machine, by=by, now=now)
    elif held.outage is not None:
        _show_state(held.machine)
    if held.reporter is not None:
        sentence = said(lazy("%(machine)s: %(remedy)s. Thank you for telling."), machine=held.machine.name,
                        remedy=said_so[:160].rstrip("."))  # fmt: skip
        tell(people=[held.reporter], kind="labs.fault_closed", text=sentence, url=url_of(held), actor=by)
    return held


def _end_outage(outage: Outage, machine: Machine, *, by: User, now: dt.datetime) -> None:
    outage.ended_at = max(now, outage.began_at)
    outage.save(update_fields=["ended_at"])
    lost = _lost(outage, machine, now)
    catalogue.set_state(machine=machine, state=Machine.State.OK)  # first, so that the waitlist offers what is freed
    reopen_machine(machine=machine, together=outage.closure, now=now)
    sentence = said(
        lazy("%(machine)s in %(lab)s works again; it can be booked."), machine=machine.name, lab=machine.lab.name
    )
    url = path_of("rooms:book", machine.lab.slug, machine.slug)
    tell(people=lost, kind="labs.works_again", text=sentence, url=url, actor=by)


def _lost(outage: Outage, machine: Machine, now: dt.datetime) -> Sequence[User]:
    """Those whose time to come was cancelled for the outage: people of cancelled bookings in its closure's time."""
    gone = Booking.objects.filter(
        machine=machine,
        kind=Booking.Kind.USE,
        status=Booking.Status.CANCELLED,
        cancelled_at__gte=outage.began_at,
        end__gt=outage.began_at,
    )
    return _once(booking.user for booking in gone.select_related("user"))


def _once(people: Iterable[User]) -> list[User]:
    return list({person.pk: person for person in people}.values())


def _show_state(machine: Machine) -> None:
    """The machine says that it is in repair, why, and when it is expected back."""
    faults = Fault.objects.filter(machine=machine, status=Fault.Status.OPEN, outage__isnull=False)
    first = faults.select_related("outage").order_by("reported_at").first()
    if first is None or first.outage is None:
        return
    until = first.outage.expected_until
    day = until.astimezone(machine.lab.zone).date() if until else None
    catalogue.set_state(machine=machine, state=Machine.State.REPAIR, note=_reason(first), back_on=day)


def _reason(fault: Fault) -> str:
    """The first line of the report, as short as a reason may be."""
    line = fault.what.strip().splitlines()[0]
    return line if len(line) <= 200 else f"{line[:199]}…"


def _end_of(machine: Machine, day: dt.date | None) -> dt.datetime | None:
    """The midnight with which that day begins in the lab: the machine is back on it."""
    if day is None:
        return None
    return dt.datetime.combine(day, dt.time.min, machine.lab.zone).astimezone(dt.UTC)


def _log(fault: Fault, kind: str, text: str, by: User | None, now: dt.datetime) -> None:
    write_entry(lab=fault.machine.lab, kind=kind, text=text, by=by, machine=fault.machine, fault=fault, now=now)


def _tell_managers(fault: Fault) -> None:
    sentence = said(
        lazy("%(machine)s: %(severity)s. %(what)s"),
        machine=fault.machine.name,
        severity=Fault.Severity(fault.severity).label,
        what=fault.what[:160],
    )
    tell(people=managers(fault.machine.lab), kind="labs.fault", text=sentence, url=url_of(fault), actor=fault.reporter)
