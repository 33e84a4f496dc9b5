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
from labs.models import Booking, Machine, Slice
from labs.queries import circuits, rulebook
from labs.queries import commands as queries
from labs.services import slices
from labs.services.bookings import rows
from labs.services.checks import local

ROOM = "labs"
STEERING = frozenset({Command.Kind.PAUSE, Command.Kind.RESUME, Command.Kind.CANCEL})


@transaction.atomic
def send(*, booking: Booking, sha256: str, by: User, start: bool = True) -> Command:
    """Send what was sliced for the booking, or a file of its design's newest release, and start it there.

    Locks the machine, and its circuit where the lab staggers starts. Raises NoCommand, UnknownFile, DeviceAway.
    """
    machine = _asked(booking, by)
    if (job := queries.running(machine)) is not None:
        raise NoCommand(_("The machine works on %(file)s.") % {"file": job.file_name or "…"}, why="busy")
    file = next((one for one in queries.sendable(booking) if one.sha256 == sha256), None)
    if file is None:
        raise UnknownFile(_("No such file was sliced for this booking, and the newest release of its design has none."))
    if start:
        _refuse_if_full(machine, booking.user)
    assert machine.device is not None  # noqa: S101 `_asked` has seen to it
    return commands.ask(
        device=machine.device,
        kind=Command.Kind.SEND,
        by=by,
        body={"name": file.name, "sha256": file.sha256, "start": start},
        about=str(booking.pk),
        source={"room": ROOM, **file.source},
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


def _refuse_if_full(machine: Machine, user: User) -> None:
    """Where the lab staggers what its circuits carry, a start waits until the others have warmed up."""
    if machine.circuit_id is None or not rulebook.read(machine.lab, user).ruled(machine).flag("circuit_budget"):
        return
    rows.lock_circuits([machine])
    advice = circuits.start_advice(machine)
    if advice.may:
        return
    words = {"circuit": advice.circuit, "limit": f"{advice.limit_w:.0f}", "others": ", ".join(advice.waits_for)}
    if advice.at is None:
        sentence = _("%(circuit)s carries %(limit)s W, and %(others)s use it; start when they are done.") % words
    else:
        words["time"] = local(advice.at, machine)
        sentence = _("%(circuit)s carries %(limit)s W, and %(others)s warm up; start %(time)s.") % words
    raise NoCommand(sentence, why="circuit", at=advice.at.isoformat() if advice.at else None)


def _asked(booking: Booking, by: User) -> Machine:
    """The machine, locked, if the person may ask it for something now."""
    machines = Machine.objects.select_for_update(no_key=True, of=("self",))
    machines = machines.select_related("lab__place", "device", "circuit")
    booking.machine = machines.get(pk=booking.machine_id)
    why = queries.why_not(booking, by, now=timezone.now())
    if why:
        raise NoCommand(queries.words(why), why=why)
    return booking.machine


def read_file(command: Command) -> tuple[Iterable[bytes], int] | None:
    """The bytes of a sent file and how many, as sliced or from the design it came from; None where that is gone."""
    if (key := command.source.get("slice")) is not None:
        return _read_slice(str(key))
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


def _read_slice(key: str) -> tuple[Iterable[bytes], int] | None:
    made = Slice.objects.filter(pk=key).first()
    try:
        content = slices.path_of(made).read_bytes() if made is not None else None
    except OSError:
        return None
    return ((content,), len(content)) if content is not None else None
