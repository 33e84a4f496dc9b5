"""PostgreSQL, Valkey and the ingest process are killed while devices report over HTTP: nothing acknowledged is lost,
nothing is stored twice, and the sums are the counters' own.

The servers of this drill are its own, durable as in a real city; the web server and the ingest process run as
`manage.py up` runs them, and the ingest process is started again by the supervisor's own rule.
"""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livingcity.dev.processes import child_environment, spawn, stop, unprivileged
from livingcity.dev.services import Postgres, Valkey
from livingcity.dev.supervisor import Part
from livingcity.dev.web import web_argv
from tests.conftest import free_port
from tests.figures_said import figure

ROOT = Path(__file__).resolve().parents[2]
WH = 3.0


@dataclass
class City:
    """What is killed, and where it answers."""

    postgres: Postgres
    valkey: Valkey
    ingest: Part
    env: dict[str, str]
    url: str

    def ask(self, sql: str, *values: Any) -> list[Any]:
        """Rows, also when the server is just coming up."""
        with self.postgres.connect("livingcity") as connection:
            return connection.execute(sql, values).fetchall()  # type: ignore[call-overload, no-any-return]

    def kill(self, what: str) -> None:
        """kill -9, and have it started again as its keeper would."""
        if what == "ingest":
            assert self.ingest.child is not None
            os.kill(self.ingest.child.pid, signal.SIGKILL)
            self.ingest.child.wait()
            return
        server = self.postgres if what == "postgres" else self.valkey
        assert server.child is not None
        os.kill(server.child.pid, signal.SIGKILL)
        server.child.wait()
        time.sleep(0.2)
        server.start()


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    folder = Path("/tmp") / f"lc-drill-{os.getpid()}"
    folder.mkdir(mode=0o711 if unprivileged() else 0o700)
    postgres = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    valkey = Valkey(folder / "valkey", folder / "s", folder / "valkey.log", durable=False)
    port = free_port()
    env = child_environment(
        DATABASE_URL=f"postgresql://postgres@/livingcity?host={folder / 's'}",
        REDIS_URL=f"unix://{valkey.socket}?db=0",
        LIVINGCITY_DATA=str(folder / "data"),
        LIVINGCITY_ROOMS="",
        LIVINGCITY_DEMO="0",
        INGEST_SOCKET=str(folder / "ingest.sock"),
        PORT=str(port),
        PUBLIC_URL=f"http://localhost:{port}",
        DJANGO_SETTINGS_MODULE="livingcity.settings",
        LOG_LEVEL="ERROR",
    )
    for name, value in env.items():
        monkeypatch.setenv(name, value)  # the supervisor's parts inherit our environment
    ingest = Part("ingest", [sys.executable, str(ROOT / "manage.py"), "ingest"], signal.SIGKILL)
    web = None
    try:
        postgres.start()
        valkey.start()
        postgres.ensure_database()
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True, timeout=300)
        web = spawn(web_argv(port=port), death_signal=signal.SIGKILL, env=env, log=folder / "web.log")
        ingest.start()
        wait_for((folder / "ingest.sock").exists, 120)
        yield City(postgres, valkey, ingest, env, f"http://127.0.0.1:{port}")
    finally:
        for child in (web, ingest.child):
            if child is not None:
                stop(child, signal.SIGKILL)
        valkey.stop()
        postgres.stop()
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def wait_for(true: Callable[[], bool], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


ENROL = """
from commons.devices import services
for n in range({count}):
    device = services.create_device(name=f"drill {{n}}", kind="meter")
    print(services.enrol(code=str(services.create_enrolment_code(device=device)))[1])
"""


def enrolled(city: City, count: int) -> list[str]:
    """Tokens of new devices."""
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c", ENROL.format(count=count)]
    told = subprocess.run(shell, cwd=ROOT, env=city.env, check=True, timeout=120, stdout=subprocess.PIPE, text=True)
    return told.stdout.split()


@pytest.mark.parametrize(
    ("devices", "each", "batch", "pause_s", "kills"),
    [(2, 6_000, 100, 0.05, 1), pytest.param(8, 125_000, 1000, 0.2, 3, marks=pytest.mark.drill)],
)
def test_nothing_acknowledged_is_lost(
    city: City, devices: int, each: int, batch: int, pause_s: float, kills: int
) -> None:
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - dt.timedelta(days=5)
    client = str(Path(__file__).with_name("ingest_client.py"))
    words = [str(each), str(batch), start.isoformat(), str(pause_s)]
    clients = [subprocess.Popen([sys.executable, client, city.url, token, *words]) for token in enrolled(city, devices)]
    victims = ["ingest", "postgres", "valkey"] * kills
    said: list[str] = []
    goals = [devices * each * (n + 1) // (len(victims) + 1) for n in range(len(victims))]
    try:
        until = time.monotonic() + 580
        while any(one.poll() is None for one in clients) and time.monotonic() < until:
            # All in this thread: the kernel ends what a thread has started when that thread ends.
            city.ingest.look_after(said.append)
            if goals and city.ask("SELECT count(*) FROM devices_reading")[0][0] >= goals[0]:
                goals.pop(0)
                city.kill(victims.pop(0))
            time.sleep(0.05)
        assert [one.poll() for one in clients] == [0] * devices
        assert not victims, "all kills must come while they report"
        assert len([line for line in said if "was killed" in line]) == kills
    finally:
        for one in clients:
            one.kill()
    stored, known = city.ask("SELECT count(*), count(DISTINCT (device, seq)) FROM devices_reading")[0]
    figure("faults_acked_lost", devices * each - known, f"of {devices * each} readings, {3 * kills} kills")
    figure("faults_doubled", stored - known, "readings")
    assert city.ask("SELECT count(*), count(DISTINCT (device, seq)) FROM devices_reading") == [
        (devices * each, devices * each)
    ]
    expected = [(WH * (each - 1),)] * devices
    for step in (900, 3600):
        sums = f"SELECT round(sum(energy_wh)) FROM devices_rollup WHERE step_s = {step} GROUP BY device_id"  # noqa: S608
        assert city.ask(sums) == expected
    assert {tuple(row) for row in city.ask("SELECT seen::text FROM devices_device")} == {(f"{{[1,{each + 1})}}",)}
