"""What beat rings for: votes open, close and take effect by the clock."""

from celery import shared_task

from commons.decisions import services

BEAT = {"decisions.advance": {"task": "decisions.advance", "schedule": 30.0, "options": {"expires": 30}}}


@shared_task(name="decisions.advance")
def advance() -> None:
    """Every half minute, by beat."""
    services.advance_all()
