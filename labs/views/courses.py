"""Courses for those who learn: which there are, one of them, a lesson with its checks, the sign-off."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from designs import markdown
from labs import courses
from labs.courses.answers import field
from labs.courses.blocks import cells_of
from labs.courses.document import Check, Lesson
from labs.errors.learning import UnknownCourse
from labs.models import Badge, BadgeGrant, Course, CourseSession, SignOff
from labs.queries import badges, learning
from labs.services import learning as services
from labs.views.common import page, viewer


@require_safe
def directory(request: HttpRequest) -> HttpResponse:
    """What can I learn?"""
    person, now = viewer(request), timezone.now()
    found = list(learning.courses(person)[:200])
    kind = request.GET.get("kind", "")
    if kind:
        found = [course for course in found if course.kind == kind]
    progress = learning.progress_of(found, person)
    soon: dict[int, CourseSession] = {}
    for session in learning.coming(now=now, visitor=person).filter(teaching__course__in=found):
        soon.setdefault(session.teaching.course_id, session)
    labs: dict[int, list[str]] = {}
    for teaching in learning.teachings(visitor=person).filter(course__in=found):
        labs.setdefault(teaching.course_id, []).append(teaching.lab.name)
    context = {
        "courses": [(course, progress[course.pk], soon.get(course.pk), labs.get(course.pk, [])) for course in found],
        "kind": kind,
        "kinds": Badge.Kind.choices,
    }
    return render(request, "labs/courses.html", context)


@require_safe
def course(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What is this course about, how far am I, and what comes next?"""
    person, now = viewer(request), timezone.now()
    found = learning.find_course(owner=owner, slug=slug, visitor=person)
    progress, content = learning.progress(found, person), found.content
    teachings = list(learning.teachings(visitor=person).filter(course=found))
    held = {one.grant.badge_id: one for one in badges.of_person(person, at=now)}
    open_ones = _open_sign_offs(person, found)
    context = {
        "course": found,
        "content": content,
        "design": found.design,
        "progress": progress,
        "lessons": [
            (lesson, sum(key in progress.keys for key in lesson.keys), len(lesson.keys))
            for lesson in (content.lessons if content else ())
        ],
        "next": _next(content.lessons if content else (), progress.keys),
        "teachings": [(teaching, held.get(teaching.badge_id)) for teaching in teachings],
        "sessions": list(learning.coming(course=found, now=now, visitor=person)[:20]),
        "sign_offs": open_ones,
        "after": None if set(held) & {t.badge_id for t in teachings} else _after(person, found, progress, now),
        "problems": _problems(found),
    }
    return render(request, "labs/course.html", context)


def _after(person: User | None, course: Course, progress: learning.Progress, now: dt.datetime) -> dict[str, Any] | None:
    """What comes after the lessons: the session in which they have a seat, and the next with a place; None before."""
    if person is None or not progress.done:
        return None
    seat = learning.seats_of(person, now).filter(session__teaching__course=course).first()
    free = (one for one in learning.coming(course=course, now=now, visitor=person) if one.taken < one.places)
    return {"seat": seat.session if seat else None, "session": next(free, None)}


def _open_sign_offs(person: Any, course: Course) -> list[SignOff]:
    if person is None:
        return []
    rows = SignOff.objects.filter(user=person, teaching__course=course, confirmed_at=None, withdrawn_at=None)
    return list(rows.select_related("teaching__lab"))


def _next(lessons: tuple[Lesson, ...], passed: frozenset[str]) -> Lesson | None:
    return next((lesson for lesson in lessons if not set(lesson.keys) <= passed), None)


def _problems(course: Course) -> list[dict[str, Any]]:
    return [{**one, "sentence": _(one["words"]) % one["values"]} for one in course.problems]


@require_http_methods(["GET", "HEAD", "POST"])
def lesson(request: HttpRequest, owner: str, slug: str, lesson: str) -> HttpResponse:
    """Read a lesson and answer its checks; works without a script."""
    person = viewer(request)
    found = learning.find_course(owner=owner, slug=slug, visitor=person)
    content = found.content
    lessons = content.lessons if content else ()
    at = next((n for n, one in enumerate(lessons) if one.slug == lesson), None)
    if at is None:
        raise UnknownCourse(_("The course has no such lesson."))
    judged: dict[str, courses.Judged] = {}
    refusal: CityError | None = None
    if request.method == "POST":
        if person is None:
            return redirect(f"{reverse('account_login')}?next={request.path}")
        try:
            given = dict(request.POST.lists())
            judged = services.answer(course=found, lesson=lessons[at], user=person, answers=given)
        except CityError as late:
            refusal = late
    progress = learning.progress(found, person)
    following = lessons[at + 1] if at + 1 < len(lessons) else None
    done = set(lessons[at].keys) <= progress.keys
    if request.method == "POST" and done and refusal is None:
        messages.success(request, _("“%(lesson)s” is done.") % {"lesson": lessons[at].title})
        return redirect("rooms:lesson", owner, slug, lesson)
    context = {
        "course": found,
        "design": found.design,
        "content": content,
        "lesson": lessons[at],
        "number": at + 1,
        "count": len(lessons),
        "before": lessons[at - 1] if at else None,
        "following": following,
        "pieces": [_piece(request, found, piece, judged, progress.keys) for piece in lessons[at].pieces],
        "done": done,
        "passed": sum(key in progress.keys for key in lessons[at].keys),
        "of": len(lessons[at].keys),
        "refusal": refusal,
        "judged": bool(judged),
        "progress": progress,
    }
    status = refusal.status if refusal else 200
    return render(request, "labs/lesson.html", context, status=status)


def _piece(
    request: HttpRequest, course: Course, piece: Any, judged: dict[str, courses.Judged], passed: frozenset[str]
) -> dict[str, Any]:
    design = course.design
    if piece.check is None:
        html = markdown.render(piece.text, owner=design.owner.name, slug=design.slug, ref=course.commit)
        return {"html": html}
    check = piece.check
    return {"check": _shown(request, course, check, judged.get(check.key), check.key in passed)}


def _shown(
    request: HttpRequest, course: Course, check: Check, judged: courses.Judged | None, passed: bool
) -> dict[str, Any]:
    """A check as its form shows it; what was just answered stands in it again."""
    name = field(check)
    given = request.POST if request.method == "POST" else {}
    chosen = set(request.POST.getlist(name)) if given else set()
    person = viewer(request)
    seed = f"{person.pk if person else ''}:{course.pk}"
    options = [
        {
            "value": str(number),
            "words": words,
            "on": str(number) in chosen or (passed and check.kind == "choice" and number in check.right),
            "place": str(number + 1) if passed else given.get(f"{name}-{number}", ""),
            "name": f"{name}-{number}",
        }
        for number, words in courses.shuffled(check, seed)
    ]
    dangerous = {cell for hazard in check.hazards for cell in hazard.cells}
    design = course.design
    return {
        "is": check,
        "name": name,
        "options": options,
        "text": str(check.number).removesuffix(".0") if passed else given.get(name, ""),
        "cells": [
            {"name": cell, "on": cell in chosen or (passed and cell in dangerous)}
            for cell in (cells_of(check.columns, check.rows) if check.kind == "hazard" else ())
        ],
        "places": range(1, len(check.options) + 1),
        "passed": passed,
        "judged": judged if judged is not None and judged.given and not passed else None,
        "picture": reverse("design-raw", args=[design.owner.name, design.slug, course.commit, check.picture])
        if check.picture
        else "",
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_off(request: HttpRequest, sign_off: uuid.UUID) -> HttpResponse:
    """Was it so? The person confirms what the trainer saw, and has the badge."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    found = learning.find_sign_off(sign_off, person)
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "withdraw":
                services.withdraw(sign_off=found, by=person)
                messages.success(request, _("The sign-off was taken back."))
                return redirect(
                    "rooms:course", found.teaching.course.design.owner.name, found.teaching.course.design.slug
                )
            if request.POST.get("do") == "confirm":
                grant: BadgeGrant = services.confirm(sign_off=found, by=person)
                messages.success(request, _("The badge “%(badge)s” is yours.") % {"badge": grant.badge.name})
                return redirect("rooms:my_badges")
        except CityError as fault:
            refusal = fault
    context = {"sign_off": found, "mine": found.user_id == person.pk, "refusal": refusal}
    status = refusal.status if refusal else 200
    return page(request, "labs/sign_off.html", context, lab=found.teaching.lab, status=status)
