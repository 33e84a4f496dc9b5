"""The waitlist: who waits is offered a time that becomes free, and holds it until the offer ends.

Offers are made in the very transaction that frees the time, under the lock of the machine, so nobody slips in between.
The queue is first come, first served among those whom the time fits. Whoever lets an offer pass goes to the end, and
after the third leaves the list, so one who does not answer keeps nobody waiting for ever.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from labs.engine import times
from labs.engine.hours import Span
from labs.engine.waiting import answer_by
from labs.errors import BadTime
from labs.errors.bookings import BadWait, FreeAlready, MovedMeanwhile, NotOffered, WaitsAlready
from labs.models import Booking, Lab, Machine, WaitlistEntry
from labs.queries import bookings, rulebook
from labs.services import hooks
from labs.services.bookings import create, rows, telling
from labs.services.checks import check_booking, local

if TYPE_CHECKING:
    from designs.models import Design

LAPSES_AT_MOST = 3
MOST_OPEN = 10
#: Nobody is offered what begins sooner than that: it could not be answered.
SOONEST = dt.timedelta(minutes=10)
LONGEST = dt.timedelta(days=7)
REST = dt.timedelta(hours=6)
LONGEST_WAIT = dt.timedelta(days=60)
S = WaitlistEntry.Status


@transaction.atomic
def join(
    *,
    user: User,
    lab: Lab,
    machine: Machine | None = None,
    cls: str = "",
    earliest: dt.datetime,
    latest: dt.datetime,
    length: dt.timedelta,
    design: "Design | None" = None,
    now: dt.datetime | None = None,
) -> WaitlistEntry:
    """Wait for a machine, or for any of a class in the lab, between two times.

    Raises BadWait, WaitsAlready, FreeAlready with the free time, and whatever speaks against the person or the machine
    as for a booking (NotQualified, …).
    """
    now = now or timezone.now()
    rows.lock_person(user)
    machines = [machine] if machine else list(lab.machines.filter(cls=cls).select_related("lab__place"))
    if not machines or any(m.lab_id != lab.pk for m in machines):
        raise BadWait(_("Choose a machine of the lab, or a kind of machine that it has."))
    _check_wish(Span(earliest, latest), length, now)
    if WaitlistEntry.objects.filter(user=user, lab=lab, status__in=WaitlistEntry.OPEN).count() >= MOST_OPEN:
        raise BadWait(_("You wait for %(most)s times in this lab already; withdraw one first.") % {"most": MOST_OPEN})
    same = WaitlistEntry.objects.filter(user=user, lab=lab, machine=machine, cls="" if machine else cls)
    if same.filter(status__in=WaitlistEntry.OPEN, earliest__lt=latest, latest__gt=earliest).exists():
        raise WaitsAlready(_("You wait for this already, at a time that meets this one."))
    entry = WaitlistEntry(
        user=user,
        lab=lab,
        machine=machine,
        cls="" if machine else cls,
        earliest=earliest,
        latest=latest,
        length_min=int(length.total_seconds() // 60),
        design=design,
        queued_at=now,
    )
    refusals = _refuse_if_free(entry, rows.lock_machines(machines), now)
    if len(refusals) == len(machines):
        raise refusals[0]
    entry.save()
    return entry


def _check_wish(within: Span, length: dt.timedelta, now: dt.datetime) -> None:
    if length < dt.timedelta(minutes=5) or length > LONGEST or within.start + length > within.end:
        raise BadWait(_("The time from the earliest to the latest is shorter than what you need; choose more."))
    if within.end <= now + SOONEST or within.end > now + LONGEST_WAIT:
        raise BadWait(_("Wait for a time to come, at most %(days)s days ahead.") % {"days": LONGEST_WAIT.days})


def _refuse_if_free(entry: WaitlistEntry, machines: list[Machine], now: dt.datetime) -> list[CityError]:
    """Raise FreeAlready for a machine that has such a time now; else why some machines cannot be had at all."""
    refusals: list[CityError] = []
    for machine in machines:
        found = first_fit(entry, machine, now)
        wish = found or Span(max(entry.earliest, now), max(entry.earliest, now) + entry.length)
        try:
            check_booking(machine=machine, user=entry.user, span=wish, now=now)
        except BadTime as refusal:
            if found is not None:
                refusals.append(refusal)
            continue  # a time that nobody could have says nothing of the other times that are waited for
        except CityError as refusal:
            refusals.append(refusal)
            continue
        if found is not None:
            raise FreeAlready(
                _("%(machine)s is free %(time)s; book it.")
                % {"machine": machine.name, "time": local(found.start, machine)},
                machine=machine.pk,
                next_free={"start": found.start.isoformat(), "end": found.end.isoformat()},
            )
    return refusals


def first_fit(entry: WaitlistEntry, machine: Machine, now: dt.datetime) -> Span | None:
    """The first free time on the machine that the entry could take, or None."""
    soonest = max(entry.earliest, times.up_to_quarter(now + SOONEST))
    wanted = Span(soonest, soonest + entry.length)
    if wanted.end > entry.latest:
        return None
    found = times.next_free(wanted, *bookings.calendar(machine, wanted.start, entry.latest))
    return found if found is not None and found.end <= entry.latest else None


@transaction.atomic
def withdraw(*, entry: WaitlistEntry, by: User | None = None, now: dt.datetime | None = None) -> WaitlistEntry:
    """Wait no longer; a time on offer goes on to the next."""
    now = now or timezone.now()
    offer = entry.booking
    machines = rows.lock_machines([offer.machine_id]) if offer else []
    held = WaitlistEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if held.status == S.OFFERED and held.booking_id and offer and held.booking_id == offer.pk:
        booking = rows.lock_bookings([offer.pk], machines)[0]
        held.status, held.booking = S.WITHDRAWN, None
        held.save(update_fields=["status", "booking"])
        _take_back(booking, now)
    elif held.status == S.OFFERED:
        raise MovedMeanwhile(_("A time has just been offered to you; look at it first."))
    elif held.status == S.WAITING:
        held.status = S.WITHDRAWN
        held.save(update_fields=["status"])
    return held


def _take_back(booking: Booking, now: dt.datetime) -> None:
    if booking.status == Booking.Status.OFFERED:
        booking.status, booking.cancelled_at = Booking.Status.CANCELLED, now
        rows.save(booking, now, "status", "cancelled_at")
        hooks.changed(booking, "lapsed")


@transaction.atomic
def accept_offer(*, booking: Booking, by: User | None = None, now: dt.datetime | None = None) -> Booking:
    """Take up what is on offer: booked, or requested where the lab wants to approve. Raises NotOffered and, if the
    rules have come to speak against it, what create_booking raises."""
    now = now or timezone.now()
    rows.lock_person(booking.user)
    held = rows.lock(booking)
    if held.status != Booking.Status.OFFERED or held.offer_until is None or held.offer_until <= now:
        raise NotOffered(_("This time is no longer on offer; it went on to the next."))
    known, span = rulebook.read(held.machine.lab, held.user), Span(held.start, held.end)
    check_booking(machine=held.machine, user=held.user, span=span, now=now, moved=held, known=known)
    held.status, held.offer_until = create.first_status([held.machine], known, held.user), None
    rows.save(held, now, "status", "offer_until")
    WaitlistEntry.objects.filter(booking=held).update(status=S.TAKEN)
    hooks.changed(held, "created")
    if held.status == Booking.Status.REQUESTED:
        telling.requested([held], actor=held.user)
    return held


def time_freed(booking: Booking, what: hooks.What) -> None:
    """A listener of the hooks: when a change may have freed time, offer it on."""
    if what in {"cancelled", "declined", "missed", "ended", "moved", "cut-short", "lapsed"}:
        offer_next(machine=booking.machine, now=booking.updated_at)


def offer_next(*, machine: Machine, now: dt.datetime | None = None, rested: bool = False) -> list[Booking]:
    """Offer the free time of a machine that is locked to those who wait for it, in the order of the queue.

    With `rested`, those who let an offer pass a short while ago are not asked again yet.
    """
    now = now or timezone.now()
    if machine.state == Machine.State.REPAIR:
        return []
    waiting = WaitlistEntry.objects.filter(Q(machine=machine) | Q(machine=None, cls=machine.cls), lab=machine.lab_id)
    waiting = waiting.filter(status=S.WAITING, latest__gt=now).select_for_update(of=("self",), skip_locked=True)
    if rested:
        waiting = waiting.filter(Q(lapses=0) | Q(queued_at__lte=now - REST))
    made = []
    for entry in waiting.select_related("user", "design").order_by("queued_at", "created_at"):
        span = first_fit(entry, machine, now)
        if span is not None:
            offer = _offer(entry, machine, span, now)
            made += [offer] if offer else []
    return made


def sweep(now: dt.datetime) -> list[Booking]:
    """By the clock: offer time that became free by itself, as when a machine is repaired or a lab opens longer."""
    waiting = WaitlistEntry.objects.filter(status=S.WAITING, latest__gt=now)
    wanted = Q(pk__in=waiting.values("machine"))
    for lab, cls in waiting.filter(machine=None).values_list("lab", "cls").distinct():
        wanted |= Q(lab=lab, cls=cls)
    found: list[Booking] = []
    for number in Machine.objects.filter(wanted).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            for machine in rows.lock_machines([number]):
                found += offer_next(machine=machine, now=now, rested=True)
    return found


def _offer(entry: WaitlistEntry, machine: Machine, span: Span, now: dt.datetime) -> Booking | None:
    known = rulebook.read(machine.lab, entry.user)
    try:
        check_booking(machine=machine, user=entry.user, span=span, now=now, known=known)
    except CityError:
        return None  # who may not have it now keeps the place for another time
    booking = Booking(user=entry.user, design=entry.design, status=Booking.Status.OFFERED)
    booking.offer_until = answer_by(now, span.start, machine.lab.zone)
    rows.place(booking, machine, span, known)
    if not rows.insert([booking]):
        return None
    entry.status, entry.booking = S.OFFERED, booking
    entry.save(update_fields=["status", "booking"])
    hooks.changed(booking, "offered")
    telling.offered(booking)
    return booking


def expire(now: dt.datetime) -> list[Booking]:
    """By the clock: offers that nobody took up go on to the next; wishes whose time is over end. The lapsed offers."""
    over = Booking.objects.filter(status=Booking.Status.OFFERED, offer_until__lte=now).order_by("offer_until")
    found = []
    for booking in over:
        with transaction.atomic():
            held = rows.lock(booking)
            if held.status == Booking.Status.OFFERED and held.offer_until and held.offer_until <= now:
                _lapse(held, now)
                found.append(held)
    waiting = WaitlistEntry.objects.filter(status=S.WAITING)
    too_late = [e.pk for e in waiting.filter(latest__lt=now + LONGEST) if e.latest - e.length < now]
    waiting.filter(pk__in=too_late).update(status=S.EXPIRED)
    return found


def _lapse(booking: Booking, now: dt.datetime) -> None:
    entry = WaitlistEntry.objects.select_for_update(of=("self",)).filter(booking=booking).first()
    if entry is not None:
        entry.lapses += 1
        entry.booking, entry.queued_at = None, now
        last = entry.lapses >= LAPSES_AT_MOST
        entry.status = S.EXPIRED if last else S.OFFERED  # not waiting while this very time goes on to the others
        entry.save(update_fields=["lapses", "booking", "queued_at", "status"])
    booking.status, booking.cancelled_at = Booking.Status.CANCELLED, now
    rows.save(booking, now, "status", "cancelled_at")
    telling.lapsed(booking)
    hooks.changed(booking, "lapsed")
    if entry is not None and entry.status == S.OFFERED:
        entry.status = S.WAITING
        entry.save(update_fields=["status"])
