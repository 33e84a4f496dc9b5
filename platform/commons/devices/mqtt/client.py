"""The city on its broker: what devices publish goes through the one intake, and its answer goes back to them.

What is acknowledged to whom:

- The answer on `city/v1/{device}/ack` is the acknowledgement to the device: the very JSON of the HTTP answer and
  `topic`, the part that it answers ("telemetry" or "jobs"); it comes after the commit. A broker's own PUBACK to the
  device only says that the broker has the message in its hands, so a device keeps what was not answered and sends it
  again.
- Our PUBACK to the broker goes out after the commit too (`manual_ack`): the session outlives us, so what a killed
  process had not committed is delivered again to the next. What was committed but not answered comes again as well, is
  found to be known, and is answered.

A device that sent correlation data (MQTT 5) gets them back with the answer.
"""

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiomqtt
import orjson
from django.conf import settings
from django.db import close_old_connections, connection
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from commons.devices import services
from commons.devices.intake import Answer, Kind
from commons.devices.mqtt import accounts, link, topics
from commons.watching import tracing

log = logging.getLogger(__name__)

NAME = "livingcity-ingest"
SESSION_S = 14 * 86_400
IN_FLIGHT = 500
KEEP_ALIVE_S = 20
SHORTEST_S, LONGEST_S = 0.5, 30.0
AGAIN_S = 1.0
ACCOUNTS_EVERY_S = 10.0
NO_CLEAN_START = False


class Taker(Protocol):
    """What takes bodies in (`commons.devices.intake.Intake`)."""

    def submit(self, *, device: uuid.UUID, kind: Kind, body: bytes) -> Awaitable[Answer]:
        """Store it, once; the answer comes after the commit."""
        ...


class Client(aiomqtt.Client):
    """aiomqtt, but a message is acknowledged to the broker only by `settle`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._client.manual_ack_set(True)
        self.pending_calls_threshold = IN_FLIGHT  # it warns of more

    def settle(self, message: aiomqtt.Message) -> None:
        """Tell the broker that this message is dealt with."""
        if message.qos:
            self._client.ack(message.mid, message.qos)


@dataclass(slots=True)
class State:
    """How the connection stands, for the health check."""

    connected: bool = False
    why: str = "not yet tried"
    since: float = 0.0


def connect(address: str, name: str, password: str, *, identifier: str = NAME) -> Client:
    """A client for a broker's address: mqtt://, mqtts:// (TLS), with a port of its own or the usual one."""
    parts = urlsplit(address)
    secure = parts.scheme in {"mqtts", "ssl", "tls"}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = IN_FLIGHT
    return Client(
        parts.hostname or "localhost",
        parts.port or (8883 if secure else 1883),
        username=name,
        password=password,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=NO_CLEAN_START,
        properties=properties,
        keepalive=KEEP_ALIVE_S,
        max_inflight_messages=IN_FLIGHT,
        tls_context=ssl.create_default_context() if secure else None,
        timeout=10,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )


async def run(intake: Taker) -> None:
    """Stay on the broker of MQTT_URL, until cancelled; nothing at all without one."""
    if not settings.MQTT_URL:
        return
    state = State()
    try:
        with _clerk() as clerk:
            async with _beside(_report(state), _keep_accounts(clerk)):
                await _stay(intake, clerk, state)
    finally:
        link.tell(connected=False, why="the ingest process has ended")


@contextlib.contextmanager
def _clerk() -> Iterator[ThreadPoolExecutor]:
    """A thread for the few words with the database beside the intake's; its connection ends with it."""
    thread = ThreadPoolExecutor(1, "mqtt")
    try:
        yield thread
    finally:
        thread.submit(lambda: connection.close())  # noqa: PLW0108 that of the thread
        thread.shutdown()


async def _stay(intake: Taker, clerk: ThreadPoolExecutor, state: State) -> None:
    """Connect, listen, and connect again with a pause that doubles."""
    pause_s = SHORTEST_S
    while True:
        began = time.monotonic()
        try:
            async with connect(settings.MQTT_URL, *accounts.city_account()) as client:
                for part in topics.SAID:
                    await client.subscribe(topics.topic("+", part), qos=1)
                state.connected, state.since = True, time.time()
                log.info("on the broker")
                await listen(client, intake, clerk)
        except aiomqtt.MqttError as fault:
            if state.connected or pause_s == SHORTEST_S:
                log.warning("the broker is away: %s", fault)
            state.why = str(fault)
        state.connected = False
        if time.monotonic() - began > LONGEST_S:
            pause_s = SHORTEST_S
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 so that many do not come back at once
        pause_s = min(pause_s * 2, LONGEST_S)


async def listen(client: Client, intake: Taker, clerk: ThreadPoolExecutor) -> None:
    """Hand every message on; at most IN_FLIGHT at once, for the broker sends no more. Raises aiomqtt.MqttError."""
    at_work: set[asyncio.Task[None]] = set()
    try:
        async for message in client.messages:
            task = asyncio.create_task(_deal(client, intake, clerk, message))
            at_work.add(task)
            task.add_done_callback(at_work.discard)
    finally:
        for task in at_work:
            task.cancel()


async def _deal(client: Client, intake: Taker, clerk: ThreadPoolExecutor, message: aiomqtt.Message) -> None:
    """One message: taken in, answered, settled. What cannot be committed now is tried again until it can."""
    found = topics.parse(str(message.topic))
    if found is None:
        client.settle(message)
        return
    device, part = found
    body = message.payload if isinstance(message.payload, bytes) else b""
    if part == topics.STATUS:
        if (now := online(body)) is not None:
            await _until_kept(lambda: asyncio.get_running_loop().run_in_executor(clerk, _keep_link, device, now))
    elif part in {topics.TELEMETRY, topics.JOBS}:
        with tracing.span(f"mqtt {part}", tracing.CONSUMER, parent=_trace_of(message)):
            answer = await _until_kept(lambda: intake.submit(device=device, kind=part, body=body))  # type: ignore[arg-type]
            await _reply(client, message, device, part, answer)
    with contextlib.suppress(aiomqtt.MqttError, OSError):
        client.settle(message)


def _trace_of(message: aiomqtt.Message) -> tracing.Trace | None:
    """The trace that the device's agent began: the user property `traceparent` of MQTT 5."""
    said = dict(getattr(message.properties, "UserProperty", None) or ())
    return tracing.read(said.get("traceparent"))


async def _until_kept(work: Callable[[], Awaitable[Any]]) -> Any:
    """What the work answers once it is neither a fault nor a 5xx: PostgreSQL may be away for a while."""
    while True:
        try:
            answer = await work()
        except Exception:
            log.warning("a message could not be taken in; it is tried again", exc_info=True)
        else:
            if not isinstance(answer, Answer) or answer.status < 500:
                return answer
        await asyncio.sleep(AGAIN_S)


def reply_of(answer: Answer, part: str) -> bytes:
    """The HTTP answer's JSON and the topic that it answers."""
    return orjson.dumps({**orjson.loads(answer.body), "topic": part})


async def _reply(client: Client, message: aiomqtt.Message, device: uuid.UUID, part: str, answer: Answer) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if (asked := getattr(message.properties, "CorrelationData", None)) is not None:
        properties.CorrelationData = asked
    properties.ContentType = "application/json" if answer.status == 200 else "application/problem+json"
    with contextlib.suppress(aiomqtt.MqttError, ValueError):  # the device sends again what was not answered
        await client.publish(topics.topic(device, topics.ACK), reply_of(answer, part), qos=1, properties=properties)


def online(body: bytes) -> bool | None:
    """What a status says: `online` or `offline`, bare or as {"state": …}; None for anything else."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = body.decode(errors="replace").strip()
    word = said.get("state") if isinstance(said, dict) else said
    return {"online": True, "offline": False}.get(word) if isinstance(word, str) else None


def _keep_link(device: uuid.UUID, now: bool) -> None:
    close_old_connections()
    services.tell_link(device=device, online=now)


async def _report(state: State) -> None:
    while True:
        await asyncio.to_thread(link.tell, connected=state.connected, why=state.why, since=state.since)
        await asyncio.sleep(link.EVERY_S if state.connected else 1.0)


async def _keep_accounts(clerk: ThreadPoolExecutor) -> None:
    """The broker's files stay what the database says, also when a write was missed."""
    while True:
        with contextlib.suppress(Exception):
            await asyncio.get_running_loop().run_in_executor(clerk, _accounts)
        await asyncio.sleep(ACCOUNTS_EVERY_S)


def _accounts() -> None:
    close_old_connections()
    accounts.refresh()


@contextlib.asynccontextmanager
async def _beside(*work: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
