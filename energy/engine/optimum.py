"""The optimum with perfect foresight: each member alone, and the community behind its one connection.

Alone: a member with one storage is solved exactly by the kernel of `dispatch`, one with two (battery and
vehicle) by the linear programme. Together: behind one connection only the sum of net energies matters, and
storages of equal efficiency, equal power per capacity and equal absence merge exactly (the sum of homothetic
polytopes is their scaled copy; vehicles merge if they also drive the same share of their capacity). The
programme then grows with the number of storage classes, not with the number of homes. A class's schedule is
handed back to its storages in proportion to their capacity.

The grid limit belongs to the community's connection; members alone are not bound by it. Solar may be
curtailed.
"""

from dataclasses import dataclass

import numpy as np

from energy.engine import dispatch, kpi, netting, programme, sharing
from energy.engine.answer import Progress, Result, chart_series, engine_block, member_rows
from energy.engine.community import Battery, Community, Floats, Member, Vehicle
from energy.engine.refusals import NotDefined, NotYet, gettext_noop
from energy.engine.rule import Dispatch


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
    return stores + ([vehicle_store(member.vehicle, community)] if member.vehicle else [])


def class_key(store: programme.Store) -> tuple[object, ...]:
    """What storages that merge exactly have in common."""
    per_kwh = (store.charge_step_kwh / store.kwh, store.discharge_step_kwh / store.kwh, store.efficiency)
    return (
        *(round(x, 12) for x in per_kwh),
        store.away.tobytes(),
        np.round(store.trips_kwh / store.kwh, 12).tobytes(),
    )


def classes(stores: list[programme.Store]) -> list[programme.Store]:
    """Storages that merge exactly, merged."""
    merged: dict[tuple[object, ...], list[programme.Store]] = {}
    for store in stores:
        merged.setdefault(class_key(store), []).append(store)
    return [
        programme.Store(
            kwh=sum(s.kwh for s in group),
            charge_step_kwh=sum(s.charge_step_kwh for s in group),
            discharge_step_kwh=sum(s.discharge_step_kwh for s in group),
            efficiency=group[0].efficiency,
            trips_kwh=np.sum([s.trips_kwh for s in group], axis=0),
            away=group[0].away,
        )
        for group in merged.values()
    ]


def alone(community: Community, row: int) -> Alone:
    """A member's optimum without the others. Raises Infeasible."""
    net, pv = community.net_kwh[row], community.pv_kwh[row]
    buy, sell = community.import_price, community.export_price
    stores = stores_of(community.members[row], community)
    if len(stores) == 1 and float(sell.min()) >= 0:
        one = stores[0]
        task = dispatch.Task(net, pv, buy, sell, one.trips_kwh, one.away)
        storage = dispatch.Storage(one.kwh, one.charge_step_kwh, one.discharge_step_kwh, one.efficiency)
        found = dispatch.best(task, storage, cyclic=community.cyclic)
        return Alone(found.cost, found.net_kwh, 0.0)
    if not stores and float(sell.min()) >= 0:
        bought, sold = netting.split(net)
        return Alone(float(kpi.step_cost(bought, sold, community).sum()), net, 0.0)
    lp = programme.solve(net, pv, buy, sell, stores, limit_step_kwh=None, cyclic=community.cyclic)
    return Alone(lp.cost, lp.import_kwh - lp.export_kwh, float(lp.curtailed_kwh.sum()))


def together(community: Community) -> programme.Solution:
    """The community's optimum. Raises Infeasible."""
    stores = [store for member in community.members for store in stores_of(member, community)]
    if community.battery:
        stores.append(battery_store(community.battery, community))
    limit = None if community.grid_limit_kw is None else community.grid_limit_kw * community.hours
    return programme.solve(
        community.net_kwh.sum(axis=0),
        community.pv_kwh.sum(axis=0),
        community.import_price,
        community.export_price,
        classes(stores),
        limit_step_kwh=limit,
        cyclic=community.cyclic,
    )


def simulate(
    community: Community, *, sharing_rule: str, horizon_hours: float | None, seed: int = 0, progress: Progress
) -> Result:
    """Both optima, figures and sharing. Raises NotYet for a rolling horizon, NotDefined for mid-market sharing."""
    if horizon_hours is not None:
        raise NotYet(
            gettext_noop("a rolling horizon is not built yet; leave --horizon-hours out for perfect foresight")
        )
    if sharing_rule.startswith("mid-market"):
        raise NotDefined(
            gettext_noop("a local price does not say who gains from storage that is run together; choose owen")
        )
    found: list[Alone] = []
    n = len(community.members)
    for row, member in enumerate(community.members):
        progress(0.02 + 0.38 * row / n, f"{member.name} ({row + 1}/{n})")
        found.append(alone(community, row))
    progress(0.4, "the community together")
    lp = together(community)
    progress(0.9, "working out the figures")
    driven = float(community.trips_kwh.sum())
    joint = kpi.totals(community, lp.import_kwh, lp.export_kwh, driven, float(lp.curtailed_kwh.sum()))
    net = np.array([a.net_kwh for a in found])
    apart = kpi.totals(community, *netting.split(net), driven, sum(a.curtailed_kwh for a in found))
    costs = np.array([a.cost for a in found])
    game = _game(community, net, costs, lp, seed, progress)
    shared = sharing.share(sharing_rule, game)
    flows = Dispatch(
        net,
        lp.import_kwh - lp.export_kwh,
        lp.charge_kwh.sum(axis=0),
        lp.discharge_kwh.sum(axis=0),
        np.zeros(community.steps),
        lp.stored_kwh.sum(axis=0),
        driven,
        0.0,
    )
    block = engine_block(community, "optimal", flows)
    return Result(
        document={
            "totals": joint.as_dict(),
            "separate": apart.as_dict(),
            "members": member_rows(community, costs, shared.savings, shared.member_intervals()),
            "sharing": shared.as_dict(),
            "engine": {
                **block,
                "method": "linear programme, storage classes",
                "columns": lp.columns,
                "rows": lp.rows,
            },
        },
        series=chart_series(community, flows),
    )


def _game(  # noqa: PLR0917 what `simulate` found
    community: Community, net: Floats, costs: Floats, lp: programme.Solution, seed: int, progress: Progress
) -> sharing.Table:
    """The game of groups that run their own storages with their part of what is common."""
    from energy.engine import groups  # noqa: PLC0415 it solves groups by this module

    progress(0.9, "sharing the saving")
    owen = groups.member_costs(community, lp.price)
    tried = groups.Groups(community, costs, lambda count: progress(min(0.99, 0.9 + count / 1000), "trying groups"))
    certain = tried.know_whole(lp.cost, lp.price, owen)
    use = np.asarray(community.load_kwh.sum(axis=1) + community.trips_kwh.sum(axis=1))
    total = float(costs.sum()) - lp.cost
    dual = sharing.Dual(owen, certain)
    return sharing.Table(community, net, use, costs, total, None, netting=False, seed=seed, groups=tried, dual=dual)
