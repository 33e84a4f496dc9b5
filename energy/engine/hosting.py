"""How much more a grid can take: power is added until the first limit, at one node or evenly at all.

What is added runs by a profile (kW for each kW added, one value a step): solar as the roofs that are there, charging
in the evening, or a steady draw. All steps of the period are asked each time; the answer is found by halving between
what fits and what does not, to `EXACT_KW` or a thousandth, so the same question has the same answer. A step that was
found to break is asked first the next time, which makes a "no" quick and changes nothing else.

Halving finds a power up to which this power fits and just above which it does not. More at a node breaks more wherever
the profile pushes one way, as these do; a grid that breaks a limit before anything is added takes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from energy.engine.community import Community, Floats
from energy.engine.grid import Grid
from energy.engine.gridcheck import BAND, Powers, outside

MOST_KW = 2000.0
EXACT_KW = 0.05
FIRST_STEPS = 256
EVENING = (18 * 60, 22 * 60)


@dataclass(frozen=True)
class Room:
    """What fits: kW, and what is full just above (low, high, line, transformer, unsolved; "" where nothing is up to
    `MOST_KW`), where, and at which step.
    """

    node: str
    kw: float
    limit: str
    where: str
    at: int

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"node": self.node, "kw": self.kw, "limit": self.limit, "where": self.where, "at": self.at}


def profiles(community: Community) -> dict[str, Floats]:
    """What may be added: kW taken (given below zero) for each kW added, by name."""
    kwp = sum(member.pv_kwp for member in community.members)
    made = community.pv_kwh.sum(axis=0)
    minute = community.local_minute
    found = {
        "evening": np.where((minute >= EVENING[0]) & (minute < EVENING[1]), 1.0, 0.0),
        "steady": np.ones(community.steps),
    }
    return ({"pv": -made / community.hours / kwp} if kwp > 0 and made.any() else {}) | found


def capacity(
    grid: Grid,
    taken: Powers,
    profile: Floats,
    *,
    nodes: Sequence[int],
    progress: Callable[[float], None] = lambda _share: None,
) -> dict[str, object]:
    """Room at each of these nodes alone, and evenly at all of them together (kW of all)."""
    search = _Search(grid, taken, profile)
    broken = search.breaks(np.zeros(len(grid.network.nodes)), whole=True)
    rooms = []
    for i, node in enumerate(nodes):
        progress(i / (len(nodes) + 1))
        weights = np.zeros(len(grid.network.nodes))
        weights[node] = 1.0
        rooms.append(search.most(grid.network.nodes[node].id, weights, broken))
    progress(len(nodes) / (len(nodes) + 1))
    even = np.zeros(len(grid.network.nodes))
    even[list(nodes)] = 1 / len(nodes)
    together = search.most("", even, broken)
    return {"each": [room.as_dict() for room in rooms], "evenly": together.as_dict(), "already": broken is not None}


class _Search:
    """Asks a grid whether it holds."""

    def __init__(self, grid: Grid, taken: Powers, profile: Floats) -> None:
        self.grid, self.taken, self.profile = grid, taken, profile
        active = np.flatnonzero(profile)
        # the steps that are likely to break come first; this is an order, no choice
        pushed = taken.p_kw.sum(axis=0)[active] * np.sign(profile[active]) / max(1.0, np.abs(taken.p_kw).sum(0).max())
        self.order = active[np.argsort(-(np.abs(profile[active]) + pushed), kind="stable")]

    def breaks(self, weights_kw: Floats, *, whole: bool = False) -> tuple[str, str, int] | None:
        """The first limit that does not hold with this added: what, where and when; None where all hold."""
        order = np.arange(len(self.profile)) if whole else self.order
        cut = [0, min(FIRST_STEPS, len(order)), len(order)]
        for first, end in pairwise(cut):
            if first == end:
                continue
            steps = order[first:end]
            added = weights_kw[:, np.newaxis] * self.profile[steps]
            found = self.grid.solve(self.taken.p_kw[:, steps] + added, self.taken.q_kvar[:, steps])
            bad = outside(found.voltage).max(axis=0)
            full = np.where(np.isfinite(found.loading), found.loading, np.inf).max(axis=0, initial=0.0)
            worst = np.maximum(bad, full)
            if worst.max() > 1 + 1e-9:
                k = int(worst.argmax())
                if not whole:
                    self._first(int(steps[k]))
                return self._name(found.voltage[:, k], found.loading[:, k], int(steps[k]))
        return None

    def _first(self, step: int) -> None:
        self.order = np.concatenate(([step], self.order[self.order != step]))

    def _name(self, voltage: Floats, loading: Floats, step: int) -> tuple[str, str, int]:
        network = self.grid.network
        if not np.isfinite(voltage).all():
            return "unsolved", network.source, step
        node, branch = int(outside(voltage).argmax()), int(loading.argmax()) if len(loading) else -1
        if branch >= 0 and loading[branch] > abs(voltage[node] - 1) / BAND:
            return "line" if branch < len(network.lines) else "transformer", network.branch_names[branch], step
        return "low" if voltage[node] < 1 else "high", network.nodes[node].id, step

    def most(self, node: str, weights: Floats, broken: tuple[str, str, int] | None) -> Room:
        """The most that fits with these parts of it at the nodes."""
        if broken is not None:
            return Room(node, 0.0, *broken)
        fits, too_much, why = 0.0, 1.0, None
        while why is None and too_much <= MOST_KW:
            why = self.breaks(weights * too_much)
            if why is None:
                fits, too_much = too_much, too_much * 2
        if why is None:
            return Room(node, fits, "", "", -1)
        while too_much - fits > max(EXACT_KW, 1e-3 * fits):
            middle = (fits + too_much) / 2
            found = self.breaks(weights * middle)
            if found is None:
                fits = middle
            else:
                too_much, why = middle, found
        return Room(node, round(fits, 3), *why)
