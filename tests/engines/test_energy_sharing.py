"""Sharing: textbook games and other programmes as oracles, intervals that hold, certificates that prove."""

import datetime as dt
import itertools
from pathlib import Path

import coopgame
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import core, costly, decomposition, folder, game, groups, optimum, sharing, simulate
from energy.engine.community import Battery, Community, Member, Vehicle
from energy.engine.netting import split
from energy.engine.nucleolus import Known, nucleolus
from energy.engine.refusals import NotDefined


def game_of(n: int, worth: "dict[str, float]") -> np.ndarray:
    """Values by bit mask from values by members' numbers, "01" for members 0 and 1."""
    values = np.zeros(1 << n)
    for members, value in worth.items():
        values[sum(1 << int(i) for i in members)] = value
    return values


def by_rule(n: int, worth: object) -> np.ndarray:
    values = np.zeros(1 << n)
    for size in range(1, n + 1):
        for group in itertools.combinations(range(n), size):
            values[sum(1 << i for i in group)] = worth(group)  # type: ignore[operator]
    return values


def estate(whole: float) -> np.ndarray:
    debts = (100.0, 200.0, 300.0)
    return by_rule(3, lambda s: max(0.0, whole - sum(d for i, d in enumerate(debts) if i not in s)))


AIRPORT = by_rule(3, lambda s: sum((1.0, 2.0, 3.0)[i] for i in s) - max((1.0, 2.0, 3.0)[i] for i in s))
GLOVE = by_rule(3, lambda s: float(min(len({0, 1} & set(s)), len({2} & set(s)))))
VOTING = by_rule(4, lambda s: float(sum((4, 2, 1, 1)[i] for i in s) >= 5))
PROSUMERS = game_of(3, {"01": 0.44, "02": 0.66, "12": 0.22, "012": 0.88})


@pytest.mark.parametrize(
    ("values", "shapley", "least_unhappy"),
    [
        pytest.param(estate(100), (100 / 3,) * 3, (100 / 3,) * 3, id="Talmud 100"),
        pytest.param(estate(200), (100 / 3, 250 / 3, 250 / 3), (50, 75, 75), id="Talmud 200"),
        pytest.param(estate(300), (50, 100, 150), (50, 100, 150), id="Talmud 300"),
        pytest.param(GLOVE, (1 / 6, 1 / 6, 2 / 3), (0, 0, 1), id="gloves"),
        pytest.param(VOTING, (3 / 4, 1 / 12, 1 / 12, 1 / 12), (1, 0, 0, 0), id="votes"),
        pytest.param(PROSUMERS, (1.21 / 3, 0.55 / 3, 0.88 / 3), (0.495, 0.11, 0.275), id="three prosumers"),
        pytest.param(
            by_rule(3, lambda s: float(0 in s and len(s) > 1)), (2 / 3, 1 / 6, 1 / 6), (1, 0, 0), id="one and another"
        ),
    ],
)
def test_textbook_games(values: np.ndarray, shapley: tuple[float, ...], least_unhappy: tuple[float, ...]) -> None:
    np.testing.assert_allclose(game.shapley(values), shapley, atol=1e-9)
    np.testing.assert_allclose(nucleolus(Known(values)), least_unhappy, atol=1e-9)


def test_the_airport_game_in_costs() -> None:
    """Runways of length 1, 2 and 3: what each saves is its cost alone less its cost together."""
    costs = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(costs - game.shapley(AIRPORT), [1 / 3, 5 / 6, 11 / 6], atol=1e-9)
    np.testing.assert_allclose(costs - nucleolus(Known(AIRPORT)), [0.5, 0.75, 1.75], atol=1e-9)


@given(seed=st.integers(0, 100_000), n=st.integers(2, 7), ties=st.booleans(), rising=st.booleans())
@settings(deadline=None, max_examples=80)
def test_the_nucleolus_is_that_of_another_program(seed: int, n: int, ties: bool, rising: bool) -> None:
    """Values of few different sizes tie in many groups at once; the other program is coopgame."""
    dice = np.random.default_rng(seed)
    values = dice.integers(0, 4, 1 << n).astype(float) if ties else dice.uniform(0, 1, 1 << n)
    values[0] = values[1 << np.arange(n)] = 0.0
    values[-1] = max(values.max(), 1.0) if rising else max(values[-1], 0.5)
    other = coopgame.nucleolus(coopgame.Game(list(values[1:])))["allocation"]
    np.testing.assert_allclose(nucleolus(Known(values)), other, atol=1e-8)


def test_what_cannot_be_shared() -> None:
    with pytest.raises(ValueError, match="worth less"):
        nucleolus(Known(game_of(2, {"0": 1.0, "1": 1.0, "01": 1.5})))
    np.testing.assert_allclose(nucleolus(Known(np.array([0.0, 2.5]))), [2.5])
    np.testing.assert_allclose(nucleolus(Known(np.zeros(16))), np.zeros(4))


# --- keys ---------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_equal_parts_pass_on_what_one_cannot_use(seed: int, n: int) -> None:
    dice = np.random.default_rng(seed)
    lack = np.maximum(0, dice.normal(0.5, 1.0, (n, 20)))
    whole = lack.sum(axis=0) * dice.uniform(0, 1, 20)
    parts = sharing.equal_parts(lack, whole)
    np.testing.assert_allclose(parts.sum(axis=0), whole, atol=1e-9)
    assert (parts <= lack + 1e-12).all()
    full = np.isclose(parts, lack)
    for t in range(20):
        open_parts = parts[~full[:, t], t]
        assert len(open_parts) < 2 or np.ptp(open_parts) < 1e-9
        assert not len(open_parts) or parts[:, t].max() <= open_parts[0] + 1e-9


# --- sampled ------------------------------------------------------------------------------------------------


def homes(seed: int, n: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    sun = np.maximum(0, np.sin(np.arange(steps) / 24 * 2 * np.pi)) * 2.0
    net = dice.gamma(1.5, 0.6, (n, steps)) - np.outer(np.arange(n) % 3 > 0, sun)
    return net, np.full(steps, 0.3), np.full(steps, 0.08)


def test_intervals_hold_the_exact_shares_as_often_as_they_say() -> None:
    net, buy, sell = homes(4, 9, 120)
    exact = game.shapley(game.coalition_savings(net, buy, sell))
    held = []
    for seed in range(60):
        found = game.shapley_sampled(net, buy, sell, seed=seed, work=1.0)
        assert found.shares.sum() == pytest.approx(exact.sum(), rel=1e-9)
        held.append(np.abs(found.shares - exact) <= found.half_widths)
    assert 0.90 <= float(np.mean(held)) <= 0.99


def test_places_on_a_circle_are_narrower_than_plain_orders() -> None:
    """Against the spread of as many plain random orders."""
    net, buy, sell = homes(5, 12, 96)
    found = game.shapley_sampled(net, buy, sell, seed=1, work=12 * 96 * 480.0)
    spread, dice = buy - sell, np.random.default_rng(1)
    added = np.zeros((found.samples, 12))
    for k in range(found.samples):
        order = dice.permutation(12)
        steps = np.maximum(np.cumsum(net[order], axis=0), 0) @ spread
        added[k, order] = np.diff(steps, prepend=0.0)
    plain = 1.96 * added.std(axis=0, ddof=1) / np.sqrt(found.samples)
    assert found.half_widths.mean() < 0.7 * plain.mean()


# --- the core -----------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), rule=st.sampled_from(["equal", "shapley", "owen"]))
@settings(deadline=None, max_examples=15)
def test_row_generation_finds_the_worst_group_and_its_bound_holds(seed: int, rule: str) -> None:
    net, buy, sell = homes(seed, 7, 24)
    values = game.coalition_savings(net, buy, sell)
    table = sharing.Table(_community(net, buy, sell), net, np.ones(7), np.zeros(7), float(values[-1]), values)
    shares = sharing._savings(rule, table)
    _count, true, _mask = game.blocking(game.excesses(values, shares))
    everyone = np.ones(7, dtype=np.bool_)
    found = core.worst(core.netting_oracle(net, buy, sell), shares, [everyone], tolerance=1e-7, most=127)
    assert found.excess == pytest.approx(true, abs=1e-6)
    assert found.bound == pytest.approx(true, abs=1e-5)
    few = core.worst(core.netting_oracle(net, buy, sell), shares, [everyone], tolerance=1e-7, most=3)
    assert few.excess <= true + 1e-7
    assert few.bound >= true - 1e-7


def _community(
    net: np.ndarray, buy: np.ndarray, sell: np.ndarray, members: "list[Member] | None" = None, **more: object
) -> Community:
    load, made = split(net)
    return Community(
        name="test",
        currency="EUR",
        timezone="UTC",
        start=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        step_minutes=60,
        members=tuple(members or [Member(f"m{i}", f"M {i}", pv_kwp=1.0) for i in range(len(net))]),
        load_kwh=load,
        pv_kwh=made,
        import_price=buy,
        export_price=sell,
        **more,  # type: ignore[arg-type]
    )


def stored(seed: int, n: int = 4, steps: int = 48, limit: float | None = None, sell: float = 0.08) -> Community:
    """Homes of which every second has a battery and two a vehicle, with a common battery; prices that change."""
    dice = np.random.default_rng(seed)
    members = [
        Member(
            f"m{i}",
            f"M {i}",
            pv_kwp=1.0,
            battery=Battery(4.0 + i, 2.0, 0.9) if i % 2 else None,
            vehicle=Vehicle(20, 3.7, 4, 480, 1020) if i < 2 else None,
        )
        for i in range(n)
    ]
    net = dice.gamma(1.5, 0.6, (n, steps)) - np.maximum(0, dice.normal(0.5, 1.5, (n, steps)))
    prices = dice.uniform(0.1, 0.5, steps), np.full(steps, sell)
    return _community(net, *prices, members, cyclic=True, battery=Battery(6, 2, 0.8), grid_limit_kw=limit)


def optimal(c: Community) -> tuple[groups.Groups, decomposition.Answer, np.ndarray]:
    alone = np.array([optimum.alone(c, i).cost for i in range(len(c.members))])
    best = optimum.answer(c)
    tried = groups.Groups(c, alone)
    return tried, best, tried.know_whole(best).costs


@pytest.mark.parametrize(("seed", "limit", "sell"), [(1, None, 0.08), (2, 12.0, 0.08), (3, None, -0.02)])
def test_owen_shares_are_the_duals_and_add_up(seed: int, limit: float | None, sell: float) -> None:
    """From the programme's duals; from prices alone, storage by storage, comes the same."""
    c = stored(seed, limit=limit, sell=sell)
    _tried, best, owen = optimal(c)
    assert owen.sum() == pytest.approx(best.solution.cost, abs=1e-6)
    if best.solution.limit_value is None or best.solution.limit_value.max() == 0:
        np.testing.assert_allclose(groups.price_costs(c, best.solution.price), owen, atol=1e-6)


def test_every_group_is_bounded_by_the_prices_of_every_other() -> None:
    """And no group can beat the Owen shares: all groups of a small community, each a programme of its own."""
    c = stored(7)
    tried, best, owen = optimal(c)
    bounds = tried.values.copy()
    tried.settle(np.arange(1, 16))
    assert tried.exact.all()
    assert (tried.values <= bounds + 1e-6).all()
    assert game.blocking(game.excesses(tried.values, tried.alone - owen), 1e-6)[0] == 0
    plain = float(tried.alone[[0, 2]].sum()) - groups.together(c, [0, 2]).cost
    assert tried.values[0b0101] == pytest.approx(plain, abs=1e-7)
    assert tried.values[-1] == pytest.approx(float(tried.alone.sum()) - best.solution.cost, abs=1e-9)


def test_shares_of_an_optimum_from_few_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn groups hold the exact Shapley values in their intervals; the worst group and the nucleolus are those of
    the whole table, from part of it.
    """
    c = stored(8, n=5)
    full, best, _owen = optimal(c)
    full.settle(np.arange(1, 32))
    exact = game.shapley(full.values)
    monkeypatch.setattr(costly, "DRAWN_STEPS", 0)
    monkeypatch.setattr(costly, "DRAWN", 12)
    tried = groups.Groups(c, full.alone)
    tried.know_whole(best)
    found = costly.shapley_by_strata(tried, seed=3)
    assert not tried.exact.all()
    assert (found.half_widths > 0).any()
    assert (np.abs(found.shares - exact) <= 2 * found.half_widths + 1e-6).all()
    equal = np.full(5, full.values[-1] / 5)
    fresh, _best, _owen = optimal(c)
    worst = costly.worst_by_bounds(fresh, equal, most=40)
    assert worst.excess == pytest.approx(game.blocking(game.excesses(full.values, equal))[1], abs=1e-6)
    assert fresh.solved < 31
    lazy, _best, _owen = optimal(c)
    np.testing.assert_allclose(nucleolus(lazy), nucleolus(Known(full.values)), atol=1e-6)


def test_all_rules_of_an_optimum() -> None:
    c = stored(9)
    for rule in ("owen", "shapley", "nucleolus", "equal", "proportional"):
        result = simulate.simulate(c, control="optimal", sharing_rule=rule).document
        shared = result["sharing"]
        saved = sum(m["saving"] for m in result["members"])
        assert saved == pytest.approx(shared["total_saving"], abs=1e-6)
        assert shared["total_saving"] == pytest.approx(result["separate"]["cost"] - result["totals"]["cost"], abs=1e-6)
        assert (shared["intervals"] is not None) is (rule == "shapley")
        assert ("saving_low" in result["members"][0]) is (rule == "shapley")
    assert simulate.simulate(c, control="optimal").document["sharing"]["rule"] == "owen"
    with pytest.raises(NotDefined, match="local price"):
        simulate.simulate(c, control="optimal", sharing_rule="mid-market")


def test_a_limit_that_binds_takes_the_certificate_of_owen() -> None:
    """A group that leaves is free of the limit, so duality says nothing; row generation does."""
    tight = stored(11, limit=4.2)
    assert float(optimum.together(tight).limit_value.sum()) > 0  # type: ignore[union-attr]
    shared = simulate.simulate(tight, control="optimal", sharing_rule="owen").document["sharing"]
    assert shared["certificate"] in ("rows", "enumeration")
    free = simulate.simulate(stored(11), control="optimal", sharing_rule="owen").document["sharing"]
    assert (free["certificate"], free["stable"]) == ("duality", True)


def test_many_members() -> None:
    """Above 17: shares are sampled with intervals, Owen is certain, the nucleolus is in the core."""
    net, buy, sell = homes(1, 24, 48)
    c = _community(net, buy, sell)
    shared = simulate.simulate(c, control="none", sharing_rule="shapley").document
    assert shared["sharing"]["intervals"]["samples"] >= 40
    row = shared["members"][0]
    assert row["saving_low"] < row["saving"] < row["saving_high"]
    equal = simulate.simulate(c, control="none", sharing_rule="equal").document["sharing"]
    assert equal["stable"] is False
    assert equal["worst_bound"] >= equal["worst_excess"] > 0
    assert simulate.simulate(c, control="none", sharing_rule="owen").document["sharing"]["certificate"] == "duality"
    least = simulate.simulate(c, control="none", sharing_rule="nucleolus").document["sharing"]
    assert least["stable"] is not False
    assert least["worst_excess"] <= 1e-6


# --- the reference communities ----------------------------------------------------------------------------------


@pytest.mark.shared
def test_the_nucleolus_of_seventeen_homes(shared: Path) -> None:
    c = folder.read(shared / "data" / "communities" / "fontana17-mixed")
    values = game.coalition_savings(c.net_kwh, c.import_price, c.export_price)
    found = nucleolus(Known(values))
    other = coopgame.nucleolus(coopgame.Game(list(values[1:])))["allocation"]
    np.testing.assert_allclose(found, other, atol=1e-7)
    count, worst, _mask = game.blocking(game.excesses(values, found))
    assert count == 0
    assert worst == pytest.approx(-12.1469, abs=1e-3)
