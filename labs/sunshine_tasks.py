"""What beat rings for the sun: plans and flexible bookings, what machines draw, what came of each day."""

from celery import shared_task
from django.utils import timezone

BEAT = {
    "labs.sunshine": {
        "task": "labs.sunshine",
        "schedule": 600.0,
        "options": {"queue": "simulations", "expires": 550},
    },
    "labs.sun_days": {
        "task": "labs.sun_days",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3000},
    },
}


@shared_task(name="labs.sunshine")
def sunshine() -> dict[str, int]:
    """Every ten minutes: planned load, outlook, flexible bookings; how many of each changed."""
    from labs.services import sunshine as services  # noqa: PLC0415 models must be loaded first

    return services.round_(timezone.now())


@shared_task(name="labs.sun_days")
def sun_days() -> dict[str, int]:
    """Each hour: what machines draw is learned, plans are set beside what was measured, past days settled."""
    from labs.services import planning, sunshine  # noqa: PLC0415 models must be loaded first

    now = timezone.now()
    return {
        "measured": planning.note_measured(now),
        "profiles": planning.learn(now),
        "days": sunshine.settle_due(now),
    }
