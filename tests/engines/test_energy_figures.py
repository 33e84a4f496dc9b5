"""Figures against cases reckoned by hand and identities: an island's hours, marginal CO2, and a year on a grid."""

import dataclasses
import datetime as dt
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import gridcheck, gridfolder, hosting, island, kpi, netting, optimum, rule
from energy.engine.answer import chart_series
from energy.engine.community import Battery, Community, Member, Vehicle
from energy.engine.grid import Grid
from energy.engine.network import Line, Network, Node

CIGRE = Path(__file__).parent / "grids" / "cigre"


def community(
    load: np.ndarray,
    pv: np.ndarray,
    *,
    batteries: tuple[Battery | None, ...] = (),
    vehicles: tuple[Vehicle | None, ...] = (),
    **more: object,
) -> Community:
    """Members of made-up use and sun, by the hour."""
    n, steps = load.shape
    has, cars = batteries or (None,) * n, vehicles or (None,) * n
    members = tuple(
        Member(f"m{i}", f"M{i}", pv_kwp=float(pv[i].max()), battery=has[i], vehicle=cars[i]) for i in range(n)
    )
    buy, sell = np.full(steps, 0.3), np.full(steps, 0.08)
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = Community("x", "EUR", "UTC", start, 60, members, load, pv, buy, sell)
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def random(seed: int, *, members: int = 3, steps: int = 72, cyclic: bool = False) -> Community:
    """Batteries, a common one, vehicles with and without V2G."""
    dice = np.random.default_rng(seed)
    sun = np.maximum(0.0, np.sin((np.arange(steps) % 24 - 6) / 12 * np.pi))
    load, pv = dice.gamma(2.0, 0.4, (members, steps)), dice.uniform(0, 4, (members, 1)) * sun
    batteries = tuple(Battery(float(dice.uniform(1, 8)), 2.0, 0.81) if i % 2 == 0 else None for i in range(members))
    cars = tuple(
        Vehicle(40.0, 7.0, 6.0, 8 * 60, 17 * 60, 0.95, v2g=i == 1) if i in {1, 2} else None for i in range(members)
    )
    return community(load, pv, batteries=batteries, vehicles=cars, battery=Battery(6.0, 3.0), cyclic=cyclic)


# --- an island's hours ----------------------------------------------------------------------------------


def test_an_island_by_hand() -> None:
    """Sun of 3 kWh in the first hour, use of 1 kWh in each of six: a battery of 2 kWh without losses carries two."""
    load, pv = np.ones((1, 6)), np.array([[3.0, 0, 0, 0, 0, 0]])
    made = community(load, pv, batteries=(Battery(2.0, 5.0, 1.0),))
    one, three = island.survival(made, (1, 3))
    assert (one.starts, three.starts) == (6, 4)
    # what is held before each step: 0, 2, 1, 0, 0, 0
    assert one.survive == pytest.approx(3 / 6)
    assert one.unserved_kwh == pytest.approx(3 / 6)
    assert three.survive == pytest.approx(1 / 4)  # only from the first: 2 stored, 2 served
    assert three.unserved_kwh == pytest.approx((0 + 1 + 2 + 3) / 4)
    assert three.worst_kwh == pytest.approx(3.0)
    assert three.unserved_share == pytest.approx((0 + 1 + 2 + 3) / 12)


def test_a_vehicle_at_home_helps_and_one_without_v2g_does_not() -> None:
    load, pv = np.ones((1, 24)), np.zeros((1, 24))
    car = Vehicle(20.0, 10.0, 5.0, 8 * 60, 17 * 60, 1.0)
    helps = island.survival(community(load, pv, vehicles=(car,)), (1, 6))
    not_so = island.survival(community(load, pv, vehicles=(dataclasses.replace(car, v2g=False),)), (1, 6))
    # it comes home full enough for a trip (5 kWh) in the first step, is away from 8 to 17, and back at 17
    assert helps[0].survive == pytest.approx((24 - 1 - 9 - 1) / 24)  # before the first and the 18th step it is empty
    assert not_so[0].survive == 0
    assert helps[1].unserved_kwh < not_so[1].unserved_kwh == pytest.approx(6.0)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), cyclic=st.booleans())
def test_the_pool_holds_what_the_rule_holds(seed: int, cyclic: bool) -> None:
    """Two programmes of one rule: sixteen homes at once, and one home after the other."""
    made = random(seed, cyclic=cyclic)
    flows, pool = rule.dispatch(made), island.pool(made)
    np.testing.assert_allclose(pool.grid_kwh, flows.grid_kwh, atol=1e-6)
    without_cars = dataclasses.replace(made, members=tuple(dataclasses.replace(m, vehicle=None) for m in made.members))
    np.testing.assert_allclose(
        island.pool(without_cars).battery_held[1:], rule.dispatch(without_cars).stored_kwh[:-1], atol=1e-6
    )


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000))
def test_longer_is_harder_and_storage_never_hurts(seed: int) -> None:
    made = random(seed)
    rows = island.survival(made, (1, 2, 5, 12, 24))
    kept = [island.survival(made, (1, 2, 5, 12, 24))[i].survive for i in range(5)]
    assert kept == [row.survive for row in rows]
    for before, after in pairwise(rows):
        assert after.survive * after.starts <= before.survive * before.starts + 1e-9
        assert after.worst_kwh >= before.worst_kwh - 1e-9
    bare = dataclasses.replace(
        made, battery=None, members=tuple(dataclasses.replace(m, battery=None, vehicle=None) for m in made.members)
    )
    without = island.survival(bare, (1, 5))
    lacking = np.maximum(0.0, bare.net_kwh.sum(axis=0))
    assert without[0].unserved_kwh == pytest.approx(lacking.mean())
    assert without[1].unserved_kwh == pytest.approx(np.convolve(lacking, np.ones(5), "valid").mean())
    assert rows[0].unserved_kwh <= without[0].unserved_kwh + 1e-9


def test_no_length_longer_than_the_period() -> None:
    made = random(1, steps=30)
    assert [row.hours for row in island.survival(made)] == [1, 3, 6, 12, 24]


# --- CO2, prosumers, identities -------------------------------------------------------------------------


def test_marginal_co2_by_hand() -> None:
    load, pv = np.array([[2.0, 2.0], [1.0, 1.0]]), np.array([[0.0, 4.0], [0.0, 0.0]])
    factor = np.array([0.5, 0.1])
    made = community(load, pv, co2_marginal_kg_per_kwh=factor)
    flows = chart_series(made, netting.net(made))
    more = kpi.more(made, flows)
    assert more["prosumer_members"] == 0.5
    assert more["co2_marginal_kg"] == pytest.approx(3 * 0.5)
    assert more["co2_marginal_displaced_kg"] == pytest.approx(1 * 0.1)
    assert more["co2_marginal_avoided_kg"] == pytest.approx(4 * 0.1)
    unknown = kpi.more(dataclasses.replace(made, co2_marginal_kg_per_kwh=None), flows)
    assert unknown["co2_marginal_kg"] is None


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_without_storage_the_sun_used_is_the_use_from_sun(seed: int) -> None:
    """SCR * G = SSR * L, together and as the sum over members; and the balance is what is made less what is used."""
    dice = np.random.default_rng(seed)
    made = community(dice.gamma(1.0, 1.0, (4, 30)), np.maximum(0.0, dice.normal(0, 2, (4, 30))))
    net = netting.net(made)
    for flow in (net.grid_kwh, net.net_kwh):
        total = kpi.totals(made, *netting.split(flow))
        assert total.self_consumption is not None
        assert total.self_sufficiency is not None
        used_here = total.self_consumption * total.pv_kwh
        assert used_here == pytest.approx(total.self_sufficiency * total.load_kwh, abs=1e-9)
        assert total.export_kwh - total.import_kwh == pytest.approx(total.pv_kwh - total.load_kwh, abs=1e-9)
    together = kpi.totals(made, *netting.split(net.grid_kwh))
    apart = kpi.totals(made, *netting.split(net.net_kwh))
    assert together.import_kwh <= apart.import_kwh + 1e-9
    assert together.peak_import_kw <= apart.peak_import_kw + 1e-9


# --- a year on a grid -----------------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["none", "rule", "optimal"])
def test_what_nodes_take_is_what_the_community_takes(control: str) -> None:
    made = random(5, steps=48)
    net, common = gridcheck.member_powers(made, control)
    whole = net.sum(axis=0) + common
    if control == "optimal":
        best = optimum.together(made)
        expected = best.import_kwh - best.export_kwh
    else:
        expected = (netting.net(made) if control == "none" else rule.dispatch(made)).grid_kwh
    np.testing.assert_allclose(whole, expected, atol=1e-6)


def test_a_check_finds_the_hour_that_hurts() -> None:
    """Three homes at the end of the feeder; one of them boils in one hour, and the sun of another is strong at noon."""
    load, pv = np.full((3, 48), 0.5), np.zeros((3, 48))
    load[0, 30], pv[2, 12] = 90.0, 140.0
    made = community(load, pv)
    grid = Grid(gridfolder.read(CIGRE).network)
    place = grid.network.place
    found = gridcheck.check(
        grid, made, control="none", at=[place["R15"], place["R1"], place["R18"]], common_at=place["R1"]
    )
    document = found.document
    assert document["voltage"]["least_at"] == 30
    assert (document["voltage"]["least_node"], document["voltage"]["most_node"]) == ("R15", "R18")
    assert document["voltage"]["most_at"] == document["rise"]["at"] == 12
    assert [row["at"] for row in document["worst"]] == [30, 12] or [row["at"] for row in document["worst"]] == [12, 30]
    again = grid.solve(found.powers.p_kw, found.powers.q_kvar)
    np.testing.assert_array_equal(found.series["lowest"], again.voltage.min(axis=0))
    quiet = grid.solve(found.powers.use_kw[:, [12]], found.powers.q_kvar[:, [12]])
    assert document["rise"]["most"] == pytest.approx(float((again.voltage[:, 12] - quiet.voltage[:, 0]).max()))
    assert document["checked"]["voltage"] < 1e-8


def test_room_is_where_the_limit_is() -> None:
    """One resistive line: the room for feed-in at its end is where voltage is 1.1 or the line is full, by formula."""
    for most_a, expected in ((1e4, 1.1 * 0.1 / (0.32 * 0.5 / 0.4**2) * 1e3), (50.0, None)):
        line = Line("l", "s", "e", 0.5, "x", 0.32, 0.0, 0.0, most_a)
        grid = Grid(Network([Node("s", 0.4), Node("e", 0.4)], [line], [], "s"))
        none = gridcheck.Powers(*(np.zeros((2, 4)) for _ in range(3)))
        found = hosting.capacity(grid, none, np.array([0.0, -0.5, -1.0, 0.0]), nodes=[1])
        room = found["each"][0]
        assert room["at"] == 2
        if expected is not None:
            assert room["limit"] == "high"
            assert room["kw"] == pytest.approx(expected, rel=2e-3)
        else:
            amperes = room["kw"] / (np.sqrt(3) * 0.4 * 1.0) / (1 + room["kw"] * 1e-3)
            assert room["limit"] == "line"
            assert amperes == pytest.approx(most_a, rel=0.05)
        assert found["evenly"]["kw"] == room["kw"]
        assert hosting.capacity(grid, none, np.array([0.0, -0.5, -1.0, 0.0]), nodes=[1]) == found


def test_nothing_fits_where_it_breaks_already() -> None:
    line = Line("l", "s", "e", 0.5, "x", 0.32, 0.0, 0.0, 30.0)
    grid = Grid(Network([Node("s", 0.4), Node("e", 0.4)], [line], [], "s"))
    p = np.array([[0.0, 0.0], [5.0, 60.0]])
    found = hosting.capacity(grid, gridcheck.Powers(p, p * 0, p), np.ones(2), nodes=[1])
    assert found["already"]
    assert (found["each"][0]["kw"], found["each"][0]["at"]) == (0.0, 1)
