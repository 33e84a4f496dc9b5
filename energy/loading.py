"""From rows to the engine's arrays. Loads numpy: import it in tasks alone."""

from dataclasses import replace

import numpy as np

from energy import series
from energy.engine.community import Battery, Community, Floats, Heat, Member, Vehicle
from energy.errors import BadCommunity, gone_from_it
from energy.models import CommunityVersion
from energy.models import Member as MemberRow


def load(version: CommunityVersion) -> Community:
    """A version as the engine takes it, bit for bit what was imported."""
    found = shell(version)
    return some(version, found, 0, len(found.members))


def shell(version: CommunityVersion) -> Community:
    """All members and prices of a version, and no series of members (0 by steps)."""
    rows = version.members.order_by("position").defer("load", "pv")
    curves = {
        s.name: _floats(s.packed)
        for s in version.series.filter(name__in=["import_price", "export_price", "co2", "co2_marginal", "cop"])
    }
    battery = None
    if version.battery_kwh and version.battery_kw:
        battery = Battery(version.battery_kwh, version.battery_kw, version.battery_efficiency or 0.9)
    nobody = np.empty((0, version.steps))
    return Community(
        name=version.community.name,
        currency=version.currency,
        timezone=version.timezone,
        start=version.start,
        step_minutes=version.step_minutes,
        members=tuple(_member(row, curves.get("cop")) for row in rows),
        load_kwh=nobody,
        pv_kwh=nobody,
        import_price=curves["import_price"],
        export_price=curves["export_price"],
        co2_kg_per_kwh=curves.get("co2"),
        co2_marginal_kg_per_kwh=curves.get("co2_marginal"),
        grid_limit_kw=version.grid_limit_kw,
        cyclic=version.cyclic,
        battery=battery,
    )


def some(version: CommunityVersion, shell: Community, first: int, members: int) -> Community:
    """Some members with their series; rows are read one by one, so that only the arrays stay."""
    load, pv = np.empty((members, version.steps)), np.empty((members, version.steps))
    rows = version.members.order_by("position").only("load", "pv")[first : first + members]
    for i, row in enumerate(rows.iterator(chunk_size=16)):
        check_whole(row)
        load[i], pv[i] = _floats(row.load), _floats(row.pv)
    return replace(shell, members=shell.members[first : first + members], load_kwh=load, pv_kwh=pv)


def check_whole(row: MemberRow) -> None:
    """Refuse to reckon with a version of which a household has taken its curves with it. Raises BadCommunity."""
    if bytes(row.load) == series.NOTHING:
        raise BadCommunity(gone_from_it())


def sums(version: CommunityVersion) -> dict[str, Floats]:
    """The community's load and solar, kWh a step."""
    return {s.name: _floats(s.packed) for s in version.series.filter(name__in=["load", "pv"])}


def _floats(packed: bytes | memoryview) -> Floats:
    return np.frombuffer(series.raw(packed), dtype="<f8").astype(np.float64)


def _member(row: MemberRow, cop: Floats | None) -> Member:
    battery = (
        Battery(row.battery_kwh, row.battery_kw or 0.0, row.battery_efficiency or 0.9) if row.battery_kwh else None
    )
    vehicle = None
    if row.ev_kwh:
        vehicle = Vehicle(
            row.ev_kwh,
            row.ev_kw or 0.0,
            row.ev_kwh_per_day or 0.0,
            row.ev_away_from_min or 0,
            row.ev_away_until_min or 0,
            row.ev_efficiency or 0.95,
            row.ev_v2g,
        )
    tank = row.tank_kwh, row.tank_loss_per_hour
    heat = None
    if row.heat and row.heat_pump_kw and cop is not None:
        heat = Heat(row.heat_pump_kw, _floats(row.heat), cop, *tank)
    return Member(row.key, row.name, row.kind, row.pv_kwp, battery, vehicle, row.heat_pump_kw, *tank, heat)
