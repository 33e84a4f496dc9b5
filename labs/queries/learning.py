"""Reads of courses: which there are, how far a person is, when the next session is, what is missing for a machine."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.sockets import Hit
from designs.policies import Visitor
from designs.queries import visible_to
from labs.engine import trust
from labs.errors.learning import UnknownCourse, UnknownSession, UnknownSignOff
from labs.models import Badge, BadgeGrant, CheckAnswer, Course, CourseSession, Lab, Machine, Seat, SignOff, Teaching
from labs.queries import badges

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Taken(TypedDict):
    """How many places of a session are taken, and who waits."""

    taken: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a course a person has passed, by the version that is taught now."""

    passed: int
    of: int
    keys: frozenset[str] = frozenset()

    @property
    def done(self) -> bool:
        """Whether all of it is passed."""
        return self.of > 0 and self.passed == self.of

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.passed / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """How to come by a badge that is missing: the courses of the lab that give it, and the next session."""

    badge: Badge
    teachings: tuple[Teaching, ...] = ()
    session: "CourseSession | None" = None
    free: int = 0
    progress: Progress | None = None
    sign_off: SignOff | None = None
    elsewhere: bool = field(default=False)


def courses(visitor: Visitor) -> QuerySet[Course]:
    """The courses that somebody teaches and this visitor may see."""
    taught = Teaching.objects.filter(ended_at=None).values("course")
    rows = Course.objects.filter(pk__in=taught, design__in=visible_to(visitor)).exclude(document=None)
    return rows.select_related("design__owner").order_by("title", "pk")


def search(words: str, user: User | None, limit: int) -> Sequence[Hit]:
    """Courses that are taught, whose title, summary or badge hold every word, best first."""
    found = courses(user)
    for word in words.split()[:8]:
        badge = Teaching.objects.filter(ended_at=None, badge__name__icontains=word).values("course")
        found = found.filter(Q(title__icontains=word) | Q(summary__icontains=word) | Q(pk__in=badge))
    return [
        Hit(row.title, reverse("rooms:course", args=[row.design.owner.name, row.design.slug]), row.summary[:80], 0.9)
        for row in found[:limit]
    ]


def find_course(*, owner: str, slug: str, visitor: Visitor) -> Course:
    """The course of that address. Raises UnknownCourse."""
    rows = Course.objects.filter(design__in=visible_to(visitor)).select_related("design__owner")
    found = rows.filter(design__owner__name=owner.lower(), design__slug=slug.lower()).first()
    if found is None:
        raise UnknownCourse(_("There is no course “%(owner)s/%(slug)s”.") % {"owner": owner, "slug": slug})
    return found


def progress(course: Course, user: User | None) -> Progress:
    """How far a person is."""
    return progress_of([course], user)[course.pk]


def progress_of(listed: Iterable[Course], user: User | None) -> dict[int, Progress]:
    """How far a person is with each of these courses, in one question."""
    found = list(listed)
    passed: dict[int, set[str]] = {}
    if user is not None and user.is_authenticated and found:
        rows = CheckAnswer.objects.filter(user=user, course__in=found).exclude(passed_at=None)
        for course, key in rows.values_list("course_id", "key"):
            passed.setdefault(course, set()).add(key)
    return {
        course.pk: Progress(
            len(passed.get(course.pk, set()) & set(course.keys)),
            len(course.keys),
            frozenset(passed.get(course.pk, set()) & set(course.keys)),
        )
        for course in found
    }


def ready(teaching: Teaching) -> list[User]:
    """People who have passed all lessons and have neither the badge nor an open sign-off, first come first."""
    keys = teaching.course.keys
    if not keys:
        return []
    rows = CheckAnswer.objects.filter(course=teaching.course, key__in=keys).exclude(passed_at=None)
    through = rows.values("user").annotate(n=Count("pk")).filter(n=len(keys)).values("user")
    now = timezone.now()
    open_ones = SignOff.objects.filter(teaching=teaching, confirmed_at=None, withdrawn_at=None).values("user")
    rows_of = User.objects.filter(pk__in=through, is_active=True).exclude(pk__in=open_ones).order_by("username")
    people = list(rows_of[:200])
    given = set(BadgeGrant.objects.filter(badge=teaching.badge, user__in=people).values_list("user_id", flat=True))
    return [
        user
        for user in people
        if user.pk not in given or teaching.badge_id not in badges.held(user, at=now, lab=teaching.lab)
    ]


def teachings(lab: Lab | None = None, *, visitor: Visitor = None) -> QuerySet[Teaching]:
    """What labs teach now, of courses that this visitor may see."""
    rows = Teaching.objects.filter(ended_at=None, course__design__in=visible_to(visitor)).select_related(
        "lab__place", "course__design__owner", "badge"
    )
    return (rows if lab is None else rows.filter(lab=lab)).order_by("course__title", "pk")


def find_teaching(lab: Lab, pk: int) -> Teaching:
    """A course of a lab. Raises UnknownCourse."""
    found = Teaching.objects.select_related("lab__place", "course__design__owner", "badge").filter(lab=lab, pk=pk)
    teaching = found.first()
    if teaching is None:
        raise UnknownCourse(_("%(lab)s has no such course.") % {"lab": lab.name})
    return teaching


def sessions() -> "QuerySet[WithAnnotations[CourseSession, Taken]]":
    """Sessions with how many places are taken."""
    return CourseSession.objects.select_related(
        "teaching__lab__place", "teaching__course__design__owner", "teaching__badge", "trainer"
    ).annotate(
        taken=Count("seats", filter=Q(seats__state__in=Seat.SEATED)),
        waiting=Count("seats", filter=Q(seats__state=Seat.State.WAITING)),
    )


def coming(
    *,
    lab: Lab | None = None,
    course: Course | None = None,
    now: dt.datetime | None = None,
    visitor: Visitor = None,
) -> "QuerySet[WithAnnotations[CourseSession, Taken]]":
    """Sessions to come of courses that this visitor may see, soonest first."""
    rows = sessions().filter(cancelled_at=None, ends_at__gt=now or timezone.now(), teaching__ended_at=None)
    rows = rows.filter(teaching__course__design__in=visible_to(visitor))
    if lab is not None:
        rows = rows.filter(teaching__lab=lab)
    if course is not None:
        rows = rows.filter(teaching__course=course)
    return rows.order_by("starts_at", "pk")


def find_session(
    pk: uuid.UUID, lab: Lab | None = None, *, visitor: Visitor = None
) -> "WithAnnotations[CourseSession, Taken]":
    """A session of a course that this visitor may see. Raises UnknownSession."""
    rows = sessions().filter(pk=pk, teaching__course__design__in=visible_to(visitor))
    found = (rows if lab is None else rows.filter(teaching__lab=lab)).first()
    if found is None:
        raise UnknownSession(_("There is no such session."))
    return found


def next_session(
    badge: Badge, lab: Lab, *, now: dt.datetime | None = None, visitor: Visitor = None
) -> "WithAnnotations[CourseSession, Taken] | None":
    """The next session that leads to a badge which the lab believes: with a free place if there is one.

    The lab's own come before those of labs that it believes.
    """
    now = now or timezone.now()
    believed = coming(now=now, visitor=visitor).filter(
        starts_at__gt=now, teaching__badge=badge, teaching__lab__in=_givers(badge, lab)
    )
    rows = list(believed[:50])
    rows.sort(key=lambda one: (one.taken >= one.places, one.teaching.lab_id != lab.pk, one.starts_at))
    return rows[0] if rows else None


def _givers(badge: Badge, lab: Lab) -> list[int]:
    """The labs that teach the badge and that the lab believes about it."""
    asked, now = badges.trust_of([lab.pk])[lab.pk], timezone.now()
    givers = set(Teaching.objects.filter(badge=badge, ended_at=None).values_list("lab_id", flat=True))
    return [giver for giver in givers if trust.believes(asked, trust.Grant(badge.pk, now, giver))]


def ways(*, machine: Machine, user: User | None, at: dt.datetime) -> list[Way]:
    """What the person lacks for a machine, each with how to come by it."""
    now = timezone.now()
    return [way_to(badge, machine.lab, user, now) for badge in badges.missing(machine=machine, user=user, at=at)]


def way_to(badge: Badge, lab: Lab, user: User | None, now: dt.datetime) -> Way:
    """How a person comes by a badge in a lab: its courses there, else those of labs that it believes."""
    rows = teachings(visitor=user).filter(badge=badge)
    own = tuple(rows.filter(lab=lab))
    found = own or tuple(rows.filter(lab__in=_givers(badge, lab)))
    session = next_session(badge, lab, now=now, visitor=user)
    sign_off = None
    if user is not None and user.is_authenticated:
        open_ones = SignOff.objects.filter(user=user, teaching__badge=badge, confirmed_at=None, withdrawn_at=None)
        sign_off = open_ones.first()
    return Way(
        badge,
        found,
        session,
        max(session.places - session.taken, 0) if session else 0,
        progress(found[0].course, user) if found and user is not None else None,
        sign_off,
        bool(found) and not own,
    )


def find_sign_off(pk: uuid.UUID, person: User | None) -> SignOff:
    """A sign-off that concerns the person. Raises UnknownSignOff."""
    rows = SignOff.objects.select_related(
        "teaching__lab__place", "teaching__course__design__owner", "teaching__badge", "trainer", "user"
    )
    found = rows.filter(pk=pk).first()
    if found is None or person is None or person.pk not in {found.user_id, found.trainer_id}:
        raise UnknownSignOff(_("There is no such sign-off, or it is not yours."))
    return found


def seats_of(user: User, now: dt.datetime) -> QuerySet[Seat]:
    """The person's sessions to come."""
    rows = Seat.objects.filter(user=user, state__in=[Seat.State.TAKEN, Seat.State.WAITING])
    rows = rows.filter(session__ends_at__gt=now, session__cancelled_at=None)
    return rows.select_related("session__teaching__lab__place", "session__teaching__course__design__owner").order_by(
        F("session__starts_at")
    )
