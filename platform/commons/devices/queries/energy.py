"""How much energy a device took between two moments, and how well that is known.

Exact at the edges: a counter is read off between the two readings around an edge, a power line is cut there.
Where a counter reported, it decides; where it did not (before its first reading, after its last) power is
integrated. Long windows take whole hours from the rollups, which hold the very same sums.

Of closed days (`services.retention`) only rollups are left: a quarter of an hour, later an hour, that lies partly in
the window gives its share by time, and `uncertain_kwh` says by how much that may be wrong.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from commons.devices import channels
from commons.devices.models import HOUR_S, Device, Retention, Rollup
from commons.devices.queries import from_rollups, raw
from commons.devices.queries.from_rollups import Sum as _Sum

if TYPE_CHECKING:
    from commons.devices.engine.energy import Segments

Quality = Literal["measured", "integrated", "partial", "none"]
FULL = 0.98
"""Share of a window whose energy must be known before it counts as whole: a job ends between two readings."""
HOUR_US = HOUR_S * 1_000_000
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
    """The energy that the device took from `start` until `end`; an empty window has none."""
    low, high = raw.to_us(start), raw.to_us(end)
    if high <= low:
        return Energy(0.0, "none", 0.0, 0.0)
    found, window = _Sum(), high - low
    if (closed_us := _closed_until(low)) > low:
        from_rollups.add(device, low, min(high, closed_us), found)
        low = min(high, closed_us)
    first, last = -(-low // HOUR_US) * HOUR_US, high - high % HOUR_US
    if last - first < HOUR_US:
        _from_raw(device, low, high, found)
    else:
        _from_raw(device, low, first, found)
        _from_hours(device, first, last, found)
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


def _from_hours(device: Device, first: int, last: int, into: _Sum) -> None:
    """Whole hours from the rollups; those that a counter covers in part are worked out from the readings."""
    rows = Rollup.objects.filter(
        device=device,
        channel__in=[channels.POWER_W, channels.ENERGY_WH_TOTAL],
        step_s=HOUR_S,
        start__gte=raw.from_us(first),
        start__lt=raw.from_us(last),
    ).order_by("start", "-channel")
    whole: dt.datetime | None = None
    for row in rows:
        if row.start == whole:
            continue
        whole = row.start
        is_counter = row.channel == channels.ENERGY_WH_TOTAL
        covered, dense = round(row.covered_s * 1e6), round(row.dense_s * 1e6)
        if is_counter and covered < HOUR_US:
            start = raw.to_us(row.start)
            _from_raw(device, start, start + HOUR_US, into)
            continue
        into.energy_wh += row.energy_wh or 0.0
        into.dense_us += dense
        if is_counter:
            into.counter_us += covered
        else:
            into.power_us += covered


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
    found = raw.rows(device, channel, low, high)
    if previous := raw.before(device, channel, low, reach):
        found.insert(0, previous)
    if following := raw.after(device, channel, high - 1, reach):
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
