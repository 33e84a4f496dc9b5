"""Rules for sharing what a community saves, and whether a group would do better by leaving.

- equal: the same for each member; proportional: by what each uses; both look at no prices and often are not
  stable;
- mid-market: in each step the energy that passes between members is paid half-way between import and export
  price, shared out in proportion to what each lacks or has to spare (dynamic key);
- owen: each member trades all at the community's marginal price: import price while the community is short,
  export price while it has too much (the midpoint when it is exactly even). These are the dual prices of the
  netting problem, so no group can do better alone (Owen 1975): the answer is in the core for any number of
  members;
- shapley: the mean of what each adds, over all orders of joining; fair by axioms, but not always stable.

Fair and stable are different things: the certificate counts the groups that would do better alone, over all
2^n - 2 groups up to 17 members.
"""

from dataclasses import dataclass

import numpy as np

from energy.engine import game
from energy.engine.community import Community, Floats
from energy.engine.kpi import gini
from energy.engine.netting import split
from energy.engine.refusals import NotDefined, NotYet, gettext_noop

SAMPLED_PAIRS = 1000
BLOCKING_FROM = 1e-6
RULES = ("equal", "proportional", "mid-market", "owen", "shapley", "nucleolus")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whether the group holds. `checked` groups were tried; None where nothing is known. `by` says how it is
    known.
    """

    stable: bool | None
    blocking: int | None
    checked: int
    worst_excess: float | None
    worst_group: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who saves how much under a rule: savings per member, and the certificate."""

    rule: str
    total_saving: float
    savings: Floats
    certificate: Certificate

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
            "worst_coalition": list(c.worst_group),
            "certificate": c.by,
            "gini": gini(self.savings),
            "least_saving": float(self.savings.min()),
            "most_saving": float(self.savings.max()),
            "losers": int((self.savings < -1e-9).sum()),
        }


@dataclass(frozen=True)
class Table:
    """The game of a community: costs alone, the total saving and, up to 17 members, all coalition savings."""

    community: Community
    net_kwh: Floats
    use_kwh: Floats
    cost_alone: Floats
    total_saving: float
    savings: Floats | None
    netting: bool = True
    seed: int = 0


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
    savings = _savings(rule, table)
    return Sharing(rule, table.total_saving, savings, _certificate(rule, savings, table))


def _savings(rule: str, table: Table) -> Floats:
    n = len(table.net_kwh)
    if rule == "equal":
        return np.full(n, table.total_saving / n)
    if rule == "proportional":
        total = float(table.use_kwh.sum())
        return table.use_kwh * (table.total_saving / total) if total > 0 else np.full(n, table.total_saving / n)
    if rule == "mid-market":
        return _mid_market(table)
    if rule == "owen":
        return table.cost_alone - table.net_kwh @ marginal_price(table)
    if rule == "shapley":
        return _shapley(table)
    if rule == "nucleolus":
        raise NotYet(gettext_noop("sharing by the nucleolus is not built yet; choose owen, which is stable too"))
    raise NotDefined(
        gettext_noop("“%(rule)s” is not a rule of sharing; there are %(known)s"),
        rule=rule,
        known=", ".join(RULES),
    )


def _shapley(table: Table) -> Floats:
    """Exact where all groups were tried, else sampled; the sample's rounding is spread evenly so that the sum
    is the saving.
    """
    if table.savings is not None:
        return game.shapley(table.savings)
    if not table.netting:
        raise NotYet(
            gettext_noop("Shapley shares with a common battery are not built yet; choose equal or proportional")
        )
    c = table.community
    shares, _errors = game.shapley_sampled(
        table.net_kwh, c.import_price, c.export_price, pairs=SAMPLED_PAIRS, seed=table.seed
    )
    return shares + (table.total_saving - float(shares.sum())) / len(shares)


def marginal_price(table: Table) -> Floats:
    """The price of one more kWh for the community in each step: the dual price of netting."""
    net, c = table.net_kwh.sum(axis=0), table.community
    even = (c.import_price + c.export_price) / 2
    return np.where(net > 0, c.import_price, np.where(net < 0, c.export_price, even))


def _mid_market(table: Table) -> Floats:
    c = table.community
    lack, spare = split(table.net_kwh)
    lacking, sparing = lack.sum(axis=0), spare.sum(axis=0)
    traded = np.minimum(lacking, sparing)
    part = np.divide(traded, lacking, out=np.zeros_like(traded), where=lacking > 0)
    given = np.divide(traded, sparing, out=np.zeros_like(traded), where=sparing > 0)
    mid = (c.import_price + c.export_price) / 2
    return np.asarray(lack @ (part * (c.import_price - mid)) + spare @ (given * (mid - c.export_price)))


def _certificate(rule: str, savings: Floats, table: Table) -> Certificate:
    if table.savings is not None:
        count, worst, mask = game.blocking(game.excesses(table.savings, savings))
        ids = [m.id for m in table.community.members]
        group = tuple(ids[i] for i in game.members_of(mask))
        return Certificate(count == 0, count, max(0, len(table.savings) - 2), worst, group, "enumeration")
    if rule == "owen":
        return Certificate(True, 0, 0, None, (), "duality")
    if table.netting:
        c = table.community
        worst, found = game.worst_found(table.net_kwh, c.import_price, c.export_price, savings)
        if worst > BLOCKING_FROM:
            leaving = tuple(c.members[i].id for i in found)
            return Certificate(False, None, 0, worst, leaving, "search")
    return Certificate(None, None, 0, None, (), "none")
