"""How a saving is shared, for pages: the rules side by side, the person's own share, and in words what is known of
groups that might leave, with names only of members whom the reader may know.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commons.people.models import User
from commons.web import numbers
from energy import policies, queries
from energy.models import CommunityVersion, Member, Simulation
from energy.queries.simulations import Column

Words = str | Promise
#: Controls under which sharing is compared, and what they are called on the page.
CONTROLS: dict[str, Words] = {
    "none": gettext_lazy("without storage"),
    "optimal": gettext_lazy("with storage run in the best way"),
    "rule": gettext_lazy("with storage run by rule"),
}
SHORT: dict[str, Words] = {
    "none": gettext_lazy("No storage"),
    "optimal": gettext_lazy("Storage at its best"),
    "rule": gettext_lazy("By rule"),
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A rule in a title, a few words, a plain explanation, and exactly."""

    title: Words
    means: Words
    plain: Words
    exact: Words


RULES: dict[str, Meaning] = {
    "owen": Meaning(
        gettext_lazy("By value"),
        gettext_lazy("each trades at the community's own price"),
        gettext_lazy(
            "In every hour power has one price inside the community: dear while it is short, cheap while it has more "
            "than it uses. Everybody buys and sells at that price, so who helps when help is worth most earns most."
        ),
        gettext_lazy(
            "The price of a step is the dual of its energy balance (Owen 1975): the import price while the community "
            "imports, the export price while it exports; with storage the duals of the linear programme, which also "
            "say what each storage earns. No group of members can pay less than its bill at these prices."
        ),
    ),
    "shapley": Meaning(
        gettext_lazy("Shapley"),
        gettext_lazy("what each adds"),
        gettext_lazy(
            "Imagine that the members join one after the other, and each is given what the saving grows by. The order "
            "should not matter, so the mean over all orders is taken."
        ),
        gettext_lazy(
            "The Shapley value (1953), the one rule that treats equals equally, gives nothing to who adds nothing and "
            "adds up over games. Exact from all groups up to 17 members; above, and with storage, from sampled orders "
            "or groups with a 95 % interval for each share."
        ),
    ),
    "nucleolus": Meaning(
        gettext_lazy("Nucleolus"),
        gettext_lazy("the least content group is as content as can be"),
        gettext_lazy(
            "Look at every group and what it gains by staying. The group that gains least is made to gain as much as "
            "is possible, then the next one, until nothing is left to decide."
        ),
        gettext_lazy(
            "The nucleolus (Schmeidler 1969) lifts the least excess of all groups in lexicographic order, by linear "
            "programmes. It is stable whenever any rule is."
        ),
    ),
    "mid-market": Meaning(
        gettext_lazy("Mid-price"),
        gettext_lazy("one local price, half-way"),
        gettext_lazy(
            "What passes between members is paid half-way between the price of buying from the grid and of selling to "
            "it. Who needs more at that moment gets more of it."
        ),
        gettext_lazy(
            "Mid-market rate with a dynamic key: in each step local energy is split in proportion to what each lacks "
            "and has to spare."
        ),
    ),
    "mid-market-fixed": Meaning(
        gettext_lazy("Mid-price, fixed parts"),
        gettext_lazy("one local price, equal parts for all who need"),
        gettext_lazy(
            "The same local price, but all who need power at that moment get equal parts, nobody more than they need."
        ),
        gettext_lazy(
            "Mid-market rate with a static key: equal parts, capped at what each lacks; what one cannot use passes on "
            "to the others in the same step."
        ),
    ),
    "proportional": Meaning(
        gettext_lazy("By use"),
        gettext_lazy("who uses more gets more"),
        gettext_lazy("The saving is split by how much each uses in the whole period, whenever that is."),
        gettext_lazy("Saving times own kWh over all kWh used, vehicles' trips included."),
    ),
    "equal": Meaning(
        gettext_lazy("Equal parts"),
        gettext_lazy("the same for all"),
        gettext_lazy("Everybody gets the same, whether they bring a roof or a dishwasher."),
        gettext_lazy("Saving over number of members."),
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of sharing on the newest data. `own` is the viewer's saving, None when no member is theirs."""

    slug: str
    meaning: Meaning
    simulation: Simulation
    own: float | None

    @property
    def leave(self) -> str:
        """How many groups would leave, in words."""
        sharing = self.simulation.sharing
        count = sharing["blocking_coalitions"]
        if count is None:
            return _("at least one") if sharing["stable"] is False else _("not known")
        return numbers.number(count) if count else _("none")

    @property
    def stable(self) -> bool | None:
        """Whether the group holds; None where nobody knows."""
        found: bool | None = self.simulation.sharing["stable"]
        return found

    @property
    def span(self) -> str:
        """Smallest to largest share."""
        low, high = self.least, self.most
        return low if low == high else numbers.span(low, high)

    @property
    def least(self) -> str:
        """The smallest share."""
        return numbers.money(self.simulation.sharing["least_saving"], self.simulation.version.currency)

    @property
    def most(self) -> str:
        """The largest share."""
        return numbers.money(self.simulation.sharing["most_saving"], self.simulation.version.currency)

    @property
    def losers(self) -> int:
        """How many pay more than alone."""
        return int(self.simulation.sharing["losers"])

    @property
    def gini(self) -> float | None:
        """How uneven, 0 to 1."""
        found: float | None = self.simulation.sharing["gini"]
        return found


@dataclass(frozen=True, slots=True)
class Dot:
    """A member's share on the line from the smallest to the largest, in the chart's units; `low` and `high` are the
    ends of its interval where it is sampled.
    """

    x: float
    y: float
    own: bool
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """All rules under a control, the one shown, its shares as dots, its certificate in words."""

    control: str
    controls: Sequence[str]
    rules: Sequence[Rule]
    shown: Rule
    dots: Sequence[Dot]  # for members and stewards: a share is its member's own
    height: int
    certificate: str
    worst: str
    intervals: str

    @property
    def total(self) -> float:
        """What is shared, in the community's currency."""
        return float(self.shown.simulation.sharing["total_saving"])

    @property
    def has_own(self) -> bool:
        """Whether the viewer is a member."""
        return self.shown.own is not None

    @property
    def switches(self) -> list[tuple[str, Words]]:
        """What the reader may switch between, in two words each."""
        return [(name, SHORT[name]) for name in self.controls]

    @property
    def under(self) -> Words:
        """How storage is run, in words."""
        return CONTROLS[self.control]


def table(version: CommunityVersion, viewer: policies.Viewer, asked: str, control: str = "") -> Table | None:
    """The rules under one control; None before any was simulated. `control` is what the reader asks for."""
    own = _own_keys(version, viewer)
    by_control = {name: queries.simulations_by_rule(version, name, whole=bool(own)) for name in CONTROLS}
    there = [name for name, found in by_control.items() if found]
    if not there:
        return None
    control = control if control in there else there[0]
    order = list(RULES)
    rules = sorted((_rule(s, own) for s in by_control[control]), key=lambda r: order.index(r.slug))
    shown = next((r for r in rules if r.slug == asked), rules[0])
    dots: list[Dot] = []
    height = 0
    if own or policies.sees_exactly(viewer, version):
        dots, height = _dots(shown.simulation, own)
    return Table(
        control,
        there,
        rules,
        shown,
        dots,
        height,
        certificate(shown.simulation),
        _worst(shown.simulation, viewer, own),
        _intervals(shown.simulation),
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
    mine = [m["saving"] for m in simulation.members if m["id"] in own] if own else []
    return Rule(simulation.sharing_rule, RULES[simulation.sharing_rule], simulation, sum(mine) if mine else None)


WIDTH, MARGIN, ROW, NEAR = 480.0, 22.0, 16.0, 13.0
MOST_ROWS = 5


def _dots(simulation: Simulation, own: set[str]) -> tuple[list[Dot], int]:
    """Shares from left to right, moved down a row where they would touch; and how high the chart is."""
    rows = sorted(simulation.members, key=lambda m: float(m["saving"]))
    ends = [float(m.get(name, m["saving"])) for m in rows for name in ("saving_low", "saving", "saving_high")]
    low, width = min(ends), max(ends) - min(ends)

    def place(saving: Any) -> float:
        if not width:
            return WIDTH / 2
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (float(saving) - low) / width, 1)

    last: list[float] = []
    dots: list[Dot] = []
    for member in rows:
        sampled = "saving_low" in member
        x = place(member["saving"])
        first, until = (place(member["saving_low"]), place(member["saving_high"])) if sampled else (x, x)
        row = next((k for k, reach in enumerate(last) if first - reach >= NEAR), len(last))
        row = row if row < MOST_ROWS else len(dots) % MOST_ROWS
        last[row : row + 1] = [until]
        y = 14.0 + ROW * row
        dots.append(Dot(x, y, member["id"] in own, first, until) if sampled else Dot(x, y, member["id"] in own))
    return dots, int(28 + ROW * (len(last) - 1))


def _intervals(simulation: Simulation) -> str:
    """How sure sampled shares are; empty where they are exact."""
    found = simulation.sharing.get("intervals")
    if not found or not found["widest_half_width"]:
        return ""
    words = {
        "n": numbers.number(found["samples"]),
        "money": numbers.money(found["mean_half_width"], simulation.version.currency),
        "widest": numbers.money(found["widest_half_width"], simulation.version.currency),
        "percent": numbers.number(100 * found["confidence"]),
    }
    return (
        _(
            "These shares come from %(n)s samples: each is right to about %(money)s, at most %(widest)s, with "
            "%(percent)s %% certainty. The bars show how far."
        )
        % words
    )


def certificate(simulation: Simulation) -> str:
    """What is known about groups that might leave, in one sentence or two."""
    sharing, currency = simulation.sharing, simulation.version.currency
    worst, bound = sharing["worst_excess"], sharing.get("worst_bound")
    by = sharing["certificate"]
    if by == "duality":
        return _(
            "No group of members can do better alone: each trades at the community's own price "
            "in every hour, and that cannot be beaten."
        )
    words = {
        "n": numbers.number(sharing["coalitions_checked"]),
        "money": numbers.money(abs(worst or 0.0), currency),
        "bound": numbers.money(max(bound or 0.0, 0.0), currency),
    }
    if by == "enumeration" and worst is not None:
        return _tried_all(sharing, words)
    if by == "rows" and bound is not None:
        return _bounded(sharing, words)
    if sharing["stable"] is False and worst is not None:
        return (
            _("A group was found that would save %(money)s more in the period on its own; there may be others.") % words
        )
    return _(
        "With so many members not every group has been tried under this rule, so nobody knows if one "
        "would do better alone."
    )


def _tried_all(sharing: dict[str, Any], words: dict[str, str]) -> str:
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


def _bounded(sharing: dict[str, Any], words: dict[str, str]) -> str:
    if sharing["stable"]:
        return (
            _("%(n)s groups were worked out, and their prices rule out that any other would do better alone.") % words
        )
    if sharing["stable"] is False:
        return (
            _(
                "%(n)s groups were worked out: at least one would do better alone, and none could gain more than "
                "%(bound)s."
            )
            % words
        )
    return (
        _(
            "%(n)s groups were worked out and none would do better alone; a gain of more than %(bound)s is ruled out "
            "for all."
        )
        % words
    )


#: So many who would stay are named rather than those who would go.
FEW = 4


def _worst(simulation: Simulation, viewer: policies.Viewer, own: set[str]) -> str:
    """The group with most to gain, in words: "Library, Lab and 2 homes would save 26 more on their own."."""
    sharing = simulation.sharing
    keys = sharing.get("worst_coalition") or ()
    if sharing["stable"] is not False or not keys or sharing["worst_excess"] is None:
        return ""
    known = {m.key: m.name for m in queries.named_members(simulation.version, viewer)}
    kinds = dict(simulation.version.members.order_by("position").values_list("key", "kind"))
    words = {
        "group": _group(keys, known, kinds, own),
        "n": numbers.number(len(keys)),
        "money": numbers.money(sharing["worst_excess"], simulation.version.currency),
    }
    others = [key for key in kinds if key not in set(keys)]
    if len(others) <= FEW < len(keys):
        words["group"] = _group(others, known, kinds, own)
        return _("All but %(group)s (%(n)s members) would save %(money)s more in the period on their own.") % words
    words["group"] = words["group"][:1].upper() + words["group"][1:]
    return (
        ngettext(
            "%(group)s would save %(money)s more in the period alone.",
            "%(group)s would save %(money)s more in the period on their own.",
            len(keys),
        )
        % words
    )


def _group(keys: Collection[str], known: dict[str, str], kinds: dict[str, str], own: set[str]) -> str:
    """Members by name where the reader may know it, the others counted by kind."""
    parts = [_("you")] if own & set(keys) else []
    parts += [known[key] for key in keys if key in known and key not in own]
    unknown = [kinds.get(key, "") for key in keys if key not in known and key not in own]
    homes = unknown.count(Member.Kind.HOME)
    firms = len(unknown) - homes
    if homes:
        parts.append(ngettext("a home", "%(count)s homes", homes) % {"count": homes})
    if firms:
        parts.append(ngettext("a business", "%(count)s businesses", firms) % {"count": firms})
    return str(get_text_list(parts, _("and")))


def latest(version: CommunityVersion) -> Simulation | None:
    """The simulation whose sharing stands on the community's page."""
    found = {s.sharing_rule: s for s in queries.simulations_by_rule(version, "none", whole=False)}
    return found.get("owen") or next(iter(found.values()), None)
