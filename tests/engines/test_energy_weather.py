"""Files of weather beside pvlib's readers on the same bytes, what the clear sky gives, and files that are refused."""

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energy.engine import pv, weather
from energy.engine.refusals import BadValue, WeatherRefusal
from energy.engine.weather import files

pvlib = pytest.importorskip("pvlib")
HOUR = dt.timedelta(hours=1)
NAMES = {"ghi": "ghi", "dni": "dni", "dhi": "dhi", "air_c": "temp_air", "wind_m_s": "wind_speed"}


def made_up(hour: int) -> dict[str, float]:
    """Values of one hour of a year, to as many digits as the formats keep."""
    sun = max(0.0, math.sin((hour % 24 - 6) / 12 * math.pi)) * (0.6 + 0.4 * math.sin(hour / 400))
    return {
        "ghi": round(700 * sun),
        "dni": round(500 * sun),
        "dhi": round(220 * sun),
        "air": round(9 - 11 * math.cos(hour / 8760 * 2 * math.pi) + 3 * sun, 1),
        "wind": round(3 + 2 * math.sin(hour / 37), 1),
    }


def hours(year: int, count: int = 8760) -> list[dt.datetime]:
    """The beginnings of hours, on the clock of the file."""
    return [dt.datetime(year, 1, 1) + i * HOUR for i in range(count)]


def tmy3(*, years: tuple[int, ...] = (1988, 1995, 2003), midnight: str = "24:00", change: str = "") -> str:
    """Months of different years, as typical years are put together; local standard time, hours named by their end."""
    rows = [
        '723815,"MADE UP",CA,-8.0,34.100,-117.400,353',
        "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),DNI (W/m^2),DHI (W/m^2),Dry-bulb (C),Wspd (m/s)",
    ]
    for i, begins in enumerate(hours(2001)):
        v = made_up(i)
        year = years[begins.month % len(years)]
        clock = midnight if begins.hour == 23 else f"{begins.hour + 1:02d}:00"
        rows.append(
            f"{begins:%m/%d}/{year},{clock},{v['ghi']:.0f},{v['dni']:.0f},{v['dhi']:.0f},{v['air']},{v['wind']}"
        )
    text = "\n".join(rows) + "\n"
    return text.replace(*change.split("→")) if change else text


def epw(*, year: int = 2005, count: int = 8760, zone: float = 2.0, minute: int = 0) -> str:
    """A year of hours, named by their end; columns that are not read stand there as missing."""
    head = [
        f"LOCATION,Made up,-,FIN,TMY,029740,60.32,24.97,{zone},56.0",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,3/29,10/25,0",
        "COMMENTS 1,made up",
        "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]
    rows = []
    for i, begins in enumerate(hours(year, count)):
        v = made_up(i)
        cells: list[object] = [begins.year, begins.month, begins.day, begins.hour + 1, minute, "A7A7"]
        cells += [v["air"], 99.9, 999, 999999, 9999, 9999, 9999, v["ghi"], v["dni"], v["dhi"]]
        cells += [999999, 999999, 999999, 9999, 999, v["wind"], 99, 99, 9999, 99999, 9, 999999999, 999, 0.999, 999, 99]
        cells += [999, 999, 99]
        rows.append(",".join(map(str, cells)))
    return "\n".join(head + rows) + "\n"


def pvgis_tmy(kind: str) -> str:
    """Months of different years in UTC; the light is that of an instant 0.1761 h after the time."""
    table = []
    for i, begins in enumerate(hours(2001)):
        v = made_up(i)
        stamp = f"{2005 + begins.month % 4}{begins:%m%d:%H%M}"
        row: dict[str, Any] = {"time(UTC)": stamp, "T2m": v["air"], "RH": 80.0, "G(h)": v["ghi"], "Gb(n)": v["dni"]}
        table.append(row | {"Gd(h)": v["dhi"], "IR(h)": 300.0, "WS10m": v["wind"], "WD10m": 10.0, "SP": 101000.0})
    months = [{"month": m, "year": 2005 + m % 4} for m in range(1, 13)]
    if kind == "json":
        where = {"latitude": 45.0, "longitude": 8.0, "elevation": 250.0, "irradiance_time_offset": 0.1761}
        return json.dumps(
            {
                "inputs": {"location": where},
                "outputs": {"months_selected": months, "tmy_hourly": table},
                "meta": {"inputs": {}},
            }
        )
    lines = ["Latitude (decimal degrees): 45.000", "Longitude (decimal degrees): 8.000", "Elevation (m): 250.0"]
    lines += ["Irradiance Time Offset (h): 0.1761", "month,year", *(f"{m['month']},{m['year']}" for m in months)]
    lines += [",".join(table[0]), *(",".join(map(str, row.values())) for row in table), "", "T2m: air", ""]
    return "\r\n".join(lines)


def pvgis_hourly(kind: str, *, parts: bool = True, slope: int = 0, count: int = 240) -> str:
    """Ten days from 1 July 2016 at eleven minutes past, on the ground."""
    table = []
    place = pvlib.location.Location(45.0, 8.0, altitude=250)
    import pandas as pd

    times = pd.date_range("2016-07-01 00:11", periods=count, freq="h", tz="UTC")
    high = place.get_solarposition(times)["apparent_elevation"].clip(lower=0).round(2)
    for i, stamp in enumerate(times):
        v = made_up(i + 4000)
        beam = round(0.7 * v["ghi"], 2) if high.iloc[i] > 0 else 0.0
        light = {"Gb(i)": beam, "Gd(i)": v["dhi"], "Gr(i)": 0.0} if parts else {"G(i)": v["ghi"]}
        table.append(
            {"time": f"{stamp:%Y%m%d:%H%M}"} | light
            | {"H_sun": float(high.iloc[i]), "T2m": v["air"], "WS10m": v["wind"], "Int": 0.0}
        )  # fmt: skip
    if kind == "json":
        return json.dumps(
            {
                "inputs": {
                    "location": {"latitude": 45.0, "longitude": 8.0, "elevation": 250.0},
                    "mounting_system": {"fixed": {"slope": {"value": slope, "optimal": False}}},
                },
                "outputs": {"hourly": table},
                "meta": {"inputs": {}},
            }
        )
    lines = ["Latitude (decimal degrees):\t45.000", "Longitude (decimal degrees):\t8.000", "Elevation (m):\t250"]
    lines += ["Radiation database:\tPVGIS-SARAH2", "", "", f"Slope: {slope} deg.", "Azimuth: 0 deg. "]
    lines += [",".join(table[0]), *(",".join(map(str, row.values())) for row in table), "", "T2m: air", ""]
    return "\n".join(lines)


def meteo(*, offset_s: int = 0, unix: bool = False, parts: bool = True, count: int = 72, **more: Any) -> dict[str, Any]:
    """Three days from 1 June 2026 00:00 UTC; the value at a time is the mean of the hour that ends then."""
    times = [dt.datetime(2026, 6, 1, tzinfo=dt.UTC) + i * HOUR for i in range(count)]
    rows = [made_up(i + 3600) for i in range(count)]
    hourly: dict[str, list[Any]] = {
        "time": [
            int(t.timestamp()) if unix else (t + dt.timedelta(seconds=offset_s)).strftime("%Y-%m-%dT%H:%M")
            for t in times
        ],
        "shortwave_radiation": [r["ghi"] for r in rows],
        "temperature_2m": [r["air"] for r in rows],
        "wind_speed_10m": [r["wind"] for r in rows],
    }
    if parts:
        hourly |= {
            "direct_normal_irradiance": [r["dni"] for r in rows],
            "diffuse_radiation": [r["dhi"] for r in rows],
        }
    units = {"temperature_2m": "°C", "wind_speed_10m": "km/h", "shortwave_radiation": "W/m²"}
    return {
        "latitude": 60.17, "longitude": 24.94, "elevation": 12.0, "utc_offset_seconds": offset_s,
        "hourly_units": units, "hourly": hourly,
    } | more  # fmt: skip


def same(ours: files.Reading, theirs: Any, begins: Any) -> None:
    """Every value and every time as pvlib has them; `begins` is when its steps begin."""
    found = ours.weather
    step = dt.timedelta(minutes=found.step_minutes)
    for name, column in NAMES.items():
        np.testing.assert_allclose(getattr(found, name), theirs[column].to_numpy(dtype=float), atol=1e-9)
    assert len(begins) == len(found.ghi)
    for i in (0, 1, 5000 % len(begins), len(begins) - 1):
        assert found.start + i * step == begins[i].to_pydatetime()
    assert begins[1] - begins[0] == step


@pytest.mark.parametrize("midnight", ["24:00", "00:00"])
def test_tmy3_as_pvlib_reads_it(tmp_path: Path, midnight: str) -> None:
    path = tmp_path / "made_up.csv"
    path.write_text(tmy3(midnight=midnight))
    ours = files.read_path(path)
    if midnight == "00:00":  # pvlib leaves the date of 00:00 as it stands; the values are the same
        assert ours.weather.start == dt.datetime(2001, 1, 1, 8, tzinfo=dt.UTC)
        return
    theirs, meta = pvlib.iotools.read_tmy3(path, coerce_year=2001, map_variables=True)
    same(ours, theirs, theirs.index - HOUR)
    assert (ours.weather.latitude, ours.weather.longitude) == (meta["latitude"], meta["longitude"])
    assert (ours.weather.altitude_m, ours.offset_minutes, ours.typical) == (353.0, -480, True)


@pytest.mark.parametrize(("year", "count", "zone"), [(2005, 8760, 2.0), (2004, 8784, -3.0)])
@pytest.mark.parametrize("minute", [0, 60])
def test_epw_as_pvlib_reads_it(tmp_path: Path, year: int, count: int, zone: float, minute: int) -> None:
    path = tmp_path / "made_up.epw"
    path.write_text(epw(year=year, count=count, zone=zone, minute=minute))
    ours = files.read_path(path)
    theirs, meta = pvlib.iotools.read_epw(path)
    same(ours, theirs, theirs.index)
    assert ours.weather.altitude_m == meta["altitude"]
    assert not ours.typical


def test_epw_of_half_an_hour_ahead() -> None:
    """India's clock is 5:30 ahead, which pvlib knows too, and most people forget."""
    ours = files.read(epw(zone=5.5).encode(), "x.epw")
    assert ours.weather.start == dt.datetime(2004, 12, 31, 18, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_pvgis_typical_years_as_pvlib_reads_them(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"tmy.{kind}"
    path.write_bytes(pvgis_tmy(kind).encode())
    ours = files.read_path(path)
    theirs, _meta = pvlib.iotools.read_pvgis_tmy(path, map_variables=True)
    typical = theirs.index.map(lambda t: t.replace(year=2001))
    around = typical + dt.timedelta(hours=0.1761) - HOUR / 2
    found = ours.weather
    for name, column in NAMES.items():
        np.testing.assert_allclose(getattr(found, name), theirs[column].to_numpy(dtype=float))
    assert abs(found.start - around[0].to_pydatetime()) < dt.timedelta(milliseconds=1)
    assert ours.typical and len(found.ghi) == 8760


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_pvgis_hours_as_pvlib_reads_them(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"hourly.{kind}"
    path.write_text(pvgis_hourly(kind))
    ours = files.read_path(path)
    theirs, _meta = pvlib.iotools.read_pvgis_hourly(path, map_variables=True)
    beam, sky = theirs["poa_direct"].to_numpy(), theirs["poa_sky_diffuse"].to_numpy()
    np.testing.assert_allclose(ours.weather.ghi, beam + sky)
    np.testing.assert_allclose(ours.weather.dhi, sky)
    high = theirs["solar_elevation"].to_numpy()
    day = high > 5
    np.testing.assert_allclose(ours.weather.dni[day] * np.sin(np.radians(high[day])), beam[day], rtol=1e-9)
    assert ours.weather.start == theirs.index[0].to_pydatetime() - HOUR / 2
    np.testing.assert_allclose(ours.weather.air_c, theirs["temp_air"])


def test_pvgis_without_components_is_parted_as_erbs_did() -> None:
    found = files.read(pvgis_hourly("json", parts=False).encode(), "x.json").weather
    seen = pv.sky_of(found)
    days = np.array([(found.start + (i + 0.5) * HOUR).timetuple().tm_yday for i in range(len(found.ghi))])
    theirs = pvlib.irradiance.erbs(found.ghi, seen.zenith, days)
    np.testing.assert_allclose(found.dni, np.nan_to_num(theirs["dni"]), atol=1e-9)
    np.testing.assert_allclose(found.dhi, np.nan_to_num(theirs["dhi"]), atol=1e-9)


def test_a_plane_that_is_not_the_ground_is_refused() -> None:
    with pytest.raises(WeatherRefusal, match="plane of 35 degrees; ask PVGIS for slope 0"):
        files.read(pvgis_hourly("csv", slope=35).encode(), "x.csv")


@pytest.mark.parametrize(("offset_s", "unix"), [(0, False), (10800, False), (10800, True)])
def test_open_meteo_in_utc_whatever_clock_was_asked_for(offset_s: int, unix: bool) -> None:
    """pvlib has no reader of this format: pandas on the same bytes is the oracle."""
    import pandas as pd

    text = json.dumps(meteo(offset_s=offset_s, unix=unix))
    found = files.read(text.encode(), "x.json").weather
    document = json.loads(text)
    table = pd.DataFrame(document["hourly"])
    times = pd.to_datetime(table["time"], unit="s" if unix else None, utc=True)
    if not unix:
        times -= pd.Timedelta(seconds=offset_s)
    assert found.start == times[0].to_pydatetime() - HOUR
    np.testing.assert_allclose(found.ghi, table["shortwave_radiation"])
    np.testing.assert_allclose(found.dni, table["direct_normal_irradiance"])
    np.testing.assert_allclose(found.wind_m_s, table["wind_speed_10m"] / 3.6)
    assert (found.latitude, found.altitude_m) == (60.17, 12.0)


def test_open_meteo_in_other_units_and_with_open_ends() -> None:
    document = meteo(parts=False)
    document["hourly_units"] = {"temperature_2m": "°F", "wind_speed_10m": "mp/h"}
    usual = list(document["hourly"]["temperature_2m"])
    document["hourly"]["temperature_2m"] = [c * 1.8 + 32 for c in usual]
    document["hourly"]["shortwave_radiation"][:2] = [None, None]
    document["hourly"]["temperature_2m"][-3:] = [None] * 3
    found = files.read(json.dumps(document).encode(), "x.json").weather
    assert len(found.ghi) == 67
    assert found.start == dt.datetime(2026, 6, 1, 1, tzinfo=dt.UTC)
    np.testing.assert_allclose(found.air_c, usual[2:-3])
    assert found.wind_m_s[0] == pytest.approx(document["hourly"]["wind_speed_10m"][2] * 0.44704)
    seen = pv.sky_of(found)
    np.testing.assert_allclose(found.ghi, found.dhi + found.dni * np.cos(np.radians(seen.zenith)), atol=1e-6, rtol=0)


def demandlib() -> Path:
    spec = find_spec("demandlib")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def test_try_2010_as_demandlib_and_pandas_read_it() -> None:
    import pandas as pd
    from demandlib.vdi import dwd_try

    path = demandlib() / "vdi" / "resources_weather" / "TRY2010_02_Jahr.dat"
    ours = files.read_path(path)
    theirs = dwd_try.read_dwd_weather_file(str(path))
    table = pd.read_csv(path, sep=r"\s+", skiprows=38, header=None, encoding="utf-8")
    found = ours.weather
    np.testing.assert_allclose(found.air_c, theirs["TAMB"])
    np.testing.assert_allclose(found.ghi, table[13] + table[14])
    np.testing.assert_allclose(found.dhi, table[14])
    assert (ours.place, ours.typical, found.altitude_m) == ("Rostock", True, 4.0)
    # the hour that ends at 01:00 on 1 January, UTC+1
    assert found.start == dt.datetime(2000, 12, 31, 23, tzinfo=dt.UTC)
    assert (found.dni <= pv.sky_of(found).dni_extra).all()


def test_try_2017_stands_where_its_grid_says() -> None:
    import pyproj

    back = pyproj.Transformer.from_crs("EPSG:3034", "EPSG:4326")
    for east, north in ((4075500, 2964500), (4338500, 2701500), (3955500, 3150500)):
        assert files.lambert(east, north) == pytest.approx(back.transform(north, east), abs=1e-9)
    head = (
        "Deutscher Wetterdienst, Testreferenzjahr TRY\nKoordinatensystem : Lambert konform konisch\n"
        "Rechtswert        : 4075500 Meter\nHochwert          : 2964500 Meter\nHoehenlage        : 34 Meter ueber NN\n"
        "\n     RW      HW MM DD HH     t    p  WR   WG N    x  RF    B    D   A    E IL\n***\n"
    )
    rows = []
    for i, begins in enumerate(hours(2001)):
        v = made_up(i)
        rows.append(
            f"4075500 2964500 {begins.month:2d} {begins.day:2d} {begins.hour + 1:2d} {v['air']} 1013 270 {v['wind']} 4 "
            f"5.0 80 {max(v['ghi'] - v['dhi'], 0):.0f} {v['dhi']:.0f} 300 -350 1"
        )
    found = files.read((head + "\n".join(rows)).encode("latin-1"), "TRY2015.dat")
    east, north = 4075500, 2964500
    assert (found.weather.latitude, found.weather.longitude) == pytest.approx(back.transform(north, east), abs=1e-9)
    assert found.weather.altitude_m == 34
    assert found.weather.start == dt.datetime(2000, 12, 31, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lambda: tmy3(change="01/01/1995,02:00,0→01/01/1995,02:00,-9900"), r"line 4, column GHI .*missing \(-9900\)"),
        (lambda: tmy3(change="01/01/1995,02:00,0→01/01/1995,02:00,nix"), "line 4, column GHI .*not a number"),
        (lambda: tmy3(change="02/28/2003→02/30/2003"), r"line \d+, column Date .*2003-02-30 01:00 is no time"),
        (lambda: tmy3(change="02/28/2003→02/²/2003"), r"line \d+, column Date .*is not a time"),
        (lambda: tmy3(change=f"02/28/2003→02/28/{'9' * 5000}"), r"line \d+, column Date .*is not a time"),
        (lambda: tmy3().replace("Wspd (m/s)", "Speed"), r"column Wspd \(m/s\): this column is missing"),
        (lambda: "\n".join(tmy3().splitlines()[:9] + tmy3().splitlines()[10:]), "line 10: a gap: after"),
        (lambda: epw().replace("2005,1,1,3,0,A7A7,-2.0", "2005,1,1,3,0,A7A7,99.9"), "line 11, column air: .*missing"),
        (lambda: epw().replace("029740,60.32", "029740,160.32"), "is no place"),
        (lambda: epw(count=1), "not two rows"),
        (lambda: pvgis_tmy("csv").replace("20060101:0200", "20060101:0100"), "stands twice"),
        (lambda: json.dumps({"error": True, "reason": "too many days"}), "the service answered: too many days"),
        (lambda: json.dumps(meteo()).replace("2026-06-01T05:00", "2026-06-01T06:00"), "line 6: a gap"),
        (lambda: "station,hour\n1,2\n", "none of the formats"),
        (lambda: "{nonsense", "not JSON"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_line_and_remedy(text: Callable[[], str], says: str) -> None:
    with pytest.raises(WeatherRefusal) as refusal:
        files.read(text().encode(), "made_up")
    assert re.search(says, str(refusal.value)), str(refusal.value)


def test_null_between_values_is_a_gap() -> None:
    document = meteo()
    document["hourly"]["shortwave_radiation"][30] = None
    with pytest.raises(WeatherRefusal, match="line 31, column shortwave_radiation: the value is missing"):
        files.read(json.dumps(document).encode(), "x.json")


@pytest.mark.parametrize("altitude", [0.0, 1600.0])
def test_the_clear_sky_equals_pvlibs(altitude: float) -> None:
    start = dt.datetime(2026, 6, 21, tzinfo=dt.UTC)
    ours = weather.clear(start, 15, 96, 60.17, 24.94, altitude)
    seen = pv.sky_of(ours)
    theirs = pvlib.clearsky.simplified_solis(
        90 - seen.zenith, aod700=0.1, precipitable_water=1.5, pressure=pvlib.atmosphere.alt2pres(altitude),
        dni_extra=seen.dni_extra,
    )  # fmt: skip
    for name in ("ghi", "dni", "dhi"):
        np.testing.assert_allclose(getattr(ours, name), theirs[name], rtol=1e-9, atol=1e-9)
    assert 700 < ours.ghi.max() < 900


def test_a_typical_year_over_any_days() -> None:
    """Local noon of winter time takes noon of the file, in summer too; 29 February takes the 28th."""
    reading = files.read(epw(zone=1.0).encode(), "x.epw")
    # Helsinki is two hours ahead in winter, the file's clock one
    start = dt.datetime(2028, 2, 28, 22, tzinfo=dt.UTC)
    at = weather.over(reading.weather, True, reading.offset_minutes, start, 60, 24, "Europe/Helsinki")
    assert at.tolist() == list(range(58 * 24, 59 * 24))
    summer = weather.over(
        reading.weather, True, 60, dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC), 60, 1, "Europe/Helsinki"
    )
    assert summer.tolist() == [181 * 24]
    quarters = weather.over(reading.weather, True, 60, start, 15, 8, "Europe/Helsinki")
    assert quarters.tolist() == [58 * 24] * 4 + [58 * 24 + 1] * 4
    energy = np.arange(8760.0)
    assert weather.laid(energy, quarters, 60, 15).sum() == pytest.approx(58 * 24 * 2 + 1)


def test_real_weather_keeps_its_own_days() -> None:
    found = files.read(json.dumps(meteo()).encode(), "x.json").weather
    start = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    at = weather.over(found, False, 0, start, 15, 8, "Europe/Helsinki")
    assert at.tolist() == [1] * 4 + [2] * 4
    with pytest.raises(BadValue, match="does not cover these days"):
        weather.over(found, False, 0, start, 60, 100, "Europe/Helsinki")
