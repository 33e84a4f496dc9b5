"""A storage run as it could be run: with a plan that looks some hours ahead, and knows no more than it may.

Every `replan` steps a plan is made for the next `horizon` steps and its first `replan` steps are carried out.
Prices, trips and absences are known; of use and sun the plan knows the present step and a forecast. `naive`
takes the same hours of the last day that was measured; `perfect` knows the window itself, so that what it
loses against the optimum is the price of looking no further than the window.

Storages follow their plan whatever is used and made; the grid connection takes the difference. What a plan
leaves in a storage at its end is worth nothing to it, but never less than the trips after it need (`needs`). A
cyclic community begins half full (vehicles that give nothing back with room for a trip), and the last plans must
bring each storage back to that.

One storage is planned by the kernel of `dispatch`; a member's two storages one after the other, twice, each
against the plan of the other; the community's classes together by the linear programme, whose simplex begins
each plan where it ended the last.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from energy.engine import dispatch, netting, programme
from energy.engine.community import Floats
from energy.engine.decomposition import Connection, beginning
from energy.engine.heat import TOO_COLD
from energy.engine.programme import Store
from energy.engine.refusals import Infeasible, gettext_noop

TOO_FAR = gettext_noop("the trips take more than can be charged before them; lower ev_kwh_per_day or raise ev_kw")
FORECASTS = ("naive", "perfect")
PERFECT_REPLAN_HOURS = 24.0
NAIVE_REPLAN_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """How far plans look and how often they are made, in steps; `day` is the steps of a day."""

    horizon: int
    replan: int
    day: int
    forecast: str

    @staticmethod
    def of(horizon_hours: float, forecast: str, step_hours: float) -> "Look":
        """From hours; a window is at least a step, and at least as long as what is carried out of it."""
        replan_h = min(NAIVE_REPLAN_HOURS if forecast == "naive" else PERFECT_REPLAN_HOURS, horizon_hours)
        replan = max(1, round(replan_h / step_hours))
        return Look(max(replan, round(horizon_hours / step_hours)), replan, round(24 / step_hours), forecast)


@dataclass(frozen=True, slots=True)
class Course:
    """What was carried out: per step the connection's flows, the storages' sums, kWh held at the end of the
    step; cost; steps in which the grid limit was passed because more was used or made than foreseen.
    """

    cost: float
    import_kwh: Floats
    export_kwh: Floats
    curtailed_kwh: Floats
    charge_kwh: Floats
    discharge_kwh: Floats
    stored_kwh: Floats
    breaches: int
    plans: int


def foreseen(values: Floats, now: int, steps: int, look: Look) -> Floats:
    """What is expected of `values` from step `now` on, that step itself being known.

    Naive: the same time of the last measured day; before there is one, as now.
    """
    if look.forecast == "perfect":
        return values[now : now + steps]
    ahead = np.arange(steps)
    back = now + ahead - look.day * -(-ahead // look.day)
    return values[np.where(back >= 0, back, now)]


def needs(store: Store, end_kwh: float = 0.0) -> Floats:
    """The least that a storage must hold at the start of each step, and at the end (steps + 1), so that all its
    trips can be made and `end_kwh` is left. Raises Infeasible.
    """
    steps, gain = len(store.trips_kwh), store.charged
    least = np.empty(steps + 1)
    least[steps] = end_kwh
    for t in range(steps - 1, -1, -1):
        charged = 0.0 if store.away[t] else store.charge_step_kwh * float(gain[t])
        least[t] = max(0.0, (least[t + 1] + store.trips_kwh[t] - charged) / (1 - store.loss))
    if least.max() > store.kwh + 1e-9:
        raise Infeasible(TOO_FAR if store.plain else TOO_COLD)
    return least


def begin(store: Store, *, cyclic: bool) -> float:
    """What a storage holds at first. Raises Infeasible."""
    first = beginning(store, cyclic=cyclic)
    return max(first, float(needs(store, first)[0])) if cyclic else first


# --- a member's own storages ----------------------------------------------------------------------------


def _plan_one(  # noqa: PLR0917 a window of one storage
    net: Floats, at: Connection, store: Store, part: slice, held: float, least: float
) -> Floats:
    """One storage's exchange (above zero: charging) by the kernel. What it holds comes as a trip that brings
    energy, what it must keep leaves as one.
    """
    off = np.zeros(1)
    task = dispatch.Task(
        np.concatenate([off, net, off]),
        np.concatenate([off, np.maximum(-net, 0.0), off]),
        np.concatenate([off, at.buy[part], off]),
        np.concatenate([off, at.sell[part], off]),
        np.concatenate([[-held], store.trips_kwh[part], [least]]),
        np.concatenate([[True], store.away[part], [True]]),
    )
    storage = dispatch.Storage(store.kwh, store.charge_step_kwh, store.discharge_step_kwh, store.efficiency)
    return dispatch.best(task, storage).net_kwh[1:-1] - net


def alone(at: Connection, stores: Sequence[Store], look: Look, begin: Floats) -> Course:
    """One member's storages; no grid limit, no curtailing. Tanks need the programme. Raises Infeasible."""
    if not all(s.plain for s in stores):
        return together(at, stores, look, begin)
    steps, n = len(at.net_kwh), len(stores)
    least = [needs(s, float(e) if at.cyclic else 0.0) for s, e in zip(stores, begin, strict=True)]
    held = begin.copy()
    flows, kept = np.zeros((n, steps)), np.zeros((n, steps))
    starts = range(0, steps, look.replan)
    for now in starts:
        part = slice(now, min(now + look.horizon, steps))
        expected = foreseen(at.net_kwh, now, part.stop - now, look)
        plan = np.zeros((n, part.stop - now))
        for _turn in range(1 if n == 1 else 2):
            for k, store in enumerate(stores):
                rest = expected + plan.sum(axis=0) - plan[k]
                plan[k] = _plan_one(rest, at, store, part, float(held[k]), float(least[k][part.stop]))
        for t in range(now, min(now + look.replan, steps)):
            for k, store in enumerate(stores):
                flows[k, t] = plan[k, t - now]
                held[k] = _after(store, float(held[k]), float(flows[k, t]), t)
                kept[k, t] = held[k]
    bought, sold = netting.split(at.net_kwh + flows.sum(axis=0))
    into, out = netting.split(flows)
    cost = float(at.buy @ bought - at.sell @ sold)
    nothing = np.zeros(steps)
    sums = into.sum(axis=0), out.sum(axis=0), kept.sum(axis=0)
    return Course(cost, bought, sold, nothing, *sums, 0, len(starts))


def _after(store: Store, held: float, flow: float, t: int) -> float:
    """What is held after a step, rounding cut off."""
    change = flow * store.efficiency if flow > 0 else flow / store.efficiency
    return min(max(held * (1 - store.loss) + change - float(store.trips_kwh[t]), 0.0), store.kwh)


# --- the community's classes ----------------------------------------------------------------------------

Indices = NDArray[np.int32]


class Planner:
    """The linear programme of one window, kept between plans: only numbers change, and the simplex goes on from
    its last vertex. Steps beyond the period are empty.
    """

    def __init__(self, at: Connection, stores: Sequence[Store], least: Sequence[Floats], horizon: int) -> None:
        self.at, self.stores, self.least, self.horizon = at, stores, least, horizon
        n = len(stores)
        self.solver = programme.solver()
        flat = np.zeros(horizon)
        self.blank = [
            Store(s.kwh, s.charge_step_kwh, s.discharge_step_kwh, s.efficiency, flat, flat.astype(bool), s.loss)
            for s in stores
        ]
        self._pass(self.blank)
        self.columns = np.arange((3 + 3 * n) * horizon, dtype=np.int32)
        self.rows = np.arange((1 + n) * horizon, dtype=np.int32)

    def _pass(self, stores: Sequence[Store]) -> None:
        flat, ends = np.zeros(self.horizon), programme.Ends(np.zeros(len(stores)))
        self.solver.passModel(programme.model(flat, flat, flat, flat, stores, self.at.limit_step_kwh, False, ends))

    def _window(self, values: Floats, now: int) -> Floats:
        part = values[now : now + self.horizon]
        return np.concatenate([part, np.zeros(self.horizon - len(part))])

    def plan(self, now: int, net: Floats, pv: Floats, held: Floats) -> Floats:
        """The window's flows (variables by steps). Raises Infeasible."""
        n, h = len(self.stores), self.horizon
        free = highspy.kHighsInf if self.at.limit_step_kwh is None else self.at.limit_step_kwh
        cost, lower = np.zeros((3 + 3 * n, h)), np.zeros((3 + 3 * n, h))
        upper, right = np.full((3 + 3 * n, h), free), np.zeros((1 + n, h))
        cost[0], cost[1] = self._window(self.at.buy, now), -self._window(self.at.sell, now)
        upper[2], right[0] = self._window(pv, 0), self._window(net, 0)
        for k, store in enumerate(self.stores):
            there = self._window(np.where(store.away, 0.0, 1.0), now)
            upper[3 + 3 * k], upper[4 + 3 * k] = there * store.charge_step_kwh, there * store.discharge_step_kwh
            upper[5 + 3 * k] = store.kwh
            lower[5 + 3 * k, -1] = self.least[k][min(now + h, len(store.away))]
            right[1 + k] = -self._window(store.trips_kwh, now)
            right[1 + k, 0] += held[k] * (1 - store.loss)
        if any(s.gain is not None for s in self.stores):  # its coefficients change too
            last = self.solver.getBasis()
            self._pass(
                [
                    b if s.gain is None else dataclasses.replace(b, gain=self._window(s.gain, now))
                    for b, s in zip(self.blank, self.stores, strict=True)
                ]
            )
            if now:
                self.solver.setBasis(last)
        self.solver.changeColsCost(len(self.columns), self.columns, cost.ravel())
        self.solver.changeColsBounds(len(self.columns), self.columns, lower.ravel(), upper.ravel())
        self.solver.changeRowsBounds(len(self.rows), self.rows, right.ravel(), right.ravel())  # type: ignore[attr-defined]  # missing in its stubs
        try:
            programme.optimise(self.solver)
        except Infeasible:  # more use is foreseen than the limit lets in: this plan is made without it
            upper[:2] = highspy.kHighsInf
            self.solver.changeColsBounds(len(self.columns), self.columns, lower.ravel(), upper.ravel())
            programme.optimise(self.solver)
        return np.array(self.solver.getSolution().col_value).reshape(3 + 3 * n, h)


def together(
    at: Connection,
    stores: Sequence[Store],
    look: Look,
    begin: Floats,
    progress: Callable[[float], None] = lambda _share: None,
) -> Course:
    """The community's storages or classes of them. Raises Infeasible."""
    steps, n = len(at.net_kwh), len(stores)
    least = [needs(s, float(e) if at.cyclic else 0.0) for s, e in zip(stores, begin, strict=True)]
    planner = Planner(at, stores, least, min(look.horizon, steps))
    held = begin.copy()
    flows = np.zeros((3 + 3 * n, steps))
    starts = range(0, steps, look.replan)
    for now in starts:
        progress(now / steps)
        until = min(now + planner.horizon, steps) - now
        expected = foreseen(at.net_kwh, now, until, look)
        found = planner.plan(now, expected, foreseen(at.pv_kwh, now, until, look), held)
        keep = min(look.replan, steps - now)
        flows[:, now : now + keep] = found[:, :keep]
        held = np.clip(found[5::3, keep - 1], 0.0, [s.kwh for s in stores]) if n else held
    return _carried(at, flows, len(starts))


def _carried(at: Connection, flows: Floats, plans: int) -> Course:
    """What really passes the connection: the storages' flows with what was really used and made. Solar above the
    limit is curtailed; where that is not enough the limit is passed.
    """
    into, out, kept = (flows[k::3].sum(axis=0) for k in (3, 4, 5))
    grid = at.net_kwh + into - out
    most = np.inf if at.limit_step_kwh is None else at.limit_step_kwh
    spare = np.where(at.sell < 0, np.maximum(-grid, 0.0), np.maximum(-grid - most, 0.0))
    curtailed = np.minimum(spare, at.pv_kwh)
    bought, sold = netting.split(grid + curtailed)
    breaches = int((np.maximum(bought, sold) > most + 1e-6).sum())
    cost = float(at.buy @ bought - at.sell @ sold)
    return Course(cost, bought, sold, curtailed, into, out, kept, breaches, plans)
