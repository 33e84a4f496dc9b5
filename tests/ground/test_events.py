"""Live progress of runs over the served site: what is told, to whom, and that open streams cost the pages nothing."""

import http.client
import json
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils.translation import gettext_lazy

from commons.people import services as people
from commons.people.models import User
from commons.runs import services
from commons.runs.models import Run
from commons.said import keep, said

from . import worker_kinds


def listen(city: Any, run: Run | str, asked: str = "", **headers: str) -> Any:
    """Open a run's stream."""
    address = f"{city.url}/api/v1/runs/{getattr(run, 'pk', run)}/events{asked}"
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60)


def events(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events until the stream ends."""
    found = []
    for block in answer.read().decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def refusal(city: Any, run: Run | str, **headers: str) -> tuple[int, str, str]:
    """Status, type and code of a refusal."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        listen(city, run, **headers)
    return refused.value.code, refused.value.headers["Content-Type"], json.load(refused.value)["code"]


def test_progress_until_done(live_city: Any) -> None:
    run = services.start(kind=worker_kinds.STEPS, inputs={"steps": 5, "pause_s": 0.3}, public=True)
    answer = listen(live_city, run)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    told = events(answer)
    assert [name for name, _data in told][-1] == "done"
    assert told[-1][1] == {
        "status": "done",
        "progress": 1.0,
        "stage": told[-1][1]["stage"],
        "result": {"steps": 5},
        "error": None,
    }
    shares = [data["progress"] for _name, data in told]
    assert shares == sorted(shares)
    assert len({data["stage"] for _name, data in told}) >= 4


def test_a_stream_speaks_the_language_of_its_page(live_city: Any) -> None:
    title = said(gettext_lazy("Drawing %(design)s"), design="Lamp")
    run = services.start(kind=worker_kinds.STEPS, inputs={"steps": 1, "pause_s": 0}, public=True)
    services.wait(run=run)
    Run.objects.filter(pk=run.pk).update(stage=str(title), stage_kept=keep(title))
    assert [events(listen(live_city, f"{run.pk}", asked=asked))[-1][1]["stage"] for asked in ("", "?lang=fi")] == [
        "Drawing Lamp", "Piirretään: Lamp",
    ]  # fmt: skip


def test_a_browser_that_comes_back_after_the_end_is_told_to_stop(live_city: Any) -> None:
    run = services.start(kind=worker_kinds.STEPS, inputs={"steps": 1, "pause_s": 0}, public=True)
    services.wait(run=run)
    assert [name for name, _data in events(listen(live_city, run))] == ["done"]
    assert listen(live_city, run, **{"Last-Event-ID": "done"}).status == 204


def test_who_may_not_see_a_run_hears_what_a_stranger_to_nothing_hears(live_city: Any) -> None:
    owner, other = (people.create_user(username=name) for name in ("events-owner", "events-other"))
    run = services.start(kind=worker_kinds.STEPS, inputs={"steps": 1, "pause_s": 0}, owner=owner)
    services.wait(run=run)
    missing = refusal(live_city, "00000000-0000-4000-8000-000000000000")
    assert missing == (404, "application/problem+json", "city:not-found")
    assert refusal(live_city, run) == missing
    assert refusal(live_city, "x" * 36)[0] == 404

    def token(user: User, scope: str = "admin") -> str:
        return "Bearer " + people.create_token(user=user, name="t", scopes=[scope])[1]

    assert refusal(live_city, run, Authorization=token(other)) == missing
    assert refusal(live_city, run, Authorization=token(owner, "designs:read")) == missing
    assert events(listen(live_city, run, Authorization=token(owner)))[-1][0] == "done"
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert events(listen(live_city, run, Cookie=cookie))[-1][0] == "done"
    assert refusal(live_city, run, Cookie="sessionid=nonsense") == missing


def test_pages_answer_while_200_streams_are_open(live_city: Any) -> None:
    run = Run.objects.create(kind="tests.never", inputs_sha256="", public=True)
    host, port = urlsplit(live_city.url).hostname, urlsplit(live_city.url).port
    assert host
    with ExitStack() as stack:
        for _ in range(200):
            line = stack.enter_context(Closing(http.client.HTTPConnection(host, port, timeout=30)))
            line.request("GET", f"/api/v1/runs/{run.pk}/events")
            answer = line.getresponse()
            assert answer.status == 200
            assert answer.readline().startswith(b"id: ")
        began = time.monotonic()
        for _ in range(5):
            assert urllib.request.urlopen(f"{live_city.url}/healthz", timeout=10).status == 200
        assert time.monotonic() - began < 5
        services.cancel(run=run)


class Closing:
    """Close a connection at the end of a block."""

    def __init__(self, line: http.client.HTTPConnection) -> None:
        self.line = line

    def __enter__(self) -> http.client.HTTPConnection:
        return self.line

    def __exit__(self, *_exc: object) -> None:
        self.line.close()
