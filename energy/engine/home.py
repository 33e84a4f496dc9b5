"""What a home would look like of which nothing was measured: its year of use and solar from what it owns.

- Electricity of homes by VDI 4655, of other kinds by BDEW's business profile, scaled to the year's kWh.
- Heating and hot water: homes by VDI 4655, others by BDEW's profile of gas; the pump takes heat over its COP, which
  falls with the air's temperature (`heat.standard_cop`; a floor of 35 degrees C, water of 50); what is beyond its power
  a rod makes, one for one.
- Solar by `pv.year` under the place's weather.
- A car by `trips`; it is a storage of the models and so not part of the load.

A modelled home is a reference, not this home: its peaks are those of a typical house, and its errors are its own.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from energy.engine import heat, profiles, pv, trips, vdi4655, warmth, weather
from energy.engine.clock import Clock
from energy.engine.community import Bools, Floats, Vehicle
from energy.engine.weather import Reading

CLEAR_SHARE = 0.5
WATER_C = 50.0
REGION = 2


@dataclass(frozen=True, slots=True)
class Car:
    """A car by its kilometres."""

    kwh: float
    kw: float
    km_per_year: float
    v2g: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """What is known of a home: kWh a year without heat pump and car, people, roofs, heat, car. `seed` draws its
    days.
    """

    kind: str
    kwh_per_year: float
    people: int = 2
    roofs: tuple[pv.Roof, ...] = ()
    heat_pump_kw: float = 0.0
    heating_kwh: float = 0.0
    water_kwh: float = 0.0
    car: Car | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tables:
    """Standard tables, read once."""

    days: vdi4655.Tables
    business: Floats
    shops: warmth.Building


@dataclass(frozen=True, slots=True)
class Modelled:
    """kWh in each step: use with the heat pump's, solar, the heat pump's own part, a car charged as it comes; and the
    car as models know it.
    """

    load_kwh: Floats
    pv_kwh: Floats
    heat_pump_kwh: Floats
    car_kwh: Floats
    vehicle: Vehicle | None


def read(folder: Path) -> Tables:
    """The tables of the wheel demandlib. Raises FolderRefusal, BadValue."""
    return Tables(
        vdi4655.read(folder / "vdi" / "vdi_data"),
        profiles.read_bdew25(folder / "bdew" / "bdew_data" / "g25.csv"),
        warmth.read(folder / "bdew" / "bdew_data", warmth.BUSINESS),
    )


@dataclass(frozen=True, slots=True)
class Sky:
    """The weather over the steps of a time: where each step lies in it, air by step and day, and clouded days."""

    reading: Reading
    at: NDArray[np.int64]
    air_c: Floats
    air_of_day: Floats
    clouded: Bools


def sky(reading: Reading, when: Clock, start: dt.datetime, timezone: str) -> Sky:
    """Lay a weather over a time that begins at `start`. Raises BadValue."""
    found = reading.weather
    at = weather.over(found, reading.typical, reading.offset_minutes, start, when.step_minutes, when.steps, timezone)
    air = found.air_c[at]
    clear = weather.clear(
        found.start, found.step_minutes, len(found.ghi), found.latitude, found.longitude, found.altitude_m
    )
    days = len(when.dates)
    count = np.maximum(np.bincount(when.day, minlength=days), 1)
    air_of_day = np.bincount(when.day, weights=air, minlength=days) / count
    light = np.bincount(when.day, weights=found.ghi[at], minlength=days)
    most = np.bincount(when.day, weights=clear.ghi[at], minlength=days)
    return Sky(reading, at, np.asarray(air), np.asarray(air_of_day), np.asarray(light < CLEAR_SHARE * most))


def modelled(homes: Sequence[Home], when: Clock, over: Sky, tables: Tables, *, share_of_year: float) -> list[Modelled]:
    """Each home over a time that is `share_of_year` of a year; one weather for all. Raises BadValue."""
    roofs = [roof for home in homes for roof in home.roofs]
    found = over.reading.weather
    made = pv.year(roofs, found) if roofs else np.zeros((0, len(found.ghi)))
    laid = weather.laid(made, over.at, found.step_minutes, when.step_minutes)
    cop = heat.standard_cop(over.air_c), heat.standard_cop(over.air_c, WATER_C)
    out, row = [], 0
    for home in homes:
        sun = laid[row : row + len(home.roofs)].sum(axis=0) if home.roofs else np.zeros(when.steps)
        row += len(home.roofs)
        use, rooms, water = _needs(home, when, over, tables, share_of_year)
        pump = _pump(rooms, water, cop, home.heat_pump_kw, when.step_minutes / 60)
        car, vehicle = _car(home, when)
        out.append(Modelled(np.asarray(use + pump), np.asarray(sun), pump, car, vehicle))
    return out


def _needs(home: Home, when: Clock, over: Sky, tables: Tables, share: float) -> tuple[Floats, Floats, Floats]:
    warm = home.heat_pump_kw > 0
    rooms, water = (home.heating_kwh, home.water_kwh) if warm else (0.0, 0.0)
    if home.kind == "home":
        found = vdi4655.needs(
            tables.days,
            when,
            over.air_of_day,
            over.clouded,
            region=REGION,
            people=min(max(home.people, 1), vdi4655.MOST_PEOPLE),
            power_kwh=home.kwh_per_year * share,
            heating_kwh=rooms * share,
            water_kwh=water * share,
        )
        return found.power_kwh, found.heating_kwh, found.water_kwh
    use = profiles.standard(tables.business, when, home.kwh_per_year, dynamic=False)
    given = warmth.heat(tables.shops, when, over.air_of_day, (rooms + water) * share)
    return use, given.rooms_kwh, given.water_kwh


def _pump(rooms: Floats, water: Floats, cop: tuple[Floats, Floats], kw: float, hours: float) -> Floats:
    """Power of a pump that follows the demand, and of the rod for what it cannot make, kWh."""
    if kw <= 0:
        return np.zeros(len(rooms))
    wanted = rooms / cop[0] + water / cop[1]
    power = np.minimum(wanted, kw * hours)
    made = (rooms + water) * np.divide(power, wanted, out=np.ones_like(wanted), where=wanted > 0)
    return np.asarray(power + np.maximum(rooms + water - made, 0.0))


def _car(home: Home, when: Clock) -> tuple[Floats, Vehicle | None]:
    if home.car is None:
        return np.zeros(when.steps), None
    car = home.car
    days = trips.trips(when.dates, car.km_per_year, car.kwh, car.kw, home.seed)
    charged = trips.charged_at_once(days, when.day, when.minute, when.step_minutes, car.kw)
    return charged, trips.window(days, car.kwh, car.kw, v2g=car.v2g)
