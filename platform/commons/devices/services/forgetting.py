"""What a household's own device reported goes with the household."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from commons.devices import channels
from commons.devices.models import Device, LastValue, Rollup, Stretch


@transaction.atomic
def forget_readings(*, devices: Sequence[Device]) -> int:
    """Delete everything that these devices ever reported; how many readings. The devices themselves stay."""
    numbers = [device.number for device in devices]
    if not numbers:
        return 0
    for model in (LastValue, Rollup, Stretch):
        model._base_manager.filter(device__in=list(devices)).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_reading WHERE device = ANY(%s)", [numbers])
        return int(cursor.rowcount)


def readings(device: Device, since: dt.date, until: dt.date | None) -> Iterator[Sequence[Any]]:
    """Raw readings of a device from a day on until another: (time, channel, value), oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ts, channel, value FROM devices_reading"
            " WHERE device = %s AND ts >= %s AND (%s::date IS NULL OR ts < %s) ORDER BY ts, seq",
            [device.number, since, until, until],
        )
        while some := cursor.fetchmany(5_000):
            names = channels.slugs_of({channel for _at, channel, _value in some})
            for at, channel, value in some:
                yield at, names[channel], value
