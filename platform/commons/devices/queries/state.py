"""What is known of devices right now."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from commons.devices import channels
from commons.devices.engine import seqs as sets
from commons.devices.models import HEARTBEAT, Device, LastValue

FRESH = dt.timedelta(minutes=2)
_STATES = {number: word for word, number in channels.STATES.items()}


@dataclass(frozen=True, slots=True)
class Value:
    """The newest reading of a channel."""

    ts: dt.datetime
    value: float


@dataclass(frozen=True, slots=True)
class Live:
    """A device now. What it never reported is None; `fresh`: something came within the last two minutes."""

    power_w: float | None
    energy_wh_total: float | None
    state: str | None
    progress: float | None
    at: dt.datetime | None
    fresh: bool


def last_values(devices: Iterable[Device]) -> dict[Device, dict[str, Value]]:
    """The newest reading of each channel of each device, in one query; {} for one that never reported."""
    found: dict[Device, dict[str, Value]] = {device: {} for device in devices}
    of_number = {device.number: device for device in found}
    rows = list(LastValue.objects.filter(device__number__in=list(of_number)))
    slugs = channels.slugs_of({row.channel for row in rows})
    for row in rows:
        found[of_number[row.device_id]][slugs[row.channel]] = Value(row.ts, row.value)
    return found


def live(device: Device) -> Live:
    """The device now."""
    return live_of([device])[device]


def live_of(devices: Iterable[Device]) -> dict[Device, Live]:
    """Many devices now, in one query."""
    now = timezone.now()
    return {device: _live(values, now) for device, values in last_values(devices).items()}


def _live(values: dict[str, Value], now: dt.datetime) -> Live:
    def value(slug: str) -> float | None:
        return values[slug].value if slug in values else None

    at = max((v.ts for v in values.values()), default=None)
    state = value("state")
    return Live(
        power_w=value("power_w"),
        energy_wh_total=value("energy_wh_total"),
        state=None if state is None else _STATES.get(state, str(state)),
        progress=value("progress"),
        at=at,
        fresh=at is not None and now - at <= FRESH,
    )


def acked(device: Device) -> int:
    """The highest seq up to which everything is committed or rejected; 0 when nothing is."""
    return sets.acknowledged(_seen(device))


def next_seq(device: Device) -> int:
    """The seq after the highest that was ever used: where an agent goes on that has lost its journal."""
    return sets.next_free(_seen(device))


def _seen(device: Device) -> sets.Ranges:
    seen: sets.Ranges = Device.objects.values_list("seen", flat=True).get(pk=device.pk)
    return seen


def heartbeat_age() -> float | None:
    """Seconds since the newest heartbeat reading went through the whole ingest; None before the first."""
    at = LastValue.objects.filter(device__kind=HEARTBEAT).values_list("ts", flat=True).order_by("-ts").first()
    return None if at is None else (timezone.now() - at).total_seconds()


QUIET = "quiet-"


def demo_devices() -> QuerySet[Device]:
    """Active devices of the demo city that measure something; a “quiet-…” one tells of its jobs alone."""
    active = Device.objects.filter(demo=True, enrolled_at__isnull=False, revoked_at=None)
    return active.exclude(kind__startswith=QUIET)
