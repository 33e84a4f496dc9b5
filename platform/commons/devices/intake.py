"""The one way in for what devices say, whichever door it came by: HTTP, MQTT, or the city itself.

`Intake.submit` takes a body as it stands on the wire and answers what goes back to the device. An answer of
status 200 means: committed in PostgreSQL. Nothing is kept of a body that is answered with anything else.
"""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from commons import sockets
from commons.devices import services
from commons.devices.errors import DeviceRevoked, NobodyTakesJobs, Unreadable
from commons.devices.models import Device
from commons.errors import CityError

Kind = Literal["telemetry", "jobs"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the device: an acknowledgement (200) or a problem document, as JSON."""

    status: int
    body: bytes


class Intake:
    """What one process takes in. Call `submit` from one event loop; `close` ends its thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "intake")

    async def submit(self, *, device: uuid.UUID, kind: Kind, body: bytes) -> Answer:
        """Store what the body says, once, and answer when it is committed. `device` has proven who it is."""
        work = _telemetry if kind == "telemetry" else _jobs
        return await asyncio.get_running_loop().run_in_executor(self._thread, _answered, work, device, body)

    def close(self) -> None:
        """End the thread and its connection; what was submitted is finished first."""
        self._thread.submit(connection.close)
        self._thread.shutdown()


def _answered(work: Any, device: uuid.UUID, body: bytes) -> Answer:
    try:
        return Answer(200, orjson.dumps(work(device, body)))
    except CityError as refusal:
        return Answer(refusal.status, orjson.dumps(refusal.problem(), default=str))
    finally:
        connection.close_if_unusable_or_obsolete()


def _telemetry(device: uuid.UUID, body: bytes) -> dict[str, Any]:
    return services.ingest(device=Device(pk=device), readings=services.read_body(body)).as_dict()


def _jobs(device: uuid.UUID, body: bytes) -> dict[str, Any]:
    takers = list(sockets.job_takers)
    if not takers:
        raise NobodyTakesJobs(_("This city has no labs, so nobody takes job events in."))
    found = Device.objects.filter(pk=device, revoked_at=None).first()
    if found is None:
        raise DeviceRevoked(_("This device was revoked; enrol it again with a new code."))
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_("The body is not JSON: %(why)s.") % {"why": error}) from None
    return dict(takers[0].take(found, document))
