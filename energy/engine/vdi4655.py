"""Reference days of VDI 4655 (2008): electricity, heating and hot water of houses by season, kind of day and sky.

Each day is one of ten kinds: winter (mean below 5 degrees C), summer (above 15) or between; working day (Saturday
too) or Sunday; clear or clouded outside summer. A region's factors say what a kind of day needs of the year, the
profile how it falls on the day's minutes. The year is then scaled to what was said of it, since kinds of days rarely
add up to one. For houses of up to 12 people or 40 flats.

The tables are those of the wheel demandlib (MIT; reproduced there with the kind permission of the VDI).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from energy.engine.clock import Clock
from energy.engine.community import Bools, Floats
from energy.engine.refusals import BadValue, FolderRefusal, gettext_noop

WINTER_C, SUMMER_C = 5.0, 15.0
CLOUDED_EIGHTHS = 5.0
MOST_PEOPLE, MOST_FLATS = 12, 40
HOUSES = ("EFH", "MFH")
ENERGIES = ("el", "Heiz", "TWW")


@dataclass(frozen=True, slots=True)
class Tables:
    """Shares of a day's minutes by house, kind of day and energy; factors of days by region, house, energy, kind."""

    minutes: Mapping[tuple[str, str, str], Floats]
    factors: Mapping[tuple[int, str, str, str], float]


@dataclass(frozen=True, slots=True)
class Needs:
    """kWh in each step: electricity, space heating, hot water."""

    power_kwh: Floats
    heating_kwh: Floats
    water_kwh: Floats


def read(folder: Path) -> Tables:
    """Read the two tables. Raises FolderRefusal."""
    minutes: dict[tuple[str, str, str], list[float]] = {}
    with (folder / "VDI_4655_Typtage.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for energy in ENERGIES:
                minutes.setdefault((row["Haus"], row["typtag"], energy), []).append(float(row[f"F_{energy}_n_TT"]))
    factors: dict[tuple[int, str, str, str], float] = {}
    with (folder / "VDI_4655_Typtag-Faktoren.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            energy = row["TT"].split("_")[1]
            for kind, value in row.items():
                if kind not in {"TRY", "Haus", "TT"}:
                    factors[int(row["TRY"]), row["Haus"], energy, kind] = float(value)
    # single houses by the minute, blocks by the quarter of an hour, each quarter given once
    lengths = {len(values) for values in minutes.values()}
    if not minutes or not lengths <= {96, 1440}:
        raise FolderRefusal("VDI_4655_Typtage.csv", 0, "", gettext_noop("these are not the reference days of VDI 4655"))
    spread = {
        key: np.array(values) if len(values) == 1440 else np.repeat(values, 15) / 15 for key, values in minutes.items()
    }
    return Tables(spread, factors)


def kinds(when: Clock, air_c: Floats, clouded: Bools) -> list[str]:
    """The kind of each day from its mean temperature and sky."""
    found = []
    for day, (warm, dull) in enumerate(zip(air_c, clouded, strict=True)):
        season = "S" if warm > SUMMER_C else ("W" if warm < WINTER_C else "U")
        week = "S" if when.rest[day] else "W"
        found.append(season + week + ("X" if season == "S" else ("B" if dull else "H")))
    return found


def needs(
    tables: Tables,
    when: Clock,
    air_c: Floats,
    clouded: Bools,
    *,
    house: str = "EFH",
    region: int = 1,
    people: int = 3,
    power_kwh: float = 0.0,
    heating_kwh: float = 0.0,
    water_kwh: float = 0.0,
) -> Needs:
    """What a house needs, kWh in each step, from daily means of the air (degrees C) and whether days were clouded.

    `people` are flats for a block (MFH). The kWh are those of the whole time of `when`. Raises BadValue.
    """
    most = MOST_PEOPLE if house == "EFH" else MOST_FLATS
    if house not in HOUSES or not 1 <= people <= most:
        raise BadValue(
            gettext_noop("VDI 4655 knows houses of 1 to 12 people and blocks of 1 to 40 flats; these are %(n)d"),
            n=people,
        )
    days = kinds(when, air_c, clouded)
    found = []
    for energy, total in zip(ENERGIES, (power_kwh, heating_kwh, water_kwh), strict=True):
        by_day = np.array([_of_day(tables, region, house, energy, kind, people) for kind in days])
        curve = by_day[when.day] * _shares(tables, when, house, energy, days)
        sum_ = float(curve.sum())
        found.append(np.asarray(curve * (total / sum_)) if sum_ > 0 else np.zeros(when.steps))
    return Needs(*found)


def _of_day(  # noqa: PLR0917 one cell of a table
    tables: Tables, region: int, house: str, energy: str, kind: str, people: int
) -> float:
    factor = tables.factors[region, house, energy, kind]
    if energy == "Heiz":
        return factor
    return max(1 / 365 + people * factor, 0.0) or 1 / 365


def _shares(tables: Tables, when: Clock, house: str, energy: str, days: list[str]) -> Floats:
    """The share of its day that falls on each step."""
    width = when.step_minutes
    of_kind = {kind: tables.minutes[house, kind, energy].reshape(-1, width).sum(axis=1) for kind in set(days)}
    table = np.stack([of_kind[kind] for kind in days])
    return np.asarray(table[when.day, when.minute // width])
