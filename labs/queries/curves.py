"""The power of a machine over a day or a job, as a chart and as its table: the same numbers in both."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from commons.devices import queries as device_queries
from commons.web import numbers
from labs.engine import hours
from labs.models import Job, Machine
from labs.queries import board

MOST_POINTS = 300
STEPS_S = (60, 300, 900, 3600)
#: Readings further apart are a gap: no line is drawn over it (devices hold a power for as long).
GAP = dt.timedelta(minutes=5)
DAY_STEP_S = 900


@dataclass(frozen=True, slots=True)
class Curve:
    """Power in W: `chart` for `lc-chart`, `rows` (start, mean W) for the table, `finding` in words."""

    chart: dict[str, Any]
    rows: list[tuple[dt.datetime, float | None]]
    step: dt.timedelta
    finding: str
    energy: str

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return any(watts is not None for _at, watts in self.rows)


def day_of(text: str, zone: ZoneInfo, now: dt.datetime) -> dt.date:
    """The day written as 2026-06-18, at most today by the lab's calendar; today if it cannot be read."""
    today = now.astimezone(zone).date()
    try:
        day = dt.date.fromisoformat(text) if text else today
    except ValueError:
        day = today
    return min(max(day, dt.date(2000, 1, 2)), today)


def of_day(machine: Machine, day: dt.date, now: dt.datetime) -> Curve | None:
    """A day of the machine by the lab's clock, by quarters of an hour; None when nothing measures it.

    Its energy is the sum of the quarters: the counter's where there is one, else the integral of power.
    """
    meter = board.meter_of(machine)
    if meter is None:
        return None
    zone = machine.lab.zone
    start, end = hours.at(day, 0, zone), hours.at(day + dt.timedelta(days=1), 0, zone)
    points = device_queries.series(meter, "power_w", start, end, DAY_STEP_S)
    counted = device_queries.series(meter, "energy_wh_total", start, end, DAY_STEP_S)
    known = [p.energy_wh for p in counted or points if p.energy_wh is not None]
    hours_known = len(known) * DAY_STEP_S / 3600
    words = _("%(energy)s in the %(hours)s h that are known") % {
        "energy": numbers.kwh(sum(known) / 1000),
        "hours": numbers.number(hours_known, 1),
    }
    drawn = _curve(machine, points, DAY_STEP_S, zone, words)
    drawn.chart["span"] = [int(start.timestamp()), int(end.timestamp())]
    return drawn


def of_job(job: Job, now: dt.datetime) -> Curve | None:
    """The power while the job was made; None for one too short to draw."""
    end = job.finished_at or now
    length_s = (end - job.started_at).total_seconds()
    if length_s < 20:
        return None
    step_s = next((s for s in STEPS_S if length_s / s <= MOST_POINTS), STEPS_S[-1])
    points = device_queries.series(job.device, "power_w", job.started_at, end, step_s)
    words = ""
    if job.energy_kwh is not None:
        words = _("%(energy)s, %(quality)s") % {
            "energy": numbers.kwh(job.energy_kwh),
            "quality": job.get_energy_quality_display(),
        }
    return _curve(job.machine, points, step_s, job.machine.lab.zone, words)


def _curve(machine: Machine, points: Sequence[device_queries.Point], step_s: int, zone: ZoneInfo, energy: str) -> Curve:
    rows = _with_gaps(points, dt.timedelta(seconds=step_s), zone)
    known = [watts for _at, watts in rows if watts is not None]
    words = {
        "machine": machine.name,
        "low": round(min(known, default=0)),
        "high": round(max(known, default=0)),
    }
    finding = (
        _("%(machine)s drew %(low)d to %(high)d W") if known else _("%(machine)s has reported no power for this time")
    ) % words
    values = [None if watts is None else round(watts, 1) for _at, watts in rows]
    series = {"label": _("Power"), "unit": "W", "color": "load", "kind": "area", "values": values}
    chart = {"x": [int(at.timestamp()) for at, _watts in rows], "series": [series], "height": 220, "step": step_s}
    return Curve(chart, rows, dt.timedelta(seconds=step_s), finding, energy)


def _with_gaps(
    points: Sequence[device_queries.Point], step: dt.timedelta, zone: ZoneInfo
) -> list[tuple[dt.datetime, float | None]]:
    """The points, with one empty point where nothing was heard, so that no line is drawn over a gap."""
    rows: list[tuple[dt.datetime, float | None]] = []
    for point in points:
        if rows and point.start - rows[-1][0] > max(step, GAP):
            rows.append((rows[-1][0] + step, None))
        rows.append((point.start.astimezone(zone), point.mean))
    return rows
