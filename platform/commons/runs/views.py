"""Pages of runs."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from commons.runs import links, policies, queries, services


@require_safe
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, or what came of it."""
    found = queries.run(pk, request.user)
    context = {
        "run": found,
        "result_url": links.result_url(found),
        "may_stop": not found.is_over and policies.may_cancel(request.user, found),
    }
    response = render(request, "runs/run.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@login_required
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The Stop button without JavaScript."""
    found = queries.run(pk, request.user)
    policies.check_may_cancel(request.user, found)
    services.cancel(run=found)
    return redirect("rooms:run", pk)
