"""Backups by the clock, and the weekly drill; staff is told when either fails or is too late."""

import datetime as dt
from typing import Any

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from commons.errors import CityError
from commons.notices.services import tell
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from livingcity.backups import drills, making, shelf
from livingcity.backups.errors import BackupDamaged
from livingcity.backups.telling import state, summary

MAKE, DRILL = "backups.make", "backups.drill"
TITLES = {MAKE: gettext_lazy("Backup of the city"), DRILL: gettext_lazy("Drill: a backup restored on trial")}
NOTICE = "city.backup"
#: What went wrong is tried again after so long, not each hour.
PAUSE = dt.timedelta(hours=6)
BEAT: dict[str, Any] = {
    "backups.look": {"task": "backups.look", "schedule": 900.0, "options": {"expires": 800}},
}
"""Looked at each quarter of an hour, which is nothing where BACKUP_TO is not set."""


@shared_task(name="backups.look")
def look() -> str:
    """Start what is due, one thing at a time, and tell staff what is wrong; which run was started."""
    if not settings.BACKUP_TO:
        return ""
    found = state()
    for alarm in found.alarms if found.backups else ():  # the first one is only about to be made
        warn(alarm)
    if under_way():
        return ""
    now = timezone.now()
    if not found.backups or now - shelf.made_at(found.backups[-1]) >= dt.timedelta(hours=settings.BACKUP_EVERY_HOURS):
        return begin(MAKE) if _rested(MAKE, now) else ""
    drilled = dt.datetime.fromisoformat(found.drill["at"]) if found.drill else None
    every = dt.timedelta(days=settings.BACKUP_DRILL_DAYS)
    if every and (drilled is None or now - drilled >= every) and _rested(DRILL, now):
        return begin(DRILL)
    return ""


def under_way() -> Run | None:
    """The backup or drill that is at work."""
    return Run.objects.filter(kind__in=TITLES, status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).first()


def _rested(what: str, now: dt.datetime) -> bool:
    failed = Run.objects.filter(kind=what, status=Run.Status.FAILED, finished_at__gt=now - PAUSE)
    return not failed.exists()


def begin(what: str, by: User | None = None) -> str:
    """Start a backup or a drill."""
    runs.start(kind=what, inputs={}, title=said(TITLES[what]), subject="livingcity.backups", owner=by)
    return what


@kind(MAKE, queue="simulations", max_attempts=1)
def make(job: Job, _inputs: Inputs) -> Outcome:
    """Make one."""
    try:
        made, gone = making.make(shelf.chosen(), keep=settings.BACKUP_KEEP, say=job.progress)
    except CityError as refusal:
        warn(str(refusal.sentence))
        raise
    return Outcome({**summary(made), "removed": gone})


@kind(DRILL, queue="simulations", max_attempts=1)
def drill(job: Job, _inputs: Inputs) -> Outcome:
    """Restore the newest on trial. One that cannot be restored is a run that failed."""
    newest = state().backups[-1:]
    if not newest:
        raise BackupDamaged(gettext_lazy("There is no backup yet."))
    found = drills.drill(newest[0], say=job.progress)
    if not found["ok"]:
        warn(str(found["sentence"]))
        raise BackupDamaged(found["sentence"])
    return Outcome(found)


def warn(sentence: str) -> None:
    """A notice for every member of staff; a second one waits until the first is read."""
    staff = User.objects.filter(is_staff=True, is_active=True)
    with translation.override(settings.LANGUAGE_CODE):
        url = reverse("backups")
    tell(
        people=staff, kind=NOTICE, text=said(gettext_lazy("Backups need you: %(why)s"), why=sentence[:200]), url=url,
        about="backups",
    )  # fmt: skip
