"""The Shelly adapter against look-alikes on real sockets and a real broker."""

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from livingcity_agent.adapters import shelly
from livingcity_agent.adapters.base import Refused
from livingcity_agent.adapters.shelly import Shelly
from tests.agent.adapters.plugs import Plug, Shelly1, Shelly2, Tasmota, rpc
from tests.agent.adapters.stage import (
    Kept,
    Mosquitto,
    command,
    free_port,
    made,
    run_until,
    sentences,
    serving,
    tried,
    until,
)


def _toml(address: str, more: str = "") -> str:
    return f'url = "{address}"\nevery_s = 1\n{more}'


@pytest.mark.parametrize("handler", [Shelly1, Shelly2])
@pytest.mark.parametrize("password", ["", "secret"])
def test_both_generations_tell_the_same_of_the_same_plug(handler: Any, password: str) -> None:
    """120 Wh: the one counts 7,200 watt-minutes, the other 120 Wh."""
    plug = Plug(power_w=61.5, energy_wh=120.0, password=password, closed=True)
    sink = Kept()
    with serving(handler, plug) as address:
        shelly = made(Shelly, _toml(address, f'password = "{password}"' if password else ""))
        until(shelly, sink, lambda kept: len(kept.values("x_plug_on")) > 0)
    assert sink.values("power_w") == [61.5]
    assert sink.values("energy_wh_total") == [pytest.approx(120.0)]
    assert sink.values("x_plug_on") == [1.0]


def test_a_counter_that_is_reset_is_told_as_it_is() -> None:
    plug, sink = Plug(power_w=60, energy_wh=120.0), Kept()
    with serving(Shelly2, plug) as address:
        shelly = made(Shelly, _toml(address))

        async def go() -> None:
            async def reset() -> None:
                while not sink.readings:
                    await asyncio.sleep(0.01)
                plug.energy_wh = 0.5
                await asyncio.sleep(30)

            await run_until(shelly, sink, lambda: len(sink.values("energy_wh_total")) > 1, meanwhile=reset())

        asyncio.run(go())
    assert sink.values("energy_wh_total")[:2] == [120.0, 0.5]


def test_jobs_of_a_machine_that_says_nothing_else() -> None:
    plug, sink = Plug(power_w=350, energy_wh=120.0), Kept()
    with serving(Shelly2, plug) as address:
        shelly = made(Shelly, _toml(address, "[jobs]\nabove_w = 30\nfor_s = 0"))
        until(shelly, sink, lambda kept: bool(kept.jobs))
    assert (sink.values("state"), sink.events) == (["making"], ["started"])
    assert "several machines hang on it" in tried(Shelly, _toml(address, 'circuit = "B"\n[jobs]\nabove_w = 1'))[1][0]


def test_channels_are_summed_only_when_asked_for() -> None:
    parts = {f"switch:{n}": {"apower": 10.0 * n, "aenergy": {"total": 100.0 * n}} for n in range(4)}
    plug = Plug(components=parts)
    with serving(Shelly2, plug) as address:
        one, two = Kept(), Kept()
        until(made(Shelly, _toml(address, "channel = 2")), one, lambda kept: len(kept.readings) > 1)
        until(made(Shelly, _toml(address, "channels = [1, 3]")), two, lambda kept: len(kept.readings) > 1)
        well, said = sentences(made(Shelly, _toml(address, "channel = 2")))
    assert (one.values("power_w"), one.values("energy_wh_total")) == ([20.0], [200.0])
    assert (two.values("power_w"), two.values("energy_wh_total")) == ([40.0], [400.0])
    assert well
    assert "also measures channel 0, 1, 3" in said


# --- what a beginner gets wrong


def test_check_is_well() -> None:
    with serving(Shelly2, Plug(power_w=61.5, energy_wh=120)) as address:
        well, said = sentences(made(Shelly, _toml(address)))
    assert well
    assert "61.5 W, 0.120 kWh" in said


def test_check_closed_port() -> None:
    well, said = sentences(made(Shelly, _toml(f"http://127.0.0.1:{free_port()}")))
    assert not well
    assert "cannot be reached" in said


@pytest.mark.parametrize("handler", [Shelly1, Shelly2])
def test_check_passwords(handler: Any) -> None:
    with serving(handler, Plug(password="secret")) as address:
        none = sentences(made(Shelly, _toml(address)))
        bad = sentences(made(Shelly, _toml(address, 'password = "wrong"')))
    assert not none[0]
    assert "wants a password" in none[1]
    assert not bad[0]
    assert "refuses the password" in bad[1]


def test_check_another_device() -> None:
    with serving(Tasmota, Plug()) as address:
        well, said = sentences(made(Shelly, _toml(address)))
    assert not well
    assert "is no Shelly" in said


def test_check_channel_and_meter_that_are_not_there() -> None:
    with serving(Shelly2, Plug()) as address:
        well, said = sentences(made(Shelly, _toml(address, "channel = 3")))
    assert not well
    assert "no metered channel 3; it has 0" in said
    with serving(Shelly2, Plug(components={"switch:0": {"output": True}})) as address:
        well, said = sentences(made(Shelly, _toml(address)))
    assert not well
    assert "measures nothing" in said


def test_faults_of_the_table_are_sentences() -> None:
    _adapter, faults = tried(
        Shelly, 'url = "192.168.1.5"\nchannels = [0, 0]\neveryy_s = 3\ncircuit = "B"\nswitch = true'
    )
    said = "\n".join(faults)
    for part in (
        "must be an address such as",
        "must be a list of different",
        "“everyy_s” is not known",
        "must be false",
    ):
        assert part in said
    assert len(faults) == 4


# --- switching


@pytest.mark.parametrize("handler", [Shelly1, Shelly2])
def test_on_comes_with_the_plugs_own_timer(handler: Any) -> None:
    plug = Plug()
    with serving(handler, plug) as address:
        shelly = made(Shelly, _toml(address, "switch = true"))
        said = asyncio.run(shelly.carry_out(command("relay", body={"on": True, "for_s": 180})))
        assert plug.on
        assert plug.opens_at is not None
        assert "switches itself off at" in said
        asyncio.run(shelly.carry_out(command("relay", body={"on": True, "for_s": 180})))
        assert plug.on
        asyncio.run(shelly.carry_out(command("relay", body={"on": False})))
        assert not plug.on


@pytest.mark.parametrize("handler", [Shelly1, Shelly2])
def test_a_plug_whose_timer_does_not_start_is_opened_at_once(handler: Any) -> None:
    plug = Plug(no_timer=True)
    with serving(handler, plug) as address:
        shelly = made(Shelly, _toml(address, "switch = true"))
        with pytest.raises(Refused, match="timer did not start"):
            asyncio.run(shelly.carry_out(command("relay", body={"on": True, "for_s": 180})))
    assert not plug.on


@pytest.mark.parametrize(
    ("more", "body", "late_s", "why"),
    [
        ("switch = false", {"on": True, "for_s": 10}, 60, "switch = false"),
        ('circuit = "Bench"', {"on": False}, 60, "feeds the circuit “Bench”"),
        ("switch = true", {"on": True}, 60, "only given for a time"),
        ("switch = true", {"on": True, "for_s": 1e9}, 60, "only given for a time"),
        ("switch = true", {"for_s": 10}, 60, "does not say whether"),
        ("switch = true", {"on": True, "for_s": 10}, -1, "came too late"),
    ],
)
def test_what_is_refused_before_the_plug_is_asked(more: str, body: dict[str, Any], late_s: float, why: str) -> None:
    plug = Plug()
    with serving(Shelly2, plug) as address:
        shelly = made(Shelly, _toml(address, more))
        with pytest.raises(Refused, match=why):
            asyncio.run(shelly.carry_out(command("relay", body=body, late_s=late_s)))
    assert plug.asked == []


def test_off_is_never_too_late() -> None:
    plug = Plug(closed=True)
    with serving(Shelly2, plug) as address:
        shelly = made(Shelly, _toml(address, "switch = true"))
        asyncio.run(shelly.carry_out(command("relay", body={"on": False}, late_s=-60)))
    assert not plug.on


def test_a_plug_that_cannot_be_reached_is_refused_with_the_reason() -> None:
    shelly = made(Shelly, _toml(f"http://127.0.0.1:{free_port()}", "switch = true"))
    with pytest.raises(Refused, match=r"did not do it: .*cannot be reached"):
        asyncio.run(shelly.carry_out(command("relay", body={"on": True, "for_s": 10})))


# --- through a broker


async def _gen1_on(broker: Mosquitto, messages: list[tuple[str, str]], retained: list[tuple[str, str]]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        for topic, body in retained:
            await client.publish(f"shellies/shellyplug-1/{topic}", body, retain=True)
        await client.subscribe("shellies/shellyplug-1/command")
        async for message in client.messages:
            if message.payload == b"update":
                for topic, body in messages:
                    await client.publish(f"shellies/shellyplug-1/{topic}", body)


def test_first_generation_over_mqtt(broker: Mosquitto) -> None:
    shelly = made(Shelly, broker.toml() + 'topic = "shellies/shellyplug-1"\nevery_s = 1')
    sink = Kept()
    messages = [("relay/0", "on"), ("relay/0/power", "61.50"), ("relay/0/energy", "7200"), ("relay/0/energy_x", "1")]

    async def go() -> None:
        beside = asyncio.create_task(_gen1_on(broker, messages, [("relay/0/power", "999")]))
        await asyncio.sleep(0.3)  # it listens before the adapter asks
        try:
            await run_until(shelly, sink, lambda: len(sink.values("energy_wh_total")) > 0)
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    asyncio.run(go())
    assert set(sink.values("power_w")) == {61.5}, "a retained value is of unknown age"
    assert sink.values("energy_wh_total")[0] == pytest.approx(120.0)
    assert sink.values("x_plug_on")[0] == 1.0


async def _gen2_on(broker: Mosquitto, plug: Plug, prefix: str, *, status: bool = False) -> None:
    """A second-generation plug: answers RPC; tells of changes on `events/rpc`, and on `status/…` where that is on."""
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        await client.publish(f"{prefix}/online", "true", retain=True)
        await client.subscribe(f"{prefix}/rpc")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            asked = json.loads(message.payload)
            said = rpc(plug, asked["method"], asked["params"])
            await client.publish(f"{asked['src']}/rpc", json.dumps({"id": asked["id"], "src": prefix, **said}))
            plug.power_w += 1
            notice = {"method": "NotifyStatus", "params": {"ts": 1.0, "switch:0": {"id": 0, "apower": plug.power_w}}}
            await client.publish(f"{prefix}/events/rpc", json.dumps(notice))
            if status:
                await client.publish(f"{prefix}/status/switch:0", json.dumps(plug.component()))


async def _beside(broker: Mosquitto, plug: Plug, prefix: str, go: Any, *, status: bool = False) -> Any:
    beside = asyncio.create_task(_gen2_on(broker, plug, prefix, status=status))
    await asyncio.sleep(0.3)
    try:
        return await go()
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


def test_second_generation_over_mqtt(broker: Mosquitto) -> None:
    plug, sink = Plug(power_w=60, energy_wh=120.0, closed=True), Kept()
    shelly = made(Shelly, broker.toml() + 'topic = "plug-gen2"\nevery_s = 1')

    async def go() -> None:
        await run_until(shelly, sink, lambda: len(sink.values("power_w")) > 1)

    asyncio.run(_beside(broker, plug, "plug-gen2", go))
    assert sink.values("power_w")[:2] == [60.0, 61.0]
    assert sink.values("energy_wh_total") == [120.0], "a notification of power says nothing new of the counter"


def test_status_messages_count_too(broker: Mosquitto) -> None:
    plug, sink = Plug(power_w=60, energy_wh=120.0), Kept()
    shelly = made(Shelly, broker.toml() + 'topic = "plug-status"\nevery_s = 60')

    async def go() -> None:
        await run_until(shelly, sink, lambda: len(sink.values("energy_wh_total")) > 1)

    asyncio.run(_beside(broker, plug, "plug-status", go, status=True))


def test_switching_over_mqtt(broker: Mosquitto) -> None:
    plug = Plug()
    shelly = made(Shelly, broker.toml() + 'topic = "plug-switch"\nswitch = true')

    async def go() -> None:
        await shelly.carry_out(command("relay", body={"on": True, "for_s": 60}))

    asyncio.run(_beside(broker, plug, "plug-switch", go))
    assert plug.on
    assert plug.opens_at is not None


def test_first_generation_over_mqtt_is_not_switched(broker: Mosquitto) -> None:
    shelly = made(Shelly, broker.toml() + 'topic = "shellies/shellyplug-1"\nswitch = true')
    with pytest.raises(Refused, match="has no timer"):
        asyncio.run(shelly.carry_out(command("relay", body={"on": True, "for_s": 60})))


def test_check_over_mqtt(broker: Mosquitto) -> None:
    shelly = made(Shelly, broker.toml() + 'topic = "plug-check"')

    async def go() -> Any:
        return await shelly.check()

    found = asyncio.run(_beside(broker, Plug(power_w=60, energy_wh=120.0), "plug-check", go))
    assert [f.ok for f in found] == [True]
    assert "60.0 W, 0.120 kWh" in found[0].sentence


def test_check_over_mqtt_wrong(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelly, "ANSWER_S", 0.5)
    topic = 'topic = "nobody"'
    closed = made(Shelly, f'broker = "mqtt://127.0.0.1:{free_port()}"\n{topic}')
    assert "cannot be reached" in sentences(closed)[1]
    password = made(Shelly, broker.toml("wrong") + topic)
    assert "refuses the name “lab” or its password" in sentences(password)[1]
    nobody = made(Shelly, f'broker = "{broker.url}"\n{topic}')
    assert "refuses to let anybody in" in sentences(nobody)[1]
    well, said = sentences(made(Shelly, broker.toml() + topic))
    assert not well
    assert "nothing comes from nobody" in said
