"""The plan of a grid as a picture: the transformer left, feeders to the right, each node in the colour of its voltage.

Distances are not to scale: a column is a piece of line. The longest way from the transformer is the straight one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from commons.web import numbers
from energy.engine.network import Network

COLUMN, ROW, LEFT, TOP, RADIUS = 88, 62, 46, 34, 9
#: A shade for each this much from nominal, per cent.
SHADE = 1.5
MOST_NODES = 120


@dataclass(frozen=True, slots=True)
class Dot:
    """A node: where, its shade, its words; `homes` are the members there."""

    id: str
    x: int
    y: int
    css: str
    far: str
    homes: int
    bad: bool

    @property
    def above(self) -> int:
        """Where its name stands."""
        return self.y - RADIUS - 6

    @property
    def below(self) -> int:
        """Where its voltage stands."""
        return self.y + RADIUS + 15


@dataclass(frozen=True, slots=True)
class Wire:
    """A branch: its path, width in px by its loading, whether it is a transformer, a ring's last piece or too full."""

    path: str
    width: str
    css: str
    title: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The picture."""

    dots: Sequence[Dot]
    wires: Sequence[Wire]
    width: int
    height: int


def draw(network: Network, result: Mapping[str, Any], connected: Mapping[str, str]) -> Plan | None:
    """The plan of a check; None where the grid is too large for a picture."""
    if len(network.nodes) > MOST_NODES:
        return None
    spots = _spots(network)
    homes = {node: sum(at == node for at in connected.values()) for node in set(connected.values())}
    nodes = {row["id"]: row for row in result["nodes"]}
    dots = [_dot(node.id, spots[node.id], nodes[node.id], homes.get(node.id, 0)) for node in network.nodes]
    tree = {k for _node, _before, k in network.reached()}
    wires = [
        _wire(spots[a], spots[b], row, k in tree)
        for k, ((a, b), row) in enumerate(zip(network.ends, result["branches"], strict=True))
    ]
    width = LEFT * 2 + COLUMN * max(x for x, _y in spots.values())
    height = TOP * 2 + ROW * max(y for _x, y in spots.values())
    return Plan(dots, wires, width, height)


def _spots(network: Network) -> dict[str, tuple[int, int]]:
    """Column and row of each node."""
    children: dict[int, list[int]] = {}
    order = network.reached()
    for node, before, _k in order:
        if before >= 0:
            children.setdefault(before, []).append(node)
    depth: dict[int, int] = {}
    for node, _before, _k in reversed(order):
        depth[node] = 1 + max((depth[child] for child in children.get(node, ())), default=0)
    spots: dict[int, tuple[int, int]] = {}
    row, to_do = -1, [(order[0][0], 0, True)]
    while to_do:
        node, column, first = to_do.pop()
        row += 1 if column == 0 or not first else 0
        spots[node] = (column, row)
        below = sorted(children.get(node, ()), key=lambda child: -depth[child])
        to_do += [(child, column + 1, i == 0) for i, child in reversed(list(enumerate(below)))]
    return {network.nodes[node].id: spot for node, spot in spots.items()}


def _at(spot: tuple[int, int]) -> tuple[int, int]:
    return LEFT + COLUMN * spot[0], TOP + ROW * spot[1]


def _dot(id: str, spot: tuple[int, int], row: Mapping[str, Any], homes: int) -> Dot:
    x, y = _at(spot)
    far = furthest(row) * 100
    step = min(4, int(abs(far) / SHADE) + 1)
    css = "h-even" if abs(far) < SHADE / 3 else f"h-{'solar' if far > 0 else 'grid'}-{step}"
    return Dot(id, x, y, css, percent(far), homes, abs(far) > 10)


def furthest(row: Mapping[str, Any]) -> float:
    """The voltage of a node that is furthest from nominal, less one."""
    high, low = row["most"] - 1, row["least"] - 1
    return float(high if high >= -low else low)


def percent(far: float) -> str:
    """A difference in per cent with its sign."""
    return numbers.with_unit(numbers.number(far, 1, signed=True), "%")


def _wire(a: tuple[int, int], b: tuple[int, int], row: Mapping[str, Any], in_tree: bool) -> Wire:
    (ax, ay), (bx, by) = sorted((_at(a), _at(b)))
    full = row["most"]
    css = "wire over" if full > 1 else "wire" if in_tree else "wire ring"
    path = f"M{ax} {ay}L{bx} {by}" if ay == by or not in_tree else f"M{ax} {ay}V{by - 16}Q{ax} {by} {ax + 16} {by}H{bx}"
    title = _("%(name)s: at most %(share)s of what is allowed") % {"name": row["id"], "share": numbers.percent(full)}
    return Wire(path, f"{1.5 + 5 * min(1.2, full):.1f}", css, title)


def spans(name: str, top: float, names: Sequence[str]) -> str:
    """What a shade of the year stands for, in per cent; the strongest is open."""
    if name == "even":
        return _("about nothing")
    colour, _dash, step = name.rpartition("-")
    low, high = ((int(step) - i) * top / 4 for i in (1, 0))
    digits = numbers.digits(high, 2, 1) if high else 0
    if int(step) == 4:
        words = _("over %(kw)s") % {"kw": numbers.with_unit(numbers.number(low, digits), "%")}
    else:
        words = numbers.with_unit(numbers.span(numbers.number(low, digits), numbers.number(high, digits)), "%")
    if colour == "grid":
        return _("%(much)s below nominal") % {"much": words}
    if colour == "solar":
        return _("%(much)s above nominal") % {"much": words}
    return _("%(much)s of what is allowed") % {"much": words}
