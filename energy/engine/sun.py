"""Where the sun stands: the Solar Position Algorithm of Reda and Andreas, within 0.0003 degrees from 2000 BC to
AD 6000.

Reda and Andreas 2004, Solar Energy 76(5), 577-589, doi:10.1016/j.solener.2003.12.003, with the corrigendum of
2007. Angles in degrees, azimuth from north by east. `apparent_zenith` is with the air's refraction, which
lifts a low sun by up to half a degree; panels see that one.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from energy.engine import sun_terms
from energy.engine.community import Floats

UNIX_EPOCH_DAY, J2000_DAY = 2440587.5, 2451545.0
DELTA_T_S = 67.0
NODE_DAYS = 0.5
REFRACTION_AT_HORIZON = 0.5667
SUN_RADIUS = 0.26667
FLATTENING = 0.99664719
EARTH_RADIUS_M = 6_378_140
OBLIQUITY = (84381.448, -4680.93, -1.55, 1999.25, -51.38, -249.67, -39.05, 7.12, 27.87, 5.79, 2.45)
ANGLES = (
    (297.85036, 445267.111480, -0.0019142, 1 / 189474),
    (357.52772, 35999.050340, -0.0001603, -1 / 300000),
    (134.96298, 477198.867398, 0.0086972, 1 / 56250),
    (93.27191, 483202.017538, -0.0036825, 1 / 327270),
    (125.04452, -1934.136261, 0.0020708, 1 / 450000),
)


@dataclass(frozen=True, slots=True)
class Sun:
    """True zenith, zenith as seen through the air, and azimuth."""

    zenith: Floats
    apparent_zenith: Floats
    azimuth: Floats


def positions(
    unix_s: Floats,
    latitude: float,
    longitude: float,
    *,
    altitude_m: float = 0.0,
    pressure_hpa: float = 1013.25,
    air_c: Floats | float = 12.0,
) -> Sun:
    """The sun at these times (seconds since 1970, UTC), seen from there."""
    day = np.asarray(unix_s, dtype=np.float64) / 86400 + UNIX_EPOCH_DAY - J2000_DAY
    century = day / 36525
    ephemeris = (day + DELTA_T_S / 86400) / 36525
    radius, latitude_sun, around, lengthways, tilting = _orbit(ephemeris)
    obliquity = np.radians(_power(OBLIQUITY, ephemeris / 100) / 3600 + tilting)
    around = np.degrees(around) + 180 + lengthways - 20.4898 / (3600 * radius)
    ecliptic = np.radians(around)
    ascension = np.degrees(
        np.arctan2(np.sin(ecliptic) * np.cos(obliquity) - np.tan(latitude_sun) * np.sin(obliquity), np.cos(ecliptic))
    )
    declination = np.arcsin(
        np.sin(latitude_sun) * np.cos(obliquity) + np.cos(latitude_sun) * np.sin(obliquity) * np.sin(ecliptic)
    )
    sidereal = 280.46061837 + 360.98564736629 * day + 0.000387933 * century**2 - century**3 / 38710000
    hour = np.radians((sidereal % 360 + lengthways * np.cos(obliquity) + longitude - ascension) % 360)
    return _seen(hour, declination, radius, np.radians(latitude), altitude_m, pressure_hpa, air_c)


def _seen(  # noqa: PLR0917 the geometry, then the air
    hour: Floats,
    declination: Floats,
    radius: Floats,
    latitude: float,
    altitude_m: float,
    pressure_hpa: float,
    air_c: Floats | float,
) -> Sun:
    """From the place itself rather than from the Earth's centre, then through the air."""
    parallax = np.sin(np.radians(8.794 / (3600 * radius)))
    u = np.arctan(FLATTENING * np.tan(latitude))
    x = np.cos(u) + altitude_m / EARTH_RADIUS_M * np.cos(latitude)
    y = FLATTENING * np.sin(u) + altitude_m / EARTH_RADIUS_M * np.sin(latitude)
    across = np.cos(declination) - x * parallax * np.cos(hour)
    shift = np.arctan2(-x * parallax * np.sin(hour), across)
    down = np.arctan2((np.sin(declination) - y * parallax) * np.cos(shift), across)
    turned = hour - shift
    height = np.degrees(np.arcsin(np.sin(latitude) * np.sin(down) + np.cos(latitude) * np.cos(down) * np.cos(turned)))
    lifted = 1.02 / (60 * np.tan(np.radians(height + 10.3 / (height + 5.11))))
    lifted *= pressure_hpa / 1010 * 283 / (273 + air_c)
    lifted = np.where(height >= -(SUN_RADIUS + REFRACTION_AT_HORIZON), lifted, 0.0)
    azimuth = np.arctan2(np.sin(turned), np.cos(turned) * np.sin(latitude) - np.tan(down) * np.cos(latitude))
    return Sun(90 - height, 90 - height - lifted, (np.degrees(azimuth) + 180) % 360)


def _orbit(century: Floats) -> Floats:
    """Distance (AU), latitude and longitude (rad) and both nutations (degrees): 260 cosines a moment.

    They change slowly: where more moments are asked for than there are halves of a day between the first
    and the last, a cubic spline through these halves gives them, apart by less than 1e-9 degrees.
    """
    if not len(century):
        return np.zeros((5, 0))
    first, last = float(century.min()), float(century.max())
    nodes = int((last - first) * 36525 / NODE_DAYS) + 8
    if nodes >= len(century):
        return _sums(century)
    at = np.asarray(first + (np.arange(nodes) - 3) * (NODE_DAYS / 36525), dtype=np.float64)
    return np.asarray(CubicSpline(at, _sums(at), axis=1)(century))


def _sums(century: Floats) -> Floats:
    millennium = century / 10
    radius, latitude, longitude = (_series(terms, millennium) for terms in (sun_terms.R, sun_terms.B, sun_terms.L))
    return np.array([radius, -latitude, longitude, *_nutation(century)])


def _series(tables: tuple[Floats, ...], millennium: Floats) -> Floats:
    """Sums of cosines by powers of time, divided by 1e8."""
    total = np.zeros_like(millennium)
    for power, table in enumerate(tables):
        total += _cosines(table, millennium) * millennium**power
    return total / 1e8


def _cosines(table: Floats, millennium: Floats) -> Floats:
    total = np.zeros_like(millennium)
    for amplitude, phase, frequency in table:
        total += amplitude * np.cos(phase + frequency * millennium)
    return total


def _nutation(century: Floats) -> tuple[Floats, Floats]:
    """Nutation in longitude and in obliquity, degrees."""
    angles = np.radians([_power(coefficients, century) for coefficients in ANGLES])
    lengthways, tilting = np.zeros_like(century), np.zeros_like(century)
    for multiples, (a, b, c, d) in zip(sun_terms.NUTATION_ANGLES, sun_terms.NUTATION, strict=True):
        angle = multiples @ angles
        lengthways += (a + b * century) * np.sin(angle)
        tilting += (c + d * century) * np.cos(angle)
    return lengthways / 36_000_000, tilting / 36_000_000


def _power(coefficients: tuple[float, ...], x: Floats) -> Floats:
    """A polynomial, its constant first."""
    total = np.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total
