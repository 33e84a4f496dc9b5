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
    """A storage, or a class of storages that merge exactly; energies kWh, per step at the grid side."""

    kwh: float
    charge_step_kwh: float
    discharge_step_kwh: float
    efficiency: float
    trips_kwh: Floats
    away: Bools


@dataclass(frozen=True, slots=True)
class Solution:
    """The optimum; arrays per step, `charge_kwh` … storages by steps.

    `price`: dual of the balance, currency per kWh. `limit_value`: what one more kWh of grid limit, both ways,
    would save in each step (at least zero; None without a limit). `store_values`: what each storage saves.
    `curtail_value`: what the right to curtail saves in each step, zero where the price is not below zero; a
    member's part is its solar times max(0, -price).
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


def solve(
    net_kwh: Floats,
    pv_kwh: Floats,
    buy: Floats,
    sell: Floats,
    stores: Sequence[Store],
    *,
    limit_step_kwh: float | None,
    cyclic: bool,
) -> Solution:
    """Solve to HiGHS' tolerance (1e-7). Raises Infeasible."""
    steps, n = len(net_kwh), len(stores)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex")
    lp = _model(net_kwh, pv_kwh, buy, sell, stores, limit_step_kwh, cyclic)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise Infeasible(
            gettext_noop("use, trips and grid limit cannot all be met; raise grid_limit_kw or lower a trip")
        )
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)}")
    found = solver.getSolution()
    x = np.array(found.col_value).reshape(3 + 3 * n, steps)
    duals = np.array(found.row_dual).reshape(1 + n, steps)
    # what each finite upper bound is worth: right-hand side times minus its dual
    upper = np.minimum(np.asarray(lp.col_upper_).reshape(x.shape), np.finfo(np.float64).max)
    relief = np.maximum(0.0, -np.array(found.col_dual).reshape(x.shape))
    relief[upper == np.finfo(np.float64).max] = 0.0
    bounds = (relief * upper).sum(axis=1)
    trips = np.array([float(duals[1 + k] @ store.trips_kwh) for k, store in enumerate(stores)])
    return Solution(
        cost=float(solver.getInfo().objective_function_value),
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
    )


def _model(  # noqa: PLR0917 the arrays of `solve`
    net_kwh: Floats,
    pv_kwh: Floats,
    buy: Floats,
    sell: Floats,
    stores: Sequence[Store],
    limit: float | None,
    cyclic: bool,
) -> highspy.HighsLp:
    """Columns: import, export, curtailed, then charge, discharge, held of each storage; rows: balance, then
    continuity.
    """
    steps, n = len(net_kwh), len(stores)
    free = highspy.kHighsInf if limit is None else limit
    t = np.arange(steps)
    upper = [np.full(steps, free), np.full(steps, free), pv_kwh]
    entries = [_entries(t, t, 1.0), _entries(t, steps + t, -1.0), _entries(t, 2 * steps + t, -1.0)]
    right = [net_kwh]
    for k, store in enumerate(stores):
        at, row = (3 + 3 * k) * steps, (1 + k) * steps
        there = np.where(store.away, 0.0, 1.0)
        upper += [there * store.charge_step_kwh, there * store.discharge_step_kwh, np.full(steps, store.kwh)]
        before = np.roll(t, 1)
        kept = t if cyclic else t[1:]
        entries += [
            _entries(t, at + t, -1.0),
            _entries(t, at + steps + t, 1.0),
            _entries(row + t, at + t, -store.efficiency),
            _entries(row + t, at + steps + t, 1 / store.efficiency),
            _entries(row + t, at + 2 * steps + t, 1.0),
            _entries(row + kept, at + 2 * steps + before[kept], -1.0),
        ]
        right.append(-store.trips_kwh)
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    order = np.lexsort((rows, columns))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = (3 + 3 * n) * steps, (1 + n) * steps
    lp.col_cost_ = np.concatenate([buy, -sell, np.zeros((1 + 3 * n) * steps)])
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.concatenate(upper)
    lp.row_lower_ = lp.row_upper_ = np.concatenate(right)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(lp.num_col_ + 1)).astype(np.int32)
    lp.a_matrix_.index_ = rows[order].astype(np.int32)
    lp.a_matrix_.value_ = values[order]
    return lp


def _entries(rows: Indices, columns: Indices, value: float) -> tuple[Indices, Indices, Floats]:
    """Entries of one value at rows and columns."""
    return rows, columns, np.full(len(rows), value)
