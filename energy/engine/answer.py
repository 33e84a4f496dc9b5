"""The answer of a simulation in the contract's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from energy.engine import VERSION, netting
from energy.engine.community import Community, Floats
from energy.engine.rule import Dispatch

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Result:
    """What a simulation answers. `document` is the contract's result; `series` are kWh (stored: kWh held) per
    step.
    """

    document: dict[str, object]
    series: dict[str, Floats]


def member_rows(
    community: Community, cost_alone: Floats, savings: Floats, intervals: Sequence[Mapping[str, float]]
) -> list[dict[str, object]]:
    """One row for each member (contract: "members"); `intervals` adds the ends of a sampled saving."""
    load, made = community.load_kwh.sum(axis=1), community.pv_kwh.sum(axis=1)
    return [
        {
            "id": member.id,
            "kind": member.kind,
            "load_kwh": float(load[i]),
            "pv_kwh": float(made[i]),
            "cost_alone": float(cost_alone[i]),
            "cost_shared": float(cost_alone[i] - savings[i]),
            "saving": float(savings[i]),
            **intervals[i],
        }
        for i, member in enumerate(community.members)
    ]


def engine_block(community: Community, control: str, flows: Dispatch) -> dict[str, object]:
    """How it was computed (contract: "engine")."""
    limit = community.grid_limit_kw
    over = 0 if limit is None else int((np.abs(flows.grid_kwh) > limit * community.hours + 1e-9).sum())
    return {
        "name": "energy.engine",
        "version": VERSION,
        "control": control,
        "steps": community.steps,
        "step_minutes": community.step_minutes,
        "members": len(community.members),
        "grid_limit_breaches": over,
        "unserved_vehicle_kwh": flows.unserved_kwh,
    }


def chart_series(community: Community, flows: Dispatch) -> dict[str, Floats]:
    """Community sums per step for charts: kWh in the step; `stored` is kWh held at its end."""
    bought, sold = netting.split(flows.grid_kwh)
    return {
        "load": community.load_kwh.sum(axis=0),
        "pv": community.pv_kwh.sum(axis=0),
        "import": bought,
        "export": sold,
        "charge": flows.charge_kwh,
        "discharge": flows.discharge_kwh,
        "vehicles": flows.vehicle_charge_kwh,
        "stored": flows.stored_kwh,
    }
