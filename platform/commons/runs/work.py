"""Doing a run: claim it, keep the lease while its function works, then end it once."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from commons.errors import CityError
from commons.runs import registry, services
from commons.runs.errors import LeaseLost
from commons.runs.models import Run
from commons.watching import measures, tracing

log = logging.getLogger(__name__)

HEARTBEAT_S = services.LEASE.total_seconds() / 4


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


def _heartbeat(run: Run, stop: threading.Event) -> None:
    """Extend the lease while the function computes without a word."""
    try:
        while not stop.wait(HEARTBEAT_S):
            try:
                if not services.extend(run=run):
                    return
            except Exception:
                log.warning("the lease of run %s could not be extended", run.pk, exc_info=True)
                connection.close()
    finally:
        connection.close()


def do(run_id: UUID | str) -> bool:
    """Work on the run if nobody else does; whether this call did it."""
    run = services.claim(run_id=str(run_id))
    if run is None:
        return False
    with _watched(run):
        _work_on(run)
    return True


def _work_on(run: Run) -> None:
    stop = threading.Event()
    heart = threading.Thread(target=_heartbeat, args=(run, stop), daemon=True)
    heart.start()
    try:
        outcome = registry.find(run.kind).work(Worker(run), run.inputs)
        services.finish(run=run, outcome=outcome)
    except LeaseLost:
        measures.count("city_leases_lost_total", kind=run.kind)
        log.warning("run %s was taken over by another worker", run.pk)
    except CityError as refusal:
        services.fail(run=run, error=refusal)
    except Exception as fault:
        log.exception("run %s (%s) failed", run.pk, run.kind)
        services.fail(run=run, error=fault)
    finally:
        stop.set()
        heart.join()


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    """The run belongs to the trace of who started it; how long it took is counted."""
    began = time.monotonic()
    with tracing.span(f"run {run.kind}", tracing.CONSUMER, parent=tracing.read(run.traceparent)) as span:
        span.attributes |= {"run.id": str(run.pk), "run.kind": run.kind, "run.attempt": run.attempts}
        yield
    measures.observe("city_run_seconds", time.monotonic() - began, kind=run.kind)


def inline(**start: Any) -> Run:
    """Start a run (with the arguments of `services.start`) and do it in this process; answers it when it is over."""
    run = services.start(**start, bell=False)
    do(run.pk)
    run.refresh_from_db()
    return run
