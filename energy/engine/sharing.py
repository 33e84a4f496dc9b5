"""Rules for sharing what a community saves, and whether a group would do better by leaving.

- equal: the same for each member; proportional: by what each uses; both look at no prices and often are not
  stable;
- mid-market: in each step the energy that passes between members is paid half-way between import and export
  price, shared out in proportion to what each lacks or has to spare (dynamic key); mid-market-fixed: the same
  price, but those who lack get equal parts, each at most what they lack, what is left over passing on to the others
  (static key);
- owen: each member trades all at the community's marginal price: without storage the import price while the
  community is short and the export price while it has too much (the midpoint when it is exactly even), under the
  optimum the dual prices of its linear programme. No group can do better alone (Owen 1975): the answer is in the core
  for any number of members;
- shapley: the mean of what each adds, over all orders of joining; fair by axioms, but not always stable;
- nucleolus: the group with most cause to complain has as little as can be; stable whenever anything is.

Fair and stable are different things: the certificate counts the groups that would do better alone, over all
2^n - 2 groups up to 17 members, and else says what row generation found and what it could not rule out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.engine import core, game, wide
from energy.engine.community import Bools, Community, Floats
from energy.engine.costly import CostlyGame, nucleolus_by_rows, shapley_by_strata, worst_by_bounds
from energy.engine.kpi import gini
from energy.engine.netting import split
from energy.engine.nucleolus import Known, nucleolus
from energy.engine.refusals import NotDefined, NotYet, gettext_noop

#: How many groups row generation works out for a certificate where a group is cheap, and where it is a programme.
TRIED, TRIED_COSTLY = 12, 6
BLOCKING_FROM = 1e-6
#: Values of groups that are optima of a solver are known to this part of the members' costs.
SOLVED_TO = 1e-7
MOST_SEARCHED = 60
#: Groups times members that the nucleolus of a community without a table of groups may take.
MOST_ROWS = 6000
RULES = ("equal", "proportional", "mid-market", "mid-market-fixed", "owen", "shapley", "nucleolus")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whether the group holds. `checked` groups were tried; None where nothing is known. `by` says how it is known:
    enumeration, duality, rows (row generation: no group gains more than `bound`), search or none.
    """

    stable: bool | None
    blocking: int | None
    checked: int
    worst_excess: float | None
    worst_group: tuple[str, ...]
    by: str
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who saves how much under a rule: savings per member, and the certificate."""

    rule: str
    total_saving: float
    savings: Floats
    certificate: Certificate
    sampled: game.Sampled | None = None

    def as_dict(self) -> dict[str, object]:
        """For JSON (contract: "sharing")."""
        c = self.certificate
        return {
            "rule": self.rule,
            "total_saving": self.total_saving,
            "stable": c.stable,
            "blocking_coalitions": c.blocking,
            "coalitions_checked": c.checked,
            "worst_excess": c.worst_excess,
            "worst_bound": c.bound,
            "worst_coalition": list(c.worst_group),
            "certificate": c.by,
            "intervals": self.intervals(),
            "gini": gini(self.savings),
            "least_saving": float(self.savings.min()),
            "most_saving": float(self.savings.max()),
            "losers": int((self.savings < -1e-9).sum()),
        }

    def intervals(self) -> dict[str, object] | None:
        """How sure sampled shares are; each member's own ends stand with the member."""
        if self.sampled is None:
            return None
        half = self.sampled.half_widths
        return {
            "confidence": game.CONFIDENCE,
            "samples": self.sampled.samples,
            "mean_half_width": float(half.mean()),
            "widest_half_width": float(half.max()),
        }

    def member_intervals(self) -> list[dict[str, float]]:
        """For each member the ends of its share's interval; empty where shares are exact."""
        if self.sampled is None:
            return [{} for _saving in self.savings]
        return [
            {"saving_low": float(saving - half), "saving_high": float(saving + half)}
            for saving, half in zip(self.savings, self.sampled.half_widths, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Dual:
    """What each member pays at the dual prices of the optimum; `certain`: no group can beat that by more than `gap`,
    what the optimum is above its bound (not certain where a limit binds).
    """

    costs: Floats
    certain: bool
    gap: float = 0.0


@dataclass(frozen=True)
class Table:
    """The game of a community: costs alone, the total saving and, up to 17 members, all coalition savings.

    Under the optimum `groups` works groups out one by one and `dual` has what each pays at its prices.
    """

    community: Community
    net_kwh: Floats
    use_kwh: Floats
    cost_alone: Floats
    total_saving: float
    savings: Floats | None
    netting: bool = True
    seed: int = 0
    groups: CostlyGame | None = None
    dual: Dual | None = None


def table(community: Community, net_kwh: Floats, grid_cost: float, *, netting: bool, seed: int = 0) -> Table:
    """Set the game up; `net_kwh` is what each member exchanges in each step, `grid_cost` what the community
    pays.

    `netting`: a group's cost is that of its netted energy, so groups can be tried; False with a common
    battery.
    """
    bought, sold = split(net_kwh)
    alone = (bought * community.import_price - sold * community.export_price).sum(axis=1)
    savings = None
    if netting and len(net_kwh) <= game.MOST_MEMBERS:
        savings = game.coalition_savings(net_kwh, community.import_price, community.export_price)
    use = np.asarray(community.load_kwh.sum(axis=1) + community.trips_kwh.sum(axis=1))
    return Table(community, net_kwh, use, alone, float(alone.sum()) - grid_cost, savings, netting, seed)


def share(rule: str, table: Table) -> Sharing:
    """Share the saving by a rule. Raises NotYet or NotDefined."""
    if rule == "shapley" and table.savings is None:
        sampled = _shapley_sampled(table)
        savings = sampled.shares + (table.total_saving - float(sampled.shares.sum())) / len(sampled.shares)
    else:
        sampled, savings = None, _savings(rule, table)
    return Sharing(rule, table.total_saving, savings, _certificate(rule, savings, table), sampled)


def _savings(rule: str, table: Table) -> Floats:
    n = len(table.net_kwh)
    if rule == "equal":
        return np.full(n, table.total_saving / n)
    if rule == "proportional":
        total = float(table.use_kwh.sum())
        return table.use_kwh * (table.total_saving / total) if total > 0 else np.full(n, table.total_saving / n)
    if rule in ("mid-market", "mid-market-fixed"):
        return _mid_market(table, static=rule == "mid-market-fixed")
    if rule == "owen":
        return _owen(table)
    if rule == "shapley" and table.savings is not None:
        return np.asarray(game.shapley(table.savings))
    if rule == "nucleolus":
        return _nucleolus(table)
    raise NotDefined(
        gettext_noop("“%(rule)s” is not a rule of sharing; there are %(known)s"),
        rule=rule,
        known=", ".join(RULES),
    )


def _owen(table: Table) -> Floats:
    """At the dual prices; the solver's rounding is spread evenly so that the sum is the saving."""
    if table.dual is None and not table.netting:
        raise NotDefined(
            gettext_noop(
                "Owen prices are dual prices of an optimum, which a rule does not have; choose another sharing"
            )
        )
    paid = table.net_kwh @ marginal_price(table) if table.dual is None else table.dual.costs
    shares = table.cost_alone - paid
    return np.asarray(shares + (table.total_saving - float(shares.sum())) / len(shares))


def _shapley_sampled(table: Table) -> game.Sampled:
    if table.groups is not None:
        return shapley_by_strata(table.groups, seed=table.seed)
    if not table.netting:
        raise NotYet(
            gettext_noop("Shapley shares with a common battery are not built yet; choose equal or proportional")
        )
    c = table.community
    return game.shapley_sampled(table.net_kwh, c.import_price, c.export_price, seed=table.seed)


def _nucleolus(table: Table) -> Floats:
    n, c = len(table.net_kwh), table.community
    try:
        if table.savings is not None:
            return nucleolus(Known(table.savings))
        if table.groups is not None and len(table.groups.values):
            return nucleolus(table.groups)
        if table.groups is not None:
            return nucleolus_by_rows(table.groups).shares
        if table.netting:
            oracle = core.netting_oracle(table.net_kwh, c.import_price, c.export_price)
            return wide.nucleolus(oracle, np.zeros(n), most=max(MOST_ROWS // n, n)).shares
    except ValueError:
        raise NotDefined(
            gettext_noop("the members together save less than each alone, so there is nothing to share")
        ) from None
    raise NotYet(gettext_noop("the nucleolus with a common battery is not built yet; choose equal or proportional"))


def marginal_price(table: Table) -> Floats:
    """The price of one more kWh for the community in each step: the dual price of netting."""
    net, c = table.net_kwh.sum(axis=0), table.community
    even = (c.import_price + c.export_price) / 2
    return np.where(net > 0, c.import_price, np.where(net < 0, c.export_price, even))


def _mid_market(table: Table, *, static: bool) -> Floats:
    c = table.community
    lack, spare = split(table.net_kwh)
    lacking, sparing = lack.sum(axis=0), spare.sum(axis=0)
    traded = np.minimum(lacking, sparing)
    part = np.divide(traded, lacking, out=np.zeros_like(traded), where=lacking > 0)
    given = np.divide(traded, sparing, out=np.zeros_like(traded), where=sparing > 0)
    mid = (c.import_price + c.export_price) / 2
    got = equal_parts(lack, traded) if static else lack * part
    return np.asarray(got @ (c.import_price - mid) + spare @ (given * (mid - c.export_price)))


def equal_parts(lack_kwh: Floats, whole_kwh: Floats) -> Floats:
    """Energy of each step in equal parts to those who lack (members by steps), nobody more than they lack; what one
    cannot use passes on to the others. `whole_kwh` is at most what all lack.
    """
    n = len(lack_kwh)
    rising = np.sort(lack_kwh, axis=0)
    before = np.vstack((np.zeros_like(whole_kwh), np.cumsum(rising, axis=0)[:-1]))
    # with the k that lack least served in full the others get (whole - theirs) / (n - k); the true k gives the most
    level = ((whole_kwh - before) / (n - np.arange(n))[:, None]).max(axis=0)
    return np.asarray(np.minimum(lack_kwh, np.maximum(level, 0.0)))


def _certificate(rule: str, savings: Floats, table: Table) -> Certificate:
    values = table.savings
    if table.groups is not None and len(table.groups.exact) and table.groups.exact.all():
        values = table.groups.values
    if values is not None:
        return _by_trying(values, savings, table)
    if rule == "owen" and (table.dual is None or table.dual.certain):
        return Certificate(True, 0, 0, None, (), "duality", table.dual.gap if table.dual else 0.0)
    if table.groups is not None:
        return _by_rows(worst_by_bounds(table.groups, savings, most=TRIED_COSTLY), table)
    return _by_search(savings, table) if table.netting else Certificate(None, None, 0, None, (), "none")


def _by_trying(values: Floats, savings: Floats, table: Table) -> Certificate:
    """What all groups together say."""
    count, worst, mask = game.blocking(game.excesses(values, savings), _least(table))
    group = _ids(table, game.members_of(mask))
    return Certificate(count == 0, count, max(0, len(values) - 2), worst, group, "enumeration")


def _by_search(savings: Floats, table: Table) -> Certificate:
    """Local search, and up to 60 members row generation from what it found."""
    c = table.community
    worst, found = game.worst_found(table.net_kwh, c.import_price, c.export_price, savings)
    if len(savings) > MOST_SEARCHED:
        if worst > BLOCKING_FROM:
            return Certificate(False, None, 0, worst, _ids(table, found), "search")
        return Certificate(None, None, 0, None, (), "none")
    start = np.zeros(len(savings), dtype=np.bool_)
    start[found] = True
    starts: list[Bools] = [np.ones(len(savings), dtype=np.bool_), start]
    oracle = core.netting_oracle(table.net_kwh, c.import_price, c.export_price)
    return _by_rows(core.worst(oracle, savings, starts, tolerance=BLOCKING_FROM, most=TRIED), table)


def _least(table: Table) -> float:
    """The gain from which a group is said to be better off: above what the solver leaves open."""
    return BLOCKING_FROM if table.groups is None else max(BLOCKING_FROM, SOLVED_TO * float(abs(table.cost_alone).sum()))


def _by_rows(worst: core.Worst, table: Table) -> Certificate:
    """What row generation says: not stable where a group was found, stable where the bound rules all out."""
    stable = False if worst.excess > _least(table) else True if worst.bound <= _least(table) else None
    group = _ids(table, np.flatnonzero(worst.inside)) if np.isfinite(worst.excess) else ()
    return Certificate(
        stable,
        0 if stable else None,
        worst.tried,
        worst.excess if np.isfinite(worst.excess) else None,
        group,
        "rows",
        worst.bound if np.isfinite(worst.bound) else None,
    )


def _ids(table: Table, rows: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(table.community.members[int(i)].id for i in rows)
