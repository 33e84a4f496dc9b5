"""The one way in, whichever door a body came by."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from commons.devices import queries, services
from commons.devices.intake import Answer, Intake
from commons.devices.models import Device
from tests.devices.streams import day_start, reading


@pytest.fixture
def devices(transactional_db: None) -> Iterator[list[Device]]:
    made = [services.create_device(name=f"d{n}", kind="meter") for n in range(4)]
    for device in made:
        services.enrol(code=str(services.create_enrolment_code(device=device)))
    yield made
    services.delete_devices(devices=made)


def submit(*bodies: tuple[uuid.UUID, Any, bytes]) -> list[Answer]:
    """All at once."""

    async def run() -> list[Answer]:
        intake = Intake()
        try:
            return await asyncio.gather(*(intake.submit(device=d, kind=k, body=b) for d, k, b in bodies))
        finally:
            intake.close()

    return asyncio.run(run())


def body(first: int, n: int) -> bytes:
    at = day_start()
    items = [reading(first + i, at + dt.timedelta(seconds=10 * (first + i)), 5.0) for i in range(n)]
    return orjson.dumps({"readings": items})


def test_bodies_of_many_devices_are_answered_each_by_itself(devices: list[Device]) -> None:
    bad, good = devices[0], devices[1:]
    sent: list[tuple[uuid.UUID, Any, bytes]] = [(bad.pk, "telemetry", b"{")]
    sent += [(d.pk, "telemetry", body(1 + 5 * n, 5)) for n in range(3) for d in good]
    sent += [(uuid.uuid4(), "telemetry", body(1, 1))]
    first, *rest, last = submit(*sent)
    assert (first.status, orjson.loads(first.body)["code"]) == (400, "device:unreadable")
    assert (last.status, orjson.loads(last.body)["code"]) == (401, "device:revoked")
    assert [a.status for a in rest] == [200] * 9
    assert sum(orjson.loads(a.body)["stored"] for a in rest) == 45
    assert [queries.acked(d) for d in devices] == [0, 15, 15, 15]


def test_job_events_of_a_device_without_machine_are_refused(devices: list[Device]) -> None:
    answer = submit((devices[0].pk, "jobs", b'{"seq": 1}'))[0]
    assert (answer.status, orjson.loads(answer.body)["code"]) == (403, "job:no-machine")
