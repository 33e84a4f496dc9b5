"""Tidying of the web kit."""

from celery import shared_task

from commons.web import idempotent

BEAT = {"web.forget-answers": {"task": "web.forget_answers", "schedule": 3600.0, "options": {"expires": 3600}}}


@shared_task(name="web.forget_answers")
def forget_answers() -> None:
    """Every hour: answers to Idempotency-Keys are kept for a day."""
    idempotent.forget_old()
