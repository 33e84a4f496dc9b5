"""The line over MQTT 5: the same bodies and the same acknowledgement, which is the city's message on `…/ack`, never the
broker's own. While the broker is away HTTP carries everything."""

import asyncio
import itertools
import json
import logging
import random
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from livingcity_agent import tracing
from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.city import Ack, NotNow, TooMuch, WillNot, ack_of
from livingcity_agent.journal import Enrolled, Kind
from livingcity_agent.sending import Line

log = logging.getLogger("livingcity_agent")

ANSWER_S = 30.0
TOPICS: dict[Kind, str] = {"r": "telemetry", "j": "jobs"}


class MqttLine:
    """Publishes while it is connected; else hands on to HTTP."""

    def __init__(self, device: Enrolled, other: Line) -> None:
        self._device, self._other = device, other
        self._client: aiomqtt.Client | None = None
        self._waiting: dict[bytes, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(random.randrange(2**32))  # noqa: S311 no secret

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        pause = 1.0
        while True:
            try:
                async with self._connection() as client:
                    await client.subscribe(str(self._device.mqtt["ack"]), qos=1)
                    self._client, pause = client, 1.0
                    log.info("%s: on the city's broker.", self._device.name)
                    await client.publish(str(self._device.mqtt["status"]), b'{"state":"online"}', qos=1)
                    async for message in client.messages:
                        self._heard(message)
            except (aiomqtt.MqttError, OSError, ValueError, KeyError) as error:
                if self._client is not None or pause == 1.0:
                    log.info("%s: the city's broker is away (%s); HTTP is used.", self._device.name, error)
            finally:
                self._gone()
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 no secret
            pause = min(pause * 2, 300.0)

    async def send(self, kind: Kind, body: bytes) -> Ack:
        """Publish and wait for the city's acknowledgement; by HTTP while the broker is away."""
        client = self._client
        if client is None:
            return await self._other.send(kind, body)
        number = next(self._numbers).to_bytes(8, "big")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = number
        properties.UserProperty = ("traceparent", tracing.traceparent())
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                await client.publish(str(self._device.mqtt[TOPICS[kind]]), body, qos=1, properties=properties)
                document = await answer
        except (aiomqtt.MqttError, TimeoutError, ConnectionError) as error:
            log.info("%s: no acknowledgement over MQTT (%s); HTTP is tried.", self._device.name, error or "too late")
            return await self._other.send(kind, body)
        finally:
            self._waiting.pop(number, None)
        if isinstance(document, dict) and "acked" in document:
            return ack_of(document)
        raise _refusal(document)

    def _connection(self) -> aiomqtt.Client:
        parts = urlsplit(str(self._device.mqtt["url"]))
        secure = parts.scheme in {"mqtts", "ssl", "tls"}
        return aiomqtt.Client(
            parts.hostname or "localhost",
            parts.port or (8883 if secure else 1883),
            username=str(self._device.mqtt["username"]),
            password=self._device.token,
            identifier=f"livingcity-{self._device.id}",
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(str(self._device.mqtt["status"]), b'{"state":"offline"}', qos=1),
            tls_context=ssl.create_default_context() if secure else None,
            timeout=10,
        )

    def _heard(self, message: aiomqtt.Message) -> None:
        number = getattr(message.properties, "CorrelationData", None)
        waiting = self._waiting.get(number) if isinstance(number, bytes) else None
        if waiting is None or waiting.done():
            return
        try:
            waiting.set_result(json.loads(message.payload))
        except (ValueError, TypeError):
            waiting.set_result(None)

    def _gone(self) -> None:
        self._client = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the broker went away"))


def _refusal(document: Any) -> AdapterError:
    found = document if isinstance(document, dict) else {}
    sentence = f"The city says: {str(found.get('detail') or found.get('title') or 'nothing that can be read')[:300]}"
    status = found.get("status")
    if status == 413:
        return TooMuch(sentence)
    if isinstance(status, int) and 400 <= status < 500 and status not in {408, 425, 429}:
        return WillNot(sentence)
    return NotNow(sentence)
