"""Heat pumps: how much power their heat takes, and what a tank lets one choose.

COP. Given step by step, or from the outdoor temperature: COP = 0.45 x (sink + 273.15) / (sink - outdoor), the
Carnot factor between outdoor air and a sink of 35 degrees C with a quality grade of 0.45, held between 1.5 and
6. Field tests of air-source pumps lie at grades of 0.35 to 0.5 (Fraunhofer ISE, WPsmart im Bestand, 2020).

Without a tank, or where nothing is controlled, the pump follows the demand: it makes heat when it is needed, and
earlier only as far as its power would not be enough (`follow`). This power is part of the member's load.

With a tank the optimum chooses: the tank is a storage whose gain is the step's COP, that nothing can be taken out
of but the demand, and that loses a share of its heat each hour. It begins empty, or as it ends, like every storage.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from energy.engine.community import Community, Floats, Heat
from energy.engine.refusals import Infeasible, gettext_noop

if TYPE_CHECKING:
    from energy.engine.programme import Store

SINK_C = 35.0
GRADE = 0.45
LEAST_COP, MOST_COP = 1.5, 6.0
TOO_COLD = gettext_noop("the heat pump cannot make the heat that is needed; raise heat_pump_kw or tank_kwh")


def standard_cop(outdoor_c: Floats, sink_c: float = SINK_C) -> Floats:
    """COP of an air-source pump that heats a floor (or water of `sink_c`), from the outdoor air in degrees C."""
    lift = np.maximum(sink_c - outdoor_c, 1e-6)
    return np.asarray(np.clip(GRADE * (sink_c + 273.15) / lift, LEAST_COP, MOST_COP))


def follow(heat: Heat, hours: float, *, cyclic: bool = False) -> Floats:
    """Power taken in each step by a pump that follows its demand, kWh. Raises Infeasible.

    `hours` is the length of a step. The tank holds only what the pump could not make in time.
    """
    steps = len(heat.demand_kwh)
    most = heat.kw * hours * heat.cop
    kept = 1 - loss_of_step(heat, hours)
    held = np.zeros(steps + 1)
    for _turn in range(2 if cyclic else 1):
        held[steps] = held[0] if cyclic else 0.0
        for t in range(steps - 1, -1, -1):
            held[t] = max(0.0, (held[t + 1] + heat.demand_kwh[t] - most[t]) / kept)
    if held.max() > heat.tank_kwh + 1e-9 or (not cyclic and held[0] > 1e-9):
        raise Infeasible(TOO_COLD)
    return np.asarray(np.maximum(0.0, held[1:] + heat.demand_kwh - kept * held[:-1]) / heat.cop)


def loss_of_step(heat: Heat, hours: float) -> float:
    """The share of its heat that the tank loses in a step."""
    return float(1 - (1 - heat.loss_per_hour) ** hours)


def tank(heat: Heat, hours: float) -> "Store":
    """The tank as the programme sees it: kWh of heat held, kWh of power charged."""
    from energy.engine.programme import Store  # noqa: PLC0415 loads the solver only when it is asked for

    steps = len(heat.demand_kwh)
    return Store(
        kwh=heat.tank_kwh,
        charge_step_kwh=heat.kw * hours,
        discharge_step_kwh=0.0,
        efficiency=1.0,
        trips_kwh=heat.demand_kwh,
        away=np.zeros(steps, dtype=np.bool_),
        loss=loss_of_step(heat, hours),
        gain=heat.cop,
    )


def apart(community: Community) -> Community:
    """The community with the power of pumps that have a tank taken out of the loads, for the optimum to choose."""
    if community.heat_apart or not any(m.heat and m.heat.tank_kwh > 0 for m in community.members):
        return community
    load = community.load_kwh.copy()
    for row, member in enumerate(community.members):
        if member.heat and member.heat.tank_kwh > 0:
            load[row] = np.maximum(0.0, load[row] - follow(member.heat, community.hours, cyclic=community.cyclic))
    return dataclasses.replace(community, load_kwh=load, heat_apart=True)
