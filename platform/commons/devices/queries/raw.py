"""Readings as arrays, and the neighbours of a moment; the rollups are the index that finds them.

A table partitioned by day with BRIN answers "this device between two near moments" well and "the newest
before" badly, so the latter asks the rollups in which quarter of an hour to look.
"""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.models import Device

QUARTER_US = 900 * 1_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = dt.timedelta(microseconds=1)

Row = tuple[int, int, float]
"""A reading: ts in µs since 1970 UTC, seq, value."""


def to_us(moment: dt.datetime) -> int:
    """Whole µs since 1970 UTC."""
    return (moment - _EPOCH) // _US


def from_us(us: int) -> dt.datetime:
    """The moment as an aware datetime."""
    return _EPOCH + us * _US


_SELECT = "SELECT (extract(epoch FROM ts) * 1000000)::int8, seq, value FROM devices_reading"
_MINE = "device = %s AND channel = %s AND flags = 0"


def rows(device: "Device", channel: int, start_us: int, end_us: int) -> list[Row]:
    """Readings with start ≤ ts < end in the order of (ts, seq)."""
    sql = f"{_SELECT} WHERE {_MINE} AND ts >= %s AND ts < %s ORDER BY ts, seq"
    with connection.cursor() as cursor:
        cursor.execute(sql, [device.number, channel, from_us(start_us), from_us(end_us)])
        found: list[Row] = cursor.fetchall()
        return found


def before(device: "Device", channel: int, at_us: int, within_us: int | None = None) -> Row | None:
    """The newest reading with ts < at, not older than `within_us` if that is given."""
    low = at_us - within_us if within_us is not None else None
    for quarter in _quarters(device, channel, "start <= %s", at_us, "DESC", low):
        last = min(quarter + QUARTER_US, at_us)
        if found := _one(device, channel, "ts >= %s AND ts < %s", (quarter, last), "DESC"):
            return None if low is not None and found[0] < low else found
    return None


def after(device: "Device", channel: int, at_us: int, within_us: int | None = None) -> Row | None:
    """The oldest reading with ts > at, not newer than `within_us` after it if that is given."""
    high = at_us + within_us if within_us is not None else None
    for quarter in _quarters(device, channel, "start > %s", at_us - QUARTER_US, "ASC", high):
        window = (max(quarter, at_us + 1), quarter + QUARTER_US)
        if found := _one(device, channel, "ts >= %s AND ts < %s", window, "ASC"):
            return None if high is not None and found[0] > high else found
    return None


def _quarters(  # noqa: PLR0917
    device: "Device", channel: int, condition: str, at_us: int, order: str, bound_us: int | None
) -> list[int]:
    """The two nearest quarters of an hour with readings; the nearest may hold only later (earlier) ones."""
    bound = ""
    values: list[int | dt.datetime] = [device.number, channel, from_us(at_us)]
    if bound_us is not None:
        bound = "AND start > %s" if order == "DESC" else "AND start <= %s"
        values.append(from_us(bound_us - QUARTER_US if order == "DESC" else bound_us))
    sql = f"""SELECT (extract(epoch FROM start) * 1000000)::int8 FROM devices_rollup
        WHERE device_id = %s AND channel = %s AND step_s = 900 AND count > 0 AND {condition} {bound}
        ORDER BY start {order} LIMIT 2"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _one(device: "Device", channel: int, condition: str, window: tuple[int, int], order: str) -> Row | None:
    sql = f"{_SELECT} WHERE {_MINE} AND {condition} ORDER BY ts {order}, seq {order} LIMIT 1"
    with connection.cursor() as cursor:
        cursor.execute(sql, [device.number, channel, *map(from_us, window)])
        found: Row | None = cursor.fetchone()
        return found


def arrays(found: list[Row]) -> "tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]":
    """Times (µs) and values of rows."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    return np.array([r[0] for r in found], dtype=np.int64), np.array([r[2] for r in found], dtype=np.float64)


def steps(  # noqa: PLR0917
    device: "Device", channel: int, start_us: int, end_us: int, step_us: int, take: str
) -> list[Row]:
    """Readings folded into steps: the mean time of those in a step, their number, and their mean or highest value."""
    folded = {"avg": "avg(value)", "max": "max(value)"}[take]
    sql = f"""SELECT avg(extract(epoch FROM ts) * 1000000)::int8 AS at, count(*), {folded}
        FROM devices_reading WHERE {_MINE} AND ts >= %s AND ts < %s
        GROUP BY date_bin(make_interval(secs => %s), ts, 'epoch') ORDER BY at"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, (device.number, channel, from_us(start_us), from_us(end_us), step_us / 1e6))
        found: list[Row] = cursor.fetchall()
        return found
