"""How much energy a device took between two moments, and how well that is known.

Exact at the edges: a counter is read off between the two readings around an edge, a power line is cut there.
Where a counter reported, it decides; where it did not (before its first reading, after its last) power is
integrated. Whole hours and quarters are taken from the rollups, which hold the very same sums.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import connection

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S, Device
from commons.devices.queries import raw

if TYPE_CHECKING:
    from commons.devices.engine.energy import Segments

Quality = Literal["measured", "integrated", "partial", "none"]
FULL = 0.98
"""Share of a window whose energy must be known before it counts as whole: a job ends between two readings."""
QUARTER_US, HOUR_US = QUARTER_S * 1_000_000, HOUR_S * 1_000_000
NEAR_US = 60 * 1_000_000
"""Most devices report at least once a minute: so near the neighbours of a window are read with it."""


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
    """The energy that the device took from `start` until `end`; an empty window has none.

    Whole hours and, at both ends, whole quarters come from the rollups; readings are looked at for less than two
    quarters.
    """
    low, high = raw.to_us(start), raw.to_us(end)
    if high <= low:
        return Energy(0.0, "none", 0.0, 0.0)
    found = _Sum()
    first, last = -(-low // QUARTER_US) * QUARTER_US, high - high % QUARTER_US
    if last - first < QUARTER_US:
        _from_raw(device, low, high, found)
    else:
        _from_raw(device, low, first, found)
        _from_rollups(device, first, last, found)
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
    if previous := earlier[-1] if earlier else raw.before(device, channel, low - NEAR_US, reach and reach - NEAR_US):
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
