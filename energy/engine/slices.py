"""A community too large for one worker's memory, in slices of its members.

Members by rule do not see each other, so slices are exact: each answers one number a member and one a step,
and sums of slices are sums of the whole. What couples members, the community's own battery and sharing, needs
the sums alone; so of the rules of sharing those by numbers of members (equal, proportional) are there, and
the others, which need each member's steps side by side, are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from energy.engine import kpi, rule, sharing, strategies
from energy.engine.answer import Progress, Result, chart_series, engine_block, member_rows
from energy.engine.community import Community, Floats
from energy.engine.fleet import SERIES, TOTALS, Levels
from energy.engine.refusals import NotYet, gettext_noop

#: members times steps that one worker holds at once: 0.4 GB of load and solar, 0.2 GB of net energy.
MOST_VALUES = 25_000_000
RULES = ("equal", "proportional")
ROWS = (*TOTALS, "load_kwh", "pv_kwh")


@dataclass(frozen=True, slots=True)
class Part:
    """One slice's answer: `ROWS` by members, `SERIES` by steps."""

    totals: Floats
    series: Floats


def needed(members: int, steps: int) -> bool:
    """Whether a community is simulated in slices."""
    return members * steps > 2 * MOST_VALUES


def bounds(members: int, steps: int, most_values: int = MOST_VALUES) -> list[tuple[int, int]]:
    """First member and number of members of each slice; full blocks of sixteen, all but the last."""
    size = max(16, most_values // max(steps, 1) // 16 * 16)
    return [(first, min(size, members - first)) for first in range(0, members, size)]


def sharing_rule(asked: str | None) -> str:
    """The rule of sharing, or NotYet for one that needs everybody's steps."""
    if asked is None:
        return "proportional"
    if asked not in RULES:
        raise NotYet(
            gettext_noop(
                "sharing “%(rule)s” looks at every member's steps together, which is not built for communities of "
                "this size; choose equal or proportional"
            ),
            rule=asked,
        )
    return asked


def one(shell: Community, part: Community, *, control: str, strategy: str) -> Part:
    """A slice by itself. `shell` has all members and no series; `part` some members and theirs."""
    batteries = control == "rule"
    year = rule.members_by_rule(part, _levels(shell, control, strategy), batteries=batteries, strategy=strategy)
    sums = (part.load_kwh.sum(axis=1), part.pv_kwh.sum(axis=1))
    return Part(
        np.array([*(year.totals[name] for name in TOTALS), *sums]),
        np.array([year.series[name] for name in SERIES]),
    )


def _levels(shell: Community, control: str, strategy: str) -> Levels | None:
    return strategies.levels(shell, strategy) if control == "rule" else None


def together(
    shell: Community,
    parts: Sequence[Part],
    load_kwh: Floats,
    pv_kwh: Floats,
    *,
    control: str,
    strategy: str,
    sharing_rule: str,
    progress: Progress = lambda _share, _stage: None,
) -> Result:
    """The whole from its slices, in their order; `load_kwh`, `pv_kwh` are the community's sums per step."""
    progress(0.92, "the community together")
    totals = dict(zip(ROWS, np.concatenate([part.totals for part in parts], axis=1), strict=True))
    members = dict(zip(SERIES, np.add.reduce([part.series for part in parts]), strict=True))
    whole = replace(shell, load_kwh=load_kwh[np.newaxis], pv_kwh=pv_kwh[np.newaxis])
    flows = members
    if control == "rule":
        flows = rule.behind_common(whole, members, _levels(shell, control, strategy), strategy=strategy)
    driven = float(totals["driven_kwh"].sum())
    grid = flows["grid"]
    bought = members["bought"]
    joint = kpi.totals(whole, np.maximum(grid, 0.0), np.maximum(-grid, 0.0), driven)
    apart = kpi.totals(whole, bought, bought - members["grid"], driven)
    progress(0.95, "sharing the saving")
    costs, use = totals["cost"], totals["load_kwh"] + totals["driven_kwh"] + totals["unserved_kwh"]
    nobody = np.empty((len(costs), 0))
    game = sharing.Table(whole, nobody, use, costs, float(costs.sum()) - joint.cost, None, netting=False)
    shared = sharing.share(sharing_rule, game)
    dispatch = rule.Dispatch(
        nobody,
        grid,
        flows["charge"],
        flows["discharge"],
        flows["vehicles"],
        flows["stored"],
        driven,
        float(totals["unserved_kwh"].sum()),
    )
    each = replace(shell, load_kwh=totals["load_kwh"][:, np.newaxis], pv_kwh=totals["pv_kwh"][:, np.newaxis])
    rows = [
        {
            **row,
            "import_kwh": float(totals["import_kwh"][i]),
            "export_kwh": float(totals["export_kwh"][i]),
            "peak_import_kw": float(totals["peak_kwh"][i]) / shell.hours,
        }
        for i, row in enumerate(member_rows(each, costs, shared.savings, shared.member_intervals()))
    ]
    block = {**engine_block(whole, control, dispatch), "members": len(costs), "slices": len(parts)}
    if control == "rule":
        block["strategy"] = strategy
    return Result(
        document={
            "totals": joint.as_dict(),
            "separate": apart.as_dict(),
            "members": rows,
            "sharing": shared.as_dict(),
            "engine": block,
        },
        series=chart_series(whole, dispatch),
    )
