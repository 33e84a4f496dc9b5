"""What stays written down of the file that was made: its licence in that version, and whether everybody could see it.

So the third figure and the passports do not change when a design is deleted, hidden, or gets another licence later.
The licence is first the design's own; a worker then reads the commit itself (REUSE: each file may have its own).
"""

from typing import TYPE_CHECKING

from django.apps import apps

from commons.errors import CityError
from labs.models import Job

if TYPE_CHECKING:
    from designs.models import Design

MOST = 160


def note(*, job: Job) -> bool:
    """Write down licence and publicity of the job's file if it is another than before; whether it was.

    A design that everybody sees now counts from the version that was made on: one that was only committed after the
    job had ended cannot have been its source in public.
    """
    if job.design_id is None and job.provenance != Job.Provenance.UNKNOWN:
        return False  # the design is gone; what was written down of it stays
    key = f"{job.design_id}:{job.design_commit}:{job.design_path}"[:200] if job.design_id else ""
    if key == job.noted:
        return False
    design = job.design
    job.noted = key
    if design is None:
        job.licence_made, job.public_made = "", False
    else:
        job.licence_made = (_released(design, job) or design.licence)[:MOST]
        job.public_made = design.is_shown and not _came_later(job)
    changed = {"noted": job.noted, "licence_made": job.licence_made, "public_made": job.public_made}
    Job.objects.filter(pk=job.pk).update(**changed)
    return True


def _released(design: "Design", job: Job) -> str:
    """The licence that a release of that commit fixed."""
    if not job.design_commit:
        return ""
    found = design.releases.filter(commit=job.design_commit).values_list("licence", flat=True).first()
    return found or ""


def _came_later(job: Job) -> bool:
    if not job.design_commit or not job.finished_at or not apps.is_installed("designs"):
        return False
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    rows = FileVersion.objects.filter(design=job.design_id, commit=job.design_commit, path=job.design_path)
    at = rows.values_list("committed_at", flat=True).first()
    return at is not None and at > job.finished_at


def read_commit(*, job: Job) -> bool:
    """Read the licence of the very file in the very commit (REUSE); for a worker. Whether it says another one."""
    from designs.queries.file_licences import licence_at  # noqa: PLC0415 the room may be left out

    design = job.design
    if design is None or not job.design_commit or not job.design_path:
        return False
    try:
        found = licence_at(design, job.design_commit, job.design_path)
    except (CityError, KeyError, OSError):
        return False  # the repository, the commit or the file is gone: what was written down stays
    if not found.is_own or found.expression == job.licence_made:
        return False
    job.licence_made = found.expression[:MOST]
    Job.objects.filter(pk=job.pk).update(licence_made=job.licence_made)
    return True
