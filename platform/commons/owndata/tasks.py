"""Writing the file, and letting go of it."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext as _

from commons.errors import NotFound
from commons.owndata import archive, exports
from commons.people.models import User
from commons.runs.registry import Inputs, Job, Outcome, kind

BEAT: dict[str, Any] = {
    "owndata.expire": {"task": "owndata.expire", "schedule": 3600.0, "options": {"expires": 3000}},
}


@kind(exports.KIND)
def export(job: Job, inputs: Inputs) -> Outcome:
    """All that is kept of a person, as one file."""
    person = User.objects.filter(pk=inputs["person"], is_active=True).first()
    if person is None:
        raise NotFound(_("The account is closed."))
    made = archive.write(person, archive.path_of(job.run.pk), job.progress)
    told = {"url": "/me/data/", "tables": made.tables, "rows": made.rows, "files": made.files}
    return Outcome({**told, "bytes": made.bytes, "sha256": made.sha256})


@shared_task(name="owndata.expire")
def expire() -> int:
    """Every hour, by beat."""
    return exports.expire()
