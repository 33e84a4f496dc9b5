"""A job: what was made, how that is known, with how many kWh."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from labs import policies
from labs.models import JobFile
from labs.queries import curves, jobs
from labs.services.jobs import files
from labs.views.common import page, viewer


@require_safe
def job(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
    """Which design, path and version was made, how that was proven, and the power while it was made."""
    found = jobs.find(job)
    shown = jobs.shown([found], viewer(request))[0]
    context = {
        "shown": shown,
        "job": found,
        "machine": found.machine,
        "lab": found.machine.lab,
        "curve": curves.of_job(found, timezone.now()),
        "speaks": policies.may_speak_of(viewer(request), found),
        "claim": found.claims.select_related("design__owner", "by").filter(withdrawn_at=None).first(),
        "sent": JobFile.objects.filter(job=found).defer("printed").first(),
        "takes_files": files.policy_of(found.machine.lab).takes_files,
        "others": jobs.energy_of_design(shown.design) if shown.design else None,
    }
    return page(request, "labs/job.html", context, lab=found.machine.lab)
