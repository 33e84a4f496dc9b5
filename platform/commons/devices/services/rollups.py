"""Quarters and hours kept equal to what the raw readings say, in the transaction that stores them.

A batch that is newer than everything before it is added to the rows at the end of the stream. Any other batch
has the stretch around it computed again from the raw readings. Both add in the order of (ts, seq), hence give
the same bits (`engine.energy`), which the tests hold to.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S
from commons.devices.queries import raw
from commons.devices.services import closed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.engine.energy import Cells, Segments
    from commons.devices.models import Device

HOUR_US = HOUR_S * 1_000_000
Base = dict[tuple[int, int], dict[int, tuple[float, ...]]]
"""Rows that are there, by (channel, step in s) and start in µs: count … dense in the order of
`engine.energy.Cells`.
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """The new readings of one channel, sorted by (ts, seq), and the newest that was there before."""

    channel: int
    ts: "npt.NDArray[np.int64]"
    seq: "npt.NDArray[np.int64]"
    value: "npt.NDArray[np.float64]"
    head: raw.Row | None

    @property
    def appends(self) -> bool:
        """Whether all of it comes after what was there."""
        return self.head is None or (int(self.ts[0]), int(self.seq[0])) > self.head[:2]

    @property
    def rows(self) -> list[raw.Row]:
        """The readings one by one."""
        return list(zip(self.ts.tolist(), self.seq.tolist(), self.value.tolist(), strict=True))

    @property
    def meaning(self) -> Literal["power", "counter", "plain"]:
        """What energy may be read from the channel."""
        if self.channel == channels.POWER_W:
            return "power"
        return "counter" if self.channel == channels.ENERGY_WH_TOTAL else "plain"


class Rows:
    """Rollup rows to write."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def take(self, stream: Stream, step_s: int, edges: "npt.NDArray[np.int64]", cells: "Cells") -> None:
        """The cells that anything falls into."""
        import numpy as np  # noqa: PLC0415

        is_energy = stream.meaning != "plain"
        for at in np.flatnonzero((cells.count > 0) | (cells.covered_us > 0)).tolist():
            filled = bool(cells.count[at])
            self._rows.append(
                (
                    stream.channel,
                    step_s,
                    raw.from_us(int(edges[at])),
                    int(cells.count[at]),
                    float(cells.total[at]),
                    float(cells.low[at]) if filled else None,
                    float(cells.high[at]) if filled else None,
                    float(cells.energy_wh[at]) if is_energy else None,
                    int(cells.covered_us[at]) / 1e6,
                    int(cells.dense_us[at]) / 1e6,
                )
            )

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self._rows)

    def columns(self) -> list[list[object]]:
        """The rows as ten columns."""
        return [list(column) for column in zip(*self._rows, strict=True)]


def update(*, device: "Device", streams: list[Stream]) -> tuple[int, int]:
    """Bring the rollups of a locked device up to date with streams whose readings are already stored.

    Answers the stretch (µs, inclusive) whose energy may have changed.
    """
    rows = Rows()
    low, high = int(streams[0].ts[0]), int(streams[0].ts[-1])
    base = _base(device, [s for s in streams if s.appends])
    lates = [closed.Late(device, s.channel, s.rows, s.appends) for s in streams]
    for stream, found in zip(streams, closed.take(lates, time.time_ns() // 1000), strict=True):
        first, last = found or (_append if stream.appends else _again)(device, stream, base, rows)
        low, high = min(low, first), max(high, last)
    if rows.any:
        _write(device, rows)
    return low, high


def _append(device: "Device", stream: Stream, base: Base, rows: Rows) -> tuple[int, int]:
    """Add the stream to the end of what is there."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    from commons.devices.engine.energy import segments_of  # noqa: PLC0415

    ts, value = stream.ts, stream.value
    if stream.head is not None:
        ts, value = np.insert(ts, 0, stream.head[0]), np.insert(value, 0, stream.head[2])
    segments = segments_of(ts, value, stream.meaning, device.counter_wraps_wh)
    low = int(min(stream.ts[0], segments.start[0])) if len(segments.start) else int(stream.ts[0])
    _cells(stream, segments, (low, int(stream.ts[-1])), stream.ts, stream.value, base, rows)
    return low, int(stream.ts[-1])


def _again(device: "Device", stream: Stream, _base: Base, rows: Rows) -> tuple[int, int]:
    """Compute the hours around the stream again from the raw readings."""
    from commons.devices.engine.energy import MAX_HOLD_US, MAX_SPREAD_US, segments_of  # noqa: PLC0415

    reach = None if stream.meaning == "counter" else MAX_HOLD_US
    first, last = int(stream.ts[0]), int(stream.ts[-1])
    previous = raw.before(device, stream.channel, first, reach)
    following = raw.after(device, stream.channel, last, reach)
    low = max(previous[0], first - MAX_SPREAD_US) if previous else first
    high = following[0] if following else last
    start, end = low - low % HOUR_US, high - high % HOUR_US + HOUR_US
    inside = _inside(device, stream, start, end)
    outside_left = raw.before(device, stream.channel, start, reach)
    outside_right = raw.after(device, stream.channel, end - 1, reach)
    around = [*([outside_left] if outside_left else []), *inside, *([outside_right] if outside_right else [])]
    segments = segments_of(*raw.arrays(around), stream.meaning, device.counter_wraps_wh)
    _clear(device, stream.channel, start, end)
    ts, value = raw.arrays(inside)
    _cells(stream, segments, (start, end - 1), ts, value, {}, rows)
    return low, high


def _inside(device: "Device", stream: Stream, start: int, end: int) -> list[raw.Row]:
    """The raw readings of [start, end), asked only for hours that have any."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (extract(epoch FROM start) * 1000000)::int8 FROM devices_rollup
            WHERE device_id = %s AND channel = %s AND step_s = 3600 AND count > 0
                AND start >= %s AND start < %s""",
            [device.number, stream.channel, raw.from_us(start), raw.from_us(end)],
        )
        hours = {row[0] for row in cursor.fetchall()}
    hours |= set((stream.ts - stream.ts % HOUR_US).tolist())
    runs: list[list[int]] = []
    for hour in sorted(hours):
        if runs and runs[-1][1] == hour:
            runs[-1][1] = hour + HOUR_US
        else:
            runs.append([hour, hour + HOUR_US])
    return [row for low, high in runs for row in raw.rows(device, stream.channel, low, high)]


def _cells(  # noqa: PLR0917
    stream: Stream,
    segments: "Segments",
    span: tuple[int, int],
    ts: "npt.NDArray[np.int64]",
    value: "npt.NDArray[np.float64]",
    base: Base,
    rows: Rows,
) -> None:
    """The rows of both steps over the span (µs, inclusive), beginning from `base` where that has a row."""
    from commons.devices.engine.energy import Cells, edges_over, share  # noqa: PLC0415

    for step_s in (QUARTER_S, HOUR_S):
        step = step_s * 1_000_000
        edges = edges_over(*span, step)
        cells = Cells.empty(len(edges) - 1)
        for start, row in base.get((stream.channel, step_s), {}).items():
            if edges[0] <= start < edges[-1]:
                at = int((start - edges[0]) // step)
                cells.count[at], cells.total[at], cells.low[at], cells.high[at] = row[:4]
                cells.energy_wh[at], cells.covered_us[at], cells.dense_us[at] = row[4:]
        cells.add((ts - edges[0]) // step, value)
        share(segments, edges, cells)
        rows.take(stream, step_s, edges, cells)


def _base(device: "Device", streams: list[Stream]) -> Base:
    """The rows at the end of streams that are appended to: those from the head's or the first reading's hour
    on.
    """
    heads = [(s.channel, min(s.head[0], int(s.ts[0]))) for s in streams if s.head is not None]
    found: Base = {}
    if not heads:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.channel, r.step_s, (extract(epoch FROM r.start) * 1000000)::int8, r.count, r.total,
                coalesce(r.min, 'Infinity'), coalesce(r.max, '-Infinity'), coalesce(r.energy_wh, 0),
                round(r.covered_s * 1000000)::int8, round(r.dense_s * 1000000)::int8
            FROM unnest(%s::int2[], %s::timestamptz[]) AS head (channel, ts)
            JOIN devices_rollup r ON r.device_id = %s AND r.channel = head.channel AND r.step_s IN (900, 3600)
                AND r.start > head.ts - r.step_s * interval '1 s'""",
            [[c for c, _ts in heads], [raw.from_us(ts) for _c, ts in heads], device.number],
        )
        for channel, step_s, start, *row in cursor.fetchall():
            found.setdefault((channel, step_s), {})[start] = tuple(row)
    return found


def _clear(device: "Device", channel: int, start: int, end: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM devices_rollup
            WHERE device_id = %s AND channel = %s AND step_s IN (900, 3600) AND start >= %s AND start < %s""",
            [device.number, channel, raw.from_us(start), raw.from_us(end)],
        )


def _write(device: "Device", rows: Rows) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO devices_rollup
                (device_id, channel, step_s, start, count, total, min, max, energy_wh, covered_s, dense_s)
            SELECT %s, * FROM unnest(%s::int2[], %s::int2[], %s::timestamptz[], %s::int4[], %s::float8[],
                %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
            ON CONFLICT (device_id, channel, step_s, start) DO UPDATE SET
                count = excluded.count, total = excluded.total, min = excluded.min, max = excluded.max,
                energy_wh = excluded.energy_wh, covered_s = excluded.covered_s, dense_s = excluded.dense_s""",
            [device.number, *rows.columns()],
        )
