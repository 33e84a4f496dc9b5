"""Each part of a running city is killed (SIGKILL): it is back, and works, within thirty seconds, with nobody's help.

That it works is asked of the city itself: a page, a run through each kind of worker (which the clock must find, for
nobody rings for it), and readings that are acknowledged.
"""

import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from livingcity.dev.places import ROOT
from tests.figures_said import figure
from tests.ground.test_services import (
    city,
    city_with_tables,
    eventually,
    family,
    laid,
    manage,
    processes_of,
    said,
    start_city,
)

__all__ = ["city", "city_with_tables", "laid"]
BACK_WITHIN_S = 30.0
#: Runs of nothing: the design that they are about is not there, which a worker finds out at once.
KINDS = {"worker": "designs.index", "heavy worker": "designs.preview"}
ENROL = """
from commons.devices import services
device = services.create_device(name="drill", kind="meter")
print("token:", services.enrol(code=str(services.create_enrolment_code(device=device)))[1])
"""


@dataclass
class Running:
    """A city that runs, and what is asked of it."""

    process: "subprocess.Popen[str]"
    url: str
    data: Path
    sockets: str
    token: str
    seq: int = 0
    sent: dict[str, str] = field(default_factory=dict)

    def pids(self, mark: str) -> list[int]:
        """Processes of that part."""
        return sorted(pid for pid, line in family(self.process.pid).items() if mark in line and "postgres:" not in line)

    def works(self) -> bool:
        """Whether every part does its work; asks for new work if there is none on its way."""
        try:
            with urllib.request.urlopen(f"{self.url}/", timeout=5) as page:
                return page.status == 200 and self._runs_end() and self._readings_are_kept()
        except (OSError, psycopg.Error):
            return False

    def ask_anew(self) -> None:
        """What was done before the kill proves nothing."""
        self.sent.clear()

    def _runs_end(self) -> bool:
        with psycopg.connect(host=self.sockets, user="postgres", dbname="livingcity", autocommit=True) as line:
            for name, kind in KINDS.items():
                if name not in self.sent:
                    self.sent[name] = str(uuid.uuid4())
                    line.execute(RUN, [self.sent[name], kind, json.dumps({"design": 0, "blobs": []})])
            ended = "SELECT count(*) FROM runs_run WHERE id = ANY(%s::uuid[]) AND status IN ('failed', 'done')"
            found = line.execute(ended, [list(self.sent.values())]).fetchone()
        return found == (len(KINDS),)

    def _readings_are_kept(self) -> bool:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        reading = {"seq": self.seq + 1, "ts": now, "channel": "power_w", "value": 1.0}
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = json.dumps({"readings": [reading]}).encode()
        asked = urllib.request.Request(f"{self.url}/api/v1/telemetry/", body, headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            self.seq = json.load(answer)["acked"]
        return True


#: A row as `runs.start` writes it, long ago enough for the sweep to ring.
RUN = """
INSERT INTO runs_run (id, kind, title, subject, public, inputs, inputs_sha256, seed, engine_version, status, progress,
                      stage, error_code, error, cancel_requested, attempts, fence, created_at, demo,
                      traceparent)
VALUES (%s, %s, 'drill', '', false, %s, '', 0, '1', 'queued', 0, '', '', '', false, 0, 0, now() - interval '1 minute',
        false, '')
"""


@pytest.fixture
def running(city_with_tables: dict[str, str]) -> Iterator[Running]:
    told = said(manage(city_with_tables, "shell", "--no-imports", "-v", "0", "-c", ENROL))
    process, url, _output = start_city(city_with_tables)
    data = Path(city_with_tables["LIVINGCITY_DATA"])
    places = subprocess.run(
        ["python3", "-c", "from livingcity.dev.places import socket_dir; print(socket_dir())"],
        env={**city_with_tables, "PYTHONPATH": str(ROOT / "platform")}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    token = told.split("token:")[1].split()[0]
    yield Running(process, url, data, places.stdout.strip(), token)
    process.send_signal(signal.SIGTERM)
    said(process, 60)
    assert eventually(lambda: not processes_of(data), 10), "nothing stays behind"


def killed(running: Running, mark: str, work: Callable[[], bool]) -> float:
    """Kill a part; after how many seconds another is there and all of the city works."""
    victim = running.pids(mark)[0]
    os.kill(victim, signal.SIGKILL)
    died = time.monotonic()
    running.ask_anew()
    assert eventually(lambda: bool(set(running.pids(mark)) - {victim}) and work(), 2 * BACK_WITHIN_S), mark
    return time.monotonic() - died


@pytest.mark.drill
@pytest.mark.parametrize(
    "parts",
    [
        {"worker": " -n worker@", "ingest": "manage.py ingest"},
        pytest.param(
            {
                "web": "granian", "worker": " -n worker@", "heavy worker": " -n heavy@", "clock": " beat ",
                "ingest": "manage.py ingest", "PostgreSQL": "postgres -D", "Valkey": "valkey-server",
                "keeper of both": "dev.keeper",
            },
            marks=pytest.mark.drill,
        ),
    ],
    ids=["two parts", "all parts"],
)  # fmt: skip
def test_each_part_is_back_and_works(running: Running, parts: dict[str, str]) -> None:
    assert eventually(running.works, 120), "before anything is killed"
    took = {name: killed(running, mark, running.works) for name, mark in parts.items()}
    print("back and at work after kill -9: " + ", ".join(f"{name} {s:.1f} s" for name, s in took.items()))  # noqa: T201
    figure("faults_recovered_s", max(took.values()), f"s, {len(took)} parts")
    assert max(took.values()) <= BACK_WITHIN_S, took


@pytest.mark.drill
def test_the_supervisor_is_killed_and_started_again(running: Running, city_with_tables: dict[str, str]) -> None:
    assert eventually(running.works, 120)
    last = running.seq
    running.process.kill()
    running.process.wait()
    assert eventually(lambda: not processes_of(running.data), 15), "nothing stays behind"
    began = time.monotonic()
    port = running.url.rpartition(":")[2]
    again = manage({**city_with_tables, "PORT": port}, "up")
    try:
        running.process = again
        running.ask_anew()
        assert eventually(running.works, 4 * BACK_WITHIN_S)
        print(f"the whole city works {time.monotonic() - began:.1f} s after it was started again")  # noqa: T201
        assert running.seq > last
    finally:
        if running.process.poll() is not None:
            raise AssertionError(again.stdout.read() if again.stdout else Any)
