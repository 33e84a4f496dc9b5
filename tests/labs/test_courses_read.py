"""The reader of courses: every fault by its line, every kind of check judged, nothing that makes it fall."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.courses import Check, judge, read, shuffled
from labs.courses.answers import field
from labs.courses.document import course_of

MANIFEST = """\
title = "Laser safety"
summary = "Cut without a fire."
badge = "laser-safety"
kind = "safety"
version = "1.2"
valid_months = 24
machines = ["laser-cutter"]

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

Text between.

```check number
How long does the extraction run on, in s?
= 30 ± 5 s
```

```python
# ```check choice inside of another block is no check
```

```check order
In which order?
1. Extraction on
2. Lid closed
3. Start
```

```check hazard
What is wrong here?
![A bench with a cable](pictures/bench.png)
grid 6 x 4
! B2 B3 The extinguisher is blocked.
! e4 A cable in the way.
```
"""
PICTURES = frozenset({"pictures/bench.png"})


def files(manifest: str = MANIFEST, **lessons: str) -> dict[str, bytes]:
    named = {name.replace("_", "-").removeprefix("l") + ".md": text for name, text in lessons.items()}
    return {"course.toml": manifest.encode(), **{n: t.encode() for n, t in (named or {"01-a.md": LESSON}).items()}}


def checks() -> dict[str, Check]:
    course, problems = read(files(), PICTURES)
    assert course is not None, problems
    return {check.kind: check for check in course.lessons[0].checks}


def test_a_whole_course() -> None:
    course, problems = read(files(l02_after="# After\n\nClean it.", l01_before=LESSON), PICTURES)
    assert problems == []
    assert course is not None
    assert (course.title, course.kind, course.valid_months, course.major) == ("Laser safety", "safety", 24, 1)
    assert [(lesson.slug, lesson.title) for lesson in course.lessons] == [
        ("before", "Before you cut"),
        ("after", "After"),
    ]
    assert [check.kind for check in course.lessons[0].checks] == ["choice", "number", "order", "hazard"]
    assert [check.line for check in course.lessons[0].checks] == [5, 14, 23, 30]
    texts = [piece.text for piece in course.lessons[0].pieces if piece.text]
    assert texts[0] == "Never cut **PVC**."
    assert "inside of another block" in "".join(texts)
    assert len(course.keys) == 5
    assert course.lessons[0].checks[0].why == "Air feeds the fire."


def test_it_goes_to_json_and_back() -> None:
    course, _problems = read(files(), PICTURES)
    assert course is not None
    assert course_of(json.loads(json.dumps(course.told()))) == course


@pytest.mark.parametrize(
    ("lesson", "line", "words"),
    [
        ("no title", 1, "no title"),
        ("# T\n\n```check\nWhat?\n```", 3, "of one kind"),
        ("# T\n\n```check riddle\nWhat?\n```", 3, "of one kind"),
        ("# T\n\n```check choice\nWhat?\n- [ ] a\n- [ ] b\n```", 3, "No option is right"),
        ("# T\n\n```check choice\nWhat?\n- [x] a\n- [x] b\n```", 3, "nothing to choose"),
        ("# T\n\n```check choice\nWhat?\n- [x] a\n```", 3, "2 to 12"),
        ("# T\n\n```check choice\nWhat?\n- [x] a\n- [ ] b\nand more\n```", 7, "no option"),
        ("# T\n\n```check choice\n- [x] a\n- [ ] b\n```", 3, "asks nothing"),
        ("# T\n\n```check number\nHow many?\n```", 3, "one line such as"),
        ("# T\n\n```check number\nHow many?\n= three\n```", 3, "one line such as"),
        (f"# T\n\n```check number\nHow many?\n= {'9' * 400}\n```", 5, "too large"),
        ("# T\n\n```check order\nHow?\n1. a\n3. b\n```", 6, "numbered"),
        ("# T\n\n```check order\nHow?\n1. a\n2. a\n```", 3, "say the same"),
        ("# T\n\n```check hazard\nWhere?\n![x](no.png)\ngrid 6 x 4\n! A1 This.\n```", 5, "not in the repository"),
        ("# T\n\n```check hazard\nWhere?\n![](pictures/bench.png)\ngrid 6 x 4\n! A1 T.\n```", 5, "cannot see it"),
        ("# T\n\n```check hazard\nWhere?\n![x](pictures/bench.png)\ngrid 99 x 4\n! A1 T.\n```", 6, "2 to 12 columns"),
        ("# T\n\n```check hazard\nWhere?\n![x](pictures/bench.png)\ngrid 6 x 4\n! H1 T.\n```", 7, "not on the grid"),
        ("# T\n\n```check hazard\nWhere?\n```", 3, "one picture"),
        ("# T\n\n```check choice\nWhat?\n- [x] a\n- [ ] b", 3, "no end"),
    ],
)
def test_a_fault_of_a_lesson_by_its_line(lesson: str, line: int, words: str) -> None:
    course, problems = read({"course.toml": MANIFEST.encode(), "01-a.md": lesson.encode()}, PICTURES)
    assert course is None
    assert [(p.path, p.line) for p in problems] == [("01-a.md", line)]
    assert words in problems[0].words


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("title =", "titel ="), 1, "not a word"),
        (('kind = "safety"', 'kind = "risky"'), 4, "safety, competency or optional"),
        (('kind = "safety"', 'kind = "competency"'), 6, "does not end"),
        (("valid_months = 24", "valid_months = 0"), 6, "between 1 and 240"),
        (("valid_months = 24", 'valid_months = "two"'), 6, "wrong kind"),
        (("valid_months = 24", "valid_months = true"), 6, "wrong kind"),
        (('version = "1.2"', 'version = "one"'), 5, "numbers such as"),
        (('badge = "laser-safety"', 'badge = "Laser!"'), 3, "small letters"),
        (('machines = ["laser-cutter"]', "machines = [3]"), 7, "list of texts"),
        (('badge = "laser-safety"', "badge = "), 3, "not TOML"),
        (("checklist = [", "steps = ["), 10, "not a word"),
    ],
)
def test_a_fault_of_the_manifest_by_its_line(change: tuple[str, str], line: int, words: str) -> None:
    course, problems = read(files(MANIFEST.replace(*change)), PICTURES)
    assert course is None
    assert any(p.path == "course.toml" and p.line == line and words in p.words for p in problems), problems


def test_what_else_is_told() -> None:
    assert "no course.toml" in read({})[1][0].words
    assert "no lesson" in read({"course.toml": MANIFEST.encode()})[1][0].words
    latin = read({"course.toml": MANIFEST.encode(), "01-a.md": b"# T\n\nMa\xdfe"})[1]
    assert (3, True) in [(p.line, "UTF-8" in p.words) for p in latin]
    assert any("256 kB" in p.words for p in read(files(l01_a="# T\n" + "x" * 300_000))[1])
    twice = read(files(l01_a=LESSON, l02_b=LESSON), PICTURES)[1]
    assert [(p.path, p.line) for p in twice] == [("02-b.md", n) for n in (5, 14, 23, 30)]
    assert any("same name" in p.words for p in read(files(l01_a=LESSON, l02_a="# B"), PICTURES)[1])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["choice", "number", "order", "hazard", ""]))
def test_whatever_stands_in_a_lesson_it_is_read_or_refused(text: str, kind: str) -> None:
    lesson = f"# T\n\n```check {kind}\n{text}\n```\n".encode("utf-8", "replace")
    course, problems = read({"course.toml": MANIFEST.encode(), "01-a.md": lesson}, PICTURES)
    assert (course is None) == bool(problems)
    last = lesson.decode().count("\n") + 3
    assert all(0 <= p.line <= last + len(text) and p.words for p in problems)


def test_a_question_keeps_its_key_until_it_says_something_else() -> None:
    first = checks()["choice"].key
    moved = LESSON.replace("Never cut **PVC**.", "Never, ever, cut **PVC**.\n\nReally.")
    course, _problems = read(files(l07_b=moved), PICTURES)
    assert course is not None and course.lessons[0].checks[0].key == first
    other, _problems = read(files(l07_b=LESSON.replace("Open the lid", "Run away")), PICTURES)
    assert other is not None and other.lessons[0].checks[0].key != first


def test_choice() -> None:
    check = checks()["choice"]
    name = field(check)
    assert judge(check, {name: ["1"]}).right
    assert not judge(check, {name: ["0"]}).right
    assert not judge(check, {name: ["0", "1"]}).right
    assert not judge(check, {}).given


@pytest.mark.parametrize(
    ("text", "right"),
    [("30", True), ("25", True), ("35", True), ("35.1", False), ("24,9", False), ("30 s", True), ("30 S", True),
     ("30 min", False), ("", False), ("thirty", False), ("1e9", False), (" 30 ", True), ("−30", False)],
)  # fmt: skip
def test_number(text: str, right: bool) -> None:
    check = checks()["number"]
    assert judge(check, {field(check): [text]}).right is right


def test_order() -> None:
    check = checks()["order"]
    name = field(check)
    assert judge(check, {f"{name}-0": ["1"], f"{name}-1": ["2"], f"{name}-2": ["3"]}).right
    half = judge(check, {f"{name}-0": ["1"], f"{name}-1": ["3"], f"{name}-2": ["2"]})
    assert (half.right, half.found, half.of) == (False, 1, 3)
    assert not judge(check, {}).given


@pytest.mark.parametrize(
    ("cells", "right", "found"),
    [
        (["B2", "E4"], True, 2),
        (["B2", "B3", "E4", "A1"], True, 2),
        (["B2", "E4", "A1", "A2"], False, 2),
        (["B2"], False, 1),
        (["Z9", "nonsense"], False, 0),
        ([f"{c}{r}" for c in "ABCDEF" for r in range(1, 5)], False, 2),
    ],
)
def test_hazard(cells: list[str], right: bool, found: int) -> None:
    check = checks()["hazard"]
    judged = judge(check, {field(check): cells})
    assert (judged.right, judged.found, judged.of) == (right, found, 2)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20))
def test_an_order_is_never_shown_solved(seed: str) -> None:
    check = checks()["order"]
    shown = shuffled(check, seed)
    assert sorted(n for n, _words in shown) == [0, 1, 2]
    assert [n for n, _words in shown] != [0, 1, 2]
    assert shown == shuffled(check, seed), "the same person sees the same order"


def test_the_example_of_the_documentation_is_a_course() -> None:
    """What docs/courses.md shows is read without a fault."""
    text = (Path(__file__).parents[2] / "docs" / "courses.md").read_text()
    manifest = text.split("```toml\n")[1].split("\n```")[0]
    lesson = text.split("````markdown\n")[1].split("\n````")[0]
    course, problems = read({"course.toml": manifest.encode(), "01-a.md": lesson.encode()}, PICTURES)
    assert problems == []
    assert course is not None and {check.kind for check in course.lessons[0].checks} == {
        "choice", "number", "order", "hazard",
    }  # fmt: skip
