"""A server of the city that is away, or a disk that is full: the fault is ours, and it says so in a sentence.

Django's own answer would be 500, "something broke". These faults pass, so the caller learns that nothing was changed
and when to try again. Everything else stays a 500.
"""

import errno
import logging
import sys
from http import HTTPStatus
from typing import ClassVar

import redis
from django.db import Error, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import requires_csrf_token

from commons.errors import CityError
from commons.watching import tracing
from commons.web.problems import is_api, problem_response

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
NO_SPACE = "No space left on device"
#: SQLSTATE classes and codes of a server that is stopping, starting, overrun or gone.
AWAY = ("08", "53", "57P", "58")
#: A statement or a lock that took longer than a request may (livingcity.patience).
TOO_LONG = ("57014", "55P03", "25P03")


class ServerAway(CityError):
    """PostgreSQL or Valkey does not answer; it is started again by itself."""

    code = "city:server-away"
    status = 503
    title: ClassVar[str | Promise] = _("The city is away for a moment")


class TooLong(CityError):
    """The database was asked for more than a request may take; nothing of it was kept."""

    code = "city:too-long"
    status = 503
    title: ClassVar[str | Promise] = _("This took too long")


class DiskFull(CityError):
    """The disk of the city is full: it can be read, and nothing can be written."""

    code = "city:disk-full"
    status = 507
    title: ClassVar[str | Promise] = _("The city's disk is full")


def explain(fault: BaseException | None) -> CityError | None:
    """The refusal that fits a fault or what caused it; None if it is neither of the two."""
    while fault is not None:
        if isinstance(fault, CityError):
            return fault
        if _is_full(fault):
            return DiskFull(_("Nothing more can be written until room is made there; what is kept can still be read."))
        if isinstance(fault, OperationalError) and _state(fault) in TOO_LONG:
            return TooLong(_("The city stopped working on it, and nothing was changed. Try again in a few seconds."))
        if _is_away(fault):
            return ServerAway(_("A server of the city does not answer just now. Try again in a few seconds."))
        fault = fault.__cause__ or fault.__context__
    return None


def _is_full(fault: BaseException) -> bool:
    if isinstance(fault, OSError) and fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return isinstance(fault, Error | redis.RedisError) and (_state(fault) == "53100" or NO_SPACE in str(fault))


def _is_away(fault: BaseException) -> bool:
    if isinstance(fault, redis.ConnectionError | redis.TimeoutError | InterfaceError):
        return True
    return isinstance(fault, OperationalError) and (not _state(fault) or _state(fault).startswith(AWAY))


def _state(fault: BaseException) -> str:
    """PostgreSQL's five letters for what went wrong; "" where it could not even be asked."""
    return getattr(fault.__cause__, "sqlstate", None) or ""


@requires_csrf_token
def answer_fault(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: it is called while the exception is at hand. The page asks no server for anything."""
    fault = sys.exc_info()[1]
    refusal = explain(fault)
    if refusal is None:
        return _broken(request)
    log.warning("%s %s: %s (%s)", request.method, request.path, refusal.code, " ".join(str(fault).split())[:200])
    if is_api(request):
        response: HttpResponse = problem_response(refusal.problem())
    else:
        page = loader.render_to_string("web/away.html", {"error": refusal, "status": refusal.status})
        response = HttpResponse(page, status=refusal.status)
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_S)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would write a traceback for each request
    return response


def _broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours: the page names it by the request's id, under which it stands in the log."""
    trace = tracing.current()
    return HttpResponseServerError(loader.render_to_string("500.html", {"fault": trace.trace_id if trace else ""}))
