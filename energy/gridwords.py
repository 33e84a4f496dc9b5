"""What a check of a grid says, in words: the finding, the worst hours, how much more fits, checks side by side."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commons.web import numbers
from energy import plan
from energy.models import GridCheck
from energy.queries import grids

FULL = {
    "low": gettext_lazy("voltage too low"),
    "high": gettext_lazy("voltage too high"),
    "line": gettext_lazy("line full"),
    "transformer": gettext_lazy("transformer full"),
    "unsolved": gettext_lazy("no voltage holds"),
    "": gettext_lazy("nothing up to here"),
}
WAYS = {
    "none": gettext_lazy("no storage"),
    "rule": gettext_lazy("by rule"),
    "optimal": gettext_lazy("the best possible"),
}


@dataclass(frozen=True, slots=True)
class Bad:
    """A step that comes near a limit or beyond: when, what, where, how much."""

    when: dt.datetime
    what: str
    where: str
    much: str
    over: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How much more fits at a node; `bar` of 100 is the most of all nodes."""

    node: str
    solar: str
    evening: str
    steady: str
    bar: int
    full: str


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of the comparison, one value a control."""

    title: str
    values: Sequence[str]


def finding(result: Mapping[str, Any]) -> str:
    """The answer in a sentence."""
    summary = grids.summary(result, exact=True)
    outside, over = summary["hours_outside_band"], summary["hours_overloaded"]
    if summary["hours_unsolved"]:
        return _("In %(hours)s no voltage holds: what is asked is more than this grid can carry.") % {
            "hours": hours(summary["hours_unsolved"])
        }
    low, high = (plan.percent(100 * (summary[f"{end}_voltage_pu"] - 1)) for end in ("lowest", "highest"))
    parts = {"low": low, "high": high, "share": numbers.percent(summary["transformer_loading"])}
    if not outside and not over:
        return (
            _("The grid holds in every hour: voltages stay between %(low)s and %(high)s of nominal, the transformer is "
              "at most %(share)s full.") % parts
        )  # fmt: skip
    if outside and over:
        return _("Voltage leaves its band in %(outside)s, and something is too full in %(over)s.") % {
            "outside": hours(outside),
            "over": hours(over),
        }
    if outside:
        return _("Voltage leaves its band in %(outside)s; nothing is too full.") % {"outside": hours(outside)}
    return _("Voltages hold, but something is too full in %(over)s.") % {"over": hours(over)}


def lifted(result: Mapping[str, Any]) -> str:
    """What is to be said of the rise that plants make; nothing within the rule."""
    summary = grids.summary(result, exact=True)
    if not summary["hours_rise_over"]:
        return ""
    rise = numbers.with_unit(numbers.number(100 * summary["highest_rise_pu"], 1), "%")
    return _(
        "Solar and storage lift a node by up to %(rise)s, in %(hours)s by more than the 3 %% that VDE-AR-N 4105 allows."
    ) % {"rise": rise, "hours": hours(summary["hours_rise_over"])}


def hours(count: float) -> str:
    """Hours, in words."""
    shown = numbers.number(count, 0 if count == int(count) else 1)
    return ngettext("%(n)s hour", "%(n)s hours", 1 if count == 1 else 2) % {"n": shown}


def worst(check: GridCheck) -> list[Bad]:
    """The worst hour of each of the worst days."""
    rows = []
    for row in check.result["worst"]:
        what = row["what"]
        voltage = what in ("low", "high")
        much = numbers.MISSING
        if row["value"] is not None:
            much = plan.percent(100 * (row["value"] - 1)) if voltage else numbers.percent(row["value"])
        word = {
            "low": _("voltage low"),
            "high": _("voltage high"),
            "line": _("line"),
            "transformer": _("transformer"),
        }.get(what, FULL["unsolved"])
        over = row["share"] is None or row["share"] > 1
        rows.append(Bad(grids.moment(check, row["at"]), str(word), row["where"], much, over))
    return rows


def rooms(result: Mapping[str, Any]) -> list[Room]:
    """How much more fits at each node, the tightest for solar first."""
    by_name = {name: {row["node"]: row for row in part["each"]} for name, part in result["hosting"].items()}
    first = by_name.get("pv") or by_name["evening"]
    most = max((row["kw"] for row in first.values()), default=0.0) or 1.0
    found = []
    for node, row in sorted(first.items(), key=lambda item: (item[1]["kw"], item[0])):
        solar, evening, steady = (_kw(by_name.get(name, {}).get(node)) for name in ("pv", "evening", "steady"))
        full = FULL[row["limit"]]
        where = "" if not row["where"] or row["where"] == node else f" ({row['where']})"
        found.append(Room(node, solar, evening, steady, round(100 * row["kw"] / most), f"{full}{where}"))
    return found


def _kw(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return numbers.MISSING
    return numbers.kw(row["kw"]) if row["limit"] else _("over %(kw)s") % {"kw": numbers.kw(row["kw"])}


def evenly(result: Mapping[str, Any], name: str) -> str:
    """How much fits where it is spread over all nodes."""
    part = result["hosting"].get(name)
    return _kw(part["evenly"]) if part else numbers.MISSING


def compared(checks: Mapping[str, GridCheck]) -> list[Line]:
    """The checks beside each other."""
    sums = [grids.summary(check.result, exact=True) for check in checks.values()]
    results = [check.result for check in checks.values()]
    return [
        Line(_("Lowest voltage"), [plan.percent(100 * (s["lowest_voltage_pu"] - 1)) for s in sums]),
        Line(_("Highest voltage"), [plan.percent(100 * (s["highest_voltage_pu"] - 1)) for s in sums]),
        Line(_("Voltage outside its band"), [hours(s["hours_outside_band"]) for s in sums]),
        Line(_("Highest rise by plants"), [plan.percent(100 * s["highest_rise_pu"]) for s in sums]),
        Line(_("Rise above 3 %"), [hours(s["hours_rise_over"]) for s in sums]),
        Line(_("Transformer, at most"), [numbers.percent(s["transformer_loading"]) for s in sums]),
        Line(_("Fullest line"), [numbers.percent(s["line_loading"]) for s in sums]),
        Line(_("Something too full"), [hours(s["hours_overloaded"]) for s in sums]),
        Line(_("Room for solar, spread evenly"), [evenly(r, "pv") for r in results]),
        Line(_("Room for evening charging, spread evenly"), [evenly(r, "evening") for r in results]),
    ]


def checked(result: Mapping[str, Any]) -> str:
    """What a second program says."""
    twice = result.get("checked")
    if not twice:
        return _("pandapower is not installed here, so no second program has looked at the worst hours.")
    return _(
        "pandapower, an independent program, was asked for the %(n)d worst hours and differs by %(far)s per unit."
    ) % {
        "n": twice["steps"],
        "far": f"{twice['voltage']:.0e}",
    }
