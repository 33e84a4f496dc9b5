"""A filter's tree as a condition of PostgreSQL. Names become our own expressions, values parameters; a property without
a value makes a comparison unknown, as CQL2 wants it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput
from twin.ogc import cql2

GEOMETRY = "geometry"


class Asked(Protocol):
    """What a property is, as far as a condition needs it."""

    @property
    def type(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def sql(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of SQL and the values of its %s."""

    sql: str
    values: tuple[Any, ...] = ()


Within = Callable[[str, cql2.Box], list[int]]

_REASONS: Mapping[str, str | Promise] = {
    "long": gettext_lazy("The filter is longer than %(word)s letters."),
    "deep": gettext_lazy("The filter has too many brackets within brackets."),
    "token": gettext_lazy("At letter %(where)d: “%(word)s” cannot be read."),
    "end": gettext_lazy("The filter ends too early."),
    "unexpected": gettext_lazy("At letter %(where)d: “%(word)s” cannot stand here."),
    "pattern": gettext_lazy("At letter %(where)d: LIKE wants a text in single quotes, such as '%%kirja%%'."),
    "comparison": gettext_lazy("At letter %(where)d: a comparison is expected, such as height_m > 20."),
    "operand": gettext_lazy("At letter %(where)d: a property or a value is expected, not “%(word)s”."),
    "function": gettext_lazy("At letter %(where)d: S_INTERSECTS is the only function here, not “%(word)s”."),
    "moment": gettext_lazy(
        "At letter %(where)d: “%(word)s” is no moment such as DATE('2026-11-23') or TIMESTAMP('2026-11-23T08:00:00Z')."
    ),
    "spatial": gettext_lazy("S_INTERSECTS compares the property “geometry” with a point or a box."),
    "shape": gettext_lazy("At letter %(where)d: a point or a box is expected."),
    "geometry": gettext_lazy("At letter %(where)d: only POINT and BBOX are read, not “%(word)s”."),
    "number": gettext_lazy("At letter %(where)d: a number is expected."),
    "count": gettext_lazy("At letter %(where)d: a point has 2 or 3 numbers, a box 4 or 6."),
}


def read(text: str) -> cql2.Tree:
    """The tree of a filter. Raises BadInput with a sentence and the letter where it went wrong."""
    try:
        return cql2.parse(text)
    except cql2.NotCql2 as trouble:
        words = {"word": trouble.word, "where": trouble.where + 1}
        raise BadInput(str(_REASONS[trouble.reason]) % words, where="filter") from trouble


def condition(tree: cql2.Tree, known: Mapping[str, Asked], within: Within) -> Condition:
    """The condition of a tree. Raises BadInput for a property that there is not, or values of another kind."""
    return _Maker(known, within).make(tree)


@dataclass(frozen=True, slots=True)
class _Maker:
    known: Mapping[str, Asked]
    within: Within

    def make(self, tree: cql2.Tree) -> Condition:
        """Logic; what is not logic compares."""
        match tree:
            case cql2.Joined(how, parts):
                return _joined(f" {how} ", [self.make(part) for part in parts])
            case cql2.Not(of):
                inner = self.make(of)
                return Condition(f"(NOT {inner.sql})", inner.values)
            case cql2.Always(value):
                return Condition("TRUE" if value else "FALSE")
            case cql2.Intersects(name, box):
                return self.met(name, box)
        return self.compared(tree)

    def compared(self, tree: cql2.Compared | cql2.Like | cql2.Between | cql2.OneOf | cql2.IsNull) -> Condition:
        match tree:
            case cql2.IsNull(of):
                return Condition("FALSE") if of == cql2.Name(GEOMETRY) else self.formed("({} IS NULL)", of)
            case cql2.Like(of, pattern):
                return self.like(of, pattern)
            case cql2.Compared(sign, left, right):
                return self.formed(f"({{}} {sign} {{}})", left, right)
            case cql2.Between(of, low, high):
                for operand in (of, low, high):
                    self.want(operand, "number")
                return self.formed("({} BETWEEN {} AND {})", of, low, high)
            case cql2.OneOf(of, among):
                return self.formed("({} IN (" + ", ".join("{}" for _each in among) + "))", of, *among)

    def met(self, name: str, box: cql2.Box) -> Condition:
        if name != GEOMETRY:
            raise self.unknown(name)
        return Condition("t.id = ANY(%s)", (self.within(name, box),))

    def like(self, of: cql2.Operand, pattern: str) -> Condition:
        self.want(of, "string")
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise BadInput(_("A pattern cannot end with a lone backslash."), where="filter")
        made = self.operand(of)
        return Condition(f"({made.sql} LIKE %s)", (*made.values, pattern))

    def unknown(self, name: str) -> BadInput:
        return BadInput(
            _("There is no property “%(name)s” to filter by; there are %(all)s.")
            % {"name": name[:60], "all": ", ".join((*self.known, GEOMETRY))},
            where="filter",
        )

    def kind(self, operand: cql2.Operand) -> str:
        """“string”, “number”, “boolean” or “moment”."""
        if isinstance(operand, cql2.Name):
            if operand.name not in self.known:
                raise self.unknown(operand.name)
            asked = self.known[operand.name]
            return "moment" if asked.format else asked.type
        value = operand.value
        if isinstance(value, bool):
            return "boolean"
        return "number" if isinstance(value, float) else "string" if isinstance(value, str) else "moment"

    def want(self, operand: cql2.Operand, kind: str) -> None:
        if self.kind(operand) != kind:
            raise BadInput(_("A text is compared with a text, and a number with a number."), where="filter")

    def formed(self, form: str, *operands: cql2.Operand) -> Condition:
        """The operands, all of one kind, put into a form."""
        kinds = {self.kind(operand) for operand in operands}
        if len(kinds) > 1:
            raise BadInput(
                _("A comparison is of one kind of value; here stand %(kinds)s.") % {"kinds": ", ".join(sorted(kinds))},
                where="filter",
            )
        made = [self.operand(operand) for operand in operands]
        return Condition(form.format(*(m.sql for m in made)), tuple(v for m in made for v in m.values))

    def operand(self, operand: cql2.Operand) -> Condition:
        self.kind(operand)
        if isinstance(operand, cql2.Name):
            return Condition(f"({self.known[operand.name].sql})")
        value = operand.value
        if isinstance(value, bool):
            return Condition("%s::boolean", (value,))
        if isinstance(value, float):
            return Condition("%s::double precision", (value,))
        if isinstance(value, str):
            return Condition("%s::text", (value,))
        if not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time.min, dt.UTC)
        return Condition("%s::timestamptz", (value,))


def _joined(how: str, parts: list[Condition]) -> Condition:
    return Condition("(" + how.join(p.sql for p in parts) + ")", tuple(v for p in parts for v in p.values))
