"""What dynamic prices, feeding in, flexibility and sharing would have been worth to one household, side by side.

Each case is the same measured year under other terms; the cost is energy, grid fee and levies with tax, less what
feeding in earns, without base fees. A storage is run by the exact kernel (docs/energy-dispatch.md) against import and
export prices of each step, with perfect foresight: what it shows is the most that flexibility can be worth, and the
page says so. Steps in which nothing was measured, or for which no price is known, are left out of every case alike.
"""

from dataclasses import dataclass

import numpy as np

from energy.engine.community import Battery, Bools, Floats
from energy.engine.dispatch import Storage, Task, best


@dataclass(frozen=True, slots=True)
class Terms:
    """Prices of each step with tax, currency a kWh: what drawing costs and what feeding in earns."""

    buy: Floats
    sell: Floats


@dataclass(frozen=True, slots=True)
class Household:
    """What was measured at the meter, kWh a step, and what of it the community covered or took."""

    use: Floats
    feed_in: Floats
    received: Floats
    given: Floats
    known: Bools
    step_minutes: int


@dataclass(frozen=True, slots=True)
class Case:
    """One set of terms: its cost over the steps that are known, and how much of the year they are."""

    name: str
    cost: float
    import_kwh: float
    export_kwh: float


def plain(name: str, home: Household, terms: Terms) -> Case:
    """The household as it was, alone, under these prices."""
    known = home.known
    cost = float((home.use * terms.buy - home.feed_in * terms.sell)[known].sum())
    return Case(name, cost, float(home.use[known].sum()), float(home.feed_in[known].sum()))


def shared(name: str, home: Household, terms: Terms, *, bought: Floats, sold: Floats) -> Case:
    """The same with what the community covers bought at `bought` and what it takes sold at `sold` a kWh."""
    known = home.known
    use, feed_in = home.use - home.received, home.feed_in - home.given
    money = use * terms.buy - feed_in * terms.sell + home.received * bought - home.given * sold
    return Case(name, float(money[known].sum()), float(use[known].sum()), float(feed_in[known].sum()))


def flexible(name: str, home: Household, terms: Terms, battery: Battery) -> Case:
    """The household with a storage of its own, run as well as can be. Where a kWh earns more than it costs, buying to
    sell again is left out: the storage earns there what a kWh costs, the household's own solar what it earns.
    """
    known = home.known
    net = np.ascontiguousarray((home.use - home.feed_in)[known])
    solar = np.ascontiguousarray(home.feed_in[known])
    buy, earned = np.ascontiguousarray(terms.buy[known]), terms.sell[known]
    sell = np.ascontiguousarray(np.minimum(earned, buy))
    hours = home.step_minutes / 60
    store = Storage(battery.kwh, battery.kw * hours, battery.kw * hours, battery.one_way)
    found = best(Task.at_home(net, solar, buy, sell), store)
    exported = np.maximum(-found.net_kwh, 0)
    cost = found.cost - float(((earned - sell) * np.minimum(exported, solar)).sum())
    return Case(name, cost, float(np.maximum(found.net_kwh, 0).sum()), float(exported.sum()))
