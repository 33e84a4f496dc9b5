"""`/metrics` for Prometheus, and the page of operations for staff."""

import hmac
import ipaddress

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commons.watching import gauges, measures, queries, shared

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """What every process counted, and what is so now. For METRICS_TOKEN, or from this machine itself."""
    if not _may_read(request):
        raise Http404
    try:
        shared.tell()
        told = shared.told()
    except redis.RedisError:
        told = {shared.name_of_this(): measures.counts.snapshot()}
    return HttpResponse(measures.text(told, gauges.look()), content_type=TEXT)


def _may_read(request: HttpRequest) -> bool:
    """By the token where there is one; else only who asks from this machine and not through a proxy."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    passed_on = {"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"} & set(request.headers)
    try:
        return not passed_on and ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@require_safe
@login_required
@never_cache
def operations(request: HttpRequest) -> HttpResponse:
    """Is the city well, what does it do, and what went wrong? For staff; to others it is not there."""
    if not getattr(request.user, "is_staff", False):
        raise Http404(_("There is nothing at this address."))
    return render(
        request,
        "watching/operations.html",
        {
            "checks": queries.checks(),
            "queues": queries.queues(),
            "open_runs": queries.open_runs(),
            "failed_runs": queries.failed_runs(),
            "faults": queries.faults(),
            "processes": queries.processes(),
            "routes": queries.slowest_routes(),
        },
    )
