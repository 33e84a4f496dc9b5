"""The flow picture: which source feeds which use at one moment, laid out for an SVG 420 wide.

Sources stand left (solar, battery giving, grid), uses right (homes, labs, shops and public buildings,
vehicles, battery filling, sent on). The sun serves use first, then the battery, then goes out; what the sun
leaves open comes from the battery and the grid in proportion. Within a source all uses get the same mix:
nobody can tell electrons apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from energy.queries.day import Step

WIDTH, LEFT, RIGHT, RADIUS, PITCH = 420.0, 78.0, 342.0, 36.0, 102.0
LABEL = 18.0  # words stand under their circle, so that they may be as long as a language needs
LEAST_KW = 0.005


@dataclass(frozen=True, slots=True)
class Node:
    """A circle: its colour token, icon, words and power."""

    slug: str
    label: str | Promise
    icon: str
    colour: str
    kw: float
    x: float
    y: float

    @property
    def text_y(self) -> float:
        """Where the power is written."""
        return self.y + 14

    @property
    def label_y(self) -> float:
        """Where the words are written."""
        return self.y + RADIUS + LABEL

    @property
    def icon_x(self) -> float:
        """Left of the icon."""
        return self.x - 10

    @property
    def icon_y(self) -> float:
        """Top of the icon."""
        return self.y - 25


@dataclass(frozen=True, slots=True)
class Wire:
    """A line from a source to a use: path, width in px by its power, colour of its source."""

    path: str
    width: str
    colour: str
    kw: float


@dataclass(frozen=True, slots=True)
class Flow:
    """The picture, as high as its longer column needs."""

    nodes: Sequence[Node]
    wires: Sequence[Wire]
    height: float
    width: float = WIDTH
    radius: float = RADIUS


def draw(step: Step, *, keep: "frozenset[str]" = frozenset()) -> Flow:
    """Lay out one step. `keep`: circles that stay while they are nothing, for pages that stand open."""
    sources = [
        ("solar", _("solar"), "sun", "solar", step.solar),
        ("battery", _("batteries"), "battery", "battery", step.discharge),
        ("grid", _("grid"), "energy", "grid", step.grid),
    ]
    uses = [
        ("homes", _("homes"), "city", "load", step.homes),
        ("labs", _("labs"), "labs", "load", step.labs),
        ("others", _("shops, public"), "people", "load", step.others),
        ("vehicles", _("vehicles"), "energy", "ev", step.vehicles),
        ("stored", _("stored"), "battery", "battery", step.charge),
        ("sent", _("sent on"), "out", "export", step.export),
    ]
    given = [s for s in sources if s[4] >= LEAST_KW or s[0] in keep]
    taken = [u for u in uses if u[4] >= LEAST_KW or u[0] in keep]
    height = PITCH * max(len(given), len(taken), 2)
    left, right = _column(given, LEFT, height), _column(taken, RIGHT, height)
    most = max((n.kw for n in (*left, *right)), default=0.0)
    return Flow([*left, *right], _wires(step, left, right, most), height)


def _column(rows: Sequence[tuple[str, Promise, str, str, float]], x: float, height: float) -> list[Node]:
    """Circles at one distance, the column in the middle of the height."""
    first = (height - LABEL - PITCH * (len(rows) - 1)) / 2
    return [
        Node(slug, label, icon, colour, kw, x, round(first + PITCH * i, 1))
        for i, (slug, label, icon, colour, kw) in enumerate(rows)
    ]


def _wires(step: Step, left: Sequence[Node], right: Sequence[Node], most: float) -> list[Wire]:
    used = step.use or 1.0
    share = {
        "solar": max(0.0, step.sun_used) / used,
        "battery": step.discharge / used,
        "grid": step.grid / used,
    }
    total = sum(share.values()) or 1.0
    wires = []
    for source in left:
        for use in right:
            if use.slug in ("stored", "sent"):
                kw = use.kw if source.slug == "solar" else 0.0
            else:
                kw = use.kw * share[source.slug] / total
            if kw >= LEAST_KW:
                wires.append(Wire(_path(source, use), f"{2 + 11 * kw / most:.1f}", _colour(source, use), kw))
    return wires


def _colour(source: Node, use: Node) -> str:
    return use.colour if use.slug in ("stored", "sent") else source.colour


def _path(source: Node, use: Node) -> str:
    start, end = source.x + RADIUS, use.x - RADIUS
    middle = (start + end) / 2
    bend = f"C{middle:.0f} {source.y:.0f} {middle:.0f} {use.y:.0f}"
    return f"M{start:.0f} {source.y:.0f}{bend} {end:.0f} {use.y:.0f}"
