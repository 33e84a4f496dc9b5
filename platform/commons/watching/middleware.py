"""Every request has an id, is counted by its route, and leaves a line in the log and a span; the ballot's path none."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from commons.watching import measures, tracing

log = logging.getLogger("city.requests")

BEGAN = "livingcity.began"
"""Where in the environment the server puts `time.monotonic()` of a request's arrival."""


class watched:  # noqa: N801 a middleware reads like a function in settings
    """The outermost layer. A view that must leave no trace says `remembers_answers = False`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = request.META.pop(BEGAN, None) or time.monotonic()
        above = tracing.current() or tracing.read(request.META.get("HTTP_TRACEPARENT"))
        with tracing.span(str(request.method), tracing.SERVER, parent=above) as span:
            response = self.get_response(request)
            if getattr(request, "untraced", False):
                span.kept = False
                _count(request, response, "untraced", time.monotonic() - began)
                return response
            took_s = time.monotonic() - began
            route = route_of(request)
            span.name = f"{request.method} {route}"
            span.attributes |= {
                "http.request.method": str(request.method),
                "http.route": route,
                "http.response.status_code": response.status_code,
            }
            if response.status_code >= 500:
                span.fault = str(response.status_code)
            _count(request, response, route, took_s)
            ms = round(took_s * 1000, 1)
            log.info("%s", span.name, extra={"route": route, "status": response.status_code, "ms": ms})
            response["X-Request-ID"] = span.trace.trace_id
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any) -> None:
        """A ballot is on its way: nothing that follows belongs to a trace."""
        if not getattr(getattr(view, "cls", view), "remembers_answers", True):
            request.untraced = True  # type: ignore[attr-defined]
            tracing.forget()


def route_of(request: HttpRequest) -> str:
    """The name of the route. The path itself may hold a secret, such as a sign-in link's, and is never written down."""
    match = request.resolver_match
    if match is None:
        return "static" if request.path.startswith("/static/") else "none"
    return match.view_name or match.route


def _count(request: HttpRequest, response: HttpResponse, route: str, took_s: float) -> None:
    method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
    measures.count("city_http_requests_total", route=route, method=str(method), status=str(response.status_code))
    measures.observe("city_http_request_seconds", took_s, route=route)
