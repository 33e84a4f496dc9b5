"""Readings go by policy, rollups stay, late readings for days that are gone still count and destroy nothing."""

import datetime as dt
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.devices import queries, services, tasks
from commons.devices.models import Device, Retention, Rollup, Stretch
from commons.devices.services import retention
from commons.devices.services.partitions import name_of
from tests.devices.streams import day_start, reading, rollups_of

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("LIVINGCITY_EXAMPLES", "40"))
FRONTIER = 10
"""Days ago: what the tests close lies before that midnight."""


@pytest.fixture(autouse=True)
def no_older_days(db: None) -> None:
    """Only what a test writes itself: days that a served site has laid out stay when its rows are emptied."""
    with connection.cursor() as cursor:
        for day in retention.days_with_a_table():
            cursor.execute(f"DROP TABLE {name_of(day)}")
        cursor.execute("DELETE FROM devices_reading_default")


def new_device(**more: Any) -> Device:
    made = services.create_device(name="any", kind="meter", **more)
    return services.enrol(code=str(services.create_enrolment_code(device=made)))[0]


def close(days_ago: int = FRONTIER) -> retention.Done:
    """Keep what is younger than that midnight, as if it were the day on which it comes of age."""
    for kind in Retention.Kind.values:
        retention.set_policy(kind=kind, raw_days=7, quarter_days=30)
    return retention.run(timezone.now() - dt.timedelta(days=days_ago - 7))


def raw_count(device: Device) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_reading WHERE device = %s", [device.number])
        return int(cursor.fetchone()[0])


def power(first: int, start: dt.datetime, minutes: int, watts: float = 100.0) -> list[dict[str, Any]]:
    """A reading a minute."""
    return [reading(first + n, start + dt.timedelta(minutes=n), watts) for n in range(minutes + 1)]


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of the block stays, also no closed day."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- what goes and what stays ------------------------------------------------------------------------------------


def test_raw_rows_go_and_rollups_and_answers_stay() -> None:
    device, old, young = new_device(), day_start(12), day_start(3)
    services.ingest(device=device, readings=power(1, old + dt.timedelta(hours=5), 180))
    services.ingest(device=device, readings=power(1000, young + dt.timedelta(hours=5), 60))
    before, start = rollups_of(device), old + dt.timedelta(hours=5, minutes=7)
    windows = [(start, start + dt.timedelta(minutes=m)) for m in (10, 61, 150)]
    exact = [queries.energy(device, *window) for window in windows]
    done = close()
    assert (done.closed, done.dropped, done.waiting) == (3 * 2, 1, 0)
    assert raw_count(device) == 61
    assert rollups_of(device) == before
    for window, was in zip(windows, exact, strict=True):
        now = queries.energy(device, *window)
        assert now.quality == was.quality == "integrated"
        assert now.kwh == pytest.approx(was.kwh), "an even draw is shared by time rightly"
        assert 0 < now.uncertain_kwh < was.kwh + 0.05
        assert was.uncertain_kwh == 0
    whole = queries.energy(device, old + dt.timedelta(hours=6), old + dt.timedelta(hours=8))
    assert (whole.kwh, whole.uncertain_kwh) == (pytest.approx(0.2), 0.0)
    assert close() == retention.Done(), "a second run has nothing to do"


def test_a_window_over_the_border_is_closed_on_one_side_and_exact_on_the_other() -> None:
    device, border = new_device(), day_start(FRONTIER)
    services.ingest(device=device, readings=power(1, border - dt.timedelta(hours=2), 240, 60.0))
    window = (border - dt.timedelta(minutes=50), border + dt.timedelta(minutes=33))
    was = queries.energy(device, *window)
    close()
    now = queries.energy(device, *window)
    assert now.kwh == pytest.approx(was.kwh, abs=now.uncertain_kwh + 1e-9)
    assert now.kwh == pytest.approx(83 / 60 * 0.06)
    assert now.coverage == pytest.approx(1.0)
    assert now.uncertain_kwh <= 0.015


def test_kinds_are_kept_for_their_own_time() -> None:
    device, old = new_device(), day_start(12) + dt.timedelta(hours=9)
    items = [
        reading(1, old, 5.0),
        reading(2, old, 1000.0, "energy_wh_total"),
        reading(3, old, 20.0, "temperature_c"),
    ]
    services.ingest(device=device, readings=items)
    retention.set_policy(kind="power", raw_days=7, quarter_days=30)
    retention.set_policy(kind="plain", raw_days=8, quarter_days=8)
    done = retention.run()
    assert (done.dropped, done.thinned) == (0, 1)
    assert raw_count(device) == 1
    channels = set(Rollup.objects.filter(device=device, step_s=900).values_list("channel", flat=True))
    assert channels == {1, 2}, "quarters of the rest are gone by their own rule"
    assert set(Rollup.objects.filter(device=device, step_s=3600).values_list("channel", flat=True)) == {1, 2, 5}
    assert retention.run() == retention.Done()
    retention.set_policy(kind="counter", raw_days=7, quarter_days=30)
    assert retention.run().dropped == 1


def test_a_device_that_never_pauses_is_one_stretch() -> None:
    device, start = new_device(), day_start(14) + dt.timedelta(hours=22)
    services.ingest(device=device, readings=power(1, start, 60 * 50))
    close()
    found = Stretch.objects.get(device=device)
    assert (found.start, found.end) == (start, day_start(FRONTIER) - dt.timedelta(minutes=1)) or found.end > start
    assert Stretch.objects.filter(device=device).count() == 1


def test_absurd_stamps_go_after_a_while() -> None:
    device = new_device()
    services.ingest(
        device=device,
        readings=[reading(1, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 1.0), reading(2, day_start(12), 1.0)],
        received_at=timezone.now() - dt.timedelta(days=7, hours=12),
    )
    assert raw_count(device) == 2
    close(8)
    assert raw_count(device) == 1
    retention.run()
    assert raw_count(device) == 0


# --- late readings -----------------------------------------------------------------------------------------------


def test_an_outage_told_after_the_days_are_gone_is_as_if_told_in_time() -> None:
    in_time, late = new_device(), new_device()
    start = day_start(13) + dt.timedelta(hours=7)
    morning, noon, evening = (power(1 + 300 * n, start + dt.timedelta(hours=4 * n), 235, 50.0 + n) for n in range(3))
    services.ingest(device=in_time, readings=morning + noon + evening)
    services.ingest(device=late, readings=morning + evening)
    services.ingest(device=late, readings=power(2000, day_start(2), 5))
    services.ingest(device=in_time, readings=power(2000, day_start(2), 5))
    close()
    was = raw_count(late)
    services.ingest(device=late, readings=noon)
    assert_same(in_time, late)
    assert raw_count(late) == was + len(noon), "kept until the next run"
    assert close().dropped + close().strays >= 0
    assert raw_count(late) == was
    assert_same(in_time, late)
    assert queries.acked(late) == 236, "and acknowledged as ever"


def assert_same(left: Device, right: Device) -> None:
    mine, theirs = rollups_of(left), rollups_of(right)
    assert mine.keys() == theirs.keys()
    for key, (count, total, low, high, energy, covered, dense) in mine.items():
        found = theirs[key]
        assert (found[0], found[2], found[3]) == (count, low, high), key
        assert found[1] == pytest.approx(total, rel=1e-9, abs=1e-6)
        assert (energy is None) == (found[4] is None)
        assert found[4] is None or found[4] == pytest.approx(energy, rel=1e-9, abs=1e-6), key
        assert found[5:] == (pytest.approx(covered, abs=1e-4), pytest.approx(dense, abs=1e-4)), key


def test_a_first_reading_after_the_border_cuts_the_bridge_over_it() -> None:
    in_time, late = new_device(), new_device()
    border = day_start(FRONTIER)
    last = reading(1, border - dt.timedelta(hours=5), 1000.0, "energy_wh_total")
    between = reading(2, border + dt.timedelta(hours=1), 1600.0, "energy_wh_total")
    after = reading(3, border + dt.timedelta(hours=5), 1700.0, "energy_wh_total")
    services.ingest(device=in_time, readings=[last, between, after])
    services.ingest(device=late, readings=[last, after])
    close()
    services.ingest(device=late, readings=[between])
    assert_same(in_time, late)


def test_late_readings_without_energy_count_and_have_none() -> None:
    in_time, late = new_device(), new_device()
    start = day_start(12) + dt.timedelta(hours=9)
    values = (20.0, 24.0, 18.0, 23.0, 21.0, 22.0)
    items = [reading(n, start + n * dt.timedelta(minutes=7), v, "temperature_c") for n, v in enumerate(values, 1)]
    services.ingest(device=in_time, readings=items)
    services.ingest(device=late, readings=[items[0], *items[4:]])
    close()
    services.ingest(device=late, readings=items[1:4])
    assert_same(in_time, late)
    rows = rollups_of(late)
    (hour,) = (row for key, row in rows.items() if key[1] == 3600)
    assert hour == (6, 128.0, 18.0, 24.0, None, 0.0, 0.0)
    assert all(row[4] is None for row in rows.values())
    assert not Stretch.objects.filter(device=late).exists(), "nothing lies between temperatures"


def test_late_readings_join_and_part_what_was_one() -> None:
    """A stretch that grows at its beginning, at its end, and over the gap to the next."""
    start = day_start(12) + dt.timedelta(hours=6)
    items = power(1, start, 60, 120.0)
    for first, last in ((0, 10), (51, 61), (20, 40), (5, 6)):
        in_time, late = new_device(), new_device()
        services.ingest(device=in_time, readings=items)
        services.ingest(device=late, readings=items[:first] + items[last:])
        close()
        services.ingest(device=late, readings=items[first:last])
        assert_same(in_time, late)
        (found,) = Stretch.objects.filter(device=late)
        assert (found.start, found.end) == (start, start + dt.timedelta(hours=1))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A stream over the border of closed days, and the part of it that comes late: whole gaps of it, in order."""
    gaps_s = st.sampled_from([1, 60, 299, 300, 301, 900, 3600, 3601, 20_000, 90_000])
    at = day_start(FRONTIER + 3) + dt.timedelta(hours=20, microseconds=draw(st.integers(0, 999_999)))
    early: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []
    is_late, channel, register = False, draw(st.sampled_from(["power_w", "energy_wh_total", "temperature_c"])), 0.0
    for seq in range(1, draw(st.integers(2, 25)) + 1):
        step_s = draw(gaps_s)
        at += dt.timedelta(seconds=step_s)
        if at > day_start(FRONTIER - 2):
            break
        hold_s = 300 if channel == "power_w" else 3600
        if step_s > hold_s:  # an outage begins and ends at a gap that is one
            is_late = draw(st.booleans())
        register = max(register + draw(st.floats(-20.0, 500.0)), 0.0)
        value = register if channel == "energy_wh_total" else draw(st.floats(-50.0, 3000.0))
        (late if is_late else early).append(reading(seq, at, value, channel))
    return early, late


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.booleans())
def test_whatever_comes_late_counts_as_if_it_had_come_in_time(
    history: tuple[list[dict[str, Any]], list[dict[str, Any]]], by_one: bool
) -> None:
    early, late = history
    with undone():
        in_time, behind = new_device(), new_device()
        services.ingest(device=in_time, readings=sorted([*early, *late], key=lambda r: r["seq"]))
        services.ingest(device=behind, readings=early)
        close()
        for batch in [[item] for item in late] if by_one else [late]:
            if batch:
                services.ingest(device=behind, readings=batch)
        assert_same(in_time, behind)
        close()
        assert_same(in_time, behind)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 2**32), st.integers(1, 3))
def test_late_readings_in_any_order_destroy_nothing(
    history: tuple[list[dict[str, Any]], list[dict[str, Any]]], seed: int, runs: int
) -> None:
    stream = [*history[0], *history[1]]
    how = random.Random(seed)
    with undone():
        in_time, behind = new_device(), new_device()
        services.ingest(device=in_time, readings=sorted(stream, key=lambda r: r["seq"]))
        how.shuffle(stream)
        for n in range(runs + 1):
            part = stream[len(stream) * n // (runs + 1) : len(stream) * (n + 1) // (runs + 1)]
            before = {key: row[:1] + row[2:4] for key, row in rollups_of(behind).items()}
            if part:
                services.ingest(device=behind, readings=part)
            after = rollups_of(behind)
            for key, (count, low, high) in before.items():
                if count:
                    assert after[key][0] >= count
                    assert after[key][2] <= low
                    assert after[key][3] >= high
            close()
        mine, theirs = rollups_of(in_time), rollups_of(behind)
        counted = {key: (row[0], row[2], row[3]) for key, row in mine.items() if row[0]}
        assert {key: (row[0], row[2], row[3]) for key, row in theirs.items() if row[0]} == counted
        for key, row in theirs.items():
            assert row[4] is None or row[4] >= 0
            assert 0 <= row[6] <= row[5] + 1e-6 <= key[1] + 2e-6


# --- the policy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw_days", "quarter_days"), [("power", 6, 30), ("power", 30, 29), ("warmth", 30, 30), ("plain", 7, 99999)]
)
def test_a_policy_that_forgets_too_soon_is_refused(kind: str, raw_days: int, quarter_days: int) -> None:
    with pytest.raises(CommandError):
        call_command("retention", keep=[f"{kind}={raw_days}/{quarter_days}"])
    assert not Retention.objects.exists()


def test_the_command_shows_changes_and_does(capsys: pytest.CaptureFixture[str]) -> None:
    services.ingest(device=new_device(), readings=power(1, day_start(12), 5))
    call_command("retention", keep=["power=7/40", "counter=7/40"], run=True, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["policy"]["power"]["raw_days"] == 7
    plain = told["policy"]["plain"]
    assert (plain["raw_days"], plain["quarter_days"]) == (90, 800)
    assert plain["closed_until"][:10] == f"{day_start(90):%Y-%m-%d}", "nothing there is so old"
    assert told["done"]["thinned"] == 1
    call_command("retention")
    assert "power    raw 7 days, quarters 40" in capsys.readouterr().out


def test_the_clock_keeps_to_the_policy() -> None:
    services.ingest(device=new_device(), readings=power(1, day_start(12), 5))
    retention.set_policy(kind="power", raw_days=7, quarter_days=7)
    assert tasks.keep_to_policy()["closed"] == 5
