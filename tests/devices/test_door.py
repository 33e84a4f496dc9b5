"""Telemetry over HTTP through the process `ingest`: answers as Django's view gives them, and none untrue."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from django.db import connection
from django.test import Client

from commons.devices import door, queries, services, serving, wire
from commons.devices.errors import IngestAway
from commons.devices.intake import Intake
from commons.devices.models import HEARTBEAT, Device
from commons.devices.services import heartbeat
from commons.people import tokens
from livingcity.dev.processes import Child, spawn, stop
from tests.devices.streams import day_start, reading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def socket_path(settings: Any) -> Iterator[Path]:
    path = Path(f"/tmp/lc-door-{os.getpid()}.sock")
    settings.INGEST_SOCKET = path
    yield path
    path.unlink(missing_ok=True)


def enrolled() -> tuple[Device, str]:
    device = services.create_device(name="door", kind="meter")
    return services.enrol(code=str(services.create_enrolment_code(device=device)))


def body(first: int, n: int) -> bytes:
    return json.dumps({"readings": [reading(first + i, day_start(), 1.0) for i in range(n)]}).encode()


def with_process(work: Callable[[serving.Doorkeeper], Awaitable[None]]) -> None:
    """Run it beside a serving socket."""

    async def run() -> None:
        intake, doorkeeper = Intake(), serving.Doorkeeper()
        try:
            async with serving.listening(intake, doorkeeper, wire.address()):
                await work(doorkeeper)
        finally:
            await asyncio.to_thread(intake.close)
            doorkeeper.close()

    asyncio.run(run())


def test_many_devices_over_one_line(socket_path: Path, transactional_db: None) -> None:
    made = [enrolled() for _ in range(5)]

    async def work(_doorkeeper: serving.Doorkeeper) -> None:
        way = door.Way()
        asked = [way.ask(tokens.fingerprint(token), body(1 + 3 * n, 3)) for n in range(4) for _device, token in made]
        answers = await asyncio.gather(*asked)
        assert {answer.status for answer in answers} == {200}
        assert sum(json.loads(answer.body)["stored"] for answer in answers) == 60
        stranger = await way.ask(tokens.fingerprint(tokens.new_secret("lcd")), body(1, 1))
        assert (stranger.status, stranger.body) == (wire.UNKNOWN_TOKEN, b"")

    with_process(work)
    assert {queries.acked(device) for device, _token in made} == {12}


def test_the_heartbeat_goes_through_the_process_and_a_silent_one_is_seen(
    socket_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a process it is the process that stores; one that takes questions and answers none stores nothing."""

    def beat() -> services.Ack:
        try:
            return heartbeat.beat()
        finally:
            connection.close()

    async def work(_doorkeeper: serving.Doorkeeper) -> None:
        for seq in (1, 2, 3):
            ack = await asyncio.to_thread(beat)
            assert (ack.acked, ack.stored) == (seq, 1)

    with_process(work)
    age = queries.heartbeat_age()
    assert age is not None and age < 30

    async def silent() -> None:
        server = await asyncio.get_running_loop().create_unix_server(Deaf, str(socket_path))
        monkeypatch.setattr(heartbeat, "PATIENCE_S", 0.3)
        with pytest.raises(IngestAway):
            await asyncio.to_thread(beat)
        server.close()
        Deaf.hang_up()
        with pytest.raises(IngestAway):
            await asyncio.to_thread(beat)

    asyncio.run(silent())
    assert queries.acked(Device.objects.get(kind=HEARTBEAT)) == 3


def test_a_revoked_device_is_out_at_once(socket_path: Path, transactional_db: None) -> None:
    device, token = enrolled()

    async def work(_doorkeeper: serving.Doorkeeper) -> None:
        way = door.Way()
        assert (await way.ask(tokens.fingerprint(token), body(1, 1))).status == 200
        await asyncio.to_thread(in_thread, services.revoke_device, device)
        assert (await way.ask(tokens.fingerprint(token), body(2, 1))).status == wire.UNKNOWN_TOKEN

    with_process(work)
    assert queries.acked(device) == 1


def in_thread(work: Callable[..., Any], device: Device) -> None:
    from django.db import connection

    work(device=device)
    connection.close()


def test_a_question_outlives_the_process(
    socket_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was lost with the process goes to the next one; where none comes, 503 after a while."""
    device, token = enrolled()
    way = door.Way()

    async def both() -> None:
        lost = await asyncio.get_running_loop().create_unix_server(Deaf, str(socket_path))
        waiting = asyncio.create_task(way.ask(tokens.fingerprint(token), body(1, 2)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        lost.close()
        Deaf.hang_up()
        intake, doorkeeper = Intake(), serving.Doorkeeper()
        async with serving.listening(intake, doorkeeper, socket_path):
            answer = await waiting
            assert json.loads(answer.body)["acked"] == 2
            monkeypatch.setattr(door, "PATIENCE_S", 0.3)
        await asyncio.to_thread(intake.close)
        doorkeeper.close()
        socket_path.touch()
        with pytest.raises(IngestAway):
            await door.Way().ask(tokens.fingerprint(token), body(3, 1))
        socket_path.unlink()
        with pytest.raises(door.Nobody):
            await door.Way().ask(tokens.fingerprint(token), body(3, 1))

    asyncio.run(both())
    assert queries.acked(device) == 2


class Deaf(asyncio.Protocol):
    """A process that takes questions and dies."""

    transports: "list[asyncio.Transport]" = []  # noqa: RUF012 emptied by hang_up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transports.append(transport)

    @classmethod
    def hang_up(cls) -> None:
        while cls.transports:
            cls.transports.pop().abort()


# --- as it is served ---------------------------------------------------------------------------------------------


@pytest.fixture
def ingest_process(city_environment: dict[str, str], live_city: Any) -> Iterator[Child]:
    """`manage.py ingest` beside the served site."""
    log = Path(os.environ["LIVINGCITY_DATA"]) / "ingest.log"
    child = spawn([sys.executable, str(ROOT / "manage.py"), "ingest"], log=log, env=city_environment)
    for _ in range(1200):
        if wire.address().exists() or child.poll() is not None:
            break
        signal.sigtimedwait([], 0.1)
    assert child.poll() is None, log.read_text()
    yield child
    stop(child)


def post(url: str, token: str, content: bytes, language: str) -> tuple[int, str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept-Language": language}
    request = urllib.request.Request(f"{url}/api/v1/telemetry/", content, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], json.loads(answer.read())
    except HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], json.loads(refused.read())


def test_both_ways_give_the_same_answers(ingest_process: Child, live_city: Any, client: Client) -> None:
    """Django's view, and the process behind the served site; the kill -9 of the process is bridged by neither."""
    (_fast, fast), (_slow, slow) = enrolled(), enrolled()
    gone, gone_token = enrolled()
    services.revoke_device(device=gone)
    wrong = {"seq": 9, "ts": "never", "channel": "power_w", "value": 1}
    old = {"seq": 10, "ts": "1970-01-01T00:00:00Z", "channel": "power_w", "value": 1}
    contents = [
        body(1, 3),
        body(2, 3),
        b'{"readings": []}',
        json.dumps({"readings": [wrong, old, 7]}).encode(),
        b"{",
        b'{"readings": {}}',
        b'{"readings": [' + b",".join([b"1"] * 10_001) + b"]}",
        body(11, 9000),
    ]
    for content in contents:
        for language in ("en", "fi"):
            found = post(live_city.url, fast, content, language)
            headers = {"Authorization": f"Bearer {slow}", "Accept-Language": language}
            answer = client.post("/api/v1/telemetry/", content, content_type="application/json", headers=headers)
            assert found == (answer.status_code, answer["Content-Type"], answer.json())
    for token in (gone_token, tokens.new_secret("lcd"), "lcd_nonsense"):
        status, kind, problem = post(live_city.url, token, body(1, 1), "en")
        assert (status, kind, problem["code"]) == (401, "application/problem+json", "city:sign-in")
    os.kill(ingest_process.pid, signal.SIGKILL)
    ingest_process.wait()
    assert wire.address().exists()
    wire.address().unlink()
    assert post(live_city.url, fast, body(9100, 1), "en")[0] == 200
