"""Any permutation, duplication and splitting of a stream gives the same aggregates, to the last bit."""

import datetime as dt
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.devices import queries, services
from commons.devices.models import Device
from tests.devices.streams import day_start, expected_energy_wh, expected_rows, last_of, reading, rollups_of

pytestmark = pytest.mark.django_db

CHANNELS = ("power_w", "energy_wh_total", "temperature_c")
NUMBERS = {"power_w": 1, "energy_wh_total": 2, "temperature_c": 5}


def new_device() -> Device:
    made = services.create_device(name="any", kind="meter")
    return services.enrol(code=str(services.create_enrolment_code(device=made)))[0]


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to 25 readings over up to two days, with near and far neighbours, equal stamps and counters that
    reset.
    """
    gaps_s = st.sampled_from([0, 1, 10, 60, 299, 300, 301, 900, 3600, 5000, 40_000])
    at = day_start() + dt.timedelta(hours=22, minutes=50, microseconds=draw(st.integers(0, 999_999)))
    made = []
    for seq in range(1, draw(st.integers(1, 25)) + 1):
        at += dt.timedelta(seconds=draw(gaps_s))
        if at > day_start(0):
            break
        channel = draw(st.sampled_from(CHANNELS))
        value = draw(st.floats(-50.0 if channel != "energy_wh_total" else 0.0, 3000.0))
        made.append(reading(seq, at, value, channel))
    return made


def send(device: Device, readings: list[dict[str, Any]], how: random.Random) -> None:
    """Shuffled, some twice, in batches of any length."""
    told = readings + how.choices(readings, k=len(readings) // 2)
    how.shuffle(told)
    while told:
        n = how.randint(1, len(told))
        services.ingest(device=device, readings=told[:n])
        told = told[n:]


EXAMPLES = int(os.environ.get("LIVINGCITY_EXAMPLES", "40"))
"""`make drills` may ask for a thousand."""


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(streams(), st.integers(0, 2**32))
def test_however_a_stream_comes_its_aggregates_are_the_same(stream: list[dict[str, Any]], seed: int) -> None:
    straight, one_by_one, mixed = new_device(), new_device(), new_device()
    services.ingest(device=straight, readings=stream)
    for item in stream:
        services.ingest(device=one_by_one, readings=[item])
    send(mixed, stream, random.Random(seed))
    assert rollups_of(straight) == rollups_of(one_by_one) == rollups_of(mixed)
    assert last_of(straight) == last_of(one_by_one) == last_of(mixed)
    start = day_start() + dt.timedelta(hours=23, minutes=7)
    for hours in (1, 30):
        found = [queries.energy(d, start, start + dt.timedelta(hours=hours)) for d in (straight, one_by_one, mixed)]
        assert found[0] == found[1] == found[2]
    check_against_hand_calculation(straight, stream)


def check_against_hand_calculation(device: Device, stream: list[dict[str, Any]]) -> None:
    rows = rollups_of(device)
    for channel in CHANNELS:
        told = [(dt.datetime.fromisoformat(r["ts"]), r["seq"], r["value"]) for r in stream if r["channel"] == channel]
        for step_s in (900, 3600):
            mine = {k[2]: row for k, row in rows.items() if k[:2] == (NUMBERS[channel], step_s)}
            expected = expected_rows(told, step_s)
            assert {start for start, row in mine.items() if row[0]} == set(expected)
            for start, row in mine.items():
                count, total, low, high = expected.get(start, (0, 0.0, None, None))
                assert (row[0], row[2], row[3]) == (count, low, high)
                assert row[1] == pytest.approx(total, abs=1e-6)
                if channel == "temperature_c":
                    assert row[4] is None
                    continue
                end = start + dt.timedelta(seconds=step_s)
                energy = expected_energy_wh(told, start, end, counter=channel == "energy_wh_total")
                assert row[4] == pytest.approx(energy, rel=1e-9, abs=1e-9)
                assert row[4] >= 0
                assert 0 <= row[6] <= row[5] <= step_s
