"""Demo devices report like real ones: simulated readings through the real ingest."""

import datetime as dt

from django.utils import timezone

from commons.devices import queries
from commons.devices.models import Device
from commons.devices.services.devices import delete_devices
from commons.devices.services.ingest import MAX_READINGS, ingest

TICK_S = 30
CATCH_UP = dt.timedelta(days=2)
COUNTED_BEFORE = dt.timedelta(days=60)


def counter_start(device: Device) -> dt.date:
    """The day on which the simulated counter of a demo device stood at zero."""
    return (device.created_at - COUNTED_BEFORE).date()


def report(*, device: Device, start: dt.datetime, end: dt.datetime, step_s: int = TICK_S) -> int:
    """Let a demo device report from `start` to `end` (inclusive) every `step_s`; how many readings.

    What it reports is `simulator`'s curve of (device.kind, seed_of(device.hardware_id)); the present goes on
    where the past ended.
    """
    from commons.devices import simulator  # noqa: PLC0415 the web process starts without numpy

    whole = start.replace(microsecond=0)
    count = int((end - whole).total_seconds() // step_s) + 1
    moments = [whole + dt.timedelta(seconds=step_s * n) for n in range(count)]
    made = simulator.readings(
        device.kind,
        simulator.seed_of(device.hardware_id),
        since=counter_start(device),
        moments=moments,
        first_seq=queries.next_seq(device),
    )
    items = list(made)
    for at in range(0, len(items), MAX_READINGS):
        ingest(device=device, readings=items[at : at + MAX_READINGS])
    return len(items)


def tick() -> int:
    """Let each active demo device report what happened since it last did; how many readings."""
    now = timezone.now()
    known = queries.last_values(queries.demo_devices())
    told = 0
    for device, values in known.items():
        if "power_w" not in values:
            told += report(device=device, start=now, end=now)
            continue
        start = max(values["power_w"].ts + dt.timedelta(seconds=TICK_S), now - CATCH_UP)
        if start <= now:
            told += report(device=device, start=start, end=now)
    return told


def remove_demo_devices() -> int:
    """Take all demo devices away with what they reported; how many."""
    devices = list(Device.objects.filter(demo=True))
    delete_devices(devices=devices)
    return len(devices)
