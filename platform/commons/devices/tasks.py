"""What beat rings for: the heartbeat, the demo's devices, the days ahead, the days that are no longer kept."""

import dataclasses
import datetime as dt
import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from commons.devices import services
from commons.devices.errors import IngestAway
from commons.devices.services import demo, heartbeat, retention

log = logging.getLogger(__name__)

BEAT = {
    "devices.heartbeat": {
        "task": "devices.heartbeat",
        "schedule": 30.0,
        "options": {"queue": "ingest", "expires": 25},
    },
    "devices.demo_tick": {
        "task": "devices.demo_tick",
        "schedule": 30.0,
        "options": {"queue": "ingest", "expires": 25},
    },
    "devices.days_ahead": {
        "task": "devices.days_ahead",
        "schedule": 3600.0,
        "options": {"queue": "ingest", "expires": 3000},
    },
    "devices.retention": {
        "task": "devices.retention",
        "schedule": 3600.0,
        "options": {"queue": "ingest", "expires": 3000},
    },
}
"""Entries for CELERY_BEAT_SCHEDULE."""


@shared_task(name="devices.heartbeat")
def beat() -> None:
    """A reading goes through the whole ingest; one that cannot is missed, and its age is seen."""
    try:
        heartbeat.beat()
    except IngestAway as refusal:
        log.warning("no heartbeat: %s", refusal.sentence)


@shared_task(name="devices.demo_tick")
def demo_tick() -> int:
    """The demo's devices report."""
    return demo.tick() if settings.DEMO else 0


@shared_task(name="devices.days_ahead")
def days_ahead() -> int:
    """The partitions of today and the next two days."""
    today = timezone.now().date()
    return services.ensure_days(today + dt.timedelta(days=n) for n in range(3))


MOST_DAYS_AT_ONCE = 10
"""So that the first run of an old city does not keep the worker from the heartbeat; the next hour goes on."""


@shared_task(name="devices.retention")
def keep_to_policy() -> dict[str, int]:
    """Old readings go, by the policy."""
    return dataclasses.asdict(retention.run(most_days=MOST_DAYS_AT_ONCE))
