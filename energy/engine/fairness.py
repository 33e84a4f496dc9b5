"""Whether a sharing is fair and would last: how unevenly what is won falls, and what a group would win by leaving.

Gini (1912), of gains where some may be below zero, in the form of Chen, Tsaur and Rhai (1982): the mean of all absolute
differences over twice the mean of the absolute values; 0 when all win the same, at most 1.

A group that leaves shares within itself under the same law. Its own cost needs no price of sharing, since what one of
it pays another of it gets. With up to 12 members every group is tried, which proves it; above, all groups of one, of
two, and of all but one, which finds much and proves nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from energy.engine.community import Floats

ALL_GROUPS_UP_TO = 12


@dataclass(frozen=True, slots=True)
class Rates:
    """Currency a kWh with tax: bought from outside, of shared power beside its price (grid fee and levies), sold."""

    bought: float
    shared: float
    sold: float


def gini(gains: Sequence[float]) -> float:
    """How unevenly gains fall, 0 to 1."""
    values = np.asarray(gains, dtype=np.float64)
    scale = float(np.abs(values).sum())
    if len(values) < 2 or scale < 1e-9:
        return 0.0
    differences = float(np.abs(values[:, None] - values[None, :]).sum())
    return round(min(1.0, differences / (2 * len(values) * scale)), 4)


def groups(members: int) -> Iterable[tuple[int, ...]]:
    """The groups that are tried, none of them everybody."""
    sizes = range(1, members) if members <= ALL_GROUPS_UP_TO else sorted({1, 2, members - 1})
    for size in sizes:
        yield from combinations(range(members), size)


def cost(use: Floats, feed_in: Floats, rates: Rates) -> float:
    """What a group pays that shares within itself; kWh by step, summed over its members."""
    shared = np.minimum(use, feed_in)
    return float(
        (use - shared).sum() * rates.bought + shared.sum() * rates.shared - (feed_in - shared).sum() * rates.sold
    )


def best_exit(use: Floats, feed_in: Floats, bills: Floats, rates: Rates) -> float:
    """The most that any group tried would save by leaving, 0 when none would; members by steps, bills without fees."""
    best = 0.0
    for group in groups(len(bills)):
        rows = list(group)
        best = max(best, float(bills[rows].sum()) - cost(use[rows].sum(axis=0), feed_in[rows].sum(axis=0), rates))
    return best
