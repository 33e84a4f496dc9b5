"""The cooperative game of netting: what a group of members saves by meeting the grid together.

The saving of a coalition is the sum of its members' costs alone less the cost of its netted energy. With import price p and export price q a
step costs q n + (p - q) max(n, 0), and the first term adds up over members, so only the second one is summed: for all 2^n
coalitions at once, walking them in Gray-code order so that each differs from the last by one member, blocked over time so
that a block stays in the nearest cache. Coalitions are bit masks: bit i set means that member i takes part.

Sources: Shapley 1953; Owen 1975 (dual prices of a linear production game lie in the core); Gillies 1959 (core). Exact to n = 17.
"""

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.compiled import compiled, compiled_sums
from energy.engine.refusals import NotYet, gettext_noop

MOST_MEMBERS = 17
BLOCK = 512


@compiled_sums
def _short_cost(net, spread, costs, block):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 compiled
    """costs[S] = sum over steps of spread * max(net of S, 0); net is members by steps."""
    n, steps = net.shape
    now = np.empty(block)
    for first in range(0, steps, block):
        size = min(block, steps - first)
        now[:] = 0.0
        mask = 0
        for k in range(1, 1 << n):
            bit = 0
            while not (k >> bit) & 1:
                bit += 1
            mask ^= 1 << bit
            total = 0.0
            row = net[bit, first : first + size]
            price = spread[first : first + size]
            if (mask >> bit) & 1:
                for t in range(size):
                    now[t] += row[t]
                    total += price[t] * max(now[t], 0.0)
            else:
                for t in range(size):
                    now[t] -= row[t]
                    total += price[t] * max(now[t], 0.0)
            costs[mask] += total


def coalition_savings(net_kwh: Floats, import_price: Floats, export_price: Floats) -> Floats:
    """What each of the 2^n coalitions saves a period, indexed by bit mask (length 2^n, [0] = 0)."""
    n = len(net_kwh)
    if n > MOST_MEMBERS:
        raise NotYet(
            gettext_noop(
                "all groups of %(n)d members are too many to try; this is done up to %(most)d members"
            ),
            n=n,
            most=MOST_MEMBERS,
        )
    costs = np.zeros(1 << n)
    spread = np.ascontiguousarray(import_price - export_price)
    _short_cost(np.ascontiguousarray(net_kwh), spread, costs, BLOCK)
    return additive(costs[1 << np.arange(n)]) - costs


def additive(values: Floats) -> Floats:
    """The sum of the members' values for every coalition (length 2^n)."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums, sums + value))
    return sums


@compiled
def _shapley(savings, n, weight):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 compiled
    share = np.zeros(n)
    for mask in range(1 << n):
        size = 0
        rest = mask
        while rest:
            rest &= rest - 1
            size += 1
        for i in range(n):
            if not (mask >> i) & 1:
                share[i] += weight[size] * (savings[mask | (1 << i)] - savings[mask])
    return share


def shapley(savings: Floats) -> Floats:
    """Shapley value of a game given by its 2^n coalition values: each member's mean marginal saving over all orders."""
    n = len(savings).bit_length() - 1
    weight = np.empty(n)
    weight[0] = 1 / n
    for size in range(1, n):
        weight[size] = weight[size - 1] * size / (n - size)
    return np.asarray(_shapley(savings, n, weight))


def excesses(savings: Floats, shares: Floats) -> Floats:
    """For each coalition what it would gain by leaving: its saving alone less what its members are given."""
    return savings - additive(shares)


def blocking(excess: Floats, tolerance: float = 1e-6) -> tuple[int, float, int]:
    """How many proper coalitions would do better alone, the largest gain (below zero: what the nearest would lose), and whose."""
    proper = excess[1:-1]
    if not len(proper):
        return 0, 0.0, 0
    worst = int(np.argmax(proper))
    return int((proper > tolerance).sum()), float(proper[worst]), worst + 1


def members_of(mask: int) -> NDArray[np.int64]:
    """The members of a coalition."""
    return np.array([i for i in range(mask.bit_length()) if mask >> i & 1], dtype=np.int64)
