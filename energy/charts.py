"""What `lc-chart` draws, as plain data for a json_script; the page holds the same numbers as a table."""

from typing import Any

from django.utils.translation import gettext as _

from energy.queries.day import Day


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
