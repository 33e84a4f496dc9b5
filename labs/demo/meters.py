"""The demo's meters: a plug that only tells power and was silent for a night, and a meter that two machines share; and
the first passports, so that each grade of a figure is to be seen."""

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices import services as devices
from commons.devices import simulator
from commons.devices.models import Device
from labs.demo import stock, work
from labs.models import Job, Lab, Machine, PowerMeter
from labs.services import meters, passports

STEP = dt.timedelta(seconds=120)
#: How long before now the plug fell silent in the middle of a day, and for how long.
SILENT, FOR = dt.timedelta(days=3), dt.timedelta(hours=9)
MOST_PASSPORTS, BATCH = 16, 1000


def tie(lab: Lab, start: dt.datetime, now: dt.datetime) -> int:
    """Tie the lab's meters that are missing and let them tell the past; how many readings."""
    told = 0
    for name, of, sees, class_pct in stock.METERS.get(lab.slug, ()):
        if PowerMeter.objects.filter(device__name=name).exists():
            continue
        machine, circuit = lab.machines.filter(name=of).first(), lab.circuits.filter(name=of).first()
        seen = Machine.objects.filter(lab=lab, name=sees).select_related("device").first()
        if seen is None or seen.device is None or (machine is None and circuit is None):
            continue
        made, code = meters.add_meter(
            lab=lab, name=name, class_pct=class_pct, demo=True,
            machine=machine.pk if machine else None, circuit=circuit.pk if circuit and not machine else None,
        )  # fmt: skip
        # what it sees is the machine's own curve: the simulator makes it from kind and hardware id
        device, _token = devices.enrol(code=str(code), kind=seen.cls, hardware_id=seen.device.hardware_id)
        told += _tell(device, start, now, gap=machine is not None, counts=machine is None)
        made.refresh_from_db()
    return told


def _tell(device: Device, start: dt.datetime, now: dt.datetime, *, gap: bool, counts: bool) -> int:
    devices.ensure_days(work.days(start, now))
    quiet = (_noon(now) - SILENT, _noon(now) - SILENT + FOR) if gap else (now, now)
    moments = [m for m in _moments(start, now) if not quiet[0] <= m < quiet[1]]
    made = simulator.readings(
        device.kind, simulator.seed_of(device.hardware_id), since=start.date(), moments=moments,
        first_seq=device_queries.next_seq(device),
    )  # fmt: skip
    items = [one for one in made if counts or one["channel"] != "energy_wh_total"]
    for seq, one in enumerate(items, device_queries.next_seq(device)):
        one["seq"] = seq
    for at in range(0, len(items), BATCH):
        devices.ingest(device=device, readings=items[at : at + BATCH])
    return len(items)


def _noon(now: dt.datetime) -> dt.datetime:
    return now.replace(hour=12, minute=0, second=0, microsecond=0)


def _moments(start: dt.datetime, now: dt.datetime) -> Iterator[dt.datetime]:
    at = start.replace(second=0, microsecond=0)
    while at < now:
        yield at
        at += STEP


def settle() -> int:
    """Settle the newest few jobs of each machine, so that there is something to look at; the clock does the rest."""
    if Job.objects.filter(demo=True, passport__isnull=False).exists():
        return 0
    count = 0
    for machine in Machine.objects.filter(demo=True):
        due = Job.objects.filter(machine=machine, settle_at__isnull=False).order_by("-finished_at")
        for job in due[: MOST_PASSPORTS if machine.name == "Neula" else 3]:
            count += passports.settle(job=job) is not None
    passports.sign_some(most=200)
    Job.objects.filter(demo=True, settle_at__isnull=False).update(settle_at=timezone.now())
    return count
