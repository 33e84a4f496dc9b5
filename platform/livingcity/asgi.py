"""The site on one port: event streams, telemetry and job events in asyncio, everything else by Django's WSGI.

Django under ASGI serves pages several times slower than under WSGI, and WSGI spends a thread on each open stream; so
each does what it is good at (docs/decisions/0001-one-port.md). What devices say goes on to the process `ingest`
(docs/decisions/0002-ingest-process.md).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from livingcity import lean

lean.go_without()

from livingcity import patience  # noqa: E402 after what it is to go without
from livingcity.bridge import Bridge  # noqa: E402
from livingcity.dev.processes import die_with_spawner  # noqa: E402
from livingcity.wsgi import application as wsgi_application  # noqa: E402

from commons.devices import door, live, polling  # noqa: E402  # isort: skip  models can be imported once Django stands
from commons.runs import events  # noqa: E402  # isort: skip  models can be imported once Django stands
from commons.watching import shared, wires  # noqa: E402  # isort: skip  as above
from commons.web import timely  # noqa: E402  # isort: skip
from commons.web.walls import filled  # noqa: E402  # isort: skip  settings must be loaded first

die_with_spawner()
patience.limit_connections()
shared.announce("web")
pages = Bridge(wsgi_application)
lean.settle()


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    send = filled(send)
    if events.PATH.match(scope["path"]):
        await wires.stream("runs", events.stream, scope, receive, send)
    elif live.PATH.match(scope["path"]):
        await wires.stream("live", live.stream, scope, receive, send)
    elif polling.waits(scope):
        await polling.poll(scope, receive, send, pages)
    elif scope["path"] in door.PATHS and (secret := door.token_of(scope)) is not None:
        await wires.exchange(scope, send, lambda said: in_time(door.answer, scope, receive, said, secret, pages))
    else:
        await in_time(pages, scope, receive, send)


async def in_time(
    answer: Callable[..., Awaitable[None]], scope: MutableMapping[str, Any], receive: Any, send: Any, *more: Any
) -> None:
    """Answer a request whose body comes in its time; else 408."""
    if scope["method"] in {"GET", "HEAD"}:
        await answer(scope, receive, send, *more)
        return
    try:
        await answer(scope, timely.in_time(receive), send, *more)
    except timely.TooSlow:
        await timely.refuse(send)
