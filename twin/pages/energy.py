"""What the page of a district's power shows, put together."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin import queries
from twin.models import DistrictVersion

PARTS = {
    "homes": gettext_lazy("Homes, by floor"),
    "work": gettext_lazy("Work and services, by floor"),
    "members": gettext_lazy("Members of the energy community, as measured"),
    "labs": gettext_lazy("Labs, as measured"),
}
COLOURS = {"homes": "load", "work": "grid", "members": "export", "labs": "ev"}
GROUPS = {
    "home": gettext_lazy("homes"),
    "office": gettext_lazy("offices"),
    "shop": gettext_lazy("shops"),
    "hotel": gettext_lazy("hotels"),
    "school": gettext_lazy("schools"),
    "university": gettext_lazy("universities"),
    "hospital": gettext_lazy("hospitals"),
    "culture": gettext_lazy("culture and sport"),
    "public": gettext_lazy("public buildings and churches"),
    "station": gettext_lazy("stations"),
    "works": gettext_lazy("workshops and industry"),
    "store": gettext_lazy("stores"),
    "none": gettext_lazy("roofs, garages and sheds"),
    "mixed": gettext_lazy("use not stated"),
}
SEASONS = {"winter": gettext_lazy("A mean winter day"), "summer": gettext_lazy("A mean summer day")}


def energy_page(of: DistrictVersion) -> dict[str, Any]:
    """A district's year of power: use by part, solar, grid, cost and CO2."""
    kept = queries.reckoning(of, "energy")
    shared = {"kept": kept, "run": queries.reckoning_run(of, "energy")}
    if kept is None:
        return shared
    total = kept.summary
    used = max(total["use_kwh"], 1)
    at = parse_datetime(total["peak_at"])
    clock = ZoneInfo(kept.inputs["clock"])
    return shared | {
        "total": total,
        "cost": float(f"{total['cost']:.2g}"),
        "parts": [
            {"title": PARTS[name], "kwh": kwh, "share": kwh / used, "colour": COLOURS[name]}
            for name, kwh in _in_order(total["parts"])
        ],
        "groups": [{**row, "title": GROUPS.get(row["group"], row["group"])} for row in total["groups"]],
        "peak_at": at.astimezone(clock) if at else None,
        "charts": [
            {"title": SEASONS[season], "name": season, "chart": _day(lines), "rows": _hours(lines)}
            for season, lines in ((season, total["days"][season]) for season in SEASONS)
        ],
        "labels": [PARTS[name] for name, _kwh in _in_order(total["parts"])] + [_("Solar")],
        "months": _months(total["months"]),
        "solar": total["solar_kwh"] > 0,
    }


def _in_order(parts: dict[str, float]) -> list[tuple[str, float]]:
    """The parts of use as the page has them."""
    return [(name, parts[name]) for name in PARTS if name in parts]


def _day(lines: dict[str, list[float]]) -> dict[str, Any]:
    """Use by part as areas, solar as a line, by the hour of the clock."""
    series: list[dict[str, Any]] = [
        {"label": str(PARTS[name]), "unit": "kW", "color": COLOURS[name], "kind": "area", "values": lines[name]}
        for name in PARTS
        if any(lines.get(name, ()))
    ]
    series.append({"label": _("Solar"), "unit": "kW", "color": "solar-ink", "kind": "line", "values": lines["solar"]})
    return {"x": list(range(24)), "series": series, "stack": True, "time": False, "x_label": _("hour of the day")}


def _hours(lines: dict[str, list[float]]) -> list[dict[str, Any]]:
    names = [name for name in PARTS if name in lines]
    return [
        {"at": f"{hour:02d}:00", "cells": [lines[name][hour] for name in names] + [lines["solar"][hour]]}
        for hour in range(24)
    ]


def _months(months: dict[str, list[float]]) -> list[dict[str, Any]]:
    names = [name for name in PARTS if name in months]
    return [
        {
            "month": dt.date(2025, at + 1, 1),
            "use": sum(months[name][at] for name in names),
            "solar": months["solar"][at],
            "bought": months["bought"][at],
            "sent": months["sent"][at],
        }
        for at in range(12)
    ]
