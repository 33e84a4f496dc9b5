"""Asking a machine for something during a booking: send a released file, start it, pause, go on, stop.

The row of the command tells who asked, when, and what came of it; the machine's agent carries it out and may refuse.
"""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.models import Command
from commons.devices.services import commands
from commons.people.models import User
from labs.errors.commands import NoCommand, UnknownFile
from labs.models import Booking, Machine
from labs.queries import commands as queries

ROOM = "labs"
STEERING = frozenset({Command.Kind.PAUSE, Command.Kind.RESUME, Command.Kind.CANCEL})


@transaction.atomic
def send(*, booking: Booking, sha256: str, by: User, start: bool = True) -> Command:
    """Send a file of the booked design's newest release to the machine, and start it there. Locks the machine.

    Raises NoCommand, UnknownFile, DeviceAway.
    """
    machine = _asked(booking, by)
    if (job := queries.running(machine)) is not None:
        raise NoCommand(_("The machine works on %(file)s.") % {"file": job.file_name or "…"}, why="busy")
    file = next((one for one in queries.sendable(booking) if one.sha256 == sha256), None)
    if file is None:
        raise UnknownFile(_("The newest release of the booked design has no such file for a machine."))
    assert machine.device is not None  # noqa: S101 `_asked` has seen to it
    return commands.ask(
        device=machine.device,
        kind=Command.Kind.SEND,
        by=by,
        body={"name": file.name, "sha256": file.sha256, "start": start},
        about=str(booking.pk),
        source={"room": ROOM, "design": file.design, "commit": file.commit, "path": file.path},
    )


@transaction.atomic
def steer(*, booking: Booking, kind: str, by: User) -> Command:
    """Pause what the machine does, let it go on, or stop it. Locks the machine. Raises NoCommand, DeviceAway."""
    machine = _asked(booking, by)
    if kind not in STEERING:
        raise NoCommand(_("Choose what to do."), why="unknown")
    job = queries.running(machine)
    if job is None:
        raise NoCommand(_("The machine does nothing now."), why="idle")
    assert machine.device is not None  # noqa: S101 `_asked` has seen to it
    body = {"job": job.device_job}
    return commands.ask(device=machine.device, kind=Command.Kind(kind), by=by, body=body, about=str(booking.pk))


def _asked(booking: Booking, by: User) -> Machine:
    """The machine, locked, if the person may ask it for something now."""
    rows = Machine.objects.select_for_update(no_key=True, of=("self",)).select_related("lab", "device")
    booking.machine = rows.get(pk=booking.machine_id)
    why = queries.why_not(booking, by, now=timezone.now())
    if why:
        raise NoCommand(queries.words(why), why=why)
    return booking.machine


def read_file(command: Command) -> tuple[Iterable[bytes], int] | None:
    """The bytes of a sent file and how many, from the design it came from; None where that is gone."""
    from designs.errors import DesignNotFound  # noqa: PLC0415 the room may be left out
    from designs.models import Design  # noqa: PLC0415
    from designs.queries import files  # noqa: PLC0415

    source = command.source
    design = Design.objects.filter(pk=source.get("design"), deleted_at=None).first()
    if design is None:
        return None
    try:
        file = files.file_at(design, str(source.get("commit")), str(source.get("path")))
    except DesignNotFound:
        return None
    return files.content(design, file), file.size
