"""The Tasmota adapter against look-alikes on a real socket and a real broker."""

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from livingcity_agent.adapters import tasmota as module
from livingcity_agent.adapters.base import Refused
from livingcity_agent.adapters.tasmota import Tasmota
from tests.agent.adapters.plugs import Plug, Shelly2, sensor, tasmota
from tests.agent.adapters.plugs import Tasmota as TasmotaPlug
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


@pytest.mark.parametrize("password", ["", "se cret&#"])
def test_over_http(password: str) -> None:
    sink = Kept()
    with serving(TasmotaPlug, Plug(power_w=61, energy_wh=12_345.6, voltage_v=229, password=password)) as address:
        plug = made(Tasmota, _toml(address, f'password = "{password}"' if password else ""))
        until(plug, sink, lambda kept: len(kept.values("voltage_v")) > 0)
    assert sink.values("power_w") == [61.0]
    assert sink.values("energy_wh_total") == [pytest.approx(12_345.6)]
    assert sink.readings[0].at is None, "the time of arrival stands"


def test_check_what_a_beginner_gets_wrong() -> None:
    closed = made(Tasmota, _toml(f"http://127.0.0.1:{free_port()}"))
    assert "cannot be reached" in sentences(closed)[1]
    with serving(TasmotaPlug, Plug(power_w=5, energy_wh=1000, password="secret")) as address:
        assert "refuses the password" in sentences(made(Tasmota, _toml(address)))[1]
        assert "refuses the password" in sentences(made(Tasmota, _toml(address, 'password = "wrong"')))[1]
        good = sentences(made(Tasmota, _toml(address, 'password = "secret"')))
        assert good[0]
        assert "5.0 W, 1.000 kWh" in good[1]
        assert (
            "no channel 2; it has 1" in sentences(made(Tasmota, _toml(address, 'password = "secret"\nchannel = 2')))[1]
        )
    with serving(Shelly2, Plug()) as address:
        assert "is no Tasmota device" in sentences(made(Tasmota, _toml(address)))[1]
    with serving(TasmotaPlug, Plug(components={"ENERGY": {}})) as address:
        assert "measures no energy" in sentences(made(Tasmota, _toml(address)))[1]
    split = {"Power": [100, 20], "Total": 1.5, "Voltage": 230, "Current": [0.4, 0.1]}
    with serving(TasmotaPlug, Plug(components={"ENERGY": split})) as address:
        well, said = sentences(made(Tasmota, _toml(address, "channel = 2")))
        assert not well
        assert "SetOption129 1" in said


def test_faults_of_the_table() -> None:
    faults = tried(Tasmota, 'url = "http://p"\ntimezone = "Helsinki"\nchannel = 0')[1]
    assert any("Europe/Helsinki" in fault for fault in faults)
    assert any("“channel” must be a whole number from 1" in fault for fault in faults)
    assert "full_topic" in tried(Tasmota, 'broker = "mqtt://b"\ntopic = "t"\nfull_topic = "tele/t"')[1][0]


@pytest.mark.parametrize("for_s", [5, 180])
def test_on_comes_with_the_plugs_own_timer(for_s: int) -> None:
    plug = Plug()
    with serving(TasmotaPlug, plug) as address:
        adapter = made(Tasmota, _toml(address, "switch = true"))
        asyncio.run(adapter.carry_out(command("relay", body={"on": True, "for_s": for_s})))
        assert plug.on
        assert plug.opens_at is not None
        assert plug.asked.index(f"PulseTime1 {max(for_s, 12) + 100}") < plug.asked.index("Power1 ON")
        asyncio.run(adapter.carry_out(command("relay", body={"on": False})))
    assert not plug.on


def test_a_plug_whose_timer_does_not_start_is_opened_at_once() -> None:
    plug = Plug(no_timer=True)
    with serving(TasmotaPlug, plug) as address:
        adapter = made(Tasmota, _toml(address, "switch = true"))
        with pytest.raises(Refused, match="timer did not start"):
            asyncio.run(adapter.carry_out(command("relay", body={"on": True, "for_s": 60})))
    assert not plug.on


async def _plug_on(broker: Mosquitto, plug: Plug, name: str, local: str) -> None:
    """Its own words on `tele/…`, and answers on `stat/…`."""
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        await client.publish(f"tele/{name}/LWT", "Online", retain=True)
        await client.publish(f"tele/{name}/SENSOR", json.dumps(sensor(Plug(power_w=999), local)), retain=True)
        await client.subscribe(f"cmnd/{name}/#")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            asked = str(message.topic).rpartition("/")[2]
            answer = tasmota(plug, asked, message.payload.decode())
            if asked == "STATUS":
                answer["StatusSNS"]["Time"] = local
                await client.publish(f"stat/{name}/STATUS8", json.dumps(answer))
                await client.publish(f"tele/{name}/STATE", json.dumps({"Time": local, "POWER": "ON"}))
            else:
                await client.publish(f"stat/{name}/RESULT", json.dumps(answer))


async def _beside(broker: Mosquitto, plug: Plug, name: str, go: Any, local: str = "2026-06-18T16:50:00") -> Any:
    beside = asyncio.create_task(_plug_on(broker, plug, name, local))
    await asyncio.sleep(0.3)
    try:
        return await go()
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


def test_over_mqtt(broker: Mosquitto) -> None:
    sink, plug = Kept(), Plug(power_w=61, energy_wh=12_345.6)
    adapter = made(Tasmota, broker.toml() + 'topic = "tas-1"\nevery_s = 1\ntimezone = "Europe/Helsinki"')

    async def go() -> None:
        await run_until(adapter, sink, lambda: len(sink.values("x_plug_on")) > 0)

    asyncio.run(_beside(broker, plug, "tas-1", go))
    assert sink.values("x_plug_online") == [1.0]
    assert sink.values("power_w") == [61.0], "a retained value is of unknown age"
    assert sink.values("energy_wh_total") == [pytest.approx(12_345.6)]
    (reading,) = [r for r in sink.readings if r.channel == "power_w"]
    assert reading.at is not None, "the device's clock is off by months, so the time of arrival stands"
    assert reading.at.year != 2026 or reading.at.month != 6


def test_check_and_switch_over_mqtt(broker: Mosquitto) -> None:
    plug = Plug(power_w=61, energy_wh=12_345.6)
    adapter = made(Tasmota, broker.toml() + 'topic = "tas-2"\nswitch = true')

    async def go() -> Any:
        found = await adapter.check()
        await adapter.carry_out(command("relay", body={"on": True, "for_s": 60}))
        return found

    found = asyncio.run(_beside(broker, plug, "tas-2", go))
    assert [f.ok for f in found] == [True]
    assert "61.0 W, 12.346 kWh" in found[0].sentence
    assert plug.on
    assert plug.opens_at is not None


def test_check_over_mqtt_wrong(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.5)
    topic = 'topic = "nobody"'
    assert "refuses the name" in sentences(made(Tasmota, broker.toml("wrong") + topic))[1]
    closed = made(Tasmota, f'broker = "mqtt://127.0.0.1:{free_port()}"\n{topic}')
    assert "cannot be reached" in sentences(closed)[1]
    assert "does not answer on stat/nobody/STATUS8" in sentences(made(Tasmota, broker.toml() + topic))[1]
