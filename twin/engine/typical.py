"""A typical year's weather for a place that has none of its own.

Its clouds are borrowed: for each hour of a test reference year, the share of light that came through the air there is
taken to come through here too, under the place's own sun. Where the sun is up here and was not there, the day's mean
share counts. Direct and diffuse light by Erbs, Klein and Duffie 1982. Air and wind are the reference's. So a northern
town gets its own long days and low sun, and the sky of a region like it; a year of its own weather will differ, by
about 5 % of the sum from one year to the next and more where the climate does.
"""

import datetime as dt

import numpy as np

from energy.engine import pv
from energy.engine import sun as almanac
from energy.engine.community import Floats
from energy.engine.weather import ReferenceYear, sky

MOST_CLEAR = 0.82
LEAST_COS = 0.05
CLEAR_AIR_C, CLEAR_WIND_M_S = 10.0, 3.0


def borrowed(reference: ReferenceYear, latitude: float, longitude: float, year: int) -> pv.Weather:
    """The typical year of a place with the clouds of the reference, hours of the place's standard time."""
    over = sky(reference, year)
    level = over.dni_extra * np.maximum(np.cos(np.radians(over.zenith)), 0.0)
    day_light = np.repeat(over.ghi.reshape(365, 24).sum(axis=1), 24)
    day_sun = np.repeat(level.reshape(365, 24).sum(axis=1), 24)
    up_there = level > LEAST_COS * over.dni_extra
    clear = np.where(up_there, over.ghi / np.maximum(level, 1.0), day_light / np.maximum(day_sun, 1.0))
    clear = np.clip(clear, 0.0, MOST_CLEAR)
    start = _first(longitude, year)
    extra, cosine = _above(start, latitude, longitude)
    ghi = clear * extra * cosine
    return _split(start, latitude, longitude, ghi, clear, extra, cosine, reference.air_c, reference.wind_m_s)


def cloudless(latitude: float, longitude: float, year: int) -> pv.Weather:
    """A year without a cloud (Haurwitz 1945): more than any real year, for places without a reference."""
    start = _first(longitude, year)
    extra, cosine = _above(start, latitude, longitude)
    ghi = np.where(cosine > 0, 1098.0 * cosine * np.exp(-0.059 / np.maximum(cosine, 0.01)), 0.0)
    clear = np.clip(ghi / np.maximum(extra * cosine, 1.0), 0.0, MOST_CLEAR)
    air, wind = np.full(8760, CLEAR_AIR_C), np.full(8760, CLEAR_WIND_M_S)
    return _split(start, latitude, longitude, ghi, clear, extra, cosine, air, wind)


def _first(longitude: float, year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=round(longitude / 15))))


def _above(start: dt.datetime, latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Normal light above the air, and the cosine of the zenith (0 by night), at the middle of each hour."""
    middle = np.asarray(start.timestamp() + 3600 * (np.arange(8760) + 0.5), dtype=np.float64)
    zenith = almanac.positions(middle, latitude, longitude).apparent_zenith
    days = np.repeat(np.arange(1, 366), 24)
    return pv.extraterrestrial(days), np.maximum(np.cos(np.radians(zenith)), 0.0)


def _split(  # noqa: PLR0917 the place, then its light and air
    start: dt.datetime,
    latitude: float,
    longitude: float,
    ghi: Floats,
    clear: Floats,
    extra: Floats,
    cosine: Floats,
    air_c: Floats,
    wind_m_s: Floats,
) -> pv.Weather:
    middle = 0.9511 - 0.1604 * clear + 4.388 * clear**2 - 16.638 * clear**3 + 12.336 * clear**4
    diffuse = np.where(clear <= 0.22, 1 - 0.09 * clear, np.where(clear <= 0.8, middle, 0.165))
    dhi = ghi * diffuse
    dni = np.where(cosine > 0, np.minimum((ghi - dhi) / np.maximum(cosine, LEAST_COS), extra), 0.0)
    return pv.Weather(start, 60, latitude, longitude, ghi, dni, dhi, air_c, wind_m_s)
