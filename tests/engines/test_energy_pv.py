"""Solar roofs against pvlib, the demonstration's weather and profiles against their own sums."""

import datetime as dt
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from energy.engine import neighbourhood, profiles, pv, refusals, sun, weather

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


@pytest.mark.parametrize("every", ["7h11min", "41min"])
@pytest.mark.parametrize(("latitude", "longitude"), [(60.17, 24.94), (-33.9, 18.4), (0.0, -78.5), (78.2, 15.6)])
def test_the_sun_stands_where_pvlib_sees_it(latitude: float, longitude: float, every: str) -> None:
    """Over years, by night and by day, through the air and without it; by all terms and by their spline."""
    import pandas as pd

    times = pd.date_range("2024-01-01", periods=4000, freq=every, tz="UTC")
    ours = sun.positions(times.as_unit("ns").asi8 / 1e9, latitude, longitude)
    true = pvlib.solarposition.get_solarposition(times, latitude, longitude)
    np.testing.assert_allclose(ours.zenith, true["zenith"], atol=1e-8)
    np.testing.assert_allclose(ours.apparent_zenith, true["apparent_zenith"], atol=1e-8)
    turn = (ours.azimuth - true["azimuth"].to_numpy() + 180) % 360 - 180
    assert np.abs(turn).max() < 1e-7
    zenith, azimuth = pv.sun([t.to_pydatetime() for t in times[:5]], latitude, longitude)
    np.testing.assert_allclose((zenith, azimuth), (ours.zenith[:5], ours.azimuth[:5]), atol=1e-8)


def some_weather(days: int = 365, step_minutes: int = 60) -> pv.Weather:
    """A made-up year at Dresden: clear sky through passing clouds."""
    import pandas as pd

    dice = np.random.default_rng(11)
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    steps = days * 24 * 60 // step_minutes
    times = pd.date_range(start, periods=steps, freq=f"{step_minutes}min") + pd.Timedelta(minutes=step_minutes / 2)
    clear = pvlib.location.Location(51.05, 13.74, altitude=120).get_clearsky(times, model="haurwitz")["ghi"].to_numpy()
    through = dice.beta(2, 1.2, steps)
    ghi, dhi = clear * through, clear * through * (1 - 0.8 * through)
    dni = np.minimum(clear * through**2, 950.0)
    return pv.Weather(
        start,
        step_minutes,
        51.05,
        13.74,
        ghi,
        dni,
        dhi,
        dice.normal(9, 9, steps),
        dice.gamma(2, 1.5, steps),
        altitude_m=120.0,
    )


@pytest.mark.parametrize("step_minutes", [60, 15])
def test_a_year_equals_pvlibs_model_chain(step_minutes: int) -> None:
    """From weather to kWh, with nothing of ours in between."""
    import pandas as pd

    weather = some_weather(365 if step_minutes == 60 else 60, step_minutes)
    roofs = [
        pv.Roof(1.0),
        pv.Roof(7.5, 60, 90, 0.1),
        pv.Roof(0.4, 90, 315),
        pv.Roof(3.0, 0, 0, 0.0),
        pv.Roof(12.0, 5, 200),
    ]
    ours = pv.year(roofs, weather, threads=2)
    steps = len(weather.ghi)
    times = pd.date_range(weather.start, periods=steps, freq=f"{step_minutes}min")
    table = pd.DataFrame(
        {
            "ghi": weather.ghi,
            "dni": weather.dni,
            "dhi": weather.dhi,
            "temp_air": weather.air_c,
            "wind_speed": weather.wind_m_s,
        },
        index=times + pd.Timedelta(minutes=step_minutes / 2),
    )
    place = pvlib.location.Location(weather.latitude, weather.longitude, altitude=weather.altitude_m)
    glass = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_glass"]
    for row, roof in enumerate(roofs):
        mount = pvlib.pvsystem.FixedMount(roof.tilt, roof.azimuth)
        array = pvlib.pvsystem.Array(
            mount,
            albedo=0.2,
            module_parameters={"pdc0": 1000.0 * (1 - roof.losses), "gamma_pdc": -0.004},
            temperature_model_parameters=glass,
        )
        system = pvlib.pvsystem.PVSystem([array], inverter_parameters={"pdc0": 1000.0})
        chain = pvlib.modelchain.ModelChain(
            system,
            place,
            transposition_model="haydavies",
            dc_model="pvwatts",
            ac_model="pvwatts",
            aoi_model="no_loss",
            spectral_model="no_loss",
            temperature_model="sapm",
            losses_model="no_loss",
        )
        watts = chain.run_model(table).results.ac.fillna(0.0).to_numpy()
        np.testing.assert_allclose(
            ours[row] / roof.kwp / (step_minutes / 60) * 1000, watts, atol=1e-6, err_msg=str(roof)
        )
        assert watts.max() > 50


@pytest.mark.parametrize(
    ("roof", "changed", "words"),
    [
        (pv.Roof(1e9), {}, r"roof 1: kwp is 1e\+09; give 0 to 100000 and check the unit"),
        (pv.Roof(float("nan")), {}, "roof 1: kwp is nan"),
        (pv.Roof(-1.0), {}, "roof 1: kwp is -1"),
        (pv.Roof(1.0, 95.0), {}, "tilt is 95; give 0 to 90"),
        (pv.Roof(1.0), {"latitude": 91.0}, "is no place"),
        (pv.Roof(1.0), {"start": dt.datetime(2025, 1, 1)}, "with its time zone"),
        (pv.Roof(1.0), {"step_minutes": 1440}, "a step of 1 to 60 minutes"),
        (pv.Roof(1.0), {"ghi": np.array([0.0, -3.0])}, "step 2: ghi is -3.*night's offset to 0"),
        (pv.Roof(1.0), {"air_c": np.array([5.0, np.nan])}, "step 2: air_c is nan"),
        (pv.Roof(1.0), {"wind_m_s": np.zeros(3)}, "wind_m_s has 3 steps and ghi has 2"),
    ],
)
def test_what_no_roof_and_no_sky_can_be(roof: pv.Roof, changed: dict[str, object], words: str) -> None:
    two = np.zeros(2)
    weather = pv.Weather(dt.datetime(2025, 1, 1, tzinfo=dt.UTC), 60, 51.0, 13.7, two, two, two, two, two)
    with pytest.raises(refusals.BadValue, match=words):
        pv.year([roof], replace(weather, **changed))  # type: ignore[arg-type]


def test_threads_change_nothing() -> None:
    weather = some_weather(5)
    roofs = [pv.Roof(1.0 + i, i % 90, i * 7 % 360) for i in range(100)]
    np.testing.assert_array_equal(pv.year(roofs, weather), pv.year(roofs, weather, threads=2))


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
