"""Reads the files of a course: everything that is wrong is told, each with its file and line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop as say

from labs.courses.blocks import Wrong, fingerprint, read_check
from labs.courses.document import KINDS, Check, Course, Lesson, Piece, Problem

MANIFEST = "course.toml"
LESSON = re.compile(r"\A(?P<number>\d{1,3})-(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)\.md\Z")
VERSION = re.compile(r"\A\d{1,4}(?:\.\d{1,4}){0,2}\Z")
SLUG = re.compile(r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z")
FENCE = re.compile(r"\A {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>.*?)[ \t]*\Z")
HEADING = re.compile(r"\A#{1,2} +(?P<words>.+?)[ #]*\Z")
MAX_FILE, MAX_LESSONS, MAX_CHECKS, MAX_LIST = 256 * 1024, 60, 200, 40
#: The words that a manifest may hold: what they are.
WORDS: dict[str, type] = {
    "title": str, "summary": str, "badge": str, "kind": str, "version": str, "valid_months": int, "language": str,
    "minutes": int, "processes": list, "machines": list, "needs": list, "practical": dict,
}  # fmt: skip
MOST = {"title": 120, "summary": 400, "badge": 60, "kind": 12, "version": 14, "language": 8}


def wanted(path: str) -> bool:
    """Whether a file of the repository belongs to the reading of the course."""
    return path == MANIFEST or LESSON.match(path) is not None


def read(files: Mapping[str, bytes], pictures: frozenset[str] = frozenset()) -> tuple[Course | None, list[Problem]]:
    """The course that these files make, and what is wrong in them; None when it cannot be taught like that.

    `files` are those that are `wanted`, by path; `pictures` the paths of all files, against which pictures are held.
    """
    problems: list[Problem] = []
    if MANIFEST not in files:
        return None, [Problem(MANIFEST, 0, say("There is no course.toml; it says what the course is about."))]
    facts = _manifest(_text(MANIFEST, files[MANIFEST], problems), problems)
    lessons = [
        _lesson(path, _text(path, files[path], problems), problems, pictures)
        for path in sorted(files, key=_place)
        if path != MANIFEST
    ]
    _check_lessons(lessons, problems)
    problems.sort(key=lambda p: (p.path, p.line))
    if problems:
        return None, problems
    return Course(**facts, lessons=tuple(lessons)), []


def _place(path: str) -> tuple[int, str]:
    match = LESSON.match(path)
    return (int(match["number"]) if match else -1, path)


def _text(path: str, raw: bytes, problems: list[Problem]) -> str:
    if len(raw) > MAX_FILE:
        problems.append(Problem(path, 0, say("The file is longer than 256 kB; make several lessons of it.")))
        return ""
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        problems.append(Problem(path, line, say("This line is not UTF-8; save the file as UTF-8.")))
        return ""


def _manifest(text: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        read_facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"at line (\d+)", str(fault))
        line = int(found[1]) if found else text.count("\n") + 1
        problems.append(Problem(MANIFEST, line, say("This is not TOML: %(why)s."), {"why": str(fault)[:120]}))
        return {}

    def wrong(word: str, words: str, **values: str) -> None:
        problems.append(Problem(MANIFEST, _line_of(text, word), words, {"word": word, **values}))

    facts: dict[str, Any] = {}
    for word, value in read_facts.items():
        if word not in WORDS:
            wrong(word, say("“%(word)s” is not a word of a course; take it out."))
        elif type(value) is not WORDS[word]:
            wrong(word, say("“%(word)s” is of the wrong kind; see the example in the documentation."))
        elif isinstance(value, list):
            facts[word] = _list(word, value, wrong)
        else:
            facts[word] = value
    _check_facts(facts, wrong)
    practical = facts.pop("practical", {})
    facts["checklist"] = _list("checklist", practical.get("checklist", []), wrong)
    for word in set(practical) - {"checklist"}:
        wrong(word, say("“%(word)s” is not a word of a course; take it out."))
    return facts


def _check_facts(facts: Mapping[str, Any], wrong: Any) -> None:
    for word in ("title", "badge", "kind", "version"):
        if not str(facts.get(word, "")).strip():
            wrong(word, say("“%(word)s” is missing."))
    for word, most in MOST.items():
        if len(facts.get(word, "")) > most:
            wrong(word, say("“%(word)s” is longer than %(most)s characters."), most=str(most))
    if facts.get("kind") and facts["kind"] not in KINDS:
        wrong("kind", say("“kind” is safety, competency or optional."))
    if facts.get("version") and not VERSION.match(facts["version"]):
        wrong("version", say("“version” is numbers such as 1.0 or 2.1.3."))
    if facts.get("badge") and not SLUG.match(facts["badge"]):
        wrong("badge", say("“badge” is a name in small letters such as laser-safety."))
    if not 1 <= facts.get("valid_months", 1) <= 240:
        wrong("valid_months", say("“valid_months” is between 1 and 240."))
    if facts.get("kind") == "safety" and "valid_months" not in facts:
        wrong("valid_months", say("A safety course says with “valid_months” when its badge ends."))
    if facts.get("kind") == "competency" and "valid_months" in facts:
        wrong("valid_months", say("The badge of a competency course does not end; take “valid_months” out."))
    if not 0 <= facts.get("minutes", 0) <= 10_000:
        wrong("minutes", say("“minutes” is how long the lessons take, at most 10000."))


def _list(word: str, value: Any, wrong: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and 0 < len(one.strip()) <= 200 for one in value):
        wrong(word, say("“%(word)s” is a list of texts of at most 200 characters."))
        return ()
    if len(value) > MAX_LIST:
        wrong(word, say("“%(word)s” has more than 40 entries."))
    return tuple(" ".join(one.split()) for one in value[:MAX_LIST])


def _line_of(text: str, word: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"\s*\[?\s*[\"']?{re.escape(word)}[\"']?\s*[=\].]", line):
            return number
    return 0


def _lesson(path: str, text: str, problems: list[Problem], pictures: frozenset[str]) -> Lesson:
    match = LESSON.match(path)
    assert match is not None  # noqa: S101 only wanted files come here
    title, pieces = "", []
    for block in _blocks(text.splitlines()):
        if block.info is None:
            first = next((found["words"] for line in block.lines if (found := HEADING.match(line))), "")
            if first and not title:
                title = first
                at = next(n for n, line in enumerate(block.lines) if HEADING.match(line))
                block.lines.pop(at)
            if any(line.strip() for line in block.lines):
                pieces.append(Piece(text="\n".join(block.lines).strip("\n")))
            continue
        if not block.closed:
            problems.append(Problem(path, block.line, say("This check has no end; close it with ```.")))
        try:
            pieces.append(Piece(check=read_check(block.info, block.lines, block.line, pictures)))
        except Wrong as wrong:
            problems.append(Problem(path, wrong.line, wrong.words, wrong.values))
    if not title:
        problems.append(
            Problem(path, 1, say("The lesson has no title; begin it with a line such as # Before you cut."))
        )
    return Lesson(match["slug"], path, title[:120], tuple(pieces), fingerprint("read", text))


class _Block:
    """Lines of a lesson: Markdown when `info` is None, else what stands inside of a check."""

    def __init__(self, line: int, info: str | None) -> None:
        self.line, self.info, self.lines, self.closed = line, info, list[str](), info is None


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Cut a lesson at its checks. Other fenced blocks are Markdown, also when a check is shown inside of one."""
    block, fence = _Block(1, None), ""
    for number, line in enumerate(lines, start=1):
        match = FENCE.match(line)
        if fence:
            ends = match and not match["info"] and match["fence"][0] == fence[0] and len(match["fence"]) >= len(fence)
            if block.info is None or not ends:
                block.lines.append(line)
            if ends:
                fence = ""
                if block.info is not None:
                    block.closed = True
                    yield block
                    block = _Block(number + 1, None)
        elif match:
            fence = match["fence"]
            if match["info"].split()[:1] == ["check"]:
                yield block
                block = _Block(number, match["info"])
            else:
                block.lines.append(line)
        else:
            block.lines.append(line)
    yield block


def _check_lessons(lessons: list[Lesson], problems: list[Problem]) -> None:
    if not lessons:
        words = say("There is no lesson; add one such as 01-before-you-begin.md beside course.toml.")
        problems.append(Problem(MANIFEST, 0, words))
    if len(lessons) > MAX_LESSONS:
        problems.append(Problem(MANIFEST, 0, say("There are more than 60 lessons; make two courses of them.")))
    slugs: dict[str, str] = {}
    keys: dict[str, Check] = {}
    for lesson in lessons:
        if lesson.slug in slugs:
            words = say("Another lesson has the same name after its number: %(other)s.")
            problems.append(Problem(lesson.path, 0, words, {"other": slugs[lesson.slug]}))
        slugs.setdefault(lesson.slug, lesson.path)
        for check in lesson.checks:
            if check.key in keys:
                problems.append(Problem(lesson.path, check.line, say("The same check stands twice in the course.")))
            keys[check.key] = check
    if len(keys) > MAX_CHECKS:
        problems.append(Problem(MANIFEST, 0, say("There are more than 200 checks; make two courses of them.")))
