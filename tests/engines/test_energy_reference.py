"""The reference communities: figures that were computed by other programmes or published with the data."""

from pathlib import Path

import numpy as np
import pytest

from energy.engine import decomposition, dispatch, folder, game, programme, rolling, sharing, simulate
from energy.engine.community import Battery, Community
from energy.engine.optimum import battery_store, stores_of

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def communities(shared: Path) -> Path:
    return shared / "data" / "communities"


@pytest.fixture(scope="module")
def fontana17(communities: Path) -> Community:
    return folder.read(communities / "fontana17")


@pytest.fixture(scope="module")
def mixed(communities: Path) -> Community:
    return folder.read(communities / "fontana17-mixed")


@pytest.fixture(scope="module")
def mixed_table(mixed: Community) -> sharing.Table:
    net = mixed.net_kwh
    grid = net.sum(axis=0)
    cost = float((np.maximum(grid, 0) * mixed.import_price - np.maximum(-grid, 0) * mixed.export_price).sum())
    return sharing.table(mixed, net, cost, netting=True)


def test_fontana17_without_control(fontana17: Community) -> None:
    result = simulate.simulate(fontana17, control="none").document
    totals, separate = result["totals"], result["separate"]
    assert totals["load_kwh"] == pytest.approx(169_644.029, abs=2e-3)
    assert totals["pv_kwh"] == pytest.approx(103_425.402, abs=2e-3)
    assert totals["prosumer_ratio"] == pytest.approx(0.609661, abs=1e-6)
    assert totals["import_kwh"] == pytest.approx(94_425.400, abs=2e-3)
    assert separate["import_kwh"] == pytest.approx(112_121.122, abs=2e-3)
    assert totals["self_consumption"] == pytest.approx(0.727274, abs=1e-6)
    assert separate["self_consumption"] == pytest.approx(0.556178, abs=1e-6)
    assert totals["self_sufficiency"] == pytest.approx(0.44339, abs=1e-5)
    assert separate["self_sufficiency"] == pytest.approx(0.33908, abs=1e-5)
    assert totals["peak_import_kw"] == pytest.approx(49.058783, abs=1e-6)
    assert separate["co2_kg"] == pytest.approx(17_870.1417, abs=1e-3)


def test_cost_without_export_revenue(fontana17: Community) -> None:
    """Fontana's published cost prices imports alone, home by home."""
    bought = np.maximum(fontana17.net_kwh, 0)
    assert float((bought * fontana17.import_price).sum()) == pytest.approx(33_394.7933, abs=1e-3)


@pytest.mark.parametrize(
    ("rule", "blocking", "worst", "gini"),
    [
        ("owen", 0, -6.2, 0.280),
        ("shapley", 1_017, 25.7, 0.219),
        ("nucleolus", 0, -12.15, 0.278),
        ("mid-market", 14_564, 172.8, 0.137),
        ("equal", 30_098, 519.5, 0.0),
        ("proportional", 35_356, 662.8, 0.125),
    ],
)
def test_which_groups_would_leave(
    mixed_table: sharing.Table, rule: str, blocking: int, worst: float, gini: float
) -> None:
    shared = sharing.share(rule, mixed_table).as_dict()
    assert shared["total_saving"] == pytest.approx(3_438.063, abs=1e-3)
    assert shared["coalitions_checked"] == 131_070
    assert shared["blocking_coalitions"] == blocking
    assert shared["worst_excess"] == pytest.approx(worst, abs=0.06)
    assert shared["stable"] is (blocking == 0)
    assert shared["gini"] == pytest.approx(gini, abs=6e-4)


def test_sampled_shapley_values_hold_the_exact_ones(mixed: Community, mixed_table: sharing.Table) -> None:
    assert mixed_table.savings is not None
    exact = game.shapley(mixed_table.savings)
    found = game.shapley_sampled(mixed.net_kwh, mixed.import_price, mixed.export_price, seed=7, work=2e8)
    assert found.shares.sum() == pytest.approx(exact.sum(), rel=1e-9)
    assert (found.half_widths > 0).all()
    assert (np.abs(found.shares - exact) <= 2.3 * found.half_widths).all()


def test_a_group_that_search_finds_would_really_leave(mixed: Community, mixed_table: sharing.Table) -> None:
    """It may miss in general; here the enumeration says what there is to find."""
    for rule in ("equal", "mid-market", "shapley"):
        shares = sharing.share(rule, mixed_table)
        found, group = game.worst_found(mixed.net_kwh, mixed.import_price, mixed.export_price, shares.savings)
        true = shares.certificate.worst_excess
        assert true is not None
        assert mixed_table.savings is not None
        mask = sum(1 << int(i) for i in group)
        assert found == pytest.approx(float(mixed_table.savings[mask] - shares.savings[group].sum()), rel=1e-9)
        assert 0.9 * true <= found <= true + 1e-6


@pytest.mark.parametrize(("home", "cost"), [(0, 1209.568008908), (11, 894.343513934), (13, 1445.129472573)])
def test_the_kernel_finds_the_linear_programmes_optimum(fontana17: Community, home: int, cost: float) -> None:
    battery = fontana17.members[home].battery
    assert battery is not None
    task = dispatch.Task.at_home(
        fontana17.net_kwh[home], fontana17.pv_kwh[home], fontana17.import_price, fontana17.export_price
    )
    found = dispatch.best(task, dispatch.Storage(battery.kwh, battery.kw, battery.kw, battery.one_way))
    assert found.cost == pytest.approx(cost, rel=1e-6)  # the folder rounds energies to six decimals
    bought, sold = np.maximum(found.net_kwh, 0), np.maximum(-found.net_kwh, 0)
    paid = float((bought * fontana17.import_price - sold * fontana17.export_price).sum())
    assert paid == pytest.approx(found.cost, rel=1e-12)
    assert found.stored_kwh.min() >= -1e-9
    assert found.stored_kwh.max() <= battery.kwh + 1e-9


def test_one_home_with_everything_against_pypsa(communities: Path) -> None:
    """Home 1 with battery, vehicle, a community battery of 20 kWh and 4 kW of grid: solved by PyPSA and HiGHS
    apart.
    """
    community = folder.read(communities / "fontana10-storage")
    stores = [*stores_of(community.members[0], community), battery_store(Battery(20.0, 10.0, 0.9), community)]
    lp = programme.solve(
        community.net_kwh[0],
        community.pv_kwh[0],
        community.import_price,
        community.export_price,
        stores,
        limit_step_kwh=4.0,
        cyclic=True,
    )
    assert lp.cost == pytest.approx(1463.489091, rel=1e-8)


def test_the_community_optimum(communities: Path) -> None:
    community = folder.read(communities / "fontana10-storage")
    result = simulate.simulate(community, control="optimal", sharing_rule="equal").document
    assert result["totals"]["cost"] == pytest.approx(13_653.7981, abs=2e-4)
    assert result["totals"]["peak_import_kw"] <= 40.0 + 1e-6
    assert result["separate"]["cost"] > result["totals"]["cost"]
    alone = sum(member["cost_alone"] for member in result["members"])
    assert alone == pytest.approx(result["separate"]["cost"], rel=1e-9)
    by_rule = simulate.simulate(community, control="rule").document
    assert by_rule["totals"]["cost"] > result["totals"]["cost"]
    assert by_rule["engine"]["unserved_vehicle_kwh"] == 0.0


@pytest.mark.parametrize(("hours", "share"), [(24, 0.984), (36, 0.9994), (48, 0.99997)])
def test_plans_keep_the_measured_share_of_the_best_saving(fontana17: Community, hours: int, share: float) -> None:
    """Home 1, time-of-use tariff, perfect within the window, once a day: what an independent programme kept, or more,
    since among plans that are equally good within a window some are better beyond it.
    """
    battery = fontana17.members[0].battery
    assert battery is not None
    at = decomposition.Connection(
        fontana17.net_kwh[0], fontana17.pv_kwh[0], fontana17.import_price, fontana17.export_price, None, False
    )
    bought, sold = np.maximum(at.net_kwh, 0), np.maximum(-at.net_kwh, 0)
    none = float((bought * at.buy - sold * at.sell).sum())
    look = rolling.Look.of(hours, "perfect", 1.0)
    found = rolling.alone(at, [battery_store(battery, fontana17)], look, np.zeros(1))
    kept = (none - found.cost) / (none - 1209.568008908)
    assert share - 1e-4 <= kept <= (0.985 if hours == 24 else 1 + 1e-6)
