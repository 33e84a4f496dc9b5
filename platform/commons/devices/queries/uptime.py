"""How steadily devices were heard: the share of the last seven days' quarters of an hour that hold a reading."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from commons.devices.models import QUARTER_S, Device, Rollup

WINDOW = dt.timedelta(days=7)
PERIOD = dt.timedelta(minutes=10)
"""How often a device is expected to report at least; what pages call live."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A device, when it was last heard, and the share of seven days in which it was."""

    device: Device
    last: dt.datetime
    uptime: float


def heard(devices: Collection[Device], now: dt.datetime) -> list[Heard]:
    """The devices that were ever heard; one query. A device younger than seven days was not heard before."""
    known = {device.number: device for device in devices if device.last_seen_at is not None}
    quarter = dt.timedelta(seconds=QUARTER_S)
    until = now - (now - dt.datetime.min.replace(tzinfo=dt.UTC)) % quarter
    rows = (
        Rollup.objects.filter(
            device__number__in=list(known), step_s=QUARTER_S, start__gte=until - WINDOW, start__lt=until, count__gt=0
        )
        .values("device__number")
        .annotate(quarters=Count("start", distinct=True))
        .values_list("device__number", "quarters")
    )
    found = dict(rows)
    whole = WINDOW // quarter
    return [
        Heard(device, device.last_seen_at, found.get(number, 0) / whole)
        for number, device in known.items()
        if device.last_seen_at is not None
    ]
