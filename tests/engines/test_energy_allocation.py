"""Allocation of the surplus: small cases by hand, and identities that hold exactly for whatever comes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from energy.engine.allocation import PER_KWH, Key, allocate, fill, millionths, portions
from energy.engine.refusals import NotDefined

Floats = NDArray[np.float64]


def column(*kwh: float) -> Floats:
    return np.array([kwh], dtype=np.float64).T


def kwh(units: NDArray[np.int64]) -> list[float]:
    return [float(value) / PER_KWH for value in units[:, 0]]


def test_static_is_capped_and_the_rest_goes_to_the_grid() -> None:
    """Surplus 10: half of it is 5 for the first, who draws 2; the others have 3 and 2 of their 4 and 9."""
    found = allocate(column(2, 4, 9, 0), column(0, 0, 0, 10), "static", shares=[500_000, 300_000, 200_000, 0])
    assert kwh(found.received) == [2, 3, 2, 0]
    assert kwh(found.given) == [0, 0, 0, 7]
    assert kwh(found.to_grid) == [0, 0, 0, 3]
    assert kwh(found.from_grid) == [0, 1, 7, 0]


def test_static_again_offers_the_rest_to_the_others() -> None:
    """The 3 that the first leaves go 3 : 2 to the others: 1.8 and 1.2, but the second lacks only 1."""
    found = allocate(
        column(2, 4, 9, 0), column(0, 0, 0, 10), "static", shares=[500_000, 300_000, 200_000, 0], again=True
    )
    assert kwh(found.received) == [2, 4, 4, 0]
    assert kwh(found.given) == [0, 0, 0, 10]


def test_dynamic_covers_the_same_part_of_each() -> None:
    found = allocate(column(2, 4, 10, 0), column(0, 0, 3, 1), "dynamic")
    assert kwh(found.received) == [0.5, 1, 2.5, 0]
    assert kwh(found.given) == [0, 0, 3, 1]
    plenty = allocate(column(2, 4, 0, 0), column(0, 0, 9, 3), "dynamic")
    assert kwh(plenty.received) == [2, 4, 0, 0]
    assert kwh(plenty.given) == [0, 0, 4.5, 1.5]


def test_equal_parts_until_nobody_draws_more() -> None:
    found = allocate(column(1, 4, 9, 0), column(0, 0, 0, 10), "equal")
    assert kwh(found.received) == [1, 4, 5, 0]


def test_a_third_of_a_unit_goes_to_the_first() -> None:
    tiny = 1 / PER_KWH
    found = allocate(column(tiny, tiny, tiny, 0), column(0, 0, 0, tiny), "equal")
    assert found.received[:, 0].tolist() == [1, 0, 0, 0]


def test_what_was_not_measured_is_listed_and_not_guessed() -> None:
    use = np.array([[1.0, np.nan], [1.0, 1.0], [0.0, 0.0]])
    feed_in = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, np.nan]])
    found = allocate(use, feed_in, "dynamic")
    assert found.use_unmeasured.tolist() == [[False, True], [False, False], [False, False]]
    assert found.feed_in_unmeasured.tolist() == [[False, False], [False, False], [False, True]]
    assert found.received[:, 1].tolist() == [0, 0, 0]
    assert found.received[:, 0].tolist() == [PER_KWH // 2, PER_KWH // 2, 0]


def test_who_is_no_member_has_no_part() -> None:
    use, feed_in = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    present = np.array([[True, False], [True, True], [True, True]])
    found = allocate(use, feed_in, "dynamic", present=present)
    assert found.received[:, 1].tolist() == [0, PER_KWH, 0]
    assert found.from_grid[0, 1] == 0


def test_what_makes_no_sense_is_refused() -> None:
    one = np.ones((2, 3))
    with pytest.raises(NotDefined, match="below zero"):
        allocate(-one, one, "dynamic")
    with pytest.raises(NotDefined, match="more than the whole"):
        allocate(one, one, "static", shares=[600_000, 500_000])
    with pytest.raises(NotDefined, match="for each member"):
        allocate(one, one, "static", shares=[600_000])
    with pytest.raises(NotDefined, match="no key"):
        allocate(one, one, "magic")  # type: ignore[arg-type]
    with pytest.raises(NotDefined, match="length"):
        allocate(one, np.ones((2, 4)), "equal")


energies = st.one_of(
    st.just(float("nan")), st.just(0.0), st.floats(0, 5), st.floats(0, 1e-5), st.sampled_from([0.1, 0.25, 1e6, 1e9])
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Floats, Floats, list[int]]:
    members, steps = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    grid = st.lists(st.lists(energies, min_size=steps, max_size=steps), min_size=members, max_size=members)
    parts = draw(st.lists(st.integers(0, 1_000_000 // members), min_size=members, max_size=members))
    return np.array(draw(grid)), np.array(draw(grid)), parts


@settings(max_examples=150, deadline=None)
@given(case=cases(), key=st.sampled_from(["static", "dynamic", "equal"]), again=st.booleans())
def test_nothing_is_invented_and_nothing_lost(case: tuple[Floats, Floats, list[int]], key: Key, again: bool) -> None:
    use_kwh, feed_in_kwh, shares = case
    found = allocate(use_kwh, feed_in_kwh, key, shares=shares if key == "static" else (), again=again)
    received, given_, use, feed_in = found.received, found.given, found.use, found.feed_in
    assert (received >= 0).all()
    assert (received <= use).all()
    assert (given_ >= 0).all()
    assert (given_ <= feed_in).all()
    paired = list(zip(received.T.tolist(), given_.T.tolist(), strict=True))
    assert all(sum(got) == sum(gave) for got, gave in paired)
    assert (received[np.isnan(use_kwh)] == 0).all()
    assert (given_[np.isnan(feed_in_kwh)] == 0).all()
    for t in range(use.shape[1]):
        whole, asked = sum(feed_in[:, t].tolist()), sum(use[:, t].tolist())
        if key != "static":
            assert sum(received[:, t].tolist()) == min(whole, asked)
        elif again:
            wanted = sum(int(use[i, t]) for i in range(len(use)) if shares[i])
            assert sum(received[:, t].tolist()) == min(whole, wanted)
        else:
            for i, share in enumerate(shares):
                # the agreed share, to the unit
                assert abs(min(int(use[i, t]), whole * share / 1_000_000) - int(received[i, t])) <= max(
                    1, whole * 1e-12
                )


@settings(max_examples=100, deadline=None)
@given(
    amount=st.integers(0, 10**15),
    weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=6),
    caps=st.lists(st.integers(0, 10**15), min_size=6, max_size=6),
)
def test_filling_is_fair(amount: int, weights: list[int], caps: list[int]) -> None:
    """Against exact fractions: whoever is not full has its weight's part of one common level, to the unit."""
    from fractions import Fraction

    n = len(weights)
    got = fill(np.array([amount]), np.array([weights]).T, np.array([caps[:n]]).T)[:, 0].tolist()
    able = [i for i in range(n) if weights[i]]
    assert sum(got) == min(amount, sum(caps[i] for i in able))
    levels = [Fraction(got[i], weights[i]) for i in able if got[i] < caps[i]]
    for i in able:
        if got[i] < caps[i]:
            # nobody has more for its weight than one who could still take, but for the last unit
            assert all(Fraction(got[j] - 1, weights[j]) <= Fraction(got[i] + 1, weights[i]) for j in able)
    assert levels or sum(got) == sum(caps[i] for i in able)


@settings(max_examples=100, deadline=None)
@given(amount=st.integers(0, 10**14), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_portions_come_to_the_whole(amount: int, weights: list[int]) -> None:
    parts = portions(np.array([amount]), np.array([weights]).T)[:, 0].tolist()
    whole = sum(weights)
    assert sum(parts) == (amount if whole else 0)
    assert all(
        abs(part * whole - amount * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole
    )


def test_shares_from_a_rule_of_sharing() -> None:
    assert millionths([1, 1, 1]) == [333_334, 333_333, 333_333]
    assert millionths([3.0, -2.0, 1.0]) == [750_000, 0, 250_000]
    with pytest.raises(NotDefined):
        millionths([0, -1])
