"""Dispatch by rule, step by step, without looking ahead.

A home serves itself first: what the sun makes beyond its use charges its battery, what it lacks comes from
the battery, and only the rest meets the grid. A vehicle that is back is charged at once, at its full power,
until the next trip is on board; above that it takes only spare sun, after the battery; it gives nothing back.
The community's own battery does the same with what is left when all members are netted. Storages begin empty,
or, in a cyclic community, as they end (the start is iterated to its fixed point: the state map is monotone
and forgets its start whenever a storage is full or empty).

Limits: power limits hold per storage, not per home; a grid limit is not enforced here but its breaches are
counted. The balance net = load - solar + charged - discharged closes to rounding in every step. A trip that
finds too little on board is completed elsewhere and counted as unserved.
"""

from dataclasses import dataclass

import numpy as np

from energy.engine.community import Battery, Bools, Community, Floats
from energy.engine.compiled import compiled

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


#: trips, away, battery (kWh, kWh a step, one way), vehicle (kWh, kWh a step, one way, kWh of the next trip)
Storage = tuple[Floats, Bools, float, float, float, float, float, float, float]


@compiled
def run_storage(  # noqa: PLR0917 compiled: positional alone
    net: Floats,
    trips: Floats,
    away: Bools,
    kwh: float,
    step_kwh: float,
    eta: float,
    ev_kwh: float,
    ev_step_kwh: float,
    ev_eta: float,
    ev_need: float,
    soc: float,
    ev_soc: float,
    spare_to_ev: bool,
    out: Floats,
    charge: Floats,
    discharge: Floats,
    ev_charge: Floats,
    stored: Floats,
) -> tuple[float, float, float, float]:
    """One member through all steps; writes `out`, adds to the sums, answers final states, kWh driven and
    unserved.
    """
    driven = 0.0
    unserved = 0.0
    per_eta = 1.0 / eta
    for t in range(net.shape[0]):
        left = net[t]
        room = 0.0
        if ev_kwh > 0.0 and not away[t]:
            if trips[t] > 0.0:
                served = min(trips[t], ev_soc)
                driven += served
                unserved += trips[t] - served
                ev_soc -= served
            taken = min(ev_step_kwh, max(0.0, ev_need - ev_soc) / ev_eta)
            ev_soc += taken * ev_eta
            left += taken
            ev_charge[t] += taken
            room = min(ev_step_kwh - taken, (ev_kwh - ev_soc) / ev_eta)
        if left < 0.0:
            stored_now = min(-left, step_kwh, (kwh - soc) * per_eta)
            soc += stored_now * eta
            left += stored_now
            charge[t] += stored_now
            if spare_to_ev and left < 0.0 and room > 0.0:
                taken = min(-left, room)
                ev_soc += taken * ev_eta
                left += taken
                ev_charge[t] += taken
        else:
            given = min(left, step_kwh, soc * eta)
            soc = max(0.0, soc - given * per_eta)
            left -= given
            discharge[t] += given
        stored[t] += soc + ev_soc
        out[t] = left
    return soc, ev_soc, driven, unserved


def _battery(battery: Battery | None, hours: float) -> tuple[float, float, float]:
    return (battery.kwh, battery.kw * hours, battery.one_way) if battery else (0.0, 0.0, 1.0)


def dispatch(community: Community, *, batteries: bool = True, shared_battery: bool = True) -> Dispatch:
    """The whole period by rule. `batteries=False`: vehicles charge when they return and nothing else is
    controlled.
    """
    n, steps = community.net_kwh.shape
    sums = np.zeros((4, steps))
    net = np.empty((n, steps))
    driven = unserved = 0.0
    nothing, nowhere = np.zeros(steps), np.zeros(steps, dtype=np.bool_)
    for row, member in enumerate(community.members):
        car = member.vehicle
        away = car.away(community.local_minute) if car else nowhere
        trips = community.trips_kwh[row] if car else nothing
        kwh, step_kwh, eta = _battery(member.battery if batteries else None, community.hours)
        ev = (car.kwh, car.kw * community.hours, car.efficiency, car.kwh_per_day) if car else (0.0, 0.0, 1.0, 0.0)
        flows = (net[row], *sums)
        drove, missed = _settle(
            community.cyclic, community.net_kwh[row], (trips, away, kwh, step_kwh, eta, *ev), batteries, flows
        )
        driven += drove
        unserved += missed
    grid = net.sum(axis=0)
    if community.battery and batteries and shared_battery:
        kwh, step_kwh, eta = _battery(community.battery, community.hours)
        before = grid
        grid = np.empty(steps)
        _settle(
            community.cyclic,
            before,
            (nothing, nowhere, kwh, step_kwh, eta, 0.0, 0.0, 1.0, 0.0),
            True,
            (grid, *sums),
        )
    return Dispatch(net, grid, sums[0], sums[1], sums[2], sums[3], driven, unserved)


def _settle(
    cyclic: bool, net: Floats, storage: Storage, spare_to_ev: bool, flows: tuple[Floats, ...]
) -> tuple[float, float]:
    """Run one storage owner; in a cyclic community until the end state is the start state."""
    soc = ev_soc = 0.0
    out = flows[0]
    for _ in range(CYCLES_AT_MOST if cyclic else 1):
        trial = [np.zeros_like(out) for _sum in flows[1:]]
        end, ev_end, driven, unserved = run_storage(net, *storage, soc, ev_soc, spare_to_ev, out, *trial)
        settled = abs(end - soc) + abs(ev_end - ev_soc) < 1e-9
        soc, ev_soc = end, ev_end
        if settled:
            break
    for total, part in zip(flows[1:], trial, strict=True):
        np.add(total, part, out=total)
    return float(driven), float(unserved)
