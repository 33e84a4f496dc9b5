"""What `lc-chart` draws, as plain data for a json_script; the page holds the same numbers as a table."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from energy.queries.day import Day
from energy.queries.forecasts import Told


def day_chart(day: Day) -> dict[str, Any]:
    """Power in kW over a day: used here, from storage and grid above zero; stored and sent on below; all use
    and all solar as lines.
    """
    steps = day.steps
    areas = [
        (_("solar used here"), "solar", [s.sun_used for s in steps]),
        (_("from batteries"), "battery", [s.discharge for s in steps]),
        (_("from the grid"), "grid", [s.grid for s in steps]),
    ]
    below = [
        (_("stored"), "battery", [-s.charge for s in steps]),
        (_("sent on"), "export", [-s.export for s in steps]),
    ]
    lines = [
        (_("all use"), "load", False, [s.use for s in steps]),
        (_("all solar"), "solar-ink", True, [s.solar for s in steps]),
    ]
    series: list[dict[str, Any]] = [
        {"label": label, "unit": "kW", "color": colour, "kind": "area", "values": _rounded(values)}
        for label, colour, values in (*areas, *below)
        if any(values)
    ]
    series += [
        {
            "label": label,
            "unit": "kW",
            "color": colour,
            "kind": "line",
            "dashed": dashed,
            "values": _rounded(values),
        }
        for label, colour, dashed, values in lines
    ]
    chart: dict[str, Any] = {"x": [int(s.start.timestamp()) for s in steps], "series": series, "stack": True}
    if day.current is not None:
        chart["now"] = int(day.current.start.timestamp())
    return chart


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def finding(day: Day) -> str:
    """The day in one sentence, for those who do not see the chart."""
    good = day.good_hours()
    if good is None:
        return _("No sun to spare this day: use is above solar in every hour.")
    first, until = day.clock(good[0]), day.clock(good[1])
    return _(
        "Solar is above use from %(first)s to %(until)s; otherwise the rest comes from batteries and the grid."
    ) % {
        "first": first,
        "until": until,
    }


def forecast_chart(told: Mapping[str, Told], date: dt.date, zone: ZoneInfo, day: Day | None) -> dict[str, Any]:
    """What was forecast of a day, with its band, in kW; what came is drawn up to now."""
    colours = {"load": "load", "pv": "solar-ink"}
    count = len(next(iter(told.values())).middle_kwh)
    minutes = 24 * 60 // count
    midnight = dt.datetime.combine(date, dt.time(), zone)
    lines: list[tuple[str, str, bool, list[float]]] = []
    for name, one in sorted(told.items()):
        title = one.forecast.get_series_display()
        middle, low, high = ([x * 60 / minutes for x in part] for part in (one.middle_kwh, one.low_kwh, one.high_kwh))
        lines += [
            (
                _("%(series)s, forecast") % {"series": title},
                colours[name],
                True,
                middle,
            ),
            (_("%(series)s, at least") % {"series": title}, "line-strong", True, low),
            (_("%(series)s, at most") % {"series": title}, "line-strong", True, high),
        ]
    series: list[dict[str, Any]] = [
        {"label": label, "unit": "kW", "color": colour, "kind": "line", "dashed": dashed, "values": _rounded(values)}
        for label, colour, dashed, values in lines
    ]
    if day is not None and day.exact and len(day.steps) == count:
        came = {"load": [step.use for step in day.past], "pv": [step.solar for step in day.past]}
        series += [
            {
                "label": _("%(series)s, as it came") % {"series": one.forecast.get_series_display()},
                "unit": "kW",
                "color": colours[name],
                "kind": "line",
                "values": _rounded(came[name]) + [None] * (count - len(came[name])),
            }
            for name, one in sorted(told.items())
        ]
    x = [int((midnight + i * dt.timedelta(minutes=minutes)).timestamp()) for i in range(count)]
    return {"x": x, "series": series, "stack": False}


def forecast_table(told: Mapping[str, Told]) -> list[dict[str, Any]]:
    """The same as rows: the clock, and for each series the middle and the band in kW."""
    names = sorted(told)
    count = len(told[names[0]].middle_kwh)
    per_hour = count / 24
    return [
        {
            "clock": f"{i * 24 // count:02d}:{i * 24 * 60 // count % 60:02d}",
            "cells": [
                (told[n].middle_kwh[i] * per_hour, told[n].low_kwh[i] * per_hour, told[n].high_kwh[i] * per_hour)
                for n in names
            ],
        }
        for i in range(count)
    ]
