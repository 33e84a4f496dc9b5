"""The part of OData 4.0 that SensorThings speaks: paths, $filter, $orderby, $select, $expand, read into trees.

Source: OData URL Conventions, its ABNF, as OGC 18-088 9.3 narrows it. Pure Python.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

LONGEST = 4000
DEEPEST = 40


class NotOData(Exception):
    """A text that is not read; `where` is the position of the trouble, from 0."""

    def __init__(self, reason: str, word: str = "", where: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.word, self.where = reason, word, where


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: text, number, truth, null, moment, interval (a pair), day, time of day, duration, or a Shape."""

    value: Any


@dataclass(frozen=True, slots=True)
class Shape:
    """A geometry as well-known text."""

    wkt: str


@dataclass(frozen=True, slots=True)
class Path:
    """Names that lead to a value."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an operator: its name and what it is given."""

    name: str
    given: tuple["Tree", ...]


Tree = Literal | Path | Call

FUNCTIONS = {
    "substringof": (2, 2), "endswith": (2, 2), "startswith": (2, 2), "length": (1, 1), "indexof": (2, 2),
    "substring": (2, 3), "tolower": (1, 1), "toupper": (1, 1), "trim": (1, 1), "concat": (2, 2), "contains": (2, 2),
    "year": (1, 1), "month": (1, 1), "day": (1, 1), "hour": (1, 1), "minute": (1, 1), "second": (1, 1),
    "fractionalseconds": (1, 1), "date": (1, 1), "time": (1, 1), "totaloffsetminutes": (1, 1), "now": (0, 0),
    "mindatetime": (0, 0), "maxdatetime": (0, 0), "round": (1, 1), "floor": (1, 1), "ceiling": (1, 1),
    "geo.distance": (2, 2), "geo.length": (1, 1), "geo.intersects": (2, 2), "st_equals": (2, 2),
    "st_disjoint": (2, 2), "st_touches": (2, 2), "st_within": (2, 2), "st_overlaps": (2, 2), "st_crosses": (2, 2),
    "st_intersects": (2, 2), "st_contains": (2, 2), "st_relate": (3, 3),
}  # fmt: skip
"""The functions of 9.3.3.5.2 with how many arguments they take; `contains` is OData's own name of `substringof`."""

_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<interval>{_MOMENT}/{_MOMENT})
    | (?P<moment>{_MOMENT})
    | (?P<day>\d{{4}}-\d\d-\d\d)
    | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)
    | (?:geography|geometry)'(?:SRID=\d+;)?(?P<shape>[^']*)'
    | duration'(?P<duration>[^']*)'
    | '(?P<text>(?:[^']|'')*)'
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<word>[@A-Za-z_][\w.@]*(?:/[@A-Za-z_][\w.@]*)*)
    | (?P<sign>[(),;=$-])
    )""",
    re.VERBOSE,
)
_LEVELS = (("or",), ("and",), (), ("eq", "ne", "gt", "ge", "lt", "le"), ("add", "sub"), ("mul", "div", "mod"))
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    if len(text) > LONGEST:
        raise NotOData("long", str(LONGEST))
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotOData("token", text[at : at + 12].strip(), at)
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        at = found.end()


def parse(text: str) -> Tree:
    """The tree of a $filter, or of one expression of $orderby. Raises NotOData."""
    reader = _Reader(list(_tokens(text)), len(text))
    tree = reader.level(0)
    if reader.now.kind != "end":
        raise reader.fail("unexpected")
    return tree


class _Reader:
    """Reads tokens by falling precedence."""

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

    def fail(self, reason: str, token: _Token | None = None) -> NotOData:
        token = token or self.now
        return NotOData("end" if token.kind == "end" else reason, token.text, token.at)

    def accept(self, kind: str, text: str) -> bool:
        if (self.now.kind, self.now.text) == (kind, text):
            self.at += 1
            return True
        return False

    def level(self, of: int) -> Tree:
        if of == 2:  # `not` binds tighter than `and`
            return self.negation()
        if of == len(_LEVELS):
            return self.primary()
        tree = self.level(of + 1)
        while self.now.kind == "word" and self.now.text in _LEVELS[of]:
            name = self.take().text
            tree = Call(name, (tree, self.level(of + 1)))
        return tree

    def negation(self) -> Tree:
        if self.now.kind == "word" and self.now.text == "not":
            self.deeper()
            self.take()
            tree = Call("not", (self.negation(),))
            self.depth -= 1
            return tree
        return self.level(3)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("deep")

    def primary(self) -> Tree:
        token = self.take()
        if (token.kind, token.text) == ("sign", "("):
            self.deeper()
            tree = self.level(0)
            if not self.accept("sign", ")"):
                raise self.fail("unexpected")
            self.depth -= 1
            return tree
        if (token.kind, token.text) == ("sign", "-"):
            return Call("sub", (Literal(0.0), self.primary()))
        if token.kind == "word":
            return self.word(token)
        if token.kind in {"end", "sign"}:
            raise self.fail("operand", token)
        return Literal(_value(token))

    def word(self, token: _Token) -> Tree:
        if self.now.kind == "sign" and self.now.text == "(":
            return self.call(token)
        if token.text in {"true", "false"}:
            return Literal(token.text == "true")
        if token.text == "null":
            return Literal(None)
        return Path(tuple(token.text.split("/")))

    def call(self, token: _Token) -> Tree:
        if token.text not in FUNCTIONS:
            raise self.fail("function", token)
        self.deeper()
        self.take()
        given: list[Tree] = []
        while not self.accept("sign", ")"):
            if given and not self.accept("sign", ","):
                raise self.fail("unexpected")
            given.append(self.level(0))
        self.depth -= 1
        few, many = FUNCTIONS[token.text]
        if not few <= len(given) <= many:
            raise NotOData("arguments", token.text, token.at)
        return Call(token.text, tuple(given))


def _value(token: _Token) -> Any:
    try:
        return _VALUES[token.kind](token.text)
    except (ValueError, OverflowError):
        raise NotOData("value", token.text, token.at) from None


def _interval(text: str) -> tuple[dt.datetime, dt.datetime]:
    start, end = text.split("/")
    return (_moment(start), _moment(end))


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


def _duration(text: str) -> dt.timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    parts = {name: float(value) for name, value in found.groupdict().items() if name != "sign" and value}
    return dt.timedelta(**parts) * (-1 if found["sign"] else 1)


_VALUES: dict[str, Callable[[str], Any]] = {
    "number": float,
    "text": lambda text: text.replace("''", "'"),
    "moment": _moment,
    "interval": _interval,
    "day": dt.date.fromisoformat,
    "clock": dt.time.fromisoformat,
    "duration": _duration,
    "shape": Shape,
}


# --- the options -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """One key of $orderby."""

    by: Tree
    falling: bool


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a set or an entity. `expand`: (navigation, its own options); `written`: as it was asked."""

    filter: Tree | None = None
    orderby: tuple[Order, ...] = ()
    select: tuple[str, ...] = ()
    expand: tuple[tuple[str, "Options"], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    written: tuple[tuple[str, str], ...] = field(default=(), compare=False)


_KNOWN = frozenset({"$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count"})
DEEPEST_EXPAND = 5


def options(given: dict[str, str], depth: int = 0) -> Options:
    """The options of a request, or of a part of $expand. Raises NotOData."""
    if depth > DEEPEST_EXPAND:
        raise NotOData("expand-deep", str(DEEPEST_EXPAND))
    asked: dict[str, Any] = {}
    for name, text in given.items():
        if name not in _KNOWN:
            raise NotOData("option", name)
        match name:
            case "$filter":
                asked["filter"] = parse(text)
            case "$orderby":
                asked["orderby"] = tuple(_order(part) for part in split(text, ","))
            case "$select":
                asked["select"] = tuple(part.strip() for part in split(text, ","))
            case "$expand":
                asked["expand"] = tuple(_expand(part, depth) for part in split(text, ","))
            case "$count":
                if text not in {"true", "false"}:
                    raise NotOData("count", text)
                asked["count"] = text == "true"
            case _:
                if not (text.isascii() and text.isdigit() and len(text) <= 9):
                    raise NotOData("number", name)
                asked[name[1:]] = int(text)
    written = tuple((name, text) for name, text in given.items() if name not in {"$skip", "$top"})
    return Options(**asked, written=written)


def _order(text: str) -> Order:
    falling = text.rstrip().endswith(" desc")
    plain = re.sub(r"\s(?:asc|desc)\s*$", "", text)
    return Order(parse(plain), falling)


def _expand(text: str, depth: int) -> tuple[str, Options]:
    path, bracket, rest = text.strip().partition("(")
    inner = options(_pairs(rest[:-1]) if bracket else {}, depth + 1)
    if bracket and not rest.endswith(")"):
        raise NotOData("unexpected", text)
    first, *more = path.split("/")
    if depth + len(more) > DEEPEST_EXPAND:
        raise NotOData("expand-deep", str(DEEPEST_EXPAND))
    for step in reversed(more):
        inner = Options(expand=((step, inner),))
    return first, inner


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in split(text, ";"):
        name, equals, value = part.partition("=")
        if not equals or name.strip() in found:
            raise NotOData("unexpected", part)
        found[name.strip()] = value
    return found


def split(text: str, by: str) -> list[str]:
    """Parts of a text at a letter that stands outside brackets and quotes. Raises NotOData for an empty part."""
    if len(text) > LONGEST:
        raise NotOData("long", str(LONGEST))
    parts, depth, quoted, begin = [], 0, False, 0
    for i, letter in enumerate(text):
        quoted ^= letter == "'"
        if not quoted:
            depth += (letter == "(") - (letter == ")")
            if letter == by and depth == 0:
                parts.append(text[begin:i])
                begin = i + 1
    parts.append(text[begin:])
    if not all(part.strip() for part in parts):
        raise NotOData("end")
    return parts


# --- the path ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A segment of an address: a name, and an id in brackets."""

    name: str
    id: int | None = None
    keyed: bool = False


_STEP = re.compile(r"(?P<name>\$?[A-Za-z@_][\w.]*)(?P<key>\((?P<id>[^()]*)\))?")


def steps(path: str) -> list[Step]:
    """The segments of an address; an id that is no number of ours stands for nothing. Raises NotOData."""
    found = []
    for part in path.strip("/").split("/"):
        read = _STEP.fullmatch(part)
        if read is None:
            raise NotOData("path", part[:60])
        key = (read["id"] or "").strip("'")
        number = int(key) if key.isascii() and key.isdigit() and len(key) <= 18 else None
        found.append(Step(read["name"], number, read["key"] is not None))
    return found
