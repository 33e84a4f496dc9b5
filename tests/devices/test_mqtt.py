"""MQTT 5 with Debian's Mosquitto and the files that the city writes: who may say what, and what is acknowledged."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from django.db import connection
from django.test import Client as HttpClient
from pytest_django.fixtures import Settings as SettingsWrapper

from commons.devices import queries, services
from commons.devices.intake import Answer, Intake
from commons.devices.models import Device
from commons.devices.mqtt import accounts, client, link, passwords, topics
from tests.devices.brokers import Broker, Session, joined
from tests.devices.streams import day_start, reading

REFUSED = 135
"""MQTT 5: not authorised."""


def enrolled(name: str) -> tuple[Device, str]:
    made = services.create_device(name=name, kind="printer")
    return services.enrol(code=str(services.create_enrolment_code(device=made)))


@pytest.fixture
def pair(transactional_db: None) -> Iterator[tuple[tuple[Device, str], tuple[Device, str]]]:
    made = enrolled("A"), enrolled("B")
    yield made
    services.delete_devices(devices=[device for device, _token in made])


@pytest.fixture
def broker(pair: Any, tmp_path: Path, settings: SettingsWrapper) -> Iterator[Broker]:
    made = Broker(tmp_path)
    settings.MQTT_URL, settings.MQTT_ACCOUNTS = made.url, tmp_path
    made.start()
    yield made
    made.stop()


@asynccontextmanager
async def city() -> AsyncIterator[None]:
    """The city's own client, on the broker."""
    intake = Intake()
    task = asyncio.create_task(client.run(intake))
    try:
        async with asyncio.timeout(15):
            while not await aside(lambda: link.check().ok):
                await asyncio.sleep(0.05)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        intake.close()


def body(first: int, n: int = 3) -> bytes:
    items = [reading(first + i, day_start() + dt.timedelta(seconds=10 * (first + i)), 7.0) for i in range(n)]
    return orjson.dumps({"readings": items})


async def telemetry(session: Session, sent: bytes) -> Any:
    assert await session.publish(topics.topic(session.name, "telemetry"), sent) == 0
    found = await session.next()
    assert found is not None
    return found[1]


async def aside(work: Callable[[], Any]) -> Any:
    """The work in a thread that keeps no connection."""

    def done() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(done)


def within(seconds: float, work: Callable[[], Awaitable[bool]]) -> Awaitable[bool]:
    async def wait() -> bool:
        until = time.monotonic() + seconds
        while not await work():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.1)
        return True

    return wait()


# --- accounts ----------------------------------------------------------------------------------------------------


def test_a_hash_is_what_mosquitto_itself_would_write() -> None:
    # `mosquitto_passwd -b` 2.0.11, password "lab token", salt as in its line
    line = passwords.hashed("lab token", salt=b"0123456789ab")
    kind, rounds, salt, digest = line.split("$")[1:]
    assert (kind, rounds, salt, len(digest)) == ("7", "101", "MDEyMzQ1Njc4OWFi", 88)
    assert passwords.fits("lab token", line)
    assert not passwords.fits("lab tokem", line)
    assert not passwords.fits("lab token", "")


@pytest.mark.parametrize(
    ("topic", "part"),
    [("telemetry", "telemetry"), ("jobs", "jobs"), ("ack", None), ("telemetry/x", None), ("", None)],
)
def test_only_our_topics_are_read(topic: str, part: str | None) -> None:
    device = "6f1d4a1e-0000-4000-8000-000000000001"
    found = topics.parse(f"city/v1/{device}/{topic}")
    assert (found[1] if found else None) == part
    assert topics.parse(f"x/city/v1/{device}/telemetry") is None
    assert topics.parse(f"city/v1/{device.upper()}/telemetry") is None
    assert topics.parse("city/v1/+/telemetry") is None


def test_files_follow_who_is_let_in(pair: Any, tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.MQTT_URL, settings.MQTT_ACCOUNTS = "mqtt://broker", tmp_path
    (one, token), (other, _) = pair
    assert accounts.write(tmp_path).devices == 2
    assert not accounts.write(tmp_path).changed
    line = next(row for row in (tmp_path / "passwords").read_text().splitlines() if row.startswith(str(one.pk)))
    assert passwords.fits(token, line.partition(":")[2])
    fresh = services.rotate_token(device=one)
    lines = dict(row.split(":") for row in (tmp_path / "passwords").read_text().splitlines())
    assert passwords.fits(fresh, lines[str(one.pk)])
    services.revoke_device(device=one)
    lines = dict(row.split(":") for row in (tmp_path / "passwords").read_text().splitlines())
    assert set(lines) == {"city", str(other.pk)}


def test_without_a_broker_nothing_is_written(pair: Any, tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.MQTT_URL, settings.MQTT_ACCOUNTS = "", tmp_path / "none"
    services.rotate_token(device=pair[0][0])
    assert not (tmp_path / "none").exists()
    assert link.check().ok
    asyncio.run(client.run(Intake()))


def test_devices_are_never_told_the_citys_password(pair: Any, settings: SettingsWrapper, client: HttpClient) -> None:
    settings.MQTT_URL = "mqtt://boss:secret@broker:1884"
    assert accounts.city_account() == ("boss", "secret")
    code = str(services.create_enrolment_code(device=pair[0][0]))
    answer = client.post("/api/v1/devices/enrol/", {"code": code}, content_type="application/json").json()
    assert answer["mqtt"]["url"] == "mqtt://broker:1884"
    assert answer["mqtt"]["commands"] == f"city/v1/{pair[0][0].pk}/commands"
    settings.MQTT_PUBLIC_URL = "mqtts://city.example"
    code = str(services.create_enrolment_code(device=pair[0][0]))
    answer = client.post("/api/v1/devices/enrol/", {"code": code}, content_type="application/json").json()
    assert answer["mqtt"]["url"] == "mqtts://city.example"


# --- the broker --------------------------------------------------------------------------------------------------


def test_a_device_has_its_own_topics_and_no_others(broker: Broker, pair: Any) -> None:
    (one, token), (other, other_token) = pair

    async def drill() -> None:
        mine, theirs = (topics.topic(d.pk, "ack") for d in (one, other))
        async with (
            joined(broker, one, token, hears=(mine, theirs, "#", "city/v1/+/+", "$SYS/#")) as a,
            joined(broker, other, other_token, hears=(theirs,)) as b,
            joined(broker, *accounts.city_account()) as boss,
        ):
            for part in ("telemetry", "jobs", "status", "answers"):
                assert await a.publish(topics.topic(one.pk, part), b"1") in {0, 16}
                assert await a.publish(topics.topic(other.pk, part), b"1") == REFUSED
            for part in ("ack", "commands"):
                assert await a.publish(topics.topic(one.pk, part), b"1") == REFUSED
                assert await a.publish(topics.topic(other.pk, part), b"1") == REFUSED
            assert await a.publish("elsewhere", b"1") == REFUSED
            assert await b.publish(topics.topic(other.pk, "telemetry"), b"1") in {0, 16}
            assert await boss.publish(theirs, b'"for B"') == 0
            heard = await b.next()
            assert heard is not None
            assert heard[1] == "for B"
            assert await boss.publish(mine, b'"for A"') == 0
            heard = await a.next()
            assert heard is not None
            assert heard[:2] == (mine, "for A"), "all that A asked for with wildcards, B's answer among it, stays away"

    asyncio.run(drill())


@pytest.mark.parametrize("password", ["", "lcd_wrong", "x" * 300])
def test_a_wrong_password_is_refused(broker: Broker, pair: Any, password: str) -> None:
    async def drill() -> None:
        for name in (str(pair[0][0].pk), "city", "nobody"):
            with pytest.raises(aiomqtt.MqttError):
                async with joined(broker, name, password):
                    pass

    asyncio.run(drill())


def test_a_revoked_device_is_out_within_five_seconds_and_a_new_one_is_in(broker: Broker, pair: Any) -> None:
    (one, token), (other, other_token) = pair

    async def drill() -> None:
        async with joined(broker, other, other_token) as b:
            with pytest.raises(aiomqtt.MqttError):
                async with joined(broker, one, token) as a:
                    await aside(lambda: services.revoke_device(device=one))
                    async with asyncio.timeout(5):
                        await a.next(within_s=30)
                    raise AssertionError("the device is still on the broker")
            with pytest.raises(aiomqtt.MqttError):
                async with joined(broker, one, token):
                    pass
            new, new_token = await aside(lambda: enrolled("C"))
            assert await within(5, lambda: can_join(broker, new, new_token))
            assert await b.publish(topics.topic(other.pk, "telemetry"), b"1") in {0, 16}, "who stays is not disturbed"

    asyncio.run(drill())


async def can_join(broker: Broker, device: Device, token: str) -> bool:
    try:
        async with joined(broker, device, token):
            return True
    except aiomqtt.MqttError:
        return False


# --- what is acknowledged ----------------------------------------------------------------------------------------


def test_the_answer_is_that_of_http(broker: Broker, pair: Any, client: HttpClient) -> None:
    (one, token), (other, other_token) = pair
    bodies = [
        body(1, 4),
        body(3, 4),
        orjson.dumps({"readings": [reading(9, day_start(), 1.0, "nonsense"), {"seq": 10}]}),
        orjson.dumps({"readings": [reading(11, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 1.0)]}),
        b"not json",
    ]
    over_http = [
        client.post(
            "/api/v1/telemetry/", one_body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {other_token}"
        ).json()
        for one_body in bodies
    ]

    async def drill() -> list[Any]:
        async with city(), joined(broker, one, token, hears=(topics.topic(one.pk, "ack"),)) as a:
            found = [await telemetry(a, sent) for sent in bodies]
            await a.publish(topics.topic(one.pk, "jobs"), b'{"seq": 40}', correlation=b"job 40")
            heard = await a.next()
            assert heard is not None
            assert (heard[1]["topic"], heard[1]["code"]) == ("jobs", "job:no-machine")
            assert heard[2].properties.CorrelationData == b"job 40"  # type: ignore[union-attr]
            return found

    over_mqtt = asyncio.run(drill())
    assert over_mqtt == [{**answer, "topic": "telemetry"} for answer in over_http]
    assert queries.acked(one) == queries.acked(other) == 6


def test_what_a_device_says_of_itself_is_kept_also_its_last_will(broker: Broker, pair: Any) -> None:
    one, token = pair[0]

    async def state_is(wanted: str) -> bool:
        return await aside(lambda: Device.objects.get(pk=one.pk).link == wanted)

    async def drill() -> None:
        topic = topics.topic(one.pk, "status")
        async with city():
            async with joined(broker, one, token, will=aiomqtt.Will(topic, b"offline", qos=1, retain=True)) as a:
                await a.publish(topic, b"nonsense")
                await a.publish(topic, b'{"state": "online", "version": "1"}')
                assert await within(10, lambda: state_is("online"))
                paho: Any = a.client._client
                paho._sock_close()  # the line is cut without a word
                a.client._disconnected.set_result(None)
            assert await within(10, lambda: state_is("offline"))

    asyncio.run(drill())
    assert Device.objects.get(pk=one.pk).link_at is not None


def test_nothing_is_settled_with_the_broker_before_it_is_committed(broker: Broker, pair: Any) -> None:
    one, token = pair[0]

    class Stuck:
        """An intake that never gets to a commit."""

        async def submit(self, **_named: Any) -> Answer:
            await asyncio.sleep(3600)
            raise AssertionError

    async def drill() -> None:
        task = asyncio.create_task(client.run(Stuck()))
        await within(10, lambda: aside(lambda: link.check().ok))
        async with joined(broker, one, token, hears=(topics.topic(one.pk, "ack"),)) as a:
            await a.publish(topics.topic(one.pk, "telemetry"), body(1))
            assert await a.next(within_s=1) is None, "nothing committed, nothing acknowledged"
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            async with city():
                heard = await a.next()
                assert heard is not None
                assert (heard[1]["acked"], heard[1]["stored"]) == (3, 3), "the next process gets it from the broker"

    asyncio.run(drill())


def test_the_city_comes_back_to_a_broker_that_comes_back(broker: Broker, pair: Any) -> None:
    one, token = pair[0]

    async def drill() -> None:
        async with city():
            broker.kill()
            assert await within(10, lambda: aside(lambda: not link.check().ok))
            broker.start()
            assert await within(15, lambda: aside(lambda: link.check().ok))
            async with joined(broker, one, token, hears=(topics.topic(one.pk, "ack"),)) as a:
                assert (await telemetry(a, body(1)))["acked"] == 3

    asyncio.run(drill())
