"""Games of more members than a table of all groups can hold (above 17): Shapley values and the nucleolus.

Both ask for few groups, each of which also bounds all others from above by its dual prices (`core`):

    v(S) <= g(S) = least over the groups worked out of  sum over S of g_ki.

**Shapley.** g costs a few additions for any group, so its Shapley values are means over many sampled orders (circles
walked from four places and back, as in `game`). What is left, r = v - g, is estimated from groups that are drawn
after g is fixed. With sizes in bands B, a size drawn evenly in its band and then a group S of s members,

    phi_i(r) = sum over B of |B|/n  E[ (r(S) - c) (n/s if i in S, else -n/(n-s)) ]

for any c that S has no part in, since the weights of a size cancel: here the mean of the band's other groups. So each
group that is worked out serves all members, the estimate is unbiased and adds up to nothing. Student's interval has
the spread of both parts, its freedom by Welch (Castro et al. 2017; Kolpaczki et al. 2024).

**Nucleolus.** The first round of Maschler's scheme by row generation: a programme over the groups tried gives shares,
the bounds name the group that could complain most (a mixed integer programme looks for it), it is worked out and
becomes a row, until the bound proves that no group complains more: the shares are then in the least core (Fioriti et
al. 2025, "fair least core"). Later rounds settle the order among the groups tried, not among all. The search ends
after a fixed number of groups; `Nucleolus.proved` says whether it was enough.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from energy.engine.community import Bools, Floats
from energy.engine.core import Master, Oracle
from energy.engine.game import CONFIDENCE, QUARTERS, Sampled
from energy.engine.nucleolus import NEAR, Programme, Settled, indicator

BANDS, LEAST_DRAWN = 8, 4
ROUNDS = 400
#: Groups that fix the bounds before others are drawn, as parts of the community.
PILOTS = (0.25, 0.5, 0.75)
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Nucleolus:
    """Shares; the least contentment of any group tried, whether no other group is less content, groups worked out."""

    shares: Floats
    least: float
    proved: bool
    tried: int


def shapley(oracle: Oracle, singles: Floats, *, draws: int, seed: int) -> Sampled:
    """Shapley values of a game, with intervals, by at most `draws` groups and a few pilots; `singles` is what each
    member saves alone.
    """
    n = len(singles)
    dice = np.random.default_rng(seed)
    whole, gains = oracle(np.ones(n, dtype=np.bool_))
    bounds = [gains]
    for part in PILOTS:
        circle = dice.permutation(n)
        cut = max(2, round(part * n))
        for side in (circle[:cut], circle[cut:]):
            if 1 < len(side) < n:
                bounds.append(oracle(_inside(side, n))[1])
    known = _Bounds(np.array(bounds), singles, whole)
    base, base_variance = _of_bounds(known, n, dice)
    shares, variance, welch = base.copy(), base_variance, base_variance**2 / (ROUNDS - 1)
    bands = np.array_split(np.arange(2, n), max(1, min(BANDS, n - 2, draws // LEAST_DRAWN)))
    each = max(LEAST_DRAWN, draws // len(bands))
    for sizes in bands:
        rest, weights = np.empty(each), np.empty((each, n))
        for k in range(each):
            size = int(dice.choice(sizes))
            inside = _inside(dice.permutation(n)[:size], n)
            rest[k] = oracle(inside)[0] - known.of(inside)
            weights[k] = np.where(inside, n / size, -n / (n - size))
        rows = (rest - (rest.sum() - rest) / (each - 1))[:, None] * weights * (len(sizes) / n)
        shares += rows.mean(axis=0)
        each_variance = rows.var(axis=0, ddof=1) / each
        variance = variance + each_variance
        welch = welch + each_variance**2 / (each - 1)
    freedom = np.divide(variance**2, welch, out=np.ones(n), where=welch > 0)
    wide = student.ppf((1 + CONFIDENCE) / 2, np.maximum(1.0, freedom))
    return Sampled(shares, np.asarray(wide * np.sqrt(variance)), each * len(bands))


def _inside(members: NDArray[np.int64], n: int) -> Bools:
    inside = np.zeros(n, dtype=np.bool_)
    inside[members] = True
    return inside


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The least of some sums over a group's members; of one alone and of all together what is known."""

    gains: Floats
    singles: Floats
    whole: float

    def of(self, inside: Bools) -> float:
        """The bound of a group."""
        return float(self.gains[:, inside].sum(axis=1).min())

    def along(self, orders: NDArray[np.int64]) -> Floats:
        """What each place of each order adds to the bound, orders by places."""
        sums = np.cumsum(self.gains[:, orders], axis=2).min(axis=0)
        sums[:, 0] = self.singles[orders[:, 0]]
        sums[:, -1] = self.whole
        return np.diff(sums, axis=1, prepend=0.0)


def _of_bounds(known: _Bounds, n: int, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Shapley values of the bounds' game from sampled orders, and the variance of these means."""
    turns = min(n, QUARTERS)
    means = np.zeros((ROUNDS, n))
    for k in range(ROUNDS):
        circle = dice.permutation(n)
        walks = np.array([np.roll(circle, -(turn * n // turns)) for turn in range(turns)], dtype=np.int64)
        orders = np.concatenate((walks, walks[:, ::-1]))
        np.add.at(means[k], orders, known.along(orders) / len(orders))
    return means.mean(axis=0), means.var(axis=0, ddof=1) / ROUNDS


@dataclass
class _Search:
    """The groups tried, the bounds that they give, and the best shares so far with the contentment that is proved."""

    oracle: Oracle
    whole: float
    rows: dict[int, float]
    master: Master
    best: Floats
    floor: float = -np.inf
    tried: int = 1
    known: set[int] = field(default_factory=set)

    def ask(self, shares: Floats) -> Bools:
        """The group that complains most of these shares by the bounds; the shares are kept where they prove better."""
        scale = abs(self.whole)
        self.master.aim(shares / scale)
        inside, bound = self.master.solve()
        if -bound * scale > self.floor:
            self.best, self.floor = shares, -bound * scale
        return inside

    def learn(self, inside: Bools) -> bool:
        """Work a group out, if it was not."""
        mask = _mask(inside)
        if mask in self.known:
            return False
        self.known.add(mask)
        self.rows[mask], gains = self.oracle(inside)
        self.master.add(gains / abs(self.whole))
        self.tried += 1
        return True


def _mask(inside: Bools) -> int:
    return sum(1 << int(i) for i in np.flatnonzero(inside))


def nucleolus(oracle: Oracle, singles: Floats, *, most: int) -> Nucleolus:
    """Shares in the least core of a game in which members alone save `singles`, by at most `most` groups; where these
    do not prove it, the best found, which no group has more cause to leave than the shares at dual prices.

    Raises ValueError where all together save less than nothing.
    """
    n = len(singles)
    whole, gains = oracle(np.ones(n, dtype=np.bool_))
    spare = whole - float(singles.sum())
    if spare <= NEAR * float(np.abs(gains).sum()):
        if spare < -NEAR * float(np.abs(gains).sum()):
            raise ValueError("the whole is worth less than its members alone")
        return Nucleolus(singles + spare / n, 0.0, True, 1)
    first = gains + (whole - float(gains.sum())) / n
    rows = {1 << i: float(one) for i, one in enumerate(singles)}
    search = _Search(oracle, whole, rows, Master(np.zeros(n)), first)
    search.master.add(gains / whole)
    search.ask(first)
    proved = False
    while not proved:
        shares, least = _among(search.rows, n, whole, whole_only=True)
        # half-way to shares that are known to hold: the bounds are met sooner than at the programme's own corners
        learnt = any(search.learn(search.ask(tried)) for tried in ((search.best + shares) / 2, shares))
        proved = least - search.floor <= TOLERANCE * whole
        if not proved and (not learnt or search.tried >= most):
            return Nucleolus(search.best, search.floor, False, search.tried)
    settled, _least = _among(search.rows, n, whole, whole_only=False)
    before = search.floor
    search.floor = before - TOLERANCE * whole  # what later rounds settle may cost no more than the solver's rounding
    search.ask(settled)
    return Nucleolus(search.best, max(before, search.floor), True, search.tried)


def _among(rows: dict[int, float], n: int, whole: float, *, whole_only: bool) -> tuple[Floats, float]:
    """The nucleolus among some groups, and the least contentment; with `whole_only` any shares of the first round."""
    scale = abs(whole)
    lp = Programme(np.array([rows[1 << i] for i in range(n)]) / scale, whole / scale)
    for mask, value in rows.items():
        lp.add(mask, value / scale)
    settled = Settled(n, [], set())
    first = np.nan
    while True:
        x, least, dual, bound = lp.solve()
        first = least if np.isnan(first) else first
        if whole_only:
            return x * scale, first * scale
        tight = [row for row in range(len(lp.rows)) if row not in lp.free and dual[row] > NEAR]
        if not tight:
            return x * scale, first * scale
        for row in tight:
            lp.fix(row, rows[lp.rows[row]] / scale + least)
        settled.rounds.append([lp.rows[row] for row in tight])
        settled.alone |= {int(i) for i in np.flatnonzero(bound > NEAR)}
        if settled.rank() == n:
            return settled.answer(rows | {-1: whole}), first * scale
        outside = settled.outside()
        for row, mask in enumerate(lp.rows):
            if row not in lp.free and float(np.abs(outside @ indicator(mask, n)).max()) < NEAR * 10:
                lp.release(row)
