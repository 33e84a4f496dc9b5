"""SUMO beside our own engine: conserved vehicles, the same bits for the same seed, pairs on the same trips."""

import numpy as np
import pytest

from tests.engines.test_twin_traffic import town
from twin import sumo
from twin.engine import demand, traffic
from twin.engine.assignment import assign
from twin.engine.network import ROAD
from twin.errors import NoSumo, SumoFailed
from twin.sumo import program, runs, trips


@pytest.fixture(scope="module")
def solved() -> traffic.Solved:
    return traffic.solve(town(3), demand.Assumptions(share_car=0.15))


def test_seeds_thin_the_same_trips(solved: traffic.Solved) -> None:
    every = trips.possible(solved.od)
    assert len(every.depart_s) == pytest.approx(1.25 * solved.od.trips.sum(), rel=0.1)
    one, two = trips.kept(every, 1), trips.kept(every, 2)
    assert (one != two).any()
    assert (one == trips.kept(every, 1)).all()
    assert one.mean() == pytest.approx(0.8, abs=0.03)
    assert (np.diff(every.depart_s) >= 0).all()


def test_an_interval_is_students() -> None:
    found = runs.interval([1.0, 2.0, 3.0])
    assert (found.mean, found.low) == (2.0, pytest.approx(2 - 4.302652729911275 / np.sqrt(3)))
    assert runs.interval([5.0]).low == 5.0


def needs_sumo() -> None:
    if sumo.home() is None:
        pytest.skip("SUMO is not installed")


def test_a_pair_of_seeds_by_sumo(solved: traffic.Solved) -> None:
    """Nothing changed: no difference, bit for bit. Slower streets: slower cars."""
    needs_sumo()
    side = runs.Side(solved.network, solved.found)
    keys = [key for names in solved.network.pieces for key in names]
    calm = solved.network.calm(keys, speed_kmh=32.0)  # not so slow that cars drive round outside
    other = runs.Side(calm, assign(calm, solved.od, gap=1e-6, start=solved.found))
    heard: list[float] = []
    found = runs.seeds([side, side, other], solved.od, [1, 2], heard.append)
    assert found[0] == found[1]
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    for each in found:
        for k in range(2):
            assert 0.95 * each["vehicles"].values[k] <= each["arrived"].values[k] <= each["vehicles"].values[k]
    assert runs.differences([found[0], found[1]])["mean_min"].high == 0
    assert found[2]["vehicles"].mean <= found[0]["vehicles"].mean  # some drive round outside
    assert runs.differences([found[0], found[2]])["speed_kmh"].mean < 0
    kilometres = found[0]["vehicle_km"].mean
    ours = float((solved.found.flow * solved.network.length_m)[solved.network.kind == ROAD].sum()) / 1000
    assert kilometres == pytest.approx(ours, rel=0.15)


def test_an_hour_vehicle_by_vehicle_emits(solved: traffic.Solved) -> None:
    needs_sumo()
    few = demand.Demand(solved.od.origin, solved.od.destination, solved.od.trips * 0.05)
    heard: list[float] = []
    found = runs.deep(runs.Side(solved.network, solved.found), few, 1, heard.append)
    assert found["arrived"] == found["vehicles"] > 0
    assert 80 < found["co2_kg"] / found["vehicle_km"] * 1000 < 900  # g/km, a petrol car in town


def test_what_sumo_refuses_is_said(solved: traffic.Solved, tmp_path: object) -> None:
    from pathlib import Path

    needs_sumo()
    with pytest.raises(SumoFailed, match="netconvert"):
        program.run("netconvert", ["--node-files", "none.xml", "-o", "x.xml"], folder=Path(str(tmp_path)))


def test_without_sumo_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "home", lambda: None)
    with pytest.raises(NoSumo, match="extra “deep”"):
        program.check()
