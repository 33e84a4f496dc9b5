"""Many at once, each with a connection of its own: stored once, counted once."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection

from commons.devices import queries, services
from commons.devices.intake import Intake
from commons.devices.models import Channel, Device, Retention, Rollup
from commons.devices.services import retention
from tests.devices.streams import day_start, last_of, reading, rollups_of


@pytest.fixture
def devices(transactional_db: None) -> Iterator[list[Device]]:
    made = [services.create_device(name=f"d{n}", kind="meter") for n in range(8)]
    for device in made:
        services.enrol(code=str(services.create_enrolment_code(device=device)))
    yield made
    services.delete_devices(devices=made)


def together(works: list[Callable[[], object]]) -> list[object]:
    """All begin at the same moment."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            gate.wait(30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def stored(device: Device) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT seq) FROM devices_reading WHERE device = %s", [device.number])
        rows: tuple[int, int] = cursor.fetchone()
        return rows


def test_twenty_equal_batches_at_once_are_stored_once(devices: list[Device]) -> None:
    device, other = devices[:2]
    at = day_start()
    batch = [reading(i + 1, at + dt.timedelta(seconds=20 * i), float(i % 300)) for i in range(300)]
    acks = together([lambda: services.ingest(device=device, readings=batch)] * 20)
    assert sorted(ack.stored for ack in acks) == [0] * 19 + [300]
    assert {ack.acked for ack in acks} == {300}
    assert stored(device) == (300, 300)
    services.ingest(device=other, readings=batch)
    assert rollups_of(device) == rollups_of(other)
    assert last_of(device) == last_of(other)


def test_overlapping_batches_of_one_device_at_once(devices: list[Device]) -> None:
    device, other = devices[:2]
    at = day_start()
    stream = [reading(i + 1, at + dt.timedelta(seconds=50 * i), float(i), "energy_wh_total") for i in range(200)]
    parts = [stream[i : i + 60] for i in range(0, 200, 20)]
    together([lambda part=part: services.ingest(device=device, readings=part) for part in parts])
    assert stored(device) == (200, 200)
    assert queries.acked(device) == 200
    services.ingest(device=other, readings=stream)
    assert rollups_of(device) == rollups_of(other)


def test_devices_that_need_the_same_new_day_and_channel_at_once(devices: list[Device]) -> None:
    at = day_start(200)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS devices_reading_{at:%Y%m%d}")

    def tell(device: Device) -> object:
        return services.ingest(device=device, readings=[reading(1, at, 1.0), reading(2, at, 1.0, "x_brand_new")])

    acks = together([lambda device=device: tell(device) for device in devices])
    assert [ack.stored for ack in acks] == [2] * len(devices)
    assert Channel.objects.filter(slug="x_brand_new").count() == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM devices_reading_{at:%Y%m%d}")  # noqa: S608
        assert cursor.fetchone()[0] == 2 * len(devices)


def test_claimed_seqs_hold_off_readings_until_the_commit(devices: list[Device]) -> None:
    from django.db import transaction

    device = devices[0]
    claimed, go_on = threading.Event(), threading.Event()
    at = day_start()

    def job() -> object:
        with transaction.atomic():
            fresh, _ = services.claim_seqs(device=device, seqs=[1])
            claimed.set()
            go_on.wait(1.0)
            services.mark_seen(device=device, seqs=fresh)
        return fresh

    def telemetry() -> object:
        claimed.wait(10)
        threading.Timer(0.3, go_on.set).start()
        return services.ingest(device=device, readings=[reading(1, at, 1.0), reading(2, at, 1.0)])

    fresh, ack = together([job, telemetry])
    assert fresh == [1]
    assert (ack.stored, ack.duplicates, ack.acked) == (1, 1, 2)


def test_a_day_that_cannot_be_made_now_is_kept_in_the_default_partition(devices: list[Device]) -> None:
    import psycopg

    at, named = day_start(201), connection.settings_dict
    partition = f"devices_reading_{at:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {partition}")
    device = devices[0]
    told = [reading(i + 1, at + dt.timedelta(minutes=i), 5.0 * i, "energy_wh_total") for i in range(5)]
    with psycopg.connect(host=named["HOST"], user=named["USER"], dbname=named["NAME"]) as reader:
        reader.execute("LOCK TABLE devices_reading_default IN ACCESS SHARE MODE")  # as a backup does
        assert services.ingest(device=device, readings=told[:3]).acked == 3
        assert exists(partition) is False
    assert services.ingest(device=device, readings=told[3:]).acked == 5
    assert exists(partition) is True
    assert stored(device) == (5, 5)
    assert queries.energy(device, at, at + dt.timedelta(minutes=4)).kwh == pytest.approx(0.02)


def test_days_are_dropped_while_writers_write(devices: list[Device]) -> None:
    """The tables of old days are detached under load: readings of today and late ones for just these days, by the very
    intake that devices speak to, are all stored once, and what was known of the days stays."""
    *writers, late, kept = devices
    days = [day_start(20 + n) for n in range(4)]
    for n, day in enumerate(reversed(days)):
        told = [reading(60 * n + i + 1, day + dt.timedelta(hours=5, minutes=i), 60.0 * i) for i in range(60)]
        services.ingest(device=kept, readings=told)
    before = rollups_of(kept)
    for kind in Retention.Kind.values:
        retention.set_policy(kind=kind, raw_days=7, quarter_days=30)
    total, size, today = 1500, 50, day_start(1)

    def at(device: Device, n: int) -> dt.datetime:
        if device is late:  # a counter's readings every minute of the old days, the newest day first
            return days[n % 4] + dt.timedelta(hours=8, minutes=n // 4)
        return today + dt.timedelta(seconds=10 * n)

    async def report(intake: Intake, device: Device) -> None:
        for first in range(0, total, size):
            items = [reading(n + 1, at(device, n), 2.0 * n, "energy_wh_total") for n in range(first, first + size)]
            answer = await intake.submit(device=device.pk, kind="telemetry", body=orjson.dumps({"readings": items}))
            assert (answer.status, orjson.loads(answer.body)["acked"]) == (200, first + size)

    done = retention.Done()

    def forget() -> None:
        try:
            for _ in range(200):
                more = retention.run()
                done.dropped += more.dropped
                done.closed += more.closed
                if done.dropped >= len(days):
                    return
        finally:
            connection.close()

    async def all_at_once() -> None:
        intake = Intake(patience_s=60)
        try:
            work = [report(intake, device) for device in [*writers, late]]
            await asyncio.gather(asyncio.to_thread(forget), *work)
        finally:
            await asyncio.to_thread(intake.close)

    asyncio.run(all_at_once())
    assert done.dropped >= len(days)
    for device in writers:
        assert stored(device) == (total, total)
        whole = Rollup.objects.filter(device=device, step_s=3600)
        assert sum(row.count for row in whole) == total
        assert sum(row.energy_wh or 0.0 for row in whole) == 2.0 * (total - 1)
    assert rollups_of(kept) == before
    whole = Rollup.objects.filter(device=late, step_s=3600)
    assert sum(row.count for row in whole) == total, "late readings count, also where their day went meanwhile"
    assert all((row.energy_wh or 0.0) >= 0 for row in whole)
    assert queries.acked(late) == total


def exists(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])
