"""Courses: reading their repository, having a lab teach one, asking for renewal."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from designs import git
from designs.errors import DesignNotFound
from designs.git.repository import Entry, Repository
from designs.models import Design
from designs.queries import releases
from labs import courses
from labs.courses import reading
from labs.courses.document import Course as Document
from labs.courses.document import Problem
from labs.errors.learning import BadCourse
from labs.models import Badge, BadgeGrant, Course, Lab, Renewal, Teaching

MOST_FILES = 20_000
MOST_GRACE_DAYS = 730


def taught_commit(design: Design) -> str:
    """The version that is taught: the newest release, else the newest commit of the main branch, or nothing."""
    released = releases.newest(design)
    return released.commit if released else git.of(design.repository).head(design.default_branch)


def read_at(design: Design, commit: str) -> tuple[Document | None, list[Problem]]:
    """Read the course of a version from its repository. Lessons and the manifest alone are read; the rest is named."""
    repository = git.of(design.repository)
    entries = [entry for entry in repository.files(commit)[:MOST_FILES] if not entry.is_symlink]
    wanted = [entry for entry in entries if reading.wanted(entry.path)][: reading.MAX_LESSONS + 2]
    return courses.read(
        {entry.path: _bytes(repository, entry) for entry in wanted}, frozenset(entry.path for entry in entries)
    )


def _bytes(repository: Repository, entry: Entry) -> bytes:
    """The file, or more than is allowed of it: the reader then says that it is too long."""
    if entry.size > reading.MAX_FILE:
        return b" " * (reading.MAX_FILE + 1)
    return repository.read(entry.oid, limit=reading.MAX_FILE)


def refresh(*, course: Course) -> Course:
    """Read the taught version if it is another than before. One with faults is told of, and not taught."""
    design = course.design
    commit = taught_commit(design)
    if commit in {course.commit, course.problems_at} or not commit:
        return course
    content, problems = read_at(design, commit)
    with transaction.atomic():
        held = Course.objects.select_for_update(of=("self",)).get(pk=course.pk)
        if content is None:
            held.problems, held.problems_at = [_told(p) for p in problems], commit
            held.save(update_fields=["problems", "problems_at"])
        else:
            _write(held, content, commit)
    return held


def _told(problem: Problem) -> dict[str, Any]:
    return {"path": problem.path, "line": problem.line, "words": problem.words, "values": problem.values}


def _write(course: Course, content: Document, commit: str) -> None:
    course.document, course.commit = content.told(), commit
    course.problems, course.problems_at = [], ""
    course.title, course.summary, course.kind = content.title, content.summary, content.kind
    course.version, course.language, course.minutes = content.version, content.language, content.minutes
    course.machines, course.keys = list(content.machines), list(content.keys)
    course.read_at = timezone.now()
    course.save()


@transaction.atomic
def teach(*, lab: Lab, design: Design, by: User | None, badge: Badge | None = None, demo: bool = False) -> Teaching:
    """Have a lab teach the course of a design; who passes it there gets the badge of that lab.

    Without a badge the lab's own of the course's name is taken, or made. Raises BadCourse, with `problems`.
    """
    course = _course_of(design, demo=demo)
    content = course.content
    if content is None:
        raise BadCourse(
            _("The files of %(design)s are no course yet; see what is wrong below.") % {"design": design.name},
            problems=course.problems or [_told(Problem(reading.MANIFEST, 0, "The design holds nothing yet."))],
        )
    _check_needs(lab, content)
    badge = badge or _badge_of(lab, content, demo=demo)
    if Teaching.objects.filter(lab=lab, badge=badge, ended_at=None).exclude(course=course).exists():
        words = {"lab": lab.name, "badge": badge.name}
        raise BadCourse(_("%(lab)s has another course that gives the badge “%(badge)s”.") % words, problems=[])
    teaching, _made = Teaching.objects.update_or_create(
        lab=lab,
        course=course,
        defaults={"badge": badge, "by": by, "ended_at": None, "major": content.major},
    )
    return teaching


def _course_of(design: Design, *, demo: bool) -> Course:
    if not taught_commit(design):
        words = {"design": design.name}
        raise BadCourse(_("%(design)s holds no file yet; add course.toml and a first lesson.") % words, problems=[])
    course, _made = Course.objects.get_or_create(design=design, defaults={"demo": demo})
    course = refresh(course=course)
    return course


def _badge_of(lab: Lab, content: Document, *, demo: bool) -> Badge:
    slug = (
        content.badge if not Badge.objects.filter(slug=content.badge).exists() else f"{lab.slug}-{content.badge}"[:60]
    )
    own = Badge.objects.filter(lab=lab, slug=slug).first()
    return own or Badge.objects.create(
        slug=slug,
        lab=lab,
        name=content.title,
        about=content.summary,
        kind=content.kind,
        valid_months=content.valid_months,
        demo=demo,
    )


def _check_needs(lab: Lab, content: Document) -> None:
    known = needed_badges(lab, content)
    for slug in content.needs:
        if slug not in known:
            words = {"badge": slug, "lab": lab.name}
            raise BadCourse(
                _("The course needs the badge “%(badge)s” first, and %(lab)s knows none of that name; teach it first.")
                % words,
                problems=[],
            )


def needed_badges(lab: Lab, content: Document) -> dict[str, Badge]:
    """The badges of a lab by the names that the course calls them: what its courses give, else by their own name."""
    found = {badge.slug: badge for badge in Badge.objects.filter(slug__in=content.needs)}
    for teaching in Teaching.objects.filter(lab=lab, ended_at=None).select_related("badge", "course"):
        name = (teaching.course.document or {}).get("badge")
        if name in content.needs:
            found[name] = teaching.badge
    return found


@transaction.atomic
def stop_teaching(*, teaching: Teaching) -> None:
    """The lab no longer teaches it; what was given stays."""
    Teaching.objects.filter(pk=teaching.pk).update(ended_at=timezone.now())


def accept_version(*, teaching: Teaching) -> None:
    """The lab has seen the new version, and asks nobody to renew."""
    content = teaching.course.content
    if content is not None:
        Teaching.objects.filter(pk=teaching.pk).update(major=content.major)


@transaction.atomic
def ask_renewal(*, teaching: Teaching, by: User | None, days: int, reason: str = "") -> Renewal:
    """Ask all who have the badge of this lab to earn it again within so many days. They are told."""
    if not 0 <= days <= MOST_GRACE_DAYS:
        raise BadCourse(_("Give people between 0 and %(most)d days.") % {"most": MOST_GRACE_DAYS}, problems=[])
    now = timezone.now()
    content = teaching.course.content
    asked = Renewal.objects.create(
        teaching=teaching,
        badge=teaching.badge,
        lab=teaching.lab,
        version=content.version if content else "",
        asked_at=now,
        until=now + dt.timedelta(days=days),
        reason=reason[:200],
        by=by,
    )
    Teaching.objects.filter(pk=teaching.pk).update(major=content.major if content else teaching.major)
    grants = BadgeGrant.objects.filter(badge=teaching.badge, given_in=teaching.lab, revoked_at=None)
    people = User.objects.filter(pk__in=grants.values("user"))
    words = {"badge": teaching.badge.name, "lab": teaching.lab.name, "days": days}
    text = _("%(lab)s asks that the badge “%(badge)s” is renewed within %(days)d days.") % words
    tell(people=people, kind="labs.renewal", text=text, url=course_url(teaching.course), actor=by)
    return asked


def course_url(course: Course) -> str:
    """The page of a course."""
    return reverse("rooms:course", args=[course.design.owner.name, course.design.slug])


def design_changed(design: Design) -> None:
    """A push or a release came: read the course again, if the design is one."""
    course = Course.objects.filter(design=design).select_related("design__owner").first()
    if course is not None:
        try:
            refresh(course=course)
        except DesignNotFound:
            return
