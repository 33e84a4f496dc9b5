"""What is looked at only when somebody asks: queues, runs, workers, the heartbeat, PostgreSQL, the disk, the checks."""

import logging
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.db.models.functions import Now

from commons import sockets
from commons.devices import queries as devices
from commons.runs import workers
from commons.runs.models import Run
from commons.runs.signals import valkey

log = logging.getLogger(__name__)

Gauge = tuple[str, dict[str, str], float]


def look() -> list[Gauge]:
    """All of it. What does not answer is 0 in `city_up`, and the others are told all the same."""
    found: list[Gauge] = []
    for what, ask in ASKED.items():
        try:
            found += list(ask())
            found.append(("city_up", {"what": what}, 1.0))
        except Exception:
            log.info("%s could not be measured", what, exc_info=True)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            found.append(("city_up", {"what": what}, 0.0))
    return found


def waiting_and_running() -> list[Any]:
    """Open runs by kind and status, and since when the oldest of each is there."""
    still = Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    return list(still.values("kind", "status").annotate(count=Count("pk"), oldest=Min("created_at"), now=Now()))


def _runs() -> Iterator[Gauge]:
    oldest = 0.0
    for row in waiting_and_running():
        name = "city_runs_waiting" if row["status"] == Run.Status.QUEUED else "city_runs_running"
        yield name, {"kind": row["kind"]}, row["count"]
        if row["status"] == Run.Status.QUEUED:
            oldest = max(oldest, (row["now"] - row["oldest"]).total_seconds())
    yield "city_run_oldest_waiting_seconds", {}, oldest


def _queues() -> Iterator[Gauge]:
    taken = workers.queues()
    for queue in settings.QUEUES:
        rings: Any = valkey().llen(queue)
        yield "city_queue_rings", {"queue": queue}, int(rings)
        yield "city_queue_workers", {"queue": queue}, sum(queue in takes for takes in taken.values())
    for name, age_s in workers.alive().items():
        yield "city_worker_beat_age_seconds", {"worker": name}, age_s


def _heartbeat() -> Iterator[Gauge]:
    age = devices.heartbeat_age()
    if age is not None:
        yield "city_heartbeat_age_seconds", {}, round(age, 1)


def _database() -> Iterator[Gauge]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'none'), count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND datname = current_database() GROUP BY 1"
        )
        for state, count in cursor.fetchall():
            yield "city_database_connections", {"state": state}, count
        cursor.execute(
            "SELECT current_setting('max_connections')::int, pg_database_size(current_database()),"
            " coalesce(extract(epoch FROM now() - min(xact_start)), 0)::float FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        most, size, oldest = cursor.fetchone() or (0, 0, 0.0)
    yield "city_database_connections_most", {}, most
    yield "city_database_bytes", {}, size
    yield "city_database_oldest_transaction_seconds", {}, round(float(oldest), 3)


def _disk() -> Iterator[Gauge]:
    room = shutil.disk_usage(settings.DATA_DIR)
    yield "city_disk_free_bytes", {}, room.free
    yield "city_disk_bytes", {}, room.total


def _checks() -> Iterator[Gauge]:
    for check in sockets.health_checks:
        health = _asked(check)
        yield "city_check_ok", {"check": check.slug}, float(health.ok)
        if "alarm" in health.data:  # it needs somebody, and the city serves all the same
            yield "city_check_alarm", {"check": check.slug}, float(bool(health.data["alarm"]))


def _asked(check: sockets.HealthCheck) -> sockets.Health:
    try:
        return check.check()
    except Exception:
        return sockets.Health(False, "")


ASKED: dict[str, Callable[[], Iterator[Gauge]]] = {
    "runs": _runs,
    "queues": _queues,
    "heartbeat": _heartbeat,
    "database": _database,
    "disk": _disk,
    "checks": _checks,
}
