"""Days of a car: when it leaves, when it is back, what it drove; drawn by a seed, the same for ever.

Daily distance is lognormal with a spread of 0.88 and the return normal about 17.6 h with 3.4 h (Tian, Shi and Jia
2010, Power System Technology 34(11), from the National Household Travel Survey of 2001); its median is scaled to the
kilometres of the year. The departure is normal about 8.9 h with 3.2 h (the same survey). On Saturdays and Sundays a
car drives 0.7 of a working day and leaves two hours later: an assumption of ours. A day is cut to what the battery
and the hours at home can carry.

The models of this room know a car by one window each day (`Vehicle`); `window` gives the one that days had on the
median, with the mean energy. V2G is a property of the vehicle.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Bools, Floats, Vehicle
from energy.engine.refusals import BadValue, gettext_noop

KWH_PER_KM = 0.18
SPREAD = 0.88
BACK_H, BACK_SPREAD_H = 17.6, 3.4
LEAVES_H, LEAVES_SPREAD_H = 8.92, 3.24
WEEKEND, WEEKEND_LATER_H = 0.7, 2.0
LEAST_AWAY_MIN = 30
DAY_MIN = 24 * 60
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Trips:
    """For each local day: minute of leaving, minute of being back, and kWh driven; 0 kWh where it stayed."""

    dates: tuple[dt.date, ...]
    leaves: NDArray[np.int64]
    back: NDArray[np.int64]
    kwh: Floats

    def away(self, day: NDArray[np.int64], minute: NDArray[np.int64]) -> Bools:
        """Whether it is away at these local days (indices) and minutes."""
        return np.asarray((self.kwh[day] > 0) & (minute >= self.leaves[day]) & (minute < self.back[day]))


def trips(
    dates: Sequence[dt.date], km_per_year: float, kwh: float, kw: float, seed: int, *, efficiency: float = 0.95
) -> Trips:
    """Days of a car with a battery of `kwh` and a charger of `kw`. Raises BadValue where the year cannot be driven."""
    if not (0 <= km_per_year <= 200_000 and kwh > 0 and kw > 0):
        raise BadValue(gettext_noop("%(km)g km a year; give 0 to 200,000, and a battery and a charger"), km=km_per_year)
    dice = np.random.default_rng(seed)
    n = len(dates)
    weekend = np.array([d.weekday() >= SATURDAY for d in dates])
    km = np.exp(dice.normal(0.0, SPREAD, n)) * np.where(weekend, WEEKEND, 1.0)
    leaves = dice.normal(LEAVES_H, LEAVES_SPREAD_H, n) + np.where(weekend, WEEKEND_LATER_H, 0.0)
    back = dice.normal(BACK_H, BACK_SPREAD_H, n)
    first = np.clip(np.round(leaves * 60), 0, DAY_MIN - 2 * LEAST_AWAY_MIN).astype(np.int64)
    last = np.clip(np.round(back * 60), first + LEAST_AWAY_MIN, DAY_MIN - 1).astype(np.int64)
    home_h = 24 - (last - first) / 60
    most = np.minimum(kwh, home_h * kw * efficiency)
    wanted = km_per_year * KWH_PER_KM / 365 * n
    driven = _scaled(km, most, wanted)
    if driven.sum() < 0.999 * wanted:
        raise BadValue(
            gettext_noop(
                "%(km)g km a year are more than %(kwh)g kWh and %(kw)g kW can carry; give fewer or larger ones"
            ),
            km=km_per_year,
            kwh=kwh,
            kw=kw,
        )
    return Trips(tuple(dates), first, last, driven)


def _scaled(km: Floats, most: Floats, wanted: float) -> Floats:
    """Energies in proportion to distances, each at most its day's, of this sum where that can be."""
    if wanted <= 0:
        return np.zeros(len(km))
    low, high = 0.0, wanted / max(float(km.min()), 1e-9)
    for _turn in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(km * middle, most).sum() < wanted else (low, middle)
    return np.asarray(np.minimum(km * high, most))


def window(days: Trips, kwh: float, kw: float, *, v2g: bool = False, efficiency: float = 0.95) -> Vehicle:
    """The car as models know it: one window each day, the median of leaving and of being back, and the mean energy,
    at most what can be charged between them.
    """
    leaves, back = int(np.median(days.leaves)), int(np.median(days.back))
    home_h = 24 - (back - leaves) / 60
    mean = float(days.kwh.mean()) if len(days.kwh) else 0.0
    return Vehicle(kwh, kw, min(mean, kwh, home_h * kw * efficiency), leaves, back, efficiency, v2g)


def charged_at_once(  # noqa: PLR0917 a car and a clock
    days: Trips,
    day: NDArray[np.int64],
    minute: NDArray[np.int64],
    step_minutes: int,
    kw: float,
    efficiency: float = 0.95,
) -> Floats:
    """kWh in each step if the car charges from its return until it is full again: what nobody steers."""
    out = np.zeros(len(day))
    away = days.away(day, minute)
    most = kw * step_minutes / 60
    owed, paid = 0.0, -1
    for t in range(len(day)):
        today = int(day[t])
        if paid < today and minute[t] + step_minutes > days.back[today]:
            owed += float(days.kwh[today]) / efficiency
            paid = today
        if not away[t] and owed > 0:
            out[t] = min(most, owed)
            owed -= out[t]
    return out
