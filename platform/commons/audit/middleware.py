"""One row for each unsafe request that was answered well, of staff, managers and stewards."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse

from commons.audit.marks import is_unaudited
from commons.audit.recording import Scope, note_request, scope
from commons.web.middleware_types import GetResponse

log = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class audit:  # noqa: N801 a middleware reads like a function in settings
    """Keeps a scope while an unsafe request is answered, and writes its row."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE:
            return self.get_response(request)
        here = Scope(request)
        mark = scope.set(here)
        try:
            response = self.get_response(request)
            if _done(response) and scope.get() is here:
                _record(here)
            return response
        finally:
            scope.reset(mark)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> None:
        """On the way to a ballot nobody looks who asks."""
        if is_unaudited(view):
            scope.set(None)


def _done(response: HttpResponse) -> bool:
    """Whether it was answered well; who is sent to sign in was refused."""
    page = response.headers.get("Location", "").partition("?")[0]
    return response.status_code < 400 and not page.endswith("/login/")


def _record(here: Scope) -> None:
    match = here.request.resolver_match
    if match is None:
        return
    what = f"{here.request.method} {match.view_name or match.route}"
    try:
        note_request(here, what, match.kwargs)
    except Error:
        # It was done and answered: to say otherwise would let the caller do it again.
        log.critical("the audit log could not be written: %s", what, exc_info=True)
