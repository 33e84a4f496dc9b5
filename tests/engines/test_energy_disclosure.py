"""Cells of public figures: enough members, nobody dominates, nothing can be subtracted back."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.engine.disclosure import NOT_SHOWN, cells

START = dt.datetime(2026, 3, 27, 22, tzinfo=dt.UTC)  # midnight in Helsinki; the clocks go forward on the 29th


def cut(use: np.ndarray, step: int = 60, least: int = 15, below: int = 30, share: float = 0.15) -> np.ndarray:
    return cells(
        use,
        start=START,
        step_minutes=step,
        timezone="Europe/Helsinki",
        least=least,
        least_below_an_hour=below,
        largest_share=share,
    )


def test_equal_members_are_shown_step_by_step() -> None:
    assert list(cut(np.ones((15, 72)))) == list(range(72))
    assert set(cut(np.ones((14, 72)))) == {NOT_SHOWN}


def test_below_an_hour_needs_twice_as_many() -> None:
    assert len(set(cut(np.ones((29, 96)), step=15))) == 24
    assert len(set(cut(np.ones((30, 96)), step=15))) == 96


def test_a_dominated_hour_makes_its_day_coarser_and_no_other() -> None:
    use = np.ones((20, 72))
    use[0, 30] = 5  # 5 of 24 in that hour; 7 of 64 in its three hours
    found = cut(use)
    local = [(START + dt.timedelta(hours=h)).astimezone(dt.timezone(dt.timedelta(hours=2))).date() for h in range(72)]
    assert [len(set(found[[d == day for d in local]])) for day in sorted(set(local))][:1] == [24]
    assert len(set(found[24:47])) == 8  # a day of 23 hours, in threes
    assert len(set(found[47:71])) == 24


def test_a_dominated_day_is_joined_with_the_next_and_the_last_with_those_before() -> None:
    use = np.ones((20, 72))
    use[0, :24] = 12  # 288 of 744 on the first day; with the two days after 334 of 1,670 and still too much
    assert set(cut(use)) == {NOT_SHOWN}
    use[0, :24] = 6
    assert len(set(cut(use)[:25])) == 1
    use = use[:, ::-1].copy()
    found = cut(use)
    assert found[-1] == found[47]
    assert NOT_SHOWN not in found


@given(st.integers(15, 25), st.integers(0, 2**32 - 1), st.sampled_from([15, 60]), st.floats(0.5, 3.0))
def test_no_cell_has_too_large_a_share(members: int, seed: int, step: int, spread: float) -> None:
    """Whatever they use: each published cell holds the rule, and cells are stretches without holes."""
    use = np.random.default_rng(seed).lognormal(0, spread, (members, 24 * 60 // step * 3))
    found = cut(use, step=step)
    assert np.all(np.diff(found) >= 0)
    assert np.all(np.diff(found) <= 1)
    if found[0] == NOT_SHOWN:
        total = use.sum(axis=1)
        assert total.max() > 0.15 * total.sum()
        return
    for cell in set(found):
        sums = use[:, found == cell].sum(axis=1)
        assert sums.max() <= 0.15 * sums.sum() * (1 + 1e-9)
    assert members >= 30 or step == 60 or np.bincount(found).min() >= 60 // step


def test_what_is_not_known_counts_as_nothing() -> None:
    use = np.ones((20, 24))
    use[0] = np.nan
    assert len(set(cut(use))) == 24
    use[:15] = np.nan  # five are left, each a fifth
    assert set(cut(use)) == {NOT_SHOWN}


@pytest.mark.parametrize("nobody", [np.zeros((20, 24))])
def test_nothing_used_is_no_secret(nobody: np.ndarray) -> None:
    assert len(set(cut(nobody))) == 24
