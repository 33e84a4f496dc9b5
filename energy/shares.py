"""How a saving is shared, for pages: the rules side by side, the person's own share, what the certificate
says in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.web import numbers
from energy import policies, queries
from energy.models import CommunityVersion, Simulation
from energy.queries.simulations import Column

RULES: dict[str, tuple[str | Promise, str | Promise]] = {
    "owen": (gettext_lazy("By value"), gettext_lazy("each trades at the community's own price")),
    "shapley": (gettext_lazy("Shapley"), gettext_lazy("what each adds")),
    "mid-market": (gettext_lazy("Mid-price"), gettext_lazy("one local price, half-way")),
    "proportional": (gettext_lazy("By use"), gettext_lazy("who uses more gets more")),
    "equal": (gettext_lazy("Equal parts"), gettext_lazy("the same for all")),
    "nucleolus": (gettext_lazy("Nucleolus"), gettext_lazy("the least unhappy group is as happy as can be")),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of sharing on the newest data. `own` is the viewer's saving, None when no member is theirs."""

    slug: str
    title: str
    means: str
    simulation: Simulation
    own: float | None

    @property
    def leave(self) -> str:
        """How many groups would leave, in words."""
        sharing = self.simulation.sharing
        count = sharing["blocking_coalitions"]
        if count is None:
            return _("at least one") if sharing["stable"] is False else _("none found")
        return numbers.number(count) if count else _("none")

    @property
    def span(self) -> str:
        """Smallest to largest share."""
        sharing, currency = self.simulation.sharing, self.simulation.version.currency
        low, high = (numbers.money(sharing[name], currency) for name in ("least_saving", "most_saving"))
        return low if low == high else numbers.span(low, high)


@dataclass(frozen=True, slots=True)
class Dot:
    """A member's share on the line from the smallest to the largest, x in 10..470."""

    x: float
    own: bool


@dataclass(frozen=True, slots=True)
class Table:
    """All rules, the one shown, its shares as dots, its certificate in words."""

    rules: Sequence[Rule]
    shown: Rule
    dots: Sequence[Dot]  # for members and stewards: a share is its member's own
    stable: bool | None
    certificate: str
    losers: int

    @property
    def total(self) -> float:
        """What is shared, in the community's currency."""
        return float(self.shown.simulation.sharing["total_saving"])

    @property
    def has_own(self) -> bool:
        """Whether the viewer is a member."""
        return self.shown.own is not None


def table(version: CommunityVersion, viewer: policies.Viewer, asked: str) -> Table | None:
    """The rules under no control, where all of them can be compared; None before any was simulated."""
    found = queries.simulations_by_rule(version, "none") or queries.simulations_by_rule(version, "rule")
    if not found:
        return None
    own = _own_keys(version, viewer)
    order = list(RULES)
    rules = sorted((_rule(s, own) for s in found), key=lambda r: order.index(r.slug))
    shown = next((r for r in rules if r.slug == asked), rules[0])
    sharing = shown.simulation.sharing
    return Table(
        rules,
        shown,
        _dots(shown.simulation, own) if own or policies.sees_exactly(viewer, version) else [],
        sharing["stable"],
        certificate(shown.simulation),
        sharing["losers"],
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One figure over all compared simulations: its value in each, and the difference from the first, in words."""

    title: str
    cells: Sequence[tuple[str, str, str]]


def compared(columns: Sequence[Column], version: CommunityVersion) -> list[Line]:
    """The table of a comparison: one row a figure, (value, difference, good or bad) a column."""
    return [
        Line(str(title), [_cell(column, name, show, better, version) for column in columns])
        for name, title, show, better in COMPARED
        if any(column.totals.get(name) is not None for column in columns)
    ]


def _cell(column: Column, name: str, show: str, better: int, version: CommunityVersion) -> tuple[str, str, str]:
    value, difference = column.totals.get(name), column.differences.get(name)
    words = _words(show, value, version)
    if difference is None:
        return words, "", ""
    plain = _words(show, abs(difference), version)
    if plain == _words(show, 0.0, version):
        return words, _("the same"), ""
    sign = "+" if difference > 0 else numbers.MINUS
    mood = "" if not better else "good" if difference * better > 0 else "warn"
    return words, numbers.points(difference) if show == "percent" else sign + plain, mood


def _words(show: str, value: float | None, version: CommunityVersion) -> str:
    if show == "money":
        return numbers.money(value, version.currency)
    if show == "kg":
        return numbers.with_unit(numbers.number(value), "kg")
    return str(getattr(numbers, show)(value))


#: Figure, title, format, and whether more of it is better (1), worse (-1) or neither.
COMPARED = (
    ("cost", gettext_lazy("Cost"), "money", -1),
    ("import_kwh", gettext_lazy("From the grid"), "kwh", -1),
    ("export_kwh", gettext_lazy("Sent on"), "kwh", 0),
    ("self_consumption", gettext_lazy("Sun used here"), "percent", 1),
    ("self_sufficiency", gettext_lazy("Use from the sun here"), "percent", 1),
    ("peak_import_kw", gettext_lazy("Peak from the grid"), "kw", -1),
    ("co2_kg", gettext_lazy("CO₂ of what is bought"), "kg", -1),
    ("curtailed_kwh", gettext_lazy("Curtailed"), "kwh", -1),
)


def _own_keys(version: CommunityVersion, viewer: policies.Viewer) -> set[str]:
    if not isinstance(viewer, User):
        return set()
    return set(version.members.filter(person=viewer).values_list("key", flat=True))


def _rule(simulation: Simulation, own: set[str]) -> Rule:
    title, means = RULES[simulation.sharing_rule]
    mine = [m["saving"] for m in simulation.members if m["id"] in own]
    return Rule(simulation.sharing_rule, str(title), str(means), simulation, sum(mine) if mine else None)


def _dots(simulation: Simulation, own: set[str]) -> list[Dot]:
    savings = [(float(m["saving"]), m["id"] in own) for m in simulation.members]
    low, high = min(s for s, _own in savings), max(s for s, _own in savings)
    width = (high - low) or 1.0
    return [
        Dot(round(22 + 436 * (saving - low) / width, 1) if high > low else 240.0, mine)
        for saving, mine in sorted(savings)
    ]


def certificate(simulation: Simulation) -> str:
    """What is known about groups that might leave, in one sentence."""
    sharing, currency = simulation.sharing, simulation.version.currency
    checked, worst = sharing["coalitions_checked"], sharing["worst_excess"]
    if sharing["certificate"] == "duality":
        return _(
            "No group of members can do better alone: each trades at the community's own price "
            "in every hour, and that cannot be beaten."
        )
    if sharing["certificate"] == "search" and worst is not None:
        return _("A group was found that would save %(money)s more in the period on its own; there may be others.") % {
            "money": numbers.money(worst, currency)
        }
    if sharing["certificate"] != "enumeration" or worst is None:
        return _(
            "With so many members not every group has been tried under this rule, so nobody knows if one "
            "would do better alone."
        )
    words = {"n": numbers.number(checked), "money": numbers.money(abs(worst), currency)}
    if sharing["stable"]:
        return (
            _("All %(n)s possible groups were tried. The closest would lose %(money)s in the period by going alone.")
            % words
        )
    words["groups"] = numbers.number(sharing["blocking_coalitions"])
    return (
        _(
            "Of %(n)s possible groups, %(groups)s would do better alone; the one with most to gain, by "
            "%(money)s in the period."
        )
        % words
    )


def latest(version: CommunityVersion) -> Simulation | None:
    """The simulation whose sharing stands on the community's page."""
    found = {s.sharing_rule: s for s in queries.simulations_by_rule(version, "none")}
    return found.get("owen") or next(iter(found.values()), None)
