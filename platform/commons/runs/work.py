"""Doing a run: claim it, keep the lease while its function works, then end it once."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from commons.errors import CityError
from commons.runs import registry, services
from commons.runs.errors import LeaseLost
from commons.runs.models import Run
from commons.runs.pulse import pulse
from commons.watching import measures, tracing
from commons.web.faults import ServerAway, explain

log = logging.getLogger(__name__)

#: A function may report as often as it likes; the row is written at most this often.
REPORT_EVERY_S = 0.2


@dataclass
class Worker:
    """The `Job` that a kind's function sees."""

    run: Run
    _said: tuple[float, str] = (float("-inf"), "")

    @property
    def seed(self) -> int:
        """The seed of all randomness in this run."""
        return self.run.seed

    def progress(self, share: float, stage: str = "") -> None:
        """Tell how far it is; raises when it should stop."""
        at, before = self._said
        if stage == before and time.monotonic() - at < REPORT_EVERY_S:
            return
        services.report(run=self.run, share=share, stage=stage)
        self._said = (time.monotonic(), stage)


@contextmanager
def _held(run: Run) -> Iterator[None]:
    """The lease is kept while the block works, also through calls that let no other thread run."""
    pulse.hold(str(run.pk), run.fence, database=_database(), lease_s=services.LEASE.total_seconds())
    try:
        yield
    finally:
        pulse.drop(str(run.pk))


def _database() -> dict[str, str]:
    """Our database in libpq's words."""
    named = connection.settings_dict
    words = {
        "host": named["HOST"], "port": named["PORT"], "dbname": named["NAME"],
        "user": named["USER"], "password": named["PASSWORD"],
    }  # fmt: skip
    options = {name: value for name, value in named["OPTIONS"].items() if isinstance(value, str)}
    return {name: str(value) for name, value in words.items() if value} | options


def do(run_id: UUID | str) -> bool:
    """Work on the run if nobody else does; whether this call did it."""
    run = services.claim(run_id=str(run_id))
    if run is None:
        return False
    with _watched(run):
        _work_on(run)
    return True


def _work_on(run: Run) -> None:
    try:
        with _held(run):
            outcome = registry.find(run.kind).work(Worker(run), run.inputs)
            services.finish(run=run, outcome=outcome)
    except LeaseLost:
        measures.count("city_leases_lost_total", kind=run.kind)
        log.warning("run %s was taken over by another worker", run.pk)
    except CityError as refusal:
        services.fail(run=run, error=refusal)
    except Exception as fault:
        _broken(run, fault)


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    """The run belongs to the trace of who started it; how long it took is counted."""
    began = time.monotonic()
    with tracing.span(f"run {run.kind}", tracing.CONSUMER, parent=tracing.read(run.traceparent)) as span:
        span.attributes |= {"run.id": str(run.pk), "run.kind": run.kind, "run.attempt": run.attempts}
        yield
    measures.observe("city_run_seconds", time.monotonic() - began, kind=run.kind)


def _broken(run: Run, fault: Exception) -> None:
    """What passes by itself (a database that is started again) ends nothing: the sweep finds the run and it is done
    anew. Everything else ends it, and a full disk says so."""
    refusal = explain(fault)
    if isinstance(refusal, ServerAway):
        log.warning("run %s (%s) is left for later: %s", run.pk, run.kind, " ".join(str(fault).split())[:200])
        connection.close()
        with suppress(DatabaseError):
            services.let_go(run=run)
        return
    log.error("run %s (%s) failed", run.pk, run.kind, exc_info=fault)
    services.fail(run=run, error=refusal or fault)


def inline(**start: Any) -> Run:
    """Start a run (with the arguments of `services.start`) and do it in this process; answers it when it is over."""
    run = services.start(**start, bell=False)
    do(run.pk)
    run.refresh_from_db()
    return run
