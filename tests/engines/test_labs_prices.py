"""Prices: cases reckoned by hand, and what must hold for every amount."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.engine import prices
from labs.engine.prices import Rates

D = Decimal
HOUR = dt.timedelta(hours=1)

CASES = [
    (Rates(), 3 * HOUR, "0.00"),
    (Rates(per_hour=D("6.50")), 1.5 * HOUR, "9.75"),
    (Rates(per_hour=D("10"), per_booking=D("2")), HOUR / 3, "5.33"),
    (Rates(per_hour=D("0.05")), HOUR / 2, "0.03"),
    (Rates(per_hour=D("6"), minimum=D("4")), HOUR / 4, "4.00"),
    (Rates(per_hour=D("6"), minimum=D("4")), HOUR, "6.00"),
    (Rates(minimum=D("4")), HOUR, "4.00"),
    (Rates(per_kwh=D("0.30")), HOUR, "0.00"),
]


@pytest.mark.parametrize(("rates", "length", "expected"), CASES)
def test_cases(rates: Rates, length: dt.timedelta, expected: str) -> None:
    assert prices.net_of(prices.parts(rates, length)) == D(expected)


def test_energy_is_by_the_watt_hour() -> None:
    assert prices.energy(0.1 + 0.2, D("1.00")) == D("0.30")
    assert prices.energy(2.345, D("0.30")) == D("0.70")


amounts = st.decimals(0, 10_000, places=2, allow_nan=False)
taxes = st.sampled_from([D(0), D("8.10"), D("10"), D("14"), D("24"), D("25.50"), D("100")])


@given(net=amounts, tax_pct=taxes)
def test_an_amount_with_tax_splits_into_what_it_was_made_of(net: Decimal, tax_pct: Decimal) -> None:
    tax = prices.tax_on(net, tax_pct)
    assert prices.split(net + tax, tax_pct) == (net, tax)


@given(gross=amounts, tax_pct=taxes)
def test_a_split_loses_nothing(gross: Decimal, tax_pct: Decimal) -> None:
    net, tax = prices.split(gross, tax_pct)
    assert net + tax == gross
    assert 0 <= tax <= gross
    assert prices.split(-gross, tax_pct) == (-net, -tax)


@given(rate=amounts, minutes=st.integers(5, 10_000), more=st.integers(0, 1000))
def test_longer_never_costs_less(rate: Decimal, minutes: int, more: int) -> None:
    short, long = dt.timedelta(minutes=minutes), dt.timedelta(minutes=minutes + more)
    rates = Rates(per_hour=rate, per_booking=D(1), minimum=D(5))
    assert prices.net_of(prices.parts(rates, short)) <= prices.net_of(prices.parts(rates, long))


@given(balance=st.decimals(-1000, 1000, places=2, allow_nan=False), keep=st.integers(0, 100))
def test_points_fade_but_debts_stay(balance: Decimal, keep: int) -> None:
    gone = prices.faded(balance, D(keep))
    assert 0 <= gone <= max(balance, D(0))
    assert keep != 100 or gone == 0
    assert keep != 0 or gone == max(balance, D(0))
