"""Heat of buildings by the standard load profiles of gas (BDEW, VKU, GEODE: Leitfaden Abwicklung von
Standardlastprofilen Gas, 2018).

A day's demand follows a sigmoid of the mean temperature of this day and the three before (weights 1, 1/2, 1/4, 1/8);
its constant part is hot water. Weekday factors and, by the day's temperature, factors of hours spread it. It is the
mean of many buildings. The tables are those of the wheel demandlib (MIT).
"""

import csv
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from energy.engine.clock import Clock
from energy.engine.community import Floats
from energy.engine.refusals import BadValue, gettext_noop

#: Kinds of building: one or two homes, a block; shops, offices and other business together.
HOME, BLOCK, BUSINESS = "EFH", "MFH", "GHD"
CLASS = {HOME: 5, BLOCK: 5}
WEIGHTS = (1.0, 0.5, 0.25, 0.125)
TURN_C = 40.0
LOWEST_C, HIGHEST_C = -20, 40
FIVE = 5


@dataclass(frozen=True, slots=True)
class Building:
    """Sigmoid (a, b, c, d), seven weekday factors from Monday, and shares of hours: 7 days x 24 x 10 intervals."""

    a: float
    b: float
    c: float
    d: float
    weekday: Floats
    hours: Floats


@dataclass(frozen=True, slots=True)
class Heat:
    """Heat in each step, kWh: for rooms and for water."""

    rooms_kwh: Floats
    water_kwh: Floats


def read(folder: Path, kind: str, *, windy: bool = False) -> Building:
    """Read a kind of building. Raises BadValue where the tables do not know it."""
    category = CLASS.get(kind, 0)
    rows = [
        row
        for row in _rows(folder / "shlp_sigmoid_factors.csv")
        if row["shlp_type"] == kind and int(row["building_class"]) == category and int(row["wind_impact"]) == int(windy)
    ]
    if len(rows) != 1:
        raise BadValue(gettext_noop("“%(kind)s” is not a kind of building that is known"), kind=kind)
    a, b, c, d = (float(rows[0][f"parameter_{name}"]) for name in "abcd")
    week = [float(r["wochentagsfaktor"]) for r in _rows(folder / "shlp_weekday_factors.csv") if r["shlp_type"] == kind]
    hours = np.zeros((7, 24, 10))
    for row in _rows(folder / "shlp_hour_factors.csv"):
        if row["shlp_type"] != kind or int(row["building_class"]) != category:
            continue
        values = [float(row[f"temp_intervall_{i:02d}"]) for i in range(1, 11)]
        day = int(row["weekday"])
        hours[slice(None) if category else day - 1, int(row["hour_of_day"]) - 1] = values
    return Building(a, b, c, d, np.array(week), hours)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lasting(air_c: Floats) -> Floats:
    """The temperature of each day that buildings feel: its own and the three days' before; the first days take the
    year's last, as if it went round.
    """
    total = sum(weight * np.roll(air_c, days) for days, weight in enumerate(WEIGHTS))
    return np.asarray(total / sum(WEIGHTS))


def heat(building: Building, when: Clock, air_c: Floats, kwh: float, *, water: bool = True) -> Heat:
    """Heat in each step, kWh, that sums to `kwh` over the time of `when`, from daily means of the air, degrees C.

    A building without warm water from the same source (`water=False`) has none of the constant part.
    """
    felt = lasting(air_c)
    weekday = np.array([6 if rest else d.weekday() for d, rest in zip(when.dates, when.rest, strict=True)])
    rooms = building.a / (1 + (building.b / (np.minimum(felt, TURN_C - 0.01) - TURN_C)) ** building.c)
    constant = building.d if water else 0.0
    factor = building.weekday[weekday]
    interval = np.array([_interval(value) for value in felt])
    hour = when.minute // 60
    shares = building.hours[weekday[when.day], hour, interval[when.day]] * (min(when.step_minutes, 60) / 60)
    warm, bath = (rooms * factor)[when.day] * shares, (constant * factor)[when.day] * shares
    total = float(warm.sum() + bath.sum())
    scale = kwh / total if total > 0 else 0.0
    return Heat(np.asarray(warm * scale), np.asarray(bath * scale))


def _interval(felt: float) -> int:
    """Column of the table of hours: five degrees each, the first to -15, the last above 25."""
    degrees = min(max(ceil(felt), LOWEST_C + 1), HIGHEST_C)
    return min(max((degrees + 19) // FIVE, 0), 9)
