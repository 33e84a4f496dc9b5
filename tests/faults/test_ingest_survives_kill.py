"""PostgreSQL is killed while devices report: nothing acknowledged is lost, nothing is stored twice.

The server of this drill is its own, with fsync and synchronous commit as in a real city.
"""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livingcity.dev.processes import child_environment, unprivileged
from livingcity.dev.services import Postgres

ROOT = Path(__file__).resolve().parents[2]
WH = 3.0


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = Path("/tmp") / f"lc-drill-{os.getpid()}"
    folder.mkdir(mode=0o711 if unprivileged() else 0o700)
    made = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    made.start()
    made.ensure_database()
    yield made
    made.stop()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def environment(server: Postgres, data: Path) -> dict[str, str]:
    return child_environment(
        DATABASE_URL=f"postgresql://postgres@/livingcity?host={server.sockets}",
        LIVINGCITY_DATA=str(data),
        LIVINGCITY_ROOMS="",
        DJANGO_SETTINGS_MODULE="livingcity.settings",
        PYTHONPATH=f"{ROOT / 'platform'}:{ROOT}",
        LOG_LEVEL="ERROR",
    )


def kill_and_start(server: Postgres) -> None:
    assert server.child is not None
    os.kill(server.child.pid, signal.SIGKILL)
    server.child.wait()
    time.sleep(0.2)
    server.start()


def ask(server: Postgres, sql: str) -> list[Any]:
    with server.connect("livingcity") as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("devices", "each", "batch", "kills"),
    [(2, 6_000, 100, 1), pytest.param(8, 125_000, 1000, 3, marks=pytest.mark.drill)],
)
def test_nothing_acknowledged_is_lost(
    server: Postgres, tmp_path: Path, devices: int, each: int, batch: int, kills: int
) -> None:
    env = environment(server, tmp_path)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True, timeout=300)
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - dt.timedelta(days=5)
    env["DRILL_START"] = start.isoformat()
    with server.connect("livingcity") as connection:
        made = connection.execute(
            """INSERT INTO devices_device
                (id, kind, hardware_id, name, public, created_at, enrolled_at, seen, demo)
            SELECT gen_random_uuid(), 'meter', '', 'drill ' || n, false, now(), now(), '{}', false
            FROM generate_series(1, %s) n RETURNING id""",
            [devices],
        ).fetchall()
    client = str(Path(__file__).with_name("ingest_client.py"))
    clients = [subprocess.Popen([sys.executable, client, str(row[0]), str(each), str(batch)], env=env) for row in made]
    try:
        for n in range(kills):
            goal = devices * each * (n + 1) // (kills + 1)
            until = time.monotonic() + 300
            while ask(server, "SELECT count(*) FROM devices_reading")[0][0] < goal:
                assert time.monotonic() < until
                time.sleep(0.02)
            assert any(c.poll() is None for c in clients), "the kill must come while they report"
            kill_and_start(server)
        assert [c.wait(600) for c in clients] == [0] * devices
    finally:
        for c in clients:
            c.kill()
    assert ask(server, "SELECT count(*), count(DISTINCT (device, seq)) FROM devices_reading") == [
        (devices * each, devices * each)
    ]
    expected = [(WH * (each - 1),)] * devices
    for step in (900, 3600):
        sums = f"SELECT round(sum(energy_wh)) FROM devices_rollup WHERE step_s = {step} GROUP BY device_id"  # noqa: S608
        assert ask(server, sums) == expected
    assert {tuple(row) for row in ask(server, "SELECT seen::text FROM devices_device")} == {(f"{{[1,{each + 1})}}",)}
