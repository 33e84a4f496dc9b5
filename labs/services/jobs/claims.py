"""A person's word on which design a job was of, and taking it back."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.errors.proof import NotYourJob
from labs.models import Job, JobClaim
from labs.services.jobs.proof import prove

if TYPE_CHECKING:
    from designs.models import Design


@transaction.atomic
def say(*, job: Job, design: "Design", by: User) -> Job:
    """Say that the job was of this design, which the caller has found visible to the person. What is proven stays.

    Locks the job. Raises NotYourJob for all but who had the machine booked and who manages the lab.
    """
    held = _held(job, by)
    held.claims.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    JobClaim.objects.create(job=held, design=design, by=by)
    return _proven_again(held)


@transaction.atomic
def withdraw(*, job: Job, by: User) -> Job:
    """Take back what was said of the job. Locks the job. Raises NotYourJob."""
    held = _held(job, by)
    held.claims.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    return _proven_again(held)


def _held(job: Job, by: User) -> Job:
    held = (
        Job.objects.select_for_update(of=("self",), no_key=True)
        .select_related("machine__lab__organisation", "booking__user", "booking__design")
        .get(pk=job.pk)
    )
    if not policies.may_speak_of(by, held):
        raise NotYourJob(_("Only who had the machine booked, or who runs the lab, can say what it was."))
    return held


def _proven_again(job: Job) -> Job:
    if job.provenance != Job.Provenance.PROVEN:
        prove(job=job)
        job.save(update_fields=PROOF)
    return job


#: What `prove` writes.
PROOF = (
    "design",
    "slice",
    "provenance",
    "provenance_method",
    "design_path",
    "design_commit",
    "design_blob",
    "design_release",
    "made_of",
    "updated_at",
)
