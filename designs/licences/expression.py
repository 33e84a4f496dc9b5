"""SPDX expressions as trees, and the one question that the city asks of them: is it open? Pure, and cheap.

The grammar is SPDX 2.3 annex D: `AND` binds tighter than `OR`, `WITH` names an exception, brackets group. Any word may
stand where a licence does; whether SPDX knows it is asked by `reading.read`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from designs.licences.table import LISTS, OLD_NAMES, OPEN

WORD = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+:_-]+)")
KEYWORDS = frozenset({"AND", "OR", "WITH"})
MAX_DEPTH = 40
MAX_LENGTH = 4000
T = TypeVar("T")
_OPEN = {name.lower() for name in OPEN}
_OLD = {old.lower(): new for old, new in OLD_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One licence, perhaps with an exception that gives more."""

    licence: str
    exception: str = ""

    def __str__(self) -> str:
        return f"{self.licence} WITH {self.exception}" if self.exception else self.licence


@dataclass(frozen=True, slots=True)
class Every:
    """All of them hold at once (AND)."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " AND ".join(f"({part})" if isinstance(part, Either) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """Whoever takes it chooses one (OR)."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(str(part) for part in self.parts)


Node = Leaf | Every | Either


class Unreadable(ValueError):
    """No expression."""


def parse(text: str) -> Node:
    """The tree of an expression. Raises Unreadable."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(text[:80])
    words = list(_words(text))
    node, rest = _either(words, 0, 0)
    if rest != len(words):
        raise Unreadable(text)
    return node


def _words(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = WORD.match(text, at)
        if found is None:
            raise Unreadable(text)
        yield found[1]
        at = found.end()


def _joined(
    words: list[str], at: int, depth: int, keyword: str, inner: Callable[[list[str], int, int], tuple[Node, int]]
) -> tuple[list[Node], int]:
    first, at = inner(words, at, depth)
    parts = [first]
    while at < len(words) and words[at].upper() == keyword:
        part, at = inner(words, at + 1, depth)
        parts.append(part)
    return parts, at


def _either(words: list[str], at: int, depth: int) -> tuple[Node, int]:
    if depth > MAX_DEPTH:
        raise Unreadable("too many brackets")
    parts, at = _joined(words, at, depth, "OR", _every)
    return (parts[0] if len(parts) == 1 else Either(tuple(parts))), at


def _every(words: list[str], at: int, depth: int) -> tuple[Node, int]:
    parts, at = _joined(words, at, depth, "AND", _one)
    return (parts[0] if len(parts) == 1 else Every(tuple(parts))), at


def _one(words: list[str], at: int, depth: int) -> tuple[Node, int]:
    word = words[at] if at < len(words) else ")"
    if word == "(":
        node, at = _either(words, at + 1, depth + 1)
        if at >= len(words) or words[at] != ")":
            raise Unreadable("a bracket is not closed")
        return node, at + 1
    if word == ")" or word.upper() in KEYWORDS:
        raise Unreadable(word)
    if at + 2 < len(words) and words[at + 1].upper() == "WITH" and words[at + 2] not in {"(", ")"}:
        return Leaf(word, words[at + 2]), at + 3
    return Leaf(word), at + 1


def fold(node: Node, *, leaf: Callable[[Leaf], bool], either: Callable[[list[bool]], bool] = any) -> bool:
    """What the tree says when each licence says yes or no: of AND all, of OR one (or what `either` makes of them)."""
    if isinstance(node, Leaf):
        return leaf(node)
    answers = [fold(part, leaf=leaf, either=either) for part in node.parts]
    return all(answers) if isinstance(node, Every) else either(answers)


def leaves(node: Node) -> list[Leaf]:
    """Every licence that is named, in order."""
    return [node] if isinstance(node, Leaf) else [leaf for part in node.parts for leaf in leaves(part)]


def modern(licence: str) -> str:
    """Today's id of a licence whose old one (GPL-3.0, GPL-2.0+) SPDX has withdrawn."""
    return _OLD.get(licence.lower(), licence)


def is_open(expression: str) -> bool:
    """Whether anybody may make, change and sell what is under it: of OR one side must be open, of AND all.

    Open is what OSI, OSHWA or Free Cultural Works list as open. What cannot be read is not open.
    """
    try:
        return fold(parse(expression), leaf=lambda leaf: _is_open(leaf.licence))
    except Unreadable:
        return False


def _is_open(licence: str) -> bool:
    name = modern(licence).lower()
    return name in _OPEN or (name.endswith("+") and name[:-1] in _OPEN)


def lists_of(licence: str) -> tuple[str, ...]:
    """Which of OSI, OSHWA and FCW list the licence."""
    name = modern(licence).lower()
    return tuple(key for key, listed in LISTS.items() if name in {entry.lower() for entry in listed})
