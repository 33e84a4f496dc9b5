"""Whether a group would do better alone, where there are too many groups to try: row generation with a bound.

What a group saves is concave in how much of each member takes part (a linear production game, Owen 1975), so the
dual prices found at one group bound every group from above:

    v(S) <= sum of g_i over S,   g_i = what member i saves alone at those prices,

with equality at the group itself. The groups seen so far give a list of such bounds. The group whose bounded excess
is largest is worked out next and adds its own bound; when what a group really gains meets the bound, no other group
gains more, and that is a proof. Up to 17 members the largest bound is read off a table of all groups; above, a mixed
integer programme looks for it (one yes or no for each member, one row for each bound), started by local search. The
search ends after a fixed number of groups, and then says both what it found and what it could not rule out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np

from energy.engine.community import Bools, Floats

#: A group's saving, and what each member saves alone at the prices that hold in it.
Oracle = Callable[[Bools], tuple[float, Floats]]
MIP_NODES = 100


@dataclass(frozen=True, slots=True)
class Worst:
    """The group found to gain most by leaving, what it gains (below zero: loses), and the most that any could."""

    excess: float
    bound: float
    inside: Bools
    tried: int


class Master:
    """max t - shares . z over groups z, neither empty nor whole, with t <= g . z for each bound g."""

    def __init__(self, shares: Floats) -> None:
        n = self.n = len(shares)
        self.solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("mip_max_nodes", MIP_NODES),
            ("mip_rel_gap", 1e-6),
            ("random_seed", 0),
        ):
            self.solver.setOptionValue(name, value)
        for _member in range(n):
            self.solver.addVar(0.0, 1.0)
        self.solver.addVar(-highspy.kHighsInf, highspy.kHighsInf)
        for i, share in enumerate(shares):
            self.solver.changeColCost(i, float(share))
            self.solver.changeColIntegrality(i, highspy.HighsVarType.kInteger)
        self.solver.changeColCost(n, -1.0)
        self.solver.addRow(1.0, n - 1.0, n, np.arange(n, dtype=np.int32), np.ones(n))

    def aim(self, shares: Floats) -> None:
        """Look for the groups that complain of these shares."""
        for i, share in enumerate(shares):
            self.solver.changeColCost(i, float(share))

    def add(self, gains: Floats) -> None:
        """A bound on every group."""
        values = np.append(-gains, 1.0)
        self.solver.addRow(-highspy.kHighsInf, 0.0, self.n + 1, np.arange(self.n + 1, dtype=np.int32), values)

    def solve(self) -> tuple[Bools, float]:
        """The group of the largest bounded excess that was found, and what none can exceed."""
        self.solver.run()
        info = self.solver.getInfo()
        z = np.array(self.solver.getSolution().col_value[: self.n])
        return z > 0.5, -float(info.mip_dual_bound)


def worst(oracle: Oracle, shares: Floats, starts: list[Bools], *, tolerance: float, most: int) -> Worst:
    """The group with the largest excess, by row generation from some groups to start with.

    `most` is how many groups may be worked out; `tolerance` how close what is found has to come to the bound.
    """
    master = Master(shares)
    found, group, bound = -np.inf, starts[0], np.inf
    seen: set[bytes] = set()
    for tried in range(1, most + 1):
        if tried <= len(starts):
            inside = starts[tried - 1]
        else:
            inside, bound = master.solve()
            if found >= bound - tolerance or inside.tobytes() in seen:
                return Worst(found, max(found, bound), group, tried - 1)
        seen.add(inside.tobytes())
        value, gains = oracle(inside)
        excess = value - float(shares[inside].sum())
        if excess > found and 0 < inside.sum() < len(shares):
            found, group = excess, inside.copy()
        master.add(gains)
    _inside, bound = master.solve()
    return Worst(found, max(found, bound), group, most)


def netting_oracle(net_kwh: Floats, import_price: Floats, export_price: Floats) -> Oracle:
    """The netting game: a group trades all at import price while it is short, at export price else."""
    spread = import_price - export_price
    alone = np.maximum(net_kwh, 0.0) @ spread

    def oracle(inside: Bools) -> tuple[float, Floats]:
        short = net_kwh[inside].sum(axis=0) > 0
        gains = alone - net_kwh @ np.where(short, spread, 0.0)
        return float(gains[inside].sum()), np.asarray(gains)

    return oracle
