"""What may be asked of the machine of a booking now, of whom, and what became of what was asked."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.models import Command
from commons.people.models import User
from labs import policies
from labs.models import Booking, Interlock, Job, Lab, Machine, Slice
from labs.queries import badges, interlocks

MOST_FILES, MOST_SHOWN = 20, 5
SHOWN_STATES = ("open", "done", "refused", "expired")


@dataclass(frozen=True, slots=True)
class Sendable:
    """A file that can be sent: sliced for this booking, or of the design's newest release in a format that machines
    work from. `source` says where its bytes are."""

    name: str
    sha256: str
    size: int
    path: str
    release: str
    source: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Controls:
    """What the page of a booking offers. `why` is why nothing can be asked now, as a word of `words`."""

    why: str
    files: tuple[Sendable, ...]
    can: frozenset[str]
    asked: tuple[Command, ...]
    job: Job | None

    @property
    def waits(self) -> bool:
        """Whether an answer may come any moment."""
        return any(command.is_open for command in self.asked)


def of_booking(booking: Booking, person: User, *, now: dt.datetime) -> Controls | None:
    """What the person may ask of the booking's machine; None where the lab does not let its machine be asked."""
    machine = booking.machine
    if not machine.takes_commands or booking.kind != Booking.Kind.USE or not _near(booking, now):
        return None
    why = why_not(booking, person, now=now)
    job = running(machine)
    can: set[str] = set()
    if not why:
        can = {"send", "start"} if job is None else set()
        if job is not None:
            can = {"cancel", "resume" if job.outcome == Job.Outcome.PAUSED else "pause"}
    rows = Command.objects.filter(about=str(booking.pk)).select_related("asked_by").order_by("-asked_at")
    return Controls(why, tuple(sendable(booking)), frozenset(can), tuple(rows[:MOST_SHOWN]), job)


def of_lab(lab: Lab, *, machine: str = "", state: str = "") -> QuerySet[Command]:
    """What was asked of the machines of a lab, newest first; of one of them, or in one of `SHOWN_STATES`."""
    rows = Command.objects.filter(device__machine__lab=lab).select_related("device__machine", "asked_by")
    if machine:
        rows = rows.filter(device__machine__slug=machine)
    still, now = Q(state__in=Command.OPEN), timezone.now()
    if state == "open":
        rows = rows.filter(still, expires_at__gt=now)
    elif state == "expired":
        rows = rows.filter(Q(still, expires_at__lte=now) | Q(state=Command.State.EXPIRED))
    elif state:
        rows = rows.filter(state=state)
    return rows.order_by("-asked_at", "pk")


def with_bookings(commands: Iterable[Command]) -> list[tuple[Command, Booking | None]]:
    """Each with the booking that it was asked for; one query."""
    listed = list(commands)
    keys = {key for command in listed if (key := _key(command.about)) is not None}
    found = {booking.pk: booking for booking in Booking.objects.filter(pk__in=keys).select_related("user")}
    return [(command, found.get(_key(command.about) or uuid.UUID(int=0))) for command in listed]


def _key(about: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(about)
    except ValueError:
        return None


def _near(booking: Booking, now: dt.datetime) -> bool:
    return booking.status in {Booking.Status.BOOKED, Booking.Status.RUNNING} and booking.end > now


def running(machine: Machine) -> Job | None:
    """The job that goes on in the machine, as its agent says."""
    going = (Job.Outcome.RUNNING, Job.Outcome.PAUSED)
    return Job.objects.filter(machine=machine, outcome__in=going).order_by("-started_at").first()


def why_not(booking: Booking, person: User, *, now: dt.datetime) -> str:  # noqa: PLR0911 one reason after the other
    """Why the person cannot ask anything of this machine now, as a word of `words`; empty when they can.

    Its person must be checked in and hold the badges; who runs the lab may ask at any time of the booking.
    """
    machine = booking.machine
    if not machine.takes_commands:
        return "not-allowed"
    if machine.device is None or not machine.device.is_active:
        return "no-agent"
    if machine.state == Machine.State.REPAIR:
        return "in-repair"
    if Interlock.objects.filter(machine=machine, in_use=True, locked=True).exists():
        return "locked"
    if booking.kind != Booking.Kind.USE or booking.status not in {Booking.Status.BOOKED, Booking.Status.RUNNING}:
        return "over"
    if not booking.start - dt.timedelta(minutes=15) <= now < booking.end:
        return "not-now"
    if policies.may_manage(person, machine.lab):
        return ""
    if booking.user_id != person.pk:
        return "not-yours"
    if booking.status != Booking.Status.RUNNING:
        return "not-checked-in"
    return "not-qualified" if badges.missing(machine=machine, user=person, at=now) else ""


def sendable(booking: Booking) -> Iterable[Sendable]:
    """What was sliced for the booking and its machine, newest first, then what its design's newest release holds."""
    yield from _sliced(booking)
    yield from _released(booking)


def _sliced(booking: Booking) -> Iterable[Sendable]:
    made = booking.slices.filter(state=Slice.State.DONE, machine=booking.machine_id).exclude(gcode_sha256="")
    for one in made.order_by("-made_at")[:MOST_FILES]:
        source = {"slice": str(one.pk)}
        yield Sendable(one.file_name, one.gcode_sha256, one.gcode_size, one.path, one.release, source)


def _released(booking: Booking) -> Iterable[Sendable]:
    """The files of the booked design's newest release that a machine can work from, as its person may see them."""
    if booking.design is None or not apps.is_installed("designs"):
        return
    from designs.queries import files, releases, visible_to  # noqa: PLC0415 the room may be left out

    design = booking.design
    release = releases.newest(design)
    if release is None or not visible_to(booking.user).filter(pk=design.pk).exists():
        return
    found = (file for file in files.contents_at(design, release.commit) if file.format == "gcode" and file.blob)
    for _place, file in zip(range(MOST_FILES), found, strict=False):
        assert file.blob is not None  # noqa: S101 asked above
        name = file.path.rpartition("/")[2]
        source = {"design": design.pk, "commit": release.commit, "path": file.path}
        yield Sendable(name, file.blob.sha256, file.size, file.path, release.version, source)


def words(why: str) -> str:
    """Why nothing can be asked, as a sentence."""

    sentences = {
        "not-allowed": _("The lab does not let this machine be steered from here."),
        "no-agent": _("No agent listens for this machine."),
        "not-yours": _("Only the person who has the machine booked may steer it."),
        "not-now": _("The machine can be steered during the booking."),
    }
    return sentences.get(why) or interlocks.words(why)
