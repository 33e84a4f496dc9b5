"""Power of solar roofs from the weather: sun position, sky on the tilted plane, cell temperature, DC and AC.

- Sun: `sun`, with refraction.
- Plane: Hay and Davies 1980 (circumsolar and isotropic sky) and the ground's reflection; no horizon, no shade
  of neighbours, no loss by angle at the glass.
- Cell: Sandia model, open rack, glass on glass (King et al. 2004); DC and AC: PVWatts version 5 (Dobos 2014),
  system losses as one factor.

The whole chain equals pvlib's to 1e-6 W (tests). `year` is the entry for everybody: roofs and a place's
weather in, kWh a step out. Irradiance in W/m2, angles in degrees, azimuth 180 = south, powers W for each kW
peak.

What depends on the weather alone is worked out once a step; a roof then costs twenty multiplications and
additions a step, sixteen steps at once (`lanes`).
"""

import datetime as dt
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.engine import sun as almanac
from energy.engine.community import Floats
from energy.engine.compiled import compiled
from energy.engine.lanes import WIDTH, every, get, greater, lesser, put
from energy.engine.refusals import BadValue, gettext_noop

ALBEDO = 0.2
LEAST_COS_ZENITH = 0.01745
CELL_A, CELL_B, CELL_DELTA = -3.47, -0.0594, 3.0
GAMMA_PER_K = -0.004
INVERTER_NOMINAL, INVERTER_REFERENCE = 0.96, 0.9637
SYSTEM_LOSSES = 0.1407
MOST_KWP = 1e5
MOST_W_M2 = 2000.0
SLICE = 32

_STEP: Any = np.uint64(WIDTH)


@dataclass(frozen=True, slots=True)
class Roof:
    """A roof: kW peak, tilt from the horizontal, azimuth (180 = south, 90 = east), share lost in the system."""

    kwp: float
    tilt: float = 35.0
    azimuth: float = 180.0
    losses: float = SYSTEM_LOSSES


@dataclass(frozen=True, slots=True)
class Weather:
    """A place's weather, one value a step: means over the step that begins at `start` + i steps.

    Global, direct normal and diffuse horizontal irradiance, air, wind at 10 m.
    """

    start: dt.datetime
    step_minutes: int
    latitude: float
    longitude: float
    ghi: Floats
    dni: Floats
    dhi: Floats
    air_c: Floats
    wind_m_s: Floats
    altitude_m: float = 0.0


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


def sun(times: Sequence[dt.datetime], latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Zenith and azimuth of the sun's centre without refraction, degrees."""
    seen = almanac.positions(np.array([t.timestamp() for t in times]), latitude, longitude)
    return seen.zenith, seen.azimuth


def extraterrestrial(day_of_year: NDArray[np.int64]) -> Floats:
    """Normal irradiance above the air, W/m2 (Spencer 1971)."""
    b = 2 * np.pi * (day_of_year - 1) / 365
    series = 1.00011 + 0.034221 * np.cos(b) + 0.00128 * np.sin(b) + 0.000719 * np.cos(2 * b) + 7.7e-05 * np.sin(2 * b)
    return np.asarray(1366.1 * series)


@compiled
def _plane(  # noqa: PLR0917 compiled: positional alone
    weather: Floats,
    width: Any,
    tilts: Floats,
    faces: Floats,
    kept: Floats,
    scale: Floats,
    first: int,
    last: int,
    out: Floats,
) -> None:
    """AC power of roofs from `first` to before `last`, W for each kW peak times `scale`; `kept` is the share
    that the system's losses leave; `weather` and `out` flat rows of `width`, a multiple of sixteen.
    """
    width = np.uint64(width)
    zero, ac = every(0.0), every(INVERTER_NOMINAL * 1000.0)
    gain = INVERTER_NOMINAL / INVERTER_REFERENCE
    square, none, linear = every(-0.0162 / 1000.0 * gain), every(-5.9 * gain), every(0.9858 * gain)
    warm, cold = every(GAMMA_PER_K), every(1.0 - 25.0 * GAMMA_PER_K)
    delta = every(CELL_DELTA / 1000.0)
    for roof in range(first, last):
        tilt, face = math.radians(tilts[roof]), math.radians(faces[roof])
        up = every(math.cos(tilt))
        east, north = every(math.sin(tilt) * math.sin(face)), every(math.sin(tilt) * math.cos(face))
        dome = every(0.5 * (1.0 + math.cos(tilt)))
        ground = every(0.5 * ALBEDO * (1.0 - math.cos(tilt)))
        left, size = every(kept[roof]), every(scale[roof])
        row = np.uint64(roof) * width
        for t in range(np.uint64(0), width, _STEP):
            facing = up * get(weather, t) + east * get(weather, width + t)
            facing = greater(facing + north * get(weather, np.uint64(2) * width + t), zero)
            # circumsolar and beam fall together; the rest of the sky is even
            poa = facing * get(weather, np.uint64(3) * width + t)
            poa = poa + dome * get(weather, np.uint64(4) * width + t) + ground * get(weather, np.uint64(5) * width + t)
            poa = greater(poa, zero)
            cell = poa * (get(weather, np.uint64(6) * width + t) + delta) + get(weather, np.uint64(7) * width + t)
            dc = greater(poa * (cold + warm * cell) * left, zero)
            put(out, row + t, size * greater(lesser(dc * (square * dc + linear) + none, ac), zero))


def roofs(sky: Sky, tilts: Floats, faces: Floats, losses: float = SYSTEM_LOSSES) -> Floats:
    """AC power of roofs with these tilts and azimuths, W for each kW peak (roofs by steps)."""
    one = np.ones(len(tilts))
    return _power(sky, tilts, faces, one * (1 - losses), one, 1)


def _power(  # noqa: PLR0917 the sky, then what each roof is
    sky: Sky, tilts: Floats, faces: Floats, kept: Floats, scale: Floats, threads: int
) -> Floats:
    n, steps = len(tilts), len(sky.dni)
    zenith, azimuth = np.radians(sky.zenith), np.radians(sky.azimuth)
    high, flat = np.cos(zenith), np.sin(zenith)
    share = sky.dni / sky.dni_extra
    width = -(-steps // WIDTH) * WIDTH
    weather = np.zeros((8, width))
    weather[:, :steps] = (
        high,
        flat * np.sin(azimuth),
        flat * np.cos(azimuth),
        sky.dni + sky.dhi * share / np.maximum(high, LEAST_COS_ZENITH),
        sky.dhi * (1 - share),
        sky.ghi,
        np.exp(CELL_A + CELL_B * sky.wind_m_s),
        sky.air_c,
    )
    out = np.empty((n, width))
    tilt, face = (np.ascontiguousarray(values, dtype=np.float64) for values in (tilts, faces))

    def some(first: int) -> None:
        last = min(first + SLICE, n)
        _plane(weather.reshape(-1), width, tilt, face, kept, scale, first, last, out.reshape(-1))

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(some, range(0, n, SLICE)))
    return out[:, :steps]


def sky_of(weather: Weather) -> Sky:
    """The sun at the middle of each step, and the weather beside it."""
    steps, step_s = len(weather.ghi), weather.step_minutes * 60
    middle = np.asarray(weather.start.timestamp() + step_s * (np.arange(steps) + 0.5), dtype=np.float64)
    pressure = ((44331.514 - weather.altitude_m) / 11880.516) ** (1 / 0.1902632)
    seen = almanac.positions(
        middle,
        weather.latitude,
        weather.longitude,
        altitude_m=weather.altitude_m,
        pressure_hpa=pressure,
        air_c=weather.air_c,
    )
    days = middle.astype("datetime64[s]").astype("datetime64[D]")
    of_year = (days - days.astype("datetime64[Y]")).astype(np.int64) + 1
    return Sky(
        weather.dni,
        weather.ghi,
        weather.dhi,
        extraterrestrial(of_year),
        seen.apparent_zenith,
        seen.azimuth,
        weather.air_c,
        weather.wind_m_s,
    )


def year(roofs_: Sequence[Roof], weather: Weather, *, threads: int = 1) -> Floats:
    """Energy at the inverter's grid side, kWh a step, roofs by steps. Raises BadValue."""
    check(roofs_, weather)
    tilts, faces, losses, kwp = (
        np.array([getattr(roof, name) for roof in roofs_], dtype=np.float64)
        for name in ("tilt", "azimuth", "losses", "kwp")
    )
    return _power(sky_of(weather), tilts, faces, 1 - losses, kwp * (weather.step_minutes / 60 / 1000), threads)


def check(roofs_: Sequence[Roof], weather: Weather) -> None:
    """Raises BadValue, naming the roof (from 1) or the step, for what no roof and no sky can be."""
    for number, roof in enumerate(roofs_, 1):
        ranges: dict[str, tuple[float, float]] = {
            "kwp": (0, MOST_KWP),
            "tilt": (0, 90),
            "azimuth": (-360, 360),
            "losses": (0, 1),
        }
        for name, (least, most) in ranges.items():
            value = getattr(roof, name)
            if not least <= value <= most:
                raise BadValue(
                    gettext_noop(
                        "roof %(number)d: %(name)s is %(value)g; give %(least)g to %(most)g and check the unit"
                    ),
                    number=number,
                    name=name,
                    value=value,
                    least=least,
                    most=most,
                )
    if not (-90 <= weather.latitude <= 90 and -180 <= weather.longitude <= 180):
        raise BadValue(
            gettext_noop("latitude %(lat)g, longitude %(lon)g is no place; give degrees, north and east above zero"),
            lat=weather.latitude,
            lon=weather.longitude,
        )
    if weather.start.tzinfo is None or not 1 <= weather.step_minutes <= 60:
        raise BadValue(gettext_noop("give the weather's start with its time zone, and a step of 1 to 60 minutes"))
    light = (0.0, MOST_W_M2)
    limits = {"ghi": light, "dni": light, "dhi": light, "air_c": (-90.0, 60.0), "wind_m_s": (0.0, 120.0)}
    for name, (least, most) in limits.items():
        values = getattr(weather, name)
        if len(values) != len(weather.ghi):
            raise BadValue(
                gettext_noop("%(name)s has %(n)d steps and ghi has %(m)d; give both the same"),
                name=name,
                n=len(values),
                m=len(weather.ghi),
            )
        wrong = np.flatnonzero(~((values >= least) & (values <= most)))
        if len(wrong):
            raise BadValue(
                gettext_noop(
                    "step %(step)d: %(name)s is %(value)g; it must be %(least)g to %(most)g (fill gaps from the "
                    "station, set a night's offset to 0)"
                ),
                step=int(wrong[0]) + 1,
                name=name,
                value=float(values[wrong[0]]),
                least=least,
                most=most,
            )
