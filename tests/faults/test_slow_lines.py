"""Slow, thin, broken and half-open lines against the site as it is served: who is slow harms nobody but themselves."""

import asyncio
import base64
import json
import statistics
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from commons.devices import services as devices
from commons.devices.models import Device
from commons.people.services import create_token
from commons.web import timely
from designs import git
from designs.models import Design
from tests.designs.conftest import Git, address, design, git_client, head_of, maker, token

from .proxy import Line, bad_line

__all__ = ["design", "git_client", "maker", "token"]
SLOW_CLIENTS = 200


def port_of(city: Any) -> int:
    return int(urlsplit(city.url).port or 0)


async def trickle(port: int, head: bytes, first: bytes = b"") -> bytes:
    """Send a head and a first piece, then a byte a second; what came back until the line was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + first)

    async def drip() -> None:
        while True:
            await asyncio.sleep(1.0)
            writer.write(b" ")
            await writer.drain()

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(timely.GRACE_S + 25):
            return await reader.read()
    except ConnectionError:
        return b"reset"
    finally:
        dripping.cancel()
        writer.transport.abort()


def head_for(path: str, length: int, **more: str) -> bytes:
    headers = {"Host": "localhost", "Content_Length": str(length), "Content_Type": "application/json", **more}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode()


def test_two_hundred_slow_clients_keep_nobody_waiting(live_city: Any, token: str, design: Design) -> None:
    """Bodies that trickle, short ones and long ones, at doors that answer in asyncio and at Django's: 408 for each, and
    pages come meanwhile as ever."""
    port = port_of(live_city)
    device = Device.objects.create(name="slow", kind="meter")
    secret = devices.enrol(code=str(devices.create_enrolment_code(device=device)))[1]
    git_url = f"/designs/{design.owner.name}/{design.slug}.git/git-receive-pack"
    kinds = [
        (head_for("/api/v1/telemetry/", 5000, Authorization=f"Bearer {secret}"), b"{"),
        (head_for("/api/v1/designs/", 5000, Authorization=f"Bearer {token}"), b"{"),
        (head_for("/accounts/login/", 5000, Content_Type="application/x-www-form-urlencoded"), b"a"),
    ]
    long = head_for(git_url, 50_000_000, Content_Type="application/x-git-receive-pack-request",
                    Authorization="Basic " + base64.b64encode(f"x:{token}".encode()).decode())  # fmt: skip
    waits: list[float] = []

    async def look() -> None:
        for _ in range(20):
            began = time.monotonic()
            await asyncio.to_thread(lambda: urllib.request.urlopen(f"{live_city.url}/healthz", timeout=30).close())
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.7)

    async def all_at_once() -> list[Any]:
        slow = [trickle(port, *kinds[n % len(kinds)]) for n in range(SLOW_CLIENTS - 8)]
        slow += [trickle(port, long, b"0" * 1_200_000) for _ in range(8)]
        return await asyncio.gather(*slow, look())

    *answers, _none = asyncio.run(all_at_once())
    statuses = [answer[9:12] for answer in answers]
    assert statuses.count(b"408") == SLOW_CLIENTS, sorted(set(statuses))
    assert b"city:too-slow" in answers[0] and b"connection: close" in answers[0].lower()
    p95 = statistics.quantiles(waits, n=20)[-1]
    assert p95 < 2.0, waits
    print(f"{SLOW_CLIENTS} slow clients: 408 for all; others waited {p95 * 1000:.0f} ms (p95 of 20)")  # noqa: T201


def test_a_thin_line_is_no_slow_line(
    live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path
) -> None:
    """A push over 40 ms and 200 kB/s comes in; one that breaks off in the middle changes nothing, nor does one whose
    line goes silent; then the same push comes in."""
    work = tmp_path / "work"
    git_client("clone", address(live_city, design), str(work))
    (work / "noise.bin").write_bytes(b"".join(hash_block(n) for n in range(6000)))
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "noise", at=work)
    repository = git.of(design.repository)
    before, head = repository.head("main"), head_of(git_client, work)
    for silent in (False, True):
        with bad_line(Line(port_of(live_city), breaks_after=100_000, silent=silent)) as port:
            url = address(live_city, design, token).replace(f":{port_of(live_city)}/", f":{port}/")
            limits = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=3", "-c", "http.postBuffer=4096"]
            git_client(*limits, "push", url, "main:main", at=work, good=False)
        assert repository.head("main") == before
    with bad_line(Line(port_of(live_city), latency_s=0.04, bytes_per_s=200_000)) as port:
        url = address(live_city, design, token).replace(f":{port_of(live_city)}/", f":{port}/")
        git_client("push", url, "main:main", at=work)
    assert repository.head("main") == head


def hash_block(n: int) -> bytes:
    import hashlib

    return hashlib.sha256(str(n).encode()).digest()


def test_a_request_that_breaks_off_has_no_effect_and_its_retry_one(live_city: Any, maker: Any) -> None:
    """The line is reset after half the body, and after the whole body but before the answer: with an Idempotency-Key
    the client sends again until it hears something."""
    secret = create_token(user=maker, name="t", scopes=["designs:write"])[1]
    body = json.dumps({"name": "Over a bad line", "licence": "MIT", "summary": "x" * 200}).encode()
    head = head_for("/api/v1/designs/", len(body), Authorization=f"Bearer {secret}", Idempotency_Key="bad-line")
    port = port_of(live_city)

    async def send(piece: bytes, *, listen: bool) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(piece)
        await writer.drain()
        if not listen:
            await asyncio.sleep(0.05)
            writer.transport.abort()
            return b""
        async with asyncio.timeout(30):
            answer = await reader.read(65536)
        writer.transport.abort()
        return answer

    assert asyncio.run(send(head + body[:100], listen=False)) == b""
    assert asyncio.run(send(head + body, listen=False)) == b""
    said = b""
    until = time.monotonic() + 30
    while not said.startswith(b"HTTP/1.1 201") and time.monotonic() < until:
        said = asyncio.run(send(head + body, listen=True))
        time.sleep(0.2)
    assert said.startswith(b"HTTP/1.1 201"), said[:300]
    assert Design.objects.filter(name="Over a bad line").count() == 1


@pytest.mark.parametrize("pieces", [1, 30])
def test_what_comes_slowly_but_comes_is_taken(pieces: int) -> None:
    """Only waiting counts, and what was brought buys time."""

    async def run() -> bytes:
        came = iter(range(pieces))

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": b"x" * 100, "more_body": next(came) < pieces - 1}

        receives = timely.in_time(receive, grace_s=0.2, least_bytes_per_s=1500)
        got = b""
        while True:
            message = await receives()
            got += message["body"]
            await asyncio.sleep(0.02)  # the application's own time is not the client's
            if not message["more_body"]:
                return got

    assert len(asyncio.run(run())) == 100 * pieces


def test_what_does_not_come_is_refused_in_its_time() -> None:
    async def run() -> float:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.1)
            return {"type": "http.request", "body": b"x", "more_body": True}

        receives, began = timely.in_time(receive, grace_s=0.5, least_bytes_per_s=1000), time.monotonic()
        with pytest.raises(timely.TooSlow):
            while True:
                await asyncio.gather(receives(), receives(), receives())
        return time.monotonic() - began

    assert 0.4 < asyncio.run(run()) < 1.5
