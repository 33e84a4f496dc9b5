"""Readings as arrays, and the neighbours of a moment; the rollups are the index that finds them.

A table partitioned by day with BRIN answers "this device between two near moments" well and "the newest
before" badly, so the latter asks the rollups in which quarter of an hour to look.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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


def array(values: Iterable[float | uuid.UUID | None]) -> str:
    """Numbers or ids as PostgreSQL writes an array, for `%s::…[]`: a tenth of what the driver takes for a list."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


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


MOMENT = "('epoch'::timestamptz + {} * interval '1 us')"
"""A column of µs since 1970 as a moment; exact, since the product stays below 2^53."""
_BEGINNING_US, _END_US = -8 * 10**15, 8 * 10**15
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) of a channel of the device with this number, in µs."""

    device: int
    channel: int
    start_us: int
    end_us: int


def rows_of(windows: Sequence[Window]) -> list[list[Row]]:
    """The readings of each window in the order of (ts, seq), for many windows in one statement.

    Each window is a part of its own in the statement, so that the planner sees which days it lies in.
    """
    return _parts(windows, "ORDER BY ts, seq")


@dataclass(frozen=True, slots=True)
class Beside:
    """The question for the newest reading before a moment, or the oldest after it, at most `within_us` away."""

    device: int
    channel: int
    at_us: int
    within_us: int | None
    side: Literal["before", "after"]


def beside(asked: Sequence[Beside]) -> list[Row | None]:
    """`before` and `after` for many at once, in two statements for each side."""
    found: list[Row | None] = [None] * len(asked)
    for side, order in (("before", "DESC"), ("after", "ASC")):
        mine = [n for n, one in enumerate(asked) if one.side == side]
        quarters = _quarters_of([asked[n] for n in mine], order) if mine else []
        windows = [(mine[k], _cut(asked[mine[k]], quarter)) for k, quarter in quarters]
        nearest = _parts([w for _n, w in windows], f"ORDER BY ts {order}, seq {order} LIMIT 1")
        for (n, _window), rows in zip(windows, nearest, strict=True):
            if rows and found[n] is None:
                found[n] = rows[0]
    return [row if row is None or _near(one, row) else None for one, row in zip(asked, found, strict=True)]


def _near(asked: Beside, row: Row) -> bool:
    return asked.within_us is None or abs(row[0] - asked.at_us) <= asked.within_us


def _cut(asked: Beside, quarter: int) -> Window:
    """The part of a quarter of an hour that lies on the asked side of the moment."""
    low, high = quarter, quarter + QUARTER_US
    low, high = (low, min(high, asked.at_us)) if asked.side == "before" else (max(low, asked.at_us + 1), high)
    return Window(asked.device, asked.channel, low, high)


def _quarters_of(asked: Sequence[Beside], order: str) -> list[tuple[int, int]]:
    """The two nearest quarters with readings for each question (by its place), the nearest first."""
    before = order == "DESC"
    least, most = [], []
    for one in asked:
        reach = one.within_us
        if before:
            least.append(_BEGINNING_US if reach is None else one.at_us - reach - QUARTER_US + 1)
            most.append(one.at_us)
        else:
            least.append(one.at_us - QUARTER_US + 1)
            most.append(_END_US if reach is None else one.at_us + reach)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT (w.n - 1)::int4, (extract(epoch FROM q.start) * 1000000)::int8
            FROM unnest(%s::int4[], %s::int2[], %s::int8[], %s::int8[])
                WITH ORDINALITY AS w (device, channel, least, most, n)
            CROSS JOIN LATERAL (
                SELECT r.start FROM devices_rollup r
                WHERE r.device_id = w.device AND r.channel = w.channel AND r.step_s = 900 AND r.count > 0
                    AND r.start >= {MOMENT.format("w.least")} AND r.start <= {MOMENT.format("w.most")}
                ORDER BY r.start {order} LIMIT 2
            ) AS q ORDER BY 1, q.start {order}""",  # noqa: S608 constants
            [array(a.device for a in asked), array(a.channel for a in asked), array(least), array(most)],
        )
        return [(n, start) for n, start in cursor.fetchall()]


def _parts(windows: Sequence[Window], tail: str) -> list[list[Row]]:
    """The rows of each window; `tail` orders them."""
    found: list[list[Row]] = [[] for _ in windows]
    for begin in range(0, len(windows), _AT_ONCE):
        some = windows[begin : begin + _AT_ONCE]
        sql = " UNION ALL ".join(
            f"(SELECT {n}, {_SELECT.removeprefix('SELECT ')} WHERE {_MINE} AND ts >= %s AND ts < %s {tail})"
            for n in range(begin, begin + len(some))
        )
        values: list[int | dt.datetime] = []
        for window in some:
            values += [window.device, window.channel, from_us(window.start_us), from_us(window.end_us)]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            for n, *row in cursor.fetchall():
                found[n].append(tuple(row))
    return found


def arrays(found: Sequence[Row]) -> "tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]":
    """Times (µs) and values of rows."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    return np.array([r[0] for r in found], dtype=np.int64), np.array([r[2] for r in found], dtype=np.float64)
