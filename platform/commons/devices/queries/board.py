"""Many devices at once, for boards that show them side by side."""

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S, Device
from commons.devices.queries.series import Point


def curves(
    devices: Iterable[Device], channel: str, start: dt.datetime, end: dt.datetime, step_s: int
) -> dict[Device, list[Point]]:
    """The curves of a channel of many devices from their readings, in one query; [] for one that never
    reported.
    """
    found: dict[Device, list[Point]] = {device: [] for device in devices}
    number = channels.number_of(channel)
    if number is None or not found:
        return found
    of_number = {device.number: device for device in found}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device, date_bin(make_interval(secs => %s), ts, 'epoch') AS bin,
                count(*), avg(value), min(value), max(value)
            FROM devices_reading
            WHERE device = ANY(%s) AND channel = %s AND flags = 0 AND ts >= %s AND ts < %s
            GROUP BY device, bin ORDER BY device, bin""",
            [float(step_s), list(of_number), number, start, end],
        )
        for of, at, n, mean, low, high in cursor.fetchall():
            found[of_number[of]].append(Point(at, n, mean, low, high, None))
    return found


def hours_of(
    devices: Iterable[Device], channel: str, start: dt.datetime, end: dt.datetime
) -> dict[Device, list[Point]]:
    """The hours of a channel of many devices, in one query of the rollups; [] for one that never reported."""
    return _rolled(devices, channel, start, end, HOUR_S)


def quarters_of(
    devices: Iterable[Device], channel: str, start: dt.datetime, end: dt.datetime
) -> dict[Device, list[Point]]:
    """The quarters of an hour of a channel of many devices, as `hours_of`."""
    return _rolled(devices, channel, start, end, QUARTER_S)


def _rolled(
    devices: Iterable[Device], channel: str, start: dt.datetime, end: dt.datetime, step_s: int
) -> dict[Device, list[Point]]:
    found: dict[Device, list[Point]] = {device: [] for device in devices}
    number = channels.number_of(channel)
    if number is None or not found:
        return found
    of_number = {device.number: device for device in found}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device_id, start, count, mean, min, max, energy_wh FROM devices_rollup
            WHERE device_id = ANY(%s) AND channel = %s AND step_s = %s AND start >= %s AND start < %s
            ORDER BY device_id, start""",
            [list(of_number), number, step_s, start, end],
        )
        for of, *point in cursor.fetchall():
            found[of_number[of]].append(Point(*point))
    return found
