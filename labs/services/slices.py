"""Slicing files of designs for booked machines: profiles, the work behind the walls, receipts (docs/slicing.md)."""

import contextlib
import datetime as dt
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.said import said
from commons.web.disk import put
from labs.credentials import receipts
from labs.engine import power, slicing
from labs.errors.proof import BadSettings, CannotSlice
from labs.models import Booking, Machine, Slice, SlicingProfile
from labs.queries import slices as queries
from labs.services import credentials

if TYPE_CHECKING:
    from designs.models import FileVersion

PROGRAM = "prusa-slicer"
FORMATS = {"stl": "stl", "3mf": "3mf", "obj": "obj", "step": "step"}
MAX_PROFILES, MAX_OPEN = 20, 5
MAX_MODEL, MAX_PROGRAM = 100 * 1024 * 1024, 256 * 1024 * 1024
ENDS = 128 * 1024
LOST_S = 3600.0
MISSING = lazy("PrusaSlicer is not installed on this city's worker, so nothing can be sliced here. Slice it yourself, "
               "with the note of the file's page, and it will be known all the same.")  # fmt: skip


def program() -> str | None:
    """Where PrusaSlicer is on this machine, if it is."""
    return shutil.which(PROGRAM)


def path_of(made: Slice) -> Path:
    """Where a program lies that was made."""
    return Path(site.MEDIA_ROOT) / "labs" / "slices" / made.pk.hex[:2] / f"{made.pk.hex}.gcode"


def let_go_of_lost(*, now: dt.datetime) -> int:
    """Let go of programs whose slice is gone, with its booking, its design or its demo; how many. Those of the last
    hour are left: a file may lie there before its row says so."""
    gone = 0
    for folder in sorted((Path(site.MEDIA_ROOT) / "labs" / "slices").glob("??")):
        lying = {}
        for place in folder.glob("*.gcode"):
            with contextlib.suppress(ValueError, OSError):
                if now.timestamp() - place.stat().st_mtime > LOST_S:
                    lying[uuid.UUID(hex=place.stem)] = place
        known = set(Slice.objects.filter(pk__in=lying).values_list("pk", flat=True)) if lying else set()
        for key in lying.keys() - known:
            lying[key].unlink(missing_ok=True)
            gone += 1
    return gone


# --- profiles ----------------------------------------------------------------------------------------------------


@transaction.atomic
def add_profile(*, machine: Machine, name: str, text: str, by: User) -> SlicingProfile:
    """Keep settings for a machine; one of the same name is replaced. Raises BadSettings."""
    if machine.process != Machine.Process.FFF:
        raise BadSettings(_("%(machine)s does not print filament.") % {"machine": machine.name})
    if not name.strip():
        raise BadSettings(_("A profile has a name."))
    try:
        found = slicing.read(text)
    except slicing.BadIni as fault:
        raise BadSettings(_("The settings cannot be read: %(fault)s.") % {"fault": fault}) from None
    _check_box(machine, found)
    Machine.objects.select_for_update(no_key=True).only("pk").get(pk=machine.pk)
    standing = machine.slicing_profiles.filter(retired_at=None)
    standing.filter(name=name.strip()[:80]).update(retired_at=timezone.now())
    if standing.count() >= MAX_PROFILES:
        raise BadSettings(_("A machine has at most %(n)d profiles; retire one first.") % {"n": MAX_PROFILES})
    written = slicing.write(found)
    sha256 = hashlib.sha256(written.encode()).hexdigest()
    return SlicingProfile.objects.create(machine=machine, name=name.strip()[:80], text=written, sha256=sha256, by=by)


def _check_box(machine: Machine, found: dict[str, str]) -> None:
    """The settings must not print outside of the machine."""
    box, volume = slicing.box_mm(found), machine.volume_mm
    if box is None or volume is None:
        return
    sides = [(box[0], volume[0]), (box[1], volume[1]), (box[2], volume[2] or box[2])]
    if any(asked > held + 0.5 for asked, held in sides):
        words = {
            "box": " × ".join(f"{n:g}" for n in box),
            "volume": " × ".join(f"{n:g}" for n in volume if n is not None),
        }
        raise BadSettings(_("The settings print in %(box)s mm; the machine holds %(volume)s mm.") % words)


def retire_profile(*, profile: SlicingProfile) -> None:
    """Offer it no more; what was sliced with it keeps it."""
    SlicingProfile.objects.filter(pk=profile.pk, retired_at=None).update(retired_at=timezone.now())


# --- slicing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def start(*, booking: Booking, version: "FileVersion", profile: SlicingProfile | None, by: User) -> Slice:
    """Have a file of a design sliced for the machine that was booked; the caller has found it visible to the person.

    Locks the booking. Raises CannotSlice.
    """
    held = (
        Booking.objects.select_for_update(of=("self",), no_key=True).select_related("machine__lab").get(pk=booking.pk)
    )
    machine, blob = held.machine, version.blob
    if machine.process != Machine.Process.FFF:
        raise CannotSlice(
            _("%(machine)s does not print filament, so nothing is sliced for it.") % {"machine": machine.name}
        )
    if program() is None:
        raise CannotSlice(str(MISSING))
    if blob.format not in FORMATS or blob.size > MAX_MODEL:
        raise CannotSlice(
            _("Choose an STL, 3MF, OBJ or STEP file of at most %(mb)d MB.") % {"mb": MAX_MODEL // 1024 // 1024}
        )
    if profile is not None and (profile.machine_id != machine.pk or profile.retired_at is not None):
        raise CannotSlice(_("This profile is of another machine, or is not offered any more."))
    if profile is None and machine.volume_mm is None:
        raise CannotSlice(_("Nobody has said how large the machine is; its lab can add a profile."))
    if held.slices.filter(state=Slice.State.QUEUED).count() >= MAX_OPEN:
        raise CannotSlice(_("%(n)d files are being sliced already; wait for one.") % {"n": MAX_OPEN})
    made = Slice.objects.create(
        booking=held, machine=machine, design=version.design, path=version.path, commit=version.commit, blob=blob.oid,
        release=queries.release_of(version), source_sha256=blob.sha256, profile=profile, by=by, demo=held.demo,
    )  # fmt: skip
    run = runs.start(
        kind="labs.slice", inputs={"slice": str(made.pk)}, subject=f"labs.slice:{made.pk}", owner=by, demo=held.demo,
        title=said(lazy("Slicing %(file)s"), file=version.path.rsplit("/", 1)[-1]),
    )  # fmt: skip
    made.run = run.pk
    made.save(update_fields=["run"])
    return made


@dataclass(frozen=True, slots=True)
class Sliced:
    """What came of slicing: a reason in words, or the program's place, hash and what the slicer says of it."""

    reason: str = ""
    gcode_sha256: str = ""
    size: int = 0
    settings_sha256: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def work(*, made: Slice, folder: Path, say: Callable[[float, str], None]) -> Sliced:
    """Slice behind the walls and put the program into the store. For workers. Never raises because of the file."""
    from designs.errors import DesignNotFound, GitFailed, LargeFileMissing  # noqa: PLC0415
    from designs.models import Blob  # noqa: PLC0415
    from designs.queries import contents  # noqa: PLC0415
    from designs.sandbox import client, results  # noqa: PLC0415
    from designs.sandbox.limits import Limits  # noqa: PLC0415

    found, blob = program(), Blob.objects.filter(oid=made.blob).first()
    if found is None or blob is None:
        return Sliced(str(MISSING) if found is None else _("The file is not there any more."))
    source, out = folder / "files", folder / "out"
    source.mkdir()
    out.mkdir()
    model = f"model.{FORMATS[blob.format]}"
    try:
        contents.put(made.design, blob, folder / "content")
        shutil.copyfile(folder / "content", source / model)  # never a link out of what may be read
    except (GitFailed, DesignNotFound, LargeFileMissing, OSError):
        return Sliced(_("The file could not be read from its repository."))
    text = settings_of(made)
    (source / "settings.ini").write_text(text)
    say(0.2, said(lazy("Slicing")))
    arguments = ["--export-gcode", "--datadir", "{folder}", "--load", "settings.ini", "--notes", note_of(made),
                 "--output", "{folder}/program.gcode", model]  # fmt: skip
    limits = Limits(memory_bytes=4 * 1024**3, cpu_s=600, file_bytes=MAX_PROGRAM, open_files=128, wall_s=900.0)
    request = json.dumps({"program": found, "arguments": arguments})
    answer = client.ask(source=source, folder=out, file_format=request, work="program", limits=limits)
    if answer["timeout"] or answer["signal"]:
        return Sliced(client.sentence(answer))
    try:
        raw = results._bytes(out / "program.gcode", MAX_PROGRAM)
    except (OSError, ValueError):
        return Sliced(_why(out / "messages.txt"))
    facts = slicing.told(raw[:ENDS].decode("utf-8", "replace") + "\n" + raw[-ENDS:].decode("utf-8", "replace"))
    if note_of(made).encode() not in raw[:4096]:
        return Sliced(_("The slicer left the note about the source out, so the program was not kept."))
    say(0.9, said(lazy("Keeping the program")))
    put(raw, path_of(made))
    return Sliced(
        gcode_sha256=hashlib.sha256(raw).hexdigest(), size=len(raw),
        settings_sha256=hashlib.sha256(text.encode()).hexdigest(), facts=facts,
    )  # fmt: skip


def note_of(made: Slice) -> str:
    """The note that names the source in the program."""
    return f"lc-source=sha256:{made.source_sha256}"


def settings_of(made: Slice) -> str:
    """The settings that it is sliced with."""
    if made.profile is not None:
        return made.profile.text
    x_mm, y_mm, z_mm = made.machine.volume_mm or (200.0, 200.0, 200.0)
    return slicing.write(slicing.plain(x_mm=x_mm, y_mm=y_mm, z_mm=z_mm or 200.0))


def _why(messages: Path) -> str:
    """PrusaSlicer's own last words, or a sentence."""
    from designs.sandbox import results  # noqa: PLC0415

    try:
        said_ = results._bytes(messages, 1024 * 1024)[-4000:].decode("utf-8", "replace")
    except (OSError, ValueError):
        said_ = ""
    lines = [
        line.strip() for line in said_.splitlines() if line.strip() and " => " not in line and "[trace]" not in line
    ]
    return (
        _("PrusaSlicer says: %(words)s") % {"words": " ".join(lines[-3:])[:300]}
        if lines
        else _("It could not be sliced.")
    )


@transaction.atomic
def done(*, made: Slice, done: Sliced) -> None:
    """Write down what came of it, with the estimate of its energy and a receipt signed by the lab. Locks the slice."""
    held = Slice.objects.select_for_update(of=("self",)).select_related("machine__lab", "design__owner").get(pk=made.pk)
    if held.state != Slice.State.QUEUED:
        return
    if done.reason:
        held.state, held.reason = Slice.State.FAILED, done.reason[:400]
        held.save(update_fields=["state", "reason"])
        return
    held.state = Slice.State.DONE
    held.gcode_sha256, held.gcode_size, held.settings_sha256 = done.gcode_sha256, done.size, done.settings_sha256
    held.slicer = str(done.facts.get("slicer", ""))[:80]
    held.time_s, held.filament_mm, held.filament_g = (
        done.facts.get(name) for name in ("time_s", "filament_mm", "filament_g")
    )
    _estimate(held)
    held.receipt = _receipt(held)
    held.save()


def _estimate(made: Slice) -> None:
    if not made.time_s:
        return
    machine, measured = made.machine, queries.measured(made.machine)
    found = power.estimate(cls=machine.cls, hours=made.time_s / 3600, measured=measured, rated_w=machine.rated_w)
    made.kwh, made.kwh_low, made.kwh_high = (round(n, 4) for n in (found.kwh, found.low_kwh, found.high_kwh))
    made.kwh_jobs = found.jobs
    made.kwh_basis = Slice.Basis.MACHINE if found.is_own else Slice.Basis.CLASS


def _receipt(made: Slice) -> dict[str, Any]:
    key, now = credentials.issuer_key(lab=made.machine.lab), timezone.now()
    source = {
        "sha256": made.source_sha256, "blob": made.blob, "path": made.path, "commit": made.commit,
        "design": credentials.absolute("rooms:design", made.design.owner.name, made.design.slug),
    }  # fmt: skip
    document = receipts.facts(
        issuer=key.multikey, receipt_id=f"urn:uuid:{made.pk}", at=now, source=source,
        settings_sha256=made.settings_sha256, slicer=made.slicer, gcode_sha256=made.gcode_sha256,
        machine=made.machine.name,
    )  # fmt: skip
    return receipts.sign(document, pem=credentials.pem_of(key), multikey=key.multikey, at=now)
