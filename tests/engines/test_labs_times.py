"""Free times, opening hours, licences and sizes against plain brute force."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.engine import hours, matching, sparkline, times
from labs.engine.hours import Span

# a busy machine draws examples slowly, which says nothing about the engine
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ZERO = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HELSINKI = ZoneInfo("Europe/Helsinki")


def span(start: int, end: int) -> Span:
    """Quarters of an hour after the start."""
    return Span(ZERO + 15 * start * MINUTE, ZERO + 15 * end * MINUTE)


def cells(spans: list[Span]) -> set[int]:
    """The minutes that the spans hold."""
    return {minute for s in spans for minute in range(int((s.start - ZERO) / MINUTE), int((s.end - ZERO) / MINUTE))}


edges = st.lists(st.integers(0, 96), min_size=0, max_size=16, unique=True)


def pairs(numbers: list[int]) -> list[Span]:
    ordered = sorted(numbers)
    return [span(a, b) for a, b in zip(ordered[::2], ordered[1::2], strict=False)]


@calmly
@given(edges, edges, st.integers(0, 80), st.integers(1, 12), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_next_free_is_the_first_that_brute_force_finds(
    taken: list[int], opened: list[int], start: int, length: int, around: tuple[int, int]
) -> None:
    held, doors, (before, after) = pairs(taken), pairs(opened), around
    buffers = times.Buffers(15 * before * MINUTE, 15 * after * MINUTE)
    busy = cells(held)

    def fits(at: int) -> bool:
        wanted = span(at, at + length)
        inside = any(door.start <= wanted.start and wanted.end <= door.end for door in doors)
        return inside and not busy & cells([span(at - before, at + length + after)])

    expected = next((at for at in range(start, 97) if fits(at)), None)
    found = times.next_free(span(start, start + length), buffers, held, doors)
    assert found == (None if expected is None else span(expected, expected + length))
    assert times.is_free(span(start, start + length), buffers, held, doors) is fits(start)


@calmly
@given(edges, st.integers(1, 8), st.lists(st.floats(0, 1), min_size=24, max_size=24))
def test_best_times_are_free_apart_and_the_sunniest(taken: list[int], length: int, shares: list[float]) -> None:
    held, day = pairs(taken), [span(0, 96)]
    sun = [times.Sun(span(4 * n, 0).start, span(4 * n + 4, 0).start, share) for n, share in enumerate(shares)]
    none = times.Buffers(dt.timedelta(), dt.timedelta())
    offers = times.best(15 * length * MINUTE, none, held, day, sun)
    starts = [at for at in range(0, 97 - length, 2) if times.is_free(span(at, at + length), none, held, day)]
    assert bool(offers) is bool(starts)
    for one, other in itertools.combinations(offers, 2):
        assert one.end <= other.start or one.start >= other.end
    if offers:
        top = max(times.share_of(span(at, at + length), sun) or 0.0 for at in starts)
        assert round(100 * (offers[0].share or 0.0)) == round(100 * top)


@calmly
@given(st.integers(0, 90), st.integers(1, 40), st.lists(st.floats(0, 1), min_size=34, max_size=34))
def test_share_is_the_mean_over_minutes(start: int, length: int, shares: list[float]) -> None:
    sun = [times.Sun(span(4 * n, 0).start, span(4 * n + 4, 0).start, share) for n, share in enumerate(shares)]
    minutes = cells([span(start, start + length)])
    expected = sum(shares[m // 60] for m in minutes) / len(minutes)
    assert times.share_of(span(start, start + length), sun) == pytest.approx(expected)


def test_share_is_not_known_where_the_sun_is_not() -> None:
    sun = [times.Sun(span(0, 0).start, span(4, 0).start, 1.0)]
    assert times.share_of(span(0, 4), sun) == 1.0
    assert times.share_of(span(0, 8), sun) is None
    assert times.share_of(span(0, 4), []) is None


@pytest.mark.parametrize(
    ("day", "long"),
    [
        (dt.date(2026, 3, 29), dt.timedelta(hours=7)),
        (dt.date(2026, 10, 25), dt.timedelta(hours=9)),
        (dt.date(2026, 6, 7), dt.timedelta(hours=8)),
    ],
    ids=["an hour is missing", "an hour comes twice", "an ordinary Sunday"],
)
def test_opening_hours_are_right_when_the_clock_changes(day: dt.date, long: dt.timedelta) -> None:
    """Open 02:00 to 10:00 by the clock on the wall."""
    start, end = hours.at(day, 0, HELSINKI), hours.at(day + dt.timedelta(days=1), 0, HELSINKI)
    found = hours.open_spans({"sun": [["02:00", "10:00"]]}, HELSINKI, start, end)
    assert [s.end - s.start for s in found] == [long]
    assert found[0].end.astimezone(HELSINKI).hour == 10


def test_nights_join_over_midnight() -> None:
    week = {"mon": [["18:00", "24:00"]], "tue": [["00:00", "03:00"]]}
    start = hours.at(dt.date(2026, 6, 1), 0, HELSINKI)
    found = hours.open_spans(week, HELSINKI, start, start + dt.timedelta(days=3))
    assert [s.end - s.start for s in found] == [dt.timedelta(hours=9)]


@pytest.mark.parametrize(
    "week",
    [
        {"mo": []},
        {"mon": [["9", "x"]]},
        {"mon": [["12:00", "11:00"]]},
        {"mon": [["09:00", "25:00"]]},
        {"mon": [["09:00"]]},
        {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]},
    ],
)
def test_hours_that_cannot_be_are_refused(week: dict[str, list[list[str]]]) -> None:
    with pytest.raises(ValueError):
        hours.check(week)


@calmly
@given(st.lists(st.floats(1, 500), min_size=3, max_size=3), st.lists(st.floats(1, 500), min_size=3, max_size=3))
def test_a_box_fits_if_some_turn_of_it_does(extents: list[float], volume: list[float]) -> None:
    brute = any(all(s <= r for s, r in zip(turn, volume, strict=True)) for turn in itertools.permutations(extents))
    assert matching.size_fits(extents, volume) is brute


def test_an_open_mesh_and_an_unknown_size_are_said_and_do_not_forbid() -> None:
    verdict = matching.match([matching.Part("a.stl", "stl", None, False)], process="fff", volume_mm=(100, 100, 100))
    assert verdict.fits
    assert {r.word for r in verdict.reasons_against} == {"size-unknown", "open-mesh"}
    assert not matching.match([], process="fff", volume_mm=None).fits
    assert not matching.match([matching.Part("a.stl", "stl")], process="laser-cutting", volume_mm=None).fits


def test_a_sparkline_stays_in_its_box() -> None:
    drawn = sparkline.sparkline([(0, -5), (30, 400), (60, 1e6)], start=0, end=60)
    numbers = [float(n) for n in drawn.line.replace("M", "").replace("L", " ").split()]
    assert all(0 <= x <= 120 for x in numbers[::2])
    assert all(0 <= y <= 30 for y in numbers[1::2])
    assert sparkline.sparkline([(1, 1)], start=0, end=60).line == ""


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9))),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9))),
)
def test_what_lies_in_both_is_what_a_count_finds(ones: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    a, b = ([span(start, start + length) for start, length in told] for told in (ones, others))
    assert cells(times.both(a, b)) == cells(a) & cells(b)
