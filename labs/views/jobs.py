"""A job: what was made, how that is known, with how many kWh."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from labs.queries import curves, energy_words, jobs
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
        "job": found,
        "machine": found.machine,
        "lab": found.machine.lab,
        "curve": curve,
        "others": jobs.energy_of_design(shown.design) if shown.design else None,
    }
    return page(request, "labs/job.html", context, lab=found.machine.lab)
