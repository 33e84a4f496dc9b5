"""Statements by hand: a small month of three members, prices that change, prices that lack, cents that add up."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import billing
from energy.engine.allocation import allocate
from energy.engine.billing import Energies, Line, Price, Prices, Rules, Stretch, apportion, cents

D = Decimal
JUNE, END = dt.date(2026, 6, 1), dt.date(2026, 6, 30)


def prices(energy: int = 200_000, *, steps: list[int | None] | None = None, base: str = "6.00") -> Prices:
    return Prices(Price(energy, steps), 50_000, 20_000, Price(80_000), D(base), D("25.5"))


LOCAL = Rules(120_000, D(57), D(0), True)


def three() -> list[Energies]:
    """Three steps: A and B draw, C feeds in (see the amounts below)."""
    use = np.array([[0.5, 1.0, 0.3], [1.5, 0.2, 0.3], [0.0, 0.1, 0.4]])
    feed_in = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 3.0, 0.0]])
    found = allocate(use, feed_in, "dynamic")
    return [
        Energies(
            found.from_grid[i].tolist(), found.received[i].tolist(), found.given[i].tolist(), found.to_grid[i].tolist()
        )
        for i in range(3)
    ]


def by_code(lines: list[Line], amounts: list[Decimal]) -> dict[str, str]:
    return {line.code: str(amount) for line, amount in zip(lines, amounts, strict=True)}


def test_three_members_by_hand() -> None:
    """A receives 0.25 + 1, B 0.75 + 0.2, C 0.1; so 0.55, 1.05 and 0.4 come from the grid and 1.7 of C go there.

    Grid fee on what is shared: 0.05 less 57 % = 0.0215. Exact: grid fee 0.0275, 0.0525, 0.02 of 0.10, so the missing
    cent is A's; levies 0.011, 0.021, 0.008 of 0.04, so C's; shared 0.15, 0.114, 0.012 of 0.276, so B's; C earns 0.28.
    """
    stretch = [Stretch(0, 3, JUNE, END, prices(), LOCAL)]
    lines = [billing.lines(energies, stretch) for energies in three()]
    assert [str(line.exact) for line in lines[0]][:3] == ["0.110000000000", "0.027500000000", "0.011000000000"]
    amounts = billing.in_cents(lines)
    assert by_code(lines[0], amounts[0]) == {
        "energy": "0.11", "grid_fee": "0.03", "levies": "0.01", "shared": "0.15", "shared_grid_fee": "0.03",
        "shared_levies": "0.03", "base": "6.00",
    }  # fmt: skip
    assert by_code(lines[1], amounts[1]) == {
        "energy": "0.21", "grid_fee": "0.05", "levies": "0.02", "shared": "0.12", "shared_grid_fee": "0.02",
        "shared_levies": "0.02", "base": "6.00",
    }  # fmt: skip
    assert by_code(lines[2], amounts[2]) == {
        "energy": "0.08", "grid_fee": "0.02", "levies": "0.01", "shared": "0.01", "shared_grid_fee": "0.00",
        "shared_levies": "0.00", "base": "6.00", "given": "-0.28", "feed_in": "-0.14",
    }  # fmt: skip
    gross = []
    for found, money in zip(lines, amounts, strict=True):
        tax = billing.tax_of([(m, line.tax_pct) for line, m in zip(found, money, strict=True)])
        gross.append(sum(money, D(0)) + sum(tax.values(), D(0)))
    assert gross == [D("7.98"), D("8.08"), D("7.26")]


def test_a_price_that_changes_in_the_month() -> None:
    """Two kWh before and one after; the base fee by days: 10 of 30 at 6, 20 of 30 at 9."""
    energies = Energies([1_000_000, 1_000_000, 1_000_000], [0] * 3, [0] * 3, [0] * 3)
    stretches = [
        Stretch(0, 2, JUNE, dt.date(2026, 6, 10), prices(), LOCAL),
        Stretch(2, 3, dt.date(2026, 6, 11), END, prices(300_000, base="9.00"), LOCAL),
    ]
    lines = billing.lines(energies, stretches)
    told = [(line.code, str(line.kwh), line.rate, line.first_day.day, line.last_day.day, line.exact) for line in lines]
    assert told[0] == ("energy", "2.000000", 200_000, 1, 10, D("0.4"))
    assert told[1] == ("energy", "1.000000", 300_000, 11, 30, D("0.3"))
    assert told[2] == ("grid_fee", "3.000000", 50_000, 1, 30, D("0.15"))
    assert [(line.days, line.exact) for line in lines if line.code == "base"] == [(10, D(2)), (20, D(6))]


def test_a_price_for_each_step_and_steps_without_one() -> None:
    energies = Energies([1_000_000, 2_000_000, 3_000_000], [0] * 3, [0] * 3, [0] * 3)
    stretch = Stretch(0, 3, JUNE, END, prices(steps=[100_000, None, -50_000]), LOCAL)
    lines = billing.lines(energies, [stretch])
    first, second = lines[0], lines[1]
    assert (first.code, first.units, first.rate, first.exact) == ("energy", 4_000_000, None, D("-0.05"))
    assert (second.code, second.units, second.rate, second.exact) == ("energy_no_price", 2_000_000, 200_000, D("0.4"))


def test_what_was_stated_once_stays() -> None:
    """A neighbour's late reading changes the neighbour's cents alone; the sum follows the exact amounts."""
    exact = [D("0.334"), D("0.333"), D("0.333")]
    before = apportion(exact, D("1.00"))
    assert before == [D("0.34"), D("0.33"), D("0.33")]
    after = apportion([D("0.334"), D("0.333"), D("0.349")], cents(D("1.016")), {0: before[0], 1: before[1]})
    assert after == [D("0.34"), D("0.33"), D("0.35")]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**16), 10**16), min_size=1, max_size=12))
def test_cents_come_to_the_sum_and_are_never_a_cent_away(units: list[int]) -> None:
    exact = [D(value) * billing.SMALLEST for value in units]
    total = cents(sum(exact, D(0)))
    found = apportion(exact, total)
    assert sum(found, D(0)) == total
    assert all(
        abs(amount - value) < billing.CENT or amount == value for amount, value in zip(found, exact, strict=True)
    )
    assert all(amount == cents(amount) for amount in found)


def test_tax_is_of_the_sum_of_its_rate() -> None:
    assert billing.tax_of([(D("0.10"), D("25.5")), (D("0.10"), D("25.5")), (D("5"), D(0)), (D("1"), D(10))]) == {
        D(10): D("0.10"),
        D("25.5"): D("0.05"),
    }


@pytest.mark.parametrize(("price", "whole"), [("0.215", 215_000), ("0.0000005", 1), ("-0.08", -80_000)])
def test_prices_are_whole_millionths(price: str, whole: int) -> None:
    assert billing.millionths(D(price)) == whole
