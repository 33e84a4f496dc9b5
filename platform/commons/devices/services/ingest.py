"""Readings in: checked as columns, stored once, rolled up, acknowledged when committed; all in one
transaction.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.devices import channels
from commons.devices.engine import seqs as sets
from commons.devices.errors import TooManyReadings, Unreadable
from commons.devices.models import Device
from commons.devices.queries import raw
from commons.devices.services import rollups
from commons.devices.services.partitions import ensure_days
from commons.devices.services.seqs import lock, write_seen
from commons.devices.signals import readings_stored

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.engine.parse import Batch

MAX_READINGS = 10_000
DAY_US = 86_400_000_000

SENTENCES: dict[str, str | Promise] = {
    "reading:unreadable": gettext_lazy("Reading %(index)d is not an object with seq, ts, channel and value."),
    "reading:bad-seq": gettext_lazy("Reading %(index)d has no seq; it must be a whole number from 1 up."),
    "reading:unknown-channel": gettext_lazy("Reading %(index)d has an unknown channel; known are %(known)s, x_…"),
    "reading:bad-time": gettext_lazy("Reading %(index)d has no time stamp of the form 2026-11-22T14:00:00Z."),
    "reading:bad-value": gettext_lazy("Reading %(index)d has a value that its channel cannot have."),
    "reading:clock-ahead": gettext_lazy(
        "Stamped more than 5 minutes in the future: set the device's clock. Kept, not counted."
    ),
    "reading:clock-behind": gettext_lazy("Stamped more than 400 days ago: set the device's clock. Kept, not counted."),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to say about one reading. `seq` is None when it could not be read."""

    seq: int | None
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a batch: `acked` is the highest seq up to which everything is committed or rejected.

    `stored` counts flagged readings too; `flagged` are stored but not counted, because their clock is wrong.
    """

    acked: int
    stored: int = 0
    duplicates: int = 0
    rejected: tuple[Remark, ...] = ()
    flagged: tuple[Remark, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The answer on the wire."""
        return {
            "acked": self.acked,
            "stored": self.stored,
            "duplicates": self.duplicates,
            "rejected": [{"seq": r.seq, "code": r.code, "sentence": r.sentence} for r in self.rejected],
            "flagged": [{"seq": r.seq, "code": r.code, "sentence": r.sentence} for r in self.flagged],
        }


def read_body(body: bytes) -> list[Any]:
    """The items of a telemetry body. Raises Unreadable or TooManyReadings; nothing of such a body is kept."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_("The body is not JSON: %(why)s.") % {"why": error}) from None
    items = document.get("readings") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise Unreadable(_('The body must be {"readings": […]}, each with seq, ts, channel and value.'))
    if len(items) > MAX_READINGS:
        raise TooManyReadings(
            _("%(n)d readings came at once; send at most %(most)d.") % {"n": len(items), "most": MAX_READINGS}
        )
    return items


@transaction.atomic
def ingest(*, device: Device, readings: Sequence[Any], received_at: dt.datetime | None = None) -> Ack:
    """Store a batch of {"seq", "ts", "channel", "value"} once, with rollups and last values; both or neither.

    Locks the device's row. An item that cannot be read is rejected by itself; one with an absurd clock is
    stored and flagged. Sends `readings_stored`. Raises DeviceRevoked, TooManyGaps.
    """
    from commons.devices.engine.parse import parse  # noqa: PLC0415 the web process starts without numpy

    received_us = raw.to_us(received_at or timezone.now())
    batch = parse(readings, fixed=tuple(channels.FIXED), states=channels.STATES)
    device = lock(device)
    fresh = _fresh(device, batch)
    good = set(batch.seq.tolist())
    faults = [f for f in batch.faults if f.seq is None or not (f.seq in good or sets.holds(device.seen, f.seq))]
    flagged = _store(device, batch, fresh, received_us) if len(fresh) else ()
    seen = sets.ranges_of([*batch.seq[fresh].tolist(), *(f.seq for f in faults if f.seq is not None)])
    return Ack(
        acked=write_seen(device=device, seen=seen),
        stored=len(fresh),
        duplicates=len(readings) - len(fresh) - len(faults),
        rejected=tuple(Remark(f.seq, f.code, _sentence(f.code, f.index)) for f in faults),
        flagged=flagged,
    )


def _sentence(code: str, index: int) -> str:
    return str(SENTENCES[code]) % {"index": index, "known": ", ".join(channels.FIXED)}


def _fresh(device: Device, batch: "Batch") -> "npt.NDArray[np.intp]":
    """Places in the batch of seqs that were never seen, each seq once: its first."""
    import numpy as np  # noqa: PLC0415

    unique, first = np.unique(batch.seq, return_index=True)
    if device.seen:
        low, high = np.array(device.seen, dtype=np.int64).T
        at = np.searchsorted(low, unique, side="right") - 1
        first = first[(at < 0) | (unique >= high[at])]
    return np.asarray(first, dtype=np.intp)


def _store(device: Device, batch: "Batch", fresh: "npt.NDArray[np.intp]", received_us: int) -> tuple[Remark, ...]:
    """Raw rows by COPY, then rollups and last values of those whose clock is believed; else remarks."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.parse import FLAG_AHEAD, clock_flags  # noqa: PLC0415

    numbers = channels.numbers_of(batch.channels[code] for code in np.unique(batch.channel[fresh]).tolist())
    lookup = np.array([numbers.get(slug, 0) for slug in batch.channels], dtype=np.int16)
    ts, seq, value = batch.ts[fresh], batch.seq[fresh], batch.value[fresh]
    channel, flags = lookup[batch.channel[fresh]], clock_flags(batch.ts[fresh], received_us)
    believed = flags == 0
    _copy(device, received_us, seq=seq, ts=ts, value=value, channel=channel, flags=flags)
    if believed.any():
        _roll_up(device, ts[believed], seq[believed], value[believed], channel[believed])
    return tuple(
        Remark(int(s), code, _sentence(code, 0))
        for s, flag in zip(seq[~believed], flags[~believed], strict=True)
        for code in ["reading:clock-ahead" if flag == FLAG_AHEAD else "reading:clock-behind"]
    )


def _copy(
    device: Device,
    received_us: int,
    *,
    seq: "npt.NDArray[np.int64]",
    ts: "npt.NDArray[np.int64]",
    value: "npt.NDArray[np.float64]",
    channel: "npt.NDArray[np.int16]",
    flags: "npt.NDArray[np.int16]",
) -> None:
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.parse import COPY_COLUMNS, copy_binary  # noqa: PLC0415

    days = np.unique(ts[flags == 0] // DAY_US).tolist()
    ensure_days(raw.from_us(day * DAY_US).date() for day in days)
    rows = copy_binary(
        seq=seq,
        ts=ts,
        value=value,
        channel=channel,
        flags=flags,
        device=device.number,
        received_us=received_us,
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY devices_reading ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(rows)


def _roll_up(
    device: Device,
    ts: "npt.NDArray[np.int64]",
    seq: "npt.NDArray[np.int64]",
    value: "npt.NDArray[np.float64]",
    channel: "npt.NDArray[np.int16]",
) -> None:
    import numpy as np  # noqa: PLC0415

    order = np.lexsort((seq, ts))
    ts, seq, value, channel = ts[order], seq[order], value[order], channel[order]
    heads = _heads(device)
    streams = []
    for number in np.unique(channel).tolist():
        mine = channel == number
        streams.append(rollups.Stream(number, ts[mine], seq[mine], value[mine], heads.get(number)))
    low, high = rollups.update(device=device, streams=streams)
    _write_last(device, streams)
    readings_stored.send(sender=Device, device=device, start=raw.from_us(low), end=raw.from_us(high))


def _heads(device: Device) -> dict[int, raw.Row]:
    """The newest believed reading of each channel."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT channel, (extract(epoch FROM ts) * 1000000)::int8, seq, value
            FROM devices_lastvalue WHERE device_id = %s""",
            [device.number],
        )
        return {channel: (ts, seq, value) for channel, ts, seq, value in cursor.fetchall()}


def _write_last(device: Device, streams: list[rollups.Stream]) -> None:
    newest = [
        (s.channel, int(s.seq[-1]), raw.from_us(int(s.ts[-1])), float(s.value[-1]))
        for s in streams
        if s.head is None or (int(s.ts[-1]), int(s.seq[-1])) > s.head[:2]
    ]
    if not newest:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO devices_lastvalue (device_id, channel, seq, ts, value)
            SELECT %s, * FROM unnest(%s::int2[], %s::int8[], %s::timestamptz[], %s::float8[])
            ON CONFLICT (device_id, channel) DO UPDATE
            SET seq = excluded.seq, ts = excluded.ts, value = excluded.value""",
            [device.number, *map(list, zip(*newest, strict=True))],
        )
