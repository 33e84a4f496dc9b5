"""Games whose groups cost a linear programme each: Shapley values from few of them, and the worst group.

Each group that was worked out bounds all others from above (`groups`), so after the whole and the members alone there
is a table of bounds g(S) >= v(S) that costs nothing more. It is close, and its Shapley values are exact sums over the
table; what is left to estimate is the difference r = v - g alone (control variate). Shapley is additive in the game,
and for each size s of a group a member's part of r is the mean over groups with it less the mean over those without
(Castro et al. 2017; Kolpaczki et al. 2024, "Approximating the Shapley value without marginal contributions"), so every
group that is worked out serves all members at once:

    phi_i = phi_i(g) + 1/n sum over s of  mean(r | size s, with i) - mean(r | size s, without i)  + r(N)/n.

Groups are drawn without replacement as arcs of a random circle, so that members come in equally often. Student's
interval uses the spread of r within a size and the share of the size that was drawn: it closes when all are.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb
from scipy.stats import t as student

from energy.engine import wide
from energy.engine.community import Bools, Floats
from energy.engine.core import Worst, worst
from energy.engine.game import CONFIDENCE, MOST_MEMBERS, Sampled, additive, shapley

Masks = NDArray[np.int64]
#: How many groups are drawn where one is a year of hours; more where it is shorter.
DRAWN = 32
DRAWN_STEPS = 8784


class CostlyGame(Protocol):
    """A game by its groups: `values` are upper bounds where `exact` is false, and empty above 17 members."""

    values: Floats
    exact: Bools

    @property
    def steps(self) -> int:
        """How many steps the programme of a group has."""

    @property
    def members(self) -> int:
        """How many members."""

    def settle(self, masks: Masks) -> bool:
        """Work these groups out; whether any value changed."""

    def saving(self, inside: Bools) -> tuple[float, Floats]:
        """A group's value and its prices' bound on all groups, as what each member adds to it."""

    def singles(self) -> Floats:
        """What each member saves as a group of one."""

    def seen(self) -> list[Bools]:
        """The groups that were worked out, where there is no table of them."""


def shapley_by_strata(game: CostlyGame, *, seed: int) -> Sampled:
    """Shapley values of a costly game, with intervals; above 17 members without a table (`wide`)."""
    n = game.members
    if n > MOST_MEMBERS:
        return wide.shapley(game.saving, game.singles(), draws=budget_of(game), seed=seed)
    game.settle(np.append(1 << np.arange(n), (1 << n) - 1))
    bound, known = game.values.copy(), game.exact.copy()
    sizes = np.zeros(1 << n, dtype=np.int64)
    for i in range(n):
        sizes[1 << i : 2 << i] = sizes[: 1 << i] + 1
    drawn = _draw(sizes, known, n, budget_of(game), np.random.default_rng(seed))
    for masks in drawn.values():
        game.settle(masks)
    shares = shapley(bound)
    spread = np.zeros(n)
    freedom = 0
    for size, masks in drawn.items():
        rest = (game.values - bound)[masks]
        part, variance = _stratum(rest, masks, np.flatnonzero((sizes == size) & ~known), n, size)
        shares += part / n
        spread += variance / n**2
        freedom += max(0, len(masks) - 1)
    factor = float(student.ppf((1 + CONFIDENCE) / 2, max(1, freedom)))
    return Sampled(shares, factor * np.sqrt(spread), sum(len(masks) for masks in drawn.values()))


def budget_of(game: CostlyGame) -> int:
    """How many groups are drawn."""
    return max(DRAWN, DRAWN * DRAWN_STEPS // game.steps)


def nucleolus_by_rows(game: CostlyGame) -> wide.Nucleolus:
    """Shares in the least core of a costly game of more than 17 members. Raises ValueError where nothing is saved."""
    return wide.nucleolus(game.saving, game.singles(), most=3 * budget_of(game))


def _draw(sizes: Masks, known: Bools, n: int, budget: int, dice: np.random.Generator) -> dict[int, Masks]:
    """Groups of each size that are not known: all of them while they are few, else arcs of random circles."""
    open_sizes = [s for s in range(1, n) if (~known[sizes == s]).any()]
    drawn: dict[int, Masks] = {}
    for k, size in enumerate(sorted(open_sizes, key=lambda s: float(comb(n, s)))):
        open_masks = np.flatnonzero((sizes == size) & ~known)
        each = max(2, budget // (len(open_sizes) - k))
        drawn[size] = open_masks if len(open_masks) <= each else _arcs(set(open_masks.tolist()), n, size, each, dice)
        budget -= len(drawn[size])
    return drawn


def _arcs(wanted: set[int], n: int, size: int, many: int, dice: np.random.Generator) -> Masks:
    """Different groups of a size: arcs evenly spaced on random circles."""
    found: dict[int, None] = {}
    while len(found) < many:
        circle = 1 << dice.permutation(n)
        turns = min(n, many - len(found))
        for turn in range(turns):
            mask = int(np.roll(circle, -(turn * n // turns))[:size].sum())
            if mask in wanted and len(found) < many:
                found[mask] = None
    return np.array(list(found), dtype=np.int64)


def _stratum(rest: Floats, masks: Masks, open_masks: Masks, n: int, size: int) -> tuple[Floats, Floats]:
    """For each member, mean of r over groups of a size with it less without it, and the variance of that; groups
    that were known beforehand have r = 0.
    """
    whole = float(rest.var(ddof=1)) if len(rest) > 1 else float((rest**2).sum())
    part, variance = np.zeros(n), np.zeros(n)
    for i in range(n):
        for sign, there, of in ((1.0, 1, comb(n - 1, size - 1)), (-1.0, 0, comb(n - 1, size))):
            count = int(((open_masks >> i & 1) == there).sum())
            sample = rest[(masks >> i & 1) == there]
            if not count:
                continue
            weight = count / float(of)
            part[i] += sign * weight * float(sample.mean() if len(sample) else rest.mean())
            variance[i] += weight**2 * whole / max(1, len(sample)) * (1 - len(sample) / count)
    return part, variance


def worst_by_bounds(game: CostlyGame, shares: Floats, *, most: int) -> Worst:
    """The group with the largest excess, working out at most so many; up to 17 members from the table of bounds."""
    n = game.members
    if n > MOST_MEMBERS:
        starts = [np.ones(n, dtype=np.bool_), *game.seen()]
        tolerance = 1e-9 * float(np.abs(shares).sum())
        return worst(game.saving, shares, starts, tolerance=tolerance, most=len(starts) + most)
    given = additive(shares)
    tried = 0
    while True:
        excess = (game.values - given)[1:-1]
        top = int(np.argmax(excess)) + 1
        if game.exact[top] or tried >= most:
            break
        game.settle(np.array([top]))
        tried += 1
    known = np.where(game.exact[1:-1], excess, -np.inf)
    best = int(np.argmax(known)) + 1
    inside = (best >> np.arange(n) & 1).astype(np.bool_)
    return Worst(float(known[best - 1]), float(excess.max()), inside, int(game.exact[1:-1].sum()))
