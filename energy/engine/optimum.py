"""The optimum with perfect foresight: each member alone, and the community behind its one connection.

Alone: a member with one storage is solved exactly by the kernel of `dispatch`, one with two (battery and
vehicle) by the linear programme. Together: behind one connection only the sum of net energies matters, and
storages of equal efficiency, equal power per capacity and equal absence merge exactly (the sum of homothetic
polytopes is their scaled copy; vehicles merge if they also drive the same share of their capacity). The
programme then grows with the number of storage classes, not with the number of homes (`decomposition`, which
also proves how near the answer is). A class's schedule is handed back to its storages in proportion to their
capacity.

The grid limit belongs to the community's connection; members alone are not bound by it. Solar may be
curtailed.
"""

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from energy.engine import decomposition, dispatch, heat, kpi, netting, programme, rolling, sharing
from energy.engine.answer import Progress, Result, chart_series, engine_block, member_rows
from energy.engine.community import Battery, Community, Floats, Member, Vehicle
from energy.engine.decomposition import class_key, classes
from energy.engine.refusals import Infeasible, NotDefined, gettext_noop
from energy.engine.rule import Dispatch

__all__ = [
    "all_stores",
    "alone",
    "answer",
    "battery_store",
    "class_key",
    "classes",
    "connection",
    "simulate",
    "stores_of",
    "together",
]


@dataclass(frozen=True, slots=True)
class Alone:
    """One member's own optimum: cost, and exchange with the grid per step."""

    cost: float
    net_kwh: Floats
    curtailed_kwh: float


def battery_store(battery: Battery, community: Community) -> programme.Store:
    """A battery as the programme sees it."""
    step = battery.kw * community.hours
    steps = community.steps
    return programme.Store(battery.kwh, step, step, battery.one_way, np.zeros(steps), np.zeros(steps, dtype=np.bool_))


def vehicle_store(vehicle: Vehicle, community: Community) -> programme.Store:
    """A vehicle as the programme sees it; without V2G it gives nothing back."""
    step = vehicle.kw * community.hours
    minute = community.local_minute
    return programme.Store(
        vehicle.kwh,
        step,
        step if vehicle.v2g else 0.0,
        vehicle.efficiency,
        vehicle.trips_kwh(minute),
        vehicle.away(minute),
    )


def stores_of(member: Member, community: Community) -> list[programme.Store]:
    """What a member can store with."""
    stores = [battery_store(member.battery, community)] if member.battery else []
    stores += [vehicle_store(member.vehicle, community)] if member.vehicle else []
    with_tank = community.heat_apart and member.heat and member.heat.tank_kwh > 0
    return stores + ([heat.tank(member.heat, community.hours)] if with_tank and member.heat else [])


def alone(community: Community, row: int) -> Alone:
    """A member's optimum without the others. Raises Infeasible."""
    net, pv = community.net_kwh[row], community.pv_kwh[row]
    buy, sell = community.import_price, community.export_price
    stores = stores_of(community.members[row], community)
    plain = float(sell.min()) >= 0
    if not stores and plain:
        bought, sold = netting.split(net)
        return Alone(float(kpi.step_cost(bought, sold, community).sum()), net, 0.0)
    if len(stores) == 1 and stores[0].plain and plain:
        found = _one(net, pv, community, stores[0])
        return Alone(found.cost, found.net_kwh, 0.0)
    at = decomposition.Connection(net, pv, buy, sell, None, community.cyclic)
    if plain and all(s.plain for s in stores) and community.steps > decomposition.DIRECT_STEPS:
        lp = decomposition.whole(at, stores, _near(at, community, stores))
    else:
        lp = decomposition.exact(at, stores)
    return Alone(lp.cost, lp.import_kwh - lp.export_kwh, float(lp.curtailed_kwh.sum()))


def _one(net: Floats, pv: Floats, community: Community, store: programme.Store) -> dispatch.Optimum:
    """One storage behind a meter, by the kernel. Raises Infeasible."""
    task = dispatch.Task(net, pv, community.import_price, community.export_price, store.trips_kwh, store.away)
    storage = dispatch.Storage(store.kwh, store.charge_step_kwh, store.discharge_step_kwh, store.efficiency)
    return dispatch.best(task, storage, cyclic=community.cyclic)


def _near(at: decomposition.Connection, community: Community, stores: list[programme.Store]) -> programme.Basis | None:
    """Where the simplex may begin: the storages one after the other, each best against those before it."""
    rest, flows = at.net_kwh, np.zeros((3 + 3 * len(stores), len(at.net_kwh)))
    upper = np.full_like(flows, np.inf)
    upper[2] = at.pv_kwh
    free = dataclasses.replace(community, cyclic=False)
    for k, store in enumerate(stores):
        try:
            found = _one(rest, at.pv_kwh, free, store)
        except Infeasible:  # a trip on the first morning, for which a cyclic vehicle comes charged
            return None
        flows[3 + 3 * k], flows[4 + 3 * k] = netting.split(found.net_kwh - rest)
        flows[5 + 3 * k] = found.stored_kwh[1:]
        there = np.where(store.away, 0.0, 1.0)
        upper[3 + 3 * k], upper[4 + 3 * k] = there * store.charge_step_kwh, there * store.discharge_step_kwh
        upper[5 + 3 * k] = store.kwh
        rest = found.net_kwh
    flows[0], flows[1] = netting.split(rest)
    return programme.near(flows, upper)


def connection(community: Community) -> decomposition.Connection:
    """The community behind its one connection."""
    limit = None if community.grid_limit_kw is None else community.grid_limit_kw * community.hours
    return decomposition.Connection(
        community.net_kwh.sum(axis=0),
        community.pv_kwh.sum(axis=0),
        community.import_price,
        community.export_price,
        limit,
        community.cyclic,
    )


def all_stores(community: Community) -> list[programme.Store]:
    """Members' storages in their order, the community's own battery last."""
    stores = [store for member in community.members for store in stores_of(member, community)]
    if community.battery:
        stores.append(battery_store(community.battery, community))
    return stores


def together(community: Community) -> programme.Solution:
    """The community's optimum. Raises Infeasible."""
    return answer(community).solution


def answer(community: Community, progress: Callable[[float], None] = lambda _share: None) -> decomposition.Answer:
    """The community's optimum with its proven gap, and what each storage of `all_stores` saves. Raises
    Infeasible.
    """
    return decomposition.solve(connection(community), all_stores(community), progress=progress)


def everyone_alone(community: Community, progress: Progress) -> list[Alone]:
    """Each member's own optimum. Raises Infeasible."""
    return everyone(community, lambda row: alone(community, row), progress)


def everyone(community: Community, work: Callable[[int], Alone], progress: Progress) -> list[Alone]:
    """Work for each member, on as many threads as this process may use. Raises what the work raises."""
    n = len(community.members)
    _ = community.local_minute, community.net_kwh  # computed once, before the threads
    found: list[Alone] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if n > 1 else 1) as pool:
        pending = [pool.submit(work, row) for row in range(n)]
        try:
            for row, one in enumerate(pending):
                progress(row / n, f"{community.members[row].name} ({row + 1}/{n})")
                found.append(one.result())
        except BaseException:
            for one in pending:
                one.cancel()
            raise
    return found


def simulate(
    community: Community,
    *,
    sharing_rule: str,
    horizon_hours: float | None = None,
    forecast: str = "naive",
    seed: int = 0,
    progress: Progress,
) -> Result:
    """Both optima (or what plans over a horizon make of them), figures and sharing. Raises NotDefined for sharing
    that this control does not have.
    """
    if sharing_rule.startswith("mid-market"):
        raise NotDefined(
            gettext_noop("a local price does not say who gains from storage that is run together; choose owen")
        )
    if horizon_hours is not None:
        return _rolling(community, sharing_rule, rolling.Look.of(horizon_hours, forecast, community.hours), progress)
    whole, community = community, heat.apart(community)
    found = everyone_alone(community, lambda share, stage: progress(0.02 + 0.58 * share, stage))
    progress(0.6, "the community together")
    best = answer(community, lambda share: progress(0.6 + 0.3 * share, "the community together"))
    lp = best.solution
    progress(0.9, "working out the figures")
    net = np.array([a.net_kwh for a in found])
    costs = np.array([a.cost for a in found])
    table = dataclasses.replace(_game(community, net, costs, best, seed, progress), use_kwh=_use(whole))
    shared = sharing.share(sharing_rule, table)
    block = {
        "method": best.method,
        "classes": best.classes,
        "bound": best.bound,
        "gap": best.gap,
        "columns": lp.columns,
        "rows": lp.rows,
    }
    return _result(whole, community, found, lp, shared, block)


def _use(community: Community) -> Floats:
    """What each member uses over the period, kWh."""
    return np.asarray(community.load_kwh.sum(axis=1) + community.trips_kwh.sum(axis=1))


def _summed(flow: Floats) -> Floats:
    """Over storages, where they are apart."""
    return flow if flow.ndim == 1 else np.asarray(flow.sum(axis=0))


def _result(  # noqa: PLR0917 what was found
    community: Community,
    apart_: Community,
    found: list[Alone],
    joint: programme.Solution | rolling.Course,
    shared: sharing.Sharing,
    block: dict[str, object],
) -> Result:
    """The answer in the contract's words."""
    driven = float(community.trips_kwh.sum())
    net, costs = np.array([a.net_kwh for a in found]), np.array([a.cost for a in found])
    # a tank charges where the pump takes more than one that follows its demand, and gives where it takes less
    followed = (community.load_kwh - apart_.load_kwh).sum(axis=0)
    charged = _summed(joint.charge_kwh)
    flows = Dispatch(
        net,
        joint.import_kwh - joint.export_kwh,
        charged - np.minimum(charged, followed),
        _summed(joint.discharge_kwh) + followed - np.minimum(charged, followed),
        np.zeros(community.steps),
        _summed(joint.stored_kwh),
        driven,
        0.0,
    )
    together_ = kpi.totals(community, joint.import_kwh, joint.export_kwh, driven, float(joint.curtailed_kwh.sum()))
    apart = kpi.totals(community, *netting.split(net), driven, sum(a.curtailed_kwh for a in found))
    return Result(
        document={
            "totals": together_.as_dict(),
            "separate": apart.as_dict(),
            "members": member_rows(community, costs, shared.savings, shared.member_intervals()),
            "sharing": shared.as_dict(),
            "engine": engine_block(community, "optimal", flows) | block,
        },
        series=chart_series(community, flows),
    )


def _rolling(community: Community, sharing_rule: str, look: rolling.Look, progress: Progress) -> Result:
    """What plans over a horizon achieve, beside what foresight would. Raises Infeasible, NotDefined."""
    if sharing_rule not in ("equal", "proportional"):
        raise NotDefined(
            gettext_noop(
                "sharing “%(rule)s” needs the prices of an optimum, which plans over a horizon do not have; choose "
                "equal or proportional, or leave the horizon out"
            ),
            rule=sharing_rule,
        )
    whole, community = community, heat.apart(community)
    progress(0.02, "the community together")
    best = answer(community, lambda share: progress(0.02 + 0.3 * share, "the community together"))
    at = connection(community)
    begin = np.array([rolling.begin(s, cyclic=at.cyclic) for s in best.parts])

    def planned(share: float) -> None:
        progress(0.32 + 0.38 * share, "planning day by day")

    course = rolling.together(at, best.parts, look, begin, planned)
    found = everyone(
        community,
        lambda row: _planned(community, row, look),
        lambda share, stage: progress(0.7 + 0.25 * share, stage),
    )
    progress(0.95, "working out the figures")
    costs, net = np.array([a.cost for a in found]), np.array([a.net_kwh for a in found])
    table = sharing.Table(community, net, _use(whole), costs, float(costs.sum()) - course.cost, None, netting=False)
    block: dict[str, object] = {
        "method": "plans over a horizon, " + best.method,
        "classes": best.classes,
        "gap": best.gap,
        "horizon_hours": look.horizon * community.hours,
        "replan_hours": look.replan * community.hours,
        "forecast": look.forecast,
        "plans": course.plans,
        "cost_with_foresight": best.solution.cost,
        "value_of_forecast": course.cost - best.solution.cost,
    }
    return _result(whole, community, found, course, sharing.share(sharing_rule, table), block)


def _planned(community: Community, row: int, look: rolling.Look) -> Alone:
    """A member by its own plans, without the others. Raises Infeasible."""
    net = community.net_kwh[row]
    stores = stores_of(community.members[row], community)
    at = decomposition.Connection(
        net, community.pv_kwh[row], community.import_price, community.export_price, None, community.cyclic
    )
    course = rolling.alone(at, stores, look, np.array([rolling.begin(s, cyclic=at.cyclic) for s in stores]))
    return Alone(course.cost, course.import_kwh - course.export_kwh, float(course.curtailed_kwh.sum()))


def _game(  # noqa: PLR0917 what `simulate` found
    community: Community, net: Floats, costs: Floats, best: decomposition.Answer, seed: int, progress: Progress
) -> sharing.Table:
    """The game of groups that run their own storages with their part of what is common."""
    from energy.engine import groups  # noqa: PLC0415 it solves groups by this module

    progress(0.9, "sharing the saving")
    lp = best.solution
    tried = groups.Groups(community, costs, lambda count: progress(min(0.99, 0.9 + count / 1000), "trying groups"))
    dual = tried.know_whole(best)
    use = np.asarray(community.load_kwh.sum(axis=1) + community.trips_kwh.sum(axis=1))
    total = float(costs.sum()) - lp.cost
    return sharing.Table(community, net, use, costs, total, None, netting=False, seed=seed, groups=tried, dual=dual)
