"""Mass and cost of a parts list with the lists of its sub-assemblies, and what is not known of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from designs.bom.lines import Line

MAX_DEPTH = 8
MAX_LINES = 20_000


#: Of these a line has some, not so many parts: 2 m of tube is no two parts.
MEASURES = frozenset({
    "mm", "cm", "dm", "m", "km", "in", "inch", "ft", "mm²", "cm²", "dm²", "m²", "mm2", "cm2", "dm2", "m2",
    "mm³", "cm³", "dm³", "m³", "mm3", "cm3", "dm3", "m3", "ml", "cl", "dl", "l", "mg", "g", "kg", "oz", "lb",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Totals:
    """Of a list or a line: `parts` counts single parts (not metres or litres), `mass_g` and `costs` (by currency) add
    up what is known.

    `mass_unknown` and `cost_unknown` count lines without a mass or a price, those of sub-assemblies too.
    """

    parts: float = 0.0
    lines: int = 0
    mass_g: float = 0.0
    mass_unknown: int = 0
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    cost_unknown: int = 0

    def times(self, quantity: float) -> "Totals":
        """Of that many; what is unknown stays as many lines."""
        each = Decimal(str(quantity))
        costs = {currency: amount * each for currency, amount in self.costs.items()}
        return Totals(
            self.parts * quantity, self.lines, self.mass_g * quantity, self.mass_unknown, costs, self.cost_unknown
        )


def add(several: Iterable[Totals]) -> Totals:
    """The sum of totals."""
    listed, costs = list(several), dict[str, Decimal]()
    for totals in listed:
        for currency, amount in totals.costs.items():
            costs[currency] = costs.get(currency, Decimal(0)) + amount
    return Totals(
        sum(t.parts for t in listed), sum(t.lines for t in listed), sum(t.mass_g for t in listed),
        sum(t.mass_unknown for t in listed), costs, sum(t.cost_unknown for t in listed),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A sub-assembly that was looked up: `key` names design and commit, so that a list inside itself is seen."""

    key: Hashable
    lines: tuple[Line, ...]
    title: str = ""
    url: str = ""


#: Looks up `owner/slug` at a version; a sentence when it cannot be had.
Resolver = Callable[[str, str], Found | str]


@dataclass(frozen=True, slots=True)
class Node:
    """A line with its totals; for a sub-assembly its own lines below, or the `problem` why there are none."""

    line: Line
    totals: Totals
    found: Found | None = None
    children: tuple["Node", ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A list with everything below it."""

    nodes: tuple[Node, ...]
    totals: Totals
    problems: tuple[str, ...] = ()


def roll_up(lines: Iterable[Line], resolve: Resolver, *, key: Hashable = None) -> Rolled:
    """Add up a list whose design and commit are `key`. A mass or price that a line states wins over its sub-assembly's
    own sum; a cycle, a level deeper than 8 or more than 20,000 lines in all are said and not counted.

    Each sub-assembly is read once, so that lists which name each other twice a level cost no more than their lines.
    """
    work = _Work(resolve)
    nodes = tuple(work.node(line, (key,)) for line in lines)
    return Rolled(nodes, add(node.totals for node in nodes), tuple(dict.fromkeys(work.problems)))


class _Work:
    """One adding up: what was looked up, what was added up, what went wrong."""

    def __init__(self, resolve: Resolver) -> None:
        self.resolve = resolve
        self.known: dict[tuple[str, str], Found | str] = {}
        self.done: dict[tuple[Hashable, int], tuple[tuple[Node, ...], Totals]] = {}
        self.problems: list[str] = []
        self.lines = 0

    def node(self, line: Line, above: tuple[Hashable, ...]) -> Node:
        self.lines += 1
        if not line.design:
            return Node(line, _own(line))
        found, problem = self._look(line, above)
        if found is None:
            self.problems.append(problem)
            return Node(line, _own(line), problem=problem)
        children, below = self._below(found, above)
        return Node(line, _merged(line, below), found, children)

    def _look(self, line: Line, above: tuple[Hashable, ...]) -> tuple[Found | None, str]:
        address = (line.design, line.version)
        if address not in self.known:
            self.known[address] = self.resolve(*address)
        found = self.known[address]
        if isinstance(found, str):
            return None, found
        if found.key in above:
            return None, _("“%(name)s” holds itself; it is not counted again.") % {"name": line.design}
        if len(above) >= MAX_DEPTH or self.lines + len(found.lines) > MAX_LINES:
            return None, _("“%(name)s” is too deep inside this list to be counted.") % {"name": line.design}
        return found, ""

    def _below(self, found: Found, above: tuple[Hashable, ...]) -> tuple[tuple[Node, ...], Totals]:
        # What stands above matters only for cycles; a list added up without meeting one is the same everywhere at its
        # depth.
        place = (found.key, len(above))
        if place not in self.done:
            problems = len(self.problems)
            children = tuple(self.node(line, (*above, found.key)) for line in found.lines)
            result = children, add(child.totals for child in children)
            if len(self.problems) > problems:
                return result
            self.done[place] = result
        return self.done[place]


def _own(line: Line) -> Totals:
    each = Totals(
        0.0 if line.unit.lower() in MEASURES else 1.0, 1, line.mass_g or 0.0, int(line.mass_g is None),
        {} if line.cost is None else {line.currency: line.cost}, int(line.cost is None),
    )  # fmt: skip
    if line.quantity is None:
        return Totals(0.0, 1, 0.0, 1, {}, 1)
    return each.times(line.quantity)


def _merged(line: Line, below: Totals) -> Totals:
    """A sub-assembly's totals with what its line states in their place."""
    if line.quantity is None:
        return Totals(0.0, 1, 0.0, 1, {}, 1)
    stated_mass, stated_cost = line.mass_g is not None, line.cost is not None
    return Totals(
        below.parts,
        below.lines + 1,
        (line.mass_g or 0.0) if stated_mass else below.mass_g,
        0 if stated_mass else below.mass_unknown,
        {line.currency: line.cost} if line.cost is not None else below.costs,
        0 if stated_cost else below.cost_unknown,
    ).times(line.quantity)
