"""What `/readyz` asks of the ground floor: database, Valkey, a worker that works, readings that arrive."""

import logging
import time

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _

from commons.devices import queries
from commons.sockets import Health, HealthCheck, health_checks

log = logging.getLogger(__name__)

OLD_S = 120.0
"""A heartbeat comes every 30 s; four missed are a fault."""
WORKER_KEY = "city:worker-heartbeat"


def worker_was_here() -> None:
    """A worker says that it works; kept in Valkey, where it may be lost."""
    try:
        cache.set(WORKER_KEY, time.time(), timeout=3600)
    except Exception:
        log.warning("a worker is here, but Valkey is away", exc_info=True)


def check_database() -> Health:
    """PostgreSQL answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
    except Exception as error:
        return Health(False, _("The database does not answer: %(why)s") % {"why": type(error).__name__})
    return Health(True, _("PostgreSQL %(v)s answers.") % {"v": version}, {"version": version})


def check_valkey() -> Health:
    """Valkey takes a value and gives it back."""
    try:
        mark = time.monotonic_ns()
        cache.set("city:ready", mark, timeout=60)
        if cache.get("city:ready") is None:
            return Health(False, _("Valkey forgot what it was told."))
    except Exception as error:
        return Health(False, _("Valkey does not answer: %(why)s") % {"why": type(error).__name__})
    return Health(True, _("Valkey answers."))


def check_worker() -> Health:
    """Beat rang and a worker came, not long ago."""
    try:
        at = cache.get(WORKER_KEY)
    except Exception:
        at = None
    if at is None:
        return Health(False, _("No worker has been heard of yet."))
    age_s = round(time.time() - at, 1)
    return Health(age_s <= OLD_S, _("A worker was heard %(s)s s ago.") % {"s": age_s}, {"age_s": age_s})


def check_ingest() -> Health:
    """The newest heartbeat reading that went through the whole ingest."""
    try:
        age = queries.heartbeat_age()
    except Exception as error:
        return Health(False, _("The readings cannot be read: %(why)s") % {"why": type(error).__name__})
    if age is None:
        return Health(False, _("No heartbeat reading has been stored yet."))
    age_s = round(age, 1)
    sentence = _("The newest heartbeat reading is %(s)s s old.") % {"s": age_s}
    return Health(age_s <= OLD_S, sentence, {"age_s": age_s})


def plug_in() -> None:
    """Register the checks."""
    health_checks.register(HealthCheck("database", check_database, order=10))
    health_checks.register(HealthCheck("valkey", check_valkey, order=20))
    health_checks.register(HealthCheck("worker", check_worker, order=30))
    health_checks.register(HealthCheck("ingest", check_ingest, order=40))
