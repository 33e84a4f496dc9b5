"""Dispatch by rule, step by step, without looking ahead.

A home serves itself first: what the sun makes beyond its use charges its battery, what it lacks comes from
the battery, and only the rest meets the grid. A vehicle that is back is charged at once, at its full power,
until the next trip is on board; above that it takes only spare sun, after the battery; it gives nothing back.
The community's own battery does the same with what is left when all members are netted. Storages begin empty,
or, in a cyclic community, as they end (the start is iterated to its fixed point: the state map is monotone
and forgets its start whenever a storage is full or empty). `strategies` has other rules than this one.

Limits: power limits hold per storage, not per home; a grid limit is not enforced here but its breaches are
counted. The balance net = load - solar + charged - discharged closes to rounding in every step. A trip that
finds too little on board is completed elsewhere and counted as unserved.
"""

from dataclasses import dataclass, replace

import numpy as np

from energy.engine import fleet, strategies
from energy.engine.community import Battery, Community, Floats, Member

CYCLES_AT_MOST = 60


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What flows. `net_kwh` members by steps after their own storage; the rest per step, summed over members.

    `grid_kwh` is what passes the community's one connection (import above zero) after the community battery.
    """

    net_kwh: Floats
    grid_kwh: Floats
    charge_kwh: Floats
    discharge_kwh: Floats
    vehicle_charge_kwh: Floats
    stored_kwh: Floats
    vehicle_kwh: float
    unserved_kwh: float
    curtailed_kwh: float = 0.0


def fleet_of(community: Community, *, batteries: bool = True, strategy: str = "self-consumption") -> fleet.Fleet:
    """What the members have, as the loops read it."""
    hours = community.hours
    rows = [_owned(member, hours, batteries) for member in community.members]
    kwh, step, one_way, ev, ev_step, ev_one_way, trip, leaves, away = np.array(rows, dtype=np.float64).T
    targets, caps = (strategies.targets_kwh, strategies.export_caps_kwh)
    return fleet.Fleet(
        kwh,
        step,
        one_way,
        targets(community, strategy),
        caps(community, strategy),
        ev,
        ev_step,
        ev_one_way,
        trip,
        leaves,
        away,
    )


def _owned(member: Member, hours: float, batteries: bool) -> tuple[float, ...]:
    car = member.vehicle
    battery = _battery(member.battery if batteries else None, hours)
    if car is None:
        return (*battery, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    first, until = car.away_from_min, car.away_until_min
    away = until - first + (0 if first <= until else 24 * 60)
    return (*battery, car.kwh, car.kw * hours, car.efficiency, car.kwh_per_day, float(first), float(away))


def _battery(battery: Battery | None, hours: float) -> tuple[float, float, float]:
    return (battery.kwh, battery.kw * hours, battery.one_way) if battery else (0.0, 0.0, 1.0)


def dispatch(
    community: Community,
    *,
    batteries: bool = True,
    shared_battery: bool = True,
    strategy: str = "self-consumption",
    threads: int = 1,
) -> Dispatch:
    """The whole period by rule. `batteries=False`: vehicles charge when they return and nothing else is
    controlled. Raises NotDefined for a strategy that is not there.
    """
    levels = strategies.levels(community, strategy)
    homes = members_by_rule(community, levels, batteries=batteries, strategy=strategy, each=True, threads=threads)
    totals, net = homes.totals, homes.net_kwh
    if net is None:
        raise AssertionError("each home's exchange was asked for")
    flows = homes.series
    if batteries and shared_battery:
        flows = behind_common(community, flows, levels, strategy=strategy)
    return Dispatch(
        net,
        flows["grid"],
        flows["charge"],
        flows["discharge"],
        flows["vehicles"],
        flows["stored"],
        float(totals["driven_kwh"].sum()),
        float(totals["unserved_kwh"].sum()),
    )


def members_by_rule(
    community: Community,
    levels: fleet.Levels | None,
    *,
    batteries: bool = True,
    strategy: str = "self-consumption",
    each: bool = False,
    threads: int = 1,
) -> fleet.Year:
    """Each member behind its own meter; `each=True` keeps every member's series."""
    owned = fleet_of(community, batteries=batteries, strategy=strategy)
    return _settled(community, community.load_kwh, community.pv_kwh, owned, levels, batteries, each, threads)


def behind_common(
    community: Community, flows: dict[str, Floats], levels: fleet.Levels | None, *, strategy: str
) -> dict[str, Floats]:
    """The members' sums with the community's own battery behind them, if there is one."""
    if community.battery is None:
        return flows
    grid = flows["grid"]
    common = _common(community.battery, community, grid, strategy)
    nothing = np.zeros((1, len(grid)))
    own = _settled(community, grid[np.newaxis], nothing, common, levels, True, False, 1).series
    together = {name: values + own[name] for name, values in flows.items()}
    return {**together, "grid": own["grid"], "bought": flows["bought"]}


def _common(battery: Battery, community: Community, grid_kwh: Floats, strategy: str) -> fleet.Fleet:
    """The community's own battery behind the members' sum."""
    kwh, step, one_way = (np.array([x]) for x in _battery(battery, community.hours))
    own = fleet.Fleet.batteries(kwh, step, one_way)
    if strategy == "peak-shaving":
        return replace(own, target_kwh=np.array([strategies.TARGET * max(0.0, float(grid_kwh.max()))]))
    if strategy == "export-limit":
        return replace(own, export_cap_kwh=np.array([strategies.export_caps_kwh(community, strategy).sum()]))
    return own


def _settled(  # noqa: PLR0917 what `fleet.run` takes
    community: Community,
    load_kwh: Floats,
    pv_kwh: Floats,
    owned: fleet.Fleet,
    levels: fleet.Levels | None,
    spare_to_vehicles: bool,
    each: bool,
    threads: int,
) -> fleet.Year:
    """Run storages; in a cyclic community until each ends as it began."""
    held = vehicle_held = np.zeros(len(load_kwh))
    for _ in range(CYCLES_AT_MOST if community.cyclic else 1):
        found = fleet.run(
            load_kwh,
            pv_kwh,
            owned,
            import_price=community.import_price,
            export_price=community.export_price,
            levels=levels,
            minute=community.local_minute,
            held_kwh=held,
            vehicle_held_kwh=vehicle_held,
            spare_to_vehicles=spare_to_vehicles,
            each=each,
            threads=threads,
        )
        end, vehicle_end = found.totals["held_kwh"], found.totals["vehicle_held_kwh"]
        moved = np.abs(end - held) + np.abs(vehicle_end - vehicle_held)
        held, vehicle_held = end, vehicle_end
        if float(moved.max(initial=0.0)) < 1e-9:
            break
    return found
