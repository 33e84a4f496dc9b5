"""Days of meters out of the city's own devices, from the quarters that their readings were rolled up to."""

import datetime as dt
import math
from array import array

from django.db import transaction

from commons.devices import channels
from commons.devices.models import QUARTER_S, Device, Rollup
from energy.models import MeterDay, MeterPoint
from energy.queries.measured import midnight, steps_in, zone
from energy.queries.participants import today
from energy.services.meters import Kept, keep_days

#: Share of a quarter whose energy must be known, else the quarter counts as not measured.
FULL = 0.98
STEP_MIN = QUARTER_S // 60
LOOKS_BACK = 8


def quarters(device: Device, start: dt.datetime, end: dt.datetime) -> dict[dt.datetime, float]:
    """kWh of the quarters that the device knows whole: by its counter, else by its power. Resets and rollovers are the
    devices' room's to see through (docs/devices.md)."""
    rows = Rollup.objects.filter(
        device=device,
        channel__in=(channels.POWER_W, channels.ENERGY_WH_TOTAL),
        step_s=QUARTER_S,
        start__gte=start,
        start__lt=end,
        covered_s__gte=FULL * QUARTER_S,
        energy_wh__isnull=False,
    ).order_by("channel")
    return {row.start: (row.energy_wh or 0.0) / 1000 for row in rows}  # the counter's come last, and decide


@transaction.atomic
def bring(*, meter: MeterPoint, start: dt.date, end: dt.date) -> Kept:
    """Keep what the meter's device measured on the local days from `start` until the day before `end`. Days that a file
    brought stay as they are: the utility's meter is the one that bills."""
    if meter.device is None or not meter.proved:
        return Kept()
    clock = zone(meter.participant.community)
    found = quarters(meter.device, midnight(start, clock), midnight(end, clock))
    by_file = set(
        meter.days.filter(current=True, source=MeterDay.Source.FILE, day__gte=start, day__lt=end).values_list(
            "day", flat=True
        )
    )
    days: dict[dt.date, array[float]] = {}
    for i in range((end - start).days):
        day = start + dt.timedelta(days=i)
        if day in by_file or not meter.is_valid(day):
            continue
        first, count = midnight(day, clock), steps_in(day, clock, STEP_MIN)
        step = dt.timedelta(seconds=QUARTER_S)
        days[day] = array("d", (found.get(first + k * step, math.nan) for k in range(count)))
    return keep_days(meter=meter, days=days, step_minutes=STEP_MIN, source=MeterDay.Source.DEVICE)


def bring_all() -> int:
    """The last days of every meter with a device, up to yesterday; how many days are new or revised. Called by beat."""
    changed = 0
    rows = MeterPoint.objects.exclude(device=None).exclude(proof=MeterPoint.Proof.CLAIMED)
    for meter in rows.select_related("device", "participant__community__place"):
        end = today(meter.participant.community)
        kept = bring(meter=meter, start=end - dt.timedelta(days=LOOKS_BACK), end=end)
        changed += kept.new + kept.revised
    return changed
