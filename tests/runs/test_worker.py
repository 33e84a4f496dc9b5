"""Runs on a real Celery worker: killed without warning, the effect happens exactly once all the same."""

import datetime as dt
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from commons.people.models import User
from commons.runs import services, workers
from commons.runs.models import Run

from . import worker_kinds as kinds


def until(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not happen within {seconds} s")


def pid_of(run: Run, attempt: int) -> int:
    return int(until(lambda: cache.get(f"tests.sleep.pid:{run.pk}:{attempt}")))


def shorten_lease(run: Run) -> None:
    """Time passes: the dead worker's lease runs out now instead of in twenty seconds."""
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def kill_at_work(run: Run) -> None:
    pid = pid_of(run, 1)
    until(lambda: Run.objects.get(pk=run.pk).progress > 0)
    os.kill(pid, signal.SIGKILL)


def test_kill_9_in_the_middle_and_the_effect_happens_once(worker: Any) -> None:
    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 1.5, "name": "killed"})
    kill_at_work(run)
    shorten_lease(run)
    services.sweep()
    done = services.wait(run=run, timeout_s=60)
    assert (done.status, done.attempts, done.fence) == ("done", 2, 2)
    assert done.result == {"steps": 15, "attempt": 2}
    assert done.engine_version == "7"
    time.sleep(2)  # the ring that the broker redelivers finds it over
    assert User.objects.filter(username__startswith="killed").count() == 1


@pytest.mark.drill
def test_kill_9_is_mended_within_thirty_seconds_without_help(worker: Any) -> None:
    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 1.5, "name": "drill"})
    kill_at_work(run)
    died = time.monotonic()
    until(lambda: services.sweep() or Run.objects.get(pk=run.pk).attempts == 2, 60)
    assert time.monotonic() - died < 30
    done = services.wait(run=run, timeout_s=60)
    assert (done.status, done.attempts) == ("done", 2)
    assert User.objects.filter(username__startswith="drill").count() == 1


def test_a_zombie_that_wakes_up_has_no_effect(worker: Any) -> None:
    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 1.0, "name": "zombie"})
    sleeper = pid_of(run, 1)
    os.kill(sleeper, signal.SIGSTOP)
    shorten_lease(run)
    services.sweep()
    done = services.wait(run=run, timeout_s=60)
    os.kill(sleeper, signal.SIGCONT)
    time.sleep(1.5)
    run.refresh_from_db()
    assert (run.status, run.attempts, run.result) == ("done", 2, done.result)
    assert User.objects.filter(username__startswith="zombie").count() == 1


def test_a_run_that_kills_every_worker_is_given_up(worker: Any) -> None:
    run = services.start(kind=kinds.DIE, inputs={})
    for attempt in (1, 2, 3):
        until(lambda attempt=attempt: Run.objects.get(pk=run.pk).attempts == attempt)
        time.sleep(0.3)

        def goes_on(attempt: int = attempt) -> bool:
            run.refresh_from_db()
            if run.is_over or run.attempts > attempt:
                return True  # the broker gave the ring of the dead worker to another
            shorten_lease(run)  # again, for its keeper may not yet have seen that it died
            return bool(services.sweep())

        until(goes_on)
    done = services.wait(run=run, timeout_s=30)
    assert (done.status, done.error_code, done.attempts) == ("failed", "run:gave-up", 3)


def test_stop_reaches_a_run_at_work(worker: Any) -> None:
    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 30, "name": "stopped"})
    pid_of(run, 1)
    services.cancel(run=run)
    done = services.wait(run=run, timeout_s=10)
    assert (done.status, done.error_code) == ("cancelled", "run:cancelled")
    assert not User.objects.filter(username__startswith="stopped").exists()


def test_progress_is_seen_while_it_works(worker: Any) -> None:
    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 1.5, "name": "progress"})
    seen = set()
    while not run.is_over:
        run.refresh_from_db()
        seen.add(run.progress)
        time.sleep(0.05)
    assert len(seen) >= 4
    assert sorted(seen) == sorted(seen | {1.0})


def test_the_worker_is_seen_alive_while_it_is_busy(worker: Any) -> None:
    runs = [services.start(kind=kinds.SLEEP, inputs={"seconds": 3, "name": f"busy{n}"}) for n in range(4)]
    time.sleep(3)
    alive = workers.alive()
    assert alive and min(alive.values()) < 5
    assert workers.health().ok
    for run in runs:
        services.cancel(run=run)
        services.wait(run=run, timeout_s=10)


def test_beat_rings_what_the_apps_say() -> None:
    from livingcity.celery import app

    app.loader.import_default_modules()
    schedule = app.conf.beat_schedule
    assert schedule["runs.sweep"]["schedule"] == 5.0
    assert {entry["task"] for entry in schedule.values()} <= set(app.tasks)
