"""Batches of many devices in one transaction: the same as one by one, in a number of statements that does not grow."""

import datetime as dt
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.devices import queries, services
from commons.devices.errors import DeviceRevoked, TooManyGaps
from commons.devices.models import Device
from commons.devices.services import Ack, Sent, read_items
from commons.devices.services import seqs as seqs_services
from commons.devices.signals import Stored, group_stored
from commons.errors import CityError
from tests.devices.streams import day_start, last_of, reading, rollups_of
from tests.devices.test_order import EXAMPLES, new_device, streams

pytestmark = pytest.mark.django_db

Items = list[dict[str, Any]]


def sent(device: Device, items: Items) -> Sent:
    return Sent(device.pk, read_items(items), len(items))


def minutes(first: int, n: int, value: float = 60.0) -> Items:
    at = day_start()
    return [reading(first + i, at + dt.timedelta(minutes=first + i), value) for i in range(n)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(streams(), min_size=2, max_size=5), st.integers(0, 2**32))
def test_however_the_streams_of_many_devices_are_grouped_their_aggregates_are_the_same(
    told: list[Items], seed: int
) -> None:
    """Permuted, with duplicates, in batches of any length, batches in groups of any size, devices in any order."""
    how = random.Random(seed)
    alone, grouped = [new_device() for _ in told], [new_device() for _ in told]
    for device, stream in zip(alone, told, strict=True):
        for item in stream:
            services.ingest(device=device, readings=[item])
    batches: list[Sent] = []
    for device, stream in zip(grouped, told, strict=True):
        left = stream + how.choices(stream, k=len(stream) // 2)
        how.shuffle(left)
        while left:
            n = how.randint(1, len(left))
            batches.append(sent(device, left[:n]))
            left = left[n:]
    how.shuffle(batches)
    stored = 0
    while batches:
        n = how.randint(1, len(batches))
        stored += sum(answer.stored for answer in services.ingest_many(sent=batches[:n]) if isinstance(answer, Ack))
        batches = batches[n:]
    assert stored == sum(map(len, told))
    for one, other, stream in zip(alone, grouped, told, strict=True):
        assert rollups_of(one) == rollups_of(other)
        assert last_of(one) == last_of(other)
        assert queries.acked(one) == queries.acked(other) == len(stream)


def test_a_refused_batch_hurts_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seqs_services, "MAX_RANGES", 5)
    good, revoked, gaps = (new_device() for _ in range(3))
    services.revoke_device(device=revoked)
    holes = [item for item in minutes(1, 20) if item["seq"] % 2]
    answers = services.ingest_many(
        sent=[
            sent(good, minutes(1, 3)),
            sent(revoked, minutes(1, 3)),
            sent(gaps, holes),
            sent(gaps, minutes(1, 2)),
            sent(good, [*minutes(4, 2), {"seq": 6, "channel": "watts"}]),
        ]
    )
    kinds = [type(answer) for answer in answers]
    assert kinds == [Ack, DeviceRevoked, TooManyGaps, Ack, Ack]
    acks = [(a.acked, a.stored, len(a.rejected)) for a in answers if isinstance(a, Ack)]
    assert acks == [(3, 3, 0), (2, 2, 0), (6, 2, 1)]
    assert (queries.acked(good), queries.acked(gaps), queries.acked(revoked)) == (6, 2, 0)


def test_a_token_that_ended_on_the_way_lets_nobody_in() -> None:
    device = new_device()
    old = bytes(device.token_sha256 or b"")
    batch = Sent(device.pk, read_items(minutes(1, 2)), 2, old)
    assert isinstance(services.ingest_many(sent=[batch])[0], Ack)
    services.rotate_token(device=device)
    again = Sent(device.pk, read_items(minutes(3, 2)), 2, old)
    refusal = services.ingest_many(sent=[again])[0]
    assert isinstance(refusal, CityError)
    assert refusal.status == 401
    assert queries.acked(device) == 2


@pytest.mark.parametrize("late", [False, True])
def test_the_statements_do_not_grow_with_the_devices(late: bool) -> None:
    """Also where every stream comes in the wrong order and is reckoned again."""
    counts = []
    for n in (2, 30):
        devices = [new_device() for _ in range(n)]
        services.ingest_many(sent=[sent(device, minutes(50, 3)) for device in devices])
        news = [sent(device, minutes(1, 3) if late else minutes(53, 3)) for device in devices]
        with CaptureQueriesContext(
            connection,
        ) as asked:
            services.ingest_many(sent=news)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= (25 if late else 14)


def test_the_signal_of_a_group_tells_of_each_device_once() -> None:
    devices = [new_device() for _ in range(3)]
    heard: list[list[Stored]] = []

    def hear(stored: list[Stored], **_kwargs: object) -> None:
        heard.append(stored)

    group_stored.connect(hear)
    try:
        batches = [sent(device, minutes(first, 2)) for first in (1, 3) for device in devices]
        services.ingest_many(sent=batches)
    finally:
        group_stored.disconnect(hear)
    start = day_start()
    assert [len(stored) for stored in heard] == [3]
    assert {one.device.pk for one in heard[0]} == {device.pk for device in devices}
    assert {(one.start, one.end) for one in heard[0]} == {
        (start + dt.timedelta(minutes=1), start + dt.timedelta(minutes=4))
    }
