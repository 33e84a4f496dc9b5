"""What people do with a course: answer its checks, be signed off, confirm, and get the badge."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs import policies
from labs.courses import Judged, Lesson, judge
from labs.errors.learning import BadSignOff, MayNotSign, NotReady, TooSoon
from labs.models import BadgeGrant, CheckAnswer, Course, CourseSession, SignOff, Teaching
from labs.queries import badges as held_badges
from labs.queries import learning
from labs.services import badges
from labs.services.courses import needed_badges

#: After so many wrong answers to one question, each further one waits a little.
FREE_TRIES, WAIT = 3, dt.timedelta(seconds=60)


@transaction.atomic
def answer(
    *, course: Course, lesson: Lesson, user: User, answers: Mapping[str, Sequence[str]], now: dt.datetime | None = None
) -> dict[str, Judged]:
    """Judge what a person answered in a lesson, by the keys of its questions; what is right is remembered.

    Questions that were left empty are not counted. Raises TooSoon after several wrong answers in a row.
    """
    now = now or timezone.now()
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    kept = {row.key: row for row in CheckAnswer.objects.filter(user=user, course=course, key__in=lesson.keys)}
    judged = {check.key: judge(check, answers) for check in lesson.checks}
    if not lesson.checks and "read" in answers:
        judged[lesson.key] = Judged(True)
    for key, found in judged.items():
        row = kept.get(key) or CheckAnswer(user=user, course=course, key=key, lesson=lesson.slug)
        if row.passed_at is not None or not found.given:
            continue
        if row.tries >= FREE_TRIES and now - row.tried_at < WAIT:
            raise TooSoon(_("Several answers were not right yet. Read the lesson again, and answer in a minute."))
        row.tries, row.tried_at, row.commit = row.tries + 1, now, course.commit
        row.passed_at = now if found.right else None
        row.save()
    return judged


@transaction.atomic
def sign_off(
    *,
    teaching: Teaching,
    user: User,
    trainer: User,
    seen: Sequence[int],
    note: str = "",
    session: CourseSession | None = None,
) -> SignOff:
    """A trainer says that a person did everything on the checklist. The person confirms it, then it counts.

    `seen` are the numbers of the checklist's entries. Raises MayNotSign, NotReady, BadSignOff.
    """
    content = teaching.course.content
    if content is None or teaching.ended_at is not None:
        raise NotReady(_("This course is not taught here now."))
    check_trainer(teaching=teaching, trainer=trainer, user=user)
    check_ready(teaching=teaching, user=user)
    if set(seen) != set(range(len(content.checklist))):
        raise BadSignOff(_("Everything on the checklist must have been seen; leave it open until it was."))
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
    SignOff.objects.filter(teaching=teaching, user=user, confirmed_at=None, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    made = SignOff.objects.create(
        teaching=teaching,
        user=user,
        trainer=trainer,
        session=session,
        items=[{"text": text, "seen": True} for text in content.checklist],
        note=note[:400],
        commit=teaching.course.commit,
        version=content.version,
    )
    words = {"trainer": trainer, "course": content.title}
    text = _("%(trainer)s has signed you off for “%(course)s”. Confirm it, and the badge is yours.") % words
    tell(people=[user], kind="labs.sign_off", text=text, url=reverse("rooms:sign_off", args=[made.pk]), actor=trainer)
    return made


def check_trainer(*, teaching: Teaching, trainer: User, user: User) -> None:
    """Raises MayNotSign unless this person may sign off: trains in the lab, has the badge, and is somebody else."""
    if trainer.pk == user.pk:
        raise MayNotSign(_("Nobody signs off for themselves; ask another trainer."))
    if not policies.may_train(trainer, teaching.lab):
        raise MayNotSign(_("Only trainers of %(lab)s sign off here.") % {"lab": teaching.lab.name})
    holds = teaching.badge_id in held_badges.held(trainer, at=timezone.now(), lab=teaching.lab)
    if not holds and not policies.may_manage(trainer, teaching.lab):
        words = {"badge": teaching.badge.name}
        raise MayNotSign(_("You sign off what you hold yourself: earn the badge “%(badge)s” first.") % words)


def check_ready(*, teaching: Teaching, user: User) -> None:
    """Raises NotReady while lessons or earlier badges are missing."""
    content = teaching.course.content
    assert content is not None  # noqa: S101 asked before
    progress = learning.progress(teaching.course, user)
    if not progress.done:
        words = {"person": user, "n": progress.of - progress.passed}
        raise NotReady(_("%(person)s has %(n)d checks of the lessons to pass first.") % words)
    known = needed_badges(teaching.lab, content)
    holds = held_badges.held(user, at=timezone.now(), lab=teaching.lab)
    lacking = [slug for slug in content.needs if slug not in known or known[slug].pk not in holds]
    missing = [known[slug].name if slug in known else slug for slug in lacking]
    if missing:
        words = {"person": user, "badges": ", ".join(missing)}
        raise NotReady(_("%(person)s needs the badge “%(badges)s” first.") % words)


@transaction.atomic
def confirm(*, sign_off: SignOff, by: User) -> BadgeGrant:
    """The person says that it was so, and gets the badge. Raises NotReady when it was withdrawn or done before."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)
    held = SignOff.objects.select_for_update(of=("self",)).get(pk=sign_off.pk)
    held.teaching = sign_off.teaching
    if held.user_id != by.pk or held.withdrawn_at is not None or held.confirmed_at is not None:
        raise NotReady(_("This sign-off is not open; ask the trainer for a new one."))
    if held.teaching.ended_at is not None:
        raise NotReady(_("This course is not taught here now."))
    course = held.teaching.course
    words = {"course": course.title, "version": held.version, "trainer": held.trainer}
    evidence = _("%(course)s %(version)s, signed off by %(trainer)s") % words
    held.confirmed_at = timezone.now()
    held.grant = badges.give(
        badge=held.teaching.badge, user=by, by=held.trainer, given_in=held.teaching.lab, evidence=evidence
    )
    if SignOff.objects.filter(grant=held.grant).exists():  # it lasted as long already
        held.save(update_fields=["confirmed_at"])
    else:
        held.save(update_fields=["confirmed_at", "grant"])
    return held.grant


@transaction.atomic
def withdraw(*, sign_off: SignOff, by: User) -> None:
    """The trainer, or the person, takes an open sign-off back."""
    held = SignOff.objects.select_for_update(of=("self",)).get(pk=sign_off.pk)
    if held.confirmed_at is not None:
        raise NotReady(_("It is confirmed; a badge is taken back at the desk."))
    if held.withdrawn_at is None:
        held.withdrawn_at = timezone.now()
        held.save(update_fields=["withdrawn_at"])
