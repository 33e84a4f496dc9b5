"""Runs: claimed once, fenced, cancelled, given up, swept; effect and end are one."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.runs import queries, registry, services, signals, tasks, warming, work
from commons.runs.errors import Cancelled, LeaseLost, RunFailed, RunNotFound, UnknownKind
from commons.runs.models import Run
from commons.runs.registry import Outcome
from commons.said import said
from commons.web import streams
from livingcity.celery import app

from . import worker_kinds as kinds

pytestmark = pytest.mark.django_db


def start(kind: str = kinds.COUNT, **inputs: Any) -> Run:
    return services.start(kind=kind, inputs=inputs, bell=False)


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    rung: list[Run] = []
    monkeypatch.setattr(services, "ring", rung.append)
    monkeypatch.setattr(services, "hanging", lambda queue: set())  # other tests' bells hang in the same real queue
    return rung


def test_the_fingerprint_is_of_the_inputs_alone_and_does_not_know_their_order() -> None:
    one, two = start(a=1, b=[1, 2]), start(b=[1, 2], a=1)
    assert one.inputs_sha256 == two.inputs_sha256
    # sha256 of {"a":1,"b":[1,2]} by another program (sha256sum)
    assert one.inputs_sha256 == "8baa73198470c7bb4c3ce142a8fd651affc0310d878bb9bd159e37a573fb4874"
    assert start(a=1, b=[2, 1]).inputs_sha256 != one.inputs_sha256


def test_a_run_is_done_with_result_effect_and_progress() -> None:
    run = work.inline(kind=kinds.COUNT, inputs={}, seed=42)
    assert (run.status, run.progress, run.result, run.error) == ("done", 1.0, {"seed": 42}, "")
    assert run.finished_at is not None and run.lease_until is None and run.attempts == 1
    assert User.objects.count() == 1
    assert queries.result_of(run) == {"seed": 42}


def test_a_run_that_is_over_is_never_claimed_again() -> None:
    run = work.inline(kind=kinds.COUNT, inputs={})
    assert work.do(run.pk) is False
    assert User.objects.count() == 1


def test_a_refusal_keeps_its_code_and_sentence() -> None:
    run = work.inline(kind=kinds.REFUSE, inputs={})
    assert (run.status, run.error_code, run.error) == ("failed", "city:bad-input", "Line 3 is not a number.")
    with pytest.raises(RunFailed, match=r"Line 3 is not a number\."):
        queries.result_of(run)


def test_a_fault_of_ours_tells_nothing_of_its_inside() -> None:
    run = work.inline(kind=kinds.BREAK, inputs={})
    assert (run.status, run.error_code) == ("failed", "city:fault")
    assert "secret" not in run.error


def test_an_effect_that_is_refused_leaves_nothing() -> None:
    run = work.inline(kind=kinds.COUNT, inputs={"fail": True})
    assert (run.status, run.error) == ("failed", "The effect was refused.")
    assert User.objects.count() == 0


def test_a_zombie_can_neither_report_nor_finish_nor_fail_nor_hold_on() -> None:
    run = start()
    zombie = services.claim(run_id=str(run.pk))
    assert zombie is not None
    expire(run)
    heir = services.claim(run_id=str(run.pk))
    assert heir is not None and heir.fence == zombie.fence + 1 and heir.attempts == 2
    with pytest.raises(LeaseLost):
        services.report(run=zombie, share=0.9, stage="I am back")
    with pytest.raises(LeaseLost):
        services.finish(run=zombie, outcome=Outcome({"by": "zombie"}, effect=lambda: kinds.make_account("zombie")))
    services.fail(run=zombie, error=ValueError())
    assert services.extend(run=zombie) is False
    run.refresh_from_db()
    assert (run.status, run.stage, run.fence) == ("running", "", heir.fence)
    services.finish(run=heir, outcome=Outcome({"by": "heir"}))
    run.refresh_from_db()
    assert run.result == {"by": "heir"}
    assert not User.objects.exists()


def test_when_it_began_stays_when_it_is_begun_again() -> None:
    run = start()
    first = services.claim(run_id=str(run.pk))
    expire(run)
    second = services.claim(run_id=str(run.pk))
    assert first is not None and second is not None
    assert first.started_at == second.started_at


def test_a_live_lease_is_respected_and_a_dead_one_is_not() -> None:
    run = start()
    assert services.claim(run_id=str(run.pk)) is not None
    assert services.claim(run_id=str(run.pk)) is None
    expire(run)
    assert services.claim(run_id=str(run.pk)) is not None


def test_a_run_that_kills_its_workers_is_given_up() -> None:
    run = start()
    most = registry.find(kinds.COUNT).max_attempts
    for _ in range(most):
        assert services.claim(run_id=str(run.pk)) is not None
        expire(run)
    assert services.claim(run_id=str(run.pk)) is None
    run.refresh_from_db()
    assert (run.status, run.error_code, run.attempts) == ("failed", "run:gave-up", most)


def test_cancelling_a_waiting_run_ends_it_at_once() -> None:
    run = start()
    services.cancel(run=run)
    run.refresh_from_db()
    assert (run.status, run.error_code, run.attempts) == ("cancelled", "run:cancelled", 0)


def test_cancelling_a_running_one_stops_it_at_its_next_step() -> None:
    run = start()
    mine = services.claim(run_id=str(run.pk))
    assert mine is not None
    services.cancel(run=run)
    assert services.extend(run=mine) is False
    with pytest.raises(Cancelled) as stopped:
        services.report(run=mine, share=0.5, stage="half")
    services.fail(run=mine, error=stopped.value)
    run.refresh_from_db()
    assert (run.status, run.progress) == ("cancelled", 0.5)


def test_cancelling_what_is_over_changes_nothing() -> None:
    run = work.inline(kind=kinds.COUNT, inputs={})
    services.cancel(run=run)
    run.refresh_from_db()
    assert (run.status, run.cancel_requested) == ("done", False)


def test_a_silent_run_that_was_cancelled_ends_when_its_lease_does(bells: list[Run]) -> None:
    run = start()
    assert services.claim(run_id=str(run.pk)) is not None
    services.cancel(run=run)
    expire(run)
    assert services.sweep() == 1
    assert work.do(bells[0].pk) is False
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_progress_is_kept_within_bounds_and_written_sparingly() -> None:
    run = start()
    mine = services.claim(run_id=str(run.pk))
    assert mine is not None
    worker = work.Worker(mine)
    with_queries = _queries(lambda: [worker.progress(i / 1000, "steady") for i in range(1000)])
    assert with_queries < 20
    services.report(run=mine, share=7.0, stage="x" * 500)
    run.refresh_from_db()
    assert (run.progress, len(run.stage)) == (1.0, 200)


def test_title_and_stage_are_read_in_the_language_of_the_reader(client: Client) -> None:
    run = services.start(
        kind=kinds.COUNT,
        inputs={},
        bell=False,
        title=said(gettext_lazy("Drawing %(design)s"), design="100 % lamp"),
        public=True,
    )
    mine = services.claim(run_id=str(run.pk))
    assert mine is not None
    services.report(run=mine, share=0.5, stage=said(gettext_lazy("Large files: %(n)d of %(all)d"), n=3, all=9))
    pages = [client.get(f"{prefix}/runs/{run.pk}/").content.decode() for prefix in ("", "/fi")]
    assert "Drawing 100 % lamp" in pages[0] and "Large files: 3 of 9" in pages[0]
    assert "Piirretään: 100 % lamp" in pages[1] and "Large files" not in pages[1] and "?lang=fi" in pages[1]
    told = client.get(f"/api/v1/runs/{run.pk}/?lang=fi").json()
    assert told["title"] == "Piirretään: 100 % lamp" and told["stage"] in pages[1]
    assert [streams.language({"query_string": words}) for words in (b"lang=fi", b"lang=xx", b"")] == ["fi", "en", "en"]
    services.report(run=mine, share=0.6, stage="what an older worker says")
    run.refresh_from_db()
    assert (run.doing, run.stage_kept) == ("what an older worker says", None)


def _queries(act: Callable[[], Any]) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        act()
    return len(seen)


def test_the_sweep_rings_for_the_forgotten_and_for_nobody_else(bells: list[Run]) -> None:
    cache.clear()
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    fresh, forgotten, held, orphaned, over = start(), start(), start(), start(), start()
    Run.objects.filter(pk=forgotten.pk).update(created_at=long_ago)
    for run in (held, orphaned, over):
        services.claim(run_id=str(run.pk))
    expire(orphaned)
    Run.objects.filter(pk=over.pk).update(status="done", lease_until=long_ago)
    assert services.sweep() == 2
    assert {run.pk for run in bells} == {forgotten.pk, orphaned.pk}
    assert fresh.pk not in {run.pk for run in bells}


def test_the_sweep_does_not_ring_again_while_the_bell_still_hangs(
    bells: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    run, orphan = start(), start()
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - dt.timedelta(minutes=5))
    services.claim(run_id=str(orphan.pk))
    expire(orphan)
    monkeypatch.setattr(services, "hanging", lambda queue: {str(run.pk)})
    assert (services.sweep(), services.sweep()) == (1, 0), "who hangs there is left alone, an orphan is rung for once"
    monkeypatch.setattr(services, "hanging", lambda queue: None)
    assert services.sweep() == 0, "a queue that is too long to look through is merely busy"
    monkeypatch.setattr(services, "hanging", lambda queue: {"somebody else"})
    assert services.sweep() == 1, "its own ring is lost, whatever else waits"


def test_the_rings_of_a_queue_are_told_apart_from_other_work() -> None:
    queue = f"tests.{uuid.uuid4()}"
    run = start()
    try:
        assert signals.hanging(queue) == set()
        app.send_task("runs.sweep", queue=queue)
        app.send_task(signals.RING, args=[str(run.pk)], queue=queue)
        assert tasks.work.name == signals.RING
        assert signals.hanging(queue) == {str(run.pk)}
        assert signals.waiting(queue) == 2
        signals.valkey().rpush(queue, *[signals.valkey().lindex(queue, 0)] * signals.READ_AT_MOST)
        assert signals.hanging(queue) is None
    finally:
        signals.valkey().delete(queue)


def test_an_unknown_kind_is_refused_at_the_start_and_ends_where_it_is_found() -> None:
    with pytest.raises(UnknownKind, match="nonsense"):
        services.start(kind="tests.nonsense", inputs={})
    run = start()
    Run.objects.filter(pk=run.pk).update(kind="tests.gone")
    assert work.do(run.pk) is False
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "run:unknown-kind")


def test_waiting_inside_a_transaction_is_refused() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="on commit"):
        services.wait(run=start())


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_at_all_after_a_rollback(bells: list[Run]) -> None:
    with transaction.atomic():
        services.start(kind=kinds.COUNT, inputs={})
        assert bells == []
    assert len(bells) == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.start(kind=kinds.COUNT, inputs={})
        raise ZeroDivisionError
    assert len(bells) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_exactly_one_claims() -> None:
    for _ in range(5):
        run = start()
        gate, won = threading.Barrier(8), []

        def claim(run: Run = run, gate: threading.Barrier = gate, won: list[Run] = won) -> None:
            gate.wait()
            if claimed := services.claim(run_id=str(run.pk)):
                won.append(claimed)
            connection.close()

        threads = [threading.Thread(target=claim) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.refresh_from_db()
        assert (len(won), run.fence, run.attempts) == (1, 1, 1)


def test_who_may_see_a_run() -> None:
    anna, boris = create_user(username="anna"), create_user(username="boris")
    staff = create_user(username="chief", is_staff=True)
    mine = services.start(kind=kinds.COUNT, inputs={}, owner=anna, bell=False)
    open_to_all = services.start(kind=kinds.COUNT, inputs={}, owner=anna, public=True, bell=False)
    assert set(queries.visible_to(anna)) == {mine, open_to_all}
    assert set(queries.visible_to(boris)) == set(queries.visible_to(None)) == {open_to_all}
    assert set(queries.visible_to(staff)) == {mine, open_to_all}
    with pytest.raises(RunNotFound):
        queries.run(mine.pk, boris)


def test_a_token_sees_the_runs_of_the_rooms_of_its_scopes_and_what_everybody_sees() -> None:
    anna, staff = create_user(username="anna"), create_user(username="chief", is_staff=True)
    by_room = {
        room: services.start(kind=kinds.COUNT, inputs={}, owner=anna, bell=False)
        for room in ("designs", "energy", "labs", "designsx")
    }
    for room, run in by_room.items():
        Run.objects.filter(pk=run.pk).update(kind=f"{room}.work")
    public = services.start(kind=kinds.COUNT, inputs={}, owner=anna, public=True, bell=False)
    seen_with = {
        "designs:read": {"designs"}, "energy:manage": {"energy"}, "bookings:read": {"labs"}, "labs:manage": {"labs"},
        "twin:write": set(), "admin": set(by_room),
    }  # fmt: skip
    for person in (anna, staff):
        for scope, rooms in seen_with.items():
            _token, secret = create_token(user=person, name="t", scopes=[scope])
            bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
            listed = Client().get("/api/v1/runs/", **bearer).json()["results"]
            assert {entry["id"] for entry in listed} == {str(by_room[r].pk) for r in rooms} | {str(public.pk)}, scope
            for room, run in by_room.items():
                found = Client().get(f"/api/v1/runs/{run.pk}/", **bearer).status_code
                assert found == (200 if room in rooms else 404), (scope, room)
        assert set(queries.visible_to(person)) == {*by_room.values(), public}


def test_a_process_warms_up_for_the_kinds_of_its_queues_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warmed: list[str] = []

    def fails() -> None:
        raise RuntimeError("no engine")

    def work_of(job: registry.Job, inputs: registry.Inputs) -> Outcome:
        return Outcome()

    monkeypatch.setattr(registry, "_kinds", {})
    monkeypatch.setattr(warming, "WAIT_S", 0.0)
    for slug, queue, warm in (("a", "simulations", lambda: warmed.append("a")), ("b", "previews", fails)):
        registry.kind(slug, queue=queue, warm=warm)(work_of)
    warming.begin(["simulations"]).join(20)
    assert warmed == ["a"]
    assert "could not warm up" not in caplog.text
    warming.begin(["simulations", "previews"]).join(20)
    assert warmed == ["a", "a"]
    assert "could not warm up" in caplog.text
