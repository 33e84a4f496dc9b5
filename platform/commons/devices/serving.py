"""The process `ingest`: one intake for all that devices say, behind the web server's door and on the broker.

It alone holds numpy, so web processes stay small, and it alone sees what all connections bring at one moment, which is
what makes group commit worth while (docs/decisions/0002-ingest-process.md).
"""

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import logging
import signal
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from commons.devices import wire
from commons.devices.errors import IngestAway
from commons.devices.intake import Answer, Intake, refused
from commons.devices.models import Device
from commons.watching import measures, shared

log = logging.getLogger(__name__)

KNOWN_S, UNKNOWN_S = 5.0, 1.0
"""How long it is believed that a token is a device's, and that it is nobody's. That it is still the device's is looked
at again in the transaction that stores."""
MOST_KNOWN = 100_000
LOOK_UP_S = 5.0
SWITCH_S = 0.0005
"""Python lets a thread run for so long before another may: the writer waits for PostgreSQL ten times in a group, and
must not wait 5 ms for the reader each time."""

GARBAGE_AFTER = 100_000


class Doorkeeper:
    """Which device a token belongs to, remembered for seconds; all that is asked at one time is one question."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[uuid.UUID | None, float]] = {}
        self._asked: dict[bytes, asyncio.Future[uuid.UUID | None]] = {}
        self._thread = ThreadPoolExecutor(1, "doorkeeper")
        self._asking: asyncio.Task[None] | None = None

    async def device_of(self, token_sha256: bytes) -> uuid.UUID | None:
        """The active device of the token, or None. Raises DatabaseError when that cannot be known."""
        known = self._known.get(token_sha256)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        future = self._asked.get(token_sha256)
        if future is None:
            future = self._asked[token_sha256] = asyncio.get_running_loop().create_future()
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)

    def forget(self, token_sha256: bytes) -> None:
        """The token was found to be no more."""
        self._known.pop(token_sha256, None)

    def close(self) -> None:
        """End the thread and its connection."""
        self._thread.submit(lambda: connection.close())  # noqa: PLW0108 that of the thread
        self._thread.shutdown()

    async def _ask(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await asyncio.get_running_loop().run_in_executor(self._thread, _devices_of, list(asked))
            except Exception as fault:
                for future in asked.values():
                    if not future.done():
                        future.set_exception(fault)
                continue
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            now = time.monotonic()
            for token, future in asked.items():
                device = found.get(token)
                self._known[token] = (device, now + (KNOWN_S if device else UNKNOWN_S))
                if not future.done():
                    future.set_result(device)


def _devices_of(asked: list[bytes]) -> dict[bytes, uuid.UUID]:
    """The active devices of tokens; waits a little for a database that is away."""
    until = time.monotonic() + LOOK_UP_S
    while True:
        try:
            rows = Device.objects.filter(token_sha256__in=asked, revoked_at=None)
            return {bytes(token): pk for pk, token in rows.values_list("pk", "token_sha256") if token is not None}
        except DatabaseError:
            connection.close()
            if time.monotonic() >= until:
                raise
            time.sleep(0.1)


class Counter(asyncio.Protocol):
    """One web process on the line: its questions, each answered when it is committed."""

    def __init__(self, intake: Intake, doorkeeper: Doorkeeper) -> None:
        self._intake, self._doorkeeper = intake, doorkeeper
        self._reader = wire.Reader(wire.QUESTION)
        self._out = wire.Outgoing()
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A web process has come."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 a stream
        self._out.transport = transport

    def data_received(self, data: bytes) -> None:
        """Questions."""
        try:
            frames = self._reader.feed(data)
        except ValueError as fault:
            log.warning("a connection to the ingest process spoke nonsense: %s", fault)
            if self._out.transport is not None:
                self._out.transport.abort()
            return
        for (number, kind, token), body in frames:
            assert isinstance(number, int)  # noqa: S101 the frame's form
            assert isinstance(kind, int)  # noqa: S101
            assert isinstance(token, bytes)  # noqa: S101
            question = wire.Question(number, token, body, kind)
            task = asyncio.create_task(self._answer(question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, question: wire.Question) -> None:
        began = time.monotonic()
        answer = await self._stored(question)
        kind = "jobs" if question.kind == wire.JOBS else "telemetry"
        measures.count("city_ingest_bodies_total", kind=kind, status=str(answer.status))
        measures.observe("city_ingest_seconds", time.monotonic() - began, kind=kind)
        said = wire.Said(question.number, answer.status, answer.body)
        self._out.put(said.head(), said.body)

    async def _stored(self, question: wire.Question) -> Answer:
        try:
            device = await self._doorkeeper.device_of(question.token_sha256)
        except DatabaseError:
            sentence = _("The database is away just now; keep it and send it again in a few seconds.")
            return refused(IngestAway(sentence))
        if device is None:
            return Answer(wire.UNKNOWN_TOKEN, b"")
        answer = await self._intake.submit(
            device=device,
            kind="jobs" if question.kind == wire.JOBS else "telemetry",
            body=question.body,
            token_sha256=question.token_sha256,
        )
        if answer.status == wire.UNKNOWN_TOKEN:
            self._doorkeeper.forget(question.token_sha256)
        return answer


async def serve() -> None:
    """Take in, until TERM or INT; what was taken is finished and answered first."""
    sys.setswitchinterval(SWITCH_S)
    shared.announce("ingest")
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    intake, doorkeeper = Intake(), Doorkeeper()
    _warm_up()
    path = wire.address()
    async with listening(intake, doorkeeper, path), _on_the_broker(intake):
        await stopping.wait()
    await asyncio.to_thread(intake.close)
    doorkeeper.close()


@contextlib.asynccontextmanager
async def listening(intake: Intake, doorkeeper: Doorkeeper, path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The socket is open while the block runs. One that a killed process left is taken over."""
    path.unlink(missing_ok=True)
    server = await asyncio.get_running_loop().create_unix_server(lambda: Counter(intake, doorkeeper), str(path))
    path.chmod(0o600)
    try:
        yield server
    finally:
        path.unlink(missing_ok=True)
        server.close()


@contextlib.asynccontextmanager
async def _on_the_broker(intake: Intake):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """The city's MQTT client runs while the block does, where there is a broker."""
    if not (getattr(settings, "MQTT_URL", "") and importlib.util.find_spec("commons.devices.mqtt")):
        yield
        return
    client = importlib.import_module("commons.devices.mqtt.client")
    task = asyncio.create_task(client.run(intake))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _warm_up() -> None:
    """Load what the first body needs, and take all that is loaded out of the garbage collector's rounds: each batch
    makes and drops thousands of objects, none of them in circles."""
    from commons.devices.engine import energy, parse  # noqa: F401, PLC0415 not before it is this process

    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 50, 50)
