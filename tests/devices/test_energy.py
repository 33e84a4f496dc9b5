"""How much energy between two moments: edges, resets, rollovers, gaps, day borders."""

import datetime as dt
import itertools

import pytest

from commons.devices import queries, services, simulator
from commons.devices.models import Device
from tests.devices.streams import day_start, expected_energy_wh, reading

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def tell(device: Device, told: list[tuple[dt.datetime, float]], channel: str = "energy_wh_total") -> None:
    first = queries.next_seq(device)
    services.ingest(device=device, readings=[reading(first + i, ts, v, channel) for i, (ts, v) in enumerate(told)])


def test_a_counter_is_read_off_between_its_readings(device: Device) -> None:
    at = day_start() + 10 * HOUR
    tell(device, [(at + 10 * MINUTE * i, 1000.0 + 60 * i) for i in range(7)])
    found = queries.energy(device, at + 5 * MINUTE, at + 35 * MINUTE)
    assert found.kwh == pytest.approx(0.180, rel=1e-12)
    assert (found.quality, found.coverage) == ("measured", 1.0)
    assert found.gap_s == 1800, "its readings lie ten minutes apart: the sum is measured, the shape is not"


def test_a_reset_gives_no_negative_energy(device: Device) -> None:
    at = day_start() + 10 * HOUR
    values = [500.0, 520.0, 3.0, 13.0, 0.0, 7.0]
    tell(device, [(at + MINUTE * i, v) for i, v in enumerate(values)])
    assert queries.energy(device, at, at + 5 * MINUTE).kwh == pytest.approx(0.037)
    assert queries.energy(device, at + MINUTE, at + 2 * MINUTE).kwh == 0.0


def test_a_rollover_counts_on_where_its_width_is_known(device: Device) -> None:
    wraps_wh = 2**32 / 60  # a 32-bit counter of watt-minutes
    device.counter_wraps_wh = wraps_wh
    device.save()
    at = day_start() + 10 * HOUR
    tell(
        device,
        [(at, wraps_wh - 10), (at + MINUTE, wraps_wh - 4), (at + 2 * MINUTE, 5.0), (at + 3 * MINUTE, 8.0)],
    )
    assert queries.energy(device, at, at + 3 * MINUTE).kwh == pytest.approx(0.018, rel=1e-6)
    tell(device, [(at + 4 * MINUTE, 100.0), (at + 5 * MINUTE, 0.0)])
    assert queries.energy(device, at + 4 * MINUTE, at + 5 * MINUTE).kwh == 0.0, "from 100 to 0 is a reset"


def test_power_is_integrated_and_long_gaps_are_not_measured(device: Device) -> None:
    at = day_start() + 10 * HOUR
    tell(device, [(at + MINUTE * i, 600.0) for i in range(11)], "power_w")
    tell(device, [(at + MINUTE * (30 + i), 600.0) for i in range(11)], "power_w")
    whole = queries.energy(device, at, at + 10 * MINUTE)
    assert (whole.kwh, whole.quality, whole.coverage) == (pytest.approx(0.1), "integrated", 1.0)
    gap = queries.energy(device, at, at + 40 * MINUTE)
    assert gap.kwh == pytest.approx(0.2)
    assert (gap.quality, gap.coverage, gap.gap_s) == ("partial", pytest.approx(0.5), 1200)


def test_power_below_zero_is_no_consumption(device: Device) -> None:
    at = day_start() + 10 * HOUR
    tell(device, [(at, -300.0), (at + MINUTE, -300.0), (at + 2 * MINUTE, 0.0)], "power_w")
    found = queries.energy(device, at, at + 2 * MINUTE)
    assert (found.kwh, found.quality) == (0.0, "integrated")


def test_power_fills_in_where_the_counter_knows_nothing(device: Device) -> None:
    at = day_start() + 10 * HOUR
    tell(device, [(at + MINUTE * i, 600.0) for i in range(41)], "power_w")
    tell(device, [(at + MINUTE * (10 + i), 20.0 * i) for i in range(11)])
    found = queries.energy(device, at, at + 40 * MINUTE)
    assert found.kwh == pytest.approx(0.6 * (10 + 20) / 60 + 0.2)
    assert (found.quality, found.coverage) == ("integrated", 1.0)


@pytest.mark.parametrize("within", [0, 5, 100])
def test_nothing_is_known_where_nothing_was_said(device: Device, within: int) -> None:
    at = day_start()
    assert queries.energy(device, at, at + within * HOUR).quality == "none"


def test_days_of_a_long_window_come_from_the_rollups_and_equal_the_readings(device: Device) -> None:
    start = day_start(4) + 13 * MINUTE
    told = [(start + dt.timedelta(seconds=97 * i), 3.0 * i) for i in range(2500)]
    tell(device, told)
    asked = (start + 7 * HOUR + 11 * MINUTE, start + 59 * HOUR + 3 * MINUTE)
    exact = expected_energy_wh([(ts, i, v) for i, (ts, v) in enumerate(told)], *asked, counter=True)
    assert queries.energy(device, *asked).kwh == pytest.approx(exact / 1000, rel=1e-12)


def test_parts_of_a_window_add_up_across_midnight(device: Device) -> None:
    start = day_start(2) - 2 * HOUR
    tell(device, [(start + dt.timedelta(seconds=41 * i), float(i % 700)) for i in range(600)], "power_w")
    cuts = [start, start + 50 * MINUTE, day_start(2), day_start(2) + MINUTE, start + 6 * HOUR]
    parts = sum(queries.energy(device, a, b).kwh for a, b in itertools.pairwise(cuts))
    assert parts == pytest.approx(queries.energy(device, cuts[0], cuts[-1]).kwh, rel=1e-12)


def test_the_days_when_clocks_change_have_24_hours_of_utc(device: Device) -> None:
    received = dt.datetime(2026, 10, 27, tzinfo=dt.UTC)
    start = dt.datetime(2026, 10, 24, 21, tzinfo=dt.UTC)  # midnight in Helsinki; the day there has 25 hours
    batch = [reading(i + 1, start + 15 * MINUTE * i, 25.0 * i, "energy_wh_total") for i in range(4 * 25 + 1)]
    services.ingest(device=device, readings=batch, received_at=received)
    assert queries.energy(device, start, start + 25 * HOUR).kwh == pytest.approx(2.5)
    hours = queries.series(device, "energy_wh_total", start, start + 25 * HOUR, 3600)
    assert [p.energy_wh for p in hours] == pytest.approx([100.0] * 25)


def test_a_counter_bridges_a_gap_and_at_most_31_days_of_it(device: Device) -> None:
    at = day_start(60)
    tell(device, [(at, 0.0), (at + 3 * 24 * HOUR, 720.0), (at + 53 * 24 * HOUR, 1464.0)])
    third = queries.energy(device, at + 24 * HOUR, at + 25 * HOUR)
    assert third.kwh == pytest.approx(0.010)
    assert (third.quality, third.gap_s) == ("measured", 3600)
    assert queries.energy(device, at, at + 53 * 24 * HOUR).kwh == pytest.approx(1.464)
    assert queries.energy(device, at + 10 * 24 * HOUR, at + 12 * 24 * HOUR).quality == "none"


def test_the_simulator_is_its_own_oracle(device: Device) -> None:
    """Its counter is the exact integral of its power; what either alone gives agrees to 2 %."""
    seed, since = simulator.seed_of("x"), day_start(5).date()
    start = day_start(2)
    moments = [start + dt.timedelta(seconds=10 * i) for i in range(8640)]
    told = list(simulator.readings("laser", seed, since=since, moments=moments, first_seq=1))
    services.ingest(device=device, readings=[r for r in told if r["channel"] == "energy_wh_total"])
    begin, end = start + 9 * HOUR + 3 * MINUTE, start + 15 * HOUR
    expected = simulator.counter_wh("laser", seed, since, end) - simulator.counter_wh("laser", seed, since, begin)
    assert queries.energy(device, begin, end).kwh == pytest.approx(expected / 1000, rel=1e-5)
    other = services.create_device(name="power only", kind="plug")
    services.ingest(device=other, readings=[r for r in told if r["channel"] == "power_w"])
    found = queries.energy(other, begin, end)
    assert found.quality == "integrated"
    assert found.kwh == pytest.approx(expected / 1000, rel=0.02)


def test_series_in_steps(device: Device) -> None:
    at = day_start() + 10 * HOUR
    tell(device, [(at + MINUTE * i, float(i)) for i in range(120)], "power_w")
    fine = queries.series(device, "power_w", at, at + 2 * HOUR, 600)
    assert [(p.count, p.mean) for p in fine[:2]] == [(10, 4.5), (10, 14.5)]
    quarters = queries.series(device, "power_w", at, at + 2 * HOUR, 900)
    assert [(p.start, p.count, p.min, p.max) for p in quarters[:1]] == [(at, 15, 0.0, 14.0)]
    double = queries.series(device, "power_w", at, at + 2 * HOUR, 7200)
    assert [(p.count, p.mean) for p in double] == [(120, 59.5)]
    assert double[0].energy_wh == pytest.approx(sum(p.energy_wh or 0 for p in quarters))
    assert queries.series(device, "x_nothing", at, at + HOUR, 60) == []
