"""Server-sent events natively in asyncio: what every stream of this site shares. An open stream costs a small object,
not a thread; whoever reads the database for it does so in a thread of `readers` and gives the connection back.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Executor
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib import auth
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.http import HttpRequest

from commons.people.authentication import person_of_living
from commons.said import language_of
from commons.web.problems import PROBLEM_JSON

log = logging.getLogger(__name__)

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

SEND_PATIENCE_S = 30.0
STILL_HERE = b": still here\n\n"
START = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of the request, names in small letters."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def language(scope: Scope) -> str:
    """The language that the page of the caller is in, as the address names it; the site's own without one."""
    return language_of(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[-1])


def person(headers: dict[str, str]) -> tuple[Any, Any]:
    """Who asks and with which token: by bearer token, or by the session's cookie; nobody for a stranger. Raises
    DeadToken."""
    scheme, _space, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return person_of_living(secret.strip()) or (None, None)
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(headers.get("cookie", ""))
    if settings.SESSION_COOKIE_NAME not in cookies:
        return None, None
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(cookies[settings.SESSION_COOKIE_NAME].value)
    return auth.get_user(request), None


async def in_thread(readers: Executor, work: Callable[..., T], *arguments: Any) -> T:
    """The work in a thread of `readers`; its connection is dropped if it is broken or old."""

    def done() -> T:
        try:
            return work(*arguments)
        finally:
            if connection.connection is not None:
                connection.close_if_unusable_or_obsolete()

    return await asyncio.get_running_loop().run_in_executor(readers, done)


def event(name: str, ident: str, data: Any) -> bytes:
    """One event as it goes over the wire."""
    return f"id: {ident}\nevent: {name}\ndata: {json.dumps(data, cls=DjangoJSONEncoder)}\n\n".encode()


async def answer(send: Send, document: dict[str, Any], *more: tuple[bytes, bytes]) -> None:
    """A problem document."""
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": document["status"], "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document, cls=DjangoJSONEncoder).encode()})


async def tell(send: Send, lines: AsyncGenerator[bytes, None]) -> None:
    """Send the lines until they end; a reader who takes nothing for half a minute is left."""
    await send({"type": "http.response.start", "status": 200, "headers": START})
    async with contextlib.aclosing(lines):
        async for line in lines:
            message = {"type": "http.response.body", "body": line, "more_body": True}
            async with asyncio.timeout(SEND_PATIENCE_S):
                await send(message)
    await send({"type": "http.response.body", "body": b""})


async def until_gone(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends or the client goes away."""
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    except (OSError, RuntimeError, TimeoutError):
        log.debug("a stream of events was cut", exc_info=True)
    finally:
        for task in (doing, gone):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
