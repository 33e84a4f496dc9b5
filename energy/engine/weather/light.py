"""Light that a file does not say: the clear sky, and how much of a global irradiance is direct.

- Clear sky: the simplified Solis model (Ineichen 2008, Solar Energy 82, 758-762).
- Direct and diffuse: Erbs, Klein and Duffie 1982, Solar Energy 28(4), 293-302.
"""

import datetime as dt
import math

import numpy as np

from energy.engine import pv
from energy.engine.community import Floats

AEROSOL, WATER_CM = 0.1, 1.5
SEA_LEVEL_PA = 101325.0
LOWEST_COS = 0.065
LOWEST_SUN = 87.0


def solis(
    elevation: Floats, extra: Floats, *, altitude_m: float = 0.0, aerosol: float = AEROSOL, water_cm: float = WATER_CM
) -> tuple[Floats, Floats, Floats]:
    """Global, direct normal and diffuse irradiance of a clear sky, W/m2; `elevation` is apparent, `extra` above the
    air.
    """
    low = math.log((((44331.514 - altitude_m) / 11880.516) ** (1 / 0.1902632)) * 100 / SEA_LEVEL_PA)
    w, a = max(water_cm, 0.2), aerosol
    lw = math.log(w)
    above = extra * (0.12 * w**0.56 * a**2 + 0.97 * w**0.032 * a + 1.08 * w**0.0051 + 0.071 * low)
    beam = (1.82 + 0.056 * lw + 0.0071 * lw**2) * a + 0.33 + 0.045 * lw + 0.0096 * lw**2 + (0.0089 * w + 0.13) * low
    beam_b = (0.00925 * a**2 + 0.0148 * a - 0.0172) * lw - 0.7565 * a**2 + 0.5057 * a + 0.4557
    whole = (1.24 + 0.047 * lw + 0.0061 * lw**2) * a + 0.27 + 0.043 * lw + 0.0090 * lw**2 + (0.0079 * w + 0.1) * low
    whole_g = -0.0147 * lw - 0.3079 * a**2 + 0.2846 * a + 0.3798
    if a < 0.05:
        terms = (86 * w - 13800, -3.11 * w + 79.4, -0.23 * w + 74.8, 0.092 * w - 8.86, 0.0042 * w + 3.12)
        air = -0.83 * (1 + a) ** -17.2
    else:
        terms = (-0.21 * w + 11.6, 0.27 * w - 20.7, -0.134 * w + 15.5, 0.0554 * w - 5.71, 0.0057 * w + 2.94)
        air = -0.71 * (1 + a) ** -15.0
    sky = float(np.polyval(terms, a)) + air * low
    sky_d = -0.337 * a**2 + 0.63 * a + 0.116 + low / (18 + 152 * a)
    sine = np.maximum(1e-30, np.sin(np.radians(elevation)))
    with np.errstate(under="ignore"):
        dni = above * np.exp(-beam / sine**beam_b)
        ghi = above * np.exp(-whole / sine**whole_g) * sine
        dhi = above * np.exp(-sky / sine**sky_d)
    return np.asarray(ghi), np.asarray(dni), np.asarray(dhi)


def erbs(ghi: Floats, zenith: Floats, extra: Floats) -> tuple[Floats, Floats]:
    """Direct normal and diffuse parts of a global irradiance, W/m2."""
    cosine = np.cos(np.radians(zenith))
    clearness = np.clip(ghi / (extra * np.maximum(cosine, LOWEST_COS)), 0.0, 1.0)
    share = np.where(
        clearness <= 0.22,
        1 - 0.09 * clearness,
        0.9511 - 0.1604 * clearness + 4.388 * clearness**2 - 16.638 * clearness**3 + 12.336 * clearness**4,
    )
    share = np.where(clearness > 0.8, 0.165, share)
    dhi = share * ghi
    low = (zenith > LOWEST_SUN) | (ghi < 0)
    dni = np.where(low, 0.0, (ghi - dhi) / np.maximum(cosine, 1e-9))
    return np.asarray(np.maximum(dni, 0.0)), np.asarray(np.where(low, ghi, dhi))


def clear(  # noqa: PLR0917 a time and a place
    start: dt.datetime,
    step_minutes: int,
    steps: int,
    latitude: float,
    longitude: float,
    altitude_m: float = 0.0,
    air_c: float = 15.0,
    wind_m_s: float = 2.0,
) -> pv.Weather:
    """The weather of a place if no cloud were there, for the middle of each step."""
    dark = np.zeros(steps)
    empty = pv.Weather(
        start,
        step_minutes,
        latitude,
        longitude,
        dark,
        dark,
        dark,
        np.full(steps, air_c),
        np.full(steps, wind_m_s),
        altitude_m,
    )
    seen = pv.sky_of(empty)
    ghi, dni, dhi = solis(90.0 - seen.zenith, seen.dni_extra, altitude_m=altitude_m)
    return pv.Weather(start, step_minutes, latitude, longitude, ghi, dni, dhi, empty.air_c, empty.wind_m_s, altitude_m)
