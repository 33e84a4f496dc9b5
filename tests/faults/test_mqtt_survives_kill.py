"""The ingest process and the broker are killed while devices report over MQTT: nothing acknowledged is lost, nothing is
stored twice. Devices do what an agent does: keep what is not answered, and send it again.
"""

import asyncio
import contextlib
import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from commons.devices import services
from commons.devices.models import Device
from commons.devices.mqtt import topics
from tests.conftest import ROOT
from tests.devices.brokers import Broker
from tests.devices.streams import day_start, reading

WH = 3.0
AGAIN_S = 1.5


class Agent:
    """A device that never gives up: counter readings 2 s apart, 3 Wh each."""

    def __init__(self, broker: Broker, device: Device, token: str, total: int, batch: int) -> None:
        self.broker, self.device, self.token = broker, device, token
        self.total, self.batch, self.acked = total, batch, 0
        self.stored = self.duplicates = 0

    def body(self, first: int) -> bytes:
        start = day_start(2)
        last = min(first + self.batch, self.total + 1)
        items = [reading(n, start + dt.timedelta(seconds=2 * n), WH * n, "energy_wh_total") for n in range(first, last)]
        return orjson.dumps({"readings": items})

    async def run(self) -> None:
        while self.acked < self.total:
            with contextlib.suppress(aiomqtt.MqttError, OSError):
                await self._session()
            await asyncio.sleep(0.1)

    async def _session(self) -> None:
        async with aiomqtt.Client(
            "127.0.0.1",
            self.broker.port,
            username=str(self.device.pk),
            password=self.token,
            identifier=str(self.device.pk),
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=5,
        ) as line:
            await line.subscribe(topics.topic(self.device.pk, "ack"), qos=1)
            while self.acked < self.total:
                for n in range(4):  # a few on their way at once
                    first = self.acked + 1 + n * self.batch
                    if first <= self.total:
                        await line.publish(topics.topic(self.device.pk, "telemetry"), self.body(first), qos=1)
                await self._hear(line)

    async def _hear(self, line: aiomqtt.Client) -> None:
        goal = min(self.acked + 4 * self.batch, self.total)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S):
                async for message in line.messages:
                    answer = orjson.loads(message.payload)  # type: ignore[arg-type]
                    assert "acked" in answer, answer
                    assert answer["acked"] >= 0
                    self.stored += answer["stored"]
                    self.duplicates += answer["duplicates"]
                    self.acked = max(self.acked, answer["acked"])
                    if self.acked >= goal:
                        return


def ask(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def start_ingest(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        argv = [sys.executable, str(ROOT / "manage.py"), "ingest"]
        return subprocess.Popen(argv, env=environment, stdout=out, stderr=out)


@pytest.mark.parametrize(
    ("devices", "each", "batch", "kills"),
    [(2, 3_000, 100, 1), pytest.param(8, 30_000, 500, 3, marks=pytest.mark.drill)],
)
def test_nothing_acknowledged_is_lost(  # noqa: PLR0915 one story
    transactional_db: None,
    city_environment: dict[str, str],
    tmp_path: Path,
    settings: Settings,
    devices: int,
    each: int,
    batch: int,
    kills: int,
) -> None:
    broker = Broker(tmp_path)
    settings.MQTT_URL, settings.MQTT_ACCOUNTS = broker.url, tmp_path
    made = [services.create_device(name=f"drill {n}", kind="meter") for n in range(devices)]
    let_in = [services.enrol(code=str(services.create_enrolment_code(device=one))) for one in made]
    environment = {
        **city_environment,
        "MQTT_URL": broker.url,
        "MQTT_ACCOUNTS": str(tmp_path),
        "SECRET_KEY": os.environ["SECRET_KEY"],
    }
    broker.start()
    log = tmp_path / "ingest.log"
    ingest = start_ingest(environment, log)
    agents = [Agent(broker, device, token, each, batch) for device, token in let_in]

    def count() -> int:
        try:
            return int(ask("SELECT count(*) FROM devices_reading")[0][0])
        finally:
            connection.close()

    async def disturb() -> None:
        nonlocal ingest
        for n in range(kills):
            goal = devices * each * (n + 1) // (kills + 2)
            while await asyncio.to_thread(count) < goal:
                await asyncio.sleep(0.02)
            assert any(agent.acked < each for agent in agents), "the kill must come while they report"
            ingest.kill()
            ingest.wait()
            await asyncio.sleep(0.5)
            ingest = start_ingest(environment, log)
            goal += devices * each // (kills + 2) // 2
            while await asyncio.to_thread(count) < goal:
                await asyncio.sleep(0.02)
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(broker.start)

    async def drill() -> None:
        async with asyncio.timeout(180 if kills == 1 else 500):
            await asyncio.gather(disturb(), *(agent.run() for agent in agents))

    began = time.monotonic()
    try:
        asyncio.run(drill())
    except TimeoutError:
        pytest.fail(f"{[agent.acked for agent in agents]} acknowledged; {log.read_text()[-3000:]}")
    finally:
        ingest.kill()
        ingest.wait()
        broker.stop()
    took_s = time.monotonic() - began
    total = devices * each
    assert ask("SELECT count(*), count(DISTINCT (device, seq)) FROM devices_reading") == [(total, total)]
    for step_s in (900, 3600):
        sums = f"SELECT round(sum(energy_wh)) FROM devices_rollup WHERE step_s = {step_s} GROUP BY device_id"  # noqa: S608
        assert ask(sums) == [(WH * (each - 1),)] * devices
    assert {tuple(row) for row in ask("SELECT seen::text FROM devices_device")} == {(f"{{[1,{each + 1})}}",)}
    again = sum(agent.duplicates for agent in agents)
    print(f"{total} readings in {took_s:.0f} s, {again} came again, {kills} kills of each")  # noqa: T201
