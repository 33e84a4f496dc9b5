"""Late readings for days whose raw readings are gone: added to the rollups, and nothing that was there is destroyed.

Of a closed day the rollups remain and, of the channels that energy is read from, the *stretches*: the first and the
last reading of each time without a gap. Energy between two readings further apart lies in the gaps between stretches,
so that is where late readings change it:

- a reading in a gap cuts it in two: what the gap held is taken away and what the two parts hold is put in its place,
  the very sums that would stand there if the reading had come in time (up to the rounding of floating point);
- a reading inside a stretch counts (number, mean, least, greatest), and leaves the energy as it is: it would only have
  refined a curve that was known every few minutes.

A gap is a time longer than readings of power are believed (five minutes), of a counter longer than an hour: a counter
knows its sum over any gap.
"""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S, Device, Retention
from commons.devices.queries import raw
from commons.devices.queries.raw import Row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.engine.energy import Cells, Segments
    from commons.devices.services.rollups import Streams

Kind = Literal["power", "counter", "plain"]
HOLD_US: dict[Kind, int] = {"power": 300 * 1_000_000, "counter": 3600 * 1_000_000, "plain": 0}


@dataclass(frozen=True, slots=True)
class Closed:
    """Until when (µs) raw readings of a kind are gone, and until when quarters are; 0: none are."""

    raw_us: int = 0
    quarters_us: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A reading, or a stretch from its first to its last reading. `pk` is that of the stretch's row."""

    first: Row
    last: Row
    pk: int | None = None

    def holds(self, row: Row) -> bool:
        """Whether the reading lies in it."""
        return self.first[:2] <= row[:2] <= self.last[:2]


def kind_of(channel: int) -> Kind:
    """What energy may be read from the channel."""
    return "power" if channel == channels.POWER_W else "counter" if channel == channels.ENERGY_WH_TOTAL else "plain"


def frontiers() -> dict[str, Closed]:
    """What is closed, by kind; a kind of which nothing is closed is left out."""
    rows = Retention.objects.exclude(closed_until=None).values_list("kind", "closed_until", "quarters_until")
    return {
        kind: Closed(raw.to_us(until), raw.to_us(quarters) if quarters else 0)
        for kind, until, quarters in rows
        if until is not None
    }


def add(device: Device, channel: int, rows: Sequence[Row], closed: Closed) -> tuple[int, int]:
    """Add new readings of a locked device, sorted by (ts, seq), some of which lie before `closed.raw_us`, or after it
    with nothing between; their raw rows are stored. Answers the stretch (µs, inclusive) whose energy may have changed.
    """
    kind = kind_of(channel)
    if kind == "plain":
        _change(device, channel, kind, ([], []), rows, closed)
        return rows[0][0], rows[-1][0]
    old = _pieces(device, channel, rows, closed.raw_us)
    fresh = [Piece(row, row) for row in rows if not any(piece.holds(row) for piece in old)]
    new = sorted([*old, *fresh], key=lambda piece: piece.first[:2])
    touched = _change(device, channel, kind, (_chains(old), _chains(new)), rows, closed)
    remember(device, channel, [row for row in rows if row[0] < closed.raw_us])
    return touched


def remember(device: Device, channel: int, rows: Sequence[Row]) -> None:
    """Take readings of closed days, sorted, into the stretches."""
    kind = kind_of(channel)
    if not rows or kind == "plain":
        return
    hold = HOLD_US[kind]
    low, high = rows[0][0] - hold, rows[-1][0] + hold
    old = _stretches(device, channel, 's."end" >= %s AND s.start <= %s', [raw.from_us(low), raw.from_us(high)])
    pieces = sorted([*old, *(Piece(row, row) for row in rows)], key=lambda piece: piece.first[:2])
    merged: list[Piece] = []
    for piece in pieces:
        if merged and piece.first[0] - merged[-1].last[0] <= hold:
            last = max(merged[-1].last, piece.last, key=lambda row: row[:2])
            merged[-1] = Piece(merged[-1].first, last)
        else:
            merged.append(piece)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_stretch WHERE id = ANY(%s::int8[])", [[piece.pk for piece in old]])
        cursor.executemany(
            """INSERT INTO devices_stretch
                (device_id, channel, start, start_seq, start_value, "end", end_seq, end_value)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (device.number, channel, raw.from_us(p.first[0]), *p.first[1:], raw.from_us(p.last[0]), *p.last[1:])
                for p in merged
            ],
        )


def _pieces(device: Device, channel: int, rows: Sequence[Row], closed_us: int) -> list[Piece]:
    """What was known around the new readings, in order: the stretches from the one before them to the one after, and
    the raw readings of days that are not closed."""
    first, last = rows[0], rows[-1]
    moments = [raw.from_us(first[0]), raw.from_us(last[0])]
    found = _stretches(device, channel, 's."end" >= %s AND s.start <= %s', moments)
    found += _stretches(device, channel, 's."end" < %s ORDER BY s.start DESC LIMIT 1', moments[:1])
    found += _stretches(device, channel, "s.start > %s ORDER BY s.start LIMIT 1", moments[1:])
    mine = {row[1] for row in rows}
    is_next = all(piece.first[0] <= last[0] for piece in found)
    if last[0] >= closed_us:
        inside = raw.rows(device, channel, closed_us, last[0] + 1)
        found += [Piece(row, row) for row in inside if row[1] not in mine]
    if is_next:
        following = raw.after(device, channel, max(last[0], closed_us - 1))
        found += [Piece(following, following)] if following else []
    return sorted(found, key=lambda piece: piece.first[:2])


def _stretches(device: Device, channel: int, condition: str, values: Sequence[dt.datetime]) -> list[Piece]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT id, (extract(epoch FROM s.start) * 1000000)::int8, start_seq, start_value,
                (extract(epoch FROM s."end") * 1000000)::int8, end_seq, end_value
            FROM devices_stretch s WHERE device_id = %s AND channel = %s AND {condition}""",  # noqa: S608 constants
            [device.number, channel, *values],
        )
        return [Piece((a, b, c), (d, e, f), pk) for pk, a, b, c, d, e, f in cursor.fetchall()]


def _chains(pieces: Sequence[Piece]) -> list[list[Row]]:
    """The readings between which energy lies in gaps: each chain runs from the end of a stretch to the next's start."""
    chains: list[list[Row]] = []
    chain: list[Row] = []
    for piece in pieces:
        chain.append(piece.first)
        if piece.first != piece.last:
            chains.append(chain)
            chain = [piece.last]
    chains.append(chain)
    return [chain for chain in chains if len(chain) > 1]


def _change(  # noqa: PLR0917
    device: Device,
    channel: int,
    kind: Kind,
    chains: tuple[list[list[Row]], list[list[Row]]],
    rows: Sequence[Row],
    closed: Closed,
) -> tuple[int, int]:
    """Add to the rollups what the new chains hold more than the old ones, and the readings themselves."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    from commons.devices.engine.energy import Cells, edges_over, share  # noqa: PLC0415

    ts, value = raw.arrays(list(rows))
    old, new = ([_segments(device, kind, chain) for chain in some] for some in chains)
    bounds = [int(ts[0]), int(ts[-1])]
    for segments in [*old, *new]:
        bounds += [int(segments.start.min()), int(segments.end.max())] if len(segments.start) else []
    for step_s in (QUARTER_S, HOUR_S):
        edges = edges_over(min(bounds), max(bounds), step_s * 1_000_000)
        more, less = Cells.empty(len(edges) - 1), Cells.empty(len(edges) - 1)
        more.add((ts - edges[0]) // (step_s * 1_000_000), value)
        for segments in new:
            share(segments, edges, more)
        for segments in old:
            share(segments, edges, less)
        kept = np.ones(len(edges) - 1, dtype=bool) if step_s == HOUR_S else edges[:-1] >= closed.quarters_us
        _write(device, channel, step_s, edges, more, less, kept, is_energy=kind != "plain")
    return min(bounds), max(bounds)


def _segments(device: Device, kind: Kind, chain: list[Row]) -> "Segments":
    from commons.devices.engine.energy import segments_of  # noqa: PLC0415

    return segments_of(*raw.arrays(chain), kind, device.counter_wraps_wh)


def _write(  # noqa: PLR0917
    device: Device,
    channel: int,
    step_s: int,
    edges: "npt.NDArray[np.int64]",
    more: "Cells",
    less: "Cells",
    kept: "npt.NDArray[np.bool_]",
    *,
    is_energy: bool,
) -> None:
    import numpy as np  # noqa: PLC0415

    energy = more.energy_wh - less.energy_wh
    covered, dense = more.covered_us - less.covered_us, more.dense_us - less.dense_us
    at = np.flatnonzero(kept & ((more.count > 0) | (energy != 0) | (covered != 0) | (dense != 0)))
    if not len(at):
        return
    start = [raw.from_us(us) for us in edges[at].tolist()]
    filled = (more.count[at] > 0).tolist()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO devices_rollup AS r
                (device_id, channel, step_s, start, count, total, min, max, energy_wh, covered_s, dense_s)
            SELECT %s, %s, %s, * FROM unnest(%s::timestamptz[], %s::int4[], %s::float8[],
                %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
            ON CONFLICT (device_id, channel, step_s, start) DO UPDATE SET
                count = r.count + excluded.count, total = r.total + excluded.total,
                min = least(r.min, excluded.min), max = greatest(r.max, excluded.max),
                energy_wh = CASE WHEN excluded.energy_wh IS NOT NULL
                    THEN greatest(coalesce(r.energy_wh, 0) + excluded.energy_wh, 0) ELSE r.energy_wh END,
                covered_s = least(greatest(r.covered_s + excluded.covered_s, 0), r.step_s),
                dense_s = least(greatest(r.dense_s + excluded.dense_s, 0), r.step_s)""",
            [
                device.number, channel, step_s, start, more.count[at].tolist(), more.total[at].tolist(),
                _or_none(more.low[at].tolist(), filled), _or_none(more.high[at].tolist(), filled),
                energy[at].tolist() if is_energy else [None] * len(at),
                (covered[at] / 1e6).tolist(), (dense[at] / 1e6).tolist(),
            ],
        )  # fmt: skip
        cursor.execute(
            """DELETE FROM devices_rollup WHERE device_id = %s AND channel = %s AND step_s = %s
                AND start = ANY(%s) AND count = 0 AND covered_s < 1e-6""",
            [device.number, channel, step_s, start],
        )


def _or_none(values: list[float], filled: Iterable[bool]) -> list[float | None]:
    return [value if has else None for value, has in zip(values, filled, strict=True)]


RECENT_US = 6 * 86_400 * 1_000_000
"""Nothing so young is ever closed (`retention.LEAST_RAW_DAYS`, less a day's length)."""


def take(streams: "Streams") -> dict[int, tuple[int, int]]:
    """Deal with those streams that touch closed days, by their place: the stretch (µs) whose energy may have changed.

    The others are to be dealt with as ever. The raw rows of all are stored, so that what is closed now stays so, and
    nothing more is closed of these days, until the commit.
    """
    if streams.appends.all() and int(streams.ts.min()) > time.time_ns() // 1000 - RECENT_US:
        return {}
    closed = frontiers()
    found = {}
    for n in range(len(streams.device) if closed else 0):
        at = slice(int(streams.first[n]), int(streams.last[n]) + 1)
        columns = (column[at].tolist() for column in (streams.ts, streams.seq, streams.value))
        mine = closed.get(kind_of(streams.channel[n]), Closed())
        rows: list[Row] = list(zip(*columns, strict=True))
        if touched := _take(streams.device[n], streams.channel[n], rows, mine, appends=bool(streams.appends[n])):
            found[n] = touched
    return found


def _take(device: Device, channel: int, rows: list[Row], closed: Closed, *, appends: bool) -> tuple[int, int] | None:
    first = rows[0][0]
    if appends:
        remember(device, channel, [row for row in rows if row[0] < closed.raw_us])
        return None
    if first >= closed.raw_us:
        reach = None if kind_of(channel) == "counter" else HOLD_US["power"]
        previous = raw.before(device, channel, first, reach)
        if previous is None or previous[0] >= closed.raw_us:
            return None
    return add(device, channel, rows, closed)
