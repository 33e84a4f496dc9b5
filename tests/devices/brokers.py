"""Debian's Mosquitto with the files that the city writes, and devices that speak MQTT 5 to it."""

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import orjson
from django.core.management import call_command
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from commons.devices.models import Device

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A broker on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Write its files if they are not there, start it, wait until it listens."""
        if not (self.folder / "mosquitto.conf").exists():
            call_command("mqtt_accounts", str(self.folder), listen=f"{self.port} 127.0.0.1", verbosity=0)
            with (self.folder / "mosquitto.conf").open("a") as conf:
                conf.write(f"user {getpass.getuser()}\n")
        program = shutil.which("mosquitto", path=PATH)
        assert program, ".ci/run installs mosquitto"
        with (self.folder / "log").open("ab") as log:
            argv = [program, "-c", str(self.folder / "mosquitto.conf")]
            self.child = subprocess.Popen(argv, stdout=log, stderr=log)
        until = time.monotonic() + 20
        while not self.listens():
            assert self.child.poll() is None and time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.05)

    def listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        """kill -9."""
        if self.child:
            self.child.kill()
            self.child.wait()

    def stop(self) -> None:
        if self.child:
            self.child.terminate()
            self.child.wait(10)


class Session:
    """A device, or somebody who says to be one, on the broker."""

    def __init__(self, client: aiomqtt.Client, name: str) -> None:
        self.client, self.name = client, name

    async def publish(self, topic: str, body: bytes, *, correlation: bytes = b"") -> int:
        """Publish with QoS 1; the reason code of the broker's PUBACK."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation:
            properties.CorrelationData = correlation
        paho, found = self.client._client, asyncio.get_running_loop().create_future()
        usual = paho.on_publish

        def heard(client: Any, data: Any, mid: int, code: Any, props: Any) -> None:
            if usual:
                usual(client, data, mid, code, props)
            if not found.done():
                found.set_result(code.value)

        paho.on_publish = heard
        await self.client.publish(topic, body, qos=1, properties=properties)
        paho.on_publish = usual
        return int(await found)

    async def next(self, within_s: float = 10.0) -> tuple[str, Any, aiomqtt.Message] | None:
        """The next message that arrives: topic, body, all of it; None when there is none in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                async for message in self.client.messages:
                    payload = message.payload if isinstance(message.payload, bytes) else b"null"
                    return str(message.topic), orjson.loads(payload), message
        return None


@contextlib.asynccontextmanager
async def joined(
    broker: Broker,
    name: "Device | str",
    password: str,
    *,
    hears: tuple[str, ...] = (),
    will: aiomqtt.Will | None = None,
) -> AsyncIterator[Session]:
    """A session that ends with the block."""
    user = name if isinstance(name, str) else str(name.pk)
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username=user, password=password, protocol=aiomqtt.ProtocolVersion.V5, will=will
    ) as client:
        for topic in hears:
            await client.subscribe(topic, qos=1)
        yield Session(client, user)
