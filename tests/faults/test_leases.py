"""Who holds a run: as long as its process lives, however deaf; and not a moment after it was killed."""

import datetime as dt
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, connections

from commons.people.models import User
from commons.runs import registry, services, work
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome
from commons.runs.services import canonical_json
from livingcity.celery import app
from tests.figures_said import figure

from . import worker_kinds as kinds

pytestmark = pytest.mark.django_db(transaction=True)
FOUND_WITHIN_S = 30.0


def until(what: Callable[[], Any], seconds: float = 30.0, pause_s: float = 0.05) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(pause_s)
    raise AssertionError(f"it did not happen within {seconds} s")


@contextmanager
def another_process(run: Run) -> Iterator[int]:
    """A process that does the run; it is gone when the block ends."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            work.do(run.pk)
        finally:
            os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def start(seconds: float, tmp_path: Path) -> tuple[Run, Path]:
    where = tmp_path / "said"
    inputs = {"seconds": seconds, "name": "deaf", "say": str(where)}
    return services.start(kind=kinds.DEAF, inputs=inputs, bell=False), where


def pids(where: Path) -> list[int]:
    return [int(word) for word in until(lambda: where.exists() and where.read_text().endswith("\n") and where)
            .read_text().split()]  # fmt: skip


def test_a_call_that_lets_nobody_else_run_keeps_its_lease(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "LEASE", dt.timedelta(seconds=1.5))
    run, _where = start(6.0, tmp_path)
    claims = 0
    with another_process(run):
        until(lambda: Run.objects.get(pk=run.pk).fence)
        while Run.objects.get(pk=run.pk).status == "running":
            assert services.claim(run_id=str(run.pk)) is None, "four leases long nobody else may take it"
            claims += 1
            time.sleep(0.1)
        until(lambda: Run.objects.get(pk=run.pk).is_over)
    run.refresh_from_db()
    assert claims >= 10
    assert (run.status, run.attempts, run.fence, run.result) == ("done", 1, 1, {"attempt": 1})
    assert User.objects.filter(username__startswith="deaf").count() == 1


@pytest.mark.parametrize("how", ["without a pulse", "stopped"])
def test_who_shows_no_life_loses_it(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "LEASE", dt.timedelta(seconds=1.5))
    run, where = start(60.0, tmp_path)
    with another_process(run):
        process, pulse = pids(where)
        os.kill(*((pulse, signal.SIGKILL) if how == "without a pulse" else (process, signal.SIGSTOP)))
        heir = until(lambda: services.claim(run_id=str(run.pk)), 8.0)
    assert (heir.fence, heir.attempts) == (2, 2)


def test_the_lease_of_a_killed_process_is_given_back_at_once(tmp_path: Path) -> None:
    run, where = start(60.0, tmp_path)
    with another_process(run) as process:
        _process, pulse = pids(where)
        os.kill(process, signal.SIGKILL)
        died = time.monotonic()
        until(lambda: services.claim(run_id=str(run.pk)), services.LEASE.total_seconds() / 2)
        print(f"taken over {time.monotonic() - died:.1f} s after kill -9")  # noqa: T201 the figure
        until(lambda: not Path(f"/proc/{pulse}").exists(), 5.0)
    assert not User.objects.filter(username__startswith="deaf").exists()


def test_many_short_runs_cost_one_process_and_no_connection_more() -> None:
    before = _connections()
    first = work.inline(kind=kinds.DEAF, inputs={"seconds": 0.0, "name": "short"})
    process = work.pulse.pid
    runs = [work.inline(kind=kinds.DEAF, inputs={"seconds": 0.0, "name": "short"}) for _ in range(20)]
    assert {run.status for run in [first, *runs]} == {"done"}
    assert process is not None and work.pulse.pid == process
    assert _connections() == before


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_a_database_that_goes_away_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is cut in the middle, as when PostgreSQL is killed; the run is left, found and done once."""
    cut: list[int] = []

    def cut_off(job: Job, inputs: Inputs) -> Outcome:
        if not cut:
            cut.append(1)
            with connection.cursor() as cursor, pytest.raises(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            job.progress(0.5, "half")
        return Outcome({"at": job.run.attempts}, effect=lambda: kinds.leave_a_mark("cut"))

    monkeypatch.setitem(registry._kinds, "tests.cut", registry.Kind("tests.cut", cut_off, "default", "1", 3))
    run = work.inline(kind="tests.cut", inputs={})
    assert (run.status, run.error_code, run.attempts) == ("running", "", 1)
    assert work.do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.result) == ("done", {"at": 2})
    assert User.objects.filter(username__startswith="cut").count() == 1


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 315_360_000.0])
def test_a_clock_that_jumps_on_the_workers_machine_changes_nothing(
    jump_s: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Leases are counted by the database's clock, beats by one that cannot jump."""
    monkeypatch.setattr(services, "LEASE", dt.timedelta(seconds=1.5))
    right = time.time
    run, _where = start(3.0, tmp_path)
    monkeypatch.setattr(time, "time", lambda: right() + jump_s)
    with another_process(run):
        until(lambda: Run.objects.get(pk=run.pk).fence)
        while Run.objects.get(pk=run.pk).status == "running":
            services.sweep()
            assert services.claim(run_id=str(run.pk)) is None
            time.sleep(0.1)
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 1)
    assert run.started_at is not None and run.finished_at is not None
    assert abs((run.finished_at - run.started_at).total_seconds() - 3.0) < 2.5


# --- a real worker ------------------------------------------------------------------------------------------------


def at_work(run: Run) -> tuple[int, int, int]:
    """Which process is at work on it, at the how manieth attempt, at which step."""
    pid, attempt, step = str(cache.get(f"tests.faults.walk:{run.pk}") or "0 0 0").split()
    return int(pid), int(attempt), int(step)


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.drill)])
def test_killed_at_random_steps_it_ends_once_with_the_same_bytes(worker: Any, kills: int) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    inputs = {"steps": 20, "pause_s": 0.05}
    undisturbed = work.inline(kind=kinds.WALK, inputs={**inputs, "name": "calm"}, seed=seed)
    run = services.start(kind=kinds.WALK, inputs={**inputs, "name": "walk"}, seed=seed)
    slowest_s = 0.0
    for kill in range(kills):
        goal = chance.randrange(1, 18)
        until(lambda kill=kill, goal=goal: at_work(run)[1] == kill + 1 and at_work(run)[2] >= goal, 60, 0.01)
        os.kill(at_work(run)[0], signal.SIGKILL)
        died = time.monotonic()
        # What beat does every five seconds.
        until(lambda kill=kill: at_work(run)[1] == kill + 2 or services.sweep() < 0, FOUND_WITHIN_S, 0.5)
        slowest_s = max(slowest_s, time.monotonic() - died)
    done = services.wait(run=run, timeout_s=60)
    assert (done.status, done.attempts) == ("done", kills + 1), f"seed {seed}"
    assert canonical_json(done.result) == canonical_json(undisturbed.result)
    assert User.objects.filter(username__startswith="walk").count() == 1
    figure("worker_found_s", slowest_s, f"s, {kills} kills, equal bytes")
    print(f"{kills} kills, found again within {slowest_s:.1f} s, bytes equal", file=sys.stderr)  # noqa: T201


@pytest.mark.drill
def test_what_lasts_longer_than_lease_and_broker_allow_is_done_once(worker: Any, settings: Any) -> None:
    """Deaf for longer than the broker waits for an answer: it delivers the ring again, to whom finds the run held."""
    before = rings_heard()
    allowed = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert allowed > services.LEASE.total_seconds()
    run = services.start(kind=kinds.DEAF, inputs={"seconds": allowed * 1.5, "name": "long"})
    began = time.monotonic()
    until(lambda: services.sweep() >= 0 and Run.objects.get(pk=run.pk).is_over, allowed * 3, 5.0)
    done = Run.objects.get(pk=run.pk)
    effects, rings = User.objects.filter(username__startswith="long").count(), rings_heard() - before
    took_s = time.monotonic() - began
    figure("deaf_effects", effects, f"{allowed * 1.5:.0f} s without a word, rung for {rings} times, {took_s:.0f} s")
    assert (done.status, done.attempts, done.fence, done.result) == ("done", 1, 1, {"attempt": 1})
    assert effects == 1
    assert rings >= 2, "the broker never grew impatient, so this says nothing"


def rings_heard() -> int:
    """How often workers were rung for runs since they began."""
    told = app.control.inspect(timeout=10).stats() or {}
    return sum(int(one["total"].get("runs.work", 0)) for one in told.values())
