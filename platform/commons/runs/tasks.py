"""The bell, and the sweep that rings for what was forgotten."""

from celery import shared_task

from commons.runs import services
from commons.runs.work import do

#: What beat rings, and every how many seconds (the `BEAT` of every app's tasks is collected by livingcity.celery).
BEAT = {"runs.sweep": {"task": "runs.sweep", "schedule": 5.0, "options": {"expires": 10}}}


@shared_task(name="runs.work")
def work(run_id: str) -> None:
    """Work on a run."""
    do(run_id)


@shared_task(name="runs.sweep")
def sweep() -> None:
    """Every five seconds, by beat."""
    services.sweep()
