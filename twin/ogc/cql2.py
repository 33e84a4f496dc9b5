"""CQL2 as text, read into a tree: comparisons, LIKE, BETWEEN, IN, IS NULL, logic, S_INTERSECTS with a point or a box.

Source: OGC 21-065r2, Common Query Language (CQL2), its grammar in Annex B, of which the classes Basic CQL2, Advanced
Comparison Operators and Basic Spatial Functions are read. Pure Python.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LONGEST = 4000
DEEPEST = 60
GEOMETRIES = frozenset(
    {"LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "LINEARRING"}
)

Value = str | float | bool | dt.datetime | dt.date
Box = tuple[float, float, float, float]


class NotCql2(ValueError):
    """A text that is not read; `where` is the position of the trouble, from 0."""

    def __init__(self, reason: str, word: str, where: int) -> None:
        super().__init__(reason)
        self.reason, self.word, self.where = reason, word, where


@dataclass(frozen=True, slots=True)
class Name:
    """A property."""

    name: str


@dataclass(frozen=True, slots=True)
class Given:
    """A literal."""

    value: Value


Operand = Name | Given


@dataclass(frozen=True, slots=True)
class Compared:
    """Two operands and how they are compared."""

    sign: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Like:
    """A text and a pattern with % and _."""

    of: Operand
    pattern: str


@dataclass(frozen=True, slots=True)
class Between:
    """A number between two."""

    of: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """An operand in a list."""

    of: Operand
    among: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """A property without a value."""

    of: Operand


@dataclass(frozen=True, slots=True)
class Intersects:
    """The geometry meets a point (west = east, south = north) or a box."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class Always:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    of: "Tree"


@dataclass(frozen=True, slots=True)
class Joined:
    """AND, or OR, of several."""

    how: Literal["AND", "OR"]
    parts: tuple["Tree", ...]


Tree = Compared | Like | Between | OneOf | IsNull | Intersects | Always | Not | Joined

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | '(?P<text>(?:[^'\\]|''|\\.)*)'
    | "(?P<quoted>[^"]+)"
    | (?P<word>[^\W\d][\w.:]*)
    | (?P<sign><>|<=|>=|<|>|=|\(|\)|,)
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DATE", "TIMESTAMP"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


def parse(text: str) -> Tree:
    """The tree of a filter. Raises NotCql2 with where it went wrong."""
    if len(text) > LONGEST:
        raise NotCql2("long", str(LONGEST), 0)
    return _Reader(list(_tokens(text)), len(text)).whole()


def names(tree: Tree) -> Iterator[str]:
    """Every property that a tree speaks of."""
    match tree:
        case Joined(_, parts):
            for part in parts:
                yield from names(part)
        case Not(of):
            yield from names(of)
        case Intersects(name, _):
            yield name
        case Compared(_, left, right):
            yield from _named(left, right)
        case Like(of, _) | IsNull(of):
            yield from _named(of)
        case Between(of, low, high):
            yield from _named(of, low, high)
        case OneOf(of, among):
            yield from _named(of, *among)


def _named(*operands: Operand) -> Iterator[str]:
    for operand in operands:
        if isinstance(operand, Name):
            yield operand.name


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise NotCql2("token", text[at : at + 12], at)
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        at = found.end()


class _Reader:
    """Reads tokens from left to right; one method for each rule of the grammar."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.end = _Token("end", "", end)

    @property
    def now(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else self.end

    def take(self) -> _Token:
        token = self.now
        self.at += 1
        return token

    def fail(self, reason: str, token: _Token | None = None) -> NotCql2:
        token = token or self.now
        return NotCql2("end" if token.kind == "end" else reason, token.text, token.at)

    def accept(self, word: str) -> bool:
        """Take the keyword or sign if it stands here."""
        if self.now.upper == word or (self.now.kind == "sign" and self.now.text == word):
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.fail("unexpected")

    def whole(self) -> Tree:
        tree = self.either()
        if self.now.kind != "end":
            raise self.fail("unexpected")
        return tree

    def either(self) -> Tree:
        parts = [self.both()]
        while self.accept("OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined("OR", tuple(parts))

    def both(self) -> Tree:
        parts = [self.factor()]
        while self.accept("AND"):
            parts.append(self.factor())
        return parts[0] if len(parts) == 1 else Joined("AND", tuple(parts))

    def factor(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("deep")
        try:
            return Not(self.factor()) if self.accept("NOT") else self.primary()
        finally:
            self.depth -= 1

    def primary(self) -> Tree:
        if self.accept("("):
            tree = self.either()
            self.expect(")")
            return tree
        if self.now.upper == "S_INTERSECTS":
            return self.spatial()
        if self.now.upper in {"TRUE", "FALSE"} and not self.compared_next():
            return Always(self.take().upper == "TRUE")
        return self.predicate(self.operand())

    def compared_next(self) -> bool:
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else self.end
        return after.kind == "sign" and after.text in {"=", "<>", "<", ">", "<=", ">="}

    def predicate(self, of: Operand) -> Tree:
        if self.now.kind == "sign" and self.now.text in {"=", "<>", "<", ">", "<=", ">="}:
            return Compared(self.take().text, of, self.operand())
        if self.accept("IS"):
            negated = self.accept("NOT")
            self.expect("NULL")
            return Not(IsNull(of)) if negated else IsNull(of)
        negated = self.accept("NOT")
        tree = self.advanced(of)
        return Not(tree) if negated else tree

    def advanced(self, of: Operand) -> Tree:
        if self.accept("LIKE"):
            if self.now.kind != "text":
                raise self.fail("pattern")
            return Like(of, _plain(self.take().text))
        if self.accept("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            return Between(of, low, self.operand())
        if self.accept("IN"):
            self.expect("(")
            among = [self.operand()]
            while self.accept(","):
                among.append(self.operand())
            self.expect(")")
            return OneOf(of, tuple(among))
        raise self.fail("comparison")

    def operand(self) -> Operand:
        token = self.take()
        if token.kind == "number":
            return Given(_number(token))
        if token.kind == "text":
            return Given(_plain(token.text))
        if token.kind == "quoted":
            return Name(token.text)
        if token.kind != "word":
            raise self.fail("operand", token)
        if token.upper in {"TRUE", "FALSE"}:
            return Given(token.upper == "TRUE")
        if token.upper in {"DATE", "TIMESTAMP"} and self.accept("("):
            return Given(self.moment(token))
        if token.upper in _KEYWORDS - {"DATE", "TIMESTAMP"}:
            raise self.fail("operand", token)
        if self.now.kind == "sign" and self.now.text == "(":
            raise self.fail("function", token)
        return Name(token.text)

    def moment(self, kind: _Token) -> dt.datetime | dt.date:
        given = self.take()
        if given.kind != "text":
            raise self.fail("moment", given)
        self.expect(")")
        try:
            if kind.upper == "DATE":
                return dt.date.fromisoformat(given.text)
            found = dt.datetime.fromisoformat(given.text)
        except ValueError:
            raise self.fail("moment", given) from None
        if found.tzinfo is None or "T" not in given.text:
            raise self.fail("moment", given)
        return found

    def spatial(self) -> Tree:
        self.take()
        self.expect("(")
        first, second = self.shape(), None
        self.expect(",")
        second = self.shape()
        self.expect(")")
        pair = (first, second) if isinstance(first, str) else (second, first)
        if not isinstance(pair[0], str) or isinstance(pair[1], str):
            raise NotCql2("spatial", "", self.now.at)
        return Intersects(pair[0], pair[1])

    def shape(self) -> str | Box:
        """A property, or the box of a literal."""
        token = self.take()
        if token.kind == "quoted":
            return token.text
        if token.kind != "word":
            raise self.fail("shape", token)
        if token.upper in GEOMETRIES:
            raise self.fail("geometry", token)
        if token.upper in {"POINT", "BBOX"} and self.now.text.upper() == "Z":
            self.take()
        if token.upper == "POINT" and self.accept("("):
            x, y = self.numbers(2, 3, commas=False)[:2]
            return (x, y, x, y)
        if token.upper == "BBOX" and self.accept("("):
            return flat_box(self.numbers(4, 6, commas=True))
        return token.text

    def numbers(self, few: int, many: int, *, commas: bool) -> list[float]:
        """So many numbers up to the closing bracket."""
        began = self.now
        found: list[float] = []
        while not self.accept(")"):
            if found and commas:
                self.expect(",")
            if self.now.kind != "number":
                raise self.fail("number")
            found.append(_number(self.take()))
        if len(found) not in {few, many}:
            raise self.fail("count", began)
        return found


def flat_box(numbers: list[float]) -> Box:
    """West, south, east, north of a box with or without heights."""
    half = len(numbers) // 2
    return (numbers[0], numbers[1], numbers[half], numbers[half + 1])


def _plain(text: str) -> str:
    return text.replace("\\'", "'").replace("''", "'")


def _number(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise NotCql2("number", token.text, token.at)
    return value
