"""What is spare of the sun, what machines draw, and where a job is placed: pure, against slow and plain oracles."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import spare, surplus
from labs.engine import draw, placing, planning, times
from labs.engine.hours import Span
from labs.engine.placing import Place, Share
from labs.engine.planning import Measured, Profile
from labs.engine.times import Buffers, Calendar
from tests.benchmarks import sunshine_demands

T0 = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
HOUR, QUARTER = dt.timedelta(hours=1), dt.timedelta(minutes=15)


# --- what is spare -----------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    net=st.lists(st.floats(-6, 6), min_size=3, max_size=36),
    kwh=st.floats(0.5, 12),
    kw=st.floats(0.5, 5),
    way=st.floats(0.8, 1.0),
)
def test_spare_is_exactly_what_nobody_misses(net: list[float], kwh: float, kw: float, way: float) -> None:
    """Drawing what is spare in a step draws nothing more from the grid, then or later; a little more always does."""
    made = np.array(net)
    storage = surplus.Storage(kwh, kw, way)
    begins = float(surplus.through(made[:24], storage, 1.0).stored[-1])
    base = surplus.through(made, storage, 1.0, begins=begins)
    found = surplus.spare(made, storage, 1.0)

    def missed(step: int, drawn: float) -> float:
        with_it = made.copy()
        with_it[step] -= drawn
        after = surplus.through(with_it, storage, 1.0, begins=begins)
        kept = min(base.stored[-1], begins) - after.stored[-1]
        return float(after.drawn.sum() - base.drawn.sum()) + max(0.0, float(kept))

    for step, power in enumerate(found.tolist()):
        if power > 0:
            assert missed(step, power) <= 1e-6
            assert missed(step, power + 0.05) > 1e-6
        elif power < 0:
            assert -power == pytest.approx(base.drawn[step])


def test_without_storage_spare_is_made_less_used() -> None:
    assert surplus.spare(np.array([1.0, -2.0]), surplus.NONE, 0.25).tolist() == [4.0, -8.0]


def test_errors_of_use_and_sun_add_as_squares() -> None:
    sun = surplus.Band(np.array([1.0]), np.array([4.0]), np.array([5.0]))
    use = surplus.Band(np.array([1.0]), np.array([2.0]), np.array([6.0]))
    net = sun.plus(use, -1.0)
    assert (net.low[0], net.middle[0], net.high[0]) == pytest.approx((2 - 5.0, 2.0, 2 + 2**0.5))


@given(low=st.floats(-5, 5), wide=st.floats(0, 6), at=st.floats(0, 1), kw=st.floats(0.05, 8))
def test_a_share_lies_between_its_ends(low: float, wide: float, at: float, kw: float) -> None:
    share = spare.share(low, low + at * wide, low + wide, kw)
    assert 0 <= share.low <= share.expected <= share.high <= 1


def test_the_expected_share_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(7)
    z = rng.standard_normal(200_000)
    drawn = 1.0 + np.where(z > 0, 0.5 * z, 1.2 * z) / spare.HALF_BAND
    oracle = np.clip(drawn / 1.1, 0, 1).mean()
    assert spare.share(-0.2, 1.0, 1.5, 1.1).expected == pytest.approx(oracle, abs=0.01)
    assert spare.share(2.0, 2.0, 2.0, 1.0) == (1.0, 1.0, 1.0)
    assert spare.over([spare.Share(1, 0.5, 1), spare.Share(0, 0, 0.5)], [1.0, 3.0]) == (0.25, 0.125, 0.625)
    assert spare.over([], []) is None


# --- what machines draw ------------------------------------------------------------------------------------------


def test_a_profile_goes_from_the_table_to_what_was_measured() -> None:
    table = planning.of_table(draw.of_class("3d-printer"))
    job = Measured(warm_kwh=0.02, warm_h=0.1, making_kwh=0.18, making_h=2.0, idle_kwh=0.003, idle_h=0.1, booked_h=2.75)
    one, many = planning.learn(table, [job]), planning.learn(table, [job] * 200)
    assert table.making_w > one.making_w > many.making_w
    assert many.making_w == pytest.approx(90, rel=0.02) and many.warm_w == pytest.approx(200, rel=0.02)
    assert many.used == pytest.approx(2.1 / 2.75, rel=0.02) and many.spread < one.spread < table.spread
    assert abs(planning.miss(many, job)) < abs(planning.miss(table, job))


@given(minutes=st.integers(5, 900), late=st.integers(0, 120), used=st.floats(0, 1), warm=st.floats(0, 60))
def test_the_curve_of_a_booking_sums_to_its_kwh(minutes: int, late: int, used: float, warm: float) -> None:
    profile = Profile(300, warm, 120, 10, used)
    span = Span(T0 + late * dt.timedelta(minutes=1), T0 + (late + minutes) * dt.timedelta(minutes=1))
    edges = [T0 + n * QUARTER for n in range(80)]
    assert sum(planning.curve(profile, span, edges)) == pytest.approx(profile.kwh(span.end - span.start))


def test_misses_of_different_jobs_are_independent() -> None:
    assert planning.band([3.0, 4.0], [0.1, 0.0]) == pytest.approx((7 - 1.645 * 0.3, 7 + 1.645 * 0.3))


# --- where a job is placed ---------------------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(0, 190), st.integers(1, 12)), max_size=14)


def apart(found: list[tuple[int, int]]) -> list[Span]:
    """Spans in quarters that do not meet, in order, as the database keeps them."""
    kept: list[Span] = []
    for first, length in sorted(found):
        span = Span(T0 + first * QUARTER, T0 + (first + length) * QUARTER)
        if not kept or kept[-1].end <= span.start:
            kept.append(span)
    return kept


@settings(max_examples=200, deadline=None)
@given(
    taken=spans,
    length=st.integers(1, 16),
    earliest=st.integers(0, 60),
    room=st.integers(1, 120),
    buffers=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    sun=st.lists(st.floats(0, 1), min_size=60, max_size=60),
    opened=st.tuples(st.integers(0, 30), st.integers(40, 200)),
)
def test_a_place_never_overlaps_never_is_late_and_never_is_worse_than_the_first(
    taken: list[tuple[int, int]],
    length: int,
    earliest: int,
    room: int,
    buffers: tuple[int, int],
    sun: list[float],
    opened: tuple[int, int],
) -> None:
    held, wanted = apart(taken), length * QUARTER
    start, deadline = T0 + earliest * QUARTER, T0 + (earliest + room) * QUARTER
    shares = [times.Sun(T0 + n * HOUR, T0 + (n + 1) * HOUR, one, one / 2, one) for n, one in enumerate(sun)]
    door = Span(T0 + opened[0] * QUARTER, T0 + opened[1] * QUARTER)
    calendar = Calendar(Buffers(buffers[0] * QUARTER, buffers[1] * QUARTER), held, [door])

    def share_of(span: Span) -> Share | None:
        expected = times.share_of(span, shares)
        ends = times.range_of(span, shares)
        return None if expected is None or ends.low is None else Share(expected, ends.low, ends.high or expected)

    free = list(placing.free_spans(wanted, calendar, start, deadline))
    # the plain oracle: every quarter, asked by itself
    plain = [
        Span(at, at + wanted)
        for at in (T0 + n * QUARTER for n in range(300))
        if at >= start
        and at + wanted <= deadline
        and door.start <= at
        and at + wanted <= door.end
        and not any(
            at - calendar.buffers.before < other.end and other.start < at + wanted + calendar.buffers.after
            for other in held
        )
    ]
    assert free == plain
    places = placing.ranked(free, share_of)
    if not places:
        return
    first = min(places)
    chosen = placing.choose(places, first)
    assert chosen is not None
    best = max((p.share.expected for p in places if p.share), default=0.0)
    got = chosen.share.expected if chosen.share else 0.0
    assert got >= (first.share.expected if first.share else 0.0)
    assert got >= best - 0.0101, "at most a per cent is left for how soon it is"
    for one in placing.apart(places, 3):
        assert start <= one.start and one.end <= deadline
    three = placing.apart(places, 3)
    assert all(a.end <= b.start for a, b in zip(sorted(three), sorted(three)[1:], strict=False))


def test_a_move_is_worth_its_notice_from_five_per_cent_on() -> None:
    def at(share: float) -> Place:
        return Place(T0, T0 + HOUR, Share(share, share, share))

    assert placing.is_better(at(0.55), at(0.5)) and not placing.is_better(at(0.54), at(0.5))
    assert placing.choose([], at(0.5)) == at(0.5)
    assert placing.choose([at(0.5)], Place(T0 + HOUR, T0 + 2 * HOUR, Share(0.5, 0, 1))) != at(0.5), "a tie is no gain"


def test_the_range_of_a_time_says_the_least_sure_of_what_it_comes_from() -> None:
    suns = [
        times.Sun(T0, T0 + HOUR, 0.5, 0.2, 0.8, "forecast"),
        times.Sun(T0 + HOUR, T0 + 2 * HOUR, 0.7, 0.4, 1.0, "season"),
        times.Sun(T0 + 2 * HOUR, T0 + 3 * HOUR, 0.7),
    ]
    found = times.range_of(Span(T0, T0 + 2 * HOUR), suns)
    assert (found.low, found.high) == pytest.approx((0.3, 0.9)) and found.basis == "season"
    assert times.range_of(Span(T0, T0 + 3 * HOUR), suns).low is None


# --- a real neighbourhood ----------------------------------------------------------------------------------------


def test_on_fontanas_year_the_sun_gains_a_quarter_and_breaks_no_deadline(shared: Path) -> None:
    """The short form of `bench_sunshine`: two seeds of twenty demands, no learned forecast, only what lay four weeks
    back. The share of kWh on local surplus rises by 25 % or more against first come, first served.
    """
    load, pv = sunshine_demands.read(shared)
    world = sunshine_demands.World(load, pv, sunshine_demands.nothing_learned)
    found: dict[str, list[float]] = {"first": [0.0, 0.0], "suggested": [0.0, 0.0], "flexible": [0.0, 0.0]}
    for seed in (1, 2):
        wanted = sunshine_demands.demands(seed, len(load))
        assert len(wanted) == 20
        for way, sums in found.items():
            book, _moved = sunshine_demands.place(way, world, wanted)
            assert sunshine_demands.broken(book) == []
            kwh, sun = book.covered()
            sums[0], sums[1] = sums[0] + kwh, sums[1] + sun
    share = {way: sun / kwh for way, (kwh, sun) in found.items()}
    assert found["first"][0] == pytest.approx(found["suggested"][0]) == pytest.approx(found["flexible"][0])
    assert share["suggested"] >= 1.25 * share["first"]
    assert share["flexible"] >= 1.25 * share["first"]
