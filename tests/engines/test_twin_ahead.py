"""The next 48 hours: nothing is read that was not known, what is served is never worse than a simple guess."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.engine import ahead

HOURS = np.arange(24)
SAME = "four same weekdays"


def weeks(days: int, seed: int, *, noise: float = 0.3) -> np.ndarray:
    """Days of a neighbourhood: a shape of the day, weekends higher, a level that drifts, and chance."""
    chance = np.random.default_rng(seed)
    shape = 2 + np.exp(-((HOURS - 19) ** 2) / 8) * 3 + np.exp(-((HOURS - 8) ** 2) / 4)
    drift = 1 + 0.3 * np.sin(np.arange(days) / 40)
    weekend = np.where((np.arange(days) % 7) >= 5, 1.3, 1.0)
    walk = np.exp(np.cumsum(chance.normal(0, 0.02, days)))
    return shape[None] * (drift * weekend * walk)[:, None] * chance.lognormal(0, noise / 3, (days, 24))


@given(st.integers(0, 10_000), st.integers(72, 90))
@settings(max_examples=6, deadline=None)
def test_nothing_is_read_that_comes_later(seed: int, until: int) -> None:
    """The guesses, the model and the bands of an issue are the same whatever comes from its midnight on."""
    days = weeks(100, seed)
    other = days.copy()
    other[until:] = np.random.default_rng(seed + 1).uniform(0, 50, other[until:].shape)
    booked = np.random.default_rng(seed + 2).uniform(0, 3, (101, 48))
    for name, line in ahead.guesses(days, booked).items():
        again = ahead.guesses(other, booked)[name]
        np.testing.assert_array_equal(line[: until + 1], again[: until + 1], err_msg=name)
    scale, found = ahead.level(days), ahead.guesses(days)
    sort = ahead.sorts(100, 0)
    model = ahead._model(days, found, scale, sort)
    changed = ahead._model(other, ahead.guesses(other), ahead.level(other), sort)
    np.testing.assert_array_equal(model[: until + 1], changed[: until + 1])
    line = found["last week"]
    bands = ahead._bands(line, days, scale)
    same = ahead._bands(ahead.guesses(other)["last week"], other, ahead.level(other))
    np.testing.assert_array_equal(bands[: until + 1], same[: until + 1])


def test_foreseeing_is_the_last_issue_of_walking() -> None:
    days = weeks(120, 3)
    whole, cut = ahead.guesses(days), ahead.foresee(days[:110], 0)
    walked = ahead._model(days, whole, ahead.level(days), ahead.sorts(120, 0))[110]
    assert cut.served == ahead.MODEL
    np.testing.assert_allclose(cut.middle, walked)


def test_the_model_beats_every_simple_guess_where_there_is_something_to_learn() -> None:
    found = ahead.foresee(weeks(220, 1), 0)
    assert found.served == ahead.MODEL
    assert found.judged.skill > 0.05
    assert found.judged.days >= 150
    assert 0.85 <= found.judged.covered <= 0.95
    assert (found.low <= found.middle).all()
    assert (found.middle <= found.high).all()


@given(st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_what_is_served_is_never_worse_than_the_best_simple_guess(seed: int) -> None:
    days = np.abs(np.random.default_rng(seed).normal(3, 2, (90, 24)))
    found = ahead.foresee(days, 2)
    assert found.judged.mae <= min(found.judged.naive_mae.values()) + 1e-12
    if found.served != ahead.MODEL:
        np.testing.assert_array_equal(found.middle, np.maximum(found.naive, 0))
        assert found.judged.skill == 0


def test_a_day_that_repeats_is_foreseen_by_the_simple_guess() -> None:
    days = np.tile(weeks(1, 0), (90, 1))
    found = ahead.foresee(days, 0)
    assert found.served != ahead.MODEL
    np.testing.assert_allclose(found.middle, np.tile(days[0], 2))
    assert found.judged.mae == pytest.approx(0, abs=1e-9)


def test_bookings_say_what_habits_cannot() -> None:
    """Machines run when they are booked, at hours that no habit knows; nine of ten booked hours come true."""
    chance = np.random.default_rng(5)
    days = np.zeros((120, 24))
    for day in range(120):
        for hour in chance.choice(24, 5, replace=False):
            days[day, hour] = chance.integers(1, 4)
    came = days * (chance.uniform(size=days.shape) < 0.9)
    flat = np.concatenate([days, np.zeros((2, 24))])
    booked = np.stack([np.concatenate(flat[d : d + 2]) for d in range(121)])
    found = ahead.foresee(came, 0, booked=booked)
    assert found.judged.best_naive == ahead.BOOKED
    habits = min(found.judged.naive_mae[name] for name in ahead.NAIVE)
    assert found.judged.mae < 0.5 * habits


def test_a_holiday_is_foreseen_as_a_sunday() -> None:
    """Holidays on working days, in a neighbourhood whose Sundays look otherwise than its working days."""
    count = 150
    days = weeks(count + 2, 6, noise=0.05)
    sundays = days[6::7].mean(axis=0) * np.roll(np.linspace(0.5, 2.0, 24), 9)
    off = np.zeros(count + 2, dtype=bool)
    off[[31, 52, 73, 94, 108, 122, 136, count]] = True
    days[(np.arange(count + 2) % 7 == 6) | off] = sundays
    assert count % 7 not in (5, 6) and not any((np.flatnonzero(off) % 7) == 6)
    told = ahead.foresee(days[:count], 0, holidays=off)
    untold = ahead.foresee(days[:count], 0)
    missed, before = (np.abs(found.middle[:24] - sundays).mean() for found in (told, untold))
    assert missed < 0.5 * before
    np.testing.assert_allclose(ahead.guesses(days[:count], sort=ahead.sorts(count, 0, off))[SAME][count, :24], sundays)
    plain = ahead.foresee(days[:count], 0, holidays=np.zeros(count + 2, dtype=bool))
    np.testing.assert_array_equal(plain.middle, untold.middle)


def test_gaps_are_no_zeroes_and_too_little_is_said() -> None:
    days = weeks(120, 4)
    days[60:63] = np.nan
    days[100, 5] = np.nan
    found = ahead.foresee(days, 0)
    assert np.isfinite(found.middle).all()
    with pytest.raises(ahead.TooFewDays):
        ahead.foresee(days[:50], 0)
    with pytest.raises(ahead.TooFewDays):
        ahead.foresee(np.full((100, 24), np.nan), 0)


def test_a_score_counts_known_hours_alone() -> None:
    came = np.array([1.0, 2.0, np.nan, 4.0])
    one, zero = np.ones(4), np.zeros(4)
    got = ahead.score(came, middle=one, low=zero, high=one * 2, naive=zero)
    assert got == {"mae": pytest.approx(4 / 3), "naive_mae": pytest.approx(7 / 3), "skill": pytest.approx(3 / 7),
                   "covered": pytest.approx(2 / 3), "hours": 3}  # fmt: skip
    assert ahead.score(np.full(4, np.nan), middle=one, low=zero, high=one, naive=zero) == {}
