"""What the room hears from the ground floor."""

import datetime as dt
from typing import Any

from django.dispatch import receiver

from commons.devices.models import Device
from commons.devices.signals import readings_stored
from labs.services import jobs


@receiver(readings_stored, dispatch_uid="labs.readings_came")
def readings_came(sender: Any, device: Device, start: dt.datetime, end: dt.datetime, **_: Any) -> None:
    """Late readings change the kWh of jobs that are over."""
    jobs.readings_came(device=device, start=start, end=end)
