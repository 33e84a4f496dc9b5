"""A year of a community on its grid: voltages, loadings, which hours hurt, and what a second program says of the worst.

Every step is worked out, none is screened away. Mean power of a step stands for the step: shorter peaks within it are
not seen. Limits: each voltage within a tenth of nominal in every step (EN 50160 asks it of 95 % of the ten-minute means
of each week, so the share of the worst week stands beside it); the rise that all plants make at a node at most 3 % of
nominal (VDE-AR-N 4105:2018, 5.3), as the difference to the same step with what members make and store left away;
currents at most what the files allow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from energy.engine import heat, netting, optimum, oracle, rule
from energy.engine.community import Community, Floats
from energy.engine.grid import Grid
from energy.engine.refusals import NotDefined, gettext_noop

BAND = 0.1
RISE = 0.03
BLOCK = 4096
WORST = 12
LOOKED_AT_TWICE = 6
POWER_FACTOR = 0.95

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Powers:
    """What is taken at each node in each step: kW and kvar (below zero: given), and kW of use alone."""

    p_kw: Floats
    q_kvar: Floats
    use_kw: Floats


@dataclass(frozen=True)
class Checked:
    """The answer: `document` for JSON; `series` per step: lowest and highest voltage (per unit), largest loading of a
    line and of a transformer (shares of what is allowed).
    """

    document: dict[str, object]
    series: dict[str, Floats]
    powers: Powers


def member_powers(community: Community, control: str) -> tuple[Floats, Floats]:
    """kW of each member (members by steps) and of the community's own battery (steps) under a control."""
    if control == "none":
        net, common = netting.net(community).net_kwh, np.zeros(community.steps)
    elif control == "rule":
        flows = rule.dispatch(community)
        net, common = flows.net_kwh, flows.grid_kwh - flows.net_kwh.sum(axis=0)
    elif control == "optimal":
        net, common = _optimal(heat.apart(community))
    else:
        raise NotDefined(
            gettext_noop("“%(control)s” is not a control; there are none, rule and optimal"), control=control
        )
    return np.asarray(net / community.hours), np.asarray(common / community.hours)


def _optimal(community: Community) -> tuple[Floats, Floats]:
    """The community's one optimum, told apart by storage; curtailed sun is taken from all roofs alike."""
    best = optimum.answer(community).solution
    net = community.net_kwh.copy()
    made = community.pv_kwh.sum(axis=0)
    lost = np.divide(best.curtailed_kwh, made, out=np.zeros(community.steps), where=made > 0)
    net += community.pv_kwh * lost
    row = 0
    for i, member in enumerate(community.members):
        for _store in optimum.stores_of(member, community):
            net[i] += best.charge_kwh[row] - best.discharge_kwh[row]
            row += 1
    common = np.zeros(community.steps)
    if community.battery:
        common = best.charge_kwh[row] - best.discharge_kwh[row]
    return net, common


def powers(grid: Grid, community: Community, control: str, at: Sequence[int], common_at: int) -> Powers:
    """Members' power at their nodes (`at`: a node for each member). Use has a power factor of 0.95, plants and storage
    of 1.
    """
    nodes = len(grid.network.nodes)
    net, common = member_powers(community, control)
    use = community.load_kwh / community.hours
    p, q, own = (np.zeros((nodes, community.steps)) for _ in range(3))
    angle = np.tan(np.arccos(POWER_FACTOR))
    for member, node in enumerate(at):
        p[node] += net[member]
        q[node] += use[member] * angle
        own[node] += use[member]
    p[common_at] += common
    return Powers(p, q, own)


def check(
    grid: Grid,
    community: Community,
    *,
    control: str,
    at: Sequence[int],
    common_at: int,
    progress: Progress = lambda _share, _stage: None,
) -> Checked:
    """The whole period. Raises EngineRefusal for a control that is not there."""
    progress(0.02, "running the storage")
    taken = powers(grid, community, control, at, common_at)
    voltage, loading, rise, rounds = _all_steps(grid, taken, progress)
    lines = len(grid.network.lines)
    series = {
        "lowest": voltage.min(axis=0),
        "highest": voltage.max(axis=0),
        "line": loading[:lines].max(axis=0, initial=0.0),
        "transformer": loading[lines:].max(axis=0, initial=0.0),
    }
    worst = _worst(grid, voltage, loading, community.step_minutes)
    progress(0.45, "looking twice at the worst hours")
    document = {
        "control": control,
        "steps": community.steps,
        "steps_run": community.steps,
        "step_minutes": community.step_minutes,
        "radial": grid.network.radial,
        "rounds": rounds,
        "power_factor": POWER_FACTOR,
        "unsolved_steps": int((~np.isfinite(series["lowest"])).sum()),
        "voltage": _voltage(grid, voltage, community.step_minutes),
        "rise": _rise(grid, rise),
        "nodes": _nodes(grid, voltage, rise),
        "branches": _branches(grid, loading, community.hours),
        "worst": worst,
        "checked": _twice(grid, taken, voltage, loading, worst),
    }
    return Checked(document, series, taken)


def _all_steps(grid: Grid, taken: Powers, progress: Progress) -> tuple[Floats, Floats, Floats, int]:
    nodes, steps = taken.p_kw.shape
    voltage, loading = np.empty((nodes, steps)), np.empty((len(grid.network.ends), steps))
    rise, rounds = np.empty((nodes, steps)), 0
    for first in range(0, steps, BLOCK):
        progress(0.1 + 0.35 * first / steps, "hour by hour through the grid")
        block = slice(first, first + BLOCK)
        found = grid.solve(taken.p_kw[:, block], taken.q_kvar[:, block])
        without = grid.solve(taken.use_kw[:, block], taken.q_kvar[:, block])
        voltage[:, block], loading[:, block] = found.voltage, found.loading
        rise[:, block] = found.voltage - without.voltage
        rounds = max(rounds, found.rounds)
    return voltage, loading, rise, rounds


def outside(voltage: Floats) -> Floats:
    """How far a voltage is outside the band as a share of the band: 1 at its edge; infinite without a solution."""
    far = np.abs(voltage - 1) / BAND
    return np.where(np.isfinite(far), far, np.inf)


def _voltage(grid: Grid, voltage: Floats, step_minutes: int) -> dict[str, object]:
    low, high = _extreme(voltage, np.nanargmin, np.inf), _extreme(voltage, np.nanargmax, -np.inf)
    broken = np.asarray((outside(voltage) > 1 + 1e-9).any(axis=0))
    week = 7 * 24 * 60 // step_minutes
    weeks = [1 - broken[i : i + week].mean() for i in range(0, len(broken) - week + 1, week)]
    return {
        "least": float(voltage[low]),
        "least_node": grid.network.nodes[low[0]].id,
        "least_at": int(low[1]),
        "most": float(voltage[high]),
        "most_node": grid.network.nodes[high[0]].id,
        "most_at": int(high[1]),
        "outside_steps": int(broken.sum()),
        "outside_hours": float(broken.sum() * step_minutes / 60),
        "worst_week": float(min(weeks)) if weeks else None,
        "band": BAND,
    }


def _extreme(values: Floats, which: Callable[[Floats], np.intp], where_unknown: float) -> tuple[int, int]:
    known = np.where(np.isfinite(values), values, where_unknown)
    node, step = np.unravel_index(int(which(known)), values.shape)
    return int(node), int(step)


def _rise(grid: Grid, rise: Floats) -> dict[str, object]:
    most = _extreme(rise, np.nanargmax, -np.inf)
    return {
        "most": float(rise[most]),
        "node": grid.network.nodes[most[0]].id,
        "at": int(most[1]),
        "steps_over": int((np.where(np.isfinite(rise), rise, np.inf) > RISE + 1e-9).any(axis=0).sum()),
        "limit": RISE,
    }


def _nodes(grid: Grid, voltage: Floats, rise: Floats) -> list[dict[str, object]]:
    known = np.isfinite(voltage)
    least, most = np.where(known, voltage, np.inf), np.where(known, voltage, -np.inf)
    top = np.where(np.isfinite(rise), rise, -np.inf)
    return [
        {
            "id": node.id,
            "least": float(least[i].min()),
            "least_at": int(least[i].argmin()),
            "most": float(most[i].max()),
            "most_at": int(most[i].argmax()),
            "rise": float(top[i].max()),
        }
        for i, node in enumerate(grid.network.nodes)
    ]


def _branches(grid: Grid, loading: Floats, hours: float) -> list[dict[str, object]]:
    full = np.where(np.isfinite(loading), loading, np.inf)
    known = np.where(np.isfinite(loading), loading, -np.inf)
    lines = len(grid.network.lines)
    return [
        {
            "id": name,
            "kind": "line" if i < lines else "transformer",
            "most": float(known[i].max()),
            "at": int(known[i].argmax()),
            "hours_over": float((full[i] > 1 + 1e-9).sum() * hours),
        }
        for i, name in enumerate(grid.network.branch_names)
    ]


def _worst(grid: Grid, voltage: Floats, loading: Floats, step_minutes: int) -> list[dict[str, object]]:
    """The step that comes nearest to a limit, or furthest beyond, in each of the worst days (24 h from the start)."""
    full = np.where(np.isfinite(loading), loading, np.inf)
    by_voltage, by_current = outside(voltage).max(axis=0), full.max(axis=0, initial=0.0)
    how_bad = np.maximum(by_voltage, by_current)
    day = 24 * 60 // step_minutes
    firsts = range(0, len(how_bad), day)
    steps = sorted((first + int(how_bad[first : first + day].argmax()) for first in firsts), key=lambda t: -how_bad[t])
    return [_named(grid, voltage, full, t) for t in steps[:WORST]]


def _named(grid: Grid, voltage: Floats, loading: Floats, t: int) -> dict[str, object]:
    if not np.isfinite(voltage[:, t]).all():
        return {"at": t, "what": "unsolved", "where": grid.network.source, "value": None, "share": None}
    far = outside(voltage[:, t])
    node, branch = int(far.argmax()), int(loading[:, t].argmax()) if len(loading) else -1
    if branch >= 0 and loading[branch, t] >= far[node]:
        what = "line" if branch < len(grid.network.lines) else "transformer"
        where, value = grid.network.branch_names[branch], loading[branch, t]
    else:
        what = "low" if voltage[node, t] < 1 else "high"
        where, value = grid.network.nodes[node].id, voltage[node, t]
    share = max(far[node], loading[branch, t] if branch >= 0 else 0.0)
    return {"at": t, "what": what, "where": where, "value": float(value), "share": float(share)}


def _twice(
    grid: Grid, taken: Powers, voltage: Floats, loading: Floats, worst: Sequence[Mapping[str, object]]
) -> dict[str, object] | None:
    """How far pandapower is away on the worst steps; None where it is not installed."""
    if not oracle.available():
        return None
    steps = [int(str(row["at"])) for row in worst[:LOOKED_AT_TWICE] if row["what"] != "unsolved"]
    if not steps:
        return None
    theirs, their_loading = oracle.solve(grid.network, taken.p_kw[:, steps], taken.q_kvar[:, steps])
    return {
        "by": "pandapower",
        "steps": len(steps),
        "voltage": float(np.abs(theirs - voltage[:, steps]).max()),
        "loading": float(np.abs(their_loading - loading[:, steps]).max(initial=0.0)),
    }
