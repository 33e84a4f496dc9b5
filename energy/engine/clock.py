"""The local clock of each step: day, minute of the day, kind of day."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Clock:
    """One entry a step: index of the local day, its minute, and for each day its date and whether it is a Sunday or
    holiday, or a Saturday.
    """

    day: NDArray[np.int64]
    minute: NDArray[np.int64]
    dates: tuple[dt.date, ...]
    rest: NDArray[np.bool_]
    saturday: NDArray[np.bool_]
    step_minutes: int

    @property
    def steps(self) -> int:
        """How many steps."""
        return len(self.day)


def clock(
    start: dt.datetime, step_minutes: int, steps: int, timezone: str, holidays: Collection[dt.date] = frozenset()
) -> Clock:
    """The clock on the wall at the beginning of each step from `start`."""
    zone, step = ZoneInfo(timezone), dt.timedelta(minutes=step_minutes)
    local = [(start + i * step).astimezone(zone) for i in range(steps)]
    first = local[0].date()
    day = np.array([(t.date() - first).days for t in local], dtype=np.int64)
    minute = np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64)
    dates = tuple(first + dt.timedelta(days=i) for i in range(int(day[-1]) + 1))
    rest = np.array([d.weekday() == 6 or d in holidays for d in dates])
    saturday = np.array([d.weekday() == 5 and d not in holidays for d in dates])
    return Clock(day, minute, dates, rest, saturday, step_minutes)
