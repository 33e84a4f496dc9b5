"""Test reference years of Germany (TRY 2010, Deutscher Wetterdienst): hourly weather of a typical year.

Irradiance is the mean of the hour that ends at the stated time (local standard time, UTC+1), so the sun
stands at its position half an hour earlier. Direct normal irradiance is the direct horizontal one over the
cosine of the zenith, at most what arrives above the air.
"""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from energy.engine.community import Floats
from energy.engine.pv import Sky, extraterrestrial, sun
from energy.engine.refusals import FolderRefusal, gettext_noop

LOWEST_SUN_COS = 0.05


@dataclass(frozen=True, slots=True)
class ReferenceYear:
    """A station's typical year, 8,760 hours from 1 January 00:00 local standard time (UTC+1)."""

    station: str
    latitude: float
    longitude: float
    air_c: Floats
    wind_m_s: Floats
    direct_horizontal: Floats
    diffuse_horizontal: Floats


def read_try(path: Path) -> ReferenceYear:
    """Read a TRY2010 file. Raises FolderRefusal."""
    text = path.read_text(encoding="utf-8", errors="replace")
    head, _stars, table = text.partition("***")
    station = re.search(r"Station:\s*(.+?)\s{2,}", head)
    where = re.search(r"Lage:\s*(\d+)°(\d+)'N.*?(\d+)°(\d+)'O", head)
    rows = [line.split() for line in table.splitlines() if line.strip()]
    if station is None or where is None or len(rows) != 8760:
        raise FolderRefusal(path.name, 0, "", gettext_noop("this is not a test reference year of 8,760 hours"))
    values = np.array([[float(row[i]) for i in (7, 8, 13, 14)] for row in rows])
    degrees = [float(x) for x in where.groups()]
    return ReferenceYear(
        station=station.group(1),
        latitude=degrees[0] + degrees[1] / 60,
        longitude=degrees[2] + degrees[3] / 60,
        wind_m_s=np.ascontiguousarray(values[:, 0]),
        air_c=np.ascontiguousarray(values[:, 1]),
        direct_horizontal=np.ascontiguousarray(values[:, 2]),
        diffuse_horizontal=np.ascontiguousarray(values[:, 3]),
    )


def sky(year: ReferenceYear, calendar_year: int) -> Sky:
    """The sky over the station in a calendar year without a leap day."""
    first = dt.datetime(calendar_year, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    times = [(first + i * dt.timedelta(hours=1)).astimezone(dt.UTC) for i in range(8760)]
    zenith, azimuth = sun(times, year.latitude, year.longitude)
    extra = extraterrestrial(np.repeat(np.arange(1, 366), 24))
    cosine = np.cos(np.radians(zenith))
    up = cosine > 0
    dni = np.where(up, year.direct_horizontal / np.maximum(cosine, LOWEST_SUN_COS), 0.0)
    dni = np.minimum(dni, extra)
    dhi = year.diffuse_horizontal
    ghi = dhi + dni * np.maximum(cosine, 0.0)
    return Sky(dni, ghi, dhi, extra, zenith, azimuth, year.air_c, year.wind_m_s)
