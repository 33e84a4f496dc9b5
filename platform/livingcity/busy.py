"""Who is let in when more come than the threads of pages can serve, and what the others hear.

A queue that is now and then empty does its work: it takes up a burst. One that has not been empty for a second only
makes everybody wait, so from then on it is kept short (the idea of CoDel, Nichols and Jacobson 2012, for requests). So
under any overload an admitted request waits for a few others at most, and a refusal costs next to nothing: no body is
read, no thread taken, no database asked, no template filled.
"""

import json
import random
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar

from django.utils import translation
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import CityError

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_WAITING, FEW_WAITING, STANDING_S = 32, 4, 1.0
"""So many may wait for a thread; so few once somebody has waited for so long without a break."""
MOST_LIGHT = 256
AGAIN_S = (2, 6)
"""When to come back, drawn anew for each, so that they do not all come at once."""
OWN = ("/api/v1/telemetry/", "/api/v1/device/", "/api/v1/devices/enrol/", "/healthz", "/readyz", "/metrics")
"""What devices say where Django answers it, and what watches over the city."""
LIGHT = ("/static/",)
"""Files of a page that was let in: they cost next to nothing, and without them the page is of no use."""


class CityBusy(CityError):
    """More ask than can be served just now."""

    code = "city:busy"
    status = 503
    retry_after_s = 2
    title: ClassVar[str | Promise] = gettext_lazy("The city is busy")


def is_own(path: str) -> bool:
    """Whether the address has threads of its own."""
    return path.startswith(OWN)


class Admission:
    """Whether one more may wait for a pool of threads; asked in the event loop alone."""

    def __init__(self) -> None:
        self.refused = 0
        self._empty_at = time.monotonic()

    def lets_in(self, path: str, waiting: int) -> bool:
        """Whether a request may wait behind `waiting` others."""
        now = time.monotonic()
        if not waiting:
            self._empty_at = now
            return True
        if waiting < self._most(path, now):
            return True
        self.refused += 1
        return False

    def _most(self, path: str, now: float) -> int:
        if path.startswith(LIGHT):
            return MOST_LIGHT
        return FEW_WAITING if now - self._empty_at > STANDING_S else MOST_WAITING


async def refuse(scope: Scope, send: Send) -> None:
    """Say that the city is busy and when to come back: 503."""
    kind, body = _words(scope["path"])
    again_s = random.randint(*AGAIN_S)  # noqa: S311 no secret
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(again_s).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


_made: dict[tuple[bool, str], tuple[bytes, bytes]] = {}


def _words(path: str) -> tuple[bytes, bytes]:
    """The type and the body of a refusal: a problem document for programs, a small page in people's language."""
    api, language = path.startswith("/api/"), translation.get_language_from_path(path) or "en"
    if (api, language) not in _made:
        with translation.override(language):
            refusal = CityBusy(_("Too many ask at once. Nothing was changed; try again in a moment."))
            _made[api, language] = _document(refusal) if api else _page(language, refusal)
    return _made[api, language]


def _document(refusal: CityError) -> tuple[bytes, bytes]:
    return b"application/problem+json", json.dumps(refusal.problem(), default=str).encode()


def _page(language: str, refusal: CityError) -> tuple[bytes, bytes]:
    title, sentence = escape(refusal.title), escape(refusal.sentence)
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{sentence}</p></body></html>"
    )
    return b"text/html; charset=utf-8", page.encode()
