"""Telemetry and job events over HTTP, natively in asyncio: the body goes as it is to the process `ingest`, its answer
comes back.

Only what a device sends as it should comes this way: a POST with a well-formed device token. All else, and every token
that the ingest process does not know, is answered by Django's view, so both give the same answers. Where no ingest
process has ever listened (a test, a single `granian`) Django's view stores the readings by itself, more slowly. Where
it listened and is being started again, a request waits a little, then hears 503 and when to come back.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.utils.translation import gettext as _

from commons.devices import wire
from commons.devices.errors import IngestAway
from commons.people import tokens
from commons.web.problems import PROBLEM_JSON

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATHS = {"/api/v1/telemetry/": wire.TELEMETRY, "/api/v1/device/jobs/": wire.JOBS}
MOST_BYTES = 4 * 1024 * 1024
"""Longer bodies than ten thousand readings ever are go to Django's view, which knows how to refuse them."""
PATIENCE_S = 8.0
ANSWER_S = 30.0
PAUSE_S = 0.1


class Lost(Exception):
    """The connection to the ingest process broke before the answer came."""


class Nobody(Exception):
    """No ingest process has ever listened here."""


class Connection(asyncio.Protocol):
    """Questions on their way to the ingest process, and who waits for their answers."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[wire.Said]] = {}
        self._out = wire.Outgoing()
        self._reader = wire.Reader(wire.ANSWER)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._number = 0

    @property
    def usable(self) -> bool:
        """Whether questions may be put."""
        return self._out.usable

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 a stream
        self._out.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """It broke: whoever waits must ask again."""
        self._flowing.set()
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Lost())
        self.waiting.clear()

    def pause_writing(self) -> None:
        """The other side is slow."""
        self._flowing.clear()

    def resume_writing(self) -> None:
        """It goes on."""
        self._flowing.set()

    def data_received(self, data: bytes) -> None:
        """Answers."""
        for (number, status), body in self._reader.feed(data):
            future = self.waiting.pop(int(number), None)
            if future is not None and not future.done():
                future.set_result(wire.Said(int(number), int(status), body))

    async def ask(self, token_sha256: bytes, body: bytes, kind: int) -> wire.Said:
        """Put a question. Raises Lost, TimeoutError."""
        if not self._flowing.is_set():
            await self._flowing.wait()
        if not self.usable:
            raise Lost
        self._number += 1
        question = wire.Question(self._number, token_sha256, body, kind)
        future: asyncio.Future[wire.Said] = asyncio.get_running_loop().create_future()
        self.waiting[question.number] = future
        self._out.put(question.head(), body)
        late = asyncio.get_running_loop().call_later(ANSWER_S, _too_late, future)
        try:
            return await future
        finally:
            late.cancel()
            self.waiting.pop(question.number, None)


def _too_late(future: "asyncio.Future[wire.Said]") -> None:
    if not future.done():
        future.set_exception(TimeoutError())


class Way:
    """The one connection of this web process to the ingest process, made when first needed and again when it broke."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._making: asyncio.Lock | None = None

    @property
    def leads_somewhere(self) -> bool:
        """Whether an ingest process listens, or has listened and may come back."""
        return (self._connection is not None and self._connection.usable) or wire.address().exists()

    async def ask(self, token_sha256: bytes, body: bytes, kind: int = wire.TELEMETRY) -> wire.Said:
        """Put a question, again over a new connection if the ingest process goes away meanwhile: what it had stored is
        not stored twice. Raises Nobody, IngestAway."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                return await (await self._connected()).ask(token_sha256, body, kind)
            except FileNotFoundError:
                raise Nobody from None
            except (Lost, OSError):
                if asyncio.get_running_loop().time() >= until:
                    break
                await asyncio.sleep(PAUSE_S)
            except TimeoutError:
                break
        raise IngestAway(
            _("What takes readings in is being started again; send it again in a few seconds. Nothing is stored twice.")
        )

    async def _connected(self) -> Connection:
        if self._connection is not None and self._connection.usable:
            return self._connection
        if self._making is None:
            self._making = asyncio.Lock()
        async with self._making:
            if self._connection is None or not self._connection.usable:
                loop = asyncio.get_running_loop()
                _transport, self._connection = await loop.create_unix_connection(Connection, str(wire.address()))
            return self._connection


way = Way()


def token_of(scope: Scope) -> str | None:
    """The well-formed device token of a plain POST of readings or job events, else None: it is Django's to answer."""
    if scope["method"] != "POST" or scope["path"] not in PATHS:
        return None
    secret: str | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _space, given = value.decode("latin-1").partition(" ")
            secret = given.strip() if scheme.lower() == "bearer" else None
        elif name == b"idempotency-key":
            return None
    return secret if secret is not None and tokens.looks_right(secret, "lcd") else None


async def answer(scope: Scope, receive: Receive, send: Send, secret: str, otherwise: Application) -> None:
    """Answer a POST of readings or job events; `otherwise` is Django."""
    messages: list[Message] = []
    body, whole = await _body(receive, messages)
    if whole and way.leads_somewhere:
        try:
            said = await way.ask(tokens.fingerprint(secret), body, PATHS[scope["path"]])
        except Nobody:
            pass
        except IngestAway as refusal:
            await _answer(send, refusal.status, json.dumps(refusal.problem(), default=str).encode())
            return
        else:
            if said.status != wire.UNKNOWN_TOKEN:
                await _answer(send, said.status, said.body)
                return
    if messages and messages[-1]["type"] == "http.disconnect":
        return
    await otherwise(scope, _replay(messages, receive), send)


async def _body(receive: Receive, messages: list[Message]) -> tuple[bytes, bool]:
    """The body, and whether it is all of it; what was received is kept in `messages`."""
    parts: list[bytes] = []
    size = 0
    while size <= MOST_BYTES:
        message = await receive()
        messages.append(message)
        if message["type"] == "http.disconnect":
            return b"", False
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts), True
    return b"", False


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """`receive` from the beginning."""
    again = iter(messages)

    async def replayed() -> Message:
        for message in again:
            return message
        return await receive()

    return replayed


async def _answer(send: Send, status: int, body: bytes) -> None:
    kind = "application/json" if status == 200 else PROBLEM_JSON
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == IngestAway.status:
        headers.append((b"retry-after", str(IngestAway.retry_after_s).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
