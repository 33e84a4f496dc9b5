"""The file that a job worked on: taken in with its hash checked, read in the sandbox, let go."""

import contextlib
import datetime as dt
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.said import said
from commons.web.disk import receive
from labs import policies
from labs.errors.proof import FileNotTaken, HasFile, NotYourJob, OtherFile
from labs.models import FilePolicy, Job, JobCandidate, JobFile, Lab
from labs.services.jobs import plates
from labs.services.jobs.claims import PROOF
from labs.services.jobs.proof import prove

if TYPE_CHECKING:
    from designs.queries.origins import Origin
    from labs.queries.shapes import Found, OnPlate

MAX_BYTES = 64 * 1024 * 1024
#: Where slicers write notes: PrusaSlicer and its kin at the top and in the settings at the end, Cura at the top.
ENDS = 256 * 1024
#: Files on one plate that its program may name.
MOST_NOTES = 20
NOTE = re.compile(rb"lc-source=sha256:([0-9a-fA-F]{64})(?![0-9a-fA-F])")


def store() -> Path:
    """Where sent files lie, which no web server serves."""
    return Path(settings.MEDIA_ROOT) / "labs" / "prints"


def path_of(sent: JobFile) -> Path:
    """Where a sent file lies while it is there."""
    return store() / sent.pk.hex[:2] / f"{sent.pk.hex}.gcode"


def policy_of(lab: Lab) -> FilePolicy:
    """What the lab does with files."""
    return FilePolicy.objects.filter(lab=lab).first() or FilePolicy(lab=lab)


def take_file(*, job: Job, chunks: Iterable[bytes], sha256: str = "", by: User | None = None) -> JobFile:
    """Take in the file that a job worked on and have it read. `by` is None for the machine's own device.

    A person's file must be the one that the device told the hash of. Raises NotYourJob, FileNotTaken, OtherFile,
    HasFile.
    """
    if by is not None and not policies.may_speak_of(by, job):
        raise NotYourJob(_("Only who had the machine booked, or who runs the lab, can send its file."))
    policy = policy_of(job.machine.lab)
    if not policy.takes_files:
        raise FileNotTaken(_("This lab takes no files of jobs."))
    if by is not None and not job.sha256:
        raise FileNotTaken(
            _(
                "The machine did not tell the SHA-256 of its file, so nobody can check that this is it. "
                "Say which design it was."
            )
        )
    sent = JobFile(job=job, by=by)
    place = path_of(sent)
    try:
        sent.sha256, sent.size = _written(chunks, place)
        _check(job, sent, told=sha256.lower())
        _keep(job, sent, policy)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return sent


def _written(chunks: Iterable[bytes], place: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0

    def read() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_BYTES:
                raise FileNotTaken(_("A file of a job has at most %(mb)d MB.") % {"mb": MAX_BYTES // 1024 // 1024})
            digest.update(chunk)
            yield chunk

    receive(read(), place)
    if not size:
        raise FileNotTaken(_("The file is empty."))
    return digest.hexdigest(), size


def _check(job: Job, sent: JobFile, *, told: str) -> None:
    expected = {job.sha256, told} - {""}
    if expected and expected != {sent.sha256}:
        raise OtherFile(
            _("Its SHA-256 begins with %(is)s; the file of this job begins with %(told)s.")
            % {"is": sent.sha256[:12], "told": (job.sha256 or told)[:12]}
        )


@transaction.atomic
def _keep(job: Job, sent: JobFile, policy: FilePolicy) -> None:
    """Write it down and have it read. Locks the job."""
    held = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    known = JobFile.objects.filter(job=held).first()
    if known is not None and known.state != JobFile.State.FAILED:
        raise HasFile(_("The file of this job was sent already."))
    if known is not None:
        known.delete()
        transaction.on_commit(lambda: path_of(known).unlink(missing_ok=True))
    if policy.keep_days:
        sent.keep_until = timezone.now() + dt.timedelta(days=policy.keep_days)
    sent.save(force_insert=True)
    runs.start(
        kind="labs.read_print", inputs={"file": str(sent.pk)}, title=said(lazy("Looking for the design of a print")),
        subject=f"labs.job:{job.pk}", owner=sent.by, demo=job.demo,
    )  # fmt: skip


def note_in(path: Path) -> str:
    """The source that a program's header or settings name, "" when there is none or there are several."""
    named = notes_in(path)
    return named[0] if len(named) == 1 else ""


def notes_in(path: Path) -> list[str]:
    """The sources that a program's header or settings name; several for a plate of several files."""
    with path.open("rb") as file:
        ends = file.read(ENDS)
        size = file.seek(0, os.SEEK_END)
        if size > ENDS:
            file.seek(max(ENDS, size - ENDS))
            ends += b"\n" + file.read(ENDS)
    lines = [line for line in ends.splitlines() if line.lstrip().startswith((b";", b"("))]
    return sorted({found[1].decode().lower() for line in lines for found in NOTE.finditer(line)})[:MOST_NOTES]


@transaction.atomic
def read(
    *, sent: JobFile, printed: bytes, reason: str, notes: Sequence[str], found: "Sequence[Found]",
    plate: "Sequence[OnPlate]" = (),
) -> None:  # fmt: skip
    """Write down what was read in a file, and prove its job again; the bytes go unless the lab keeps them. Locks the
    job."""
    job = hold(sent.job_id)
    note = notes[0] if len(notes) == 1 else ""
    JobFile.objects.filter(pk=sent.pk).update(
        state=JobFile.State.FAILED if reason and not notes else JobFile.State.READ,
        reason=reason[:400], printed=printed, source_sha256=note,
    )  # fmt: skip
    match(job=job, found=found, plate=plate, named=_named(job, notes))
    if sent.keep_until is None:
        let_go(sent=sent)


def hold(job: uuid.UUID) -> Job:
    """The job of that key, locked, with what a proof asks."""
    return (
        Job.objects.select_for_update(of=("self",), no_key=True)
        .select_related("machine__lab__organisation", "booking__user", "booking__design")
        .get(pk=job)
    )


def _named(job: Job, notes: Sequence[str]) -> "list[Origin]":
    """The files of designs that a program names, as the lab may see them: the booked design's, else the newest."""
    if not apps.is_installed("designs"):
        return []
    from designs.queries import origins  # noqa: PLC0415 the room may be left out

    person, found = job.booking.user if job.booking else None, []
    for note in notes:
        held = origins(sha256=note, visible_to=person, organisation=job.machine.lab.organisation)
        booked = job.booking.design_id if job.booking else None
        found += [next((one for one in held if one.design.pk == booked), held[0])] if held else []
    return found


def match(
    *, job: Job, found: "Sequence[Found]", plate: "Sequence[OnPlate]" = (), named: "Sequence[Origin]" = ()
) -> None:
    """Keep which files have the shape of what the job laid down, and prove it again. The caller holds the job."""
    job.candidates.all().delete()
    JobCandidate.objects.bulk_create(
        JobCandidate(
            job=job, design=one.origin.design, path=one.origin.path, commit=one.origin.commit, blob=one.origin.blob,
            release=one.origin.release, rank=rank, distance_mm=one.distance_mm, pieces=one.pieces,
        )
        for rank, one in enumerate(found, 1)
    )  # fmt: skip
    if job.provenance_method not in {Job.Method.FILE, Job.Method.RECEIPT}:
        plates.part_it(job=job, plate=plate, named=named)
        prove(job=job)
        job.save(update_fields=PROOF)


def let_go(*, sent: JobFile) -> None:
    """Let the bytes of a file go once the transaction stands; what was read in it stays."""
    JobFile.objects.filter(pk=sent.pk).update(there=False, keep_until=None)

    def gone() -> None:
        with contextlib.suppress(OSError):
            path_of(sent).unlink(missing_ok=True)

    transaction.on_commit(gone)


def let_go_of_old(*, now: dt.datetime, most: int = 500) -> int:
    """Let go of files whose time has come; how many."""
    due = list(JobFile.objects.filter(there=True, keep_until__lte=now).defer("printed")[:most])
    for sent in due:
        with transaction.atomic():
            let_go(sent=sent)
    return len(due)
