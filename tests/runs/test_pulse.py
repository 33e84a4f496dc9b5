"""The pulse in this process and in a forked one: which leases it holds, and what it does when it loses somebody."""

import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from commons.runs import pulse, services, work
from commons.runs.models import Run
from commons.runs.pulse import Beating, Pulse

from . import worker_kinds as kinds

pytestmark = pytest.mark.django_db(transaction=True)
LONG_S = 600.0
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not happen within {seconds} s")


def claimed() -> Run:
    run = services.start(kind=kinds.COUNT, inputs={}, bell=False)
    mine = services.claim(run_id=str(run.pk))
    assert mine is not None
    Run.objects.filter(pk=run.pk).update(lease_until=LONG_AGO)
    return mine


def lease(run: Run) -> dt.datetime:
    return Run.objects.values_list("lease_until", flat=True).get(pk=run.pk)


def left_s(run: Run) -> float:
    return (lease(run) - timezone.now()).total_seconds()


def hello(**more: Any) -> dict[str, Any]:
    return {"parent": os.getpid(), "database": work._database(), "lease_s": LONG_S} | more


def beating(*runs: Run, **more: Any) -> Beating:
    found = Beating(hello(**more))
    for run in runs:
        found.hear(line(run))
    return found


def line(run: Run, fence: int | None = 0) -> bytes:
    return json.dumps({"run": str(run.pk), "fence": run.fence if fence == 0 else fence}).encode()


@pytest.fixture
def closed() -> Iterator[list[Beating]]:
    """Those whose connections are to be closed after the test."""
    made: list[Beating] = []
    yield made
    for one in made:
        one._hang_up()


def test_a_beat_extends_what_is_held_and_nothing_else(closed: list[Beating]) -> None:
    mine, another, dropped = claimed(), claimed(), claimed()
    heart = beating(mine, dropped)
    closed.append(heart)
    heart.hear(line(dropped, None))
    heart.hear(line(another, None))  # never held: dropping it is nothing
    heart.beat()
    assert LONG_S - 120 < left_s(mine) <= LONG_S + 1
    assert lease(another) == lease(dropped) == LONG_AGO
    assert heart.holds == {str(mine.pk): mine.fence}


@pytest.mark.parametrize("change", [{"fence": 7}, {"status": "done"}, {"cancel_requested": True}])
def test_a_beat_extends_no_lease_that_is_not_its_own_any_more(change: dict[str, Any], closed: list[Beating]) -> None:
    lost, held = claimed(), claimed()
    Run.objects.filter(pk=lost.pk).update(**change)
    heart = beating(lost, held)
    closed.append(heart)
    heart.beat()
    assert lease(lost) == LONG_AGO and left_s(held) > 0


def test_five_beats_in_a_lease() -> None:
    assert Beating(hello(lease_s=15)).every_s == 3.0


def test_the_end_gives_back_what_was_held(closed: list[Beating]) -> None:
    mine, taken = claimed(), claimed()
    Run.objects.filter(pk=taken.pk).update(fence=taken.fence + 1, lease_until=timezone.now() + dt.timedelta(hours=1))
    heart = beating(mine, taken)
    closed.append(heart)
    heart.beat()
    assert left_s(mine) > 60
    heart.end()
    assert lease(mine) > LONG_AGO and services.claim(run_id=str(mine.pk)) is not None, "given back at once"
    assert services.claim(run_id=str(taken.pk)) is None, "that of another stays"
    assert heart._connection is None


def test_between_runs_no_connection_stays_open(closed: list[Beating]) -> None:
    run = claimed()
    heart = beating(run)
    closed.append(heart)
    heart.beat()
    first = heart._connection
    assert first is not None and not first.closed
    heart.beat()
    assert heart._connection is first, "one connection as long as there are runs"
    heart.hear(line(run, None))
    heart.beat()
    assert heart._connection is None and first.closed


def test_a_hanging_database_is_not_waited_for_longer_than_a_lease(closed: list[Beating]) -> None:
    heart = beating(claimed())
    closed.append(heart)
    heart.beat()
    assert heart._connection is not None
    row = heart._connection.execute("SHOW statement_timeout").fetchone()
    assert row == ("4s",)
    assert heart._connection.info.get_parameters()["connect_timeout"] == "4"


def test_a_database_that_is_away_costs_a_beat_and_one_line(
    capfd: pytest.CaptureFixture[str], closed: list[Beating]
) -> None:
    one, two = claimed(), claimed()
    heart = beating(one, two)
    closed.append(heart)
    right = heart.database
    heart.database = {**right, "host": "/nowhere/at/all"}
    heart.beat()
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1 and str(one.pk) in said[0] and "was not written" in said[0]
    assert len(said[0]) < 400
    heart.database = right
    heart.beat()
    assert left_s(one) > 0 and left_s(two) > 0


def test_a_connection_that_was_cut_is_made_again(capfd: pytest.CaptureFixture[str], closed: list[Beating]) -> None:
    run = claimed()
    heart = beating(run)
    closed.append(heart)
    heart.beat()
    assert heart._connection is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [heart._connection.info.backend_pid])
    Run.objects.filter(pk=run.pk).update(lease_until=LONG_AGO)
    heart.beat()
    assert "was not written" in capfd.readouterr().err and heart._connection is None
    heart.beat()
    assert left_s(run) > 0


@contextmanager
def sleeper() -> Iterator[int]:
    """A process that does nothing."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        time.sleep(600)
        os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_who_stands_still_is_not_kept_alive(closed: list[Beating]) -> None:
    with sleeper() as child:
        assert pulse._stands_still(child) is False
        run = claimed()
        heart = beating(run, parent=child)
        closed.append(heart)
        os.kill(child, signal.SIGSTOP)
        until(lambda: pulse._stands_still(child))
        heart.beat()
        assert lease(run) == LONG_AGO
        os.kill(child, signal.SIGCONT)
        until(lambda: not pulse._stands_still(child))
        heart.beat()
        assert left_s(run) > 0
    assert pulse._stands_still(child) is False, "no process at all"


# --- the process ---------------------------------------------------------------------------------------------------


class Heart:
    """`main` in a forked process, and our end of its pipe."""

    def __init__(self) -> None:
        connections.close_all()
        read, self.write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 99
            try:
                os.close(self.write_end)
                sys.stdin = os.fdopen(read)
                code = pulse.main()
            finally:
                os._exit(code)
        os.close(read)
        self.code: int | None = None

    def say(self, *words: bytes) -> None:
        os.write(self.write_end, b"".join(word + b"\n" for word in words))

    def hang_up(self) -> None:
        os.close(self.write_end)
        self.write_end = -1

    def ended(self) -> int:
        def look() -> bool:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if done else None
            return bool(done)

        until(look)
        assert self.code is not None
        return self.code


@pytest.fixture
def heart() -> Iterator[Heart]:
    found = Heart()
    yield found
    if found.write_end >= 0:
        os.close(found.write_end)
    if found.code is None:
        os.kill(found.pid, signal.SIGKILL)
        os.waitpid(found.pid, 0)


def said(**more: Any) -> bytes:
    return json.dumps(hello(**more)).encode()


def test_it_beats_until_it_is_told_otherwise(heart: Heart) -> None:
    one, two = claimed(), claimed()
    word = line(one)
    heart.say(said(lease_s=0.5))
    os.write(heart.write_end, word[:20])
    time.sleep(0.1)  # a word that comes in two pieces
    os.write(heart.write_end, word[20:] + b"\n")
    first = until(lambda: (at := lease(one)) > LONG_AGO and at)
    until(lambda: lease(one) > first)
    heart.say(line(one, None), line(two))
    first = until(lambda: (at := lease(two)) > LONG_AGO and at)
    Run.objects.filter(pk=one.pk).update(lease_until=LONG_AGO)
    until(lambda: lease(two) > first)
    assert lease(one) == LONG_AGO, "it was let go of"
    os.kill(heart.pid, signal.SIGINT)  # for whom it serves
    first = lease(two)
    until(lambda: lease(two) > first)


def test_it_gives_back_and_ends_when_the_pipe_closes(heart: Heart) -> None:
    run = claimed()
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() + dt.timedelta(hours=1))
    heart.say(said(), line(run))
    heart.hang_up()
    assert heart.ended() == 0
    assert left_s(run) < 60


def test_it_gives_back_and_ends_when_it_has_another_parent(heart: Heart) -> None:
    run = claimed()
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() + dt.timedelta(hours=1))
    heart.say(said(parent=1), line(run))
    assert heart.ended() == 0
    assert left_s(run) < 60


def test_it_ends_when_nobody_ever_said_anything(heart: Heart) -> None:
    heart.hang_up()
    assert heart.ended() == 0


def test_between_runs_it_rests_and_begins_again(heart: Heart) -> None:
    one = claimed()
    heart.say(said(lease_s=1.0), line(one))
    until(lambda: lease(one) > LONG_AGO)
    heart.say(line(one, None))
    two = claimed()
    heart.say(line(two))
    until(lambda: lease(two) > LONG_AGO)


# --- our end of the pipe -------------------------------------------------------------------------------------------


@pytest.fixture
def ours() -> Iterator[Pulse]:
    found = Pulse()
    yield found
    if found._child is not None:
        found._child.kill()
        found._child.wait()
        if found._child.stdin is not None:
            found._child.stdin.close()


def hold(ours: Pulse, run: Run, lease_s: float = 0.5) -> None:
    ours.hold(str(run.pk), run.fence, database=work._database(), lease_s=lease_s)


def test_one_process_for_all_runs_and_a_new_one_when_it_died(ours: Pulse) -> None:
    one, two, three = claimed(), claimed(), claimed()
    assert ours.pid is None
    hold(ours, one)
    process = ours.pid
    hold(ours, two)
    assert process is not None and ours.pid == process
    until(lambda: lease(one) > LONG_AGO and lease(two) > LONG_AGO)
    ours.drop(str(two.pk))
    ours.drop("never held")
    os.kill(process, signal.SIGKILL)
    until(lambda: ours.pid is None)
    ours.drop("never held")  # nobody there to hear it
    Run.objects.filter(pk__in=[one.pk, two.pk]).update(lease_until=LONG_AGO)
    hold(ours, three)
    assert ours.pid not in {None, process}
    until(lambda: lease(one) > LONG_AGO and lease(three) > LONG_AGO)
    assert lease(two) == LONG_AGO, "what was dropped is not held again"


def test_a_word_to_a_process_that_has_just_died_is_lost_without_a_fault(ours: Pulse) -> None:
    run = claimed()
    hold(ours, run)
    assert ours._child is not None
    os.kill(ours._child.pid, signal.SIGKILL)
    ours._child.wait()
    ours.drop(str(run.pk))
    assert ours._holds == {}


def test_a_forked_process_has_not_our_runs_and_does_not_keep_our_pipe_open(ours: Pulse) -> None:
    run = claimed()
    hold(ours, run)
    until(lambda: lease(run) > LONG_AGO)
    child = ours._child
    assert child is not None and child.stdin is not None
    read, write = os.pipe()
    connections.close_all()
    fork = os.fork()
    if fork == 0:
        facts = {"pid": ours.pid, "holds": ours._holds, "closed": child.stdin.closed, "locked": ours._lock.locked()}
        os.write(write, json.dumps(facts).encode())
        time.sleep(600)
        os._exit(0)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as pipe:
            assert json.loads(pipe.read1(1000)) == {"pid": None, "holds": {}, "closed": True, "locked": False}
        assert ours.pid == child.pid
        child.stdin.close()
        assert child.wait(60) == 0, "it hears that we are gone although the forked one lives"
    finally:
        os.kill(fork, signal.SIGKILL)
        os.waitpid(fork, 0)
