"""Sessions of courses: planned, joined, left, held. Whoever waits is let in by the order in which they asked."""

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs import policies
from labs.errors.learning import BadSession, SessionOver
from labs.models import CourseSession, Seat, Teaching

LONGEST, HORIZON = dt.timedelta(days=7), dt.timedelta(days=730)
MOST_PLACES = 500
REMIND_BEFORE = dt.timedelta(hours=24)


def when(session: CourseSession) -> str:
    """The time of a session by the clock of its lab."""
    there = session.starts_at.astimezone(session.teaching.lab.zone)
    return f"{formats.date_format(there, _('l j F'))} {there:%H:%M}"


def url_of(session: CourseSession) -> str:
    """Its page."""
    return reverse("rooms:course_session", args=[session.teaching.lab.slug, session.pk])


@transaction.atomic
def plan(
    *,
    teaching: Teaching,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    places: int,
    trainer: User,
    where: str = "",
    note: str = "",
    demo: bool = False,
) -> CourseSession:
    """Announce a session. Raises BadSession."""
    now = timezone.now()
    if not now < starts_at < ends_at or ends_at - starts_at > LONGEST or starts_at > now + HORIZON:
        raise BadSession(_("A session begins in the coming two years and ends within seven days after that."))
    if not 1 <= places <= MOST_PLACES:
        raise BadSession(_("A session has 1 to %(most)d places.") % {"most": MOST_PLACES})
    if not policies.may_train(trainer, teaching.lab):
        raise BadSession(_("%(person)s does not train in %(lab)s.") % {"person": trainer, "lab": teaching.lab.name})
    return CourseSession.objects.create(
        teaching=teaching,
        starts_at=starts_at,
        ends_at=ends_at,
        places=places,
        trainer=trainer,
        where=where[:200],
        note=note[:400],
        demo=demo,
    )


@transaction.atomic
def join(*, session: CourseSession, user: User, now: dt.datetime | None = None) -> Seat:
    """Take a place, or the next one on the waiting list. Again is the same seat. Raises SessionOver."""
    now = now or timezone.now()
    held = _held(session)
    _refuse_if_over(held, now)
    seat = Seat.objects.filter(session=held, user=user).first()
    if seat is not None and seat.state != Seat.State.LEFT:
        return seat
    seat = seat or Seat(session=held, user=user)
    free = held.places > held.seats.filter(state__in=Seat.SEATED).count()
    seat.state, seat.asked_at = Seat.State.TAKEN if free else Seat.State.WAITING, now
    seat.save()
    return seat


@transaction.atomic
def leave(*, session: CourseSession, user: User, now: dt.datetime | None = None) -> None:
    """Give the place back; the first who waits gets it and is told. Raises SessionOver."""
    now = now or timezone.now()
    held = _held(session)
    _refuse_if_over(held, now)
    left = Seat.objects.filter(session=held, user=user, state__in=[Seat.State.TAKEN, Seat.State.WAITING])
    if left.update(state=Seat.State.LEFT):
        _let_in(held)


@transaction.atomic
def change_places(*, session: CourseSession, places: int) -> CourseSession:
    """More or fewer places. Who has one keeps it; who waits moves up. Raises BadSession, SessionOver."""
    held = _held(session)
    _refuse_if_over(held, timezone.now())
    if not 1 <= places <= MOST_PLACES:
        raise BadSession(_("A session has 1 to %(most)d places.") % {"most": MOST_PLACES})
    held.places = places
    held.save(update_fields=["places"])
    _let_in(held)
    return held


@transaction.atomic
def cancel(*, session: CourseSession, by: User | None, reason: str = "") -> CourseSession:
    """Call it off; everybody in it and on the list is told. Raises SessionOver."""
    held = _held(session)
    _refuse_if_over(held, timezone.now())
    held.cancelled_at, held.reason = timezone.now(), reason[:200]
    held.save(update_fields=["cancelled_at", "reason"])
    words = {"course": held.teaching.course.title, "time": when(held), "reason": held.reason}
    text = _("The session of “%(course)s”, %(time)s, was called off. %(reason)s") % words
    _tell(held, text.strip(), states=[Seat.State.TAKEN, Seat.State.WAITING], actor=by)
    return held


@transaction.atomic
def mark(*, session: CourseSession, came: set[int], now: dt.datetime | None = None) -> int:
    """Write down who was there, by the keys of people; the others with a place were not. How many came."""
    now = now or timezone.now()
    held = _held(session)
    if held.cancelled_at is not None or held.starts_at > now:
        raise SessionOver(_("Who came is written down once the session has begun."))
    seats = list(held.seats.filter(state__in=Seat.SEATED))
    for seat in seats:
        seat.state = Seat.State.CAME if seat.user_id in came else Seat.State.MISSED
    Seat.objects.bulk_update(seats, ["state"])
    return sum(seat.state == Seat.State.CAME for seat in seats)


def remind(*, now: dt.datetime | None = None) -> int:
    """Tell those who have a place in a session of the next day, once; how many sessions."""
    now = now or timezone.now()
    soon = CourseSession.objects.filter(
        cancelled_at=None, reminded_at=None, starts_at__gt=now, starts_at__lte=now + REMIND_BEFORE
    )
    done = 0
    for pk in soon.values_list("pk", flat=True):
        with transaction.atomic():
            rows = CourseSession.objects.select_for_update(of=("self",), skip_locked=True)
            held = (
                rows.select_related("teaching__lab__place", "teaching__course").filter(pk=pk, reminded_at=None).first()
            )
            if held is None:
                continue
            held.reminded_at = now
            held.save(update_fields=["reminded_at"])
            words = {"course": held.teaching.course.title, "time": when(held), "where": held.where}
            text = _("“%(course)s” is %(time)s. %(where)s") % words
            _tell(held, text.strip(), states=[Seat.State.TAKEN])
            done += 1
    return done


def _held(session: CourseSession) -> CourseSession:
    """The session, locked: joining and leaving come one after another."""
    rows = CourseSession.objects.select_for_update(of=("self",)).select_related(
        "teaching__lab__place", "teaching__course"
    )
    return rows.get(pk=session.pk)


def _refuse_if_over(session: CourseSession, now: dt.datetime) -> None:
    if session.cancelled_at is not None:
        raise SessionOver(_("This session was called off."))
    if session.starts_at <= now:
        raise SessionOver(_("This session has begun."))


def _let_in(session: CourseSession) -> None:
    free = session.places - session.seats.filter(state__in=Seat.SEATED).count()
    if free <= 0:
        return
    waiting = list(session.seats.filter(state=Seat.State.WAITING).select_related("user").order_by("asked_at", "pk"))
    for seat in waiting[:free]:
        seat.state = Seat.State.TAKEN
        seat.save(update_fields=["state"])
        words = {"course": session.teaching.course.title, "time": when(session)}
        text = _("You have a place in “%(course)s”, %(time)s. Leave it if you cannot come.") % words
        tell(people=[seat.user], kind="labs.session", text=text, url=url_of(session))


def _tell(session: CourseSession, text: str, *, states: list[Seat.State], actor: User | None = None) -> None:
    people = User.objects.filter(course_seats__session=session, course_seats__state__in=states)
    tell(people=people, kind="labs.session", text=text, url=url_of(session), actor=actor)
