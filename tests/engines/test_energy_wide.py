"""Games of more than 17 members: against all groups of small ones and, of twenty members, all 1,048,576."""

import itertools

import numpy as np
import pytest

from energy.engine import core, game, sharing, simulate, wide
from energy.engine.community import Floats
from energy.engine.nucleolus import Known, nucleolus

from .test_energy_sharing import _community, homes, stored

Net = tuple[Floats, Floats, Floats]


def all_groups(net: Floats, buy: Floats, sell: Floats) -> Floats:
    """Every group's saving, a step at a time over all 2^n sums; no limit of members."""
    spread = buy - sell
    values = game.additive(np.maximum(net, 0) @ spread)
    for t in range(net.shape[1]):
        values -= spread[t] * np.maximum(game.additive(net[:, t]), 0)
    return values


def test_all_groups_are_those_of_the_table() -> None:
    net, buy, sell = homes(3, 8, 24)
    np.testing.assert_allclose(all_groups(net, buy, sell), game.coalition_savings(net, buy, sell), atol=1e-9)


@pytest.mark.parametrize(("seed", "n"), [(1, 6), (2, 8), (5, 9)])
def test_the_least_content_group_is_as_content_as_by_all_groups(seed: int, n: int) -> None:
    net, buy, sell = homes(seed, n, 24)
    values = game.coalition_savings(net, buy, sell)
    found = wide.nucleolus(core.netting_oracle(net, buy, sell), np.zeros(n), most=1 << n)
    exact = -game.blocking(game.excesses(values, nucleolus(Known(values))))[1]
    assert found.proved
    assert found.shares.sum() == pytest.approx(values[-1], rel=1e-9)
    assert found.least == pytest.approx(exact, abs=2e-6 * values[-1])
    assert -game.blocking(game.excesses(values, found.shares))[1] == pytest.approx(exact, abs=2e-6 * values[-1])


@pytest.mark.parametrize("most", [1, 4, 9])
def test_few_groups_are_no_worse_than_dual_prices(most: int) -> None:
    """However early it ends, nobody has more cause to leave than under Owen, and what it says of that holds."""
    net, buy, sell = homes(7, 10, 24)
    values = game.coalition_savings(net, buy, sell)
    found = wide.nucleolus(core.netting_oracle(net, buy, sell), np.zeros(10), most=most)
    assert found.tried <= most + 2
    assert found.least >= -1e-9
    assert -game.blocking(game.excesses(values, found.shares))[1] >= found.least - 1e-7


def test_intervals_hold_the_exact_shares_as_often_as_they_say() -> None:
    net, buy, sell = homes(4, 9, 60)
    exact = game.shapley(game.coalition_savings(net, buy, sell))
    oracle = core.netting_oracle(net, buy, sell)
    held = []
    for seed in range(40):
        found = wide.shapley(oracle, np.zeros(9), draws=32, seed=seed)
        assert found.shares.sum() == pytest.approx(exact.sum(), rel=1e-9)
        held.append(np.abs(found.shares - exact) <= found.half_widths)
    assert float(np.mean(held)) >= 0.90
    few, many = (wide.shapley(oracle, np.zeros(9), draws=d, seed=1).half_widths.mean() for d in (32, 512))
    assert many < few / 2
    assert (
        wide.shapley(oracle, np.zeros(9), draws=32, seed=5).shares.tobytes()
        == wide.shapley(oracle, np.zeros(9), draws=32, seed=5).shares.tobytes()
    )


def twins(n: int, steps: int) -> Net:
    """Two kinds of home in turn and one that neither draws nor feeds in."""
    two, buy, sell = homes(9, 2, steps)
    net = np.array([two[i % 2] for i in range(n)])
    net[-1] = 0.0
    return net, buy, sell


@pytest.mark.drill
def test_twenty_members_under_the_optimum_against_all_groups() -> None:
    """Without storage the optimum is netting, so all 2^20 groups are known: Shapley in its intervals, the certificate
    of each rule right, the nucleolus as content as can be.
    """
    net, buy, sell = homes(1, 20, 24)
    values = all_groups(net, buy, sell)
    exact = game.shapley(values)
    c = _community(net, buy, sell)
    shown = simulate.simulate(c, control="optimal", sharing_rule="shapley", seed=3).document
    rows = shown["members"]
    inside = [m["saving_low"] <= x <= m["saving_high"] for m, x in zip(rows, exact, strict=True)]
    assert sum(inside) >= 16
    for rule in ("equal", "owen", "nucleolus"):
        found = simulate.simulate(c, control="optimal", sharing_rule=rule).document
        shares = np.array([m["saving"] for m in found["members"]])
        worst = game.blocking(game.excesses(values, shares))[1]
        told = found["sharing"]
        assert told["stable"] in (None, worst <= 1e-5)
        assert told["worst_bound"] >= worst - 1e-5
        assert told["worst_excess"] is None or told["worst_excess"] <= worst + 1e-5
        if rule == "nucleolus":
            assert worst <= 1e-5


def test_eighteen_members_under_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins get alike and who brings nothing gets nothing; sums are the saving; progress is told."""
    monkeypatch.setattr("energy.engine.costly.DRAWN_STEPS", 0)
    net, buy, sell = twins(18, 6)
    c = _community(net, buy, sell)
    told: list[str] = []
    for rule, drawn in (("shapley", 32), ("nucleolus", 6)):
        monkeypatch.setattr("energy.engine.costly.DRAWN", drawn)
        found = simulate.simulate(
            c, control="optimal", sharing_rule=rule, progress=lambda _share, stage: told.append(stage)
        ).document
        saving = np.array([m["saving"] for m in found["members"]])
        assert saving.sum() == pytest.approx(found["sharing"]["total_saving"], abs=1e-6)
        if rule == "shapley":
            half = np.array([m["saving_high"] - m["saving"] for m in found["members"]])
            assert abs(saving[-1]) <= 2 * half[-1] + 1e-6
            for a, b in itertools.pairwise(range(0, 17, 2)):
                assert abs(saving[a] - saving[b]) <= 2 * (half[a] + half[b]) + 1e-6
        else:
            assert found["sharing"]["worst_excess"] <= 1e-5
            assert found["sharing"]["stable"] is not False
    assert "trying groups" in told


def test_storages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small community with batteries, as if a table were too large: within the intervals of the exact shares."""
    c = stored(8, n=5)
    monkeypatch.setattr("energy.engine.costly.DRAWN", 60)
    monkeypatch.setattr("energy.engine.costly.DRAWN_STEPS", 0)
    exact = simulate.simulate(c, control="optimal", sharing_rule="shapley").document["members"]
    monkeypatch.setattr("energy.engine.groups.MOST_MEMBERS", 4)
    monkeypatch.setattr("energy.engine.costly.MOST_MEMBERS", 4)
    wide_ = simulate.simulate(c, control="optimal", sharing_rule="shapley", seed=2).document
    for one, other in zip(wide_["members"], exact, strict=True):
        assert one["saving_low"] - 0.02 <= other["saving"] <= one["saving_high"] + 0.02
    least = simulate.simulate(c, control="optimal", sharing_rule="nucleolus").document["sharing"]
    assert least["worst_excess"] <= 1e-5
    assert least["rule"] in sharing.RULES
