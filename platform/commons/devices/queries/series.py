"""Curves: readings as they came, or folded into steps."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Min, Sum
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from commons.devices import channels
from commons.devices.errors import Unreadable
from commons.devices.models import HOUR_S, QUARTER_S, Device, Rollup

MAX_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Point:
    """A step of a curve. Without readings mean, min and max are None; `energy_wh` from 15 minutes up."""

    start: dt.datetime
    count: int
    mean: float | None
    min: float | None
    max: float | None
    energy_wh: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as it came."""

    ts: dt.datetime
    seq: int
    value: float


def series(device: Device, channel: str, start: dt.datetime, end: dt.datetime, step_s: int) -> list[Point]:
    """The curve of a channel by name ("power_w") from start until end in steps of `step_s` seconds.

    Steps are aligned to 1970 UTC and empty ones are left out. Multiples of 900 s come from the rollups,
    others from the readings. At most MAX_POINTS; raises Unreadable for more, or for a step below one second.
    """
    if step_s < 1 or (end - start).total_seconds() / step_s > MAX_POINTS:
        raise Unreadable(_("Ask for at most %(n)d steps of at least one second.") % {"n": MAX_POINTS})
    number = channels.number_of(channel)
    if number is None or end <= start:
        return []
    return (_from_readings if step_s % QUARTER_S else _from_rollups)(device, number, start, end, step_s)


def _from_rollups(device: Device, channel: int, start: dt.datetime, end: dt.datetime, step_s: int) -> list[Point]:
    of_rows = QUARTER_S if step_s % HOUR_S else HOUR_S
    rows = Rollup.objects.filter(
        device=device, channel=channel, step_s=of_rows, start__gte=start, start__lt=end
    ).order_by("start")
    if of_rows == step_s:
        return [Point(r.start, r.count, r.mean, r.min, r.max, r.energy_wh) for r in rows]
    bins = (
        rows.order_by()
        .values(bin=RawSQL("date_bin(make_interval(secs => %s), start, 'epoch')", [float(step_s)]))
        .annotate(n=Sum("count"), sum=Sum("total"), low=Min("min"), high=Max("max"), wh=Sum("energy_wh"))
        .order_by("bin")
    )
    return [Point(b["bin"], b["n"], b["sum"] / b["n"] if b["n"] else None, b["low"], b["high"], b["wh"]) for b in bins]


def _from_readings(device: Device, channel: int, start: dt.datetime, end: dt.datetime, step_s: int) -> list[Point]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT date_bin(make_interval(secs => %s), ts, 'epoch') AS bin,
                count(*), avg(value), min(value), max(value)
            FROM devices_reading
            WHERE device = %s AND channel = %s AND flags = 0 AND ts >= %s AND ts < %s
            GROUP BY bin ORDER BY bin""",
            [float(step_s), device.number, channel, start, end],
        )
        return [Point(at, n, mean, low, high, None) for at, n, mean, low, high in cursor.fetchall()]


def readings(
    device: Device, channel: str, start: dt.datetime, end: dt.datetime, limit: int = MAX_POINTS
) -> list[Reading]:
    """The first `limit` readings from start until end as they came, in the order of (ts, seq)."""
    number = channels.number_of(channel)
    if number is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT ts, seq, value FROM devices_reading
            WHERE device = %s AND channel = %s AND flags = 0 AND ts >= %s AND ts < %s
            ORDER BY ts, seq LIMIT %s""",
            [device.number, number, start, end, limit],
        )
        return [Reading(*row) for row in cursor.fetchall()]
