"""The weekly files of what is open."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said

KIND = "opendata.write"
EVERY = dt.timedelta(days=7)
BEAT: dict[str, Any] = {
    "opendata.weekly": {"task": "opendata.weekly", "schedule": 3600.0, "options": {"expires": 3000}},
}
"""Looked at each hour; written when they are a week old, or when what there is has other names."""


@shared_task(name="opendata.weekly")
def weekly() -> bool:
    """Start the run that writes them, if it is time and none is at work; whether it was."""
    from commons.opendata import shelves, writing  # noqa: PLC0415 the rooms must be plugged in

    if Run.objects.filter(kind=KIND, status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).exists():
        return False
    index = writing.current()
    if index is not None:
        young = timezone.now() - dt.datetime.fromisoformat(index["made_at"]) < EVERY
        if young and {data["slug"] for data in index["datasets"]} == {data.slug for data in shelves.everything()}:
            return False
    _start()
    return True


def renewed(say: Callable[[str], None]) -> None:
    """Start a run that writes them as the city is now."""
    _start()
    say("the files of open data are written anew")


def _start() -> None:
    runs.start(kind=KIND, inputs={}, title=said(gettext_lazy("Open data as files")))


@kind(KIND, queue="simulations")
def write(job: Job, _inputs: Inputs) -> Outcome:
    """Write them."""
    from commons.opendata import writing  # noqa: PLC0415 as above

    index = writing.renew(job.progress)
    return Outcome({"datasets": len(index["datasets"])})
