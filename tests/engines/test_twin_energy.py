"""A district's power: nothing counted twice, energy conserved, and the people who live there by their floor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.engine import carbon, energy, sandbox

SHAPES = {"home": np.full(8760, 1 / 8760), "work": np.full(8760, 1 / 8760)}


@given(st.integers(0, 999), st.floats(0, 500), st.floats(0, 100), st.floats(0.5, 1))
@settings(max_examples=20, deadline=None)
def test_storage_gives_back_what_it_took_less_its_losses(seed: int, kwh: float, kw: float, efficiency: float) -> None:
    chance = np.random.default_rng(seed)
    spare = chance.normal(0, 30, 400)
    have = energy.Storage(kwh, kw, efficiency)
    bought, sent, held = energy.dispatch(spare, have)
    assert (bought >= -1e-9).all()
    assert (sent >= -1e-9).all()
    assert (held >= -1e-9).all()
    assert (held <= kwh + 1e-9).all()
    charged = np.maximum(spare, 0) - sent
    given_back = np.maximum(-spare, 0) - bought
    assert charged.max(initial=0) <= kw + 1e-9
    assert given_back.max(initial=0) <= kw + 1e-9
    one_way = efficiency**0.5
    assert held[-1] == pytest.approx(charged.sum() * one_way - given_back.sum() / one_way, abs=1e-6)


def test_what_is_measured_replaces_as_much_of_the_benchmark() -> None:
    members = np.full(8760, 10.0)
    found = energy.parts(home_kwh=200_000, work_kwh=100_000, shapes=SHAPES, members=members, labs_kwh=5_000)
    assert sum(values.sum() for values in found.values()) == pytest.approx(300_000)
    assert found["members"].sum() == pytest.approx(87_600)
    assert found["labs"].sum() == pytest.approx(5_000)
    small = energy.parts(home_kwh=1_000, work_kwh=0, shapes=SHAPES, members=members)
    assert small["homes"].sum() == 0
    assert sum(values.sum() for values in small.values()) == pytest.approx(87_600)


def test_a_year_adds_up_and_has_its_figures() -> None:
    solar = np.tile(np.r_[np.zeros(8), np.full(8, 60.0), np.zeros(8)], 365)
    used = {"homes": np.full(8760, 20.0)}
    bare = energy.year(used, solar)
    assert bare.ratio == pytest.approx(1.0)
    assert bare.own == pytest.approx(1 / 3)
    assert bare.peak == (0, 20.0)
    assert bare.cost == pytest.approx(20 * 16 * 365 * 0.20 - 40 * 8 * 365 * 0.05)
    assert bare.co2_kg == pytest.approx(20 * 16 * 365 * 0.21)
    kept = energy.year(used, solar, storage=energy.Storage(1000, 100, 1.0))
    assert kept.bought.sum() < bare.bought.sum() / 10
    assert len(energy.by_month(solar)) == 12
    assert energy.mean_day(solar, range(59), 2)[10] == 60.0


def test_a_year_is_laid_on_the_calendar() -> None:
    values = np.arange(8760 * 4, dtype=float)
    found = energy.laid(values, (0, 2), 15)
    assert found is not None
    assert found[2] == 0 + 1 + 2 + 3
    assert energy.laid(values[:100], (0, 0), 15) is None


def test_people_by_floor_come_near_the_grid_of_central_helsinki() -> None:
    """Floor of the extract by use beside HSY's grid of people, its cells cut at the extract's rim: 5,192."""
    found = carbon.people_of_floor(home_m2=97_513, stated_m2=746_125, unstated_m2=1_873_357, area_km2=1.686)
    assert found.low < 5192 < found.high
    assert found.middle == pytest.approx(5192, rel=0.3)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.01, 5))
def test_people_by_floor_have_a_cap_and_an_order(home: float, other: float, unstated: float, area: float) -> None:
    found = carbon.people_of_floor(home_m2=home, stated_m2=home + other, unstated_m2=unstated, area_km2=area)
    assert 0 <= found.low <= found.middle <= found.high <= carbon.MOST_PEOPLE_KM2 * area + 1e-6


def test_traffic_takes_the_place_of_people_on_the_ledger() -> None:
    people = carbon.people_of_floor(home_m2=1000, stated_m2=1000, unstated_m2=0)
    span = carbon.driven_in_a_year(1000.0)
    both = carbon.ledger(heat_kwh=0, power_kwh=0, people=people, home_floor_m2=0, vehicle_km=span)
    by_people = carbon.ledger(heat_kwh=0, power_kwh=0, people=people, home_floor_m2=0)
    assert both.total_kg.middle == pytest.approx(3_300_000 * carbon.CAR.kg.middle)
    assert by_people.total_kg.middle == pytest.approx(people.middle * 4500 * carbon.CAR.kg.middle)


# --- sandbox ------------------------------------------------------------------------------------------------
def frozen(days: int = 70, *, storage: energy.Storage | None = None) -> sandbox.Frozen:
    chance = np.random.default_rng(2)
    load = 20 + 5 * np.sin(np.arange(24) / 4)[None] + chance.normal(0, 1, (days, 24))
    sun = np.maximum(np.sin((np.arange(24) - 6) / 12 * np.pi), 0)[None] * chance.uniform(5, 40, (days, 1))
    return sandbox.Frozen({"load": load, "solar": sun}, 0, {}, storage or energy.Storage())


def test_a_sandbox_answers_the_same_again_and_keeps_its_books() -> None:
    one, again = (sandbox.run(frozen(), hours=30 * 24, seed=4) for _ in range(2))
    for name, line in one.items():
        np.testing.assert_array_equal(line.middle, again[name].middle)
        assert (line.low <= line.high + 1e-9).all()
        assert line.middle.shape == (720,)
    other = sandbox.run(frozen(), hours=48, seed=5)
    assert (other["load"].middle != one["load"].middle[:48]).any()
    books = one["load"].middle - one["solar"].middle - one["bought"].middle + one["sent"].middle
    np.testing.assert_allclose(books, 0, atol=1e-9)


def test_what_is_added_in_a_sandbox_does_what_it_should() -> None:
    plain = sandbox.run(frozen(), hours=240, seed=1)
    more = sandbox.run(frozen(), hours=240, seed=1, more_solar=1.0)
    np.testing.assert_allclose(more["solar"].middle, 2 * plain["solar"].middle)
    stored = sandbox.run(frozen(), hours=240, seed=1, more_solar=1.0, added=energy.Storage(400, 100))
    assert stored["bought"].middle.sum() < more["bought"].middle.sum()


def test_a_sandbox_begins_with_the_stored_forecast_and_its_band_holds_what_comes() -> None:
    base = frozen()
    told = np.full(48, 90.0)
    found = sandbox.run(sandbox.Frozen(base.history, 0, {"load": told}), hours=72, seed=1)
    np.testing.assert_allclose(found["load"].middle[:48], told, atol=1e-6)
    assert found["load"].middle[48:].max() < 40
    inside = (base.history["load"][-1] >= found["load"].low[48:]) & (
        base.history["load"][-1] <= found["load"].high[48:]
    )
    assert inside.mean() > 0.7
    assert sandbox.run(sandbox.Frozen({}, 0), hours=48, seed=1) == {}
