"""The clock says that it ticks, and what a container asks of its part (docker/healthy.py), against a real Valkey."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings

from commons.runs import workers
from commons.runs.signals import valkey
from livingcity.celery import app
from livingcity.clock import EVERY_S, Clock

HERE = socket.gethostname()
HEALTHY = Path(settings.ROOT) / "docker" / "healthy.py"


def healthy(*words: str, **more: str) -> tuple[int, str]:
    """What a container's check says."""
    done = subprocess.run(
        [sys.executable, HEALTHY, *words],
        env={**os.environ, "REDIS_URL": settings.REDIS_URL, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_clock_that_ticks_is_heard() -> None:
    valkey().delete(f"clock:{HERE}")
    assert healthy("clock")[0] == 1
    clock = Clock(app=app, lazy=True)
    assert clock.tick() <= EVERY_S, "also when nothing is due for long"
    assert healthy("clock") == (0, "")
    valkey().set(f"clock:{HERE}", 1.0)
    status, said = healthy("clock")
    assert status == 1 and "has not ticked" in said
    valkey().delete(f"clock:{HERE}")
    assert app.conf.beat_scheduler == "livingcity.clock:Clock"


def test_a_worker_of_this_host_and_of_its_queue() -> None:
    name = f"previews@{HERE}"
    workers.forget(name)
    assert "no worker of this host" in healthy("worker", "previews")[1]
    workers.beat(name, ["previews"])
    assert healthy("worker", "previews") == (0, "")
    workers.beat(name, ["default"])
    assert healthy("worker", "previews")[0] == 1
    workers.forget(name)


def test_the_ingest_by_who_listens(tmp_path: Path) -> None:
    path = tmp_path / "i.sock"
    assert healthy("ingest", INGEST_SOCKET=str(path))[0] == 1
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert healthy("ingest", INGEST_SOCKET=str(path))[0] == 1, "a file that nobody listens on"
        server.listen()
        threading.Thread(target=server.accept, daemon=True).start()
        assert healthy("ingest", INGEST_SOCKET=str(path)) == (0, "")


@pytest.mark.parametrize("part", ["web", "backup"])
def test_what_is_not_there_is_not_well(part: str) -> None:
    status, said = healthy(part, PORT="9")
    assert status == 1 and said
