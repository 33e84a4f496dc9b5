"""The nucleolus: the sharing under which the group that has most cause to complain has as little as can be, then the
next one, and so on.

Maschler's scheme (Maschler, Peleg and Shapley 1979): a linear programme lifts the least contentment
x(S) - v(S) over all groups that are not settled yet; the groups with a positive dual price are settled at it, since
they are tight in every optimum (complementary slackness). What counts is the rank of what is settled, not the number
of groups: a group whose indicator lies in the span of settled ones has a constant x(S) and leaves the programme, and
each round settles at least one group outside that span, so that n - 1 rounds are enough however many ties there are.

Of the 2^n rows only those that bind are ever given to the solver: a vector of all x(S) - v(S) names the most unhappy
groups, they become rows, and the solver goes on from its last basis (row generation). At the end x is solved anew from
the settled groups alone as a system of equations, which takes the solver's tolerance out of the answer.

The values may be upper bounds that get exact when they are asked for (`Values`), so that a group whose value costs a
linear programme of its own is only worked out when it binds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import highspy
import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.game import additive, members_of

Masks = NDArray[np.int64]
NEAR = 1e-9
ROWS_AT_ONCE = 12
MOST_ROUNDS = 20_000


class Values(Protocol):
    """The values of all groups by bit mask; those that are not settled are upper bounds."""

    values: Floats

    def settle(self, masks: Masks) -> bool:
        """Make these exact; whether any value changed."""


@dataclass
class Known:
    """Values that are all exact."""

    values: Floats

    def settle(self, masks: Masks) -> bool:
        """Nothing to do."""
        return False


class Programme:
    """max e, x(S) - e >= v(S) for the rows given, x(N) = v(N), x_i >= v({i}); values are of the size of one."""

    def __init__(self, alone: Floats, whole: float) -> None:
        n = self.n = len(alone)
        self.solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("solver", "simplex"),
            ("presolve", "off"),
            ("primal_feasibility_tolerance", 1e-10),
            ("dual_feasibility_tolerance", 1e-10),
        ):
            self.solver.setOptionValue(name, value)
        for value in alone:
            self.solver.addVar(float(value), highspy.kHighsInf)
        self.solver.addVar(-highspy.kHighsInf, highspy.kHighsInf)
        self.solver.changeColCost(n, -1.0)
        everyone = np.arange(n, dtype=np.int32)
        self.solver.addRow(whole, whole, n, everyone, np.ones(n))
        self.rows: list[int] = []
        self.free: set[int] = set()

    def add(self, mask: int, value: float) -> None:
        """A group that may complain."""
        group = np.append(members_of(mask), self.n).astype(np.int32)
        ones = np.ones(len(group))
        ones[-1] = -1.0
        self.solver.addRow(value, highspy.kHighsInf, len(group), group, ones)
        self.rows.append(mask)

    def lower(self, mask: int, value: float) -> None:
        """A group's value turned out smaller."""
        self.solver.changeRowBounds(1 + self.rows.index(mask), value, highspy.kHighsInf)

    def fix(self, row: int, worth: float) -> None:
        """A row is settled: x(S) = worth."""
        self.solver.changeCoeff(1 + row, self.n, 0.0)
        self.solver.changeRowBounds(1 + row, worth, worth)
        self.free.add(row)

    def release(self, row: int) -> None:
        """A row whose x(S) is constant says nothing more."""
        self.solver.changeCoeff(1 + row, self.n, 0.0)
        self.solver.changeRowBounds(1 + row, -highspy.kHighsInf, highspy.kHighsInf)
        self.free.add(row)

    def solve(self) -> tuple[Floats, float, Floats, Floats]:
        """x, the least contentment, and the dual prices of the groups' rows and of x_i >= v({i})."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {self.solver.modelStatusToString(self.solver.getModelStatus())}")
        found = self.solver.getSolution()
        x = np.array(found.col_value)
        return x[: self.n], float(x[self.n]), np.array(found.row_dual)[1:], np.array(found.col_dual)[: self.n]


@dataclass
class Settled:
    """Groups that are settled, by round; members who get what they are worth alone; the span of their indicators."""

    n: int
    rounds: list[list[int]]
    alone: set[int]

    def matrix(self) -> Floats:
        """Indicators, everyone first."""
        rows = [np.ones(self.n)]
        for masks in self.rounds:
            rows += [indicator(mask, self.n) for mask in masks]
        rows += [indicator(1 << i, self.n) for i in sorted(self.alone)]
        return np.array(rows)

    def rank(self) -> int:
        """How many of them are independent."""
        return int(np.linalg.matrix_rank(self.matrix(), tol=1e-8))

    def outside(self) -> Floats:
        """Directions in which settled groups leave shares open."""
        _u, size, basis = np.linalg.svd(self.matrix(), full_matrices=True)
        return np.asarray(basis[int((size > 1e-8).sum()) :])

    def spanned(self) -> NDArray[np.bool_]:
        """For each group whether its indicator is a combination of settled ones."""
        spanned = np.ones(1 << self.n, dtype=bool)
        for direction in self.outside():
            spanned &= np.abs(additive(direction)) < 1e-8
        return spanned

    def answer(self, values: Floats | Mapping[int, float]) -> Floats:
        """x from x(N) = v(N), x_i = v({i}) where that binds, x(S) - e_k = v(S) over the groups settled in round k."""
        none = np.zeros(len(self.rounds))
        rows, right = [np.append(np.ones(self.n), none)], [values[-1]]
        for i in sorted(self.alone):
            rows.append(np.append(indicator(1 << i, self.n), none))
            right.append(values[1 << i])
        for k, masks in enumerate(self.rounds):
            for mask in masks:
                row = np.append(indicator(mask, self.n), none)
                row[self.n + k] = -1.0
                rows.append(row)
                right.append(values[mask])
        return np.asarray(np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][: self.n])


def indicator(mask: int, n: int) -> Floats:
    """One for each member of the group, else zero."""
    return np.array([float(mask >> i & 1) for i in range(n)])


def nucleolus(known: Values) -> Floats:
    """The nucleolus of a game by its 2^n values; each member is given at least what they are worth alone.

    Raises ValueError where the whole is worth less than its members alone, since nothing can be shared then.
    """
    n = len(known.values).bit_length() - 1
    ones = 1 << np.arange(n)
    known.settle(np.append(ones, len(known.values) - 1))
    alone, whole = known.values[ones], float(known.values[-1])
    spare = whole - float(alone.sum())
    scale = max(float(np.abs(known.values).max()), 1e-300)
    if spare < -NEAR * scale:
        raise ValueError("the whole is worth less than its members alone")
    if n == 1 or spare <= NEAR * scale:
        return np.asarray(alone + spare / n)
    return _solve(known, n, spare)


def _solve(known: Values, n: int, scale: float) -> Floats:
    """Maschler's scheme with row generation; `scale` brings the values to the size of one."""
    ones = 1 << np.arange(n)
    lp = Programme(known.values[ones] / scale, float(known.values[-1]) / scale)
    settled = Settled(n, [], set())
    spanned = settled.spanned()
    spanned[0] = spanned[-1] = True
    for single in ones:
        lp.add(int(single), known.values[single] / scale)
    for _round in range(MOST_ROUNDS):
        x, least, dual, bound = lp.solve()
        if _more(known, lp, spanned, x, least, scale):
            continue
        tight = [row for row in range(len(lp.rows)) if row not in lp.free and dual[row] > NEAR]
        masks = [lp.rows[row] for row in tight]
        for row in tight:
            lp.fix(row, known.values[lp.rows[row]] / scale + least)
        settled.rounds.append(masks)
        settled.alone |= {int(i) for i in np.flatnonzero(bound > NEAR)}
        if settled.rank() == n:
            return settled.answer(known.values)
        spanned = settled.spanned()
        spanned[0] = spanned[-1] = True
        for row, mask in enumerate(lp.rows):
            if spanned[mask] and row not in lp.free:
                lp.release(row)
    raise RuntimeError("the nucleolus was not reached")


def _more(  # noqa: PLR0917 the state of `_solve`
    known: Values, lp: Programme, spanned: NDArray[np.bool_], x: Floats, least: float, scale: float
) -> bool:
    """Give the programme the groups that complain more than it knows; whether there were any."""
    content = additive(x) - known.values / scale
    content[spanned] = np.inf
    short = np.flatnonzero(content < least - NEAR)
    if not len(short):
        return False
    if len(short) > ROWS_AT_ONCE:
        short = short[np.argpartition(content[short], ROWS_AT_ONCE)[:ROWS_AT_ONCE]]
    short = short[np.argsort(content[short], kind="stable")]
    if known.settle(short):
        for row, mask in enumerate(lp.rows):
            if row not in lp.free:
                lp.lower(mask, known.values[mask] / scale)
    there = set(lp.rows)
    for unhappy in short:
        if int(unhappy) not in there:
            lp.add(int(unhappy), known.values[unhappy] / scale)
    return True
