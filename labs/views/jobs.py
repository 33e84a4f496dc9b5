"""A job: what was made, how that is known, with how many kWh."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from commons.people.models import User
from labs import policies
from labs.models import Job, JobClaim, JobFile
from labs.queries import curves, energy_words, jobs
from labs.services.jobs import files
from labs.views.common import page, viewer


@require_safe
def job(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
    """Which design, path and version was made, how that was proven, and the power while it was made."""
    found = jobs.find(job)
    shown = jobs.shown([found], viewer(request))[0]
    figure = jobs.figures_of([found]).get(found.pk)
    curve = curves.of_job(found, timezone.now())
    context = {
        "told": energy_words.told(figure),
        "drawn": energy_words.picture(figure, curve.chart if curve is not None and curve.known else None),
        "passport": getattr(found, "passport", None),
        "shown": shown,
        "plate": jobs.on_plate(found, viewer(request)),
        "job": found,
        "machine": found.machine,
        "lab": found.machine.lab,
        "curve": curve,
        "speaks": policies.may_speak_of(viewer(request), found),
        "claim": _claim(found, shown, viewer(request)),
        "sliced": found.slice if shown.method == Job.Method.RECEIPT else None,
        "sent": JobFile.objects.filter(job=found).defer("printed").first(),
        "takes_files": files.policy_of(found.machine.lab).takes_files,
        "others": jobs.energy_of_design(shown.design) if shown.design else None,
    }
    return page(request, "labs/job.html", context, lab=found.machine.lab)


def _claim(job: Job, shown: jobs.Shown, person: User | None) -> JobClaim | None:
    """What a person said of it, for who may know of that design."""
    found = job.claims.select_related("design__owner", "by").filter(withdrawn_at=None).first()
    known = found is not None and (found.design == shown.design or found.by == person)
    return found if known else None
