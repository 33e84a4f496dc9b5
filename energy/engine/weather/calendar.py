"""Weather laid over a calendar: a typical year over any days, a real one over its own."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy.engine import pv
from energy.engine.community import Floats
from energy.engine.refusals import BadValue, gettext_noop

HOUR = dt.timedelta(hours=1)


def covers(weather: pv.Weather, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether the weather knows all of a time, half a step more or less at either end."""
    step = dt.timedelta(minutes=weather.step_minutes)
    return bool(weather.start - step / 2 <= start and end <= weather.start + len(weather.ghi) * step + step / 2)


def standard_offset(zone: ZoneInfo, year: int) -> dt.timedelta:
    """The clock's winter time, ahead of UTC."""
    return min(dt.datetime(year, month, 1, tzinfo=zone).utcoffset() or dt.timedelta(0) for month in (1, 7))


def over(  # noqa: PLR0917 the weather, then a time
    weather: pv.Weather,
    typical: bool,
    offset_minutes: int,
    start: dt.datetime,
    step_minutes: int,
    steps: int,
    timezone: str,
) -> NDArray[np.int64]:
    """For each step of a time the step of the weather: the very one where the weather is real, else the same hour of
    local standard time in the typical year; 29 February takes the 28th. Raises BadValue where a real one does not
    cover the time.
    """
    step = dt.timedelta(minutes=step_minutes)
    if not typical:
        if not covers(weather, start, start + steps * step):
            raise BadValue(gettext_noop("the weather does not cover these days; import a typical year or other days"))
        middle = (start - weather.start).total_seconds() / 60 + step_minutes * (np.arange(steps) + 0.5)
        return np.clip((middle // weather.step_minutes).astype(np.int64), 0, len(weather.ghi) - 1)
    zone = ZoneInfo(timezone)
    there = dt.timedelta(minutes=offset_minutes)
    begins = (weather.start + there).replace(tzinfo=None)
    offset = standard_offset(zone, start.astimezone(zone).year)
    found = np.empty(steps, dtype=np.int64)
    length = len(weather.ghi)
    for i in range(steps):
        local = (start + i * step + step / 2 + offset).replace(tzinfo=None)
        day = 28 if (local.month, local.day) == (2, 29) else local.day
        same = local.replace(year=begins.year, day=day)
        if same < begins:
            same = same.replace(year=begins.year + 1)
        found[i] = (same - begins) // dt.timedelta(minutes=weather.step_minutes) % length
    return found


def laid(values: Floats, at: NDArray[np.int64], weather_minutes: int, step_minutes: int) -> Floats:
    """Energies a step of the weather (last axis) laid over another step: parts of an hour share it evenly; longer
    steps are the sum of theirs.
    """
    if step_minutes > weather_minutes:
        parts = step_minutes // weather_minutes
        first = at - parts // 2
        return np.asarray(sum(values[..., np.clip(first + i, 0, values.shape[-1] - 1)] for i in range(parts)))
    return np.asarray(values[..., at] * (step_minutes / weather_minutes))
