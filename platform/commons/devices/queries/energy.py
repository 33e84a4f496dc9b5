"""How much energy a device took between two moments, and how well that is known.

Exact at the edges: a counter is read off between the two readings around an edge, a power line is cut there.
Where a counter reported, it decides; where it did not (before its first reading, after its last) power is
integrated. Long windows take whole hours from the rollups, which hold the very same sums.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from commons.devices import channels
from commons.devices.models import HOUR_S, Device, Rollup
from commons.devices.queries import raw

if TYPE_CHECKING:
    from commons.devices.engine.energy import Segments

Quality = Literal["measured", "integrated", "partial", "none"]
FULL = 0.98
"""Share of a window whose energy must be known before it counts as whole: a job ends between two readings."""
HOUR_US = HOUR_S * 1_000_000


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a window.

    `quality`: measured (a counter knows it all), integrated (from power), partial (less than 98 % of the time
    is known, so `kwh` is a lower bound), none. `coverage`: share of the window whose energy is known.
    `gap_s`: seconds without readings at most five minutes apart; where a counter bridged them their sum is
    measured, its shape is not.
    """

    kwh: float
    quality: Quality
    coverage: float
    gap_s: float


@dataclass(slots=True)
class _Sum:
    energy_wh: float = 0.0
    counter_us: int = 0
    power_us: int = 0
    dense_us: int = 0


def energy(device: Device, start: dt.datetime, end: dt.datetime) -> Energy:
    """The energy that the device took from `start` until `end`; an empty window has none."""
    low, high = raw.to_us(start), raw.to_us(end)
    if high <= low:
        return Energy(0.0, "none", 0.0, 0.0)
    found = _Sum()
    first, last = -(-low // HOUR_US) * HOUR_US, high - high % HOUR_US
    if last - first < HOUR_US:
        _from_raw(device, low, high, found)
    else:
        _from_raw(device, low, first, found)
        _from_hours(device, first, last, found)
        _from_raw(device, last, high, found)
    window = high - low
    coverage = min((found.counter_us + found.power_us) / window, 1.0)
    return Energy(
        kwh=found.energy_wh / 1000.0,
        quality=_quality(found, window),
        coverage=coverage,
        gap_s=max(window - found.dense_us, 0) / 1e6,
    )


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
