"""Jobs that nobody knew a design for, looked at again: when a design arrives or is shown, and from time to time."""

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Q, QuerySet

from labs.models import Job
from labs.services.jobs.claims import PROOF
from labs.services.jobs.files import hold
from labs.services.jobs.proof import prove

if TYPE_CHECKING:
    from designs.models import Design

#: Jobs that one look takes, and how long after its start a job is still looked at.
MOST = 500
LOOKED_FOR = dt.timedelta(days=180)


def unproven(now: dt.datetime) -> QuerySet[Job]:
    """Jobs that a design that arrives may still prove."""
    return Job.objects.exclude(provenance=Job.Provenance.PROVEN).filter(started_at__gt=now - LOOKED_FOR)


def design_arrived(*, design: "Design", now: dt.datetime, most: int = MOST) -> int:
    """Prove the jobs again whose file, or its source, is among the files of a design; how many changed."""
    from designs.models import Blob  # noqa: PLC0415 the room may be left out

    held = Blob.objects.filter(file_versions__design=design)
    named = (
        Q(sha256__in=held.values("sha256"))
        | Q(sha1__in=held.values("sha1"))
        | Q(blob__in=held.values("oid"))
        | Q(source_sha256__in=held.values("sha256"))
        | Q(sent__source_sha256__in=held.values("sha256"))
    )
    told = Q(sha256="", sha1="", blob="", source_sha256="", sent=None)
    found = unproven(now).exclude(told).filter(named).order_by("-started_at").values_list("pk", flat=True)
    return sum(prove_again(job=pk, now=now) for pk in dict.fromkeys(found[:most]))


def sweep(*, now: dt.datetime, most: int = MOST) -> int:
    """Prove again what was not looked at for longest; how many changed."""
    told = ~Q(sha256="", sha1="", blob="", source_sha256="")
    waiting = unproven(now).filter(told).order_by(F("looked_at").asc(nulls_first=True), "pk")
    return sum(prove_again(job=pk, now=now) for pk in waiting.values_list("pk", flat=True)[:most])


@transaction.atomic
def prove_again(*, job: uuid.UUID, now: dt.datetime) -> bool:
    """Whether more is known of the job now. Locks the job."""
    held = hold(job)
    if held.provenance == Job.Provenance.PROVEN:
        return False
    before = (held.provenance, held.design_id)
    prove(job=held)
    held.looked_at = now
    held.save(update_fields=[*PROOF, "looked_at"])
    return (held.provenance, held.design_id) != before
