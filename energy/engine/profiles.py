"""Standard load profiles of the German energy association (BDEW 2025): what many households or businesses use
in a quarter of an hour.

A profile has 96 quarters for each month and kind of day (working day, Saturday, Sunday or holiday), kWh for
1,000,000 kWh a year; the household profile is moved through the year by a polynomial (BDEW,
Anwendungsleitfaden). It is the mean of many: one home is far less smooth.
"""

import csv
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy.engine.clock import Clock
from energy.engine.community import Floats
from energy.engine.refusals import FolderRefusal, gettext_noop

WORKDAY, SATURDAY, SUNDAY = "WT", "SA", "FT"


def read_bdew25(path: Path) -> Floats:
    """A profile as kWh a quarter: 12 months by 3 kinds of day (working, Saturday, Sunday) by 96 quarters."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    kinds = rows[1][1:37]
    table = np.array([[float(cell) for cell in row[1:37]] for row in rows[2:98]])
    if table.shape != (96, 36) or set(kinds) != {WORKDAY, SATURDAY, SUNDAY}:
        raise FolderRefusal(
            path.name,
            0,
            "",
            gettext_noop("this is not a BDEW profile of 96 quarters, 12 months and 3 kinds of day"),
        )
    profile = np.empty((12, 3, 96))
    for column, kind in enumerate(kinds):
        profile[column // 3, (WORKDAY, SATURDAY, SUNDAY).index(kind)] = table[:, column]
    return profile


def quarters(
    profile: Floats,
    start: dt.datetime,
    days: int,
    timezone: str,
    holidays: frozenset[tuple[int, int]],
    *,
    dynamic: bool,
) -> Floats:
    """The profile laid over a time, kWh a quarter for 1,000,000 kWh a year; `start` in UTC, the clock is the
    local one.
    """
    zone, step = ZoneInfo(timezone), dt.timedelta(minutes=15)
    out = np.empty(days * 96)
    for i in range(len(out)):
        local = (start + i * step).astimezone(zone)
        sunday = local.weekday() == 6 or (local.month, local.day) in holidays
        kind = 2 if sunday else (1 if local.weekday() == 5 else 0)
        value = profile[local.month - 1, kind, local.hour * 4 + local.minute // 15]
        out[i] = value * (dynamics(local.timetuple().tm_yday) if dynamic else 1.0)
    return out


def dynamics(day_of_year: int) -> float:
    """BDEW's polynomial for households: about 1.24 in winter and 0.8 in summer."""
    d = float(day_of_year)
    return -3.92e-10 * d**4 + 3.2e-7 * d**3 - 7.02e-5 * d**2 + 0.0021 * d + 1.24


#: Profiles of the folder by name, and whether the polynomial moves them through the year.
NAMES = {"h25": True, "p25": True, "s25": True, "g25": False, "l25": False}


def standard(profile: Floats, when: Clock, kwh_per_year: float, *, dynamic: bool) -> Floats:
    """kWh in each step of quarters or hours: a profile laid over a time and scaled by the year.

    BDEW's table is for 1,000,000 kWh in a year of its own calendar; the part of a year that `when` covers gets that
    part, so a whole year comes within some per mille of `kwh_per_year`, as with BDEW itself.
    """
    kind = np.where(when.rest, 2, np.where(when.saturday, 1, 0))
    month = np.array([d.month - 1 for d in when.dates])
    move = np.array([dynamics(d.timetuple().tm_yday) if dynamic else 1.0 for d in when.dates])
    parts = max(when.step_minutes // 15, 1)
    quarter = when.minute // 15
    out = np.zeros(when.steps)
    for part in range(parts):
        out += profile[month[when.day], kind[when.day], np.minimum(quarter + part, 95)]
    share = min(when.step_minutes / 15, 1.0)
    return np.asarray(out * move[when.day] * (share * kwh_per_year / 1e6))
