"""A course in a real repository, a lab that teaches it, and people, made by the real services."""

from collections.abc import Mapping
from typing import Any

from commons.people.models import User
from commons.people.services import set_role
from commons.runs.models import Run
from commons.runs.work import do
from designs.models import Design
from designs.services import create_design, write_files
from labs.courses.answers import field
from labs.models import Course, Lab, Teaching
from labs.services import courses, learning
from tests.labs.conftest import person

MANIFEST = """\
title = "{title}"
summary = "Cut without a fire."
badge = "{badge}"
kind = "{kind}"
version = "{version}"
{more}
[practical]
checklist = ["Finds the emergency stop", "Names two materials that never go in"]
"""
LESSON = """\
# Before you cut

Never cut **PVC**.

```check choice
What do you do first when it smokes?
- [ ] Open the lid
- [x] Press the emergency stop
> Air feeds the fire.
```

```check number
How long does the extraction run on, in s?
= 30 ± 5 s
```

```check order
In which order?
1. Extraction on
2. Lid closed
```

```check hazard
What is wrong here?
![A bench](pictures/bench.png)
grid 4 x 3
! B2 The extinguisher is blocked.
```
"""
AFTER = "# After you cut\n\nClean the bed.\n"


def manifest(
    *,
    title: str = "Laser safety",
    badge: str = "laser-safety",
    kind: str = "safety",
    version: str = "1.0",
    more: str = "",
) -> bytes:
    more = more or ("valid_months = 24\n" if kind == "safety" else "")
    return MANIFEST.format(title=title, badge=badge, kind=kind, version=version, more=more).encode()


def files(**facts: str) -> dict[str, bytes]:
    return {
        "course.toml": manifest(**facts),
        "01-before.md": LESSON.encode(),
        "02-after.md": AFTER.encode(),
        "pictures/bench.png": b"\x89PNG\r\n\x1a\n",
        "README.md": b"# A course\n",
    }


def course_design(owner: User, content: Mapping[str, bytes] | None = None, *, name: str = "Laser course") -> Design:
    design = create_design(owner=owner.handle, name=name, licence="CC-BY-SA-4.0", by=owner)
    push(design, owner, dict(content or files()))
    return design


def push(design: Design, by: User, content: Mapping[str, bytes]) -> str:
    return write_files(design=design, files=dict(content), message="Write", author=by, by=by)


def fellow(of: Lab, role: str = "trainer") -> User:
    user = person()
    set_role(organisation=of.organisation, user=user, role=role)
    return user


def teaching(of: Lab, **facts: Any) -> Teaching:
    manager = fellow(of, "manager")
    return courses.teach(lab=of, design=course_design(manager, files(**facts)), by=manager)


def right_answers(course: Course) -> dict[str, list[str]]:
    content = course.content
    assert content is not None
    answers: dict[str, list[str]] = {"read": ["1"]}
    for lesson in content.lessons:
        for check in lesson.checks:
            name = field(check)
            if check.kind == "choice":
                answers[name] = [str(n) for n in check.right]
            elif check.kind == "number":
                answers[name] = [str(check.number)]
            elif check.kind == "order":
                answers |= {f"{name}-{n}": [str(n + 1)] for n in range(len(check.options))}
            else:
                answers[name] = [hazard.cells[0] for hazard in check.hazards]
    return answers


def learn(course: Course, user: User) -> None:
    content = course.content
    assert content is not None
    for lesson in content.lessons:
        learning.answer(course=course, lesson=lesson, user=user, answers=right_answers(course))


def pass_course(taught: Teaching, user: User, trainer: User) -> Any:
    learn(taught.course, user)
    signed = learning.sign_off(teaching=taught, user=user, trainer=trainer, seen=[0, 1])
    return learning.confirm(sign_off=signed, by=user)


def work_off(*kinds: str) -> None:
    """Do what workers would: the waiting runs of these kinds."""
    for run in Run.objects.filter(kind__in=kinds, status="queued").order_by("created_at"):
        do(run.pk)
