"""Reads of grids: which one a community has, who is where on it, and what checks answered, as a viewer may see it."""

import datetime as dt
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _

from energy import policies, series
from energy.engine import network
from energy.engine.network import Network
from energy.errors import NoGrid
from energy.models import Community, CommunityVersion, Grid, GridCheck, GridConnection, GridVersion
from energy.queries import public

CONTROLS = ("none", "rule", "optimal")
FORM, FILE, SPREAD, ROOT = "form", "file", "spread", "root"
COMMON = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a member is connected, and how that is known: `form` (a steward said so), `file` (the grid's files name
    it), `spread` (nobody said; given a node in turn) or `root` (the community's battery, at the transformer).
    """

    member: str
    name: str
    node: str
    known: str


def grid_of(community: Community) -> Grid | None:
    """The community's own grid, else that of its place, else that of the place around."""
    own = Grid.objects.filter(community=community).first()
    if own is not None or community.place_id is None:
        return own
    around = Q(place=community.place_id) | Q(place__parts=community.place_id)
    found = Grid.objects.filter(around).select_related("place")
    return min(found, key=lambda grid: grid.place_id != community.place_id, default=None)


def version_of(grid: Grid, day: dt.date | None = None) -> GridVersion | None:
    """The newest version that holds on a day; the newest of all without one, or where all are later."""
    found = grid.versions.order_by("-valid_from", "-number")
    held = found.filter(valid_from__lte=day).first() if day else None
    return held or found.first()


def needed(community: Community) -> GridVersion:
    """The newest version of the community's grid. Raises NoGrid."""
    grid = grid_of(community)
    found = version_of(grid) if grid else None
    if found is None:
        raise NoGrid(
            _("No grid of “%(name)s” is known; import one with import_grid.") % {"name": community},
        )
    return found


def placed(grid_version: GridVersion, version: CommunityVersion) -> list[Placed]:
    """A node for every member of a version in its order, and at last one for its common battery, if it has one.

    What a steward said comes first, then what the files name; the others are spread: each in turn gets the node
    where somebody may be connected and fewest are. Three queries.
    """
    grid = read(grid_version)
    said = dict(
        GridConnection.objects.filter(grid=grid_version.grid_id, community=version.community_id).values_list(
            "member", "node"
        )
    )
    named = {key.casefold(): node for key, node in grid_version.named.items()}
    members = list(version.members.order_by("position").values_list("key", "name"))
    found: dict[str, Placed] = {}
    for key, name in members:
        node, known = said.get(key), FORM
        if node not in grid.place:
            node, known = named.get(key.casefold()), FILE
        if node in grid.place and node is not None:
            found[key] = Placed(key, name, node, known)
    counts = Counter(row.node for row in found.values())
    for key, name in members:
        if key not in found:
            node = min(grid.homes, key=lambda home: counts[home])
            counts[node] += 1
            found[key] = Placed(key, name, node, SPREAD)
    rows = [found[key] for key, _name in members]
    if version.battery_kwh:
        own = said.get(COMMON)
        known = FORM if own in grid.place else ROOT
        rows.append(Placed(COMMON, "", own if own is not None and known == FORM else grid.root, known))
    return rows


def read(grid_version: GridVersion) -> Network:
    """The network of a version."""
    return network.from_dict(grid_version.network)


def latest_checks(version: CommunityVersion, grid_version: GridVersion) -> dict[str, GridCheck]:
    """The newest check of each control on this version of the grid."""
    rows = version.grid_checks.filter(grid_version=grid_version).select_related("run")
    newest = rows.order_by("control", "-created_at", "-pk").distinct("control")
    by_control = {check.control: check for check in newest}
    return {control: by_control[control] for control in CONTROLS if control in by_control}


def summary(result: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """What may be said of a check to those who do not see the homes: no node, no single line, no hour; rounded."""
    lines = [b["most"] for b in result["branches"] if b["kind"] == "line"]
    transformers = [b["most"] for b in result["branches"] if b["kind"] == "transformer"]
    hours = result["step_minutes"] / 60
    over = sum(b["hours_over"] for b in result["branches"])
    digits = 6 if exact else 2
    return {
        "lowest_voltage_pu": round(result["voltage"]["least"], digits),
        "highest_voltage_pu": round(result["voltage"]["most"], digits),
        "hours_outside_band": round(result["voltage"]["outside_hours"], digits),
        "worst_week_share": result["voltage"]["worst_week"],
        "highest_rise_pu": round(result["rise"]["most"], digits),
        "hours_rise_over": result["rise"]["steps_over"] * hours,
        "line_loading": round(max(lines, default=0.0), digits),
        "transformer_loading": round(max(transformers, default=0.0), digits),
        "hours_overloaded": over,
        "hours_unsolved": result["unsolved_steps"] * hours,
        "steps_run": result["steps_run"],
    }


def curves(check: GridCheck) -> "dict[str, array[float]]":
    """Series of a check, one value a step."""
    names = ("lowest", "highest", "line", "transformer")
    return {name: series.unpack(getattr(check, name)) for name in names}


def hours(check: GridCheck, what: str) -> tuple[list[dt.date], list[list[float | None]]]:
    """Cells of the year by local day and hour, in per cent: `voltage` is the voltage furthest from nominal (above
    zero: raised), `loading` the fullest line or transformer. A step without a solution is an empty cell.
    """
    version = check.version
    found = curves(check)
    if what == "loading":
        values = [max(a, b) * 100 for a, b in zip(found["line"], found["transformer"], strict=True)]
    else:
        pairs = zip(found["lowest"], found["highest"], strict=True)
        values = [100 * (high - 1 if high - 1 >= 1 - low else low - 1) for low, high in pairs]
    zone, step = ZoneInfo(version.timezone), dt.timedelta(minutes=version.step_minutes)
    cells: dict[dt.date, list[float | None]] = {}
    for i, value in enumerate(values):
        moment = (version.start + i * step).astimezone(zone)
        row = cells.setdefault(moment.date(), [None] * 24)
        before = row[moment.hour]
        if value == value and (before is None or abs(value) > abs(before)):  # noqa: PLR0124 not a number: no solution
            row[moment.hour] = value
    return list(cells), list(cells.values())


def moment(check: GridCheck, at: int) -> dt.datetime:
    """The local time at which a step begins."""
    version = check.version
    return (version.start + at * dt.timedelta(minutes=version.step_minutes)).astimezone(ZoneInfo(version.timezone))


def sees_homes(viewer: policies.Viewer, version: CommunityVersion) -> bool:
    """Whether this person may see the plan, who is where and each node's voltage: whoever sees sums as they are."""
    return policies.sees_exactly(viewer, version)


def own_nodes(viewer: policies.Viewer, check: GridCheck) -> Sequence[dict[str, Any]]:
    """The nodes of this person's own members, with what the check says of them."""
    if viewer is None or not viewer.is_authenticated:
        return []
    keys = set(check.version.members.filter(person=viewer.pk).values_list("key", flat=True))
    nodes = {node for key, node in check.connected.items() if key in keys}
    return [row for row in check.result["nodes"] if row["id"] in nodes]


def shown_version(community: Community, viewer: policies.Viewer) -> CommunityVersion | None:
    """The data whose checks this person may see something of: enough households, or their own to see."""
    version = public.version(community, viewer)
    return version if version is not None and public.standing(version, viewer).enough else None
