"""Refusals on the wire: RFC 9457 problem+json for the API, a page with the sentence for people."""

import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from commons.errors import CityError, NotFound

PROBLEM_JSON = "application/problem+json"

_CODES = {
    400: "city:bad-input",
    401: "city:sign-in",
    403: "city:not-allowed",
    404: "city:not-found",
    405: "city:method",
    406: "city:not-acceptable",
    409: "city:conflict",
    413: "city:too-large",
    415: "city:media-type",
    429: "city:too-many",
}


def problem(status: int, title: str, detail: str, code: str | None = None, **data: Any) -> dict[str, Any]:
    """A problem document."""
    code = code or _CODES.get(status, "city:fault" if status >= 500 else "city:refused")
    return {
        "type": f"/api/v1/errors/{code.replace(':', '/')}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **data,
    }


def problem_response(document: dict[str, Any]) -> JsonResponse:
    """The document as an answer of its status."""
    return JsonResponse(document, status=document["status"], content_type=PROBLEM_JSON)


def is_api(request: HttpRequest) -> bool:
    """Whether the caller wants JSON rather than a page."""
    return request.path.startswith("/api/")


def answer(request: HttpRequest, error: CityError) -> HttpResponse:
    """A refusal as the caller can read it; reading what has moved leads there."""
    if request.method in {"GET", "HEAD"} and (there := error.elsewhere(request.get_full_path())):
        return HttpResponsePermanentRedirect(there)
    if is_api(request):
        response: HttpResponse = problem_response(error.problem())
    else:
        response = render(request, "web/error.html", {"error": error, "status": error.status}, status=error.status)
    for name, value in _waiting(error).items():
        response[name] = value
    return response


def _waiting(error: CityError) -> dict[str, str]:
    """When to come back, where waiting helps."""
    return {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's hook: every error becomes a problem document."""
    if isinstance(exc, Http404):
        exc = NotFound(_("There is nothing here, or it is not yours to see."))
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, CityError):
        request = context.get("request")
        if request is not None and (there := exc.elsewhere(request.get_full_path())):
            status = 301 if request.method in {"GET", "HEAD"} else 308
            return Response(exc.problem(), status=status, headers={"Location": there}, content_type=PROBLEM_JSON)
        return Response(exc.problem(), status=exc.status, headers=_waiting(exc), content_type=PROBLEM_JSON)
    if not isinstance(exc, exceptions.APIException):
        return None
    headers: dict[str, str] = {}
    if scheme := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if isinstance(exc, exceptions.ValidationError):
        document = problem(400, _("Some fields are not right"), _fields_sentence(exc.detail), errors=exc.detail)
    elif isinstance(exc, exceptions.ParseError):
        document = problem(400, _("This cannot be read"), _("The body cannot be read: %(why)s") % {"why": exc.detail})
    else:
        document = problem(exc.status_code, str(exc.default_detail).rstrip("."), str(exc.detail))
    return Response(document, status=exc.status_code, headers=headers, content_type=PROBLEM_JSON)


def _fields_sentence(detail: Any) -> str:
    """What is wrong and where, in one line."""
    if isinstance(detail, dict):
        return " ".join(f"{name}: {_fields_sentence(what)}" for name, what in detail.items())
    if isinstance(detail, list):
        return " ".join(_fields_sentence(what) for what in detail if what)
    return str(detail)
