"""The line over MQTT 5 against Debian's mosquitto: the city's answer is the acknowledgement, and HTTP steps in."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from livingcity_agent.city import Ack, WillNot
from livingcity_agent.journal import Enrolled, Kind
from livingcity_agent.mqtt import MqttLine
from tests.agent.adapters.stage import Mosquitto, mosquitto

TOPIC = "city/v1/dev"
BODY = b'{"readings":[{"seq":1}]}'


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Debian's mosquitto with an account."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as started:
        yield started


class Http:
    """What would have gone over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def send(self, kind: Kind, body: bytes) -> Ack:
        self.bodies.append(body)
        return Ack(9, 9, 0)


def line(broker: Mosquitto, http: Http, port: int | None = None) -> MqttLine:
    parts = {part: f"{TOPIC}/{part}" for part in ("telemetry", "jobs", "status", "ack")}
    mqtt = {"url": f"mqtt://127.0.0.1:{port or broker.port}", "username": "lab", **parts}
    return MqttLine(Enrolled(1, "A", "dev", "http://x", "labpass", mqtt), http)


@asynccontextmanager
async def city(broker: Mosquitto, answer: dict[str, object]) -> AsyncIterator[list[str]]:
    """Answers every message with its correlation data, after one that belongs to nobody."""
    heard: list[str] = []

    async def work(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heard.append(str(message.topic).rpartition("/")[2])
            if heard[-1] in {"telemetry", "jobs"}:
                (said,) = message.properties.UserProperty
                assert said[0] == "traceparent" and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", said[1])
            asked = getattr(message.properties, "CorrelationData", None)
            if asked is None:
                continue
            for number in (b"of another", asked):
                properties = Properties(PacketTypes.PUBLISH)
                properties.CorrelationData = number
                await client.publish(f"{TOPIC}/ack", json.dumps(answer), qos=1, properties=properties)

    protocol = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username="lab", password="labpass", protocol=protocol
    ) as client:
        await client.subscribe(f"{TOPIC}/#", qos=1)
        task = asyncio.create_task(work(client))
        yield heard
        task.cancel()


async def through(one: MqttLine) -> Ack:
    task = asyncio.create_task(one.run())
    for _attempt in range(100):
        if one._client is not None:
            break
        await asyncio.sleep(0.05)
    try:
        return await one.send("r", BODY)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_citys_answer_is_the_acknowledgement(broker: Mosquitto) -> None:
    async def work() -> None:
        http = Http()
        async with city(broker, {"acked": 1, "stored": 1, "duplicates": 0, "topic": "telemetry"}) as heard:
            assert await through(line(broker, http)) == Ack(1, 1, 0)
            assert "status" in heard and "telemetry" in heard and not http.bodies

    asyncio.run(work())


def test_a_refusal_is_one_and_a_broker_that_is_away_leaves_http(broker: Mosquitto) -> None:
    async def work() -> None:
        http = Http()
        async with city(broker, {"status": 409, "detail": "This device is tied to no machine."}):
            with pytest.raises(WillNot, match="tied to no machine"):
                await through(line(broker, http))
        assert await line(broker, http, port=9).send("r", BODY) == Ack(9, 9, 0) and http.bodies == [BODY]

    asyncio.run(work())
