"""What the room hears from the ground floor."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from commons.devices.news import teller
from commons.devices.queries.often import ask
from commons.devices.queries.raw import array
from commons.devices.signals import Stored, group_stored
from designs.models import Design, Release
from labs.models import Job
from labs.services import courses, jobs, production
from labs.services.jobs import energy, origin

log = logging.getLogger(__name__)

#: What a save of a design changes when it has new files or is shown to more people.
ARRIVES = {"head", "visibility", "hidden_at", "deleted_at"}


CONCERNED = """SELECT DISTINCT device_id FROM labs_job
    WHERE device_id = ANY(%s::uuid[]) AND finished_at >= %s::timestamptz AND started_at <= %s::timestamptz
    UNION SELECT device_id FROM labs_powermeter WHERE device_id = ANY(%s::uuid[])"""


@receiver(group_stored, dispatch_uid="labs.readings_came")
def readings_came(sender: Any, stored: Sequence[Stored], **_: Any) -> None:
    """Late readings change the kWh of jobs that are over; one question tells which devices have such jobs."""
    devices = array(one.device.pk for one in stored)
    first, last = min(one.start for one in stored), max(one.end for one in stored)
    [rows] = ask((CONCERNED, [devices, first - energy.EDGE, last + energy.EDGE, devices]))
    concerned = {row[0] for row in rows}
    for one in stored:
        if one.device.pk in concerned:
            jobs.readings_came(device=one.device, start=one.start, end=one.end)


@receiver(post_save, sender=Design, dispatch_uid="labs.design_saved")
def design_saved(sender: Any, instance: Design, update_fields: Any = None, **_: Any) -> None:
    """A push has been read: a course among the designs is read again."""
    if update_fields is not None and "head" in update_fields:
        transaction.on_commit(lambda: courses.design_changed(instance))
    if update_fields is not None and ARRIVES & set(update_fields):
        transaction.on_commit(lambda: _arrived(instance.pk))


def _arrived(design: int) -> None:
    """Jobs that nobody knew are proven again by a worker; when the bell does not ring, the hourly sweep finds them."""
    from labs.proof_tasks import design_arrived  # noqa: PLC0415 tasks import services

    try:
        design_arrived.apply_async((design,), queue="default", retry=False)
    except Exception:
        log.warning("the bell for design %s did not ring; the sweep will find its jobs", design, exc_info=True)


@receiver(post_save, sender=Release, dispatch_uid="labs.design_released")
def design_released(sender: Any, instance: Release, created: bool = False, **_: Any) -> None:
    """A release came: it is what is taught now."""
    if created:
        transaction.on_commit(lambda: courses.design_changed(instance.design))


@receiver(post_save, sender=Job, dispatch_uid="labs.job_saved")
def job_saved(sender: Any, instance: Job, **_: Any) -> None:
    """Whoever changed a job: what stays of its file is written down, and its day is summed anew."""
    device = instance.device_id
    transaction.on_commit(lambda: teller.tell(device), robust=True)  # boards that stand open
    if origin.note(job=instance) and instance.outcome == Job.Outcome.FINISHED and instance.settle_at is None:
        Job.objects.filter(pk=instance.pk).update(settle_at=timezone.now())  # its passport says it too
    if instance.outcome == Job.Outcome.FINISHED or instance.counted_on is not None:
        production.changed(job=instance)


@receiver(post_delete, sender=Job, dispatch_uid="labs.job_deleted")
def job_deleted(sender: Any, instance: Job, **_: Any) -> None:
    """A job went: its day is summed anew."""
    production.gone(job=instance)
