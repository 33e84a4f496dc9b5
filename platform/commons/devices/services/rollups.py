"""Quarters and hours kept equal to what the raw readings say, in the transaction that stores them.

All streams of a group of batches are reckoned in one pass, and in as many statements as for one stream. A stream
that is newer than everything before it is added to its last rows. Any other has the stretch around it computed
again from the raw readings. Both add in the order of (ts, seq), hence give the same bits (`engine.energy`), which
the tests hold to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S
from commons.devices.queries import raw
from commons.devices.services import closed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.engine.energy import Cells, Grid, Segments
    from commons.devices.engine.fold import Fold
    from commons.devices.models import Device

    Int64 = npt.NDArray[np.int64]
    Float64 = npt.NDArray[np.float64]

HOUR_US = HOUR_S * 1_000_000
STEPS_S = (QUARTER_S, HOUR_S)
LONG_AGO = -(2**62)


@dataclass(frozen=True)
class Streams:
    """New readings of S streams (a channel of a device each), one stream after the other, each by (ts, seq).

    Of each stream: `device`, `channel`, and `head`, the newest reading that was there before. Of each reading: `of`,
    the stream that it belongs to, `ts`, `seq`, `value`. No stream is empty.
    """

    device: "tuple[Device, ...]"
    channel: tuple[int, ...]
    head: tuple[raw.Row | None, ...]
    of: "Int64"
    ts: "Int64"
    seq: "Int64"
    value: "Float64"

    @cached_property
    def first(self) -> "Int64":
        """The place of each stream's first reading."""
        import numpy as np  # noqa: PLC0415 the web process starts without numpy

        return np.searchsorted(self.of, np.arange(len(self.device)))

    @cached_property
    def last(self) -> "Int64":
        """The place of each stream's last reading."""
        import numpy as np  # noqa: PLC0415

        return np.asarray(np.append(self.first[1:], len(self.of)) - 1, dtype=np.int64)

    @cached_property
    def heads(self) -> "tuple[Int64, Int64, Float64]":
        """ts, seq and value of the heads; LONG_AGO where there is none."""
        import numpy as np  # noqa: PLC0415

        rows = [head or (LONG_AGO, 0, 0.0) for head in self.head]
        return (
            np.array([r[0] for r in rows], dtype=np.int64),
            np.array([r[1] for r in rows], dtype=np.int64),
            np.array([r[2] for r in rows], dtype=np.float64),
        )

    @cached_property
    def number(self) -> "Int64":
        """The numbers of the devices."""
        import numpy as np  # noqa: PLC0415

        return np.array([device.number for device in self.device], dtype=np.int64)

    @cached_property
    def meaning(self) -> "Int64":
        """What energy may be read from each stream (`engine.energy.MEANINGS`)."""
        import numpy as np  # noqa: PLC0415

        from commons.devices.engine.energy import COUNTER, PLAIN, POWER  # noqa: PLC0415

        known = {channels.POWER_W: POWER, channels.ENERGY_WH_TOTAL: COUNTER}
        return np.array([known.get(channel, PLAIN) for channel in self.channel], dtype=np.int64)

    @cached_property
    def wraps_wh(self) -> "Float64":
        """Where each stream's counter wraps round; NaN where that is not known."""
        import numpy as np  # noqa: PLC0415

        wraps = [device.counter_wraps_wh for device in self.device]
        return np.array([np.nan if one is None else one for one in wraps], dtype=np.float64)

    @property
    def appends(self) -> "npt.NDArray[np.bool_]":
        """Of each stream whether all of it comes after what was there."""
        import numpy as np  # noqa: PLC0415

        ts, seq, _value = self.heads
        begins, number = self.ts[self.first], self.seq[self.first]
        return np.asarray((begins > ts) | ((begins == ts) & (number > seq)))

    @property
    def news(self) -> "npt.NDArray[np.bool_]":
        """Of each stream whether its last reading is newer than its head."""
        import numpy as np  # noqa: PLC0415

        ts, seq, _value = self.heads
        ends, number = self.ts[self.last], self.seq[self.last]
        return np.asarray((ends > ts) | ((ends == ts) & (number > seq)))

    def part(self, keep: "npt.NDArray[np.bool_]") -> "Streams":
        """These streams alone."""
        import numpy as np  # noqa: PLC0415

        if keep.all():
            return self
        which, mine = np.flatnonzero(keep).tolist(), keep[self.of]
        return Streams(
            tuple(self.device[n] for n in which),
            tuple(self.channel[n] for n in which),
            tuple(self.head[n] for n in which),
            np.asarray((np.cumsum(keep) - 1)[self.of[mine]], dtype=np.int64),
            self.ts[mine],
            self.seq[mine],
            self.value[mine],
        )

    def segments(self, of: "Int64", ts: "Int64", value: "Float64") -> "Segments":
        """The segments between such readings of these streams."""
        from commons.devices.engine.energy import segments_of_many  # noqa: PLC0415

        return segments_of_many(of, ts, value, meaning=self.meaning, wraps_wh=self.wraps_wh)


class Rows:
    """Rollup rows to write, as columns: device, channel, step, start in µs, count … dense."""

    def __init__(self) -> None:
        self.columns: list[list[Any]] = [[] for _ in range(11)]

    def take(self, streams: Streams, step_s: int, grid: "Grid", cells: "Cells") -> None:
        """The cells that anything falls into."""
        import numpy as np  # noqa: PLC0415

        at = np.flatnonzero((cells.count > 0) | (cells.covered_us > 0))
        of = grid.streams(at)
        filled, is_energy = (cells.count[at] > 0).tolist(), (streams.meaning[of] > 0).tolist()
        lists = (
            streams.number[of].tolist(),
            np.array(streams.channel, dtype=np.int64)[of].tolist(),
            [step_s] * len(at),
            grid.start(of, at).tolist(),
            cells.count[at].tolist(),
            cells.total[at].tolist(),
            [low if has else None for low, has in zip(cells.low[at].tolist(), filled, strict=True)],
            [high if has else None for high, has in zip(cells.high[at].tolist(), filled, strict=True)],
            [wh if has else None for wh, has in zip(cells.energy_wh[at].tolist(), is_energy, strict=True)],
            (cells.covered_us[at] / 1e6).tolist(),
            (cells.dense_us[at] / 1e6).tolist(),
        )
        for column, more in zip(self.columns, lists, strict=True):
            column.extend(more)


def update(streams: Streams, base: "Base") -> "tuple[Int64, Int64, Rows]":
    """The rollups of locked devices with streams whose readings are already stored; `base` as `ends` has answered it.

    Answers of each stream the stretch (µs, inclusive) whose energy may have changed, and the rows, which the caller
    writes by ROLLED. Rows that are not true any more are taken away.
    """
    import numpy as np  # noqa: PLC0415

    rows = Rows()
    appends = streams.appends
    low, high = streams.ts[streams.first].copy(), streams.ts[streams.last].copy()
    usual = np.ones(len(appends), dtype=bool)
    for n, (least, most) in closed.take(streams).items():
        usual[n] = False
        low[n], high[n] = min(low[n], least), max(high[n], most)
    for keep, is_appended in ((appends & usual, True), (~appends & usual, False)):
        if keep.any():
            some = streams.part(keep)
            first, last = _append(some, base, rows) if is_appended else _again(some, rows)
            low[keep], high[keep] = np.minimum(low[keep], first), np.maximum(high[keep], last)
    return low, high, rows


Folder = Callable[..., "Fold"]

folder: Folder | None = None
"""The compiled way to add to the end of streams (`engine.fold`), once there was so much to read that it was loaded."""


def _append(streams: Streams, base: "Base", rows: Rows) -> "tuple[Int64, Int64]":
    """Add the streams to the end of what is there."""
    from commons.devices.engine.energy import Cells, Grid  # noqa: PLC0415

    low, add = _folded(streams) if folder is not None else _in_columns(streams)
    high = streams.ts[streams.last]
    for step_s in STEPS_S:
        grid = Grid.over(low, high, step_s * 1_000_000)
        cells = Cells.empty(grid.size)
        _lay(streams, base, step_s, grid, cells)
        add(grid, cells)
        rows.take(streams, step_s, grid, cells)
    return low, high


Adding = Callable[["Grid", "Cells"], None]


def _folded(streams: Streams) -> "tuple[Int64, Adding]":
    """Where what is added begins, and what adds it: by the compiled loop."""
    import numpy as np  # noqa: PLC0415

    assert folder is not None  # noqa: S101 looked at by the caller
    head_ts, _seq, head_value = streams.heads
    heads = (head_ts, head_value, (head_ts > LONG_AGO).astype(np.int64))
    fold = folder(streams.of, streams.ts, streams.value, heads, streams.meaning, streams.wraps_wh)
    return fold.low(), fold.into


def _in_columns(streams: Streams) -> "tuple[Int64, Adding]":
    """The same by whole columns."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.energy import share_in_grid  # noqa: PLC0415

    head_ts, _seq, head_value = streams.heads
    has = np.flatnonzero(head_ts > LONG_AGO)
    at = streams.first[has]
    segments = streams.segments(
        np.insert(streams.of, at, has),
        np.insert(streams.ts, at, head_ts[has]),
        np.insert(streams.value, at, head_value[has]),
    )
    low = streams.ts[streams.first].copy()
    np.minimum.at(low, segments.stream, segments.start)

    def add(grid: "Grid", cells: "Cells") -> None:
        cells.add(grid.cell(streams.of, streams.ts), streams.value)
        share_in_grid(segments, grid, cells)

    return low, add


def _again(streams: Streams, rows: Rows) -> "tuple[Int64, Int64]":
    """Compute the hours around the streams again from the raw readings."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.energy import COUNTER, MAX_HOLD_US, MAX_SPREAD_US  # noqa: PLC0415

    reach = [None if one == COUNTER else MAX_HOLD_US for one in streams.meaning.tolist()]
    first, last = streams.ts[streams.first].tolist(), streams.ts[streams.last].tolist()
    previous, following = _around(streams, first, last, reach)
    begins = [max(p[0], f - MAX_SPREAD_US) if p else f for p, f in zip(previous, first, strict=True)]
    ends = [n[0] if n else at for n, at in zip(following, last, strict=True)]
    low, high = np.array(begins, dtype=np.int64), np.array(ends, dtype=np.int64)
    start, end = low - low % HOUR_US, high - high % HOUR_US + HOUR_US
    inside = _inside(streams, start, end)
    left, right = _around(streams, start.tolist(), (end - 1).tolist(), reach)
    around = [
        [*([before] if before else []), *rows_, *([after] if after else [])]
        for before, rows_, after in zip(left, inside, right, strict=True)
    ]
    _clear(streams, start, end)
    _refill(streams, around, inside, (start, end - 1), rows)
    return low, high


def _refill(
    streams: Streams,
    around: list[list[raw.Row]],
    inside: list[list[raw.Row]],
    span: "tuple[Int64, Int64]",
    rows: Rows,
) -> None:
    """All cells of the span from the readings inside, and from the energy between those around it."""
    from commons.devices.engine.energy import Cells, Grid, share_in_grid  # noqa: PLC0415

    segments = streams.segments(*_together(around))
    of, ts, value = _together(inside)
    for step_s in STEPS_S:
        grid = Grid.over(*span, step_s * 1_000_000)
        cells = Cells.empty(grid.size)
        cells.add(grid.cell(of, ts), value)
        share_in_grid(segments, grid, cells)
        rows.take(streams, step_s, grid, cells)


def _together(lists: list[list[raw.Row]]) -> "tuple[Int64, Int64, Float64]":
    """Rows of many streams as columns: stream, ts, value."""
    import numpy as np  # noqa: PLC0415

    of = np.repeat(np.arange(len(lists)), [len(rows) for rows in lists])
    ts, value = raw.arrays([row for rows in lists for row in rows])
    return of, ts, value


def _around(
    streams: Streams, first: list[int], last: list[int], reach: list[int | None]
) -> tuple[list[raw.Row | None], list[raw.Row | None]]:
    """The reading before `first` and the reading after `last` of each stream."""
    numbers = streams.number.tolist()
    asked = [
        raw.Beside(number, channel, at, within, "before")
        for number, channel, at, within in zip(numbers, streams.channel, first, reach, strict=True)
    ]
    asked += [
        raw.Beside(number, channel, at, within, "after")
        for number, channel, at, within in zip(numbers, streams.channel, last, reach, strict=True)
    ]
    found = raw.beside(asked)
    return found[: len(numbers)], found[len(numbers) :]


def _inside(streams: Streams, start: "Int64", end: "Int64") -> list[list[raw.Row]]:
    """The raw readings of each stream's [start, end), asked only for hours that have any."""
    hours: list[set[int]] = [
        set((streams.ts[low : high + 1] // HOUR_US * HOUR_US).tolist())
        for low, high in zip(streams.first.tolist(), streams.last.tolist(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT (w.n - 1)::int4, (extract(epoch FROM r.start) * 1000000)::int8
            FROM unnest(%s::int4[], %s::int2[], %s::int8[], %s::int8[])
                WITH ORDINALITY AS w (device, channel, low, high, n)
            JOIN devices_rollup r ON r.device_id = w.device AND r.channel = w.channel AND r.step_s = 3600
                AND r.count > 0 AND r.start >= {raw.MOMENT.format("w.low")}
                AND r.start < {raw.MOMENT.format("w.high")}""",  # noqa: S608 constants
            _spans(streams, start, end),
        )
        for n, hour in cursor.fetchall():
            hours[n].add(hour)
    windows: list[raw.Window] = []
    of: list[int] = []
    for n, mine in enumerate(hours):
        for low, high in _runs(sorted(mine)):
            windows.append(raw.Window(int(streams.number[n]), streams.channel[n], low, high))
            of.append(n)
    found: list[list[raw.Row]] = [[] for _ in hours]
    for n, rows in zip(of, raw.rows_of(windows), strict=True):
        found[n] += rows
    return found


def _spans(streams: Streams, start: "Int64", end: "Int64") -> list[str]:
    """Device, channel, start and end of the streams, as arrays for a statement."""
    return [raw.array(column) for column in (streams.number.tolist(), streams.channel, start.tolist(), end.tolist())]


def _runs(hours: list[int]) -> list[list[int]]:
    """Hours that follow one another as one stretch."""
    runs: list[list[int]] = []
    for hour in hours:
        if runs and runs[-1][1] == hour:
            runs[-1][1] = hour + HOUR_US
        else:
            runs.append([hour, hour + HOUR_US])
    return runs


Key = tuple[int, int]
"""A stream: the number of its device, its channel."""

Base = dict[Key, list[tuple[int, ...]]]
"""The rows that a stream ends with: step in s, start in µs, then count … dense in the order of
`engine.energy.Cells`."""


ENDS = """SELECT head.device_id, head.channel, (extract(epoch FROM head.ts) * 1000000)::int8, head.seq, head.value,
        r.step_s, (extract(epoch FROM r.start) * 1000000)::int8, r.count, r.total,
        coalesce(r.min, 'Infinity'), coalesce(r.max, '-Infinity'), coalesce(r.energy_wh, 0),
        round(r.covered_s * 1000000)::int8, round(r.dense_s * 1000000)::int8
    FROM devices_lastvalue head LEFT JOIN devices_rollup r ON r.device_id = head.device_id
        AND r.channel = head.channel AND r.step_s IN (900, 3600)
        AND r.start > head.ts - r.step_s * interval '1 s'
        AND r.start > head.ts - interval '1 hour'
    WHERE head.device_id = ANY(ARRAY(SELECT number FROM devices_device WHERE id = ANY(%s::uuid[])))"""
"""Asks for the newest believed reading of all streams of devices, and the rollup rows from its hour on."""


def ends(rows: list[tuple[Any, ...]]) -> tuple[dict[Key, raw.Row], Base]:
    """What ENDS has answered, by stream."""
    heads: dict[Key, raw.Row] = {}
    base: Base = {}
    for device, channel, ts, seq, value, *row in rows:
        heads[device, channel] = (ts, seq, value)
        if row[0] is not None:
            base.setdefault((device, channel), []).append(tuple(row))
    return heads, base


def _lay(streams: Streams, base: Base, step_s: int, grid: "Grid", cells: "Cells") -> None:
    """Let the cells begin from the rows that are there."""
    import numpy as np  # noqa: PLC0415

    known = [
        (n, *row[1:])
        for n, key in enumerate(zip(streams.number.tolist(), streams.channel, strict=True))
        for row in base.get(key, ())
        if row[0] == step_s
    ]
    if not known:
        return
    of, start, *rest = (np.array(column) for column in zip(*known, strict=True))
    number = start // grid.step - grid.first[of]
    inside = (number >= 0) & (number < grid.count[of])
    at = grid.cell(of[inside], start[inside])
    into = (cells.count, cells.total, cells.low, cells.high, cells.energy_wh, cells.covered_us, cells.dense_us)
    for column, given in zip(into, rest, strict=True):
        column[at] = given[inside]


def _clear(streams: Streams, start: "Int64", end: "Int64") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""DELETE FROM devices_rollup r
            USING unnest(%s::int4[], %s::int2[], %s::int8[], %s::int8[]) AS w (device, channel, low, high)
            WHERE r.device_id = w.device AND r.channel = w.channel AND r.step_s IN (900, 3600)
                AND r.start >= {raw.MOMENT.format("w.low")} AND r.start < {raw.MOMENT.format("w.high")}""",  # noqa: S608
            _spans(streams, start, end),
        )


ROLLED = f"""INSERT INTO devices_rollup
        (device_id, channel, step_s, start, count, total, min, max, energy_wh, covered_s, dense_s)
    SELECT device, channel, step_s, {raw.MOMENT.format("us")}, n, total, low, high, wh, covered_s, dense_s
    FROM unnest(%s::int4[], %s::int2[], %s::int2[], %s::int8[], %s::int4[], %s::float8[], %s::float8[],
        %s::float8[], %s::float8[], %s::float8[], %s::float8[])
        AS r (device, channel, step_s, us, n, total, low, high, wh, covered_s, dense_s)
    ON CONFLICT (device_id, channel, step_s, start) DO UPDATE SET
        count = excluded.count, total = excluded.total, min = excluded.min, max = excluded.max,
        energy_wh = excluded.energy_wh, covered_s = excluded.covered_s, dense_s = excluded.dense_s"""  # noqa: S608
"""Writes `Rows.columns`, each as an array (`raw.array`)."""
