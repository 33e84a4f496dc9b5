"""The headers that every answer has, whoever makes it: pages, the API, files, event streams, refusals.

`walls` is the outermost middleware and fills in what an answer does not say itself. What is served without Django
(event streams, telemetry, a full queue) goes through `filled` in the ASGI application. Pages run the scripts that bear
the page's nonce, and those that these load themselves; nothing else of ours is a script, wherever it lies.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from commons.web.middleware_types import GetResponse

#: What no page of ours asks a browser for. Passkeys and copying to the clipboard are ours alone.
REFUSED = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
OWN = ("clipboard-write", "fullscreen", "publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS = ", ".join([*(f"{name}=()" for name in REFUSED), *(f"{name}=(self)" for name in OWN)])
#: For what is no page: it runs nothing, shows nothing and stands in no frame.
BARE = "default-src 'none'; frame-ancestors 'none'"
SHARED = "Access-Control-Allow-Origin"
RESOURCE = "Cross-Origin-Resource-Policy"
#: Pages of libraries know no nonce; their scripts are files of ours, and nothing on them is inline.
LIBRARIES = ("allauth.", "django.contrib.admin.")
LIBRARY_SCRIPTS = ["'self'"]

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def always() -> dict[str, str]:
    """Each header with what it says when an answer says nothing itself."""
    said = {
        "Content-Security-Policy": BARE,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        RESOURCE: "same-origin",
        "Permissions-Policy": PERMISSIONS,
    }
    if settings.SECURE_HSTS_SECONDS:
        parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
        parts += ["includeSubDomains"] * settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
        parts += ["preload"] * settings.SECURE_HSTS_PRELOAD
        said["Strict-Transport-Security"] = "; ".join(parts)
    return said


class walls:  # noqa: N801 a middleware reads like a function in settings
    """Fills in what an answer does not say."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if SHARED in response:
            response.headers.setdefault(RESOURCE, "cross-origin")
        for name, value in always().items():
            response.headers.setdefault(name, value)
        return response


class library_pages:  # noqa: N801
    """Lets pages of allauth and of Django's staff site load their own files as scripts; inside the CSP's middleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and match.func.__module__.startswith(LIBRARIES):
            response._csp_replace = {"script-src": LIBRARY_SCRIPTS}  # type: ignore[attr-defined]  # django-csp's own way
        return response


@cache
def _raw() -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in always().items()]


def filled(send: Send) -> Send:
    """The same for an answer that Django has not seen."""

    async def fill(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said = list(message.get("headers", ()))
            names = {name.lower() for name, _value in said}
            message = {**message, "headers": said + [pair for pair in _raw() if pair[0] not in names]}
        await send(message)

    return fill
