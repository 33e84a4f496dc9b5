"""What the page of operations shows."""

import datetime as dt
import time
from typing import Any

import redis
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from commons import sockets
from commons.runs import workers
from commons.runs.models import Run
from commons.runs.signals import waiting
from commons.sockets import Health
from commons.watching import shared
from commons.watching.measures import BUCKETS_S

MOST = 30
DAY = dt.timedelta(days=1)


def checks() -> list[dict[str, Any]]:
    """Each check of `/readyz` with its sentence."""
    return [{"slug": check.slug, "health": _health(check)} for check in sockets.health_checks]


def _health(check: sockets.HealthCheck) -> Health:
    try:
        return check.check()
    except Exception as fault:
        return Health(False, type(fault).__name__)


def open_runs() -> QuerySet[Run]:
    """What is worked on and what waits, the oldest first."""
    still = Run.objects.filter(status__in=[Run.Status.RUNNING, Run.Status.QUEUED])
    return still.order_by("-status", "created_at")[:MOST]


def failed_runs() -> QuerySet[Run]:
    """What failed in the last day, the newest first."""
    since = timezone.now() - DAY
    return Run.objects.filter(status=Run.Status.FAILED, finished_at__gte=since).order_by("-finished_at")[:MOST]


def queues() -> list[dict[str, Any]]:
    """The queues: how many rings stand in each and who takes them; empty when Valkey is away."""
    try:
        taken, alive = workers.queues(), workers.alive()
    except redis.RedisError:
        return []
    return [
        {
            "name": queue,
            "rings": waiting(queue),
            "workers": [{"name": name, "age_s": alive.get(name)} for name, takes in taken.items() if queue in takes],
        }
        for queue in settings.QUEUES
    ]


def processes() -> list[dict[str, Any]]:
    """What each process says of itself; empty when Valkey is away."""
    try:
        told = shared.told()
    except redis.RedisError:
        return []
    return [_process(name, said) for name, said in told.items()]


def _process(name: str, said: dict[str, Any]) -> dict[str, Any]:
    role, _, rest = name.partition(":")
    plain = {measure: value for measure, labels, value in said["plain"] if not labels}
    counted = [row for row in said["plain"] if row[0] == "city_http_requests_total"]
    faults = sum(value for _n, labels, value in counted if dict(labels)["status"].startswith("5"))
    return {
        "role": role,
        "where": rest,
        "memory_mb": round(plain.get("city_process_memory_bytes", 0) / 1e6),
        "files": int(plain.get("city_process_open_files", 0)),
        "since": dt.datetime.fromtimestamp(plain.get("city_process_started_seconds", time.time()), dt.UTC),
        "requests": int(sum(value for _n, _labels, value in counted)),
        "faults": int(faults),
    }


def slowest_routes() -> list[dict[str, Any]]:
    """The routes that took most of the time of all processes since they began."""
    sums: dict[str, tuple[float, list[int]]] = {}
    try:
        told = shared.told()
    except redis.RedisError:
        return []
    for said in told.values():
        for name, labels, buckets, total_s in said["histograms"]:
            if name == "city_http_request_seconds":
                route = dict(labels)["route"]
                before_s, before = sums.get(route, (0.0, [0] * len(buckets)))
                sums[route] = before_s + total_s, [a + b for a, b in zip(before, buckets, strict=True)]
    rows = [_route(route, total_s, buckets) for route, (total_s, buckets) in sums.items()]
    return sorted(rows, key=lambda row: row["total_s"], reverse=True)[:10]


def _route(route: str, total_s: float, buckets: list[int]) -> dict[str, Any]:
    count = sum(buckets)
    return {
        "route": route,
        "count": count,
        "mean_ms": round(1000 * total_s / count, 1) if count else 0.0,
        "p95": _p95(buckets),
        "total_s": total_s,
    }


def _p95(buckets: list[int]) -> str:
    """The bucket in which the 95th of a hundred lies, as “≤ 50 ms”."""
    need, so_far = 0.95 * sum(buckets), 0
    for bound, inside in zip(BUCKETS_S, buckets, strict=False):
        so_far += inside
        if so_far >= need:
            return f"≤ {bound * 1000:g} ms"
    return f"> {BUCKETS_S[-1]:g} s"


def faults() -> list[dict[str, Any]]:
    """The newest faults that were written down; empty when Valkey is away."""
    try:
        found = shared.faults()[:MOST]
    except redis.RedisError:
        return []
    return [fault | {"when": dt.datetime.fromtimestamp(fault["at"], dt.UTC)} for fault in found]
