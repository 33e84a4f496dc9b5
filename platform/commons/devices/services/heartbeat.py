"""The city's own device: a reading every half minute through the whole ingest, so readiness is seen."""

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from commons.devices import queries
from commons.devices.models import HEARTBEAT, Device
from commons.devices.services.ingest import Ack, ingest, read_body


def heartbeat_device() -> Device:
    """The city's heartbeat; made at its first beat, once even when two workers begin."""
    device = Device.objects.filter(kind=HEARTBEAT).first()
    if device is not None:
        return device
    try:
        with transaction.atomic():
            return Device.objects.create(kind=HEARTBEAT, name="Heartbeat", enrolled_at=timezone.now())
    except IntegrityError:
        return Device.objects.get(kind=HEARTBEAT)


def beat() -> Ack:
    """One beat: a body as a device would send it, read, checked, stored and rolled up like any other."""
    device = heartbeat_device()
    stamp = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seq = queries.next_seq(device)
    body = orjson.dumps({"readings": [{"seq": seq, "ts": stamp, "channel": "x_heartbeat", "value": seq}]})
    return ingest(device=device, readings=read_body(body))
