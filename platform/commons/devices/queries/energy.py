"""How much energy a device took between two moments, and how well that is known.

Exact at the edges: a counter is read off between the two readings around an edge, a power line is cut there.
Where a counter reported, it decides; where it did not (before its first reading, after its last) power is
integrated. Whole hours and quarters are taken from the rollups, which hold the very same sums.

Of closed days (`services.retention`) only rollups are left: a quarter of an hour, later an hour, that lies partly in
the window gives its share by time, and `uncertain_kwh` says by how much that may be wrong.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S, Device, Retention
from commons.devices.queries import from_rollups, raw
from commons.devices.queries.from_rollups import Sum as _Sum

if TYPE_CHECKING:
    from commons.devices.engine.energy import Segments

Quality = Literal["measured", "integrated", "partial", "none"]
FULL = 0.98
"""Share of a window whose energy must be known before it counts as whole: a job ends between two readings."""
QUARTER_US, HOUR_US = QUARTER_S * 1_000_000, HOUR_S * 1_000_000
NEAR_US = 60 * 1_000_000
"""Most devices report at least once a minute: so near the neighbours of a window are read with it."""
YOUNG_US = 6 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a window.

    `quality`: measured (a counter knows it all), integrated (from power), partial (less than 98 % of the time
    is known, so `kwh` is a lower bound), none. `coverage`: share of the window whose energy is known.
    `gap_s`: seconds without readings at most five minutes apart; where a counter bridged them their sum is
    measured, its shape is not. `uncertain_kwh`: by how much `kwh` may be wrong at most, because the readings around
    the window's edges are no longer kept; 0 while they are.
    """

    kwh: float
    quality: Quality
    coverage: float
    gap_s: float
    uncertain_kwh: float = 0.0


def energy(device: Device, start: dt.datetime, end: dt.datetime) -> Energy:
    """The energy that the device took from `start` until `end`; an empty window has none.

    Whole hours and, at both ends, whole quarters come from the rollups; readings are looked at for less than two
    quarters.
    """
    low, high = raw.to_us(start), raw.to_us(end)
    if high <= low:
        return Energy(0.0, "none", 0.0, 0.0)
    found, window = _Sum(), high - low
    if (closed_us := _closed_until(low)) > low:
        from_rollups.add(device, low, min(high, closed_us), found)
        low = min(high, closed_us)
    first, last = -(-low // QUARTER_US) * QUARTER_US, high - high % QUARTER_US
    if last - first < QUARTER_US:
        _from_raw(device, low, high, found)
    else:
        _from_raw(device, low, first, found)
        _from_rollups(device, first, last, found)
        _from_raw(device, last, high, found)
    coverage = min((found.counter_us + found.power_us) / window, 1.0)
    return Energy(
        kwh=found.energy_wh / 1000.0,
        quality=_quality(found, window),
        coverage=coverage,
        gap_s=max(window - found.dense_us, 0) / 1e6,
        uncertain_kwh=found.uncertain_wh / 1000.0,
    )


def _closed_until(low: int) -> int:
    """Until when (µs) power or counters are closed; not asked for what is too young to be."""
    if low > time.time_ns() // 1000 - YOUNG_US:
        return 0
    kinds = (Retention.Kind.POWER, Retention.Kind.COUNTER)
    rows = Retention.objects.filter(kind__in=kinds).exclude(closed_until=None)
    return max((raw.to_us(until) for until in rows.values_list("closed_until", flat=True) if until), default=0)


def _quality(found: _Sum, window: int) -> Quality:
    known = found.counter_us + found.power_us
    if known == 0:
        return "none"
    if known < FULL * window:
        return "partial"
    return "measured" if found.counter_us >= found.power_us else "integrated"


def _from_rollups(device: Device, first: int, last: int, into: _Sum) -> None:
    """Whole hours, and quarters before and after them; those that a counter covers in part are worked out from the
    readings."""
    hour, until = -(-first // HOUR_US) * HOUR_US, last - last % HOUR_US
    if until <= hour:
        hour = until = last
    whole: int | None = None
    for channel, step_s, start, energy_wh, covered_us, dense_us in _rows(device, first, hour, until, last):
        if start == whole:
            continue
        whole = start
        is_counter = channel == channels.ENERGY_WH_TOTAL
        if is_counter and covered_us < step_s * 1_000_000:
            _from_raw(device, start, start + step_s * 1_000_000, into)
            continue
        into.energy_wh += energy_wh
        into.dense_us += dense_us
        if is_counter:
            into.counter_us += covered_us
        else:
            into.power_us += covered_us


def _rows(device: Device, first: int, hour: int, until: int, last: int) -> list[tuple[int, int, int, float, int, int]]:
    """Quarters of [first, hour) and [until, last) and the hours between; the counter's before the power's."""
    moments = [raw.from_us(us) for us in (hour, until, first, hour, until, last)]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT channel, step_s, (extract(epoch FROM start) * 1000000)::int8, coalesce(energy_wh, 0),
                round(covered_s * 1000000)::int8, round(dense_s * 1000000)::int8
            FROM devices_rollup WHERE device_id = %s AND channel IN (%s, %s) AND (
                (step_s = 3600 AND start >= %s AND start < %s)
                OR (step_s = 900 AND start >= %s AND start < %s)
                OR (step_s = 900 AND start >= %s AND start < %s)
            ) ORDER BY start, channel DESC""",
            [device.number, channels.POWER_W, channels.ENERGY_WH_TOTAL, *moments],
        )
        found: list[tuple[int, int, int, float, int, int]] = cursor.fetchall()
        return found


def _from_raw(device: Device, low: int, high: int, into: _Sum) -> None:
    """The window from its readings: the counter's stretches, and power where the counter knows nothing."""
    from commons.devices.engine.energy import uncovered  # noqa: PLC0415 the web process starts without numpy

    if high <= low:
        return
    counter = _segments(device, channels.ENERGY_WH_TOTAL, low, high)
    energy_wh, covered, dense = _shared(counter, low, high)
    into.energy_wh += energy_wh
    into.counter_us += covered
    into.dense_us += dense
    for start, end in uncovered(counter, low, high):
        power = _segments(device, channels.POWER_W, start, end)
        energy_wh, covered, dense = _shared(power, start, end)
        into.energy_wh += energy_wh
        into.power_us += covered
        into.dense_us += dense


def _segments(device: Device, channel: int, low: int, high: int) -> "Segments":
    """The stretches between the readings of the window and its two neighbours."""
    from commons.devices.engine.energy import MAX_HOLD_US, segments_of  # noqa: PLC0415

    is_counter = channel == channels.ENERGY_WH_TOTAL
    reach = None if is_counter else MAX_HOLD_US
    near = raw.rows(device, channel, low - NEAR_US, high + NEAR_US)
    found = [row for row in near if low <= row[0] < high]
    earlier, later = [row for row in near if row[0] < low], [row for row in near if row[0] >= high]
    if previous := earlier[-1] if earlier else raw.before(device, channel, low, reach):
        found.insert(0, previous)
    if following := later[0] if later else raw.after(device, channel, high + NEAR_US - 1, reach and reach - NEAR_US):
        found.append(following)
    meaning: Literal["power", "counter"] = "counter" if is_counter else "power"
    return segments_of(*raw.arrays(found), meaning, device.counter_wraps_wh)


def _shared(segments: "Segments", low: int, high: int) -> tuple[float, int, int]:
    """Energy in Wh, µs covered and µs dense of the segments within [low, high)."""
    import numpy as np  # noqa: PLC0415

    from commons.devices.engine.energy import Cells, share  # noqa: PLC0415

    cell = Cells.empty(1)
    share(segments, np.array([low, high], dtype=np.int64), cell)
    return float(cell.energy_wh[0]), int(cell.covered_us[0]), int(cell.dense_us[0])


MOST_PIECES = 1500
"""A curve for phases has at most about so many pieces: longer windows are read in coarser steps."""


def curve(device: Device, start: dt.datetime, end: dt.datetime) -> "Segments":
    """The shape of the device's use: stretches from `start` until `end` with their energy, from power where it
    reported power, else from its counter. Coarse for long windows; the energy itself is `energy`'s to say."""
    from commons.devices.engine.energy import MAX_HOLD_US, segments_of  # noqa: PLC0415 the web starts without numpy

    span_us = raw.to_us(end) - raw.to_us(start)
    step_us = max(span_us // MOST_PIECES, 1_000_000)
    for channel, meaning in ((channels.POWER_W, "power"), (channels.ENERGY_WH_TOTAL, "counter")):
        low, high = raw.to_us(start) - MAX_HOLD_US, raw.to_us(end) + MAX_HOLD_US
        rows = raw.steps(device, channel, low, high, step_us, "max" if meaning == "counter" else "avg")
        found = segments_of(*raw.arrays(rows), meaning, device.counter_wraps_wh)  # type: ignore[arg-type]
        if len(found.start):
            return found
    return found


def edges_wh(device: Device, start: dt.datetime, end: dt.datetime) -> float:
    """By how many Wh the counter's sum may be off because it was not read at the very start and end: at each of the two
    the whole step between the readings around it may lie on either side. 0 without a counter."""
    found = 0.0
    for moment in (start, end):
        at = raw.to_us(moment)
        before = raw.before(device, channels.ENERGY_WH_TOTAL, at + 1)
        after = raw.after(device, channels.ENERGY_WH_TOTAL, at - 1)
        if before is None or after is None or after[0] <= before[0]:
            continue
        step, part = max(after[2] - before[2], 0.0), (at - before[0]) / (after[0] - before[0])
        found += step * max(part, 1 - part)
    return found
