"""What adapters hand over: rows that name each other as the old program did, and messages with their line."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Weight(StrEnum):
    """How a message weighs: the row is left out, or it is taken over and something should be known."""

    STOP = "stop"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file: the line of a table, or the number of an object; 0 means the whole file."""

    file: str
    line: int = 0
    column: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something found: where, which sentence (`labs.imports.words`), and the words that fill it."""

    where: Where
    code: str
    weight: Weight = Weight.STOP
    words: Mapping[str, str | int] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        """As it stands in a report."""
        return {
            "file": self.where.file,
            "line": self.where.line,
            "column": self.where.column,
            "code": self.code,
            "weight": str(self.weight),
            "words": dict(self.words),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """A person. `role` is member, trainer or manager; `badges` are names."""

    where: Where
    foreign: str
    email: str
    name: str = ""
    handle: str = ""
    role: str = "member"
    badges: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # all by which other rows may call this person


@dataclass(frozen=True, slots=True)
class Tool:
    """A machine. `facts` are columns of Machine that were said."""

    where: Where
    foreign: str
    name: str
    cls: str
    facts: Mapping[str, object] = field(default_factory=dict)
    badges: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """A badge that a person holds since a time; `person` as the old program names people."""

    where: Where
    foreign: str
    person: str
    badge: str
    at: dt.datetime | None = None


class Kept(StrEnum):
    """What became of a booking in the old program."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    MISSED = "missed"
    USED = "used"  # a log of past use, not a promise: where it meets something, that something stands


@dataclass(frozen=True, slots=True)
class Slot:
    """A machine kept for a person; times in UTC. `kind` is use or maintenance."""

    where: Where
    foreign: str
    tool: str
    person: str
    start: dt.datetime
    end: dt.datetime
    kept: Kept = Kept.BOOKED
    kind: str = "use"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """Things of one sort that cannot be taken over: how many, and why (a code of `labs.imports.words.REASONS`)."""

    model: str
    count: int
    why: str


@dataclass(slots=True)
class Reading:
    """All that an adapter found. `files` says how each was read: name, encoding, delimiter, form of dates, rows."""

    members: list[Member] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    files: list[dict[str, object]] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)

    def say(self, where: Where, code: str, weight: Weight = Weight.STOP, **words: str | int) -> None:
        """Put a message down."""
        self.messages.append(Message(where, code, weight, words))

    def count(self, kind: str, rows: int = 1) -> None:
        """Rows of a kind that stood in the files, good or not."""
        self.read[kind] = self.read.get(kind, 0) + rows
