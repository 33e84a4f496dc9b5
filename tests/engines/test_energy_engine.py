"""The engine of energy on small and random communities, against the definitions, textbook games and the
linear programme.
"""

import datetime as dt
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import dispatch, game, kpi, levels, netting, programme, rule, sharing, simulate
from energy.engine.community import Battery, Community, Member, Vehicle
from energy.engine.refusals import Infeasible, NotDefined

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def community(
    load: np.ndarray,
    pv: np.ndarray,
    *,
    members: list[Member] | None = None,
    buy: np.ndarray | None = None,
    sell: float = 0.08,
    step_minutes: int = 60,
    battery: Battery | None = None,
    cyclic: bool = False,
    limit: float | None = None,
) -> Community:
    n, steps = load.shape
    return Community(
        name="test",
        currency="EUR",
        timezone="UTC",
        start=START,
        step_minutes=step_minutes,
        members=tuple(members or [Member(f"m{i}", f"M {i}", pv_kwp=1.0) for i in range(n)]),
        load_kwh=load.astype(float),
        pv_kwh=pv.astype(float),
        import_price=np.full(steps, 0.30) if buy is None else buy,
        export_price=np.full(steps, sell),
        co2_kg_per_kwh=np.full(steps, 0.2),
        battery=battery,
        cyclic=cyclic,
        grid_limit_kw=limit,
    )


def some(seed: int, n: int, steps: int, **more: object) -> Community:
    dice = np.random.default_rng(seed)
    load = dice.gamma(1.5, 0.6, (n, steps))
    pv = np.maximum(0, dice.normal(0.5, 1.5, (n, steps)))
    return community(load, pv, **more)  # type: ignore[arg-type]


# --- definitions ----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_without_storage_the_two_shares_are_one_energy(seed: int, n: int) -> None:
    """Self-consumption x made = self-sufficiency x used: both are the energy that never met the grid."""
    result = simulate.simulate(some(seed, n, 48), control="none").document
    for part in ("totals", "separate"):
        t = result[part]
        assert t["self_consumption"] * t["pv_kwh"] == pytest.approx(t["self_sufficiency"] * t["load_kwh"], rel=1e-9)
        assert t["load_kwh"] + t["export_kwh"] == pytest.approx(t["pv_kwh"] + t["import_kwh"], rel=1e-12)
    assert result["totals"]["import_kwh"] <= result["separate"]["import_kwh"] + 1e-9


def test_figures_by_hand() -> None:
    c = community(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([[0.0, 3.0], [1.0, 0.0]]))
    t = simulate.simulate(c, control="none").document
    assert t["totals"]["import_kwh"] == 2.0  # (2 + -1) + (-2 + 3)
    assert t["totals"]["export_kwh"] == 0.0
    assert t["totals"]["self_consumption"] == 1.0
    assert t["separate"]["import_kwh"] == 5.0
    assert t["separate"]["export_kwh"] == 3.0
    assert t["separate"]["self_consumption"] == pytest.approx(0.25)
    assert t["totals"]["prosumer_ratio"] == pytest.approx(4 / 6)
    assert t["totals"]["cost"] == pytest.approx(0.60)
    assert t["separate"]["cost"] == pytest.approx(1.5 - 0.24)
    assert t["totals"]["co2_kg"] == pytest.approx(0.4)
    assert t["totals"]["peak_import_kw"] == 1.0


def test_nothing_made_and_nothing_used_have_no_ratio() -> None:
    t = simulate.simulate(community(np.zeros((1, 4)), np.zeros((1, 4))), control="none").document["totals"]
    assert (t["prosumer_ratio"], t["self_consumption"], t["self_sufficiency"]) == (None, None, None)


def test_quarter_hours_are_powers_times_four() -> None:
    c = community(np.array([[1.0, 0.5]]), np.zeros((1, 2)), step_minutes=15)
    assert simulate.simulate(c, control="none").document["totals"]["peak_import_kw"] == 4.0


def test_gini() -> None:
    assert kpi.gini(np.array([1.0, 1.0, 1.0])) == pytest.approx(0)
    assert kpi.gini(np.array([0.0, 0.0, 3.0])) == pytest.approx(2 / 3)
    assert kpi.gini(np.array([-1.0, 1.0])) is None


# --- rule -----------------------------------------------------------------------------------------------


def home(battery: Battery | None, vehicle: Vehicle | None = None) -> list[Member]:
    return [Member("m0", "M 0", pv_kwp=1.0, battery=battery, vehicle=vehicle)]


def plain_rule(net: np.ndarray, kwh: float, step_kwh: float, eta: float) -> tuple[np.ndarray, np.ndarray]:
    """The same rule in plain Python, written from its words."""
    held, out, stored = 0.0, [], []
    for need in net:
        if need < 0:
            into = min(-need, step_kwh, (kwh - held) / eta)
            held += into * eta
            out.append(need + into)
        else:
            back = min(need, step_kwh, held * eta)
            held -= back / eta
            out.append(need - back)
        stored.append(held)
    return np.array(out), np.array(stored)


@given(seed=st.integers(0, 10_000), kwh=st.floats(0.5, 20), kw=st.floats(0.2, 8), efficiency=st.floats(0.5, 1.0))
@settings(deadline=None, max_examples=60)
def test_the_rule_by_its_words_and_its_balance(seed: int, kwh: float, kw: float, efficiency: float) -> None:
    base = some(seed, 1, 96, members=home(Battery(kwh, kw, efficiency)))
    flows = rule.dispatch(base)
    out, stored = plain_rule(base.net_kwh[0], kwh, kw, math.sqrt(efficiency))
    np.testing.assert_allclose(flows.net_kwh[0], out, atol=1e-12)
    np.testing.assert_allclose(flows.stored_kwh, stored, atol=1e-12)
    balance = base.load_kwh[0] - base.pv_kwh[0] + flows.charge_kwh - flows.discharge_kwh - flows.net_kwh[0]
    assert np.abs(balance).max() < 1e-9
    eta = math.sqrt(efficiency)
    kept = np.diff(np.concatenate(([0.0], flows.stored_kwh))) - flows.charge_kwh * eta + flows.discharge_kwh / eta
    assert np.abs(kept).max() < 1e-9
    assert flows.stored_kwh.min() >= 0
    assert flows.stored_kwh.max() <= kwh + 1e-12


@given(seed=st.integers(0, 1_000))
@settings(deadline=None, max_examples=20)
def test_members_and_community_battery_balance(seed: int) -> None:
    members = [Member(f"m{i}", f"M {i}", pv_kwp=1.0, battery=Battery(4, 2, 0.9) if i % 2 else None) for i in range(5)]
    c = some(seed, 5, 120, members=members, battery=Battery(10, 4, 0.81))
    flows = rule.dispatch(c)
    balance = c.net_kwh.sum(axis=0) + flows.charge_kwh - flows.discharge_kwh - flows.grid_kwh
    assert np.abs(balance).max() < 1e-9


def test_a_cyclic_community_ends_as_it_began() -> None:
    c = some(3, 1, 240, members=home(Battery(8, 3, 0.9)), cyclic=True)
    flows = rule.dispatch(c)
    eta = math.sqrt(0.9)
    start = flows.stored_kwh[0] - flows.charge_kwh[0] * eta + flows.discharge_kwh[0] / eta
    assert flows.stored_kwh[-1] == pytest.approx(start, abs=1e-8)


def test_a_vehicle_drives_what_it_charged() -> None:
    car = Vehicle(40, 7.4, 8, 8 * 60, 17 * 60, 0.95)
    c = community(np.full((1, 72), 0.5), np.zeros((1, 72)), members=home(None, car))
    flows = rule.dispatch(c)
    assert flows.vehicle_kwh == pytest.approx(24.0)
    assert flows.unserved_kwh == 0.0
    away = (c.local_minute >= 480) & (c.local_minute < 1020)
    assert flows.vehicle_charge_kwh[away].max() == 0.0
    held = flows.stored_kwh[-1]
    assert flows.vehicle_charge_kwh.sum() * 0.95 == pytest.approx(24.0 + held, abs=1e-9)
    assert simulate.simulate(c, control="rule").document["totals"]["load_kwh"] == pytest.approx(36 + 24)


def test_no_control_lets_batteries_stand_idle() -> None:
    c = some(5, 1, 48, members=home(Battery(8, 3, 0.9)))
    np.testing.assert_array_equal(netting.net(c).grid_kwh, c.net_kwh[0])


# --- one storage, exactly -------------------------------------------------------------------------------


@st.composite
def storages(draw: st.DrawFn) -> tuple[dispatch.Task, dispatch.Storage, bool]:
    steps = draw(st.integers(2, 40))
    dice = np.random.default_rng(draw(st.integers(0, 1_000_000)))
    net = dice.normal(0.2, 1.5, steps)
    pv = np.maximum(-net, 0) + dice.uniform(0, 0.5, steps)
    buy = dice.choice([0.15, 0.22, 0.54], steps) if draw(st.booleans()) else dice.uniform(0.05, 0.6, steps)
    sell = np.minimum(buy, dice.uniform(0.0, 0.2, steps))
    away, trips = np.zeros(steps, dtype=bool), np.zeros(steps)
    if draw(st.booleans()) and steps > 12:
        away[6:9] = True
        trips[9] = draw(st.floats(0.1, 1.0))
    give = draw(st.sampled_from([1.0, 0.0]))
    kw = draw(st.floats(0.5, 3))
    storage = dispatch.Storage(draw(st.floats(1.5, 8)), kw, kw * give, draw(st.floats(0.7, 1.0)))
    return dispatch.Task(net, pv, buy, sell, trips, away), storage, draw(st.booleans())


@given(case=storages())
@settings(deadline=None, max_examples=60)
def test_the_kernel_equals_the_linear_programme(case: tuple[dispatch.Task, dispatch.Storage, bool]) -> None:
    task, storage, cyclic = case
    store = programme.Store(
        storage.kwh,
        storage.charge_step_kwh,
        storage.discharge_step_kwh,
        storage.efficiency,
        task.trips_kwh,
        task.away,
    )
    try:
        expected = programme.solve(
            task.net_kwh,
            task.pv_kwh,
            task.import_price,
            task.export_price,
            [store],
            limit_step_kwh=None,
            cyclic=cyclic,
        ).cost
    except Infeasible:
        with pytest.raises(Infeasible):
            dispatch.best(task, storage, cyclic=cyclic)
        return
    found = dispatch.best(task, storage, cyclic=cyclic)
    assert found.cost == pytest.approx(expected, rel=1e-7, abs=1e-6)
    paid = np.maximum(found.net_kwh, 0) * task.import_price - np.maximum(-found.net_kwh, 0) * task.export_price
    assert float(paid.sum()) == pytest.approx(found.cost, abs=1e-7)
    assert found.stored_kwh.min() >= -1e-8
    assert found.stored_kwh.max() <= storage.kwh + 1e-8
    change = np.diff(found.stored_kwh) + task.trips_kwh
    assert (change <= storage.charge_step_kwh * storage.efficiency + 1e-8).all()
    assert (change >= -storage.discharge_step_kwh / storage.efficiency - 1e-8).all()
    assert np.abs(change[task.away]).max(initial=0.0) < 1e-8
    if cyclic:
        assert found.stored_kwh[-1] == pytest.approx(found.stored_kwh[0], abs=1e-7)


@given(seed=st.integers(0, 100_000))
@settings(deadline=None, max_examples=40)
def test_negative_prices_with_a_shared_converter(seed: int) -> None:
    """Where prices fall below zero the kernel answers the programme with c/Pc + d/Pd <= 1 and solar that may
    be curtailed.
    """
    from scipy.optimize import linprog

    dice = np.random.default_rng(seed)
    steps = 12
    pv = dice.uniform(0, 3, steps)
    net = dice.uniform(0, 2, steps) - pv
    buy = dice.uniform(-0.3, 0.5, steps)
    sell = buy - dice.uniform(0, 0.2, steps)
    storage = dispatch.Storage(4.0, 1.5, 2.0, 0.9)
    found = dispatch.best(dispatch.Task.at_home(net, pv, buy, sell), storage)
    one, zero = np.eye(steps), np.zeros((steps, steps))
    back = np.eye(steps, k=-1)
    # columns: import, export, curtailed, charge, discharge, held
    balance = np.hstack([one, -one, -one, -one, one, zero])
    continuity = np.hstack([zero, zero, zero, -0.9 * one, one / 0.9, one - back])
    converter = np.hstack([zero, zero, zero, one / 1.5, one / 2.0, zero])
    bounds = (
        [(0, None)] * (2 * steps) + [(0, x) for x in pv] + [(0, 1.5)] * steps + [(0, 2.0)] * steps + [(0, 4.0)] * steps
    )
    costs = np.concatenate([buy, -sell, np.zeros(4 * steps)])
    answer = linprog(
        costs,
        A_ub=converter,
        b_ub=np.ones(steps),
        A_eq=np.vstack([balance, continuity]),
        b_eq=np.concatenate([net, np.zeros(steps)]),
        bounds=bounds,
        method="highs",
    )
    assert answer.status == 0
    assert found.cost == pytest.approx(answer.fun, abs=1e-6)


@given(seed=st.integers(0, 100_000), homes=st.integers(1, 40), steps=st.integers(2, 60))
@settings(deadline=None, max_examples=25)
def test_many_homes_are_each_home(seed: int, homes: int, steps: int) -> None:
    """With trips, absences, storages of all sizes and prices below zero; in two threads."""
    dice = np.random.default_rng(seed)
    pv = dice.uniform(0, 3, (homes, steps))
    net = dice.uniform(0, 2, (homes, steps)) - pv
    buy = dice.uniform(-0.2, 0.5, steps)
    sell = buy - dice.uniform(0, 0.2, steps)
    away = dice.random((homes, steps)) < 0.2
    trips = np.where(dice.random((homes, steps)) < 0.05, 0.1, 0.0)
    trips[:, : steps // 3] = 0.0
    trips[away] = 0.0
    sizes = dice.uniform((0.5, 0.2, 0.0, 0.7), (200.0, 3.0, 3.0, 1.0), (homes, 4)).tolist()
    storages = [dispatch.Storage(*size) for size in sizes]
    tasks = [dispatch.Task(net[i], pv[i], buy, sell, trips[i], away[i]) for i in range(homes)]

    def many() -> tuple[np.ndarray, np.ndarray]:
        return dispatch.best_many(net, pv, buy, sell, storages, trips_kwh=trips, away=away, threads=2)

    found = []
    for i, (task, storage) in enumerate(zip(tasks, storages, strict=True)):
        try:
            found.append(dispatch.best(task, storage))
        except Infeasible:
            with pytest.raises(Infeasible, match=f"home {i} "):
                many()
            return
    costs, stored = many()
    np.testing.assert_array_equal(costs, [f.cost for f in found])
    np.testing.assert_array_equal(stored, [f.stored_kwh for f in found])
    assert stored.min() >= -1e-9
    assert (stored.max(axis=1) <= [s.kwh + 1e-9 for s in storages]).all()


@given(seed=st.integers(0, 1_000_000))
@settings(deadline=None, max_examples=150)
def test_levels_answer_what_pieces_do(seed: int) -> None:
    """A tariff of few prices goes by levels; the same tariff with each price a hair off, hence many, goes by pieces."""
    dice = np.random.default_rng(seed)
    steps = int(dice.integers(1, 80))
    pv = dice.uniform(0, 3, steps) * (dice.random(steps) < 0.5)
    net = np.where(dice.random(steps) < 0.1, 0.0, dice.uniform(0, 2, steps) - pv)
    sell = dice.choice([0.0, 0.08, 0.2], steps)
    buy = np.maximum(sell, dice.choice([0.08, 0.21, 0.5], steps))
    away = dice.random(steps) < 0.1
    trips = np.where((dice.random(steps) < 0.1) & ~away, dice.uniform(0, 0.4, steps), 0.0)
    storage = dispatch.Storage(*dice.uniform((0.0, 0.0, 0.0, 0.7), (6.0, 3.0, 3.0, 1.0)).tolist())
    task, cyclic = dispatch.Task(net, pv, buy, sell, trips, away), bool(dice.random() < 0.5)
    hair = np.arange(steps) * 1e-12
    many = dispatch.Task(net, pv, buy + hair, sell + hair / 2, trips, away)
    assert levels.tariff(buy, sell)[0] > 0
    assert levels.tariff(many.import_price, many.export_price)[0] == 0 or steps <= levels.PAIRS
    try:
        expected = dispatch.best(many, storage, cyclic=cyclic)
    except Infeasible:
        with pytest.raises(Infeasible):
            dispatch.best(task, storage, cyclic=cyclic)
        return
    found = dispatch.best(task, storage, cyclic=cyclic)
    assert found.cost == pytest.approx(expected.cost, abs=1e-7)
    assert found.stored_kwh.min() >= -1e-9
    assert found.stored_kwh.max() <= storage.kwh + 1e-9
    paid = np.maximum(found.net_kwh, 0) * buy - np.maximum(-found.net_kwh, 0) * sell
    assert float(paid.sum()) == pytest.approx(found.cost, abs=1e-9)


def test_more_prices_than_levels_go_by_pieces() -> None:
    buy = np.arange(1, 14) / 20
    assert levels.tariff(buy[:12], np.zeros(12))[0] == 12
    assert levels.tariff(buy, np.zeros(13))[0] == 0
    assert levels.tariff(np.array([0.1]), np.array([-0.1]))[0] == 0
    task = dispatch.Task.at_home(np.ones(12), np.zeros(12), buy[:12], np.zeros(12))  # 12 pairs, but 25 slopes
    assert dispatch.best(task, dispatch.Storage(2.0, 1.0, 1.0, 0.9)).cost == pytest.approx(
        dispatch.best(dispatch.Task.at_home(np.ones(12), np.zeros(12), buy[:12], -np.full(12, 1e-12)),
                      dispatch.Storage(2.0, 1.0, 1.0, 0.9)).cost
    )  # fmt: skip


def test_pieces_may_be_as_many_as_steps_make_them() -> None:
    """A large store with a thin wire and a new price each step: far more pieces than a home has."""
    dice = np.random.default_rng(9)
    steps = 3000
    buy = dice.uniform(0.1, 0.5, steps)
    task = dispatch.Task.at_home(dice.normal(0, 1, steps), np.zeros(steps), buy, buy * dice.uniform(0, 1, steps))
    thin, none = dispatch.Storage(500.0, 0.1, 0.1, 0.95), dispatch.Storage(0.0, 0.0, 0.0, 1.0)
    found, idle = dispatch.best(task, thin), dispatch.best(task, none)
    bought, sold = np.maximum(found.net_kwh, 0), np.maximum(-found.net_kwh, 0)
    assert float((bought * task.import_price - sold * task.export_price).sum()) == pytest.approx(found.cost, abs=1e-8)
    assert found.cost < idle.cost
    assert found.stored_kwh.max() > 1


def test_a_trip_before_any_charge_is_refused() -> None:
    steps = 4
    trips = np.array([1.0, 0, 0, 0])
    task = dispatch.Task(
        np.ones(steps),
        np.zeros(steps),
        np.full(steps, 0.3),
        np.full(steps, 0.1),
        trips,
        np.zeros(steps, bool),
    )
    with pytest.raises(Infeasible, match="lower ev_kwh_per_day"):
        dispatch.best(task, dispatch.Storage(4.0, 0.5, 0.5, 0.95))


# --- the whole community --------------------------------------------------------------------------------


def explained(lp: programme.Solution, c: Community, limit: float | None) -> float:
    """The cost as the duals tell it."""
    limits = 0.0 if limit is None or lp.limit_value is None else float(lp.limit_value.sum()) * limit
    cost = float(lp.price @ c.net_kwh.sum(axis=0))
    return cost - float(lp.curtail_value.sum()) - float(lp.store_values.sum()) - limits


@pytest.mark.parametrize(
    ("sell", "cyclic", "limit"), [(0.08, False, None), (0.08, True, 2.6), (-0.05, False, None), (-0.05, True, 3.0)]
)
def test_the_duals_explain_the_cost(sell: float, cyclic: bool, limit: float | None) -> None:
    """Strong duality: energy at its price, less what storages, the limit and curtailing save, is the cost."""
    from energy.engine import optimum

    car = Vehicle(20, 3.7, 4, 480, 1020)
    members = [Member(f"m{i}", f"M {i}", pv_kwp=1.0, battery=Battery(4, 2, 0.9), vehicle=car) for i in range(2)]
    buy = np.random.default_rng(8).uniform(sell, 0.5, 72)
    c = some(8, 2, 72, members=members, sell=sell, cyclic=cyclic, limit=limit, buy=buy, battery=Battery(6, 2, 0.8))
    lp = optimum.together(c)
    assert explained(lp, c, limit) == pytest.approx(lp.cost, abs=1e-6)
    if limit is not None:
        assert lp.limit_value is not None and lp.limit_value.min() >= 0 and lp.limit_value.max() > 0
    if limit is None:
        assert (lp.curtail_value > 0).any() == (sell < 0)
    assert lp.store_values[0] > 0


def test_merging_storages_of_a_class_loses_nothing() -> None:
    """Aggregated by class and with every storage by itself: the same cost."""
    car = Vehicle(20, 3.7, 4, 480, 1020)
    members = [
        Member(
            f"m{i}",
            f"M {i}",
            pv_kwp=1.0,
            battery=Battery(4.0 * (i + 1), 2.0 * (i + 1), 0.9),
            vehicle=car if i < 2 else None,
        )
        for i in range(3)
    ]
    dice = np.random.default_rng(4)
    c = some(
        4,
        3,
        96,
        members=members,
        battery=Battery(6, 2, 0.8),
        limit=9.0,
        buy=dice.uniform(0.1, 0.5, 96),
        cyclic=True,
    )
    from energy.engine import optimum

    stores = [s for m in c.members for s in optimum.stores_of(m, c)] + [optimum.battery_store(c.battery, c)]  # type: ignore[arg-type]
    assert len(optimum.classes(stores)) == 3 < len(stores)
    apart = programme.solve(
        c.net_kwh.sum(axis=0),
        c.pv_kwh.sum(axis=0),
        c.import_price,
        c.export_price,
        stores,
        limit_step_kwh=9.0,
        cyclic=True,
    )
    merged = optimum.together(c)
    assert merged.cost == pytest.approx(apart.cost, rel=1e-8)
    for lp in (apart, merged):
        assert explained(lp, c, 9.0) == pytest.approx(lp.cost, abs=1e-6)
    assert merged.store_values.sum() == pytest.approx(apart.store_values.sum(), abs=1e-6)
    assert merged.rows < apart.rows
    best = simulate.simulate(c, control="optimal", sharing_rule="equal").document
    assert best["totals"]["cost"] == pytest.approx(merged.cost, rel=1e-9)
    assert best["totals"]["cost"] <= simulate.simulate(c, control="rule").document["totals"]["cost"] + 1e-6


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"control": "rule", "sharing_rule": "owen"}, NotDefined, "dual prices"),
        ({"control": "optimal", "horizon_hours": 48, "sharing_rule": "owen"}, NotDefined, "leave the horizon out"),
        ({"control": "optimal", "sharing_rule": "mid-market"}, NotDefined, "local price"),
        ({"control": "none", "horizon_hours": 24}, NotDefined, "do not look ahead"),
        ({"control": "best"}, NotDefined, "none, rule and optimal"),
        ({"control": "none", "sharing_rule": "lottery"}, NotDefined, "not a rule"),
    ],
)
def test_what_has_no_answer_is_refused(asked: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        simulate.simulate(some(1, 3, 24), **asked)  # type: ignore[arg-type]


# --- games ----------------------------------------------------------------------------------------------


def values_of(n: int, worth: "dict[tuple[int, ...], float]") -> np.ndarray:
    """Coalition values by bit mask from values by members."""
    values = np.zeros(1 << n)
    for mask in range(1, 1 << n):
        values[mask] = worth[tuple(i for i in range(n) if mask >> i & 1)]
    return values


def estate(debts: tuple[float, ...], whole: float) -> np.ndarray:
    n = len(debts)
    groups = (s for k in range(1, n + 1) for s in itertools.combinations(range(n), k))
    return values_of(n, {s: max(0.0, whole - sum(d for i, d in enumerate(debts) if i not in s)) for s in groups})


@pytest.mark.parametrize(
    ("savings", "expected"),
    [
        (estate((100, 200, 300), 200), (33.333333333, 83.333333333, 83.333333333)),
        (
            values_of(3, {(0,): 0, (1,): 0, (2,): 0, (0, 1): 0, (0, 2): 1, (1, 2): 1, (0, 1, 2): 1}),
            (1 / 6, 1 / 6, 2 / 3),
        ),
        (
            values_of(
                4,
                {
                    s: float(sum((4, 2, 1, 1)[i] for i in s) >= 5)
                    for k in range(1, 5)
                    for s in itertools.combinations(range(4), k)
                },
            ),
            (3 / 4, 1 / 12, 1 / 12, 1 / 12),
        ),
    ],
)
def test_shapley_of_textbook_games(savings: np.ndarray, expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(game.shapley(savings), expected, atol=1e-8)


def three() -> Community:
    """Three prosumers: net (3, 1, -2) then (-2, 2, 1); import 0.30, export 0.08; worked out by hand."""
    net = np.array([[3.0, -2.0], [1.0, 2.0], [-2.0, 1.0]])
    return community(np.maximum(net, 0), np.maximum(-net, 0))


def test_three_prosumers_by_hand() -> None:
    c = three()
    savings = game.coalition_savings(c.net_kwh, c.import_price, c.export_price)
    np.testing.assert_allclose(savings, [0, 0, 0, 0.44, 0, 0.66, 0.22, 0.88], atol=1e-12)
    np.testing.assert_allclose(game.shapley(savings), [0.403333333333, 0.183333333333, 0.293333333333], atol=1e-9)
    table = sharing.table(c, c.net_kwh, 0.90, netting=True)
    np.testing.assert_allclose(table.cost_alone, [0.74, 0.90, 0.14], atol=1e-12)
    assert table.total_saving == pytest.approx(0.88)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 8))
@settings(deadline=None, max_examples=40)
def test_every_rule_shares_all_and_owen_is_in_the_core(seed: int, n: int) -> None:
    dice = np.random.default_rng(seed)
    c = some(seed, n, 24, buy=dice.uniform(0.1, 0.5, 24))
    cost = simulate.simulate(c, control="none").document["totals"]["cost"]
    table = sharing.table(c, c.net_kwh, cost, netting=True)
    for name in sharing.RULES:
        shared = sharing.share(name, table)
        assert float(shared.savings.sum()) == pytest.approx(table.total_saving, abs=1e-9)
        if name in ("owen", "nucleolus"):
            assert shared.certificate.stable
            assert shared.certificate.worst_excess <= 1e-9  # type: ignore[operator]


@given(seed=st.integers(0, 10_000), n=st.integers(1, 7))
@settings(deadline=None, max_examples=40)
def test_coalition_values_by_their_definition(seed: int, n: int) -> None:
    c = some(seed, n, 700)
    values = game.coalition_savings(c.net_kwh, c.import_price, c.export_price)

    def cost(net: np.ndarray) -> float:
        return float((np.maximum(net, 0) * c.import_price - np.maximum(-net, 0) * c.export_price).sum())

    for mask in range(1, 1 << n):
        group = list(game.members_of(mask))
        plain = sum(cost(c.net_kwh[i]) for i in group) - cost(c.net_kwh[group].sum(axis=0))
        assert values[mask] == pytest.approx(plain, abs=1e-9)


def test_coopgame_agrees_on_shapley() -> None:
    import coopgame

    c = some(11, 6, 50)
    savings = game.coalition_savings(c.net_kwh, c.import_price, c.export_price)
    other = coopgame.shapley(coopgame.Game(list(savings[1:])))
    np.testing.assert_allclose(game.shapley(savings), other, atol=1e-9)


def test_a_large_community_has_owen_by_duality() -> None:
    shared = simulate.simulate(some(2, 40, 100), control="none", sharing_rule="owen").document["sharing"]
    assert shared["stable"] is True
    assert shared["certificate"] == "duality"
    equal = simulate.simulate(some(2, 40, 100), control="none", sharing_rule="equal").document["sharing"]
    assert equal["stable"] is False
    assert equal["worst_excess"] > 0
    assert equal["blocking_coalitions"] is None


def test_the_same_inputs_give_the_same_bits() -> None:
    c = some(9, 20, 200)
    one = simulate.simulate(c, control="none", sharing_rule="shapley", seed=5).document
    two = simulate.simulate(c, control="none", sharing_rule="shapley", seed=5).document
    assert one == two
    assert simulate.simulate(c, control="none", sharing_rule="shapley", seed=6).document != one
