"""The city's own device, the demo's devices and the days ahead."""

import datetime as dt
import itertools

import pytest
from django.db import connection
from django.utils import timezone

from commons.devices import health, queries, services, simulator, tasks
from commons.devices.models import HEARTBEAT, Device
from commons.devices.services import demo, heartbeat


def test_a_beat_goes_through_the_whole_ingest(db: None) -> None:
    assert queries.heartbeat_age() is None
    assert not health.check_ingest().ok
    assert [heartbeat.beat().acked for _ in range(3)] == [1, 2, 3]
    age = queries.heartbeat_age()
    assert age is not None
    assert 0 <= age < 5
    assert health.check_ingest().ok
    assert Device.objects.filter(kind=HEARTBEAT).count() == 1


def test_an_old_heartbeat_is_bad_health(db: None) -> None:
    device = heartbeat.heartbeat_device()
    stamp = (timezone.now() - dt.timedelta(minutes=3)).isoformat()
    services.ingest(device=device, readings=[{"seq": 1, "ts": stamp, "channel": "x_heartbeat", "value": 1}])
    assert not health.check_ingest().ok


def test_the_days_ahead_are_made(db: None) -> None:
    tasks.days_ahead()
    with connection.cursor() as cursor:
        for n in range(3):
            day = timezone.now().date() + dt.timedelta(days=n)
            cursor.execute("SELECT to_regclass(%s)::text", [f"devices_reading_{day:%Y%m%d}"])
            assert cursor.fetchone()[0]
    assert tasks.days_ahead() == 0


def demo_device(hardware_id: str = "demo-1") -> Device:
    device = services.create_device(name="Demo", kind="printer", hardware_id=hardware_id, demo=True)
    return services.enrol(code=str(services.create_enrolment_code(device=device)))[0]


def test_demo_devices_go_on_where_their_past_ended(db: None) -> None:
    device = demo_device()
    now = timezone.now()
    demo.report(device=device, start=now - dt.timedelta(hours=3), end=now - dt.timedelta(hours=1), step_s=60)
    before = queries.last_values([device])[device]["energy_wh_total"]
    assert demo.tick() > 100
    after = queries.last_values([device])[device]["energy_wh_total"]
    assert now - after.ts < dt.timedelta(minutes=1)
    seed, since = simulator.seed_of("demo-1"), demo.counter_start(device)
    used = simulator.counter_wh("printer", seed, since, after.ts) - simulator.counter_wh(
        "printer", seed, since, before.ts
    )
    assert after.value - before.value == pytest.approx(used, abs=0.01)
    assert queries.energy(device, before.ts, after.ts).kwh == pytest.approx(used / 1000, abs=1e-5)
    assert demo.tick() == 0


def test_the_demo_goes_away_whole_and_real_devices_stay(db: None) -> None:
    real = services.create_device(name="Real", kind="meter")
    demo.report(device=demo_device(), start=timezone.now() - dt.timedelta(minutes=5), end=timezone.now())
    assert demo.remove_demo_devices() == 1
    assert list(Device.objects.all()) == [real]


@pytest.mark.parametrize("kind", sorted(simulator.PROFILES))
def test_simulated_machines_work_by_day_and_draw_what_their_kind_draws(kind: str) -> None:
    monday = dt.date(2026, 11, 16)
    profile = simulator.PROFILES[kind]
    found = [job for n in range(5) for job in simulator.jobs(kind, 3, monday + dt.timedelta(days=n))]
    assert found
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    for job in found:
        assert profile.opens_h <= job.start.hour
        middle = job.start + (job.end - job.start) / 2
        assert simulator.power_w(kind, 3, middle) > 3 * profile.idle_w
        assert simulator.state(kind, 3, middle) == "making"
    night = dt.datetime(2026, 11, 16, 2, tzinfo=dt.UTC)
    assert simulator.power_w(kind, 3, night) < 2 * profile.off_w


def test_the_simulated_counter_is_the_sum_of_its_power() -> None:
    since = dt.date(2026, 11, 16)
    start = dt.datetime(2026, 11, 17, 8, tzinfo=dt.UTC)
    total = sum(simulator.power_w("laser", 9, start + dt.timedelta(seconds=10 * i)) for i in range(720)) * 10 / 3600
    end = start + dt.timedelta(hours=2)
    counted = simulator.counter_wh("laser", 9, since, end) - simulator.counter_wh("laser", 9, since, start)
    assert counted == pytest.approx(total, rel=1e-9)
