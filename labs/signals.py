"""What the room hears from the ground floor."""

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from commons.devices.models import Device
from commons.devices.signals import readings_stored
from designs.models import Design, Release
from labs.services import courses, jobs

log = logging.getLogger(__name__)

#: What a save of a design changes when it has new files or is shown to more people.
ARRIVES = {"head", "visibility", "hidden_at", "deleted_at"}


@receiver(readings_stored, dispatch_uid="labs.readings_came")
def readings_came(sender: Any, device: Device, start: dt.datetime, end: dt.datetime, **_: Any) -> None:
    """Late readings change the kWh of jobs that are over."""
    jobs.readings_came(device=device, start=start, end=end)


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
