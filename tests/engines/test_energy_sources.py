"""Use, heat, cars and whole homes beside demandlib's own code, published days and balances."""

import datetime as dt
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from energy.engine import holidays, home, profiles, pv, trips, vdi4655, warmth, weather
from energy.engine.clock import Clock, clock
from energy.engine.refusals import BadValue
from energy.engine.weather import files

pd = pytest.importorskip("pandas")
YEAR = 2026
BERLIN = dt.datetime(YEAR - 1, 12, 31, 23, tzinfo=dt.UTC)


def demandlib() -> Path:
    spec = find_spec("demandlib")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


BDEW = demandlib() / "bdew" / "bdew_data"


@pytest.fixture(scope="module")
def days_off() -> frozenset[dt.date]:
    return holidays.of("DE", YEAR)


@pytest.fixture(scope="module")
def hourly(days_off: frozenset[dt.date]) -> Clock:
    """A year of hours on a clock without summer time, as demandlib's are."""
    return clock(dt.datetime(YEAR, 1, 1, tzinfo=dt.UTC), 60, 8760, "UTC", days_off)


@pytest.fixture(scope="module")
def reading() -> files.Reading:
    return files.read_path(demandlib() / "vdi" / "resources_weather" / "TRY2010_02_Jahr.dat")


@pytest.mark.parametrize(
    ("country", "year", "day", "off"),
    [
        ("DE", 2026, (4, 3), True), ("DE", 2026, (5, 25), True), ("DE", 2026, (1, 6), False),
        ("FI", 2026, (6, 20), True), ("FI", 2026, (10, 31), True), ("FI", 2025, (11, 1), True),
        ("FI", 2026, (5, 14), True), ("SE", 2026, (6, 6), True), ("AT", 2026, (6, 4), True),
        ("IE", 2026, (10, 26), True), ("NO", 2026, (4, 2), True), ("XX", 2026, (1, 1), False),
    ],
)  # fmt: skip
def test_holidays_as_calendars_print_them(country: str, year: int, day: tuple[int, int], off: bool) -> None:
    assert (dt.date(year, *day) in holidays.of(country, year)) is off


def test_easter_of_many_years() -> None:
    """Dates of the ecclesiastical tables, the earliest and the latest of two centuries among them."""
    dates = {1818: (3, 22), 1943: (4, 25), 2000: (4, 23), 2008: (3, 23), 2024: (3, 31), 2026: (4, 5), 2038: (4, 25)}
    assert {year: (holidays.easter(year).month, holidays.easter(year).day) for year in dates} == dates


@pytest.mark.parametrize("name", ["h25", "g25", "l25", "p25", "s25"])
@pytest.mark.parametrize("minutes", [15, 60])
def test_bdew_profiles_equal_demandlibs(name: str, minutes: int, days_off: frozenset[dt.date]) -> None:
    import demandlib.bdew

    steps = 365 * 1440 // minutes
    when = clock(dt.datetime(YEAR, 1, 1, tzinfo=dt.UTC), minutes, steps, "UTC", days_off)
    ours = profiles.standard(profiles.read_bdew25(BDEW / f"{name}.csv"), when, 1e6, dynamic=profiles.NAMES[name])
    index = pd.date_range(f"{YEAR}-01-01", periods=365 * 96, freq="15min")
    theirs = getattr(demandlib.bdew, name.upper())(index, holidays=list(days_off))
    kwh = np.asarray(theirs, dtype=float).reshape(steps, -1).sum(axis=1) / 4
    np.testing.assert_allclose(ours, kwh, rtol=1e-9)


def test_a_summer_of_the_clock_keeps_its_evenings() -> None:
    """On a local clock the profile moves with summer time: 18:00 in Berlin is 17:00 UTC in winter, 16:00 in summer."""
    table = profiles.read_bdew25(BDEW / "h25.csv")
    when = clock(BERLIN, 15, 365 * 96, "Europe/Berlin")
    laid = profiles.standard(table, when, 1e6, dynamic=False)
    january, july = dt.datetime(YEAR, 1, 14, 17, tzinfo=dt.UTC), dt.datetime(YEAR, 7, 15, 16, tzinfo=dt.UTC)
    for moment in (january, july):
        i = (moment - BERLIN) // dt.timedelta(minutes=15)
        assert laid[i] == table[moment.month - 1, 0, 72]


def test_vdi_4655_equals_demandlibs(hourly: Clock, days_off: frozenset[dt.date]) -> None:
    from demandlib import vdi

    climate = vdi.Climate().from_try_data(4)
    houses = [
        {
            "name": house, "house_type": house, "N_Pers": 3, "N_WE": 6, "Q_Heiz_a": 12000.0, "Q_TWW_a": 2300.0,
            "W_a": 3500.0, "summer_temperature_limit": 15, "winter_temperature_limit": 5,
        }
        for house in ("EFH", "MFH")
    ]  # fmt: skip
    region = vdi.Region(YEAR, climate=climate, houses=houses, holidays=list(days_off), resample_rule="1h")
    theirs = region.get_load_curve_houses()
    tables = vdi4655.read(demandlib() / "vdi" / "vdi_data")
    air = climate.temperature.to_numpy(dtype=float)
    clouded = (climate.cloud_coverage == "B").to_numpy()
    for house, people in (("EFH", 3), ("MFH", 6)):
        ours = vdi4655.needs(
            tables, hourly, air, clouded, house=house, region=4, people=people, power_kwh=3500.0, heating_kwh=12000.0,
            water_kwh=2300.0,
        )  # fmt: skip
        for name, column in (("power_kwh", "W_TT"), ("heating_kwh", "Q_Heiz_TT"), ("water_kwh", "Q_TWW_TT")):
            np.testing.assert_allclose(
                getattr(ours, name), theirs[house, house, column].to_numpy(), rtol=1e-6, atol=1e-9, err_msg=column
            )


@pytest.mark.parametrize("kind", ["EFH", "MFH", "GHD"])
def test_heat_of_buildings_equals_demandlibs(kind: str, hourly: Clock, days_off: frozenset[dt.date]) -> None:
    from demandlib.bdew import HeatBuilding

    dice = np.random.default_rng(3)
    day = (
        9 - 11 * np.cos(np.arange(365) / 365 * 2 * np.pi) + np.convolve(dice.normal(0, 4, 369), np.ones(5) / 5, "valid")
    )
    air = np.repeat(day, 24)
    index = pd.date_range(f"{YEAR}-01-01", periods=8760, freq="h")
    theirs = HeatBuilding(
        index, holidays=list(days_off), temperature=pd.Series(air, index=index), shlp_type=kind,
        building_class=5 if kind != "GHD" else 0, wind_class=0, annual_heat_demand=15000.0, name=kind,
    ).get_bdew_profile()  # fmt: skip
    ours = warmth.heat(warmth.read(BDEW, kind), hourly, day, 15000.0)
    whole = ours.rooms_kwh + ours.water_kwh
    theirs = theirs * (15000.0 / theirs.sum())  # theirs sums to 15,000 only as far as shares of hours sum to one
    np.testing.assert_allclose(whole, theirs.to_numpy(dtype=float), rtol=1e-6)
    assert ours.water_kwh.sum() > 0.02 * 15000


def test_cars_drive_their_kilometres_and_no_more_than_they_can() -> None:
    dates = [dt.date(YEAR, 1, 1) + dt.timedelta(days=i) for i in range(365)]
    days = trips.trips(dates, 12_000, 60.0, 11.0, 7)
    assert days.kwh.sum() == pytest.approx(12_000 * trips.KWH_PER_KM, rel=1e-6)
    assert (days.back - days.leaves >= trips.LEAST_AWAY_MIN).all() and days.kwh.max() <= 60
    again, other = trips.trips(dates, 12_000, 60.0, 11.0, 7), trips.trips(dates, 12_000, 60.0, 11.0, 8)
    assert np.array_equal(days.kwh, again.kwh) and not np.array_equal(days.kwh, other.kwh)
    weekend = np.array([d.weekday() >= 5 for d in dates])
    assert days.kwh[weekend].mean() < days.kwh[~weekend].mean()
    assert np.median(days.leaves[~weekend]) / 60 == pytest.approx(trips.LEAVES_H, abs=0.6)
    car = trips.window(days, 60.0, 11.0, v2g=True)
    assert car.v2g and car.kwh_per_day == pytest.approx(12_000 * trips.KWH_PER_KM / 365)
    when = clock(BERLIN, 15, 365 * 96, "Europe/Berlin")
    charged = trips.charged_at_once(days, when.day, when.minute, 15, 11.0)
    assert charged.sum() * 0.95 == pytest.approx(days.kwh.sum(), rel=0.01)
    assert not (charged[days.away(when.day, when.minute)] > 0).any()
    with pytest.raises(BadValue, match="more than 10 kWh and 2 kW can carry"):
        trips.trips(dates, 90_000, 10.0, 2.0, 1)


def test_a_home_without_meters(reading: files.Reading, days_off: frozenset[dt.date]) -> None:
    when = clock(BERLIN, 60, 8760, "Europe/Berlin", days_off)
    over = home.sky(reading, when, BERLIN, "Europe/Berlin")
    assert 0.3 < over.clouded.mean() < 0.8
    tables = home.read(demandlib())
    plain = home.Home("home", 3000.0, people=2)
    full = home.Home(
        "home", 3000.0, people=2, roofs=(pv.Roof(8.0, 30.0, 180.0),), heat_pump_kw=4.0, heating_kwh=9000.0,
        water_kwh=2000.0, car=home.Car(60.0, 11.0, 10_000.0, v2g=True),
    )  # fmt: skip
    shop = home.Home("business", 20_000.0)
    one, two, three = home.modelled([plain, full, shop], when, over, tables, share_of_year=1.0)
    assert one.load_kwh.sum() == pytest.approx(3000) and one.pv_kwh.sum() == 0 and one.vehicle is None
    np.testing.assert_allclose(two.load_kwh - two.heat_pump_kwh, one.load_kwh)
    factor = 11_000 / two.heat_pump_kwh.sum()
    assert 2.3 < factor < 4.5, "the year's COP of an air-source pump"
    assert 7000 < two.pv_kwh.sum() < 8800
    noon = two.pv_kwh.reshape(365, 24)[170:180].mean(axis=0)
    assert noon.argmax() in {11, 12, 13}
    assert two.vehicle is not None and two.vehicle.v2g and two.car_kwh.sum() > 1700
    assert three.load_kwh.sum() == pytest.approx(20_000, rel=0.02)
    quarters = clock(BERLIN, 15, 96 * 31, "Europe/Berlin", days_off)
    short = home.sky(reading, quarters, BERLIN, "Europe/Berlin")
    [january] = home.modelled([full], quarters, short, tables, share_of_year=31 / 365)
    assert january.pv_kwh.sum() == pytest.approx(two.pv_kwh[: 31 * 24].sum(), rel=1e-9)


def test_weather_without_a_cloud_is_the_clear_sky() -> None:
    """A typical year that is the clear sky of its place has no clouded day."""
    found = weather.clear(dt.datetime(2000, 12, 31, 23, tzinfo=dt.UTC), 60, 8760, 54.0, 12.0)
    when = clock(BERLIN, 60, 8760, "Europe/Berlin")
    over = home.sky(files.Reading(found, "x", "x", True, 60), when, BERLIN, "Europe/Berlin")
    assert not over.clouded.any()
