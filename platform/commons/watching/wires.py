"""What is answered in asyncio, beside Django: counted and traced like pages are."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from commons.watching import measures, tracing

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_open: dict[str, int] = {}


async def stream(
    kind: str,
    application: Callable[[Scope, Receive, Send], Awaitable[None]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """An event stream; how many are open is known."""
    _open[kind] = _open.get(kind, 0) + 1
    measures.gauge("city_streams_open", _open[kind], kind=kind)
    try:
        await application(scope, receive, send)
    finally:
        _open[kind] -= 1
        measures.gauge("city_streams_open", _open[kind], kind=kind)


async def exchange(scope: Scope, send: Send, answer: Callable[[Send], Awaitable[None]]) -> None:
    """What a device says at the door, in the trace that its agent began. What Django answers instead counts itself."""
    began, route = time.monotonic(), f"door:{scope['path']}"

    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start" and not any(n == b"x-request-id" for n, _ in message["headers"]):
            status = str(message["status"])
            measures.count("city_http_requests_total", route=route, method="POST", status=status)
            measures.observe("city_http_request_seconds", time.monotonic() - began, route=route)
            span.attributes["http.response.status_code"] = int(status)
        await send(message)

    with tracing.span(f"POST {route}", tracing.SERVER, parent=_parent(scope), **{"http.route": route}) as span:
        await answer(counted)


def _parent(scope: Scope) -> tracing.Trace | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return tracing.read(value.decode("latin-1"))
    return None
