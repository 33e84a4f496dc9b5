"""Which design a job's file is of, and how sure that is."""

from django.apps import apps

from labs.models import Job


def prove(*, job: Job) -> None:
    """Say which design the file is of, and how sure that is; does not save.

    The same bytes in a design prove it; the source that a slicer named makes it probable. Only public
    designs and those that the booking's person may see are asked, so that nobody learns of another's
    private file by its hash.
    """
    job.design, job.provenance = None, Job.Provenance.UNKNOWN
    job.design_path = job.design_commit = job.design_blob = job.design_release = ""
    if not apps.is_installed("designs"):
        return
    from designs.queries import origins  # noqa: PLC0415 the room may be left out

    person = job.booking.user if job.booking else None
    if job.sha256 or job.sha1 or job.blob:
        found = origins(sha256=job.sha256, sha1=job.sha1, blob=job.blob, visible_to=person)
        grade = Job.Provenance.PROVEN
    else:
        found, grade = [], Job.Provenance.UNKNOWN
    if not found and job.source_sha256:
        found, grade = origins(sha256=job.source_sha256, visible_to=person), Job.Provenance.PROBABLE
    if found:
        booked = job.booking.design_id if job.booking else None
        best = next((o for o in found if o.design.pk == booked), found[0])
        job.design, job.provenance = best.design, grade
        job.design_path, job.design_commit = best.path, best.commit
        job.design_blob, job.design_release = best.blob, best.release
    elif job.booking and job.booking.design_id:
        job.design, job.provenance = job.booking.design, Job.Provenance.DECLARED
