"""What the room hears from the ground floor."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from commons.devices.models import Device
from commons.devices.signals import readings_stored
from designs.models import Design, Release
from labs.models import Job
from labs.services import courses, jobs, production
from labs.services.jobs import origin


@receiver(readings_stored, dispatch_uid="labs.readings_came")
def readings_came(sender: Any, device: Device, start: dt.datetime, end: dt.datetime, **_: Any) -> None:
    """Late readings change the kWh of jobs that are over."""
    jobs.readings_came(device=device, start=start, end=end)


@receiver(post_save, sender=Design, dispatch_uid="labs.design_saved")
def design_saved(sender: Any, instance: Design, update_fields: Any = None, **_: Any) -> None:
    """A push has been read: a course among the designs is read again."""
    if update_fields is not None and "head" in update_fields:
        transaction.on_commit(lambda: courses.design_changed(instance))


@receiver(post_save, sender=Release, dispatch_uid="labs.design_released")
def design_released(sender: Any, instance: Release, created: bool = False, **_: Any) -> None:
    """A release came: it is what is taught now."""
    if created:
        transaction.on_commit(lambda: courses.design_changed(instance.design))


@receiver(post_save, sender=Job, dispatch_uid="labs.job_saved")
def job_saved(sender: Any, instance: Job, **_: Any) -> None:
    """Whoever changed a job: what stays of its file is written down, and its day is summed anew."""
    origin.note(job=instance)
    if instance.outcome == Job.Outcome.FINISHED or instance.counted_on is not None:
        production.changed(job=instance)


@receiver(post_delete, sender=Job, dispatch_uid="labs.job_deleted")
def job_deleted(sender: Any, instance: Job, **_: Any) -> None:
    """A job went: its day is summed anew."""
    production.gone(job=instance)
