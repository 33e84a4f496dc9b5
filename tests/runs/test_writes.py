"""What each write of a run leaves in its row, what it tells, and how long it holds."""

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Task
from django.conf import settings as site
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from commons.errors import BadInput
from commons.people.services import create_user
from commons.runs import registry, services, work
from commons.runs.errors import Cancelled, LeaseLost, RunTimeout
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome
from commons.said import said
from commons.watching import measures, tracing

from . import worker_kinds as kinds

pytestmark = pytest.mark.django_db
News = list[tuple[Any, dict[str, Any]]]


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> News:
    """What was told to whoever watches."""
    heard: News = []
    monkeypatch.setattr(services, "publish", lambda run_id, said: heard.append((run_id, said)))
    return heard


def start(**more: Any) -> Run:
    return services.start(**{"kind": kinds.COUNT, "inputs": {}, "bell": False, **more})


def claimed(**more: Any) -> Run:
    mine = services.claim(run_id=str(start(**more).pk))
    assert mine is not None
    return mine


def left_s(run: Run) -> float:
    """How long the lease lasts yet, by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM lease_until - statement_timestamp()) FROM runs_run WHERE id = %s", [run.pk]
        )
        return float(cursor.fetchone()[0])


def short(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() + dt.timedelta(seconds=1))


LEASE_S = services.LEASE.total_seconds()


def test_all_that_is_said_at_the_start_is_written_down() -> None:
    owner = create_user(username="anna")
    made = start(
        kind=kinds.SLEEP, inputs={"b": 1, "a": "ä"}, title="x" * 300, subject="energy.community:one", owner=owner,
        public=True, seed=7, demo=True,
    )  # fmt: skip
    run = Run.objects.get(pk=made.pk)
    assert (run.kind, run.title, run.subject, run.owner) == (kinds.SLEEP, "x" * 200, "energy.community:one", owner)
    assert (run.public, run.seed, run.demo, run.engine_version) == (True, 7, True, "7")
    assert run.inputs == {"a": "ä", "b": 1}
    assert run.inputs_sha256 == hashlib.sha256('{"a":"ä","b":1}'.encode()).hexdigest()
    assert (run.status, run.fence, run.attempts, run.lease_until) == ("queued", 0, 0, None)
    plain = Run.objects.get(pk=start().pk)
    assert (plain.title, plain.title_kept, plain.subject, plain.owner) == ("", None, "", None)
    assert (plain.public, plain.seed, plain.demo) == (False, 0, False)


def test_a_run_belongs_to_the_trace_of_who_started_it() -> None:
    with tracing.span("asked") as span:
        run = start()
    kept = tracing.read(run.traceparent)
    assert kept is not None and kept.trace_id == span.trace.trace_id


def test_the_bell_is_rung_in_the_queue_of_the_kind_and_may_be_broken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rung: list[tuple[Any, ...]] = []

    def take(self: Task, *args: Any, **more: Any) -> None:
        rung.append((*args, more))

    def broken(self: Task, *args: Any, **more: Any) -> None:
        raise ConnectionError("no broker")

    run = start()
    monkeypatch.setattr(Task, "apply_async", take)
    services.ring(run)
    assert rung == [((str(run.pk),), {"queue": "default", "retry": False})]
    monkeypatch.setattr(Task, "apply_async", broken)
    services.ring(run)
    assert str(run.pk) in caplog.text


def test_without_a_bell_nobody_is_rung(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[Run] = []
    monkeypatch.setattr(services, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        start(bell=False)
        assert not rung
        loud = services.start(kind=kinds.COUNT, inputs={})
    assert rung == [loud]


def test_a_claim_holds_for_one_lease() -> None:
    mine = claimed()
    assert (mine.status, mine.fence, mine.attempts) == ("running", 1, 1)
    assert mine.started_at is not None
    assert LEASE_S - 5 < left_s(mine) <= LEASE_S + 1


def test_to_report_holds_it_for_another_and_tells(news: News) -> None:
    mine = claimed()
    short(mine)
    services.report(run=mine, share=0.25, stage="drawing")
    assert left_s(mine) > LEASE_S - 5
    mine.refresh_from_db()
    assert (mine.progress, mine.stage) == (0.25, "drawing")
    assert news == [(mine.pk, {"status": "running", "progress": 0.25, "stage": "drawing"})]
    services.report(run=mine, share=-3.0, stage=said(gettext_lazy("Drawing %(design)s"), design="lamp"))
    mine.refresh_from_db()
    assert mine.progress == 0.0 and mine.stage_kept is not None


def test_one_runs_word_is_not_anothers(news: News) -> None:
    mine, other, over = claimed(), claimed(), claimed()
    short(other)
    Run.objects.filter(pk=other.pk).update(cancel_requested=True)
    Run.objects.filter(pk=over.pk).update(status="done", lease_until=None)
    services.report(run=mine, share=0.5, stage="half")
    assert services.let_go(run=mine) is True
    other.refresh_from_db()
    assert (other.progress, other.stage) == (0.0, "") and 0 < left_s(other) <= 1
    with pytest.raises(LeaseLost):
        services.report(run=over, share=0.5, stage="half")
    assert services.let_go(run=over) is False
    over.refresh_from_db()
    assert (over.progress, over.lease_until) == (0.0, None)


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_the_end_of_one_is_not_the_end_of_another(end: str) -> None:
    other, mine = sorted([claimed(), claimed()], key=lambda run: run.pk)
    if end == "finish":
        services.finish(run=mine, outcome=Outcome({"n": 1}))
    else:
        services.fail(run=mine, error=BadInput("No."))
    found = {run.pk: Run.objects.get(pk=run.pk).status for run in (mine, other)}
    assert found == {mine.pk: {"finish": "done", "fail": "failed"}[end], other.pk: "running"}
    with pytest.raises(LeaseLost):
        services.finish(run=mine, outcome=Outcome({"n": 2}, effect=lambda: pytest.fail("a second effect")))


def test_to_stop_one_stops_no_other() -> None:
    one, other, busy = start(), start(), claimed()
    services.cancel(run=one)
    assert not Run.objects.filter(pk__in=[other.pk, busy.pk], cancel_requested=True).exists()
    other.refresh_from_db()
    assert other.status == "queued"


def test_where_it_was_stopped_is_said() -> None:
    mine, waiting = claimed(), start()
    for run in (mine, waiting):
        services.cancel(run=run)
    with pytest.raises(Cancelled, match="stopped at “drawing”"):
        services.report(run=mine, share=0.5, stage="drawing")
    waiting.refresh_from_db()
    assert waiting.error == "It was stopped before it began."


def test_a_title_is_kept_for_every_language() -> None:
    run = Run.objects.get(pk=start(title=said(gettext_lazy("Drawing %(design)s"), design="lamp")).pk)
    assert run.title == "Drawing lamp" and run.title_kept is not None
    with translation.override("fi"):
        assert run.name == "Piirretään: lamp"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_holds_is_not_waited_for() -> None:
    run = start()
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        found: list[Run | None] = []

        def claim() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            found.append(services.claim(run_id=str(run.pk)))
            connection.close()

        thread = threading.Thread(target=claim)
        thread.start()
        thread.join()
    assert found == [None]


def test_to_extend_holds_it_and_a_lost_one_is_not_held() -> None:
    mine = claimed()
    short(mine)
    assert services.extend(run=mine) is True
    assert left_s(mine) > LEASE_S - 5
    Run.objects.filter(pk=mine.pk).update(fence=9)
    assert services.extend(run=mine) is False


def test_what_is_let_go_is_found_at_once_and_only_once() -> None:
    mine = claimed()
    assert services.let_go(run=mine) is True
    assert left_s(mine) <= 0
    Run.objects.filter(pk=mine.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    heir = services.claim(run_id=str(mine.pk))
    assert heir is not None and heir.fence == 2
    assert services.let_go(run=mine) is False and left_s(heir) > 0


@pytest.mark.parametrize("stage", ["before", "at"])
def test_who_lost_the_lease_hears_which_run(stage: str) -> None:
    mine = claimed()
    Run.objects.filter(pk=mine.pk).update(fence=2)
    with pytest.raises(LeaseLost, match=str(mine.pk)):
        if stage == "before":
            services.report(run=mine, share=0.5, stage="x")
        else:
            services.finish(run=mine, outcome=Outcome())


def test_the_end_is_written_told_and_counted(news: News, django_capture_on_commit_callbacks: Any) -> None:
    before = _ended("done")
    with django_capture_on_commit_callbacks(execute=True):
        mine = claimed()
        services.finish(run=mine, outcome=Outcome({"n": 1}))
    mine.refresh_from_db()
    assert (mine.status, mine.result, mine.progress, mine.lease_until) == ("done", {"n": 1}, 1.0, None)
    assert (mine.error, mine.error_code) == ("", "") and mine.finished_at is not None
    assert news == [(mine.pk, {"status": "done"})]
    assert _ended("done") == before + 1


def test_a_failure_keeps_how_far_it_was(news: News, django_capture_on_commit_callbacks: Any) -> None:
    before = _ended("failed")
    with django_capture_on_commit_callbacks(execute=True):
        mine = claimed()
        services.report(run=mine, share=0.4, stage="half")
        services.fail(run=mine, error=BadInput("Line 3 is not a number."))
    mine.refresh_from_db()
    assert (mine.status, mine.result, mine.progress, mine.lease_until) == ("failed", None, 0.4, None)
    assert (mine.error_code, mine.error) == ("city:bad-input", "Line 3 is not a number.")
    assert news[-1] == (mine.pk, {"status": "failed"})
    assert _ended("failed") == before + 1
    services.fail(run=mine, error=Cancelled("Too late."))
    mine.refresh_from_db()
    assert mine.status == "failed", "what is over stays as it ended"


def _ended(status: str) -> float:
    return _counted("city_runs_ended_total", kind=kinds.COUNT, status=status)


def _counted(name: str, **labels: str) -> float:
    plain = measures.counts.snapshot()["plain"]
    return sum(value for key, found, value in plain if key == name and dict(found) == labels)


def test_why_it_was_cancelled_before_it_began_is_said() -> None:
    run = start()
    services.cancel(run=run)
    run.refresh_from_db()
    assert run.error and run.finished_at is not None and run.result is None


def test_how_often_it_was_tried_is_said() -> None:
    run = start()
    Run.objects.filter(pk=run.pk).update(attempts=3)
    assert services.claim(run_id=str(run.pk)) is None
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "run:gave-up") and "3 times" in run.error


def test_the_sweep_takes_the_oldest_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Run] = []
    monkeypatch.setattr(services, "ring", rung.append)
    monkeypatch.setattr(services, "hanging", lambda queue: set())
    monkeypatch.setattr(services, "SWEEP_AT_MOST", 2)
    waiting, orphans = [start() for _ in range(3)], [claimed() for _ in range(3)]
    for nth, run in enumerate(reversed(waiting)):
        Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - dt.timedelta(minutes=9 - nth))
    for nth, run in enumerate(reversed(orphans)):
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - dt.timedelta(minutes=9 - nth))
    before = _counted("city_leases_expired_total", kind=kinds.COUNT)
    assert services.sweep() == 4
    assert rung == [orphans[2], orphans[1], waiting[2], waiting[1]]
    assert _counted("city_leases_expired_total", kind=kinds.COUNT) == before + 2


def test_the_sweep_leaves_old_runs_alone_that_are_held_or_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "ring", lambda run: pytest.fail("nobody is to be rung"))
    monkeypatch.setattr(services, "hanging", lambda queue: set())
    held, over = claimed(), claimed()
    services.finish(run=over, outcome=Outcome())
    Run.objects.filter(pk__in=[held.pk, over.pk]).update(created_at=timezone.now() - dt.timedelta(days=1))
    assert services.sweep() == 0


def test_an_orphan_is_rung_for_once_in_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []
    monkeypatch.setattr(services, "ring", lambda run: None)
    monkeypatch.setattr(services, "hanging", lambda queue: set())
    kept = SimpleNamespace(add=lambda key, _value, seconds: asked.append((key, seconds)) or len(asked) == 1)
    monkeypatch.setattr(services, "cache", kept)
    orphan, forgotten = claimed(), start()
    Run.objects.filter(pk=orphan.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    before = _counted("city_leases_expired_total", kind=kinds.COUNT)
    assert (services.sweep(), services.sweep()) == (1, 0)
    assert asked == [(f"rung:{orphan.pk}:1", LEASE_S)] * 2
    Run.objects.filter(pk=forgotten.pk).update(created_at=timezone.now() - dt.timedelta(minutes=9))
    assert services.sweep() == 1
    assert _counted("city_leases_expired_total", kind=kinds.COUNT) == before + 1, "who only waited lost no lease"


@pytest.mark.parametrize("ring_hangs", [True, None])
def test_the_sweep_looks_into_the_queue_of_the_kind(monkeypatch: pytest.MonkeyPatch, ring_hangs: bool | None) -> None:
    """A run whose ring hangs there, or may do so among too many, is left alone."""
    asked: list[str] = []
    run = start()

    def hanging(queue: str) -> set[str] | None:
        asked.append(queue)
        return {str(run.pk)} if ring_hangs else None

    monkeypatch.setattr(services, "hanging", hanging)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - dt.timedelta(minutes=9))
    assert services.sweep() == 0
    assert asked == ["default"] and "default" in site.QUEUES


def test_the_sweep_ends_a_run_of_a_kind_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "hanging", lambda queue: set())
    run = start()
    Run.objects.filter(pk=run.pk).update(kind="tests.gone", created_at=timezone.now() - dt.timedelta(minutes=9))
    assert services.sweep() == 0
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "run:unknown-kind")


@pytest.mark.django_db(transaction=True)
def test_to_wait_answers_what_is_over_and_gives_up_on_what_is_not() -> None:
    done = work.inline(kind=kinds.COUNT, inputs={}, seed=3)
    assert services.wait(run=done, timeout_s=0.0).result == {"seed": 3}
    slow = start(title="Drawing")
    with pytest.raises(RunTimeout, match="“Drawing” was not ready after 0 s"):
        services.wait(run=slow, timeout_s=0.0, poll_s=0.01)
    timer = threading.Timer(0.3, lambda: Run.objects.filter(pk=slow.pk).update(status="done") and connection.close())
    timer.start()
    assert services.wait(run=slow, timeout_s=60.0, poll_s=0.01).is_over
    timer.join()


def test_what_is_done_here_rings_for_nobody_else(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(services, "ring", lambda run: pytest.fail("nobody is to be rung"))
    with django_capture_on_commit_callbacks(execute=True):
        assert work.inline(kind=kinds.COUNT, inputs={}).status == "done"


# --- doing it --------------------------------------------------------------------------------------------------------


def test_a_run_whose_lease_is_lost_at_work_changes_nothing_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def robbed(job: Job, inputs: Inputs) -> Outcome:
        Run.objects.filter(pk=job.run.pk).update(fence=9)
        return Outcome({"by": "the robbed"})

    monkeypatch.setitem(registry._kinds, "tests.robbed", registry.Kind("tests.robbed", robbed, "default", "1", 3))
    before = _counted("city_leases_lost_total", kind="tests.robbed")
    run = work.inline(kind="tests.robbed", inputs={})
    assert (run.status, run.result, run.error) == ("running", None, "")
    assert _counted("city_leases_lost_total", kind="tests.robbed") == before + 1


def test_a_kind_sees_its_inputs_its_seed_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def look(job: Job, inputs: Inputs) -> Outcome:
        job.progress(0.5, "looking")
        seen.extend([inputs, job.seed, Run.objects.get(pk=job.run.pk).stage, job.run.attempts])
        return Outcome()

    monkeypatch.setitem(registry._kinds, "tests.look", registry.Kind("tests.look", look, "default", "1", 3))
    run = work.inline(kind="tests.look", inputs={"a": 1}, seed=11)
    assert seen == [{"a": 1}, 11, "looking", 1] and run.status == "done"


def test_while_it_works_its_lease_is_held_and_then_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(work.pulse, "hold", lambda run_id, fence, **how: said.append(("hold", run_id, fence, how)))
    monkeypatch.setattr(work.pulse, "drop", lambda run_id: said.append(("drop", run_id)))
    for kind in (kinds.COUNT, kinds.BREAK):
        said.clear()
        run = work.inline(kind=kind, inputs={})
        how = {"database": work._database(), "lease_s": LEASE_S}
        assert said == [("hold", str(run.pk), 1, how), ("drop", str(run.pk))], kind


def test_our_database_in_the_words_of_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "HOST": "db.example", "PORT": 5433, "NAME": "city", "USER": "", "PASSWORD": None,
        "OPTIONS": {"sslmode": "require", "pool": {"min_size": 2}},
    }  # fmt: skip
    with monkeypatch.context() as patch:
        for name, value in named.items():
            patch.setitem(connection.settings_dict, name, value)
        assert work._database() == {"host": "db.example", "port": "5433", "dbname": "city", "sslmode": "require"}
        patch.setitem(connection.settings_dict, "USER", "ada")
        patch.setitem(connection.settings_dict, "PASSWORD", "secret")
        assert work._database().items() >= {"user": "ada", "password": "secret"}.items()


def test_a_new_stage_is_written_at_once_and_the_same_one_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[tuple[float, str]] = []
    clock = [100.0]
    monkeypatch.setattr(services, "report", lambda run, share, stage: reports.append((share, stage)))
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    job = work.Worker(Run())
    job.progress(0.0)
    for share, stage, later in [(0.1, "", 0.1), (0.2, "a", 0.0), (0.3, "a", 0.19), (0.4, "a", 0.02), (0.5, "a", 0.1)]:
        clock[0] += later
        job.progress(share, stage)
    assert reports == [(0.0, ""), (0.2, "a"), (0.4, "a")]


def test_how_long_it_took_is_counted_and_its_span_says_which_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[tuple[str, float, dict[str, str]]] = []
    spans: list[Any] = []
    right = tracing.span
    monkeypatch.setattr(work.measures, "observe", lambda name, s, **labels: took.append((name, s, labels)))

    @contextmanager
    def watch(name: str, *args: Any, **more: Any) -> Iterator[tracing.Span]:
        with right(name, *args, **more) as made:
            made.attributes["from"] = "before"
            yield made
        spans.append((name, args, more, made.attributes))

    monkeypatch.setattr(work.tracing, "span", watch)
    with right("asked") as asked:
        run = start()
    began = time.monotonic()
    assert work.do(run.pk) is True
    name, seconds, labels = took[-1]
    assert (name, labels) == ("city_run_seconds", {"kind": kinds.COUNT})
    assert 0 < seconds <= time.monotonic() - began
    name, args, more, attributes = spans[0]
    which = {"run.id": str(run.pk), "run.kind": kinds.COUNT, "run.attempt": 1}
    assert attributes == {"from": "before", **which}
    assert name == f"run {kinds.COUNT}" and args == (tracing.CONSUMER,)
    assert more["parent"].trace_id == asked.trace.trace_id
