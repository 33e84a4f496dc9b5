"""What the clock rings for after jobs have ended: figures that are due, passports, their signatures, the days' sums."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from commons.runs.registry import Inputs, Job, Outcome, kind

log = logging.getLogger(__name__)
#: Of fifty each; what is left is signed a minute later.
MOST_ROUNDS = 100
BEAT: dict[str, Any] = {
    "labs.settle_jobs": {
        "task": "labs.settle_jobs",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 55},
    },
}


@shared_task(name="labs.settle_jobs")
def settle_jobs() -> dict[str, int]:
    """Each minute: the figures and passports of jobs whose readings are in, and the sums of their days."""
    from labs.services import passports, production  # noqa: PLC0415 services need the models

    told = passports.settle_due(timezone.now())
    return {**told, "days": production.sum_days()}


@kind("labs.sign_passports", queue="default", engine_version="1")
def sign_passports(job: Job, _inputs: Inputs) -> Outcome:
    """Sign every passport that says something new. What changes while one is signed makes it due again."""
    from labs.services import passports  # noqa: PLC0415

    count = 0
    for _nth in range(MOST_ROUNDS):
        signed = passports.sign_some(most=50)
        count += signed
        if not signed:
            break
        job.progress(min(count / (count + 50), 0.99))
    return Outcome({"passports": count})
