"""What a course is once it is read. All of it goes to JSON and back, so that a page of a course asks no git."""

from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("safety", "competency", "optional")
CHECKS = ("choice", "number", "order", "hazard")
#: A lesson without checks is done when the person says that it was read.
READ = "read"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file, at which line (1 is the first; 0 is the file as a whole), and what to do.

    `words` is a sentence of the catalogue of translations with places for `values`.
    """

    path: str
    line: int
    words: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hazard:
    """A danger on a picture: the fields of the grid that show it, and what it is."""

    cells: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Check:
    """A question. `key` is made of what it says, so that an answer stays good for as long as the question does.

    choice: `options`, of which `right` are the numbers of the right ones. number: `number` ± `tolerance` in `unit`.
    order: `options` in the right order. hazard: a `picture` under a grid of `columns` x `rows`, with `hazards`.
    """

    key: str
    kind: str
    question: str
    line: int = 0
    why: str = ""
    options: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    number: float = 0.0
    tolerance: float = 0.0
    unit: str = ""
    picture: str = ""
    alt: str = ""
    columns: int = 0
    rows: int = 0
    hazards: tuple[Hazard, ...] = ()

    @property
    def many(self) -> bool:
        """Whether several options may be right."""
        return len(self.right) > 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a lesson: Markdown, or a check."""

    text: str = ""
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A file of the course. Its slug is its name without the number and the ending."""

    slug: str
    path: str
    title: str
    pieces: tuple[Piece, ...]
    key: str

    @property
    def checks(self) -> tuple[Check, ...]:
        """Its checks, in order."""
        return tuple(piece.check for piece in self.pieces if piece.check is not None)

    @property
    def keys(self) -> tuple[str, ...]:
        """What must be passed for the lesson to be done."""
        return tuple(check.key for check in self.checks) or (self.key,)


@dataclass(frozen=True, slots=True)
class Course:
    """A whole course. `valid_months` None: its badge does not end."""

    title: str = ""
    summary: str = ""
    badge: str = ""
    kind: str = "competency"
    version: str = "1.0"
    valid_months: int | None = None
    language: str = "en"
    minutes: int = 0
    processes: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    lessons: tuple[Lesson, ...] = ()

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that must be passed."""
        return tuple(key for lesson in self.lessons for key in lesson.keys)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def course_of(told: dict[str, Any]) -> Course:
    """The course that was told as JSON."""
    lessons = tuple(
        Lesson(**{**lesson, "pieces": tuple(Piece(p["text"], _check(p["check"])) for p in lesson["pieces"])})
        for lesson in told["lessons"]
    )
    lists = {name: tuple(told[name]) for name in ("processes", "machines", "needs", "checklist")}
    return Course(**{**told, **lists, "lessons": lessons})


def _check(told: dict[str, Any] | None) -> Check | None:
    if told is None:
        return None
    hazards = tuple(Hazard(tuple(one["cells"]), one["words"]) for one in told["hazards"])
    return Check(**{**told, "options": tuple(told["options"]), "right": tuple(told["right"]), "hazards": hazards})
