"""The city's own device: a reading every half minute through the whole ingest, so readiness is seen.

It goes the way of every other: over the socket to the process `ingest`, where there is one. So an ingest that hangs or
has silently stopped is seen by the age of the newest beat (`/readyz`, `/metrics`), not by somebody who misses data.
"""

import secrets
import socket

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import queries, wire
from commons.devices.errors import IngestAway
from commons.devices.models import HEARTBEAT, Device
from commons.devices.services.ingest import Ack, ingest, read_body

PATIENCE_S = 20.0


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
    """One beat: a body as a device would send it, read, checked, stored and rolled up like any other. Raises
    IngestAway where the process that takes readings in does not answer."""
    device = heartbeat_device()
    stamp = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    seq = queries.next_seq(device)
    body = orjson.dumps({"readings": [{"seq": seq, "ts": stamp, "channel": "x_heartbeat", "value": seq}]})
    if wire.address().exists():
        return _through_the_process(device, body)
    return ingest(device=device, readings=read_body(body))


def _through_the_process(device: Device, body: bytes) -> Ack:
    said = _ask(wire.Question(1, _token(device), body))
    if said.status != 200:
        raise IngestAway(_("The ingest process answered %(status)s to a heartbeat.") % {"status": said.status})
    answer = orjson.loads(said.body)
    return Ack(acked=answer["acked"], stored=answer["stored"], duplicates=answer["duplicates"], rejected=())


def _token(device: Device) -> bytes:
    """What stands for the heartbeat's token on the wire. It is the SHA-256 of nothing that anybody knows."""
    if device.token_sha256 is None:
        Device.objects.filter(pk=device.pk, token_sha256=None).update(token_sha256=secrets.token_bytes(32))
        device.refresh_from_db()
    return bytes(device.token_sha256 or b"")


def _ask(question: wire.Question) -> wire.Said:
    reader = wire.Reader(wire.ANSWER)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(wire.address()))
            line.sendall(question.head() + question.body)
            while data := line.recv(65536):
                for (number, status), body in reader.feed(data):
                    return wire.Said(int(number), int(status), body)
    except OSError as fault:
        raise IngestAway(_("The ingest process does not answer: %(why)s") % {"why": fault}) from None
    raise IngestAway(_("The ingest process hung up on a heartbeat."))
