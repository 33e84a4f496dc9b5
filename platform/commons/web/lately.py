"""Pages that all strangers see alike are kept for some seconds, or until anything is written.

A view says so by `kept_a_moment`. A page is kept under all that it may depend on: its address and questions, the
language, and every cookie but that against forgery; who is signed in, or comes with a token, is always answered anew.
It is thrown away with the first change in the database (`commons.web.written`), so nobody finds what they did a moment
ago missing; what devices report may be `PAGES_KEPT_S` old, and a little more while somebody's page is made anew, since
one visitor alone waits for that. The page's nonce and the tokens of its forms are each visitor's own.
"""

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import (  # type: ignore[attr-defined]  # what a page's tokens are is known there alone
    CSRF_TOKEN_LENGTH,
    _does_token_match,
    get_token,
)

from commons.web import written
from commons.web.middleware_types import GetResponse

log = logging.getLogger(__name__)

LARGEST = 1_000_000
_TOKENS = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{%d}(?![A-Za-z0-9])" % CSRF_TOKEN_LENGTH)

View = TypeVar("View", bound=Callable[..., HttpResponse])


def kept_a_moment(view: View) -> View:
    """Mark a view whose page strangers may share."""
    view.kept_a_moment = True  # type: ignore[attr-defined]
    return view


@dataclass(frozen=True, slots=True)
class Kept:
    """A page without what is one visitor's own: marks stand for the nonce and for the tokens of forms."""

    written: str | None
    made_at: float
    headers: Mapping[str, str]
    body: bytes
    nonce: bytes
    token: bytes

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The page for this visitor."""
        body = self.body.replace(self.nonce, _nonce(request))
        if self.token in body:
            body = body.replace(self.token, get_token(request).encode())
        return HttpResponse(body, headers=dict(self.headers))


@dataclass(frozen=True, slots=True)
class Place:
    """Where this request's page would be kept, and how the data stood before it was made."""

    key: str
    written: str | None


class lately:  # noqa: N801 a middleware reads like a function in settings
    """Answers strangers from what was kept; stands within the layers of the nonce, the language and forgery."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        place: Place | None = request.__dict__.get("_lately")
        if place is not None and _may_be_kept(request, response):
            _put(place.key, _kept(request, response, place))
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        if not getattr(view, "kept_a_moment", False) or not settings.PAGES_KEPT_S or not _is_stranger(request):
            return None
        key = _key(request)
        found = _get(key)
        if found is None:
            return None
        stamp, kept = found
        if kept is not None and kept.written == stamp and not (_is_due(kept) and _is_first(key)):
            return kept.answer(request)
        request.__dict__["_lately"] = Place(key, stamp)
        return None


def _is_stranger(request: HttpRequest) -> bool:
    """Nobody yet, who asks for a page, outside of a transaction (which would see what nobody else may)."""
    own = {settings.SESSION_COOKIE_NAME, "messages"}
    return (
        request.method == "GET"
        and "Authorization" not in request.headers
        and own.isdisjoint(request.COOKIES)
        and not connection.in_atomic_block
    )


def _is_due(kept: Kept) -> bool:
    """Whether it is to be made anew; a clock that went back counts as due."""
    return not 0 <= time.time() - kept.made_at < settings.PAGES_KEPT_S


def _is_first(key: str) -> bool:
    """Whether this request makes it anew; the others still get the old one, so that not all of them do."""
    try:
        return bool(cache.add(f"{key}:anew", 1, settings.PAGES_KEPT_S))
    except Exception:
        log.debug("the cache does not answer", exc_info=True)
        return True


def _key(request: HttpRequest) -> str:
    cookies = sorted((n, v) for n, v in request.COOKIES.items() if n != settings.CSRF_COOKIE_NAME)
    htmx = sorted((n, v) for n, v in request.headers.items() if n.lower().startswith("hx-"))
    parts = (request.scheme, request.get_host(), request.get_full_path(), request.LANGUAGE_CODE, cookies, htmx)
    return "page:" + hashlib.sha256(repr(parts).encode()).hexdigest()


def _may_be_kept(request: HttpRequest, response: HttpResponse) -> bool:
    session = getattr(request, "session", None)
    return (
        response.status_code == 200
        and not response.streaming
        and not response.cookies
        and not (session is not None and session.modified)
        and response.get("Content-Type", "").startswith("text/html")
        and len(response.content) <= LARGEST
    )


def _kept(request: HttpRequest, response: HttpResponse, place: Place) -> Kept:
    nonce, token = (secrets.token_hex(16).encode() for _ in range(2))
    secret = request.META.get("CSRF_COOKIE")

    def bare(match: re.Match[bytes]) -> bytes:
        return token if secret and _does_token_match(match[0].decode(), secret) else match[0]

    body = _TOKENS.sub(bare, response.content).replace(_nonce(request), nonce)
    return Kept(place.written, time.time(), dict(response.items()), body, nonce, token)


def _nonce(request: HttpRequest) -> bytes:
    return str(request.csp_nonce).encode()  # type: ignore[attr-defined]  # django-csp's


def _get(key: str) -> tuple[str | None, Kept | None] | None:
    """How the data stand, and the page; None when the cache is away or holds what this version cannot read."""
    try:
        found = cache.get_many([written.KEY, key])
    except Exception:
        log.debug("no page is kept", exc_info=True)
        return None
    return found.get(written.KEY), found.get(key)


def _put(key: str, kept: Kept) -> None:
    try:
        cache.set(key, kept, 2 * settings.PAGES_KEPT_S)
    except Exception:
        log.debug("a page is not kept", exc_info=True)
