"""Is the city alive, and is it ready?"""

import logging
import shutil
import time
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commons import sockets
from commons.runs.signals import valkey
from commons.sockets import Health

log = logging.getLogger(__name__)

LEAST_FREE_MB = 100


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Each dependency; 503 when one is bad."""
    checks = {check.slug: _ask(check) for check in sockets.health_checks}
    ready = all(answer["ok"] for answer in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _ask(check: sockets.HealthCheck) -> dict[str, Any]:
    began = time.monotonic()
    try:
        health = check.check()
    except Exception as fault:
        log.warning("the health check %s failed", check.slug, exc_info=True)
        health = Health(False, f"The check itself failed: {type(fault).__name__}.")
    took_ms = round((time.monotonic() - began) * 1000, 1)
    return {"ok": health.ok, "sentence": str(health.sentence), "took_ms": took_ms, **health.data}


def database() -> Health:
    """PostgreSQL answers a question."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        row = cursor.fetchone()
    return Health(True, f"PostgreSQL {row[0] if row else '?'} answers.")


def broker() -> Health:
    """Valkey takes a ping."""
    valkey().ping()
    return Health(True, "Valkey answers.")


def disk() -> Health:
    """The data folder's disk has room to write."""
    free_mb = shutil.disk_usage(settings.DATA_DIR).free // 2**20
    return Health(free_mb >= LEAST_FREE_MB, f"{free_mb} MB are free for the city's data.", {"free_mb": free_mb})
