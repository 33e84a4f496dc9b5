"""Numbers and times as the guide writes them."""

import datetime as dt

import pytest
from django.utils import timezone, translation

from commons.web import numbers as n

NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"


def plain(text: str) -> str:
    """The text with ordinary spaces, to compare what is read."""
    return text.replace(NBSP, " ").replace(THIN, " ")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.342, "0.34 kW"),
        (1.784, "1.78 kW"),
        (9.996, "10.0 kW"),
        (38.66, "38.7 kW"),
        (387.2, "387 kW"),
        (1234.4, "1 234 kW"),
        (12_345, "12.3 MW"),
        (-1.5, "−1.50 kW"),
        (0, "0 kW"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_power_has_three_figures_at_most(value: object, words: str) -> None:
    assert plain(n.kw(value)) == words


@pytest.mark.parametrize(
    ("watts", "words"), [(342.4, "342 W"), (999.4, "999 W"), (999.6, "1.00 kW"), (1784, "1.78 kW"), (0, "0 W")]
)
def test_a_machine_shows_watts_below_a_kilowatt(watts: float, words: str) -> None:
    assert plain(n.watts(watts)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.376, "0.38 kWh"),
        (0.9951, "1.0 kWh"),
        (11.84, "11.8 kWh"),
        (99.96, "100 kWh"),
        (1787.4, "1 787 kWh"),
        (9_999, "9 999 kWh"),
        (169_644.03, "169.6 MWh"),
        (2_345_678, "2 346 MWh"),
        (-3.25, "−3.3 kWh"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_energy_by_the_table_of_the_guide(value: float, words: str) -> None:
    assert plain(n.kwh(value)) == words


def test_half_rounds_away_from_zero_on_the_decimal_that_people_see() -> None:
    assert n.number(2.675, 2) == "2.68"  # the float is a little less; people see 2.675
    assert n.number(-0.4) == "0"  # no minus before nothing


@pytest.mark.parametrize(
    ("share", "words"), [(0.6794, "68 %"), (0.002, "< 1 %"), (0.999, "> 99 %"), (1, "100 %"), (0, "0 %"), (None, "–")]
)
def test_a_share_never_rounds_to_nothing_or_all(share: float | None, words: str) -> None:
    assert plain(n.percent(share)) == words


def test_changes_have_a_sign() -> None:
    assert plain(n.change(-0.18)) == f"{MINUS}18 %"
    assert plain(n.change(0.07)) == "+7 %"
    assert n.points(0.06) == "up 6 points"
    assert n.points(-0.01) == "down 1 point"
    assert n.points(0.001) == "no change"


def test_sizes_volumes_masses() -> None:
    assert plain(n.mm([84, 40.04, 66.5])) == "84 × 40 × 66.5 mm"
    assert plain(n.mm(0.42)) == "0.42 mm"
    assert n.mm([84, None]) == "–"
    assert plain(n.cm3(21_430.2)) == "21.4 cm³"
    assert plain(n.cm3(12.5)) == "13 mm³"
    assert plain(n.co2(0.25)) == "250 g CO₂"
    assert plain(n.co2(12.34)) == "12.3 kg CO₂"
    assert plain(n.grams(84.2)) == "84 g"


def test_money() -> None:
    assert plain(n.money(0.352)) == "0.35 €"
    assert plain(n.money(34_381.2, "EUR")) == "34 381 €"
    assert plain(n.money(12, "SEK")) == "12.00 kr"
    assert plain(n.money(12, "XTS")) == "12.00 XTS"


def test_a_range_names_its_unit_once() -> None:
    assert plain(n.span(n.kwh(2.7), n.kwh(3.4))) == "2.7–3.4 kWh"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.42, "0.4 s"),
        (40, "40 s"),
        (59.7, "1 min"),
        (720, "12 min"),
        (3599, "1 h"),
        (12_000, "3 h 20"),
        (3900, "1 h 05"),
        (4 * 86_400, "4 days"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert plain(n.duration(seconds)) == words
    assert plain(n.duration(dt.timedelta(seconds=seconds))) == words


def test_since_and_until() -> None:
    now = timezone.now()
    assert plain(n.ago(now - dt.timedelta(seconds=2), now)) == "2 s ago"
    assert plain(n.ago(now + dt.timedelta(hours=3, minutes=20), now)) == "in 3 h 20"
    assert n.ago(None) == "–"


def test_a_moment_is_said_as_people_say_it() -> None:
    now = dt.datetime(2026, 6, 18, 10, 10, tzinfo=dt.UTC)
    with timezone.override("Europe/Helsinki"):
        assert n.when(dt.datetime(2026, 6, 18, 10, 2, tzinfo=dt.UTC), now) == "13:02"
        assert n.when(dt.datetime(2026, 6, 19, 7, 30, tzinfo=dt.UTC), now) == "Friday 10:30"
        assert n.when(dt.datetime(2026, 6, 30, 7, 30, tzinfo=dt.UTC), now) == "30 June"
        assert n.when(dt.datetime(2025, 6, 30, 7, 30, tzinfo=dt.UTC), now) == "30 June 2025"


def test_the_language_decides_the_decimal_sign_and_the_words() -> None:
    with translation.override("fi"):
        assert plain(n.kwh(11.84)) == "11,8 kWh"
        assert plain(n.number(-1234.5, 1)) == f"{MINUS}1 234,5"
        assert plain(n.duration(4 * 86_400)) == "4 päivää"
        assert plain(n.ago(timezone.now() - dt.timedelta(minutes=3))) == "3 min sitten"
