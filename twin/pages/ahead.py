"""What the pages of the next 48 hours and of sandboxes show, put together."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin import queries
from twin.models import Ahead, District, Sandbox

SERVED = {
    "model": gettext_lazy("the learned model"),
    "yesterday": gettext_lazy("the same hour of the last known day"),
    "last week": gettext_lazy("the same hour a week ago"),
    "mean of seven days": gettext_lazy("the mean of the last seven days"),
    "four same weekdays": gettext_lazy("the mean of the last four same weekdays"),
    "booked": gettext_lazy("what is booked, as bookings lately came true"),
    "told": gettext_lazy("the energy community’s own forecast"),
}
COLOURS = {"load": "load", "solar": "solar-ink", "machines": "act", "bought": "grid", "sent": "export-ink"}
UNITS = {"load": "kWh", "solar": "kWh", "machines": gettext_lazy("machine hours")}
TITLES = {
    "load": gettext_lazy("Use"),
    "solar": gettext_lazy("Solar"),
    "machines": gettext_lazy("Machines at work"),
    "bought": gettext_lazy("From the grid"),
    "sent": gettext_lazy("Sent on"),
    "held": gettext_lazy("Held in storage"),
}
HOUR = 3600
ADDED = ("load", "solar", "bought", "sent", "held", "machines")


def ahead_page(found: District, day: dt.date | None) -> dict[str, Any]:
    """The newest 48 hours of each series, or those of a day, with how good such forecasts are."""
    rows = queries.ahead_of(found, day) if day else queries.newest_ahead(found)
    zone = ZoneInfo(found.place.timezone) if found.place else ZoneInfo("UTC")
    return {
        "zone": str(zone),
        "rows": [_row(found, row, zone) for row in rows],
        "day": day,
        "scored": [_scored(row) for row in queries.scored(found)],
    }


def _row(found: District, row: Ahead, zone: ZoneInfo) -> dict[str, Any]:
    judged = row.backtest
    kwh = row.series != Ahead.Series.MACHINES
    return {
        "forecast": row,
        "title": row.get_series_display(),
        "unit": UNITS[row.series],
        "kwh": kwh,
        "sums": [sum(part) for part in (row.middle[:24], row.middle[24:])],
        "served": SERVED.get(row.served, row.served),
        "best": SERVED.get(row.best_naive, row.best_naive),
        "is_model": row.served == "model",
        "judged": judged,
        "errors": [{"name": SERVED.get(name, name), "mae": mae} for name, mae in judged["naive_mae"].items()],
        "record": queries.record(found, row.series),
        "chart": _chart(row),
        "table": _table(row, zone),
        "name": f"ahead-{row.series}",
    }


def _chart(row: Ahead) -> dict[str, Any]:
    unit = "kW" if row.series != Ahead.Series.MACHINES else str(_("machines"))
    colour = COLOURS[row.series]
    lines: list[tuple[str, str, bool, Sequence[float | None]]] = [
        (_("foreseen"), colour, False, row.middle),
        (_("at least"), "line-strong", True, row.low),
        (_("at most"), "line-strong", True, row.high),
    ]
    if row.came:
        lines.append((_("as it came"), "good", False, row.came))
    return _lines(int(row.start.timestamp()), lines, unit)


def _lines(start: int, lines: Sequence[tuple[str, str, bool, Sequence[float | None]]], unit: str) -> dict[str, Any]:
    count = len(lines[0][3])
    return {
        "x": [start + i * HOUR for i in range(count)],
        "series": [
            {
                "label": label,
                "unit": unit,
                "color": colour,
                "kind": "line",
                "dashed": dashed,
                "values": [None if v is None else round(v, 3) for v in values],
            }
            for label, colour, dashed, values in lines
        ],
        "height": 260,
    }


def _table(row: Ahead, zone: ZoneInfo) -> list[dict[str, Any]]:
    came = row.came or [None] * len(row.middle)
    local = row.start.astimezone(zone)
    return [
        {
            "at": f"{(local.date() + dt.timedelta(days=i // 24)):%d.%m.} {i % 24:02d}:00",
            "middle": row.middle[i],
            "low": row.low[i],
            "high": row.high[i],
            "naive": row.naive[i],
            "came": came[i],
        }
        for i in range(len(row.middle))
    ]


def _scored(row: Ahead) -> dict[str, Any]:
    return {
        "row": row,
        "title": row.get_series_display(),
        "score": row.score,
        "unit": UNITS[row.series],
        "served": SERVED.get(row.served, row.served),
    }


# --- sandboxes ----------------------------------------------------------------------------------------------
def sandbox_page(box: Sandbox) -> dict[str, Any]:
    """A sandbox: what was frozen, what it says, how far it was off so far."""
    zone = ZoneInfo(box.district.place.timezone) if box.district.place else ZoneInfo("UTC")
    lines: Mapping[str, Any] = (box.answer or {}).get("lines", {})
    start = int(box.start.timestamp())
    parts = [_part(name, lines[name], start, box.day) for name in ADDED if name in lines]
    scores = [
        {"title": TITLES[name], "unit": UNITS[name], **score} for name, score in (box.score or {}).items() if score
    ]
    return {
        "box": box,
        "zone": str(zone),
        "parts": parts,
        "scores": scores,
        "days": box.hours // 24,
        "members": sum((box.frozen or {}).get("members", {}).values()),
        "storage": (box.frozen or {}).get("storage", {}).get("kwh", 0.0),
        "history": {name: len(rows) for name, rows in (box.frozen or {}).get("history", {}).items()},
        "run": box.run if box.answer is None else None,
    }


def _part(name: str, line: Mapping[str, Sequence[float]], start: int, day: dt.date) -> dict[str, Any]:
    """A simulated series as a chart, and as rows by day: sums, or for storage what it holds at the end of the day."""
    unit = {"machines": str(_("machines")), "held": "kWh"}.get(name, "kW")
    colour = COLOURS.get(name, "battery-ink")
    chart = _lines(
        start,
        [
            (_("mean of the paths"), colour, False, line["middle"]),
            (_("at least"), "line-strong", True, line["low"]),
            (_("at most"), "line-strong", True, line["high"]),
        ],
        unit,
    )
    by_day = [line["middle"][at : at + 24] for at in range(0, len(line["middle"]), 24)]
    rows = [
        (day + dt.timedelta(days=at), hours[-1] if name == "held" else sum(hours)) for at, hours in enumerate(by_day)
    ]
    title, kwh = TITLES[name], name != "machines"
    return {"name": name, "title": title, "chart": chart, "sum": sum(line["middle"]), "kwh": kwh, "rows": rows}
