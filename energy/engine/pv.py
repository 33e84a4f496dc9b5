"""Power of solar roofs from the weather: sun position, sky on the tilted plane, cell temperature, DC and AC.

- Sun: the Astronomical Almanac's low-precision formulas (Michalsky 1988, doi:10.1016/0038-092X(88)90045-X),
  within 0.02 degrees from 1950 to 2050.
- Plane: Hay and Davies 1980 (circumsolar and isotropic sky) and the ground's reflection; no refraction, no
  horizon, no shade of neighbours.
- Cell: Sandia model, open rack, glass on glass (King et al. 2004); DC and AC: PVWatts version 5 (Dobos 2014),
  system losses as one factor.

The chain after the sun's position equals pvlib's to 1e-6 W (tests). Irradiance in W/m2, angles in degrees,
azimuth 180 = south, powers W for each kW peak.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.compiled import compiled

ALBEDO = 0.2
LEAST_COS_ZENITH = 0.01745
CELL_A, CELL_B, CELL_DELTA = -3.47, -0.0594, 3.0
GAMMA_PER_K = -0.004
INVERTER_NOMINAL, INVERTER_REFERENCE = 0.96, 0.9637
SYSTEM_LOSSES = 0.1407


@dataclass(frozen=True, slots=True)
class Sky:
    """Weather and sun in each step: direct normal, global and diffuse horizontal, extraterrestrial, zenith,
    azimuth, air, wind.
    """

    dni: Floats
    ghi: Floats
    dhi: Floats
    dni_extra: Floats
    zenith: Floats
    azimuth: Floats
    air_c: Floats
    wind_m_s: Floats


def sun(times: list[dt.datetime], latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Zenith and azimuth of the sun's centre without refraction, degrees."""
    epoch = dt.datetime(2000, 1, 1, 12, tzinfo=dt.UTC)
    day = np.array([(t - epoch).total_seconds() / 86400 for t in times])
    hour_utc = (day + 0.5) % 1 * 24
    anomaly = np.radians(357.528 + 0.9856003 * day)
    longitude_sun = np.radians(280.460 + 0.9856474 * day + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * day)
    right_ascension = np.arctan2(np.cos(tilt) * np.sin(longitude_sun), np.cos(longitude_sun))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude_sun))
    midnight = day - hour_utc / 24
    sidereal_h = 6.697375 + 0.0657098242 * midnight + 1.0027379 * hour_utc + longitude / 15
    hour_angle = np.radians(sidereal_h * 15) - right_ascension
    lat = np.radians(latitude)
    cos_zenith = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.sin(declination) * np.cos(lat) - np.cos(declination) * np.sin(lat) * np.cos(hour_angle)
    return np.degrees(np.arccos(np.clip(cos_zenith, -1, 1))), np.degrees(np.arctan2(east, north)) % 360


def extraterrestrial(day_of_year: NDArray[np.int64]) -> Floats:
    """Normal irradiance above the air, W/m2 (Spencer 1971)."""
    b = 2 * np.pi * (day_of_year - 1) / 365
    series = 1.00011 + 0.034221 * np.cos(b) + 0.00128 * np.sin(b) + 0.000719 * np.cos(2 * b) + 7.7e-05 * np.sin(2 * b)
    return np.asarray(1366.1 * series)


@compiled
def _roofs(  # noqa: PLR0917 compiled: positional alone
    dni: Floats,
    ghi: Floats,
    dhi: Floats,
    extra: Floats,
    zenith: Floats,
    azimuth: Floats,
    air: Floats,
    wind: Floats,
    tilts: Floats,
    faces: Floats,
    losses: float,
    out: Floats,
) -> None:
    """AC power, roofs by steps."""
    for r in range(tilts.shape[0]):
        tilt = np.radians(tilts[r])
        cos_tilt, sin_tilt = np.cos(tilt), np.sin(tilt)
        for t in range(dni.shape[0]):
            z = np.radians(zenith[t])
            cos_z = np.cos(z)
            on_plane = cos_tilt * cos_z + sin_tilt * np.sin(z) * np.cos(np.radians(azimuth[t] - faces[r]))
            facing = max(on_plane, 0.0)
            share = dni[t] / extra[t]
            ratio = facing / max(cos_z, LEAST_COS_ZENITH)
            sky = max(dhi[t] * (share * ratio + (1.0 - share) * 0.5 * (1.0 + cos_tilt)), 0.0)
            poa = max(dni[t] * facing, 0.0) + sky + ghi[t] * ALBEDO * (1.0 - cos_tilt) * 0.5
            module = poa * np.exp(CELL_A + CELL_B * wind[t]) + air[t]
            cell = module + poa / 1000.0 * CELL_DELTA
            dc = max(poa * (1.0 + GAMMA_PER_K * (cell - 25.0)) * (1.0 - losses), 0.0)
            out[r, t] = _inverter(dc)


@compiled
def _inverter(dc: float) -> float:
    """PVWatts inverter of 1,000 W DC: its part-load efficiency, clipped at its AC rating."""
    if dc <= 0.0:
        return 0.0
    zeta = dc / 1000.0
    eta = INVERTER_NOMINAL / INVERTER_REFERENCE * (-0.0162 * zeta - 0.0059 / zeta + 0.9858)
    return max(0.0, min(eta * dc, INVERTER_NOMINAL * 1000.0))


def roofs(sky: Sky, tilts: Floats, faces: Floats, losses: float = SYSTEM_LOSSES) -> Floats:
    """AC power of roofs with these tilts and azimuths, W for each kW peak (roofs by steps)."""
    out = np.empty((len(tilts), len(sky.dni)))
    _roofs(
        sky.dni,
        sky.ghi,
        sky.dhi,
        sky.dni_extra,
        sky.zenith,
        sky.azimuth,
        sky.air_c,
        sky.wind_m_s,
        np.asarray(tilts, dtype=np.float64),
        np.asarray(faces, dtype=np.float64),
        losses,
        out,
    )
    return out
