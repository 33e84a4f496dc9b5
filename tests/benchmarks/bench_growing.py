"""What a second worker brings.

    python tests/benchmarks/bench_growing.py [--runs 24] [--days 60] [--homes 40] [--short]

A PostgreSQL and a Valkey, no site. A pile of community simulations (forty homes with sun and batteries, control
`optimal`, sixty days in hours) is put into the queue and done by one Celery worker process; then the same pile by two
workers, each as it would run on a machine of its own: nothing is shared but PostgreSQL and Valkey, and each is held to
a core of its own. Prints runs a minute for both. Both must come to the same results. Ends with 1 when a run fails, when
a result differs, or when two workers do less than 1.6 times the work of one.
"""

import argparse
import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.cities import figure, say
from tests.benchmarks.servers import city

LEAST = 1.6
PATIENCE_S = 1200.0


@contextmanager
def workers(count: int) -> Iterator[None]:
    """So many workers, each on a core of its own, while the block runs."""
    from commons.runs import workers as living
    from livingcity.dev.command_line import worker_argv
    from livingcity.dev.processes import child_environment, spawn, stop

    cores = sorted(os.sched_getaffinity(0))
    children = []
    for number in range(count):
        argv = ["taskset", "-c", str(cores[number % len(cores)]), *worker_argv(name=f"machine{number}", processes=1)]
        children.append(spawn(argv, env=child_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")))
    try:
        until = time.monotonic() + 120
        while len(living.alive()) < count:
            if time.monotonic() > until:
                raise TimeoutError("the workers did not come")
            time.sleep(0.2)
        yield
    finally:
        for child in children:
            stop(child)
        with contextlib.suppress(Exception):
            for name in living.alive():
                living.forget(name)


def pile(version: Any, count: int) -> list[Any]:
    """Simulations in the queue."""
    from energy import services

    return [services.start_simulation(version=version, control="optimal").pk for _ in range(count)]


def done(ids: list[Any]) -> tuple[float, str]:
    """Wait until all are over: seconds from the first beginning to the last end, and the hash of what came out."""
    from commons.runs.models import Run

    until = time.monotonic() + PATIENCE_S
    while Run.objects.filter(pk__in=ids, status__in=["queued", "running"]).exists():
        if time.monotonic() > until:
            raise TimeoutError("the runs are not done")
        time.sleep(0.1)
    runs = list(Run.objects.filter(pk__in=ids))
    failed = [run.error for run in runs if run.status != Run.Status.DONE]
    if failed:
        raise RuntimeError(failed[0])
    first = min(run.started_at for run in runs if run.started_at)
    last = max(run.finished_at for run in runs if run.finished_at)
    answers = {json.dumps((run.result or {}).get("totals"), sort_keys=True) for run in runs}
    return (last - first).total_seconds(), hashlib.sha256("\n".join(sorted(answers)).encode()).hexdigest()


def a_minute(version: Any, runs: int, count: int) -> tuple[float, str]:
    """Runs a minute with so many workers, warm; and what came out."""
    with workers(count):
        done(pile(version, 2 * count))  # each has loaded its engine then
        took_s, answers = done(pile(version, runs))
    say(f"{count} worker(s): {runs} simulations in {took_s:.1f} s")
    return runs / took_s * 60, answers


def main() -> None:
    """One worker, two workers, what that brought."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--homes", type=int, default=40)
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    runs, days, homes = (6, 10, 16) if asked.short else (asked.runs, asked.days, asked.homes)
    with city(), tempfile.TemporaryDirectory() as folder:
        from energy import services
        from tests.energy.conftest import write

        version = services.import_folder(folder=write(Path(folder), homes=homes, days=days), slug="bench")
        one, said = a_minute(version, runs, 1)
        two, again = a_minute(version, runs, 2)
    figure("growing_one_worker", one, "runs/min")
    figure("growing_two_workers", two, "runs/min")
    figure("growing_ratio", two / one, "times")
    if said != again:
        say("the results differ")
    sys.exit(0 if said == again and two / one >= LEAST else 1)


if __name__ == "__main__":
    main()
