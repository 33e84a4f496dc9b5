"""A body of telemetry to columns in one pass over its bytes, compiled and without the interpreter's lock.

It knows the form that devices send: {"readings": [{"seq": 1, "ts": "2026-11-22T14:00:00Z", "channel": "power_w",
"value": 1.5}, …]} with its keys in any order and any white space. Of anything else (an escape, another key, a word for
a value, a zone other than Z, a fault) it says nothing, and the body goes the general way (`parse`), which says what is
wrong. What it does answer is what the general way would have answered, to the last bit: `tests/engines/test_scan.py`
holds to that.

A number is exact where its digits make a whole number up to 2^53 and at most 22 of them stand behind the point: one
division of two exact numbers then rounds once, which gives the nearest double (Clinger 1990, "How to read floating
point numbers accurately"). The few others are read by Python.

Loading the compiler takes a second and 90 MB, so it is loaded by whoever has much to read (`intake`).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from commons.devices.engine.parse import Batch, _in_limits, _is_channel

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

SHORTEST = 50
"""Bytes of a reading, at least."""
MOST_CHANNELS = 32
EXACT = 2**53
QUOTE, COMMA, COLON, OPEN, CLOSE, FIRST, LAST = 34, 44, 58, 123, 125, 91, 93
POWERS = np.array([float(10**n) for n in range(23)])
KEYS = np.frombuffer(b"seqtschannelvaluereadings", dtype=np.uint8)
KEY_AT = np.array([0, 3, 5, 12, 17, 25], dtype=np.int64)
MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
FORM = np.frombuffer(b"0000-00-00T00:00:00", dtype=np.uint8)


def scan(body: bytes, *, fixed: Sequence[str], most: int) -> Batch | None:
    """The readings of a body; None where it is out of the ordinary or holds more than `most`."""
    data = np.frombuffer(body, dtype=np.uint8)
    room = min(len(data) // SHORTEST + 1, most)
    whole = np.empty((2, room), dtype=np.int64)
    value = np.empty(room)
    channel = np.empty(room, dtype=np.int16)
    names = np.empty((MOST_CHANNELS, 2), dtype=np.int64)
    hard = np.empty((room, 3), dtype=np.int64)
    count, known, left = _scan(data, whole, value, channel, names, hard)
    if count < 0:
        return None
    slugs = [body[low:high].decode("ascii") for low, high in names[:known].tolist()]
    if not all(_is_channel(slug, fixed) for slug in slugs):
        return None
    for at, low, high in hard[:left].tolist():
        value[at] = float(body[low:high])
    channels = tuple(sorted(slugs))
    channel, value = channel[:count], value[:count]
    if len(channels) > 1:
        channel = np.array([channels.index(slug) for slug in slugs], dtype=np.int16)[channel]
    if not _in_limits(value, channel, channels):
        return None
    return Batch(whole[0, :count], whole[1, :count], value, channel, channels)


def _compiled(function: F) -> F:
    return cast(F, njit(cache=True, nogil=True)(function))


@_compiled
def _space(data: Bytes, at: int) -> int:
    """The next place that is not white space."""
    while at < len(data) and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@_compiled
def _next(data: Bytes, at: int, sign: int) -> int:
    """The place after this sign and the white space around it; -1 where it does not stand."""
    at = _space(data, at)
    if at >= len(data) or data[at] != sign:
        return -1
    return _space(data, at + 1)


@_compiled
def _key(data: Bytes, at: int) -> tuple[int, int]:
    """Which of KEYS begins here with its quotes and colon, and the place after; -1 where none does."""
    if at >= len(data) or data[at] != QUOTE:
        return -1, at
    for n in range(5):
        low, high = KEY_AT[n], KEY_AT[n + 1]
        end = at + 1 + high - low
        if end < len(data) and data[end] == QUOTE:
            same = True
            for k in range(high - low):
                if data[at + 1 + k] != KEYS[low + k]:
                    same = False
                    break
            if same:
                return n, _next(data, end + 1, COLON)
    return -1, at


@_compiled
def _number(data: Bytes, at: int) -> tuple[int, int, bool]:
    """The whole number of the digits from here, the place after them, and whether it fits."""
    begin, found = at, 0
    while at < len(data) and 48 <= data[at] <= 57:
        if at - begin < 18:
            found = found * 10 + (data[at] - 48)
        at += 1
    plain = at - begin > 0 and (at - begin == 1 or data[begin] != 48)
    return found, at, plain and at - begin <= 18


@_compiled
def _stamp(data: Bytes, at: int) -> tuple[int, int]:  # noqa: PLR0911 a grammar in one pass
    """µs since 1970 of a stamp in its quotes, and the place after; -1 for any other form."""
    if at + 22 > len(data) or data[at] != QUOTE:
        return 0, -1
    at += 1
    for k in range(19):
        sign = data[at + k]
        if FORM[k] == 48:
            if sign < 48 or sign > 57:
                return 0, -1
        elif sign != FORM[k]:
            return 0, -1
    d = data[at : at + 19].astype(np.int64) - 48
    year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]
    month, day = d[5] * 10 + d[6], d[8] * 10 + d[9]
    hour, minute, second = d[11] * 10 + d[12], d[14] * 10 + d[15], d[17] * 10 + d[18]
    if year < 1900 or month < 1 or month > 12 or day < 1 or hour > 23 or minute > 59 or second > 59:
        return 0, -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > MONTH_DAYS[month] + (1 if leap and month == 2 else 0):
        return 0, -1
    at += 19
    micro, unit = 0, 100_000
    if data[at] == 46:
        at += 1
        begin = at
        while at < len(data) and 48 <= data[at] <= 57:
            micro += unit * (data[at] - 48)
            unit //= 10
            at += 1
        if at == begin or at - begin > 6:
            return 0, -1
    if at + 1 >= len(data) or data[at] != 90 or data[at + 1] != QUOTE:
        return 0, -1
    # Days of the civil calendar, with years that begin in March (H. Hinnant, "chrono-compatible date algorithms").
    y = year - (1 if month <= 2 else 0)
    era, m = y // 400, (month + 9) % 12
    of_era = (y - era * 400) * 365 + (y - era * 400) // 4 - (y - era * 400) // 100 + (153 * m + 2) // 5 + day - 1
    days = era * 146_097 + of_era - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + micro, at + 2


@_compiled
def _value(data: Bytes, at: int) -> tuple[float, int, bool]:
    """A JSON number, the place after it (-1 for what is none), and whether Python must read it."""
    negative = at < len(data) and data[at] == 45
    if negative:
        at += 1
    begin, digits, mantissa, fraction = at, 0, 0, 0
    while at < len(data) and 48 <= data[at] <= 57:
        mantissa = mantissa * 10 + (data[at] - 48) if digits < 18 else mantissa
        digits += 1
        at += 1
    if digits == 0 or (digits > 1 and data[begin] == 48):
        return 0.0, -1, False
    if at < len(data) and data[at] == 46:
        at += 1
        begin = at
        while at < len(data) and 48 <= data[at] <= 57:
            mantissa = mantissa * 10 + (data[at] - 48) if digits < 18 else mantissa
            digits += 1
            at += 1
        fraction = at - begin
        if fraction == 0:
            return 0.0, -1, False
    hard = digits > 18 or mantissa > EXACT or fraction > 22 or (negative and mantissa == 0 and fraction > 0)
    if at < len(data) and (data[at] == 101 or data[at] == 69):
        hard = True
        at += 1
        if at < len(data) and (data[at] == 43 or data[at] == 45):
            at += 1
        begin = at
        while at < len(data) and 48 <= data[at] <= 57:
            at += 1
        if at == begin or at - begin > 3:
            return 0.0, -1, False
    if hard:
        return 0.0, at, True
    found = mantissa / POWERS[fraction]
    return (-found if negative and mantissa else found), at, False


@_compiled
def _slug(data: Bytes, at: int, names: Int64, known: int) -> tuple[int, int, int]:
    """Which channel a word in its quotes names, the place after it (-1 for no plain word), and how many are known."""
    if at >= len(data) or data[at] != QUOTE:
        return 0, -1, known
    low = at + 1
    at = low
    while at < len(data) and (97 <= data[at] <= 122 or 48 <= data[at] <= 57 or data[at] == 95):
        at += 1
    if at >= len(data) or data[at] != QUOTE or at == low:
        return 0, -1, known
    for n in range(known):
        if names[n, 1] - names[n, 0] == at - low:
            same = True
            for k in range(at - low):
                if data[names[n, 0] + k] != data[low + k]:
                    same = False
                    break
            if same:
                return n, at + 1, known
    if known == MOST_CHANNELS:
        return 0, -1, known
    names[known, 0], names[known, 1] = low, at
    return known, at + 1, known + 1


@_compiled
def _scan(  # noqa: PLR0911, PLR0912, PLR0917 a grammar in one pass
    data: Bytes, whole: Int64, value: Float64, channel: "npt.NDArray[np.int16]", names: Int64, hard: Int64
) -> tuple[int, int, int]:
    """How many readings there are (-1: out of the ordinary), how many channels, how many values Python must read."""
    no = (-1, 0, 0)
    at = _next(data, 0, OPEN)
    if at < 0:
        return no
    key, at = _key(data, at)
    if key != 4 or at < 0:
        return no
    at = _next(data, at, FIRST)
    if at < 0:
        return no
    count = known = left = 0
    while True:
        at = _next(data, at, OPEN)
        if at < 0 or count == len(value):
            return no
        had = 0
        for _ in range(4):
            key, at = _key(data, at)
            if key < 0 or key > 3 or at < 0 or had & (1 << key):
                return no
            had |= 1 << key
            if key == 0:
                whole[0, count], at, good = _number(data, at)
                if not good:
                    return no
            elif key == 1:
                whole[1, count], at = _stamp(data, at)
            elif key == 2:
                channel[count], at, known = _slug(data, at, names, known)
            else:
                begin = at
                value[count], at, unread = _value(data, at)
                if unread:
                    hard[left, 0], hard[left, 1], hard[left, 2] = count, begin, at
                    left += 1
            if at < 0:
                return no
            at = _next(data, at, CLOSE if had == 15 else COMMA)
            if at < 0:
                return no
        count += 1
        if at < len(data) and data[at] == COMMA:
            at = _space(data, at + 1)
            continue
        break
    at = _next(data, at, LAST)
    if at < 0:
        return no
    at = _next(data, at, CLOSE)
    if at != len(data):
        return no
    return count, known, left
