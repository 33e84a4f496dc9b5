"""The clock says that it ticks, and what a container asks of its part (docker/healthy.py), against a real Valkey."""

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab
from django.conf import settings

from commons.runs import workers
from commons.runs.signals import valkey
from livingcity.celery import LONG_AGO, app
from livingcity.clock import EVERY_S, RUNG, Clock

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


class Heard(Clock):
    """A clock whose rings are heard here instead of by a worker."""

    producer = None

    def __init__(self, schedule: dict[str, Any]) -> None:
        self.heard: list[str] = []
        of_a_city = Celery("heard")
        of_a_city.conf.beat_schedule = schedule
        super().__init__(of_a_city)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_more: Any) -> None:
        self.heard.append(entry.name)

    def until_nothing_is_due(self) -> list[str]:
        """What it rings now."""
        self.heard.clear()
        while not self.tick():
            continue
        return sorted(self.heard)


@pytest.fixture
def schedule() -> Iterator[dict[str, Any]]:
    """What is rung often, rarely and at an hour."""
    valkey().delete(RUNG)
    entry = {"task": "tests.nothing", "last_run_at": LONG_AGO}
    yield {
        "often": entry | {"schedule": 0.2},
        "daily": entry | {"schedule": 86_400.0},
        "at night": entry | {"schedule": crontab(hour=2, minute=40)},
    }
    valkey().delete(RUNG)


def test_a_clock_that_was_killed_goes_on_where_it_stood(schedule: dict[str, Any]) -> None:
    assert Heard(schedule).until_nothing_is_due() == ["at night", "daily", "often"], "what was never rung is rung"
    time.sleep(0.3)
    assert Heard(schedule).until_nothing_is_due() == ["often"], "and only what is due, after a kill"
    valkey().hset(RUNG, "daily", str(time.time() - 90_000))
    assert "daily" in Heard(schedule).until_nothing_is_due(), "what was missed meanwhile is rung"
    valkey().delete(RUNG)
    assert "at night" in Heard(schedule).until_nothing_is_due(), "a Valkey that has forgotten costs one round"


def test_a_clock_that_was_set_back_goes_on(schedule: dict[str, Any]) -> None:
    """An hour back: what is rung every moment is not silent for an hour."""
    clock = Heard(schedule)
    clock.until_nothing_is_due()
    for entry in clock.schedule.values():
        entry.last_run_at += dt.timedelta(hours=1)
    clock._heap = [(at + 3600, *more) for at, *more in clock._heap]
    time.sleep(0.3)
    assert clock.until_nothing_is_due() == []
    time.sleep(0.3)
    assert clock.until_nothing_is_due() == ["often"]


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
