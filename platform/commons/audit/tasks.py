"""What beat rings for: rows that nobody sealed, and the head of the day."""

from celery import shared_task

from commons.audit import services

BEAT = {
    "audit.seal": {"task": "audit.seal", "schedule": 30.0, "options": {"expires": 30}},
    "audit.publish": {"task": "audit.publish", "schedule": 3600.0, "options": {"expires": 3600}},
}


@shared_task(name="audit.seal")
def seal() -> int:
    """Every half minute: whoever wrote a row usually sealed it; this is for those who met another at it."""
    return services.seal()


@shared_task(name="audit.publish")
def publish() -> bool:
    """Every hour; the first of a day (UTC) publishes."""
    return services.publish() is not None
