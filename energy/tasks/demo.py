"""The demonstration goes on by itself."""

from celery import shared_task
from django.conf import settings

BEAT = {
    "energy.demo_tick": {"task": "energy.demo_tick", "schedule": 60.0, "options": {"queue": "ingest", "expires": 50}},
}
"""Entries for CELERY_BEAT_SCHEDULE."""


@shared_task(name="energy.demo_tick")
def demo_tick() -> int:
    """The meters of the demonstration community report."""
    if not settings.DEMO:
        return 0
    from energy import demo_life  # noqa: PLC0415 numpy is loaded where there is a demonstration

    return demo_life.tick()
