"""A job's energy splits into phases that sum to the whole, are never negative, and lie where an oracle put them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine import phases
from labs.engine.phases import Pieces, Series

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def curve(*stretches: tuple[int, float], step: int = 30) -> tuple[Pieces, int]:
    """Pieces of `step` seconds from (minutes, W) after each other, beginning at 0; and their end in µs."""
    watts = np.concatenate([np.full(minutes * 60 // step, w, dtype=float) for minutes, w in stretches])
    start = np.arange(len(watts), dtype=np.int64) * step * SECOND
    return Pieces(start, start + step * SECOND, watts * step / 3600), len(watts) * step * SECOND


def kinds(found: phases.Split) -> list[tuple[str, int, int]]:
    return [(p.kind, p.start // MINUTE, p.end // MINUTE) for p in found.phases]


def test_states_cut_where_the_machine_says() -> None:
    pieces, end = curve((5, 300), (50, 120), (5, 10))
    state = Series.of([(0, 2), (5 * MINUTE, 3), (55 * MINUTE, 1)])
    found = phases.split(pieces, 0, end, total_wh=float(pieces.wh.sum()), idle_w=15, state=state)
    assert found.method == "state"
    assert kinds(found) == [("warm", 0, 5), ("making", 5, 55), ("idle", 55, 60)]
    assert (found.wh("warm"), found.wh("making")) == (pytest.approx(25), pytest.approx(100))
    assert found.wh("idle") == pytest.approx(10 * 5 / 60)


def test_a_state_said_before_the_job_holds_into_it() -> None:
    pieces, end = curve((10, 100))
    state = Series.of([(-5 * MINUTE, 2), (4 * MINUTE, 3)])
    found = phases.split(pieces, 0, end, total_wh=1.0, idle_w=5, state=state)
    assert kinds(found) == [("warm", 0, 4), ("making", 4, 10)]


def test_temperature_says_when_it_was_hot() -> None:
    pieces, end = curve((8, 300), (52, 110))
    rows = [(m * MINUTE, min(20 + 24.0 * m, 212.0)) for m in range(60)]
    found = phases.split(pieces, 0, end, total_wh=float(pieces.wh.sum()), idle_w=10, temperature=Series.of(rows))
    assert (found.method, kinds(found)) == ("temperature", [("warm", 0, 8), ("making", 8, 60)])


def test_a_bed_that_stays_cold_says_nothing() -> None:
    pieces, end = curve((60, 110))
    rows = Series.of([(m * MINUTE, 21.0 + 0.1 * (m % 3)) for m in range(60)])
    assert phases.split(pieces, 0, end, total_wh=1.0, idle_w=10, temperature=rows).method == "power"


def test_progress_ends_warming_up_when_it_rises_and_waiting_begins_at_one() -> None:
    pieces, end = curve((60, 100))
    rows = Series.of([(0, 0.0), (6 * MINUTE, 0.0), (8 * MINUTE, 0.01), (50 * MINUTE, 1.0)])
    found = phases.split(pieces, 0, end, total_wh=100.0, idle_w=10, progress=rows)
    assert (found.method, kinds(found)) == ("progress", [("warm", 0, 6), ("making", 6, 50), ("idle", 50, 60)])


def test_power_alone_finds_a_clear_leap_and_the_wait_at_the_end() -> None:
    pieces, end = curve((5, 300), (45, 110), (10, 9))
    found = phases.split(pieces, 0, end, total_wh=float(pieces.wh.sum()), idle_w=10)
    assert found.method == "power"
    assert [k for k, _a, _b in kinds(found)] == ["warm", "making", "idle"]
    assert abs(kinds(found)[0][2] - 5) <= 1
    assert kinds(found)[1][2] == 50


def test_an_even_machine_gets_no_invented_warm_up() -> None:
    pieces, end = curve((60, 120))
    assert kinds(phases.split(pieces, 0, end, total_wh=120.0, idle_w=10)) == [("making", 0, 60)]


def test_without_a_curve_all_is_making_and_nothing_is_told_apart() -> None:
    empty = Pieces(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    found = phases.split(empty, 0, HOUR, total_wh=50.0, idle_w=10)
    assert (found.method, kinds(found), found.wh("making")) == ("none", [("making", 0, 60)], 50.0)
    assert phases.split(empty, HOUR, HOUR, total_wh=1.0, idle_w=1).phases == ()


watts_lists = st.lists(st.floats(0, 5000), min_size=0, max_size=80)
channel = st.lists(st.tuples(st.integers(-600, 5400), st.floats(0, 5)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(watts_lists, st.floats(0, 20_000), channel, channel, channel, st.integers(1, 5000), st.floats(0, 100))
def test_parts_sum_to_the_whole_and_are_never_negative(
    watts: list[float],
    total: float,
    states: list[tuple[int, float]],
    progress: list[tuple[int, float]],
    heat: list[tuple[int, float]],
    length_s: int,
    idle: float,
) -> None:
    start = np.arange(len(watts), dtype=np.int64) * 60 * SECOND
    pieces = Pieces(start, start + 60 * SECOND, np.array(watts) / 60)

    def series(rows: list[tuple[int, float]], scale: float = 1.0) -> Series:
        return Series.of([(at * SECOND, value * scale) for at, value in sorted(rows)])

    high = length_s * SECOND
    found = phases.split(
        pieces, 0, high, total_wh=total, idle_w=idle,
        state=series(states), progress=series(progress, 0.25), temperature=series(heat, 60),
    )  # fmt: skip
    assert sum(found.wh(kind) for kind in phases.KINDS) == pytest.approx(total, rel=1e-9, abs=1e-9)
    assert all(phase.wh >= 0 and phase.end > phase.start for phase in found.phases)
    assert found.phases[0].start == 0
    assert found.phases[-1].end == high
    assert all(a.end == b.start for a, b in zip(found.phases, found.phases[1:], strict=False))
    steps = np.linspace(0, high, 7).astype(np.int64)
    assert phases.over_steps(found, steps).sum() == pytest.approx(total, rel=1e-9, abs=1e-9)
