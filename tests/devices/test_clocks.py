"""Clocks and counters that go wrong, one after the other: what each does to the sums, over the whole ingest."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commons.devices import queries, services
from commons.devices.models import Device
from tests.devices.streams import day_start, rollups_of

HELSINKI = ZoneInfo("Europe/Helsinki")
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def tell(device: Device, told: list[tuple[str, float]], received_at: dt.datetime | None = None) -> Any:
    """Counter readings by their stamps as text."""
    first = queries.next_seq(device)
    items = [
        {"seq": first + n, "ts": stamp, "channel": "energy_wh_total", "value": value}
        for n, (stamp, value) in enumerate(told)
    ]
    return services.ingest(device=device, readings=items, received_at=received_at)


def stamp(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("years", "code"), [(-56, "reading:clock-behind"), (10, "reading:clock-ahead")])
def test_a_clock_that_jumps_and_comes_back_leaves_no_trace_in_the_sums(device: Device, years: int, code: str) -> None:
    """1970 after a power cut, and ten years ahead: what was counted meanwhile is in the counter's next step."""
    at = day_start() + 10 * HOUR
    away = at.replace(year=1970, day=1, month=1) if years < 0 else at + dt.timedelta(days=3650)
    tell(device, [(stamp(at + n * MINUTE), 100.0 + n) for n in range(5)])
    ack = tell(device, [(stamp(away + n * MINUTE), 105.0 + n) for n in range(5)])
    assert (ack.acked, ack.stored, {remark.code for remark in ack.flagged}) == (10, 5, {code})
    tell(device, [(stamp(at + n * MINUTE), 100.0 + n) for n in range(10, 15)])
    found = queries.energy(device, at, at + 14 * MINUTE)
    assert found.kwh == pytest.approx(0.014, rel=1e-12)
    assert {key[2].date() for key in rollups_of(device)} == {at.date()}


def test_a_leap_second_is_counted_once(device: Device) -> None:
    """23:59:60 is the next second, so it and 00:00:00 are one moment; the counter's steps in it are both kept."""
    told = [
        ("2026-06-30T23:59:58Z", 10.0),
        ("2026-06-30T23:59:59Z", 11.0),
        ("2026-06-30T23:59:60Z", 12.0),
        ("2026-07-01T00:00:00Z", 13.0),
        ("2026-07-01T00:00:01Z", 14.0),
    ]
    now = dt.datetime(2026, 7, 1, 1, tzinfo=dt.UTC)
    ack = tell(device, told, now)
    assert (ack.stored, ack.rejected, ack.flagged) == (5, (), ())
    found = queries.energy(device, dt.datetime(2026, 6, 30, 23, tzinfo=dt.UTC), now)
    assert found.kwh == pytest.approx(0.004, rel=1e-12)
    sums = {key[2].month: row[4] for key, row in rollups_of(device).items() if key[1] == 3600}
    assert sums == {6: pytest.approx(2.0), 7: pytest.approx(2.0)}


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)])
def test_a_day_on_which_clocks_are_changed(device: Device, day: dt.date, hours: int) -> None:
    """A device that writes local time with its offset: the day has 23 or 25 hours, and no reading is taken for another,
    not in the hour that there is twice."""
    begin = dt.datetime.combine(day, dt.time(), HELSINKI)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), HELSINKI)
    moments = [begin.astimezone(dt.UTC) + n * 5 * MINUTE for n in range(hours * 12 + 1)]
    told = [(moment.astimezone(HELSINKI).isoformat(), 2.0 * n) for n, moment in enumerate(moments)]
    assert len({text[:19] for text, _value in told}) == (hours - 1 if hours == 25 else hours) * 12 + 1
    ack = tell(device, told, end.astimezone(dt.UTC) + HOUR)
    assert (ack.stored, ack.flagged, ack.rejected) == (len(told), (), ())
    found = queries.energy(device, begin, end)
    assert found.kwh == pytest.approx(0.024 * hours, rel=1e-12)
    assert (found.quality, found.coverage) == ("measured", 1.0)
    assert len([key for key, row in rollups_of(device).items() if key[1] == 3600 and row[4]]) == hours


def test_a_counter_that_starts_over_counts_the_rest_as_nothing(device: Device) -> None:
    at = day_start() + 10 * HOUR
    values = [500.0, 505.0, 0.0, 5.0, 2.0, 9.0]
    tell(device, [(stamp(at + n * MINUTE), value) for n, value in enumerate(values)])
    assert queries.energy(device, at, at + 5 * MINUTE).kwh == pytest.approx(0.017, rel=1e-12)
    assert all(row[4] >= 0 for row in rollups_of(device).values())


@pytest.mark.parametrize("unit_wh", [1.0, 1 / 60], ids=["watt-hours", "watt-minutes"])
def test_a_32_bit_counter_rolls_over(device: Device, unit_wh: float) -> None:
    """The whole range of 2^32 units is one turn; where the device does not say so, the turn is a reset."""
    wraps_wh = 2**32 * unit_wh
    at = day_start() + 10 * HOUR
    counts = [2**32 - 600, 2**32 - 1, 599, 1199]
    told = [(stamp(at + n * MINUTE), count * unit_wh) for n, count in enumerate(counts)]
    tell(device, told)
    assert queries.energy(device, at, at + 3 * MINUTE).kwh == pytest.approx(1199 * unit_wh / 1000, rel=1e-6)
    other = services.create_device(name="32 bit", kind="meter", counter_wraps_wh=wraps_wh)
    services.enrol(code=str(services.create_enrolment_code(device=other)))
    tell(other, told)
    assert queries.energy(other, at, at + 3 * MINUTE).kwh == pytest.approx(1799 * unit_wh / 1000, rel=1e-6)
