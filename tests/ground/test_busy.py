"""Who is let in when more come than can be served, and what the others hear."""

import asyncio
import json
import threading
from typing import Any

import pytest

from livingcity import busy
from livingcity.bridge import Bridge
from tests.ground.test_bridge import Whole


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is set."""
    now = [100.0]
    monkeypatch.setattr(busy.time, "monotonic", lambda: now[0])
    return now


def test_a_burst_waits_and_a_standing_queue_is_kept_short(clock: list[float]) -> None:
    admission = busy.Admission()
    assert admission.lets_in("/", 0)
    clock[0] += busy.STANDING_S
    assert admission.lets_in("/", busy.MOST_WAITING - 1), "a burst"
    assert not admission.lets_in("/", busy.MOST_WAITING)
    clock[0] += 0.1
    assert admission.lets_in("/", busy.FEW_WAITING - 1)
    assert not admission.lets_in("/", busy.FEW_WAITING), "it has not been empty for too long"
    assert admission.lets_in("/static/dist/city.css", busy.FEW_WAITING), "a page that was let in needs its style"
    assert admission.refused == 2
    assert admission.lets_in("/", 0)
    assert admission.lets_in("/", busy.FEW_WAITING), "it was empty just now"


class Crowd:
    """Requests through a bridge with one page thread, whose pages wait until they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.bridge = Bridge(self.application, page_threads=1)
        self.answers: dict[int, list[dict[str, Any]]] = {}

    def application(self, environ: dict[str, Any], start: Any) -> Whole:
        if environ["PATH_INFO"] == "/slow/":
            self.let_go.wait(30)
        start("200 OK", [])
        return Whole([b"page"])

    async def ask(self, number: int, path: str, method: str = "GET") -> None:
        sent = self.answers[number] = []
        read = False

        async def receive() -> Any:
            nonlocal read
            read = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "http_version": "1.1"}
        await self.bridge({**scope, "headers": ()}, receive, send)
        assert read == (sent[0]["status"] == 200), "of who is refused nothing is read"


@pytest.mark.parametrize(
    ("path", "kind"), [("/designs/", b"text/html"), ("/api/v1/labs/", b"application/problem+json")]
)
def test_who_is_refused_hears_at_once_when_to_come_back(
    path: str, kind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy, "STANDING_S", -1.0)
    monkeypatch.setattr(busy, "FEW_WAITING", 2)

    async def run() -> Crowd:
        crowd = Crowd()
        tasks = [asyncio.create_task(crowd.ask(n, "/slow/")) for n in range(3)]
        await asyncio.sleep(0.1)
        await asyncio.wait_for(crowd.ask(3, path), 5)
        await asyncio.wait_for(crowd.ask(4, path, "HEAD"), 5)
        await asyncio.wait_for(crowd.ask(5, "/healthz"), 5)
        await asyncio.wait_for(crowd.ask(6, "/api/v1/telemetry/"), 5)
        crowd.let_go.set()
        await asyncio.gather(*tasks)
        await asyncio.wait_for(crowd.ask(7, path), 5)
        return crowd

    answers = asyncio.run(run()).answers
    assert [answers[n][0]["status"] for n in range(8)] == [200, 200, 200, 503, 503, 200, 200, 200]
    headers = dict(answers[3][0]["headers"])
    assert headers[b"content-type"].startswith(kind)
    assert busy.AGAIN_S[0] <= int(headers[b"retry-after"]) <= busy.AGAIN_S[1]
    body = answers[3][1]["body"]
    assert int(headers[b"content-length"]) == len(body)
    if b"json" in kind:
        assert json.loads(body)["code"] == "city:busy"
    else:
        assert b"<h1>The city is busy</h1>" in body
    assert answers[4][1]["body"] == b""
