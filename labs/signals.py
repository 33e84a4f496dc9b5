"""What the room hears from the ground floor."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from commons.devices.signals import Stored, group_stored
from designs.models import Design, Release
from labs.services import courses, jobs
from labs.services.jobs import energy


@receiver(group_stored, dispatch_uid="labs.readings_came")
def readings_came(sender: Any, stored: Sequence[Stored], **_: Any) -> None:
    """Late readings change the kWh of jobs that are over; one question tells which devices have such jobs."""
    with connection.cursor() as cursor:  # with every group of readings: worth no query builder
        cursor.execute(
            """SELECT DISTINCT device_id FROM labs_job
            WHERE device_id = ANY(%s) AND finished_at >= %s AND started_at <= %s""",
            [
                [one.device.pk for one in stored],
                min(one.start for one in stored) - energy.EDGE,
                max(one.end for one in stored) + energy.EDGE,
            ],
        )
        concerned = {row[0] for row in cursor.fetchall()}
    for one in stored:
        if one.device.pk in concerned:
            jobs.readings_came(device=one.device, start=one.start, end=one.end)


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
