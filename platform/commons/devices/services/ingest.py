"""Readings in: checked as columns, stored once, rolled up, acknowledged when committed.

Batches of many devices go in together, in one transaction: one COPY and a fixed number of statements, however many
devices there are. Each batch gets an answer of its own, and one that is refused hurts no other.
"""

import datetime as dt
import uuid
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
from commons.devices.errors import DeviceRevoked, TooManyReadings, Unreadable
from commons.devices.models import Device
from commons.devices.queries import raw
from commons.devices.queries.often import ask
from commons.devices.services import rollups
from commons.devices.services.partitions import days_known
from commons.devices.services.seqs import SEEN, lock_many, ranges_of_sorted, seen_values, widened, write_seen
from commons.devices.signals import Stored, group_stored, readings_stored
from commons.errors import CityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from commons.devices.engine.parse import Batch, Fault

MAX_READINGS = 10_000
DAY_US = 86_400_000_000
CHANNELS_MOST = 2**15

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


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch of one device, read. `count`: its items; `token_sha256`: the token that it came with, if it came with
    one, which must still be the device's when it is stored."""

    device: uuid.UUID
    batch: "Batch"
    count: int
    token_sha256: bytes | None = None


def read_items(items: Sequence[Any]) -> "Batch":
    """Items {"seq", "ts", "channel", "value"} as columns, with what is wrong in them."""
    from commons.devices.engine.parse import parse  # noqa: PLC0415 the web process starts without numpy

    return parse(items, fixed=tuple(channels.FIXED), states=channels.STATES)


def ingest(*, device: Device, readings: Sequence[Any], received_at: dt.datetime | None = None) -> Ack:
    """Store a batch of {"seq", "ts", "channel", "value"} once, with rollups and last values; both or neither.

    Locks the device's row. An item that cannot be read is rejected by itself; one with an absurd clock is
    stored and flagged. Sends `readings_stored`. Raises DeviceRevoked, TooManyGaps.
    """
    sent = Sent(device.pk, read_items(readings), len(readings))
    answer = ingest_many(sent=[sent], received_at=received_at)[0]
    if isinstance(answer, CityError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that was let in, and what is new in it: places, each seq once."""

    sent: Sent
    device: Device
    fresh: "npt.NDArray[np.intp]"
    answer: Ack


@transaction.atomic
def ingest_many(*, sent: Sequence[Sent], received_at: dt.datetime | None = None) -> list[Ack | CityError]:
    """Store batches of any devices together, each as `ingest` does; an answer for each, in their order.

    Locks the devices' rows in the order of their ids. A batch that is refused (DeviceRevoked, TooManyGaps) is not
    kept and hurts no other. Sends `readings_stored` for each device and `group_stored` once; a receiver that fails
    undoes all of it.
    """
    received_us = raw.to_us(received_at or timezone.now())
    ids = {one.device for one in sent}
    devices, (ends,) = lock_many(ids, (rollups.ENDS, [raw.array(ids)]))
    answers: list[Ack | CityError] = []
    taken: list[Taken] = []
    touched: dict[uuid.UUID, Device] = {}
    for one in sent:
        try:
            let_in = _take(devices.get(one.device), one, received_us)
        except CityError as refusal:
            answers.append(refusal)
            continue
        taken.append(let_in)
        answers.append(let_in.answer)
        touched[one.device] = let_in.device
    streams = _store(taken, received_us) if any(len(one.fresh) for one in taken) else None
    if streams is not None:
        _roll_up(streams, list(touched.values()), ends)
    elif touched:
        write_seen(list(touched.values()))
    return answers


def _take(device: Device | None, sent: Sent, received_us: int) -> Taken:
    """What is new in a batch, and its answer; from now on its seqs are seen. Raises DeviceRevoked, TooManyGaps."""
    if device is None:
        raise DeviceRevoked(_("This device was revoked; enrol it again with a new code."))
    if sent.token_sha256 is not None and sent.token_sha256 != bytes(device.token_sha256 or b""):
        raise DeviceRevoked(_("This device token is not known or was revoked."))
    batch = sent.batch
    fresh, seqs = _fresh(device, batch)
    faults = batch.faults
    if faults:
        good = set(batch.seq.tolist())
        faults = tuple(f for f in faults if f.seq is None or not (f.seq in good or sets.holds(device.seen, f.seq)))
    settled = ranges_of_sorted(seqs)
    if settled_faults := [f.seq for f in faults if f.seq is not None]:
        settled = sets.union(settled, sets.ranges_of(settled_faults))
    device.seen = widened(device.seen, settled)
    rejected, flagged = _remarks(sent, fresh, faults, received_us)
    answer = Ack(
        acked=sets.acknowledged(device.seen),
        stored=len(fresh),
        duplicates=sent.count - len(fresh) - len(faults),
        rejected=rejected,
        flagged=flagged,
    )
    return Taken(sent, device, fresh, answer)


def _remarks(
    sent: Sent, fresh: "npt.NDArray[np.intp]", faults: "Sequence[Fault]", received_us: int
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    """What is said about what was rejected and what was flagged."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.parse import FLAG_AHEAD, clock_flags  # noqa: PLC0415

    if not faults and (not len(fresh) or _plausible(sent.batch.ts, received_us)):
        return (), ()
    flags = clock_flags(sent.batch.ts[fresh], received_us)
    wrong = np.flatnonzero(flags)
    rejected = tuple(Remark(f.seq, f.code, _sentence(f.code, f.index)) for f in faults)
    codes = ["reading:clock-ahead" if flag == FLAG_AHEAD else "reading:clock-behind" for flag in flags[wrong]]
    seqs = sent.batch.seq[fresh][wrong].tolist()
    flagged = tuple(Remark(seq, code, _sentence(code, 0)) for seq, code in zip(seqs, codes, strict=True))
    return rejected, flagged


def _plausible(ts: "npt.NDArray[np.int64]", received_us: int) -> bool:
    """Whether no stamp has an absurd clock."""
    from commons.devices.engine.parse import AHEAD_US, BEHIND_US  # noqa: PLC0415

    return bool(ts.max() <= received_us + AHEAD_US and ts.min() >= received_us - BEHIND_US)


def _sentence(code: str, index: int) -> str:
    return str(SENTENCES[code]) % {"index": index, "known": ", ".join(channels.FIXED)}


def _fresh(device: Device, batch: "Batch") -> "tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]":
    """Places in the batch of seqs that were never seen, each seq once, its first; and these seqs, ascending."""
    import numpy as np  # noqa: PLC0415

    if len(batch.seq) == 1:
        known = sets.holds(device.seen, int(batch.seq[0]))
        return np.arange(0 if known else 1), batch.seq[: 0 if known else 1]
    if len(batch.seq) and bool((batch.seq[1:] > batch.seq[:-1]).all()):  # as a device counts
        if not device.seen or device.seen[-1][1] <= batch.seq[0]:
            return np.arange(len(batch.seq)), batch.seq
        unique, first = batch.seq, np.arange(len(batch.seq))
    else:
        unique, first = np.unique(batch.seq, return_index=True)
    if device.seen and len(unique):
        low, high = np.array(device.seen, dtype=np.int64).T
        at = np.searchsorted(low, unique, side="right") - 1
        new = (at < 0) | (unique >= high[at])
        unique, first = unique[new], first[new]
    return np.asarray(first, dtype=np.intp), unique


def _store(taken: Sequence[Taken], received_us: int) -> "Believed | None":
    """Raw rows by one COPY; those whose clock is believed."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.parse import clock_flags  # noqa: PLC0415

    news = sorted((one for one in taken if len(one.fresh)), key=lambda one: one.device.number)
    slugs = {slug for one in news for slug in one.sent.batch.channels}
    numbers = channels.numbers_of(slugs)
    ts = np.concatenate([one.sent.batch.ts[one.fresh] for one in news])
    seq = np.concatenate([one.sent.batch.seq[one.fresh] for one in news])
    value = np.concatenate([one.sent.batch.value[one.fresh] for one in news])
    channel = np.concatenate([_channels_of(one, numbers) for one in news])
    device = np.repeat([one.device.number for one in news], [len(one.fresh) for one in news])
    flags = clock_flags(ts, received_us)
    believed = flags == 0
    days = np.unique(ts[believed] // DAY_US).tolist()
    days_known(raw.from_us(day * DAY_US).date() for day in days)
    _copy(received_us, seq=seq, ts=ts, value=value, channel=channel, flags=flags, device=device)
    if not believed.any():
        return None
    of_number = {one.device.number: one.device for one in news}
    columns = (ts, seq, value, channel.astype(np.int64), device)
    if not believed.all():
        columns = tuple(column[believed] for column in columns)
    return Believed(of_number, *columns)


@dataclass(frozen=True, slots=True)
class Believed:
    """Readings that count: the devices by their numbers, and columns in any order."""

    of_number: dict[int, Device]
    ts: "npt.NDArray[np.int64]"
    seq: "npt.NDArray[np.int64]"
    value: "npt.NDArray[np.float64]"
    channel: "npt.NDArray[np.int64]"
    device: "npt.NDArray[np.int64]"


def _channels_of(one: Taken, numbers: dict[str, int]) -> "npt.NDArray[np.int16]":
    """The channels' numbers of what is new in a batch."""
    import numpy as np  # noqa: PLC0415

    batch = one.sent.batch
    lookup = np.array([numbers[slug] for slug in batch.channels], dtype=np.int16)
    return lookup[batch.channel[one.fresh]]


def _copy(
    received_us: int,
    *,
    seq: "npt.NDArray[np.int64]",
    ts: "npt.NDArray[np.int64]",
    value: "npt.NDArray[np.float64]",
    channel: "npt.NDArray[np.int16]",
    flags: "npt.NDArray[np.int16]",
    device: "npt.NDArray[np.int64]",
) -> None:
    from commons.devices.engine.parse import COPY_COLUMNS, copy_binary  # noqa: PLC0415

    rows = copy_binary(
        seq=seq,
        ts=ts,
        value=value,
        channel=channel,
        flags=flags,
        device=device,
        received_us=received_us,
    )
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY devices_reading ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(rows)


def _roll_up(news: Believed, heard: list[Device], ends: list[tuple[Any, ...]]) -> None:
    """Rollups, last values and what the devices have seen, written in one statement; then the signals."""
    import numpy as np  # noqa: PLC0415

    stream = news.device * CHANNELS_MOST + news.channel
    ts, seq, value = news.ts, news.seq, news.value
    if not _in_order(stream, ts, seq):
        order = np.lexsort((seq, ts, stream))
        stream, ts, seq, value = stream[order], ts[order], seq[order], value[order]
    begins = np.flatnonzero(np.diff(stream, prepend=-1))
    keys = [divmod(one, CHANNELS_MOST) for one in stream[begins].tolist()]
    heads, base = rollups.ends(ends)
    streams = rollups.Streams(
        device=tuple(news.of_number[number] for number, _channel in keys),
        channel=tuple(number for _device, number in keys),
        head=tuple(heads.get(key) for key in keys),
        of=np.repeat(np.arange(len(keys)), np.diff(begins, append=len(stream))),
        ts=ts,
        seq=seq,
        value=value,
    )
    low, high, rows = rollups.update(streams, base)
    ask((WRITTEN, [*map(raw.array, rows.columns), *map(raw.array, _newest(streams)), *seen_values(heard)]))
    _tell(streams, low.tolist(), high.tolist())


def _in_order(stream: "npt.NDArray[np.int64]", ts: "npt.NDArray[np.int64]", seq: "npt.NDArray[np.int64]") -> bool:
    """Whether they are sorted by (stream, ts, seq) as they stand."""
    later, same = ts[1:] > ts[:-1], stream[1:] == stream[:-1]
    later |= (ts[1:] == ts[:-1]) & (seq[1:] > seq[:-1])
    later &= same
    return bool((later | (stream[1:] > stream[:-1])).all())


def _tell(streams: rollups.Streams, low: list[int], high: list[int]) -> None:
    """The signals: the stretch of each device over all its channels."""
    spans: dict[int, tuple[Device, int, int]] = {}
    for device, start, end in zip(streams.device, low, high, strict=True):
        _device, first, last = spans.get(device.number, (device, start, end))
        spans[device.number] = (device, min(first, start), max(last, end))
    stored = [Stored(device, raw.from_us(start), raw.from_us(end)) for device, start, end in spans.values()]
    for one in stored:
        readings_stored.send(sender=Device, device=one.device, start=one.start, end=one.end)
    group_stored.send(sender=Device, stored=stored)


NEWEST = f"""INSERT INTO devices_lastvalue (device_id, channel, seq, ts, value)
    SELECT device, channel, seq, {raw.MOMENT.format("us")}, value
    FROM unnest(%s::int4[], %s::int2[], %s::int8[], %s::int8[], %s::float8[]) AS v (device, channel, seq, us, value)
    ON CONFLICT (device_id, channel) DO UPDATE
    SET seq = excluded.seq, ts = excluded.ts, value = excluded.value"""  # noqa: S608 constants


WRITTEN = f"WITH rolled AS ({rollups.ROLLED}), newest AS ({NEWEST}) {SEEN}"
"""Writes rollups, last values and what devices have seen."""


def _newest(streams: rollups.Streams) -> list[list[Any]]:
    """The values for NEWEST: the last reading of each stream that goes beyond what was there."""
    import numpy as np  # noqa: PLC0415

    newer = np.flatnonzero(streams.news)
    at = streams.last[newer]
    return [
        streams.number[newer].tolist(),
        [streams.channel[n] for n in newer.tolist()],
        streams.seq[at].tolist(),
        streams.ts[at].tolist(),
        streams.value[at].tolist(),
    ]
