"""Which design a job was of, how that is known, and how sure it is (docs/provenance.md).

Only designs that the lab may see are asked: public ones, those that the booking's person may see, those of the lab's
own organisation. So nobody learns of another's private file by its hash, its note or its shape: it is looked for by the
same query and is not among the rows.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.apps import apps

from labs.models import Job, JobCandidate, JobClaim, JobFile, Slice
from labs.services.jobs import plates

if TYPE_CHECKING:
    from designs.queries.origins import Origin

Method = Job.Method


def prove(*, job: Job) -> None:
    """Say which design the job was of, by the strongest thing that says so; does not save.

    The order: the lab's own slicing, the file itself, the source that the file names, the sources that most of a plate
    is of, the shape that was laid down, a person's word on the job, the design that the machine was booked for.
    """
    job.design, job.slice = None, None
    job.provenance, job.provenance_method = Job.Provenance.UNKNOWN, Method.NONE
    job.design_path = job.design_commit = job.design_blob = job.design_release = ""
    if not apps.is_installed("designs"):
        return
    if _by_slice(job) or _by_file(job):
        job.made_of = []  # one file speaks for all
        return
    _by_note(job) or _by_plate(job, proven=True) or _by_shape(job) or _by_plate(job, proven=False) or _by_word(job)


def _settle(job: Job, *, grade: str, method: str, origin: "Origin | JobCandidate | Slice | plates.Speaker") -> bool:
    job.design, job.provenance, job.provenance_method = origin.design, grade, method
    job.design_path, job.design_commit = origin.path, origin.commit
    job.design_blob, job.design_release = origin.blob, origin.release
    return True


def _by_slice(job: Job) -> bool:
    """The lab's own slicing made just this program: its signed receipt names the source."""
    from designs.queries.origins import seen_at  # noqa: PLC0415 the room may be left out

    if not job.sha256:
        return False
    person = job.booking.user if job.booking else None
    seen = seen_at(person, job.machine.lab.organisation)
    rows = Slice.objects.select_related("design").filter(gcode_sha256=job.sha256, state=Slice.State.DONE)
    made = rows.filter(design__in=seen).first()
    if made is None:
        return False
    job.slice = made
    return _settle(job, grade=Job.Provenance.PROVEN, method=Method.RECEIPT, origin=made)


def _by_file(job: Job) -> bool:
    """The sent file is a file of a design, byte for byte."""
    if not (job.sha256 or job.sha1 or job.blob):
        return False
    found = _origins(job, sha256=job.sha256, sha1=job.sha1, blob=job.blob)
    return bool(found) and _settle(job, grade=Job.Provenance.PROVEN, method=Method.FILE, origin=_best(job, found))


def _by_note(job: Job) -> bool:
    """The file's header names its source, and that is a file of a design.

    The file itself, where it was sent, is believed before the device's word about it. Where its shape is clearly that
    of another design's file, the note is no more than somebody's word.
    """
    sent = _sent(job)
    read = sent is not None and sent.state == JobFile.State.READ
    note = sent.source_sha256 if sent is not None and read else job.source_sha256
    found = _origins(job, sha256=note) if note else []
    if not found:
        return False
    best, shapes = _best(job, found), _candidates(job)
    denied = bool(shapes) and not any(one.blob == origin.blob for one in shapes for origin in found)
    grade = Job.Provenance.DECLARED if denied else Job.Provenance.PROVEN
    return _settle(job, grade=grade, method=Method.NOTE, origin=best)


def _by_plate(job: Job, *, proven: bool) -> bool:
    """At least half of a plate of several files is of one design."""
    best = plates.speaker(job, proven=proven) if job.made_of else None
    if best is None:
        return False
    if proven:
        return _settle(job, grade=Job.Provenance.PROVEN, method=Method.NOTE, origin=best)
    return _settle(job, grade=Job.Provenance.PROBABLE, method=Method.GEOMETRY, origin=best)


def _by_shape(job: Job) -> bool:
    """What was laid down has the shape of a file of a design, or of one of several."""
    shapes = _candidates(job)
    if not shapes:
        return False
    named = {_claimed(job), job.booking.design_id if job.booking else None} - {None}
    best = next((one for one in shapes if one.design_id in named), None)
    if best is None and len({one.design_id for one in shapes}) == 1:
        best = shapes[0]
    if best is not None:
        return _settle(job, grade=Job.Provenance.PROBABLE, method=Method.GEOMETRY, origin=best)
    job.provenance, job.provenance_method = Job.Provenance.PROBABLE, Method.GEOMETRY
    return True


def _by_word(job: Job) -> bool:
    """Somebody says so: on the job, or by what the machine was booked for."""
    claim = JobClaim.objects.select_related("design").filter(job=job, withdrawn_at=None).first() if job.pk else None
    design = claim.design if claim else job.booking.design if job.booking else None
    if design is None:
        return False
    job.design, job.provenance, job.provenance_method = design, Job.Provenance.DECLARED, Method.PERSON
    return True


def _origins(job: Job, *, sha256: str, sha1: str = "", blob: str = "") -> "list[Origin]":
    from designs.queries import origins  # noqa: PLC0415 the room may be left out

    person = job.booking.user if job.booking else None
    return origins(sha256=sha256, sha1=sha1, blob=blob, visible_to=person, organisation=job.machine.lab.organisation)


def _best(job: Job, found: "Sequence[Origin]") -> "Origin":
    """The design that the machine was booked for, where it is among them; else the newest."""
    booked = job.booking.design_id if job.booking else None
    return next((origin for origin in found if origin.design.pk == booked), found[0])


def _sent(job: Job) -> JobFile | None:
    return JobFile.objects.filter(job=job).defer("printed").first()


def _candidates(job: Job) -> list[JobCandidate]:
    return list(JobCandidate.objects.select_related("design").filter(job=job))


def _claimed(job: Job) -> int | None:
    return JobClaim.objects.filter(job=job, withdrawn_at=None).values_list("design", flat=True).first()
