"""The cooperative game of netting: what a group of members saves by meeting the grid together.

The saving of a coalition is the sum of its members' costs alone less the cost of its netted energy. With
import price p and export price q a step costs q n + (p - q) max(n, 0), and the first term adds up over
members, so only the second one is summed, for all 2^n coalitions at once: the groups of the first six members are
tabled, blocked over time so that the table stays in the nearest caches, and each group of the others is read against
all of them.
Coalitions are bit masks: bit i set means that member i takes part.

Above 17 members Shapley values are means over sampled orders of joining (`shapley_sampled`), and a group that would
leave is looked for by local search: what it finds is a proof, that it finds none is not (`core` has the bound).

Sources: Shapley 1953; Castro et al. 2009 and 2017 (sampling, strata by place in the order); Gillies 1959 (core).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from energy.engine.community import Bools, Floats
from energy.engine.compiled import compiled, compiled_sums
from energy.engine.refusals import NotYet, gettext_noop

MOST_MEMBERS = 17
BLOCK = 256
TABLED = 6
CONFIDENCE = 0.95
SAMPLED_WORK = 1e9
MOST_ORDERS = 4000
QUARTERS = 4
LEAST_ROUNDS = 10


@compiled_sums
def _magnitudes(  # noqa: PLR0912 compiled: one loop
    scaled: Floats, sums: Floats, low: int, block: int
) -> None:
    """sums[S] = sum over steps of |scaled net of S|; scaled is members by steps, the first `low` of them tabled.

    Four groups of the upper members are tried at once against each group of the lower ones, so that a value
    that was read serves four sums.
    """
    n, steps = scaled.shape
    tabled, upper = 1 << low, 1 << (n - low)
    lower = np.empty((tabled, block))
    high = np.empty((4, block))
    for first in range(0, steps, block):
        size = min(block, steps - first)
        lower[0, :size] = 0.0
        for i in range(low):
            for mask in range(1 << i):
                for t in range(size):
                    lower[mask | (1 << i), t] = lower[mask, t] + scaled[i, first + t]
        for four in range(0, upper, 4):
            wide = min(4, upper - four)
            for k in range(4):
                high[k, :size] = 0.0
                for i in range(low, n):
                    if k < wide and ((four + k) >> (i - low)) & 1:
                        for t in range(size):
                            high[k, t] += scaled[i, first + t]
            one, two, three, last = high[0], high[1], high[2], high[3]
            for mask in range(tabled):
                row = lower[mask]
                a = b = c = d = 0.0
                for t in range(size):
                    value = row[t]
                    a += abs(one[t] + value)
                    b += abs(two[t] + value)
                    c += abs(three[t] + value)
                    d += abs(last[t] + value)
                sums[(four << low) | mask] += a
                if wide == 4:
                    sums[((four + 1) << low) | mask] += b
                    sums[((four + 2) << low) | mask] += c
                    sums[((four + 3) << low) | mask] += d
                elif wide == 2:
                    sums[((four + 1) << low) | mask] += b


def coalition_savings(net_kwh: Floats, import_price: Floats, export_price: Floats) -> Floats:
    """What each of the 2^n coalitions saves a period, indexed by bit mask (length 2^n, [0] = 0).

    With x = (p - q) n the short cost of a step is max(x, 0) = (x + |x|) / 2, and x adds up over members: a
    group's saving is half of what its members' |x| lose when they are summed before the bars.
    """
    n = len(net_kwh)
    if n > MOST_MEMBERS:
        raise NotYet(
            gettext_noop("all groups of %(n)d members are too many to try; this is done up to %(most)d members"),
            n=n,
            most=MOST_MEMBERS,
        )
    sums = np.zeros(1 << n)
    scaled = np.ascontiguousarray(net_kwh * (import_price - export_price))
    _magnitudes(scaled, sums, min(n, TABLED), BLOCK)
    savings = (additive(sums[1 << np.arange(n)]) - sums) / 2
    savings[1 << np.arange(n)] = 0.0
    return savings


def additive(values: Floats) -> Floats:
    """The sum of the members' values for every coalition (length 2^n)."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums, sums + value))
    return sums


@compiled
def _shapley(savings: Floats, n: int, weight: Floats) -> Floats:
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
    """Shapley value of a game given by its 2^n coalition values: each member's mean marginal saving over all
    orders.
    """
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
    """How many proper coalitions would do better alone, the largest gain (below zero: what the nearest would
    lose), and whose.
    """
    proper = excess[1:-1]
    if not len(proper):
        return 0, 0.0, 0
    worst = int(np.argmax(proper))
    return int((proper > tolerance).sum()), float(proper[worst]), worst + 1


def members_of(mask: int) -> NDArray[np.int64]:
    """The members of a coalition."""
    return np.array([i for i in range(mask.bit_length()) if mask >> i & 1], dtype=np.int64)


@compiled_sums
def _joined(scaled: Floats, orders: NDArray[np.int64], added: Floats) -> None:
    """added[i] += what member i adds to the sum of |scaled net|, over all orders (orders by members)."""
    n, steps = scaled.shape
    now = np.empty(steps)
    for k in range(orders.shape[0]):
        now[:] = 0.0
        before = 0.0
        for j in range(n):
            row = scaled[orders[k, j]]
            total = 0.0
            for t in range(steps):
                now[t] += row[t]
                total += abs(now[t])
            added[orders[k, j]] += total - before
            before = total


@dataclass(frozen=True, slots=True)
class Sampled:
    """Estimated shares, and half the width of the interval that holds each with the confidence `CONFIDENCE`."""

    shares: Floats
    half_widths: Floats
    samples: int


def shapley_sampled(
    net_kwh: Floats, import_price: Floats, export_price: Floats, *, seed: int, work: float = SAMPLED_WORK
) -> Sampled:
    """Shapley values of the netting game from sampled orders; `work` is about how many additions it may take.

    A round is one random circle of the members, walked from four places a quarter apart, each walk with its reverse:
    every member comes once in each quarter of the order (strata), and each order meets its opposite (antithetic).
    Rounds are independent, and the spread of their means gives Student's interval.
    """
    n, steps = net_kwh.shape
    orders = int(min(work / (n * steps), MOST_ORDERS))
    turns = min(n, QUARTERS)
    rounds = max(LEAST_ROUNDS, orders // (2 * turns))
    dice = np.random.default_rng(seed)
    scaled = np.ascontiguousarray(net_kwh * (import_price - export_price))
    alone = np.abs(scaled).sum(axis=1)
    means = np.empty((rounds, n))
    for k in range(rounds):
        circle = dice.permutation(n)
        walks = np.array([np.roll(circle, -(turn * n // turns)) for turn in range(turns)], dtype=np.int64)
        added = np.zeros(n)
        _joined(scaled, np.concatenate((walks, walks[:, ::-1])), added)
        means[k] = (alone - added / (2 * turns)) / 2
    wide = float(student.ppf((1 + CONFIDENCE) / 2, rounds - 1)) / np.sqrt(rounds)
    return Sampled(means.mean(axis=0), means.std(axis=0, ddof=1) * wide, 2 * turns * rounds)


@compiled_sums
def _climb(net: Floats, spread: Floats, gain: Floats, inside: Bools) -> float:
    """Flip single members while the excess of the group rises; `gain` is what each brings before the group's
    short cost.
    """
    n, steps = net.shape
    now = np.zeros(steps)
    brought = 0.0
    for i in range(n):
        if inside[i]:
            now += net[i]
            brought += gain[i]
    best = brought
    for t in range(steps):
        best -= spread[t] * max(now[t], 0.0)
    while True:
        chosen = -1
        reached = best
        for i in range(n):
            sign = -1.0 if inside[i] else 1.0
            total = brought + sign * gain[i]
            for t in range(steps):
                total -= spread[t] * max(now[t] + sign * net[i, t], 0.0)
            if total > reached + 1e-9:
                chosen, reached = i, total
        if chosen < 0:
            return best
        sign = -1.0 if inside[chosen] else 1.0
        now += sign * net[chosen]
        brought += sign * gain[chosen]
        inside[chosen] = not inside[chosen]
        best = reached


def worst_found(
    net_kwh: Floats, import_price: Floats, export_price: Floats, shares: Floats
) -> tuple[float, NDArray[np.int64]]:
    """The largest excess that local search finds, and the members of that group: a lower bound of the true
    one.
    """
    n = len(net_kwh)
    spread = np.ascontiguousarray(import_price - export_price)
    net = np.ascontiguousarray(net_kwh)
    gain = np.maximum(net, 0.0) @ spread - shares
    best, group = -np.inf, np.zeros(0, dtype=np.int64)
    for start in range(2 * n):
        inside = np.full(n, start >= n)
        inside[start % n] = not inside[start % n]
        excess = float(_climb(net, spread, gain, inside))
        if 0 < inside.sum() < n and excess > best:
            best, group = excess, np.flatnonzero(inside)
    return best, group
