"""Files of weather into one `Weather`: TMY3, EPW, German TRY (2010 and 2017), PVGIS (hourly and typical, CSV and
JSON) and Open-Meteo.

What the times mean differs, and is turned into steps that begin at `Weather.start`, UTC:
- TMY3, EPW, TRY: the mean of the hour that ends at the time, local standard time all year (no summer time).
- PVGIS: the light of one instant (or of the hour around half past): taken for the hour around it.
- Open-Meteo: the mean of the hour, or quarter, that ends at the time.

Nothing is filled in: a missing value (9999, -9900, null) is refused with its line. Only nulls before the first and
after the last value of Open-Meteo, where its models do not reach, are cut off.
"""

import csv
import datetime as dt
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from energy.engine import pv
from energy.engine.community import Floats
from energy.engine.refusals import WeatherRefusal, gettext_noop
from energy.engine.weather import light
from energy.engine.weather.rows import column, follow, moment, number, step_of, typical_or_real

MOST_BYTES = 60 * 1024 * 1024
TMY3 = {"ghi": "GHI (W/m^2)", "dni": "DNI (W/m^2)", "dhi": "DHI (W/m^2)", "air": "Dry-bulb (C)", "wind": "Wspd (m/s)"}
EPW = {"air": 6, "ghi": 13, "dni": 14, "dhi": 15, "wind": 21}
EPW_MISSING: Mapping[str, tuple[float, ...]] = {"air": (99.9,), "wind": (999.0,)}
EPW_HEAD, EPW_COLUMNS = 8, 22
TRY_CLOCK_MIN = 60
LOWEST_SUN_COS = 0.05
PVGIS_TMY = {"ghi": "G(h)", "dni": "Gb(n)", "dhi": "Gd(h)", "air": "T2m", "wind": "WS10m"}
METEO = {"ghi": "shortwave_radiation", "dni": "direct_normal_irradiance", "dhi": "diffuse_radiation"}
WINDS = {"km/h": 1 / 3.6, "m/s": 1.0, "ms": 1.0, "mp/h": 0.44704, "mph": 0.44704, "kn": 0.514444}
UNKNOWN = gettext_noop(
    "this is none of the formats that are read: TMY3, EPW, German TRY, PVGIS (CSV, JSON), Open-Meteo (JSON)"
)
NO_COLUMN = gettext_noop("this column is missing; ask for it when you download the file")


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was read: the weather, where it is from, whether it is a typical year, and the clock of the file
    in minutes ahead of UTC.
    """

    weather: pv.Weather
    place: str
    source: str
    typical: bool
    offset_minutes: int = 0


def read(content: bytes, name: str) -> Reading:
    """Read a file of weather of any known format, found by what is in it. Raises WeatherRefusal."""
    if len(content) > MOST_BYTES:
        raise WeatherRefusal(name, 0, "", gettext_noop("the file is larger than 60 MB; take a year at a time"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    head = text[:4000]
    if head.lstrip().startswith("{"):
        return _json(text, name)
    if head.startswith("LOCATION,"):
        return _epw(text, name)
    if head.startswith("Latitude (decimal degrees)"):
        return _pvgis_csv(text, name)
    if "TRY" in head and "***" in text[:20000]:
        return _dwd(text, name)
    if "Date (MM/DD/YYYY)" in head:
        return _tmy3(text, name)
    raise WeatherRefusal(name, 0, "", UNKNOWN)


def read_path(path: Path) -> Reading:
    """Read a file. Raises WeatherRefusal."""
    return read(path.read_bytes(), path.name)


def _made(
    file: str,
    start: dt.datetime,
    step: int,
    place: tuple[float, float, float],
    found: Mapping[str, Sequence[float] | Floats],
) -> pv.Weather:
    latitude, longitude, altitude = place
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and -500 <= altitude <= 9000):
        raise WeatherRefusal(
            file, 1, "", gettext_noop("%(lat)g, %(lon)g is no place; correct the header"), lat=latitude, lon=longitude
        )
    series = {name: column(values) for name, values in found.items()}
    return pv.Weather(
        start, step, latitude, longitude, series["ghi"], series["dni"], series["dhi"], series["air"], series["wind"],
        altitude,
    )  # fmt: skip


def _head(file: str, line: int, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise WeatherRefusal(
            file, line, name, gettext_noop("“%(cell)s” is not a number; the header is damaged"), cell=cell[:40]
        ) from None
    if not math.isfinite(value):
        raise WeatherRefusal(file, line, name, gettext_noop("the header does not say this; take the whole file"))
    return value


def _whole(file: str, line: int, name: str, cell: str) -> int:
    value = _head(file, line, name, cell)
    return round(value)


def _utc(local: dt.datetime, offset_minutes: int) -> dt.datetime:
    return (local - dt.timedelta(minutes=offset_minutes)).replace(tzinfo=dt.UTC)


# --- TMY3 -----------------------------------------------------------------------------------------------


def _tmy3(text: str, file: str) -> Reading:
    rows = csv.reader(io.StringIO(text, newline=""))
    head, names = next(rows), [name.strip() for name in next(rows)]
    if len(head) < 7:
        raise WeatherRefusal(file, 1, "", gettext_noop("the first line must name station, zone, place and altitude"))
    offset = round(_head(file, 1, "TZ", head[3]) * 60)
    at = _places(file, 2, names, {**TMY3, "date": "Date (MM/DD/YYYY)", "time": "Time (HH:MM)"})
    stamps: list[tuple[int, dt.datetime]] = []
    found: dict[str, list[float]] = {what: [] for what in TMY3}
    for row in rows:
        if not any(row):
            continue
        line = rows.line_num
        _wide(file, line, row, names)
        month, day, year = _numbers(file, line, "Date (MM/DD/YYYY)", row[at["date"]], "/", 3)
        hour, minute = _numbers(file, line, "Time (HH:MM)", row[at["time"]], ":", 2)
        stamp = moment(file, line, "Date (MM/DD/YYYY)", (year, month, day, hour, minute))
        if (hour, minute) == (0, 0) and stamps and stamp.date() == stamps[-1][1].date():
            stamp += dt.timedelta(days=1)  # some write the day's last hour as 00:00 of the same day
        stamps.append((line, stamp))
        for what, name in TMY3.items():
            found[what].append(number(file, line, name, row[at[what]], what))
    stamps, typical = typical_or_real(file, stamps, ends=True)
    step = step_of(file, stamps)
    start = _utc(stamps[0][1] - dt.timedelta(minutes=step), offset)
    place = (_head(file, 1, "latitude", head[4]), _head(file, 1, "longitude", head[5]), _head(file, 1, "m", head[6]))
    return Reading(_made(file, start, step, place, found), head[1].strip(' "'), "TMY3", typical, offset)


def _places(file: str, line: int, names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    for name in wanted.values():
        if name not in names:
            raise WeatherRefusal(file, line, name, NO_COLUMN)
    return {what: list(names).index(name) for what, name in wanted.items()}


def _wide(file: str, line: int, row: Sequence[str], names: Sequence[str]) -> None:
    if len(row) < len(names):
        raise WeatherRefusal(
            file, line, "", gettext_noop("%(n)d values for %(m)d columns; complete the row"), n=len(row), m=len(names)
        )


def _numbers(file: str, line: int, name: str, cell: str, between: str, count: int) -> list[int]:  # noqa: PLR0917 a place
    parts = cell.strip().split(between)
    if len(parts) != count or not all(part.strip().isdecimal() and len(part) < 20 for part in parts):
        raise WeatherRefusal(
            file, line, name, gettext_noop("“%(cell)s” is not a time; correct the row"), cell=cell[:40]
        )
    return [int(part) for part in parts]


# --- EPW ------------------------------------------------------------------------------------------------


def _epw(text: str, file: str) -> Reading:
    lines = text.splitlines()
    head = lines[0].split(",")
    if len(head) < 10:
        raise WeatherRefusal(
            file, 1, "LOCATION", gettext_noop("the first line must have ten parts; take the file anew")
        )
    offset = round(_head(file, 1, "LOCATION", head[8]) * 60)
    stamps: list[tuple[int, dt.datetime]] = []
    found: dict[str, list[float]] = {what: [] for what in EPW}
    hourly = _epw_hourly(lines, file)
    for line, text_row in enumerate(lines[EPW_HEAD:], EPW_HEAD + 1):
        if not text_row.strip():
            continue
        row = text_row.split(",")
        if len(row) < EPW_COLUMNS:
            raise WeatherRefusal(
                file, line, "", gettext_noop("%(n)d values, 22 or more are needed; complete the row"), n=len(row)
            )
        year, month, day, hour, minute = (_whole(file, line, "time", cell) for cell in row[:5])
        # an hour is named by its end, 1 to 24; its minutes say 0 or 60 and mean nothing in hourly files
        parts = (hour, 0) if hourly else (hour - 1, minute or 60)
        stamps.append((line, moment(file, line, "time", (year, month, day, *parts))))
        for what, place in EPW.items():
            found[what].append(number(file, line, what, row[place], what, EPW_MISSING.get(what, ())))
    stamps, typical = typical_or_real(file, stamps, ends=True)
    step = step_of(file, stamps)
    start = _utc(stamps[0][1] - dt.timedelta(minutes=step), offset)
    where = (_head(file, 1, "LOCATION", head[6]), _head(file, 1, "LOCATION", head[7]), _head(file, 1, "m", head[9]))
    return Reading(_made(file, start, step, where, found), head[1].strip(), "EPW", typical, offset)


def _epw_hourly(lines: Sequence[str], file: str) -> bool:
    """Whether there is one row an hour, by DATA PERIODS, the last line of the header."""
    parts = lines[EPW_HEAD - 1].split(",") if len(lines) >= EPW_HEAD else []
    if len(parts) < 3 or parts[0] != "DATA PERIODS":
        raise WeatherRefusal(file, 8, "DATA PERIODS", gettext_noop("line 8 must be DATA PERIODS; take the whole file"))
    return _whole(file, 8, "DATA PERIODS", parts[2]) == 1


# --- German test reference years ------------------------------------------------------------------------


def _dwd(text: str, file: str) -> Reading:
    lines = text.splitlines()
    stars = next((i for i, line in enumerate(lines) if line.startswith("***")), 0)
    names = lines[stars - 1].split()
    at = _places(file, stars, names, {"MM": "MM", "DD": "DD", "HH": "HH", "air": "t", "wind": "WG", "B": "B", "D": "D"})
    found: dict[str, list[float]] = {"air": [], "wind": [], "B": [], "D": []}
    kinds = {"air": "air", "wind": "wind", "B": "ghi", "D": "dhi"}
    stamps = []
    for line, text_row in enumerate(lines[stars + 1 :], stars + 2):
        row = text_row.split()
        if not row:
            continue
        _wide(file, line, row, names)
        month, day, hour = (_whole(file, line, name, row[at[name]]) for name in ("MM", "DD", "HH"))
        stamps.append((line, moment(file, line, "HH", (2001, month, day, hour, 0))))
        for name, kind in kinds.items():
            found[name].append(number(file, line, names[at[name]], row[at[name]], kind, (999.0, 99.9)))
    step = step_of(file, stamps)
    follow(file, stamps, step)
    place, station = _dwd_place("\n".join(lines[:stars]), file)
    start = _utc(stamps[0][1] - dt.timedelta(minutes=step), TRY_CLOCK_MIN)
    direct, dhi = column(found["B"]), column(found["D"])
    weather = _made(file, start, step, place, {"ghi": direct + dhi, "dni": direct, "dhi": dhi, **_air(found)})
    seen = pv.sky_of(weather)
    cosine = np.cos(np.radians(seen.zenith))
    dni = np.where(cosine > 0, direct / np.maximum(cosine, LOWEST_SUN_COS), 0.0)
    return Reading(_with(weather, np.minimum(dni, seen.dni_extra), dhi), station, "TRY", True, TRY_CLOCK_MIN)


def _air(found: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float] | Floats]:
    return {"air": found["air"], "wind": found["wind"]}


def _with(weather: pv.Weather, dni: Floats, dhi: Floats) -> pv.Weather:

    return replace(weather, dni=np.ascontiguousarray(dni), dhi=np.ascontiguousarray(dhi))


def _dwd_place(head: str, file: str) -> tuple[tuple[float, float, float], str]:

    station = re.search(r"Station:\s*(.+?)(?:\s{2,}|$)", head, re.MULTILINE)
    old = re.search(r"Lage:\s*(\d+)°(\d+)'N.*?(\d+)°(\d+)'O.*?(-?\d+)\s*Meter", head)
    if old:
        values = [float(x) for x in old.groups()]
        where = (values[0] + values[1] / 60, values[2] + values[3] / 60, values[4])
        return where, station.group(1) if station else "TRY"
    found = [re.search(rf"{name}\s*:\s*(-?\d+)", head) for name in ("Rechtswert", "Hochwert", "H.{1,2}henlage")]
    if not all(found):
        raise WeatherRefusal(
            file, 0, "", gettext_noop("the header says neither Lage nor Rechtswert and Hochwert; take the whole file")
        )
    east, north, height = (float(one.group(1)) for one in found if one)
    latitude, longitude = lambert(east, north)
    return (latitude, longitude, height), f"{latitude:.2f}° {longitude:.2f}°"


def lambert(east: float, north: float) -> tuple[float, float]:
    """Latitude and longitude of a point of ETRS89-LCC Europe (EPSG:3034), the grid of the TRY of 2017; Snyder 1987."""
    axis, flat = 6378137.0, 1 / 298.257222101
    e = math.sqrt(2 * flat - flat**2)

    def m(phi: float) -> float:
        return math.cos(phi) / math.sqrt(1 - (e * math.sin(phi)) ** 2)

    def t(phi: float) -> float:
        s = e * math.sin(phi)
        return float(math.tan(math.pi / 4 - phi / 2) / ((1 - s) / (1 + s)) ** (e / 2))

    one, two, origin = math.radians(35), math.radians(65), math.radians(52)
    n = math.log(m(one) / m(two)) / math.log(t(one) / t(two))
    scale = axis * m(one) / (n * t(one) ** n)
    down = scale * t(origin) ** n - (north - 2_800_000.0)
    side = east - 4_000_000.0
    polar = (math.hypot(side, down) / scale) ** (1 / n)
    phi = math.pi / 2 - 2 * math.atan(polar)
    for _turn in range(12):
        s = e * math.sin(phi)
        phi = math.pi / 2 - 2 * math.atan(polar * ((1 - s) / (1 + s)) ** (e / 2))
    return math.degrees(phi), math.degrees(math.atan2(side, down) / n) + 10


# --- PVGIS ----------------------------------------------------------------------------------------------


def _pvgis_csv(text: str, file: str) -> Reading:
    lines = text.splitlines()
    says: dict[str, str] = {}
    for said in lines[:60]:
        name, colon, value = said.partition(":")
        if colon and "," not in name:
            says.setdefault(name.strip().lower(), value.strip())
    first = next((i for i, line in enumerate(lines) if line.startswith(("time,", "time(UTC),"))), None)
    if first is None:
        raise WeatherRefusal(file, 0, "time", gettext_noop("there is no table of hours; take the whole file"))
    names = lines[first].split(",")
    rows = []
    for line, text_row in enumerate(lines[first + 1 :], first + 2):
        if not text_row.strip():
            break
        cells = text_row.split(",")
        _wide(file, line, cells, names)
        rows.append((line, dict(zip(names, cells, strict=False))))
    place = [
        _head(file, 1, name, says.get(name, "nan"))
        for name in ("latitude (decimal degrees)", "longitude (decimal degrees)", "elevation (m)")
    ]
    offset = float(says.get("irradiance time offset (h)", "0.5") or 0.5)
    slope = says.get("slope", "0 deg").split()[0]
    return _pvgis(file, rows, place, offset, slope)


def _json(text: str, file: str) -> Reading:
    try:
        document = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        raise WeatherRefusal(file, line, "", gettext_noop("this is not JSON; take the file anew")) from None
    if isinstance(document.get("outputs"), dict):
        return _pvgis_json(document, file)
    if isinstance(document.get("hourly") or document.get("minutely_15"), dict):
        return _meteo(document, file)
    if document.get("error"):
        raise WeatherRefusal(
            file, 0, "", gettext_noop("the service answered: %(words)s"), words=str(document.get("reason"))[:200]
        )
    raise WeatherRefusal(file, 0, "", UNKNOWN)


def _pvgis_json(document: Mapping[str, Any], file: str) -> Reading:
    inputs = document.get("inputs") or {}
    where = inputs.get("location") or {}
    rows = document["outputs"].get("tmy_hourly") or document["outputs"].get("hourly")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WeatherRefusal(file, 0, "outputs", gettext_noop("there is no table of hours; take the whole file"))
    place = [_head(file, 0, name, str(where.get(name))) for name in ("latitude", "longitude", "elevation")]
    offset = float(where.get("irradiance_time_offset", inputs.get("irradiance_time_offset", 0.5)))
    fixed = (inputs.get("mounting_system") or {}).get("fixed") or {}
    slope = str((fixed.get("slope") or {}).get("value", 0))
    return _pvgis(file, list(enumerate(rows, 1)), place, offset, slope)


def _pvgis(
    file: str, rows: Sequence[tuple[int, Mapping[str, Any]]], place: Sequence[float], offset_h: float, slope: str
) -> Reading:
    if not rows:
        raise WeatherRefusal(file, 0, "", gettext_noop("there is no table of hours; take the whole file"))
    typical_file = "time(UTC)" in rows[0][1]
    name = "time(UTC)" if typical_file else "time"
    stamps = [(line, _pvgis_time(file, line, name, str(row.get(name, "")))) for line, row in rows]
    stamps, typical = typical_or_real(file, stamps, ends=False)
    step = step_of(file, stamps)
    if typical_file:
        found = {
            what: [number(file, line, name, row.get(name), what) for line, row in rows]
            for what, name in PVGIS_TMY.items()
        }
        # the light is that of an instant `offset_h` after the time: the step stands around it
        first = stamps[0][1] + dt.timedelta(hours=offset_h)
    else:
        found = _pvgis_hourly(file, rows, slope)
        first = stamps[0][1]
    start = _utc(first - dt.timedelta(minutes=step / 2), 0)
    weather = _made(file, start, step, (place[0], place[1], place[2]), found)
    source = "PVGIS TMY" if typical_file else "PVGIS"
    if not typical_file:
        weather = _parted(weather, rows)
    return Reading(weather, f"{place[0]:.2f}° {place[1]:.2f}°", source, typical or typical_file, 0)


def _pvgis_time(file: str, line: int, name: str, cell: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(cell, "%Y%m%d:%H%M")
    except ValueError:
        raise WeatherRefusal(
            file, line, name, gettext_noop("“%(cell)s” is not a time; correct the row"), cell=cell[:40]
        ) from None


def _pvgis_hourly(file: str, rows: Sequence[tuple[int, Mapping[str, Any]]], slope: str) -> dict[str, list[float]]:
    """Global and, where the parts were asked for, diffuse; the beam as it falls on the ground, for `_parted`."""
    if abs(_head(file, 0, "slope", slope)) > 0:
        raise WeatherRefusal(
            file,
            0,
            "slope",
            gettext_noop("the light is that on a plane of %(slope)s degrees; ask PVGIS for slope 0 and its components"),
            slope=slope,
        )
    parts = "Gb(i)" in rows[0][1]

    def each(name: str, what: str) -> list[float]:
        if name not in rows[0][1]:
            raise WeatherRefusal(file, rows[0][0], name, NO_COLUMN)
        return [number(file, line, name, row.get(name), what) for line, row in rows]

    air = {"air": each("T2m", "air"), "wind": each("WS10m", "wind")}
    if not parts:
        whole = each("G(i)", "ghi")
        return {"ghi": whole, "dni": whole, "dhi": whole, **air}
    beam, sky = each("Gb(i)", "ghi"), each("Gd(i)", "dhi")
    return {"ghi": [b + d for b, d in zip(beam, sky, strict=True)], "dni": beam, "dhi": sky, **air}


def _parted(weather: pv.Weather, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> pv.Weather:
    seen = pv.sky_of(weather)
    if "Gb(i)" not in rows[0][1]:
        return _with(weather, *light.erbs(weather.ghi, seen.zenith, seen.dni_extra))
    # the sun's height stands in the table, for the very instant
    height = np.array([float(row.get("H_sun", 90.0)) for _line, row in rows])
    sine = np.sin(np.radians(height))
    dni = np.where(height > 0, weather.dni / np.maximum(sine, LOWEST_SUN_COS), 0.0)
    return _with(weather, np.minimum(dni, seen.dni_extra), weather.dhi)


# --- Open-Meteo -----------------------------------------------------------------------------------------


def _meteo(document: Mapping[str, Any], file: str) -> Reading:
    block = "minutely_15" if "shortwave_radiation" in (document.get("minutely_15") or {}) else "hourly"
    table, units = document[block], document.get(f"{block}_units") or {}
    times = table.get("time")
    if not isinstance(times, list) or not times:
        raise WeatherRefusal(file, 0, "time", gettext_noop("there is no table of hours; take the whole file"))
    for name in ("shortwave_radiation", "temperature_2m"):
        if not isinstance(table.get(name), list):
            raise WeatherRefusal(file, 0, name, NO_COLUMN)
    wind = next((name for name in ("wind_speed_10m", "windspeed_10m") if name in table), None)
    names = [*(n for n in METEO.values() if n in table), "temperature_2m", *([wind] if wind else [])]
    for name in names:
        if len(table[name]) != len(times):
            raise WeatherRefusal(
                file, 0, name, gettext_noop("%(n)d values for %(m)d times; take the file anew"), n=len(table[name]),
                m=len(times),
            )  # fmt: skip
    first, last = _known(table, names, len(times))
    offset = int(document.get("utc_offset_seconds") or 0) // 60
    stamps = [(i + 1, _meteo_time(file, i, cell, offset)) for i, cell in enumerate(times)][first:last]
    step = step_of(file, stamps)
    follow(file, stamps, step)
    span = range(first, last)
    found = {
        what: [number(file, i + 1, name, table[name][i], what) for i in span]
        for what, name in METEO.items()
        if name in table
    }
    found["air"] = [number(file, i + 1, "temperature_2m", _celsius(table, units, i), "air") for i in span]
    by = _wind_unit(file, wind, units)
    found["wind"] = (
        [number(file, i + 1, wind, table[wind][i], "wind") * by for i in span] if wind else [2.0] * len(span)
    )
    place = [float(document.get(name) or 0.0) for name in ("latitude", "longitude", "elevation")]
    start = _utc(stamps[0][1] - dt.timedelta(minutes=step), 0)
    whole = {**{"dni": found["ghi"], "dhi": found["ghi"]}, **found}
    weather = _made(file, start, step, (place[0], place[1], place[2]), whole)
    if "dni" not in found or "dhi" not in found:
        weather = _meteo_parts(weather, found)
    return Reading(weather, f"{place[0]:.2f}° {place[1]:.2f}°", "Open-Meteo", False, offset)


def _known(table: Mapping[str, Sequence[Any]], names: Sequence[str], count: int) -> tuple[int, int]:
    """From the first time that all series know to the last; a gap between them is refused later."""
    whole = [i for i in range(count) if all(table[name][i] is not None for name in names)]
    return (whole[0], whole[-1] + 1) if whole else (0, count)


def _meteo_time(file: str, i: int, cell: object, offset_minutes: int) -> dt.datetime:
    """UTC without its zone."""
    try:
        if isinstance(cell, int | float):
            return dt.datetime.fromtimestamp(cell, dt.UTC).replace(tzinfo=None)
        local = dt.datetime.fromisoformat(str(cell))
    except (ValueError, OverflowError, OSError):
        raise WeatherRefusal(
            file, i + 1, "time", gettext_noop("“%(cell)s” is not a time; take the file anew"), cell=str(cell)[:40]
        ) from None
    if local.tzinfo is not None:
        return local.astimezone(dt.UTC).replace(tzinfo=None)
    return local - dt.timedelta(minutes=offset_minutes)


def _celsius(table: Mapping[str, Sequence[Any]], units: Mapping[str, str], i: int) -> object:
    cell = table["temperature_2m"][i]
    if units.get("temperature_2m") == "°F" and isinstance(cell, int | float):
        return (cell - 32) / 1.8
    return cell


def _wind_unit(file: str, name: str | None, units: Mapping[str, str]) -> float:
    unit = units.get(name, "km/h") if name else "m/s"
    if unit not in WINDS:
        raise WeatherRefusal(
            file, 0, str(name), gettext_noop("“%(unit)s” is not a speed that is read; ask for m/s"), unit=str(unit)[:20]
        )
    return WINDS[unit]


def _meteo_parts(weather: pv.Weather, found: Mapping[str, Sequence[float]]) -> pv.Weather:
    seen = pv.sky_of(weather)
    if "dhi" in found:
        cosine = np.cos(np.radians(seen.zenith))
        dni = np.where(cosine > LOWEST_SUN_COS, (weather.ghi - weather.dhi) / np.maximum(cosine, LOWEST_SUN_COS), 0.0)
        return _with(weather, np.clip(dni, 0.0, seen.dni_extra), weather.dhi)
    return _with(weather, *light.erbs(weather.ghi, seen.zenith, seen.dni_extra))
