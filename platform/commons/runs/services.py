"""Writes about runs: start, claim, progress, finish, cancel, sweep. PostgreSQL decides; Celery only rings.

A claim raises the fence under a row lock; every later write is `WHERE fence = mine`, so a worker that was thought
dead and comes back can change nothing. Times are the database's own (`now()`), never a worker's clock.
"""

import datetime as dt
import functools
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from commons.runs import pulse, registry
from commons.runs.errors import Cancelled, GaveUp, LeaseLost, RunTimeout, UnknownKind
from commons.runs.models import Run
from commons.runs.signals import hanging, publish
from commons.said import keep
from commons.watching import measures, tracing

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=15)
RING_AGAIN_AFTER = dt.timedelta(seconds=15)
SWEEP_AT_MOST = 500


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces: the same inputs give the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@transaction.atomic
def start(
    *,
    kind: str,
    inputs: Mapping[str, Any],
    title: str = "",
    subject: str = "",
    owner: User | None = None,
    public: bool = False,
    seed: int = 0,
    demo: bool = False,
    bell: bool = True,
) -> Run:
    """Write the run down and ring the bell once the transaction is committed. Make the title by `commons.said.said`.

    Without the bell the caller does the work itself (`work.inline`); if it dies, the sweep rings all the same.
    """
    found = registry.find(kind)
    run = Run.objects.create(
        kind=kind,
        title=str(title)[:200],
        title_kept=keep(title),
        subject=subject,
        owner=owner,
        public=public,
        inputs=dict(inputs),
        inputs_sha256=hashlib.sha256(canonical_json(inputs)).hexdigest(),
        seed=seed,
        engine_version=found.engine_version,
        demo=demo,
        traceparent=tracing.header(),
    )
    if bell:
        transaction.on_commit(lambda: ring(run))
    return run


def ring(run: Run) -> None:
    """Ring the bell; if the broker is away the sweep rings later, nothing is lost."""
    from commons.runs.tasks import work  # noqa: PLC0415 tasks import services

    try:
        work.apply_async((str(run.pk),), queue=registry.find(run.kind).queue, retry=False)
    except Exception:
        log.warning("the bell for run %s did not ring; the sweep will ring it", run.pk, exc_info=True)


@transaction.atomic
def claim(*, run_id: str) -> Run | None:
    """Take the run for this worker, or None when it is over or someone holds it. Locks the row."""
    run = (
        Run.objects.select_for_update(skip_locked=True)
        .filter(pk=run_id, status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
        .filter(Q(lease_until=None) | Q(lease_until__lt=Now()))
        .first()
    )
    if run is None:
        return None
    if run.cancel_requested:
        _end(run, status=Run.Status.CANCELLED, error=Cancelled(_("It was stopped before it began.")))
        return None
    try:
        most = registry.find(run.kind).max_attempts
    except UnknownKind as refusal:
        _end(run, status=Run.Status.FAILED, error=refusal)
        return None
    if run.attempts >= most:
        tries = run.attempts
        _end(
            run,
            status=Run.Status.FAILED,
            error=GaveUp(_("The worker died %(n)s times at this work.") % {"n": tries}),
        )
        return None
    Run.objects.filter(pk=run.pk).update(
        status=Run.Status.RUNNING,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        lease_until=Now() + LEASE,
        started_at=Coalesce(F("started_at"), Now()),
    )
    run.refresh_from_db()
    return run


def _mine(run: Run) -> Any:
    return Run.objects.filter(pk=run.pk, fence=run.fence, status=Run.Status.RUNNING)


def extend(*, run: Run) -> bool:
    """Hold the lease for longer; False when it is lost or the run shall stop."""
    with connection.cursor() as cursor:
        cursor.execute(pulse.HOLD, [LEASE.total_seconds(), run.pk, run.fence])
        return bool(cursor.rowcount)


def let_go(*, run: Run) -> bool:
    """Give the lease back without an end, so that the next sweep finds the run; whether it was still ours."""
    return bool(_mine(run).update(lease_until=Now()))


def report(*, run: Run, share: float, stage: str) -> None:
    """Say how far it is. Raises LeaseLost or Cancelled."""
    share = min(max(share, 0.0), 1.0)
    if not _mine(run).update(progress=share, stage=stage[:200], stage_kept=keep(stage), lease_until=Now() + LEASE):
        raise LeaseLost(_("Another worker took run %(id)s over.") % {"id": run.pk})
    if Run.objects.filter(pk=run.pk, cancel_requested=True).exists():
        raise Cancelled(_("It was stopped at “%(stage)s”.") % {"stage": stage})
    publish(run.pk, {"status": "running", "progress": share, "stage": stage})


@transaction.atomic
def finish(*, run: Run, outcome: registry.Outcome) -> None:
    """End the run and write its effect, both or neither. Locks the row; raises LeaseLost."""
    held = Run.objects.select_for_update().filter(pk=run.pk, fence=run.fence, status=Run.Status.RUNNING).first()
    if held is None:
        raise LeaseLost(_("Another worker took run %(id)s over.") % {"id": run.pk})
    if outcome.effect:
        outcome.effect()
    _end(held, status=Run.Status.DONE, result=outcome.result)


@transaction.atomic
def fail(*, run: Run, error: Exception) -> None:
    """End the run without a result, if it is still this worker's."""
    held = Run.objects.select_for_update().filter(pk=run.pk, fence=run.fence, status=Run.Status.RUNNING).first()
    if held is not None:
        status = Run.Status.CANCELLED if isinstance(error, Cancelled) else Run.Status.FAILED
        _end(held, status=status, error=error)


def _end(run: Run, *, status: str, result: dict[str, Any] | None = None, error: Exception | None = None) -> None:
    known = error if isinstance(error, CityError) else None
    sentence = str(known.sentence) if known else _("We could not finish this; it is our fault and was written down.")
    Run.objects.filter(pk=run.pk).update(
        status=status,
        result=result,
        error_code="" if error is None else (known.code if known else "city:fault"),
        error="" if error is None else sentence,
        progress=1.0 if status == Run.Status.DONE else F("progress"),
        lease_until=None,
        finished_at=Now(),
    )
    measures.count("city_runs_ended_total", kind=run.kind, status=str(status))
    transaction.on_commit(lambda: publish(run.pk, {"status": status}))


def cancel(*, run: Run) -> None:
    """Ask it to stop; a run that nobody works on ends at once."""
    Run.objects.filter(pk=run.pk, status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).update(cancel_requested=True)
    claim(run_id=str(run.pk))


def sweep() -> int:
    """Ring again for runs that wait too long or whose worker is gone; how many.

    A run whose ring still hangs in its queue waits for others to end: it is not rung for again, so rings cannot pile
    up. A run whose worker is gone is rung for at most once in a lease.
    """
    waiting_too_long = Run.objects.filter(status=Run.Status.QUEUED, created_at__lt=Now() - RING_AGAIN_AFTER)
    worker_gone = Run.objects.filter(status=Run.Status.RUNNING, lease_until__lt=Now())
    rung, hang = 0, functools.cache(hanging)
    for run in [
        *worker_gone.order_by("lease_until")[:SWEEP_AT_MOST],
        *waiting_too_long.order_by("created_at")[:SWEEP_AT_MOST],
    ]:
        rung += _ring_again(run, hang)
    return rung


def _ring_again(run: Run, hang: Callable[[str], set[str] | None]) -> bool:
    try:
        queue = registry.find(run.kind).queue
    except UnknownKind:
        claim(run_id=str(run.pk))
        return False
    if run.status == Run.Status.QUEUED and ((rung := hang(queue)) is None or str(run.pk) in rung):
        return False
    if run.status == Run.Status.RUNNING and not cache.add(f"rung:{run.pk}:{run.fence}", 1, LEASE.total_seconds()):
        return False
    if run.status == Run.Status.RUNNING:
        measures.count("city_leases_expired_total", kind=run.kind)
    ring(run)
    return True


def wait(*, run: Run, timeout_s: float = 600.0, poll_s: float = 0.1) -> Run:
    """Wait until the run is over; raises RunTimeout."""
    if connection.in_atomic_block:
        raise RuntimeError("waiting inside a transaction would wait for ever: the bell rings on commit")
    until = time.monotonic() + timeout_s
    while True:
        run.refresh_from_db()
        if run.is_over:
            return run
        if time.monotonic() > until:
            raise RunTimeout(_("“%(run)s” was not ready after %(s)d s; it goes on.") % {"run": run, "s": timeout_s})
        time.sleep(poll_s)
