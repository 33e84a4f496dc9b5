"""Fairness: Gini against its definition and known values; leaving against plain loops over every group."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from energy.engine import fairness
from energy.engine.community import Floats
from energy.engine.fairness import Rates

RATES = Rates(bought=0.30, shared=0.10, sold=0.08)
kwh = st.floats(0, 5, allow_nan=False, allow_subnormal=False)


def test_known_values() -> None:
    assert fairness.gini([5, 5, 5, 5]) == 0
    assert fairness.gini([0, 0, 0, 8]) == 0.75, "one of four has all: 1 - 1/4"
    assert fairness.gini([1, 2, 3, 4, 5]) == pytest.approx(4 / 15, abs=1e-4)
    assert fairness.gini([0, 0]) == fairness.gini([7]) == 0


@given(st.lists(st.floats(-100, 100, allow_nan=False, allow_subnormal=False), min_size=2, max_size=12))
def test_gini_is_a_share_and_knows_no_order_and_no_currency(gains: list[float]) -> None:
    found = fairness.gini(gains)
    assert 0 <= found <= 1
    assert fairness.gini(gains[::-1]) == pytest.approx(found, abs=2e-4)
    if sum(map(abs, gains)) > 1e-6:
        assert fairness.gini([7 * gain for gain in gains]) == pytest.approx(found, abs=2e-4)


def alone(use: Floats, feed_in: Floats, group: tuple[int, ...]) -> float:
    """What a group pays, step by step."""
    total = 0.0
    for step in range(use.shape[1]):
        wants = sum(use[member][step] for member in group)
        gives = sum(feed_in[member][step] for member in group)
        shared = min(wants, gives)
        total += (wants - shared) * RATES.bought + shared * RATES.shared - (gives - shared) * RATES.sold
    return total


@given(arrays.arrays(np.float64, (2, 4, 3), elements=kwh), arrays.arrays(np.float64, 4, elements=st.floats(-3, 3)))
def test_the_best_exit_is_the_best_of_all_groups(curves: Floats, bills: Floats) -> None:
    use, feed_in = curves
    groups = [g for size in (1, 2, 3) for g in itertools.combinations(range(4), size)]
    best = max(0.0, *(sum(bills[list(g)]) - alone(use, feed_in, g) for g in groups))
    assert fairness.best_exit(use, feed_in, bills, RATES) == pytest.approx(best, abs=1e-9)


def test_who_is_billed_as_alone_has_no_reason_to_leave() -> None:
    use, feed_in = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [4.0, 0.0], [0.0, 0.0]])
    everybody = alone(use, feed_in, (0, 1, 2))
    single = np.array([alone(use, feed_in, (i,)) for i in range(3)])
    assert single.sum() > everybody, "sharing saves something"
    assert fairness.best_exit(use, feed_in, single, RATES) > 0, "billed as alone, a pair does better by itself"
    gone = np.array([alone(use, feed_in, (0, 2)) + 1, 0.0, 0.0])
    assert fairness.best_exit(use, feed_in, gone, RATES) >= 1 - 1e-9


def test_many_members_are_tried_in_small_and_large_groups() -> None:
    sizes = {len(group) for group in fairness.groups(20)}
    assert sizes == {1, 2, 19} and len(list(fairness.groups(12))) == 2**12 - 2
