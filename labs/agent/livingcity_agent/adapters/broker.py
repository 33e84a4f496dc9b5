"""A broker in the lab's network, to which plugs and machines speak over MQTT 3.1.1 (package `aiomqtt`)."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import aiomqtt

from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.http import why
from livingcity_agent.tables import Table

CONNECT_S = 6.0
_REFUSED = {4, 5, 134, 135}


class NoBroker(AdapterError):
    """The broker cannot be reached, refuses the name or password, or the connection broke."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is. `mqtts://` checks its certificate, with `ca_file` where the lab has its own authority."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    @classmethod
    def configure(cls, table: Table, default: str | None = None) -> Self:
        """From the keys `broker`, `user`, `password`, `ca_file` of an adapter's table."""
        return cls(
            url=table.url("broker", default, schemes=("mqtt", "mqtts")),
            user=table.string("user", ""),
            password=table.secret("password", ""),
            ca_file=table.string("ca_file", ""),
        )

    @asynccontextmanager
    async def connected(self, will: aiomqtt.Will | None = None) -> AsyncIterator[aiomqtt.Client]:
        """A connection. Raises NoBroker when it cannot be made, and when it breaks."""
        client = self._client(will)
        made = False
        try:
            async with client:
                made = True
                yield client
        except aiomqtt.MqttError as error:
            raise NoBroker(self._sentence(error, made)) from None
        except OSError as error:
            raise NoBroker(f"The broker {self.url} cannot be reached: {why(error)}.") from None

    def _client(self, will: aiomqtt.Will | None) -> aiomqtt.Client:
        url = urlsplit(self.url)
        tls = url.scheme == "mqtts"
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None) if tls else None
        except (OSError, ssl.SSLError) as error:
            raise NoBroker(f"“ca_file” {self.ca_file} cannot be read: {why(error)}.") from None
        return aiomqtt.Client(
            url.hostname or "",
            url.port or (8883 if tls else 1883),
            username=self.user or None,
            password=self.password if self.user else None,
            identifier=f"livingcity-agent-{secrets.token_hex(5)}",
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=CONNECT_S,
            keepalive=30,
            tls_context=context,
            will=will,
        )

    def _sentence(self, error: aiomqtt.MqttError, made: bool) -> str:
        code = getattr(error, "rc", None)
        code = getattr(code, "value", code)
        if not made and code in _REFUSED:
            who = f"the name “{self.user}” or its password" if self.user else "to let anybody in without a password"
            return f"The broker {self.url} refuses {who}."
        if made:
            return f"The connection to the broker {self.url} broke: {why(error)}."
        return (
            f"The broker {self.url} cannot be reached: {why(error)}. Is the address right, and does a broker run there?"
        )


async def subscribe(client: aiomqtt.Client, topics: Sequence[str]) -> None:
    """Listen to topics. Raises NoBroker where the broker's rules forbid one."""
    codes = await client.subscribe([(topic, 0) for topic in topics], timeout=CONNECT_S)
    _still_wanted()
    for topic, code in zip(topics, codes if isinstance(codes, Sequence) else (), strict=False):
        if (code if isinstance(code, int) else getattr(code, "value", 0)) >= 128:
            raise NoBroker(f"The broker does not let this account read the topic {topic}.")


async def publish(client: aiomqtt.Client, topic: str, body: bytes | str, *, qos: int = 0, retain: bool = False) -> None:
    """Say something; with `qos` 1 until the broker has it."""
    await client.publish(topic, body, qos=qos, retain=retain)
    _still_wanted()


def _still_wanted() -> None:
    """`asyncio.wait_for` of Python 3.11, which the client waits with, forgets a cancellation that comes in the same
    moment as the answer; the task would then never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def either(*jobs: Coroutine[Any, Any, None]) -> None:
    """Do all at once until one ends; the others are cancelled and its error is raised, as itself."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1.0)
        await asyncio.gather(*tasks, return_exceptions=True)


async def first(client: aiomqtt.Client, wanted: Any, *, within_s: float) -> aiomqtt.Message | None:
    """The first message for which `wanted(message)` is true, or None when none comes in time."""
    try:
        async with asyncio.timeout(within_s):
            async for message in client.messages:
                if wanted(message):
                    return message
    except TimeoutError:
        pass
    return None


def payload(message: aiomqtt.Message) -> bytes:
    """A message's bytes."""
    body = message.payload
    return body if isinstance(body, bytes) else str(body).encode() if body is not None else b""
