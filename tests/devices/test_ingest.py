"""Readings in: what is acknowledged, what is stored, what is refused."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from commons.devices import queries, services
from commons.devices.errors import DeviceRevoked, TooManyGaps, TooManyReadings, Unreadable
from commons.devices.models import Device, LastValue, Rollup
from commons.devices.services import seqs as seqs_services
from commons.devices.signals import readings_stored
from tests.devices.streams import day_start, last_of, reading, rollups_of


def raw_count(device: Device) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_reading WHERE device = %s", [device.number])
        return int(cursor.fetchone()[0])


def minutes(n: int, start_seq: int = 1, value: float = 100.0) -> list[dict]:
    at = day_start() + dt.timedelta(minutes=start_seq - 1)
    return [reading(start_seq + i, at + dt.timedelta(minutes=i), value) for i in range(n)]


def test_acked_is_the_highest_seq_without_a_gap_below(device: Device) -> None:
    batch = minutes(10)
    first = services.ingest(device=device, readings=batch[:3])
    assert (first.acked, first.stored, first.duplicates) == (3, 3, 0)
    beyond = services.ingest(device=device, readings=batch[5:])
    assert (beyond.acked, beyond.stored) == (3, 5)
    filled = services.ingest(device=device, readings=batch[2:6])
    assert (filled.acked, filled.stored, filled.duplicates) == (10, 2, 2)
    assert queries.acked(device) == 10
    assert queries.next_seq(device) == 11
    assert raw_count(device) == 10


def test_a_device_that_counts_from_zero(device: Device) -> None:
    at = day_start()
    ack = services.ingest(device=device, readings=[reading(i, at + dt.timedelta(minutes=i), 1.0) for i in range(5)])
    assert ack.acked == 4
    assert queries.next_seq(device) == 5


def test_the_same_batch_again_changes_nothing(device: Device) -> None:
    services.ingest(device=device, readings=minutes(30))
    before, last = rollups_of(device), last_of(device)
    again = services.ingest(device=device, readings=minutes(30))
    assert (again.stored, again.duplicates, again.acked) == (0, 30, 30)
    assert rollups_of(device) == before
    assert last_of(device) == last
    assert raw_count(device) == 30


def test_a_seq_twice_in_one_batch_is_stored_once(device: Device) -> None:
    ack = services.ingest(device=device, readings=[*minutes(3), *minutes(3)])
    assert (ack.stored, ack.duplicates, ack.acked) == (3, 3, 3)


@pytest.mark.parametrize(
    ("change", "code", "seq"),
    [
        ({"seq": -1}, "reading:bad-seq", None),
        ({"seq": "2"}, "reading:bad-seq", None),
        ({"seq": True}, "reading:bad-seq", None),
        ({"seq": 2**62}, "reading:bad-seq", None),
        ({"seq": 1.5}, "reading:bad-seq", None),
        ({"ts": "yesterday"}, "reading:bad-time", 2),
        ({"ts": "now"}, "reading:bad-time", 2),
        ({"ts": "NaT"}, "reading:bad-time", 2),
        ({"ts": "2026-11-22T10:00:00"}, "reading:bad-time", 2),
        ({"ts": "2026-02-30T10:00:00Z"}, "reading:bad-time", 2),
        ({"ts": "2026-11-22T10:00+01:00Z"}, "reading:bad-time", 2),
        ({"ts": 1_700_000_000}, "reading:bad-time", 2),
        ({"channel": "watts"}, "reading:unknown-channel", 2),
        ({"channel": "x_"}, "reading:unknown-channel", 2),
        ({"channel": "x_Big"}, "reading:unknown-channel", 2),
        ({"channel": "x_" + "a" * 39}, "reading:unknown-channel", 2),
        ({"channel": None}, "reading:unknown-channel", 2),
        ({"value": None}, "reading:bad-value", 2),
        ({"value": "12"}, "reading:bad-value", 2),
        ({"value": True}, "reading:bad-value", 2),
        ({"value": 1e300}, "reading:bad-value", 2),
        ({"value": 10**400}, "reading:bad-value", 2),
        ({"channel": "energy_wh_total", "value": -1.0}, "reading:bad-value", 2),
        ({"channel": "state", "value": "dancing"}, "reading:bad-value", 2),
    ],
)
def test_an_unreadable_reading_is_rejected_by_itself(device: Device, change: dict, code: str, seq: int | None) -> None:
    batch = minutes(3)
    batch[1] |= change
    ack = services.ingest(device=device, readings=batch)
    assert ack.stored == 2
    assert [(r.seq, r.code) for r in ack.rejected] == [(seq, code)]
    assert "1" in ack.rejected[0].sentence
    assert ack.acked == (3 if seq == 2 else 1), "a rejected seq is settled, one that was never said is not"
    assert {row[3] for key, row in rollups_of(device).items()} <= {100.0}


def test_a_rejected_seq_is_settled_and_comes_back_as_a_duplicate(device: Device) -> None:
    batch = minutes(3)
    batch[1]["value"] = None
    services.ingest(device=device, readings=batch)
    again = services.ingest(device=device, readings=batch)
    assert (again.stored, again.duplicates, again.rejected) == (0, 3, ())


def test_what_is_not_an_object_is_rejected(device: Device) -> None:
    ack = services.ingest(device=device, readings=[7, None, [], *minutes(1)])
    assert ack.stored == 1
    assert [(r.seq, r.code) for r in ack.rejected] == [(None, "reading:unreadable")] * 3


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000Z", "2026-11-20T14:00:00+02:00", "20261120T120000Z"],
)
def test_forms_of_one_moment(device: Device, stamp: str) -> None:
    moment = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    received = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    item = {"seq": 1, "ts": stamp, "channel": "voltage_v", "value": 230}
    assert services.ingest(device=device, readings=[item], received_at=received).stored == 1
    assert LastValue.objects.get(device=device).ts == moment


def test_a_leap_second_is_the_next_second(device: Device) -> None:
    item = {"seq": 1, "ts": "2026-06-30T23:59:60.5Z", "channel": "voltage_v", "value": 230}
    services.ingest(device=device, readings=[item], received_at=dt.datetime(2026, 7, 1, 1, tzinfo=dt.UTC))
    assert LastValue.objects.get(device=device).ts == dt.datetime(2026, 7, 1, 0, 0, 0, 500_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("stamp", "code"),
    [
        ("1970-01-01T00:00:00Z", "reading:clock-behind"),
        ("0001-01-01T00:00:00Z", "reading:clock-behind"),
        ("2036-11-22T00:00:00Z", "reading:clock-ahead"),
        ("9999-12-31T23:59:59Z", "reading:clock-ahead"),
    ],
)
def test_a_wrong_clock_is_stored_once_and_counts_nowhere(device: Device, stamp: str, code: str) -> None:
    services.ingest(device=device, readings=minutes(3))
    before, last = rollups_of(device), last_of(device)
    item = {"seq": 4, "ts": stamp, "channel": "power_w", "value": 5000.0}
    heard: list[object] = []
    readings_stored.connect(heard.append)
    try:
        ack = services.ingest(device=device, readings=[item])
    finally:
        readings_stored.disconnect(heard.append)
    assert (ack.acked, ack.stored, ack.rejected) == (4, 1, ())
    assert [(r.seq, r.code) for r in ack.flagged] == [(4, code)]
    assert ack.flagged[0].sentence
    assert services.ingest(device=device, readings=[item]).duplicates == 1
    assert raw_count(device) == 4
    assert (rollups_of(device), last_of(device), heard) == (before, last, [])


def test_a_clock_a_little_ahead_is_believed_and_an_hour_ahead_is_not(device: Device) -> None:
    now = timezone.now()
    batch = [reading(1, now + dt.timedelta(minutes=4), 1.0), reading(2, now + dt.timedelta(hours=1), 1.0)]
    ack = services.ingest(device=device, readings=batch, received_at=now)
    assert [r.seq for r in ack.flagged] == [2]
    assert ack.stored == 2


def test_when_the_flagged_day_comes_its_partition_takes_over_what_the_default_held(device: Device) -> None:
    now = timezone.now()
    day = now + dt.timedelta(days=50)
    services.ingest(device=device, readings=[reading(1, day, 1.0)], received_at=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_reading_default WHERE device = %s", [device.number])
        assert cursor.fetchone()[0] == 1
    ack = services.ingest(device=device, readings=[reading(2, day, 2.0)], received_at=day)
    assert ack.flagged == ()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT seq FROM devices_reading_{day:%Y%m%d} WHERE device = %s ORDER BY seq",  # noqa: S608
            [device.number],
        )
        assert [row[0] for row in cursor.fetchall()] == [1, 2]


def test_x_channels_are_added_once(device: Device) -> None:
    at = day_start()
    names = ["x_flow", "x_flow", "x_humidity"]
    batch = [reading(i + 1, at + dt.timedelta(seconds=i), 1.0, name) for i, name in enumerate(names)]
    assert services.ingest(device=device, readings=batch).stored == 3
    values = queries.last_values([device])[device]
    assert set(values) == {"x_flow", "x_humidity"}
    assert values["x_flow"].ts == at + dt.timedelta(seconds=1)


def test_state_may_be_a_word(device: Device) -> None:
    now = timezone.now()
    batch = [
        {"seq": 1, "ts": now.isoformat(), "channel": "state", "value": "making"},
        reading(2, now, 120.0),
    ]
    services.ingest(device=device, readings=batch)
    live = queries.live(device)
    assert (live.state, live.power_w, live.fresh) == ("making", 120.0, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"readings": 3}', b'{"reading": []}', b"\xff\xfe"])
def test_a_body_that_is_not_readings_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Unreadable):
        services.read_body(body)


def test_a_batch_too_long_is_refused() -> None:
    with pytest.raises(TooManyReadings):
        services.read_body(b'{"readings": [' + b",".join([b"1"] * 10_001) + b"]}")


def test_an_empty_batch_answers_the_ack(device: Device) -> None:
    services.ingest(device=device, readings=minutes(2))
    assert services.ingest(device=device, readings=[]).as_dict() == {
        "acked": 2, "stored": 0, "duplicates": 0, "rejected": [], "flagged": [],
    }  # fmt: skip


def test_a_revoked_device_stores_nothing(device: Device) -> None:
    services.revoke_device(device=device)
    with pytest.raises(DeviceRevoked):
        services.ingest(device=device, readings=minutes(2))
    assert raw_count(device) == 0


def test_a_stream_full_of_holes_is_refused_whole(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seqs_services, "MAX_RANGES", 5)
    at = day_start()
    with pytest.raises(TooManyGaps):
        services.ingest(device=device, readings=[reading(2 * i, at + dt.timedelta(seconds=i), 1.0) for i in range(9)])
    assert (raw_count(device), Rollup.objects.filter(device=device).count()) == (0, 0)


def test_other_messages_share_the_counter(device: Device) -> None:
    services.ingest(device=device, readings=minutes(3))
    fresh, duplicates = services.claim_seqs(device=device, seqs=[3, 4, 5, 5])
    assert (fresh, duplicates) == ([4, 5], [3, 5])
    assert services.mark_seen(device=device, seqs=fresh) == 5
    ack = services.ingest(device=device, readings=minutes(4, start_seq=4))
    assert (ack.stored, ack.duplicates, ack.acked) == (2, 2, 7)


def test_a_receiver_that_fails_undoes_the_batch(device: Device) -> None:
    def break_it(**_kwargs: object) -> None:
        raise RuntimeError("no")

    readings_stored.connect(break_it)
    try:
        with pytest.raises(RuntimeError):
            services.ingest(device=device, readings=minutes(3))
    finally:
        readings_stored.disconnect(break_it)
    assert (raw_count(device), queries.acked(device), rollups_of(device)) == (0, 0, {})


def test_the_signal_tells_from_the_reading_before_to_the_reading_after(device: Device) -> None:
    batch = [reading(i + 1, day_start() + dt.timedelta(minutes=i), 100.0) for i in range(9)]
    heard: list[tuple[dt.datetime, dt.datetime]] = []

    def hear(start: dt.datetime, end: dt.datetime, **_kwargs: object) -> None:
        heard.append((start, end))

    readings_stored.connect(hear)
    try:
        services.ingest(device=device, readings=[*batch[:3], *batch[6:]])
        services.ingest(device=device, readings=batch[3:6])
    finally:
        readings_stored.disconnect(hear)
    start = day_start()
    assert heard[1] == (start + dt.timedelta(minutes=2), start + dt.timedelta(minutes=6))


def test_devices_are_taken_away_with_all_they_said(device: Device) -> None:
    services.ingest(device=device, readings=minutes(3))
    services.delete_devices(devices=[device])
    assert (raw_count(device), Rollup.objects.count(), LastValue.objects.count()) == (0, 0, 0)
