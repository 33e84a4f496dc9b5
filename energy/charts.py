"""What `lc-chart` draws, as plain data for a json_script; the page holds the same numbers as a table."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commons.web import numbers
from energy.queries import mine, year
from energy.queries.day import Day, OpenDay
from energy.queries.forecasts import Told
from energy.queries.outlooks import Ahead

MWH_FROM_KWH = 10_000


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


def outlook_chart(ahead: Ahead) -> dict[str, Any]:
    """What is foreseen to be spare, kW, with its band, and what of the use is planned."""
    rows = (
        (_("to spare"), "solar-ink", False, ahead.middle),
        (_("at least"), "line-strong", True, ahead.low),
        (_("at most"), "line-strong", True, ahead.high),
        (_("planned by labs"), "load", False, ahead.planned),
    )
    series = [
        {
            "label": label,
            "unit": "kW",
            "color": colour,
            "kind": "line",
            "dashed": dashed,
            "values": _rounded(list(values)),
        }
        for label, colour, dashed, values in rows
    ]
    x = [int((ahead.start + n * ahead.step).timestamp()) for n in range(len(ahead.middle))]
    return {"x": x, "series": series, "stack": False, "now": int(timezone.now().timestamp())}


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


def stored_day(day: Day) -> dict[str, Any]:
    """What storage holds over a day, kWh."""
    chart: dict[str, Any] = {
        "x": [int(s.start.timestamp()) for s in day.steps],
        "series": [line(_("held"), "battery-ink", [s.stored for s in day.steps], "kWh")],
        "height": 230,
    }
    if day.current is not None:
        chart["now"] = int(day.current.start.timestamp())
    return chart


def open_chart(day: OpenDay) -> dict[str, Any]:
    """What may be shown of a small community: solar, labs, public buildings, kW."""
    return {
        "x": [int(start.timestamp()) for start in day.starts],
        "series": [
            line(_("all solar"), "solar-ink", day.solar, "kW"),
            line(_("labs"), "load", day.labs, "kW"),
            line(_("public buildings"), "grid-ink", day.public, "kW"),
        ],
    }


def own_day(steps: Sequence[mine.Step], *, today: bool) -> dict[str, Any]:
    """One member's day in kW: where its use came from above zero, where its solar went below."""
    above = [
        (_("own solar"), "solar", [s.own for s in steps]),
        (_("from neighbours"), "export", [s.neighbours for s in steps]),
        (_("from the grid"), "grid", [s.grid for s in steps]),
    ]
    below = [
        (_("to neighbours"), "export", [-s.to_neighbours for s in steps]),
        (_("sent on"), "line-strong", [-s.sent for s in steps]),
    ]
    series: list[dict[str, Any]] = [
        {"label": label, "unit": "kW", "color": colour, "kind": "area", "values": _rounded(values)}
        for label, colour, values in (*above, *below)
        if any(values)
    ]
    series.append(line(_("all use"), "load", [s.used for s in steps], "kW"))
    chart: dict[str, Any] = {"x": [int(s.start.timestamp()) for s in steps], "series": series, "stack": True}
    if today:
        past = [int(s.start.timestamp()) for s in steps if s.start <= timezone.now()]
        chart |= {"now": past[-1]} if past else {}
    return chart


def months_chart(months: Sequence[year.Month]) -> dict[str, Any]:
    """Bought above zero, sent on below, MWh or kWh a month."""
    most = max((max(month.bought, month.sent, month.made) for month in months), default=0.0)
    by, unit = (1000, "MWh") if most >= MWH_FROM_KWH else (1, "kWh")
    return {
        "x": [noon(month.first) for month in months],
        "series": [
            bars(_("from the grid"), "grid", [month.bought / by for month in months], unit),
            bars(_("sent on"), "export", [-month.sent / by for month in months], unit),
            line(_("made"), "solar-ink", [month.made / by for month in months], unit),
        ],
        "stack": True,
        "span": span([month.first for month in months], 32),
    }


def savings_chart(months: Sequence[mine.Month], currency: str) -> dict[str, Any]:
    """What a member saves in each month."""
    return {
        "x": [noon(month.first) for month in months],
        "series": [bars(_("saved"), "battery", [month.saving for month in months], currency, 2)],
        "height": 230,
        "span": span([month.first for month in months], 32),
    }


def compared_chart(days: Sequence[mine.ComparedDay]) -> dict[str, Any]:
    """Measured against simulated, kWh a day; a gap where a day was not measured whole."""
    known = {day.date: day for day in days}
    first, last = min(known), max(known)
    dates = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
    return {
        "x": [noon(date) for date in dates],
        "series": [
            line(_("measured"), "load", [known[d].measured_kwh if d in known else None for d in dates], "kWh"),
            line(_("simulated"), "solar-ink", [known[d].expected_kwh if d in known else None for d in dates], "kWh")
            | {"dashed": True},
        ],
        "height": 260,
    }


def stored_year(spans: Sequence[tuple[dt.date, float, float]], _zone: str) -> dict[str, Any]:
    """The least and the most that storage holds on each day, kWh."""
    return {
        "x": [noon(day) for day, _low, _high in spans],
        "series": [
            line(_("most of the day"), "battery-ink", [high for _day, _low, high in spans], "kWh"),
            line(_("least of the day"), "ink-3", [low for _day, low, _high in spans], "kWh"),
        ],
        "height": 230,
    }


def span(days: Sequence[dt.date], apart: int) -> list[int]:
    """From half a bar before the first day to half a bar after the last, so that bars stand whole; `apart` in days."""
    half = apart * 86400 // 2
    return [noon(days[0]) - half, noon(days[-1]) + half] if days else []


def noon(day: dt.date) -> int:
    """Noon of a day as the chart counts time, so that a bar stands in the middle of it."""
    return int(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC).timestamp())


def line(label: str, colour: str, values: Sequence[float | None], unit: str) -> dict[str, Any]:
    """A line of a chart."""
    known = [None if value is None else round(value, 3) for value in values]
    return {"label": label, "unit": unit, "color": colour, "kind": "line", "values": known}


def bars(label: str, colour: str, values: Sequence[float], unit: str, decimals: int = 0) -> dict[str, Any]:
    """Bars of a chart; below zero they hang."""
    known = [round(value, 3) for value in values]
    return {"label": label, "unit": unit, "color": colour, "kind": "bar", "values": known, "decimals": decimals}


def year_words(story: year.Year, what: str) -> str:
    """The picture of the year in one sentence."""
    cells = [value for row in story.shown(what) for value in row if value is not None]
    if not cells:
        return _("Nothing is known of these hours.")
    most = numbers.kw(max(cells))
    if what == "spare":
        above = sum(value > 0 for value in cells)
        return _("In %(n)s of %(all)s hours there is sun to spare, %(most)s at most.") % {
            "n": numbers.number(above),
            "all": numbers.number(len(cells)),
            "most": most,
        }
    mean = numbers.kw(sum(cells) / len(cells))
    return _("%(mean)s on average over all hours, %(most)s at most.") % {"mean": mean, "most": most}


def months_words(months: Sequence[year.Month]) -> str:
    """The months in one sentence."""
    given = sum(month.balance > 0 for month in months)
    best = max(months, key=lambda month: month.balance)
    worst = min(months, key=lambda month: month.balance)
    words = {
        "n": given,
        "all": len(months),
        "best": date_format(best.first, "F"),
        "worst": date_format(worst.first, "F"),
    }
    return _("In %(n)d of %(all)d months more is sent on than bought; %(best)s stands best, %(worst)s worst.") % words
