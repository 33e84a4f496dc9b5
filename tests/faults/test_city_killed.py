"""Each part of a running city is killed (SIGKILL): it is back, and works, within thirty seconds, with nobody's help.

That it works is asked of the city itself: a page, a run through each kind of worker (which the clock must find, for
nobody rings for it), and readings of a device that reports all the while and keeps what is acknowledged to it.
"""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from livingcity.dev.places import socket_dir
from livingcity.dev.services import Postgres
from tests.figures_said import figure
from tests.ground.test_services import city, eventually, family, manage, processes_of, said, start_city

from .serving import lay_out

__all__ = ["city"]
BACK_WITHIN_S = 30.0
#: What a machine may take that does other things too.
PATIENCE_S = 240.0
#: Runs of nothing: the design that they are about is not there, which a worker finds out at once.
KINDS = {"worker": "designs.index", "heavy worker": "designs.preview"}
PARTS = {
    "web": "granian", "one web process": "worker-1", "worker": " -n worker@", "heavy worker": " -n heavy@",
    "clock": " beat ", "ingest": "manage.py ingest", "PostgreSQL": "postgres -D", "Valkey": "valkey-server",
    "keeper of both": "dev.keeper",
}  # fmt: skip
ENROL = """
from commons.devices import services
device = services.create_device(name="drill", kind="meter")
print("token:", services.enrol(code=str(services.create_enrolment_code(device=device)))[1])
"""
#: A row as `runs.start` writes it, long ago enough for the sweep to ring.
RUN = """
INSERT INTO runs_run (id, kind, title, subject, public, inputs, inputs_sha256, seed, engine_version, status, progress,
                      stage, error_code, error, cancel_requested, attempts, fence, created_at, demo,
                      traceparent)
VALUES (%s, %s, 'drill', '', false, %s, '', 0, '1', 'queued', 0, '', '', '', false, 0, 0, now() - interval '1 minute',
        false, '')
"""
ENDED = "SELECT count(*) FROM runs_run WHERE id = ANY(%s::uuid[]) AND status IN ('failed', 'done')"
#: Readings of the drill's device: how many, how many different ones, and how many of those that were acknowledged.
STORED = """
SELECT count(*), count(DISTINCT seq), count(DISTINCT seq) FILTER (WHERE seq <= %s)
FROM devices_reading JOIN devices_device d ON d.number = device WHERE d.name = 'drill'
"""


@dataclass
class Device:
    """Says a reading again and again until it is acknowledged, then the next."""

    url: str
    token: str
    acked: int = 0
    taken_back: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._report, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Say no more."""
        self.ended.set()
        self._thread.join(60)

    def _report(self) -> None:
        body, number = b"", 0
        while not self.ended.wait(0.2):
            if number <= self.acked:
                number = self.acked + 1
                now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                reading = {"seq": number, "ts": now, "channel": "power_w", "value": 1.0}
                body = json.dumps({"readings": [reading]}).encode()
            with suppress(OSError, http.client.HTTPException, ValueError):
                told = self._send(body)
                self.taken_back |= told < self.acked
                self.acked = told

    def _send(self, body: bytes) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/api/v1/telemetry/", body, headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(json.load(answer)["acked"])


@dataclass
class Running:
    """A city that runs, and what is asked of it."""

    process: "subprocess.Popen[str]"
    url: str
    data: Path
    device: Device
    before: int = 0
    sent: dict[str, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listen()

    def _listen(self) -> None:
        """Read what it says: a pipe that nobody reads stops whoever writes to it."""
        lines = self.process.stdout
        assert lines is not None
        self._reader = threading.Thread(target=self.output.extend, args=(lines,), daemon=True)
        self._reader.start()

    def end(self, how: int) -> None:
        """Stop it so, and wait until nothing of it is left."""
        self.process.send_signal(how)
        self.process.wait(60)
        self._reader.join(60)
        assert eventually(lambda: not processes_of(self.data), 60), "nothing stays behind"

    def start_again(self, process: "subprocess.Popen[str]") -> None:
        """Another process is the city now."""
        self.process = process
        self.ask_anew()
        self._listen()

    def pids(self, mark: str) -> list[int]:
        """Processes of that part."""
        return sorted(pid for pid, line in family(self.process.pid).items() if mark in line and "postgres:" not in line)

    def ask_anew(self) -> None:
        """What was done before the kill proves nothing."""
        self.sent.clear()
        self.before = self.device.acked

    def works(self) -> bool:
        """Whether every part does its work; asks for new work if there is none on its way."""
        try:
            with urllib.request.urlopen(f"{self.url}/", timeout=20) as page:
                return page.status == 200 and self._runs_end() and self._readings_are_kept()
        except (OSError, psycopg.Error):
            return False

    def _runs_end(self) -> bool:
        with self._connected() as line:
            for name, kind in KINDS.items():
                if name not in self.sent:
                    self.sent[name] = str(uuid.uuid4())
                    line.execute(RUN, [self.sent[name], kind, json.dumps({"design": 0, "blobs": []})])
            return line.execute(ENDED, [list(self.sent.values())]).fetchone() == (len(KINDS),)

    def _readings_are_kept(self) -> bool:
        """The first answer after the kill may be of one that came before it."""
        return self.device.acked >= self.before + 2

    def stored(self) -> tuple[int, int, int]:
        """What `STORED` asks, once the device has stopped."""
        self.device.end()
        with self._connected() as line:
            rows, different, acknowledged = line.execute(STORED, [self.device.acked]).fetchone() or (0, 0, 0)
        return rows, different, acknowledged

    def _connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(sockets_of(self.data)), user="postgres", dbname="livingcity", autocommit=True, connect_timeout=20
        )

    def last_words(self) -> str:
        """What it said before a test failed."""
        return "".join(self.output[-60:])


def sockets_of(data: Path) -> Path:
    """Where a city with that data folder has its sockets."""
    with pytest.MonkeyPatch.context() as there:
        there.setenv("LIVINGCITY_DATA", str(data))
        return socket_dir()


@pytest.fixture
def city_with_tables(city: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A city that has its tables and nobody in it; they are copied from those of this run of tests."""
    data = Path(city["LIVINGCITY_DATA"])
    data.mkdir(mode=0o711)
    server = Postgres(data / "postgres", sockets_of(data), tmp_path / "postgres.log")
    try:
        server.start()
        lay_out(server, tmp_path)
    finally:
        server.stop()
    return city


@pytest.fixture
def running(city_with_tables: dict[str, str]) -> Iterator[Running]:
    told = said(manage(city_with_tables, "shell", "--no-imports", "-v", "0", "-c", ENROL))
    token = told.split("token:")[1].split()[0]
    process, url, _output = start_city(city_with_tables)
    device = Device(url, token)
    found = Running(process, url, Path(city_with_tables["LIVINGCITY_DATA"]), device)
    yield found
    device.end()
    found.end(signal.SIGTERM)


def killed(running: Running, mark: str) -> float:
    """Kill a part; after how many seconds another is there and all of the city works."""
    victim = running.pids(mark)[0]
    os.kill(victim, signal.SIGKILL)
    died = time.monotonic()
    running.ask_anew()

    def back() -> bool:
        return bool(set(running.pids(mark)) - {victim}) and running.works()

    assert eventually(back, PATIENCE_S), f"{mark}: {running.last_words()}"
    return time.monotonic() - died


def nothing_is_lost(running: Running) -> None:
    """What was acknowledged is there, and nothing is there twice."""
    rows, different, acknowledged = running.stored()
    acked = running.device.acked
    figure("faults_city_lost", f"+{acked - acknowledged + rows - different}", "readings")
    assert (acked, rows) == (acknowledged, different), "acknowledged and gone, or kept twice"
    assert not running.device.taken_back


def test_the_worker_of_a_city_is_back_and_works(running: Running) -> None:
    assert eventually(running.works, PATIENCE_S), running.last_words()
    took_s = killed(running, PARTS["worker"])
    figure("faults_recovered_s", took_s, "s, the worker alone")
    nothing_is_lost(running)


@pytest.mark.drill
def test_each_part_is_back_and_works_in_half_a_minute(running: Running) -> None:
    assert eventually(running.works, PATIENCE_S), running.last_words()
    took = {name: killed(running, mark) for name, mark in PARTS.items()}
    print("back and at work after kill -9: " + ", ".join(f"{name} {s:.1f} s" for name, s in took.items()))  # noqa: T201
    slowest = max(took, key=lambda name: took[name])
    figure("faults_recovered_s", took[slowest], f"s, {slowest}, the slowest of {len(took)} parts")
    nothing_is_lost(running)
    assert took[slowest] <= BACK_WITHIN_S, took


@pytest.mark.drill
def test_the_supervisor_is_killed_and_started_again(running: Running, city_with_tables: dict[str, str]) -> None:
    assert eventually(running.works, PATIENCE_S), running.last_words()
    running.end(signal.SIGKILL)
    began = time.monotonic()
    port = running.url.rpartition(":")[2]
    running.start_again(manage({**city_with_tables, "PORT": port}, "up"))
    assert eventually(running.works, PATIENCE_S), running.last_words()
    figure("faults_city_again_s", time.monotonic() - began, "s")
    nothing_is_lost(running)
