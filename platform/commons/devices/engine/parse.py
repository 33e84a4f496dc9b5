"""Readings from the wire to columns: one fast path for what is right, one slow path that says what is wrong.

The fast path checks whole columns at once; only when something in it does not fit is each item looked at by
itself.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

MAX_SEQ = 2**62
AHEAD_US = 5 * 60 * 1_000_000
BEHIND_US = 400 * 86_400 * 1_000_000
LIMITS = {"power_w": 1e8, "energy_wh_total": 1e13}
LARGEST = 1e15

FLAG_AHEAD, FLAG_BEHIND = 1, 2
FEW = 8
"""So few readings are looked at one by one sooner than as columns."""

_CHANNEL = re.compile(r"x_[a-z0-9_]{1,38}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LEAP = re.compile(r"(T\d\d:\d\d):60(\.\d+)?")
_US = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """A reading that cannot be kept: its place in the batch, its seq if that could be read, and why."""

    index: int
    seq: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as columns of equal length n, in the order they came, and the items that could not be read.

    `channel` indexes `channels`; `ts` in µs since 1970 UTC.
    """

    seq: Int64
    ts: Int64
    value: Float64
    channel: npt.NDArray[np.int16]
    channels: tuple[str, ...]
    faults: tuple[Fault, ...] = field(default=())


def parse(items: Sequence[Any], *, fixed: Sequence[str], states: Mapping[str, float]) -> Batch:
    """The items as columns. `fixed`: names of channels beside `x_…`; `states`: words that `state` may have.

    A seq is a whole number 0 ≤ seq < 2^62, a time stamp ISO 8601 with its zone, a value finite.
    """
    fast = _parse_columns(items, fixed) if len(items) > FEW else None
    return fast if fast is not None else _parse_each(items, fixed, states)


def _parse_columns(items: Sequence[Any], fixed: Sequence[str]) -> Batch | None:
    """The fast path; None when anything is out of the ordinary."""
    try:
        seqs = [item["seq"] for item in items]
        stamps = [item["ts"] for item in items]
        slugs = [item["channel"] for item in items]
        values = [item["value"] for item in items]
    except (TypeError, KeyError, IndexError):
        return None
    kinds = [{*map(type, column)} for column in (seqs, values, slugs)]
    if not (kinds[0] <= {int} and kinds[1] <= {int, float} and kinds[2] <= {str}):
        return None
    channels = tuple(sorted(set(slugs)))
    if not all(_is_channel(slug, fixed) for slug in channels):
        return None
    try:
        ts = _stamps(stamps)
        seq = np.array(seqs, dtype=np.int64)
        value = np.array(values, dtype=np.float64)
    except (ValueError, OverflowError, TypeError):
        return None
    channel = _codes(slugs, channels)
    if not (_in_limits(value, channel, channels) and ((seq >= 0) & (seq < MAX_SEQ)).all()):
        return None
    return Batch(seq, ts, value, channel, channels)


def _stamps(stamps: list[Any]) -> Int64:
    """`2026-11-22T14:00:00Z` with or without a fraction up to microseconds, all of one length; ValueError for any other
    form. They are read as a table of characters: no loop over the stamps."""
    if not stamps:
        return np.empty(0, dtype=np.int64)
    try:
        together = "".join(stamps).encode("ascii")
    except (TypeError, UnicodeEncodeError):
        raise ValueError("not text") from None
    length = len(stamps[0])
    if length not in {20, 22, 23, 24, 25, 26, 27} or {*map(len, stamps)} != {length}:
        raise ValueError("not the plain form")
    table = np.frombuffer(together, dtype=np.uint8).reshape(len(stamps), length)
    for at, sign in ((4, b"-"), (7, b"-"), (10, b"T"), (13, b":"), (16, b":"), (length - 1, b"Z")):
        if (table[:, at] != sign[0]).any():
            raise ValueError("not the plain form")
    if length > 20 and (table[:, 19] != b"."[0]).any():
        raise ValueError("not the plain form")
    digits = table[:, [n for n in range(length - 1) if n not in {4, 7, 10, 13, 16, 19}]].astype(np.int64) - ord("0")
    if ((digits < 0) | (digits > 9)).any():
        raise ValueError("not the plain form")
    hour, minute, second = (digits[:, n] * 10 + digits[:, n + 1] for n in (8, 10, 12))
    if (hour > 23).any() or (minute > 59).any() or (second > 59).any():
        raise ValueError("not a time")
    fraction = digits[:, 14:] @ 10 ** np.arange(5, 5 - (digits.shape[1] - 14), -1, dtype=np.int64)
    of_day = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    return np.asarray(_days(np.ascontiguousarray(table[:, :10])) * 86_400_000_000 + of_day, dtype=np.int64)


def _days(table: npt.NDArray[np.uint8]) -> Int64:
    """Days since 1970 of rows of characters such as 2026-11-22; ValueError for a day that does not exist."""
    names = table.view("S10").ravel()
    known, which = np.unique(names, return_inverse=True)
    days = known.astype("U10").astype("datetime64[D]")
    return np.asarray(days.astype(np.int64)[which], dtype=np.int64)


def _codes(slugs: Sequence[str], channels: tuple[str, ...]) -> npt.NDArray[np.int16]:
    if len(channels) == 1:
        return np.zeros(len(slugs), dtype=np.int16)
    code = {slug: i for i, slug in enumerate(channels)}
    return np.fromiter((code[slug] for slug in slugs), dtype=np.int16, count=len(slugs))


def _in_limits(value: Float64, channel: npt.NDArray[np.int16], channels: tuple[str, ...]) -> bool:
    if not _between(value, -LARGEST, LARGEST):
        return False
    for code, slug in enumerate(channels):
        if slug in LIMITS:
            mine = value if len(channels) == 1 else value[channel == code]
            if not _between(mine, 0.0 if slug == "energy_wh_total" else -LIMITS[slug], LIMITS[slug]):
                return False
    return True


def _between(value: Float64, low: float, high: float) -> bool:
    """Whether all are finite and in [low, high]; a NaN is the least and the greatest of all, and in no range."""
    return not len(value) or bool(value.min() >= low and value.max() <= high)


def _is_channel(slug: str, fixed: Sequence[str]) -> bool:
    return slug in fixed or _CHANNEL.fullmatch(slug) is not None


def _parse_each(items: Sequence[Any], fixed: Sequence[str], states: Mapping[str, float]) -> Batch:
    faults: list[Fault] = []
    rows: list[tuple[int, int, float, str]] = []
    for index, item in enumerate(items):
        read = _parse_one(index, item, fixed, states)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            rows.append(read)
    channels = tuple(sorted({row[3] for row in rows}))
    return Batch(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64),
        _codes([row[3] for row in rows], channels),
        channels,
        tuple(faults),
    )


def _parse_one(
    index: int, item: Any, fixed: Sequence[str], states: Mapping[str, float]
) -> "Fault | tuple[int, int, float, str]":
    if not isinstance(item, dict):
        return Fault(index, None, "reading:unreadable")
    seq = item.get("seq")
    if type(seq) is not int or not 0 <= seq < MAX_SEQ:
        return Fault(index, None, "reading:bad-seq")
    slug = item.get("channel")
    if not isinstance(slug, str) or not _is_channel(slug, fixed):
        return Fault(index, seq, "reading:unknown-channel")
    ts = read_stamp(item.get("ts"))
    if ts is None:
        return Fault(index, seq, "reading:bad-time")
    value = item.get("value")
    if slug == "state" and isinstance(value, str):
        value = states.get(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _fits(slug, value):
        return Fault(index, seq, "reading:bad-value")
    return seq, ts, float(value), slug


def _fits(slug: str, value: float) -> bool:
    try:
        finite = math.isfinite(value)
    except OverflowError:
        return False
    limit = LIMITS.get(slug, LARGEST)
    return finite and -limit <= value <= limit and not (slug == "energy_wh_total" and value < 0)


def read_stamp(stamp: Any) -> int | None:
    """µs since 1970 UTC of an ISO 8601 stamp with its zone, or None. A leap second is the next second."""
    if not isinstance(stamp, str) or not 16 <= len(stamp) <= 40:
        return None
    leap = _LEAP.search(stamp)
    plain = _LEAP.sub(lambda m: f"{m[1]}:59{m[2] or ''}", stamp) if leap else stamp
    try:
        read = dt.datetime.fromisoformat(plain)
        if read.tzinfo is None:
            return None
        return (read - _EPOCH) // _US + (1_000_000 if leap else 0)
    except (ValueError, OverflowError):
        return None


def clock_flags(ts: Int64, received_us: int) -> npt.NDArray[np.int16]:
    """1 where the stamp lies over 5 minutes ahead of its arrival, 2 where over 400 days behind, else 0."""
    flags = np.zeros(len(ts), dtype=np.int16)
    flags[ts > received_us + AHEAD_US] = FLAG_AHEAD
    flags[ts < received_us - BEHIND_US] = FLAG_BEHIND
    return flags


_COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("n1", ">i4"), ("seq", ">i8"),
        ("n2", ">i4"), ("ts", ">i8"),
        ("n3", ">i4"), ("received_at", ">i8"),
        ("n4", ">i4"), ("value", ">f8"),
        ("n5", ">i4"), ("device", ">i4"),
        ("n6", ">i4"), ("channel", ">i2"),
        ("n7", ">i4"), ("flags", ">i2"),
    ]
)  # fmt: skip
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TAIL = b"\xff\xff"
_PG_EPOCH_US = 946_684_800_000_000
COPY_COLUMNS = "seq, ts, received_at, value, device, channel, flags"


def copy_binary(
    *,
    seq: Int64,
    ts: Int64,
    value: Float64,
    channel: npt.NDArray[np.int16],
    flags: npt.NDArray[np.int16],
    device: "Int64 | int",
    received_us: int,
) -> bytes:
    """The rows as PostgreSQL's binary COPY format, columns as in COPY_COLUMNS; one buffer, no loop.

    `device` is one number for all rows or one for each.
    """
    row = np.zeros(1, dtype=_COPY_ROW)  # what all rows have alike, laid under them at once
    row["fields"], row["received_at"] = 7, received_us - _PG_EPOCH_US
    for name, length in (("n1", 8), ("n2", 8), ("n3", 8), ("n4", 8), ("n5", 4), ("n6", 2), ("n7", 2)):
        row[name] = length
    rows = np.repeat(row, len(seq))
    rows["seq"], rows["ts"] = seq, ts - _PG_EPOCH_US
    rows["value"], rows["device"], rows["channel"], rows["flags"] = value, device, channel, flags
    return _COPY_HEAD + rows.tobytes() + _COPY_TAIL
