"""Who may say and hear what on the broker: a device its own topics, nobody anybody else's.

A real Mosquitto with the files that the city writes. `tests/devices/test_mqtt.py` drills the same connection over time:
a device that is let out while it is connected, one that comes new.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from pytest_django.fixtures import Settings as SettingsWrapper

from commons.devices import services
from commons.devices.models import Device
from commons.devices.mqtt import accounts, topics
from tests.devices.brokers import Broker, joined
from tests.figures_said import figure

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = 135
"""MQTT 5: not authorised."""
TAKEN = {0, 16}
"""Success; success, and nobody listens."""
PARTS = (*topics.SAID, *topics.HEARD)
WILDCARDS = ("#", "city/#", "city/v1/+/+", "+/v1/+/ack", "$SYS/#", "$share/all/city/v1/+/commands")


def enrolled(name: str) -> tuple[Device, str]:
    made = services.create_device(name=name, kind="printer")
    return services.enrol(code=str(services.create_enrolment_code(device=made)))


@pytest.fixture
def three(transactional_db: None) -> Iterator[list[tuple[Device, str]]]:
    """A device, another, and one that was let out again."""
    made = [enrolled(name) for name in ("mine", "theirs", "gone")]
    services.revoke_device(device=made[2][0])
    yield made
    services.delete_devices(devices=[device for device, _token in made])


@pytest.fixture
def broker(three: Any, tmp_path: Path, settings: SettingsWrapper) -> Iterator[Broker]:
    made = Broker(tmp_path)
    settings.MQTT_URL, settings.MQTT_ACCOUNTS = made.url, tmp_path
    made.start()
    yield made
    made.stop()


def test_everybody_on_every_topic(broker: Broker, three: list[tuple[Device, str]]) -> None:
    (mine, token), (theirs, other), (gone, old) = three
    rows: list[tuple[str, bool, bool]] = []

    async def comes_in(name: "Device | str", password: str) -> bool:
        try:
            async with joined(broker, name, password):
                return True
        except aiomqtt.MqttError:
            return False

    async def publishes() -> None:
        """Each device on each topic of its own, of the other, of the one that is gone, and outside of the city."""
        async with joined(broker, mine, token) as a, joined(broker, theirs, other) as b:
            for session, own in ((a, mine), (b, theirs)):
                for of in (mine, theirs, gone):
                    for part in PARTS:
                        heard = await session.publish(topics.topic(of.pk, part), b"1")
                        may = of == own and part in topics.SAID
                        rows.append((f"{own} publishes {of}/{part}", may, heard in TAKEN))
                for elsewhere in ("elsewhere", "city/v2/x", f"city/v1/{own.pk}", f"city/v1/{own.pk}/telemetry/more"):
                    heard = await session.publish(elsewhere, b"1")
                    rows.append((f"{own} publishes {elsewhere}", False, heard in TAKEN))

    async def hears() -> None:
        """The city writes on every topic; a device that asked for all of them hears its own and no other."""
        asked = tuple(topics.topic(of.pk, part) for of in (mine, theirs, gone) for part in PARTS) + WILDCARDS
        async with joined(broker, mine, token, hears=asked) as a, joined(broker, *accounts.city_account()) as city:
            for of in (theirs, gone, mine):
                for part in PARTS:
                    await city.publish(topics.topic(of.pk, part), b"1")
            await city.publish(topics.topic(mine.pk, "commands"), b'"last"')
            told: set[str] = set()
            while (message := await a.next(within_s=60)) is not None:
                told.add(message[0])
                if message[1] == "last":
                    break
            for of in (mine, theirs, gone):
                for part in PARTS:
                    name = topics.topic(of.pk, part)
                    rows.append((f"{mine} hears {of}/{part}", of == mine and part in topics.HEARD, name in told))

    async def drill() -> None:
        for name, password, may in (
            (mine, token, True), (theirs, other, True), (gone, old, False), (mine, other, False), (mine, "", False),
            (gone, token, False), ("nobody", token, False), (accounts.CITY, token, False), ("", "", False),
        ):  # fmt: skip
            rows.append((f"{name} comes in", may, await comes_in(name, password)))
        await publishes()
        await hears()

    asyncio.run(drill())
    wrong = [f"{what}: {heard}, should be {may}" for what, may, heard in rows if may != heard]
    figure("authz_mqtt", len(rows), "rows")
    assert {may for _what, may, _heard in rows} == {True, False} and len(rows) > 60
    assert not wrong, "\n".join(wrong)
