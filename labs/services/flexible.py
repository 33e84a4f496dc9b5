"""Flexible bookings: “four hours before Friday”, placed by the system and moved to where more sun is expected.

A flexible booking is a booking like any other: the same rules, the same locks, the one constraint that never lets two
meet. Beside it stands what was wished. The system moves it by `move_booking`, one transaction a move, under the lock of
its row: doing a round twice does the second time nothing. It moves only

- until it is fixed, `fix_before_min` before its start, and never to a time that begins sooner than that from now;
- for at least `placing.LEAST_GAIN` more of the expected share;
- to times that lie after what was wished as the earliest and end by the deadline (a trigger holds the deadline too).

Whoever moves or cancels it by hand has taken it over: from then on it stays where it is.
"""

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commons.errors import CityError
from commons.notices.services import tell
from commons.people.models import User
from commons.said import Said, said
from labs.engine import placing
from labs.engine.hours import Span
from labs.engine.placing import Place
from labs.errors.sunshine import BadWish, FixedAlready, NoTimeBefore
from labs.models import Booking, FirstAsked, FlexibleBooking, FlexibleMove, Machine
from labs.queries import bookings as reads
from labs.queries import drawing, rulebook, sunshine
from labs.queries.sunshine import Wish
from labs.services import bookings
from labs.services.bookings import rows
from labs.services.checks import local

if TYPE_CHECKING:
    from designs.models import Design
    from labs.services.hooks import What

log = logging.getLogger(__name__)
S, Fixed, Why = FlexibleBooking.Status, FlexibleBooking.Fixed, FlexibleMove.Why
MINUTE = dt.timedelta(minutes=1)
FIX_BEFORE_MIN = 720
LEAST_FIX_MIN, MOST_FIX_MIN = 60, 7 * 24 * 60
LONGEST = dt.timedelta(days=7)
#: So many of the best times are tried at most; what is refused is refused by a rule of the person, which is rare.
MOST_TRIED = 24


@transaction.atomic
def create(
    *,
    machine: Machine,
    user: User,
    length: dt.timedelta,
    deadline: dt.datetime,
    earliest: dt.datetime | None = None,
    watts: float | None = None,
    from_min: int | None = None,
    until_min: int | None = None,
    fix_before_min: int = FIX_BEFORE_MIN,
    design: "Design | None" = None,
    booked_by: User | None = None,
    note: str = "",
    now: dt.datetime | None = None,
) -> FlexibleBooking:
    """Place a job where the most sun is expected before its deadline, never worse than the first time that was free.

    Raises BadWish, NoTimeBefore (with `next_free`), and what `create_booking` raises of the person.
    """
    now = now or timezone.now()
    wish = _wish(machine, length, max(earliest or now, now), deadline, watts, from_min, until_min, now)
    if not LEAST_FIX_MIN <= fix_before_min <= MOST_FIX_MIN:
        raise BadWish(_("It is fixed from one hour to seven days before its start."))
    rows.lock_person(user)
    machine = rows.lock_machines([machine])[0]
    known = rulebook.read(machine.lab, user)
    found = sunshine.look(wish, now=now, known=known)
    may = sunshine.allowed(machine, user, now=now, known=known)
    first = next(iter(placing.apart(found.soonest, 1, may, MOST_TRIED)), None)
    if first is None:
        raise _no_time(wish, user, now)
    best = next(iter(placing.apart(found.places, 1, may, MOST_TRIED)), None)
    place = placing.choose([best] if best else [], first) or first
    booking = bookings.create_booking(
        machine=machine, user=user, start=place.start, end=place.end, design=design, booked_by=booked_by, note=note,
        now=now,
    )  # fmt: skip
    flexible = FlexibleBooking(
        booking=booking, user=user, earliest=wish.earliest, deadline=deadline, length_min=length // MINUTE, watts=watts,
        from_min=from_min, until_min=until_min, fix_before_min=fix_before_min, first_start=first.start,
        placed_start=place.start, created_at=now,
    )  # fmt: skip
    _told(flexible, place)
    flexible.save()
    _note_move(flexible, place, Why.PLACED, None, now)
    if place.start - fix_before_min * MINUTE <= now:
        _fix(flexible, Fixed.CLOCK, now)
    return flexible


def _wish(  # noqa: PLR0917 the parts of a wish
    machine: Machine,
    length: dt.timedelta,
    earliest: dt.datetime,
    deadline: dt.datetime,
    watts: float | None,
    from_min: int | None,
    until_min: int | None,
    now: dt.datetime,
) -> Wish:
    if not dt.timedelta(minutes=5) <= length <= LONGEST:
        raise BadWish(_("A job takes from five minutes to seven days."))
    if deadline - earliest < length:
        raise BadWish(_("Between the earliest start and the deadline there is no room for so long a job."))
    if deadline - now > dt.timedelta(days=90):
        raise BadWish(_("Name a deadline within ninety days."))
    bounds = (from_min or 0, 24 * 60 if until_min is None else until_min)
    if not 0 <= bounds[0] < bounds[1] <= 24 * 60:
        raise BadWish(_("The hours of the day begin before they end."))
    if watts is not None and not 0 < watts <= 100_000:
        raise BadWish(_("Say the power in watts, up to 100,000."))
    kw = watts / 1000 if watts is not None else drawing.kw_of(machine, length)
    return Wish(machine, length, earliest, deadline, kw, from_min, until_min)


def _no_time(wish: Wish, user: User, now: dt.datetime) -> CityError:
    """Why nothing could be placed: what the rules say of the person, else that all is taken."""
    start = max(wish.earliest, now)
    following = reads.next_free(wish.machine, Span(start, start + wish.length))
    if following is not None:
        from labs.queries import rules  # noqa: PLC0415 only here

        said_of_it = rules.why_not(machine=wish.machine, user=user, span=following, now=now)
        if said_of_it and following.end <= wish.deadline:
            return said_of_it[0].raised()
    words = {"machine": wish.machine.name, "deadline": local(wish.deadline, wish.machine)}
    sentence = _("%(machine)s has no free time of that length before %(deadline)s.") % words
    told = {"start": following.start.isoformat(), "end": following.end.isoformat()} if following else None
    return NoTimeBefore(sentence, next_free=told)


def _told(flexible: FlexibleBooking, place: Place) -> None:
    share = place.share
    flexible.share = share.expected if share else None
    flexible.share_low, flexible.share_high = (share.low, share.high) if share else (None, None)


def _note_move(
    flexible: FlexibleBooking, place: Place, why: str, left: tuple[dt.datetime, float | None] | None, now: dt.datetime
) -> FlexibleMove:
    number = FlexibleMove.objects.filter(flexible=flexible).count() + 1
    return FlexibleMove.objects.create(
        flexible=flexible,
        number=number,
        start=place.start,
        share=place.share.expected if place.share else None,
        left_start=left[0] if left else None,
        left_share=left[1] if left else None,
        why=why,
        at=now,
    )


# --- moving ------------------------------------------------------------------------------------------------------


def sweep(now: dt.datetime) -> dict[str, int]:
    """By the clock: fix what comes near, move what would stand better elsewhere; one transaction each."""
    counts = {"fixed": 0, "moved": 0}
    for one in sunshine.open_ones(now):
        try:
            what = consider(one, now=now)
        except CityError as refusal:  # somebody changed it in this very moment; the next round sees it
            log.info("flexible booking %s stays: %s", one.pk, refusal.code)
            continue
        if what:
            counts[what] += 1
    return counts


@transaction.atomic
def consider(flexible: FlexibleBooking, *, now: dt.datetime | None = None) -> str:
    """Fix it, move it, or leave it: “fixed”, “moved” or nothing."""
    now = now or timezone.now()
    held = _lock(flexible)
    booking = held.booking
    if not held.is_open:
        return ""
    if booking.status not in {Booking.Status.BOOKED, Booking.Status.REQUESTED} or booking.start != held.placed_start:
        _fix(held, Fixed.MOVED if booking.holds else Fixed.GONE, now)
        return ""
    if booking.start - held.fix_before_min * MINUTE <= now:
        _fix(held, Fixed.CLOCK, now)
        _tell(held, gettext_noop("Fixed: %(machine)s is yours %(time)s; this does not move any more."))
        return "fixed"
    return "moved" if _move_if_better(held, now) else ""


def _lock(flexible: FlexibleBooking) -> FlexibleBooking:
    """Its person, machine and booking, then its own row: the order of all who change bookings."""
    rows.lock_person(flexible.user)
    booking = rows.lock(flexible.booking)
    held = FlexibleBooking.objects.select_for_update(of=("self",)).get(pk=flexible.pk)
    held.booking = booking
    return held


def _move_if_better(held: FlexibleBooking, now: dt.datetime) -> bool:
    booking, machine = held.booking, held.booking.machine
    length = held.length_min * MINUTE
    kw = held.watts / 1000 if held.watts is not None else drawing.kw_of(machine, length)
    soonest = max(held.earliest, now + held.fix_before_min * MINUTE)
    wish = Wish(machine, length, soonest, held.deadline, kw, held.from_min, held.until_min)
    known = rulebook.read(machine.lab, booking.user)
    found = sunshine.look(wish, now=now, known=known, without=[booking.pk])
    here = Place(booking.start, booking.end, sunshine.share_of(found.suns, Span(booking.start, booking.end)))
    best = found.places[0] if found.places else None
    if best is None or here.share is None or not placing.is_better(best, here):
        _keep_share(held, here)
        return False
    for place in placing.apart(found.places, MOST_TRIED // 4):
        if not placing.is_better(place, here):
            break
        if _try(held, place, now):
            _note_move(held, place, Why.SUN, (here.start, here.share.expected), now)
            _tell_moved(held, here, place)
            return True
    _keep_share(held, here)
    return False


def _keep_share(held: FlexibleBooking, here: Place) -> None:
    before = (held.share, held.share_low, held.share_high)
    _told(held, here)
    if before != (held.share, held.share_low, held.share_high):
        held.save(update_fields=["share", "share_low", "share_high"])


def _try(held: FlexibleBooking, place: Place, now: dt.datetime) -> bool:
    """Move it there; False where a rule speaks against it, or its price could not be paid."""
    before = held.placed_start
    try:
        with transaction.atomic():
            held.placed_start = place.start
            _told(held, place)
            held.save(update_fields=["placed_start", "share", "share_low", "share_high"])
            held.booking = bookings.move_booking(booking=held.booking, start=place.start, end=place.end, now=now)
    except CityError:
        held.placed_start = before
        return False
    return True


# --- what its person may do --------------------------------------------------------------------------------------


@transaction.atomic
def keep(*, flexible: FlexibleBooking, by: User, now: dt.datetime | None = None) -> FlexibleBooking:
    """“This time suits me”: it moves no more. Raises FixedAlready."""
    held = _lock(flexible)
    _refuse_if_fixed(held)
    _fix(held, Fixed.KEPT, now or timezone.now())
    return held


@transaction.atomic
def take_back(*, flexible: FlexibleBooking, by: User, now: dt.datetime | None = None) -> FlexibleBooking:
    """Back to where it stood before the last move, if that is still free; there it stays. Raises FixedAlready, Overlap,
    BadTime.
    """
    now = now or timezone.now()
    held = _lock(flexible)
    _refuse_if_fixed(held)
    last = held.moves.order_by("-number").first()
    if last is None or last.left_start is None:
        raise FixedAlready(_("It was not moved, so there is nothing to take back."))
    length = held.length_min * MINUTE
    left = Place(last.left_start, last.left_start + length, None)
    was = (held.placed_start, held.share)
    held.placed_start, held.share, held.share_low, held.share_high = left.start, last.left_share, None, None
    held.save(update_fields=["placed_start", "share", "share_low", "share_high"])
    held.booking = bookings.move_booking(booking=held.booking, start=left.start, end=left.end, now=now)
    _note_move(held, left, Why.BACK, was, now)
    _fix(held, Fixed.KEPT, now)
    return held


def _refuse_if_fixed(held: FlexibleBooking) -> None:
    if not held.is_open:
        raise FixedAlready(_("This booking is fixed: %(why)s.") % {"why": held.get_fixed_why_display() or "–"})


def _fix(held: FlexibleBooking, why: str, now: dt.datetime) -> None:
    held.status = S.ENDED if why == Fixed.GONE else S.FIXED
    held.fixed_why, held.fixed_at = why, now
    held.save(update_fields=["status", "fixed_why", "fixed_at"])


def heard(booking: Booking, what: "What") -> None:
    """A booking changed: who moved or ended a flexible one by hand has taken it over. In its transaction."""
    if what not in {"moved", "cut-short", "cancelled", "declined", "missed", "checked-in", "ended"}:
        return
    held = FlexibleBooking.objects.filter(booking=booking, status=S.OPEN).first()
    if held is None:
        return
    now = timezone.now()
    if what == "moved":
        if booking.start != held.placed_start or booking.end - booking.start != held.length_min * MINUTE:
            _fix(held, Fixed.MOVED, now)
        return
    _fix(held, Fixed.CLOCK if what in {"checked-in", "ended"} else Fixed.GONE, now)


def note_first_asked(booking: Booking, wanted: dt.datetime | None) -> None:
    """Remember when a person first wanted a booking that then took a suggested time; nothing where that is the same.

    A day before now or more than ninety ahead is nobody's wish.
    """
    now = timezone.now()
    if (
        wanted is None
        or wanted == booking.start
        or not now - dt.timedelta(days=1) < wanted < now + dt.timedelta(days=90)
    ):
        return
    FirstAsked.objects.get_or_create(booking=booking, defaults={"start": wanted})


# --- who hears of it ---------------------------------------------------------------------------------------------


def url_of(flexible: FlexibleBooking) -> str:
    """The page of its booking, which shows where it was and why it moved."""
    with translation.override(settings.LANGUAGE_CODE):
        return reverse("rooms:booking", args=[flexible.booking_id])


def _tell_moved(held: FlexibleBooking, left: Place, place: Place) -> None:
    words: dict[str, Any] = {
        "machine": held.booking.machine.name,
        "time": local(place.start, held.booking.machine),
        "left": local(left.start, held.booking.machine),
        "share": round(100 * (place.share.expected if place.share else 0)),
        "before": round(100 * (left.share.expected if left.share else 0)),
    }
    _post(held, said(
        gettext_noop(
            "Moved to the sun: %(machine)s is yours %(time)s, not %(left)s. Expected local sun: %(share)s %%, "
            "before %(before)s %%. You can keep this time or take the move back."
        ),
        **words,
    ))  # fmt: skip


def _tell(held: FlexibleBooking, pattern: str) -> None:
    words = {"machine": held.booking.machine.name, "time": local(held.booking.start, held.booking.machine)}
    _post(held, said(pattern, **words))


def _post(held: FlexibleBooking, text: Said) -> None:
    tell(people=[held.user], kind="labs.flexible", text=text, url=url_of(held))
