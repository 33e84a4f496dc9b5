"""The power of a machine over a day or a job, as a chart and as its table: the same numbers in both."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from commons.devices import queries as device_queries
from labs.engine import hours
from labs.models import Job, Machine

MOST_POINTS = 300
STEPS_S = (10, 30, 60, 300, 900, 3600)


@dataclass(frozen=True, slots=True)
class Curve:
    """Power in W: `chart` for `lc-chart`, `rows` (start, mean W) for the table, `kwh` of the whole and its quality."""

    chart: dict[str, Any]
    rows: list[tuple[dt.datetime, float | None]]
    step: dt.timedelta
    kwh: float | None
    quality: str
    coverage: float
    finding: str

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return any(watts is not None for _at, watts in self.rows)

    @property
    def quality_label(self) -> str:
        """How good the energy is, in words."""
        return str(Job.Quality(self.quality).label)


def day_of(text: str, zone: ZoneInfo, now: dt.datetime) -> dt.date:
    """The day written as 2026-06-18, at most today in the lab's own calendar; today when it cannot be read."""
    today = now.astimezone(zone).date()
    try:
        day = dt.date.fromisoformat(text) if text else today
    except ValueError:
        day = today
    return min(max(day, dt.date(2000, 1, 2)), today)


def of_day(machine: Machine, day: dt.date, now: dt.datetime) -> Curve | None:
    """A day of the machine by the lab's clock; None when it has no device."""
    zone = machine.lab.zone
    start, end = hours.at(day, 0, zone), hours.at(day + dt.timedelta(days=1), 0, zone)
    return _curve(machine, start, end, min(now, end), zone) if machine.device else None


def of_job(job: Job, now: dt.datetime) -> Curve | None:
    """The power while the job was made."""
    end = job.finished_at or now
    if end - job.started_at < dt.timedelta(seconds=20):
        return None
    return _curve(job.machine, job.started_at, end, end, job.machine.lab.zone, device=job.device)


def _curve(
    machine: Machine, start: dt.datetime, end: dt.datetime, until: dt.datetime, zone: ZoneInfo, device: Any = None
) -> Curve:
    device = device or machine.device
    step_s = next((s for s in STEPS_S if (end - start).total_seconds() / s <= MOST_POINTS), STEPS_S[-1])
    points = device_queries.series(device, "power_w", start, until, step_s)
    rows = [(point.start.astimezone(zone), point.mean) for point in points]
    energy = device_queries.energy(device, start, until) if until > start else None
    known = [watts for _at, watts in rows if watts is not None]
    finding = (
        _("%(machine)s drew %(low)d to %(high)d W")
        % {"machine": machine.name, "low": round(min(known)), "high": round(max(known))}
        if known
        else _("%(machine)s has reported no power for this time") % {"machine": machine.name}
    )
    series = {
        "label": _("Power"), "unit": "W", "color": "load", "kind": "area", "values": [watts for _at, watts in rows],
    }
    return Curve(
        chart={"x": [int(at.timestamp()) for at, _watts in rows], "series": [series], "timezone": str(zone)},
        rows=rows,
        step=dt.timedelta(seconds=step_s),
        kwh=energy.kwh if energy and energy.quality != "none" else None,
        quality=energy.quality if energy else "none",
        coverage=energy.coverage if energy else 0.0,
        finding=finding,
    )
