"""Readings by hand, and what they must add up to: worked out one by one, without the engine."""

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from django.utils import timezone

from commons.devices.models import Device, LastValue, Rollup

US = dt.timedelta(microseconds=1)


def day_start(days_ago: int = 3) -> dt.datetime:
    """A midnight some days ago."""
    now = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return now - dt.timedelta(days=days_ago)


def reading(seq: int, ts: dt.datetime, value: float, channel: str = "power_w") -> dict[str, Any]:
    """A reading as it stands in a telemetry body."""
    stamp = ts.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return {"seq": seq, "ts": stamp, "channel": channel, "value": value}


def rollups_of(device: Device) -> dict[tuple[int, int, dt.datetime], tuple[Any, ...]]:
    """Every rollup row of the device, to the last bit."""
    rows = Rollup.objects.filter(device=device).values_list(
        "channel", "step_s", "start", "count", "total", "min", "max", "energy_wh", "covered_s", "dense_s"
    )
    return {row[:3]: row[3:] for row in rows}


def last_of(device: Device) -> set[tuple[int, int, dt.datetime, float]]:
    """The last values of the device."""
    return set(LastValue.objects.filter(device=device).values_list("channel", "seq", "ts", "value"))


def expected_energy_wh(
    readings: Iterable[tuple[dt.datetime, int, float]], start: dt.datetime, end: dt.datetime, *, counter: bool
) -> float:
    """The energy between start and end by exact fractions, segment after segment."""
    ordered = sorted(readings)
    total = Fraction(0)
    for (t0, _s0, v0), (t1, _s1, v1) in itertools.pairwise(ordered):
        if counter:
            total += _counter_piece(t0, v0, t1, v1, start, end)
        elif t1 - t0 <= dt.timedelta(minutes=5) and t1 > t0:
            total += _power_piece(t0, max(v0, 0.0), t1, max(v1, 0.0), start, end)
    return float(total)


def _counter_piece(
    t0: dt.datetime, v0: float, t1: dt.datetime, v1: float, start: dt.datetime, end: dt.datetime
) -> Fraction:
    step = max(Fraction(v1) - Fraction(v0), Fraction(0))
    t0 = max(t0, t1 - dt.timedelta(days=31))
    if t0 == t1:
        return step if start <= t0 < end else Fraction(0)
    inside = (min(t1, end) - max(t0, start)) // US
    return step * max(inside, 0) / ((t1 - t0) // US)


def _power_piece(
    t0: dt.datetime, p0: float, t1: dt.datetime, p1: float, start: dt.datetime, end: dt.datetime
) -> Fraction:
    low, high = max(t0, start), min(t1, end)
    if high <= low:
        return Fraction(0)
    length = Fraction((t1 - t0) // US)

    def at(moment: dt.datetime) -> Fraction:
        return Fraction(p0) + (Fraction(p1) - Fraction(p0)) * ((moment - t0) // US) / length

    return (at(low) + at(high)) / 2 * ((high - low) // US) / 3_600_000_000


def expected_rows(
    readings: Sequence[tuple[dt.datetime, int, float]], step_s: int
) -> dict[dt.datetime, tuple[int, float, float, float]]:
    """Count, sum, min and max of each step that has readings."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    cells: dict[dt.datetime, list[float]] = defaultdict(list)
    for ts, _seq, value in readings:
        seconds = (ts - epoch) // dt.timedelta(seconds=step_s) * step_s
        cells[epoch + dt.timedelta(seconds=seconds)].append(value)
    return {start: (len(v), math.fsum(v), min(v), max(v)) for start, v in cells.items()}
