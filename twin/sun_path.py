"""Where the sun stands over a district, for pages: plain Python, because the web process loads no engines.

The Astronomical Almanac's low-precision formulas (0.01 degree between 1950 and 2050) and Bennett's refraction; a test
compares them with the engine that reckons energy. Hours are standard time of the place's longitude.
"""

import datetime as dt
import math
from typing import NamedTuple

YEAR = 2026
DAY = 21
"""The day of each month that stands for it: solstices and equinoxes fall on it, or next to it."""
STEP_H = 0.5


class Sun(NamedTuple):
    """An hour (12.5 is half past twelve) with the sun's azimuth from north by east and its elevation, degrees."""

    hour: float
    azimuth: float
    elevation: float


def position(at: dt.datetime, lat: float, lon: float) -> tuple[float, float]:
    """Azimuth from north by east and apparent elevation in degrees, at a moment with its time zone."""
    days = (at - dt.datetime(2000, 1, 1, 12, tzinfo=dt.UTC)).total_seconds() / 86_400
    mean = math.radians((357.528 + 0.9856003 * days) % 360)
    longitude = math.radians((280.460 + 0.9856474 * days + 1.915 * math.sin(mean) + 0.020 * math.sin(2 * mean)) % 360)
    tilt = math.radians(23.439 - 4e-7 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    sidereal = math.radians((280.46062 + 360.98564737 * days + lon) % 360)
    turn = sidereal - ascension
    phi = math.radians(lat)
    high = math.asin(math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(turn))
    azimuth = math.atan2(-math.sin(turn), math.tan(declination) * math.cos(phi) - math.sin(phi) * math.cos(turn))
    return math.degrees(azimuth) % 360, _refracted(math.degrees(high))


def _refracted(elevation: float) -> float:
    """What air adds (Bennett 1982), degrees."""
    if elevation < -1:
        return elevation
    return elevation + 1 / math.tan(math.radians(elevation + 7.31 / (elevation + 4.4))) / 60


def zone_of(lon: float) -> dt.timezone:
    """Standard time of a longitude, as the drawn shadows have it."""
    return dt.timezone(dt.timedelta(hours=round(lon / 15)))


def of_day(day: dt.date, lat: float, lon: float) -> list[Sun]:
    """The sun every half hour of a day while it is up."""
    zone = zone_of(lon)
    found = []
    for step in range(int(24 / STEP_H)):
        hour = step * STEP_H
        at = dt.datetime(day.year, day.month, day.day, int(hour), round(hour % 1 * 60), tzinfo=zone)
        azimuth, elevation = position(at, lat, lon)
        if elevation > 0:
            found.append(Sun(hour, round(azimuth, 2), round(elevation, 2)))
    return found


def of_year(lat: float, lon: float) -> dict[int, list[Sun]]:
    """The sun on the 21st of each month, by month."""
    return {month: of_day(dt.date(YEAR, month, DAY), lat, lon) for month in range(1, 13)}
