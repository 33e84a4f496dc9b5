"""The cooperative game of the optimum: what a group would save if it ran its own storages in the best way.

A group has its members' net energy, solar and storages, and its part of the community's battery, of which each member
holds an equal part and takes it along. The grid limit belongs to the community's one connection: a group by itself is
not bound by it, as a member alone is not. What a group saves is measured against each member alone, as on the pages.
That makes a linear production game (Owen 1975): each group's cost is a linear programme whose constraints do not
change, while its right-hand side adds up over members.

Duals. Any prices pi between export and import price, one for each step, bound the cost of every group from below:

    C(S) >= sum over i in S of  pi . net_i - pv_i . max(0, -pi) - (worth of its storages and battery part at pi)

The worth of a storage at given prices is the optimum of one storage under linear prices
(`decomposition.store_cost`), which takes milliseconds, also for members who are not in the group. At the prices of
the group's own optimum the bound is met. At the prices of the whole community the summands are the Owen shares: no
group can do better (its cost is at least their sum), which is the certificate. Where the grid limit binds, the
community's price leaves the band between export and import price; what the limit is worth then is part of the
balance and is shared in equal parts, and the certificate is gone, since leaving sets a group free of the limit: row
generation says what it is worth to them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from energy.engine import decomposition, optimum, programme, sharing
from energy.engine.community import Bools, Community, Floats
from energy.engine.game import MOST_MEMBERS, additive, members_of

Masks = NDArray[np.int64]
NEAR_PRICE = 1e-7


def owen_costs(community: Community, best: decomposition.Answer) -> Floats:
    """What each member pays if all is traded at the prices of the optimum, with an equal part of what is common."""
    n = len(community.members)
    price = best.solution.price
    costs = community.net_kwh @ price - community.pv_kwh @ np.maximum(0.0, -price)
    rows = [i for i, member in enumerate(community.members) for _store in optimum.stores_of(member, community)]
    np.subtract.at(costs, rows, best.store_values[: len(rows)])
    common = float(best.store_values[len(rows) :].sum())
    if best.solution.limit_value is not None and community.grid_limit_kw is not None:
        common += community.grid_limit_kw * community.hours * float(best.solution.limit_value.sum())
    return np.asarray(costs - common / n)


def price_costs(community: Community, price: Floats) -> Floats:
    """What each member would pay at any prices between export and import price: a bound on what groups pay."""
    costs = community.net_kwh @ price - community.pv_kwh @ np.maximum(0.0, -price)
    owners = [i for i, member in enumerate(community.members) for _store in optimum.stores_of(member, community)]
    found = decomposition.group(optimum.all_stores(community))
    each = [-decomposition.store_cost(shape, price, cyclic=community.cyclic) for shape in found.shapes]
    earned = [each[k] * store.kwh for k, store in zip(found.of, optimum.all_stores(community), strict=True)]
    np.subtract.at(costs, owners, earned[: len(owners)])
    return np.asarray(costs - sum(earned[len(owners) :]) / len(community.members))


@dataclass
class Groups:
    """The savings of groups under the optimum: `values` by bit mask are upper bounds until they are settled.

    `alone`: cost of each member by itself; up to 17 members there is a table of all groups, above there is none.
    """

    community: Community
    alone: Floats
    progress: Callable[[int], None] = lambda _solved: None
    values: Floats = field(init=False)
    exact: Bools = field(init=False)
    solved: int = field(init=False, default=0)
    _whole: tuple[float, Floats] | None = field(init=False, default=None)
    _seen: dict[bytes, tuple[float, Floats]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        size = 1 << len(self.alone) if len(self.alone) <= MOST_MEMBERS else 0
        self.values, self.exact = np.full(size, np.inf), np.zeros(size, dtype=np.bool_)
        if size:
            self.values[0], self.exact[0] = 0.0, True

    @property
    def steps(self) -> int:
        """How many steps a programme has."""
        return self.community.steps

    @property
    def members(self) -> int:
        """How many members."""
        return len(self.alone)

    def know_whole(self, best: decomposition.Answer) -> sharing.Dual:
        """Take in the optimum of the whole community, and say what each pays at its prices and whether no group can
        beat that. Where the grid limit binds it may: then the prices are cut to the band that bounds a group.
        """
        c, price, cost = self.community, best.solution.price, best.solution.cost
        owen = owen_costs(c, best)
        band = np.clip(price, c.export_price, c.import_price)
        free = bool(np.abs(band - price).max() <= NEAR_PRICE)
        bound = owen if free else price_costs(c, band)
        self._whole = float(self.alone.sum()) - cost, self.alone - bound
        self._learn(np.ones(len(self.alone), dtype=np.bool_), cost, bound)
        return sharing.Dual(owen, free, max(0.0, cost - float(owen.sum())))

    def settle(self, masks: Masks) -> bool:
        """Work these groups out; whether any value changed."""
        changed = False
        for mask in masks:
            if not self.exact[mask]:
                self.saving(self.inside(int(mask)))
                changed = True
        return changed

    def inside(self, mask: int) -> Bools:
        """Who belongs to a group."""
        inside = np.zeros(len(self.alone), dtype=np.bool_)
        inside[members_of(mask)] = True
        return inside

    def saving(self, inside: Bools) -> tuple[float, Floats]:
        """A group's saving, and what each member would save at the group's prices."""
        if self._whole is not None and inside.all():
            return self._whole
        key = inside.tobytes()
        if key in self._seen:
            return self._seen[key]
        self.solved += 1
        self.progress(self.solved)
        lp = together(self.community, np.flatnonzero(inside))
        gains = self.alone - price_costs(self.community, lp.price)
        self._learn(inside, lp.cost, self.alone - gains)
        found = float(self.alone[inside].sum()) - lp.cost, gains
        if not len(self.values):
            self._seen[key] = found
        return found

    def singles(self) -> Floats:
        """What each member saves as a group of one: with a common battery its part of it, else nothing."""
        n = len(self.alone)
        if self.community.battery is None:
            return np.zeros(n)
        return np.array([self.saving(row)[0] for row in np.eye(n, dtype=np.bool_)])

    def seen(self) -> list[Bools]:
        """The groups that were worked out, where there is no table of them."""
        return [np.frombuffer(key, dtype=np.bool_) for key in self._seen]

    def _learn(self, inside: Bools, cost: float, costs: Floats) -> None:
        """One group's exact value, and its prices' bound on all others."""
        if not len(self.values):
            return
        np.minimum(self.values, np.where(self.exact, np.inf, additive(self.alone - costs)), out=self.values)
        mask = int((1 << np.flatnonzero(inside)).sum())
        self.values[mask], self.exact[mask] = float(self.alone[inside].sum()) - cost, True


def together(community: Community, members: Sequence[int] | NDArray[np.int64]) -> programme.Solution:
    """The optimum of a group by itself, with its part of the common battery. Raises Infeasible."""
    rows = [int(i) for i in members]
    part = len(rows) / len(community.members)
    battery = community.battery
    return optimum.together(
        replace(
            community,
            members=tuple(community.members[i] for i in rows),
            load_kwh=community.load_kwh[rows],
            pv_kwh=community.pv_kwh[rows],
            battery=replace(battery, kwh=battery.kwh * part, kw=battery.kw * part) if battery else None,
            grid_limit_kw=None,
        )
    )
