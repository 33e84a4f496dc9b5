"""Solar roofs against pvlib, the demonstration's weather and profiles against their own sums."""

import datetime as dt
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from energy.engine import neighbourhood, profiles, pv, weather

pvlib = pytest.importorskip("pvlib")


def demandlib() -> Path:
    spec = find_spec("demandlib")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="module")
def year() -> weather.ReferenceYear:
    return weather.read_try(demandlib() / "vdi" / "resources_weather" / "TRY2010_02_Jahr.dat")


@pytest.fixture(scope="module")
def sky(year: weather.ReferenceYear) -> pv.Sky:
    return weather.sky(year, 2026)


def pvlib_watts(sky: pv.Sky, tilt: float, face: float) -> np.ndarray:
    """The same chain by pvlib."""
    sky_part = pvlib.irradiance.haydavies(tilt, face, sky.dhi, sky.dni, sky.dni_extra, sky.zenith, sky.azimuth)
    aoi = pvlib.irradiance.aoi(tilt, face, sky.zenith, sky.azimuth)
    ground = pvlib.irradiance.get_ground_diffuse(tilt, sky.ghi, albedo=0.2)
    poa = pvlib.irradiance.poa_components(aoi, sky.dni, sky_part, ground)["poa_global"]
    glass = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_glass"]
    cell = pvlib.temperature.sapm_cell(poa, sky.air_c, sky.wind_m_s, **glass)
    dc = pvlib.pvsystem.pvwatts_dc(poa, cell, pdc0=1000.0, gamma_pdc=-0.004) * (1 - 0.1407)
    return np.nan_to_num(np.asarray(pvlib.inverter.pvwatts(dc, pdc0=1000.0)))


def test_the_chain_equals_pvlib(sky: pv.Sky) -> None:
    tilts = np.array([0.0, 10.0, 35.0, 60.0, 90.0])
    faces = np.array([180.0, 180.0, 135.0, 270.0, 0.0])
    ours = pv.roofs(sky, tilts, faces)
    for row, (tilt, face) in enumerate(zip(tilts, faces, strict=True)):
        theirs = pvlib_watts(sky, float(tilt), float(face))
        np.testing.assert_allclose(ours[row], theirs, atol=1e-6)
        assert theirs.max() > 300


@pytest.mark.parametrize(("latitude", "longitude"), [(60.17, 24.94), (-33.9, 18.4), (0.0, -78.5), (78.2, 15.6)])
def test_the_sun_stands_where_pvlib_sees_it(latitude: float, longitude: float) -> None:
    import pandas as pd

    times = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=7 * i) for i in range(1250)]
    zenith, azimuth = pv.sun(times, latitude, longitude)
    true = pvlib.solarposition.get_solarposition(pd.DatetimeIndex(times), latitude, longitude)
    assert np.abs(zenith - true["zenith"].to_numpy()).max() < 0.02
    turn = (azimuth - true["azimuth"].to_numpy() + 180) % 360 - 180
    assert np.abs(turn * np.sin(np.radians(zenith))).max() < 0.02


def test_extraterrestrial_irradiance() -> None:
    days = np.arange(1, 366)
    theirs = pvlib.irradiance.get_extra_radiation(days, method="spencer", solar_constant=1366.1)
    np.testing.assert_allclose(pv.extraterrestrial(days), theirs, rtol=1e-9)


def test_the_reference_year(year: weather.ReferenceYear, sky: pv.Sky) -> None:
    assert year.station == "Rostock"
    assert (year.latitude, year.longitude) == (
        pytest.approx(54.1833, abs=1e-4),
        pytest.approx(12.0833, abs=1e-4),
    )
    measured = float((year.direct_horizontal + year.diffuse_horizontal).sum() / 1000)
    assert 950 < measured < 1150  # kWh/m2 a year on the Baltic coast
    assert float(sky.ghi.sum() / 1000) == pytest.approx(measured, rel=0.02)
    assert (sky.dni <= sky.dni_extra).all()
    south = pv.roofs(sky, np.array([35.0]), np.array([180.0]))[0]
    assert 850 < south.sum() / 1000 < 1100  # kWh for each kW peak


def test_household_profile_over_a_year() -> None:
    """BDEW scales a year to 1,000,000 kWh; the dynamic household profile comes close in any calendar."""
    table = profiles.read_bdew25(demandlib() / "bdew" / "bdew_data" / "h25.csv")
    start = dt.datetime(2025, 12, 31, 23, tzinfo=dt.UTC)
    laid = profiles.quarters(table, start, 365, "Europe/Berlin", frozenset({(1, 1), (12, 25)}), dynamic=True)
    assert laid.sum() == pytest.approx(1_000_000, rel=0.01)
    # 1 January is a holiday: row 00:00-00:15, column "FT" of January, times the polynomial of day 1
    expected = 23.148 * (-3.92e-10 + 3.2e-7 - 7.02e-5 + 0.0021 + 1.24)
    assert laid[0] == pytest.approx(expected, rel=1e-12)
    monday = laid[4 * 96 : 5 * 96]
    assert monday[0] == pytest.approx(20.126 * profiles.dynamics(5), rel=1e-12)


def test_a_generated_neighbourhood_is_what_was_planned(year: weather.ReferenceYear) -> None:
    table = profiles.read_bdew25(demandlib() / "bdew" / "bdew_data" / "h25.csv")
    plans = [
        neighbourhood.Plan("a", "A", "home", "h25", 30.0, pv_kwp=10.0),
        neighbourhood.Plan("b", "B", "home", "h25", 20.0),
    ]
    setting = neighbourhood.Setting("T", "EUR", "Europe/Helsinki", 2, 2026, frozenset(), 0.2, 0.1, 0.05, 0.04)
    one = neighbourhood.generate(plans, setting, {"h25": table}, year, 1)
    np.testing.assert_allclose(one.load_kwh.sum(axis=1), [30_000, 20_000])
    assert one.pv_kwh[1].sum() == 0
    assert 7_500 < one.pv_kwh[0].sum() < 11_000
    noon = one.pv_kwh[0].reshape(365, 24).mean(axis=0)
    assert 11 <= int(noon.argmax()) <= 12  # local standard time
    again = neighbourhood.generate(plans, setting, {"h25": table}, year, 1)
    np.testing.assert_array_equal(one.load_kwh, again.load_kwh)
    assert np.corrcoef(one.load_kwh)[0, 1] < 0.999
