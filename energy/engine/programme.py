"""The linear programme of one connection point with several storages, solved by HiGHS.

Per step: import, export, curtailed solar; per storage charge, discharge and the energy held at the end of the
step. Rows: the energy balance of the step, and each storage's continuity. Import and export are bounded by
the grid limit. A cyclic programme joins each storage's end to its start.

Duals. The price of a balance row is what one more kWh would cost the community in that step. Strong duality
says who earns the optimum: with reduced costs d and upper bounds u,

    cost = price . net - sum(curtail_value) - sum(store_values) - sum(limit_value) x limit,

where a storage's worth is minus the sum over its constraints of dual times right-hand side: its continuity
rows (what trips take) and its bounds of power and capacity. A merged class splits its worth in proportion to
capacity, as its schedule does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Bools, Floats
from energy.engine.refusals import Infeasible, gettext_noop

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Store:
    """A storage, or a class of storages that merge exactly; energies kWh, per step at the grid side.

    `loss` is the share of what is held that each step takes, before anything is charged (a tank cools). `gain` is
    what one kWh charged adds in each step, where that is not `efficiency` (a heat pump's COP).
    """

    kwh: float
    charge_step_kwh: float
    discharge_step_kwh: float
    efficiency: float
    trips_kwh: Floats
    away: Bools
    loss: float = 0.0
    gain: Floats | None = None

    @property
    def plain(self) -> bool:
        """Whether it is a battery or a vehicle, with one efficiency and no loss, as the kernel of `dispatch` has it."""
        return self.loss == 0 and self.gain is None

    @property
    def charged(self) -> Floats:
        """What one kWh charged adds, for each step."""
        return np.full(len(self.trips_kwh), self.efficiency) if self.gain is None else self.gain


@dataclass(frozen=True, slots=True)
class Ends:
    """What holds at the ends of a programme that is not cyclic: energy held before the first step (None:
    nothing), energy to be held after the last (None: free), and what one kWh held then is worth (None: nothing).
    """

    before_kwh: Floats | None = None
    after_kwh: Floats | None = None
    worth: Floats | None = None


FREE = Ends()


@dataclass(frozen=True, slots=True)
class Basis:
    """A vertex as HiGHS names it: status of each column and row, variables by steps."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]


EDGE_KWH = 1e-7
STATUS = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}


@dataclass(frozen=True, slots=True)
class Solution:
    """The optimum; arrays per step, `charge_kwh` … storages by steps.

    `price`: dual of the balance, currency per kWh. `limit_value`: what one more kWh of grid limit, both ways,
    would save in each step (at least zero; None without a limit). `store_values`: what each storage saves.
    `curtail_value`: what the right to curtail saves in each step, zero where the price is not below zero; a
    member's part is its solar times max(0, -price). `worth`: what one more kWh held before each step would save
    (storages by steps).
    """

    cost: float
    import_kwh: Floats
    export_kwh: Floats
    curtailed_kwh: Floats
    charge_kwh: Floats
    discharge_kwh: Floats
    stored_kwh: Floats
    price: Floats
    limit_value: Floats | None
    store_values: Floats
    curtail_value: Floats
    columns: int
    rows: int
    worth: Floats
    basis: Basis | None = None


def solve(
    net_kwh: Floats,
    pv_kwh: Floats,
    buy: Floats,
    sell: Floats,
    stores: Sequence[Store],
    *,
    limit_step_kwh: float | None,
    cyclic: bool,
    ends: Ends = FREE,
    first: Basis | None = None,
    keep_basis: bool = False,
) -> Solution:
    """Solve to HiGHS' tolerance (1e-7), beginning at `first` if one is given. Raises Infeasible."""
    steps, n = len(net_kwh), len(stores)
    worker = solver()
    lp = model(net_kwh, pv_kwh, buy, sell, stores, limit_step_kwh, cyclic, ends)
    worker.passModel(lp)
    if first is not None:
        _begin_at(worker, first)
    optimise(worker)
    found = worker.getSolution()
    x = np.array(found.col_value).reshape(3 + 3 * n, steps)
    duals = np.array(found.row_dual).reshape(1 + n, steps)
    # what each finite upper bound is worth: right-hand side times minus its dual
    upper = np.minimum(np.asarray(lp.col_upper_).reshape(x.shape), np.finfo(np.float64).max)
    relief = np.maximum(0.0, -np.array(found.col_dual).reshape(x.shape))
    relief[upper == np.finfo(np.float64).max] = 0.0
    bounds = (relief * upper).sum(axis=1)
    given = np.array([s.trips_kwh for s in stores]).reshape(n, steps)
    if ends.before_kwh is not None:
        given[:, 0] -= ends.before_kwh * np.array([1 - s.loss for s in stores])
    trips = (duals[1:] * given).sum(axis=1)
    return Solution(
        cost=float(worker.getInfo().objective_function_value),
        import_kwh=x[0],
        export_kwh=x[1],
        curtailed_kwh=x[2],
        charge_kwh=x[3::3],
        discharge_kwh=x[4::3],
        stored_kwh=x[5::3],
        price=duals[0],
        limit_value=None if limit_step_kwh is None else relief[0] + relief[1],
        store_values=trips + bounds[3::3] + bounds[4::3] + bounds[5::3],
        curtail_value=relief[2] * pv_kwh,
        columns=x.size,
        rows=(1 + n) * steps,
        worth=-duals[1:] * np.array([1 - s.loss for s in stores]).reshape(n, 1),
        basis=_basis(worker, x.shape, duals.shape) if keep_basis else None,
    )


def solver() -> highspy.Highs:
    """HiGHS as we use it: silent, one thread, simplex by steepest edge (5 % faster here than its own choice)."""
    made = highspy.Highs()  # type: ignore[no-untyped-call]
    made.setOptionValue("output_flag", False)
    made.setOptionValue("threads", 1)
    made.setOptionValue("solver", "simplex")
    made.setOptionValue("simplex_dual_edge_weight_strategy", 2)
    return made


def optimise(worker: highspy.Highs) -> None:
    """Run it. Raises Infeasible."""
    worker.run()
    status = worker.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise Infeasible(
            gettext_noop("use, trips and grid limit cannot all be met; raise grid_limit_kw or lower a trip")
        )
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {worker.modelStatusToString(status)}")


def near(flows: Floats, upper: Floats) -> Basis:
    """The vertex nearest to flows (variables by steps): what lies strictly between its bounds is basic."""
    between = (flows > EDGE_KWH) & (flows < upper - EDGE_KWH)
    columns = np.where(between, 1, np.where(flows > EDGE_KWH, 2, 0)).astype(np.int8)
    return Basis(columns, np.zeros((len(flows) // 3, flows.shape[1]), dtype=np.int8))


def _basis(worker: highspy.Highs, columns: tuple[int, ...], rows: tuple[int, ...]) -> Basis:
    """HiGHS' basis as bytes: variables by steps, rows by steps."""
    basis = worker.getBasis()
    return Basis(
        _numbers(basis.col_status).reshape(columns),
        _numbers(basis.row_status).reshape(rows),
    )


def _numbers(statuses: Sequence[highspy.HighsBasisStatus]) -> NDArray[np.int8]:
    """Statuses as numbers."""
    return np.frombuffer(bytes(map(highspy.HighsBasisStatus.__int__, statuses)), dtype=np.int8)


def _begin_at(worker: highspy.Highs, first: Basis) -> None:
    """Begin at a basis that need not be one: HiGHS completes it."""
    basis = highspy.HighsBasis()
    basis.valid, basis.alien = True, True
    basis.col_status = [STATUS[int(k)] for k in first.columns.ravel()]
    basis.row_status = [STATUS[int(k)] for k in first.rows.ravel()]
    worker.setBasis(basis)


def model(  # noqa: PLR0917 the arrays of `solve`
    net_kwh: Floats,
    pv_kwh: Floats,
    buy: Floats,
    sell: Floats,
    stores: Sequence[Store],
    limit: float | None,
    cyclic: bool,
    ends: Ends,
) -> highspy.HighsLp:
    """Columns: import, export, curtailed, then charge, discharge, held of each storage; rows: balance, then
    continuity.
    """
    steps, n = len(net_kwh), len(stores)
    free = highspy.kHighsInf if limit is None else limit
    t, lp_rows = np.arange(steps), (1 + n) * steps
    upper = [np.full(steps, free), np.full(steps, free), pv_kwh]
    entries = [_entries(t, t, 1.0), _entries(t, steps + t, -1.0), _entries(t, 2 * steps + t, -1.0)]
    right = [net_kwh]
    cost, lower = np.zeros((3 + 3 * n) * steps), np.zeros((3 + 3 * n) * steps)
    cost[:steps], cost[steps : 2 * steps] = buy, -sell
    for k, store in enumerate(stores):
        at, row = (3 + 3 * k) * steps, (1 + k) * steps
        there = np.where(store.away, 0.0, 1.0)
        held = np.full(steps, store.kwh)
        upper += [there * store.charge_step_kwh, there * store.discharge_step_kwh, held]
        before = np.roll(t, 1)
        kept = t if cyclic else t[1:]
        entries += [
            _entries(t, at + t, -1.0),
            _entries(t, at + steps + t, 1.0),
            (row + t, at + t, -store.charged),
            _entries(row + t, at + steps + t, 1 / store.efficiency),
            _entries(row + t, at + 2 * steps + t, 1.0),
            _entries(row + kept, at + 2 * steps + before[kept], store.loss - 1.0),
        ]
        change = -store.trips_kwh
        if ends.before_kwh is not None:
            change[0] += ends.before_kwh[k] * (1 - store.loss)
        right.append(change)
        if ends.worth is not None:
            cost[at + 3 * steps - 1] = -ends.worth[k]
        if ends.after_kwh is not None:
            lower[at + 3 * steps - 1] = held[-1] = ends.after_kwh[k]
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    order = np.argsort(columns * lp_rows + rows, kind="stable")  # runs in order already, which a stable sort merges
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = (3 + 3 * n) * steps, lp_rows
    lp.col_cost_ = cost
    lp.col_lower_, lp.col_upper_ = lower, np.concatenate(upper)
    lp.row_lower_ = lp.row_upper_ = np.concatenate(right)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(lp.num_col_ + 1)).astype(np.int32)
    lp.a_matrix_.index_ = rows[order].astype(np.int32)
    lp.a_matrix_.value_ = values[order]
    return lp


def _entries(rows: Indices, columns: Indices, value: float) -> tuple[Indices, Indices, Floats]:
    """Entries of one value at rows and columns."""
    return rows, columns, np.full(len(rows), value)
