"""The community optimum in classes, windows and by plans over a horizon, against the whole linear programme."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import decomposition, heat, optimum, programme, rolling, simulate
from energy.engine.community import Battery, Community, Heat, Member, Vehicle
from energy.engine.decomposition import Connection
from energy.engine.programme import Store
from energy.engine.refusals import Infeasible


def store(steps: int, kwh: float, kw: float, eta: float = 0.95, **more: object) -> Store:
    return Store(kwh, kw, kw, eta, np.zeros(steps), np.zeros(steps, dtype=np.bool_), **more)  # type: ignore[arg-type]


def connection(
    seed: int, steps: int, *, limit: float | None = None, cyclic: bool = False, size: float = 1.0
) -> Connection:
    """Tariff by the hour, sun by day."""
    dice, hour = np.random.default_rng(seed), np.arange(steps) % 24
    pv = (
        np.maximum(0, 3 * np.sin((hour - 6) / 12 * np.pi))
        * np.repeat(dice.uniform(0.1, 1, steps // 24 + 1), 24)[:steps]
    )
    net = dice.gamma(2, 0.5, steps) - pv
    buy = np.where((hour >= 16) & (hour < 21), 0.54, 0.22)
    return Connection(net * size, pv * size, buy, np.full(steps, 0.08), limit, cyclic)


# --- bound ----------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 100_000),
    loss=st.sampled_from([0.0, 0.05]),
    cyclic=st.booleans(),
    least=st.sampled_from([0.05, -0.3]),
    gives=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_what_a_storage_pays_at_prices_is_its_linear_programme(
    seed: int, loss: float, cyclic: bool, least: float, gives: bool
) -> None:
    """With losses, trips, absences and prices below zero; a cyclic one at the seam price of the programme."""
    dice, steps = np.random.default_rng(seed), 30
    price = dice.uniform(least, 0.5, steps)
    away, trips = np.zeros(steps, dtype=bool), np.zeros(steps)
    away[7:10] = away[20:22] = True
    trips[10], trips[22] = 0.8, 0.5
    one = Store(4.0, 1.1, 0.9 * gives, 0.9, trips, away, loss, None if gives else dice.uniform(1.0, 3.0, steps))
    nothing = np.zeros(steps)
    lp = programme.solve(nothing, nothing, price, price, [one], limit_step_kwh=None, cyclic=cyclic)
    paid = [
        decomposition.least_cost(
            price, trips, away, 4.0, 1.1, 0.9 * gives, one.charged, 0.9, 1 - loss, cyclic, float(worth)
        )
        for worth in (lp.worth[0, 0], lp.worth[0, 0] * 1.3)
    ]
    assert paid[0] == pytest.approx(lp.cost, abs=1e-7)
    assert paid[1] <= lp.cost + 1e-9  # any price over the seam is a bound
    assert decomposition.store_cost(one, price, cyclic=cyclic) == pytest.approx(lp.cost, abs=1e-7)


@pytest.mark.parametrize(("limit", "cyclic"), [(None, False), (6.0, True)])
def test_windows_begin_the_simplex_and_the_whole_period_ends_it(limit: float | None, cyclic: bool) -> None:
    at = connection(3, 600, limit=limit, cyclic=cyclic, size=3.0)
    stores = [store(600, 12.0, 3.0), store(600, 20.0, 4.0, 0.9, loss=0.01), store(600, 6.0, 3.0)]
    whole = decomposition.whole(at, stores)
    found = decomposition.solve(at, stores)
    assert found.solution.cost == pytest.approx(whole.cost, rel=1e-9)
    assert found.bound == pytest.approx(whole.cost, rel=1e-8)
    assert found.gap <= 1e-8
    assert found.store_values.sum() == pytest.approx(whole.store_values.sum(), abs=1e-4)
    by_window, _held = decomposition.windows(at, stores)
    assert by_window.cost >= whole.cost - 1e-9


def fleet(dice: np.random.Generator, steps: int, homes: int) -> list[Store]:
    """Batteries, and vehicles of two absences, no two alike."""
    made = [store(steps, float(dice.uniform(3, 12)), float(dice.uniform(1, 5))) for _ in range(homes)]
    hour = np.arange(steps) % 24
    for k in range(homes):
        away = (hour >= 8) & (hour < (17 if k % 2 else 15))
        back = np.zeros(steps, dtype=bool)
        back[1:] = away[:-1] & ~away[1:]
        trips = np.where(back, dice.uniform(3, 10), 0.0)
        made.append(Store(dice.uniform(40, 80), kw := dice.choice([3.7, 7.4, 11]), kw, 0.95, trips, away))
    return made


def test_storages_cut_into_classes_are_feasible_and_the_bound_is_below_the_whole() -> None:
    """60 storages as a dozen classes: between bound and answer lies the optimum of all 60."""
    steps = 120
    stores = fleet(np.random.default_rng(5), steps, 30)
    at = connection(5, steps, limit=90.0, cyclic=True, size=30.0)
    whole = decomposition.whole(at, stores)
    few = decomposition.solve(at, stores, most_classes=14, target_gap=0.0)
    more = decomposition.solve(at, stores, most_classes=24, target_gap=0.0)
    slack = 1e-7 * whole.cost
    for found in (few, more):
        assert found.bound <= whole.cost + slack
        assert whole.cost <= found.solution.cost + slack
        assert found.gap < 0.02
        assert "cut into classes" in found.method
        assert sum(p.kwh for p in found.parts) == pytest.approx(sum(s.kwh for s in stores))
        assert sum(p.charge_step_kwh for p in found.parts) == pytest.approx(sum(s.charge_step_kwh for s in stores))
        assert sum(p.trips_kwh.sum() for p in found.parts) == pytest.approx(sum(s.trips_kwh.sum() for s in stores))
    assert few.classes <= 14 < more.classes <= 24
    assert more.gap <= few.gap + 1e-9


def test_only_windows_where_classes_are_too_many() -> None:
    steps = 240
    stores = fleet(np.random.default_rng(6), steps, 12)
    at = connection(6, steps, size=12.0)
    found = decomposition.solve(at, stores, most_classes=2)
    assert "in windows" in found.method
    assert found.bound <= decomposition.whole(at, stores).cost + 1e-6 <= found.solution.cost + 1e-5
    assert found.gap < 0.05


# --- rolling --------------------------------------------------------------------------------------------


def test_plans_that_see_all_are_the_optimum() -> None:
    at = connection(7, 96, limit=7.0, cyclic=False, size=2.0)
    stores = [store(96, 8.0, 2.0), store(96, 14.0, 3.0, 0.9)]
    look = rolling.Look(96, 96, 24, "perfect")
    found = rolling.together(at, stores, look, np.zeros(2))
    assert found.cost == pytest.approx(decomposition.whole(at, stores).cost, rel=1e-8)
    assert found.breaches == 0
    one = rolling.alone(dataclasses.replace(at, limit_step_kwh=None), stores[:1], look, np.zeros(1))
    free = dataclasses.replace(at, limit_step_kwh=None)
    assert one.cost == pytest.approx(decomposition.whole(free, stores[:1]).cost, rel=1e-8)


def test_naive_plans_know_nothing_that_is_to_come() -> None:
    """What is done up to a step stays, whatever is used and made after it."""
    at = connection(8, 120, size=2.0)
    other = at.net_kwh.copy()
    other[61:] = np.random.default_rng(1).normal(0, 3, 59)
    changed = dataclasses.replace(at, net_kwh=other, pv_kwh=np.maximum(at.pv_kwh, -other))
    stores = [store(120, 8.0, 2.0), store(120, 14.0, 3.0, 0.9)]
    look = rolling.Look.of(30, "naive", 1.0)
    for run in (rolling.alone, rolling.together):
        a, b = (run(c, stores, look, np.zeros(2)) for c in (at, changed))
        np.testing.assert_allclose(a.stored_kwh[:61], b.stored_kwh[:61], atol=1e-9)
        assert np.abs(a.stored_kwh[61:] - b.stored_kwh[61:]).max() > 0.1
    assert rolling.foreseen(at.net_kwh, 60, 3, look) == pytest.approx(at.net_kwh[[60, 37, 38]])
    assert rolling.foreseen(at.net_kwh, 60, 30, look)[25] == at.net_kwh[37]


@pytest.mark.parametrize("forecast", rolling.FORECASTS)
def test_vehicles_make_their_trips_however_short_plans_look(forecast: str) -> None:
    """Six hours ahead do not see the evening; the need does. Balance and states close in every step."""
    steps, dice = 168, np.random.default_rng(9)
    car = Vehicle(30, 3.7, 9, 7 * 60, 17 * 60)
    members = tuple(
        Member(f"m{i}", f"M {i}", battery=Battery(6, 3), vehicle=dataclasses.replace(car, v2g=i > 0)) for i in range(2)
    )
    at = connection(9, steps)
    load, pv = dice.gamma(2, 0.4, (2, steps)), np.array([at.pv_kwh, at.pv_kwh * 0.5])
    c = Community(
        "t", "EUR", "UTC", dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 60, members, load, pv, at.buy, at.sell,
        grid_limit_kw=30.0, cyclic=True, battery=Battery(8, 4),
    )  # fmt: skip
    found = simulate.simulate(c, control="optimal", horizon_hours=6, forecast=forecast)
    engine, totals, s = found.document["engine"], found.document["totals"], found.series
    assert engine["forecast"] == forecast
    assert engine["value_of_forecast"] == pytest.approx(totals["cost"] - engine["cost_with_foresight"])
    assert engine["value_of_forecast"] > -1e-6
    best = simulate.simulate(c, control="optimal", sharing_rule="equal").document
    assert best["totals"]["cost"] == pytest.approx(engine["cost_with_foresight"], rel=1e-9)
    assert found.document["separate"]["cost"] >= best["separate"]["cost"] - 1e-6
    balance = s["load"] - s["pv"] + s["charge"] - s["discharge"] - s["import"] + s["export"]
    assert np.abs(balance).max() < 1e-6  # nothing had to be curtailed
    assert s["stored"].min() >= 0
    assert engine["grid_limit_breaches"] == 0


def test_needs_look_back_from_the_trips() -> None:
    trips, away = np.array([0.0, 0, 0, 0, 3.0, 0]), np.array([False, False, True, True, False, False])
    car = Store(5.0, 1.0, 1.0, 1.0, trips, away)
    assert rolling.needs(car) == pytest.approx([0, 1, 2, 2, 2, 0, 0])
    with pytest.raises(Infeasible, match="raise ev_kw"):
        rolling.needs(dataclasses.replace(car, trips_kwh=trips * 3))


def test_a_battery_alone_and_a_vehicle_alone_are_what_the_programme_says() -> None:
    """Two storages of a home: the simplex begins where the kernel left them, one after the other."""
    steps, dice = 480, np.random.default_rng(11)
    at = connection(11, steps)
    home = Member("m", "M", battery=Battery(6, 3), vehicle=Vehicle(40, 7.4, 8, 7 * 60, 17 * 60))
    c = Community(
        "t", "EUR", "UTC", dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 60, (home,), dice.gamma(2, 0.4, (1, steps)),
        at.pv_kwh[None], at.buy, at.sell, cyclic=True,
    )  # fmt: skip
    whole = decomposition.whole(
        dataclasses.replace(optimum.connection(c), limit_step_kwh=None), optimum.stores_of(home, c)
    )
    assert optimum.alone(c, 0).cost == pytest.approx(whole.cost, rel=1e-9)


# --- heat pumps -----------------------------------------------------------------------------------------


def heated(*, tank_kwh: float, cyclic: bool = True, kw: float = 3.0) -> Community:
    steps, dice = 192, np.random.default_rng(12)
    at, hour = connection(12, steps), np.arange(steps) % 24
    outdoor = 2.0 - 6 * np.cos((hour - 3) / 12 * np.pi)
    warm = Heat(kw, np.maximum(0.0, 4.0 - 0.15 * outdoor), heat.standard_cop(outdoor), tank_kwh, 0.01)
    home = Member("a", "A", heat_pump_kw=kw, heat=warm)
    members = (home, Member("b", "B", battery=Battery(5, 2)), Member("c", "C", heat_pump_kw=kw, heat=warm))
    load, pv = dice.gamma(2, 0.3, (3, steps)), np.tile(at.pv_kwh, (3, 1))
    load[[0, 2]] += heat.follow(warm, 1.0, cyclic=cyclic)
    return Community(
        "t", "EUR", "UTC", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 60, members, load, pv, at.buy, at.sell, cyclic=cyclic
    )  # fmt: skip


def test_a_pump_follows_its_demand_and_works_ahead_only_where_it_must() -> None:
    demand, cop = np.array([1.0, 1.0, 7.0, 0.0]), np.array([3.0, 3.0, 2.5, 3.0])
    power = heat.follow(Heat(2.0, demand, cop, 5.0, 0.0), 1.0)
    assert power == pytest.approx([1 / 3, 1.0, 2.0, 0.0])  # 5 of 7 kWh at once, 2 kWh the hour before
    with pytest.raises(Infeasible, match="heat_pump_kw"):
        heat.follow(Heat(2.0, demand, cop, 1.0, 0.0), 1.0)
    assert heat.standard_cop(np.array([2.0, -30.0, 34.0])) == pytest.approx([0.45 * 308.15 / 33, 0.45 * 308.15 / 65, 6])


def test_a_tank_moves_heat_into_the_sun_and_the_books_close() -> None:
    with_tank, without = heated(tank_kwh=12.0), heated(tank_kwh=0.0)
    best = simulate.simulate(with_tank, control="optimal", sharing_rule="equal")
    plain = simulate.simulate(without, control="optimal", sharing_rule="equal")
    totals, s = best.document["totals"], best.series
    assert totals["cost"] < plain.document["totals"]["cost"] - 0.5
    assert totals["load_kwh"] == plain.document["totals"]["load_kwh"]
    balance = s["load"] - s["pv"] + s["charge"] - s["discharge"] - s["import"] + s["export"]
    assert np.abs(balance).max() < 1e-6
    assert best.document["engine"]["gap"] < 1e-6
    # the two pumps are one class; what each tank saves is what the programme says
    c = heat.apart(with_tank)
    found = optimum.answer(c)
    assert found.classes == 2
    assert found.store_values.sum() == pytest.approx(found.solution.store_values.sum(), abs=1e-6)
    assert found.store_values[0] == pytest.approx(found.store_values[2])
    # by the programme written out: heat in = heat out + losses
    pump = optimum.stores_of(c.members[0], c)[0]
    lp = found.solution
    k = next(i for i, part in enumerate(found.parts) if part.gain is not None)
    made, held = lp.charge_kwh[k] * pump.charged, lp.stored_kwh[k]
    lost = np.roll(held, 1) * pump.loss
    np.testing.assert_allclose(held - np.roll(held, 1) + lost, made - 2 * pump.trips_kwh, atol=1e-6)


@pytest.mark.parametrize("forecast", rolling.FORECASTS)
def test_pumps_by_plans_keep_homes_warm(forecast: str) -> None:
    c = heated(tank_kwh=12.0)
    found = simulate.simulate(c, control="optimal", horizon_hours=24, forecast=forecast)
    assert found.document["engine"]["value_of_forecast"] > -1e-6
    s = found.series
    balance = s["load"] - s["pv"] + s["charge"] - s["discharge"] - s["import"] + s["export"]
    assert np.abs(balance).max() < 1e-6
    by_rule = simulate.simulate(c, control="rule").document["totals"]["cost"]
    if forecast == "perfect":
        assert found.document["totals"]["cost"] < by_rule
