"""The figures of a community, each with its one definition.

With G generation, L use (load and what vehicles drive), I import, X export, all kWh over the period:

- prosumer ratio = sum G / sum L (above 1: makes more than it uses);
- self-consumption = 1 - (X + curtailed) / G: the share of the sun that is used here; curtailed energy stays
  in the denominator (Luthman et al. 2015, doi:10.1016/j.apenergy.2014.12.028);
- self-sufficiency = 1 - I / L: the share of use that does not come from the grid, storage losses counted as
  grid or sun;
- peak import = the largest import of a step as mean power, kW; cost = import cost - export revenue;
- CO2 = sum of import times average intensity; export is never netted silently.

"Community" figures net the members in each step before importing; "separate" ones sum over members, each
alone. Without storage self-consumption x G = self-sufficiency x L in both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from energy.engine.community import Community, Floats


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the period; shares are None where they would divide by nothing."""

    load_kwh: float
    pv_kwh: float
    import_kwh: float
    export_kwh: float
    curtailed_kwh: float
    vehicle_kwh: float
    prosumer_ratio: float | None
    self_consumption: float | None
    self_sufficiency: float | None
    peak_import_kw: float
    peak_export_kw: float
    cost: float
    co2_kg: float | None

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return asdict(self)


def step_cost(import_kwh: Floats, export_kwh: Floats, community: Community) -> Floats:
    """Cost in each step (last axis: steps)."""
    return np.asarray(import_kwh * community.import_price - export_kwh * community.export_price)


def totals(
    community: Community,
    import_kwh: Floats,
    export_kwh: Floats,
    vehicle_kwh: float = 0.0,
    curtailed_kwh: float = 0.0,
) -> Totals:
    """Figures from import and export: one row of steps (the community), or members by steps (each alone).

    `vehicle_kwh` is what trips took; `pv_kwh` is the available generation.
    """
    made = float(community.pv_kwh.sum())
    used = float(community.load_kwh.sum()) + vehicle_kwh
    bought, sold = float(import_kwh.sum()), float(export_kwh.sum())
    at_once = import_kwh if import_kwh.ndim == 1 else import_kwh.sum(axis=0)
    back = export_kwh if export_kwh.ndim == 1 else export_kwh.sum(axis=0)
    co2 = community.co2_kg_per_kwh
    return Totals(
        load_kwh=used,
        pv_kwh=made,
        import_kwh=bought,
        export_kwh=sold,
        curtailed_kwh=curtailed_kwh,
        vehicle_kwh=vehicle_kwh,
        prosumer_ratio=made / used if used > 0 else None,
        self_consumption=max(0.0, 1 - (sold + curtailed_kwh) / made) if made > 0 else None,
        self_sufficiency=max(0.0, 1 - bought / used) if used > 0 else None,
        peak_import_kw=float(at_once.max()) / community.hours,
        peak_export_kw=float(back.max()) / community.hours,
        cost=float(step_cost(import_kwh, export_kwh, community).sum()),
        co2_kg=None if co2 is None else float((at_once * co2).sum()),
    )


def more(community: Community, series: Mapping[str, Floats]) -> dict[str, object]:
    """Figures beside the totals, from a simulation's sums per step; all of the community, netted first.

    CO2 by the marginal plant of each step (kg): of what is bought; what is sent on displaces, never netted with it;
    and what solar and storage avoid against the same use, vehicles as they were charged, all bought. None where the
    prices say no marginal factor. `prosumer_members`: the share of members with a roof of their own, the other meaning
    of "prosumer".
    """
    roofs = [member.pv_kwp > 0 for member in community.members]
    found: dict[str, object] = {
        "prosumer_members": sum(roofs) / len(roofs) if roofs else None,
        "co2_marginal_kg": None,
        "co2_marginal_displaced_kg": None,
        "co2_marginal_avoided_kg": None,
    }
    factor = community.co2_marginal_kg_per_kwh
    if factor is not None:
        bought, sold = series["import"], series["export"]
        charged = series["vehicles"]
        untold = any(member.vehicle for member in community.members) and not charged.any()
        found["co2_marginal_kg"] = float((bought * factor).sum())
        found["co2_marginal_displaced_kg"] = float((sold * factor).sum())
        if not untold:  # the optimum does not tell the charging of vehicles from that of batteries
            avoided = (series["load"] + charged - bought + sold) * factor
            found["co2_marginal_avoided_kg"] = float(avoided.sum())
    return found


def gini(values: Floats) -> float | None:
    """Gini coefficient, sum of (2i - n - 1) x_i / (n sum x) over sorted x; None where a sum below or at zero
    makes it meaningless.
    """
    total = float(values.sum())
    if total <= 0:
        return None
    n = len(values)
    rank = 2 * np.arange(1, n + 1) - n - 1
    return float((rank * np.sort(values)).sum() / (n * total))
