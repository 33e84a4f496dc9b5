"""The demo's courses: made in real repositories, taught by its labs, with sessions, people who learn, and trust."""

import datetime as dt
from collections.abc import Callable, Mapping

from django.utils import timezone

from commons.people.models import Handle, User
from designs.models import Design
from designs.services import create_design, delete_design, index_later, write_files
from labs.courses.answers import field
from labs.demo import lessons
from labs.models import Badge, Course, CourseSession, Lab, Teaching, TrustRule
from labs.queries import badges as held
from labs.queries import learning as queries
from labs.services import badges, courses, learning, sessions, trust

Say = Callable[[str], None]
HOME, OTHER = "kamppi-open-lab", "library-workshop"
#: Which course gives which badge in which lab.
TAUGHT = (
    (HOME, lessons.LASER, "demo-laser"),
    (HOME, lessons.PRINTING, "demo-3d-printing"),
    (OTHER, lessons.PRINTING, "demo-3d-printing"),
)
#: Sessions of the coming weeks: lab, course, days from now, hours of the lab's clock, places, trainer.
SESSIONS = (
    (HOME, lessons.LASER, 3, (17, 19), 6, "otto"),
    (HOME, lessons.LASER, 10, (17, 19), 1, "otto"),
    (HOME, lessons.PRINTING, 5, (16, 17), 4, "otto"),
    (OTHER, lessons.PRINTING, 6, (12, 13), 3, "aino"),
)
LEARNS = "mikko"


def grant(badges_by_slug: Mapping[str, Badge], holds: Mapping[str, list[str]], people: Mapping[str, User]) -> None:
    """What the demo's people have learned, given by the trainers of the first lab; the second believes it."""
    now, home = timezone.now(), Lab.objects.filter(slug=HOME, demo=True).first()
    if home is None:
        return
    _kinds(badges_by_slug)
    for name, slugs in holds.items():
        has = held.held(people[name], at=now, lab=home)
        for slug in slugs:
            if badges_by_slug[slug].pk not in has:
                badges.give(badge=badges_by_slug[slug], user=people[name], by=people["otto"], given_in=home)
    other = Lab.objects.filter(slug=OTHER, demo=True).first()
    printing = badges_by_slug["demo-3d-printing"]
    if other is not None and not TrustRule.objects.filter(lab=other, giver=home).exists():
        trust.add_rule(lab=other, giver=home, badge=printing, by=people["sanna"])


def _kinds(badges_by_slug: Mapping[str, Badge]) -> None:
    """The laser's badge is for safety and ends."""
    laser = badges_by_slug["demo-laser"]
    if laser.valid_months is None:
        laser.kind, laser.valid_months = Badge.Kind.SAFETY, 24
        laser.save(update_fields=["kind", "valid_months"])


def seed(say: Say, people: Mapping[str, User]) -> None:
    """Courses, sessions and people who learn, where they are missing."""
    designs = {slug: _design(slug, content, people["otto"]) for slug, content in lessons.files().items()}
    for lab_slug, course, badge in TAUGHT:
        lab = Lab.objects.filter(slug=lab_slug, demo=True).first()
        design = designs[course]
        if lab is None or design is None or Teaching.objects.filter(lab=lab, course__design=design).exists():
            continue
        made = courses.teach(lab=lab, design=design, by=people["aino"], badge=Badge.objects.get(slug=badge), demo=True)
        say(f"{lab.name} teaches “{made.course.title}”")
    _sessions(people)
    _learner(people[LEARNS])


def _design(slug: str, content: Mapping[str, bytes], author: User) -> Design | None:
    owner = Handle.objects.filter(name=HOME, organisation__demo=True).first()
    if owner is None:
        return None
    found = Design.objects.filter(owner=owner, slug=slug).first()
    if found is None:
        title = next(line.split('"')[1] for line in content["course.toml"].decode().splitlines() if "title" in line)
        found = create_design(owner=owner, name=title, slug=slug, licence="CC-BY-SA-4.0", by=None, demo=True)
        write_files(design=found, files=dict(content), message="The course", author=author, by=None)
        index_later(design=found, by=None)
    return found


def _sessions(people: Mapping[str, User]) -> None:
    now = timezone.now()
    for lab, course, days, (begins, ends), places, trainer in SESSIONS:
        taught = Teaching.objects.filter(lab__slug=lab, lab__demo=True, course__design__slug=course, ended_at=None)
        teaching = taught.select_related("lab__place", "lab__organisation").first()
        if teaching is None or queries.coming(lab=teaching.lab, course=teaching.course, now=now).count() >= 2:
            continue
        day = (now + dt.timedelta(days=days)).astimezone(teaching.lab.zone).date()
        if CourseSession.objects.filter(teaching=teaching, starts_at__date=day).exists():
            continue
        made = sessions.plan(
            teaching=teaching,
            starts_at=dt.datetime.combine(day, dt.time(begins), teaching.lab.zone),
            ends_at=dt.datetime.combine(day, dt.time(ends), teaching.lab.zone),
            places=places,
            trainer=people[trainer],
            where="The room with the red door",
            note="Read the lessons before. Closed shoes, hair tied back.",
            demo=True,
        )
        for name in ("mikko", "sanna"):
            if name != trainer:
                sessions.join(session=made, user=people[name])


def _learner(user: User) -> None:
    """One of them has passed the lessons on lasers, and waits for the practical part."""
    course = Course.objects.filter(design__slug=lessons.LASER, demo=True).first()
    content = course.content if course else None
    if course is None or content is None or queries.progress(course, user).done:
        return
    answers: dict[str, list[str]] = {"read": ["1"]}
    for check in (check for lesson in content.lessons for check in lesson.checks):
        name = field(check)
        answers[name] = [str(n) for n in check.right] or [str(check.number)]
        if check.kind == "hazard":
            answers[name] = [hazard.cells[0] for hazard in check.hazards]
        answers |= {f"{name}-{n}": [str(n + 1)] for n in range(len(check.options))}
    for lesson in content.lessons:
        learning.answer(course=course, lesson=lesson, user=user, answers=answers)


def remove() -> None:
    """The demo's courses go with their repositories; labs, badges and people go elsewhere."""
    for design in Design.objects.filter(demo=True, owner__name=HOME, owner__organisation__demo=True):
        delete_design(design=design, by=None)
