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
        job.licence_made, job.public_made = of_version(
            job=job, design=design, commit=job.design_commit, path=job.design_path
        )
    changed = {"noted": job.noted, "licence_made": job.licence_made, "public_made": job.public_made}
    Job.objects.filter(pk=job.pk).update(**changed)
    return True


def of_version(*, job: Job, design: "Design", commit: str, path: str) -> tuple[str, bool]:
    """The licence of a file in the version that a job made, and whether everybody could see it."""
    licence = (_released(design, commit) or design.licence)[:MOST]
    return licence, design.is_shown and not _came_later(job, design, commit, path)


def _released(design: "Design", commit: str) -> str:
    """The licence that a release of that commit fixed."""
    if not commit:
        return ""
    found = design.releases.filter(commit=commit).values_list("licence", flat=True).first()
    return found or ""


def _came_later(job: Job, design: "Design", commit: str, path: str) -> bool:
    if not commit or not job.finished_at or not apps.is_installed("designs"):
        return False
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    rows = FileVersion.objects.filter(design=design, commit=commit, path=path)
    at = rows.values_list("committed_at", flat=True).first()
    return at is not None and at > job.finished_at


def read_commit(*, job: Job) -> bool:
    """Read the licences of the very files in the very commits (REUSE); for a worker. Whether one says another."""
    parts = _read_parts(job)
    own = _own(job.design, job.design_commit, job.design_path)
    if not own or own == job.licence_made:
        return parts
    job.licence_made = own
    Job.objects.filter(pk=job.pk).update(licence_made=own)
    return True


def _own(design: "Design | None", commit: str, path: str) -> str:
    """The file's own licence in that version; "" where it has none, or is gone."""
    from designs.queries.file_licences import licence_at  # noqa: PLC0415 the room may be left out

    if design is None or not commit or not path:
        return ""
    try:
        found = licence_at(design, commit, path)
    except (CityError, KeyError, OSError):
        return ""  # the repository, the commit or the file is gone: what was written down stays
    return found.expression[:MOST] if found.is_own else ""


def _read_parts(job: Job) -> bool:
    """The same of the parts of a plate."""
    if not job.made_of or not apps.is_installed("designs"):
        return False
    from designs.models import Design  # noqa: PLC0415 the room may be left out

    designs = Design.objects.in_bulk([part["design"] for part in job.made_of])
    parts = []
    for part in job.made_of:
        own = _own(designs.get(part["design"]), part["commit"], part["path"])
        parts.append({**part, "licence": own or part["licence"]})
    if parts == job.made_of:
        return False
    job.made_of = parts
    Job.objects.filter(pk=job.pk).update(made_of=parts)
    return True
