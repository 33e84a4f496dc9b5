"""Home Assistant over a real broker: what it is told, when it starts anew, and when the agent goes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiomqtt
import pytest

from livingcity_agent.adapters import homeassistant as module
from livingcity_agent.adapters.base import STATES, JobEvent, JobFile, Reading
from livingcity_agent.adapters.homeassistant import HomeAssistant
from livingcity_agent.parsers.homeassistant import CHANNELS, ENTITIES, JobEnergy, Node, node_id, value_of
from tests.agent.adapters.stage import Kept, Mosquitto, free_port, made, sentences, tried


@pytest.mark.parametrize(
    ("channel", "value", "wanted"),
    [
        ("power_w", 61.5, ("power", "61.5")),
        ("energy_wh_total", 12_345.678, ("energy", "12.345678")),
        ("energy_wh_total", 0.0, ("energy", "0")),
        ("progress", 0.425, ("progress", "42.5")),
        ("state", "making", ("state", "making")),
        ("temperature_c", -4.25, ("temperature", "-4.25")),
        ("x_flow", 3.0, None),
    ],
)
def test_values_in_its_units(channel: str, value: float | str, wanted: object) -> None:
    assert value_of(channel, value) == wanted


def test_entities_are_such_as_home_assistant_accepts() -> None:
    """Its rules: energy is kWh (or Wh, MWh) with total or total_increasing; enum has options and neither unit nor state
    class; measurement needs a unit for a power.
    """
    for entity in ENTITIES.values():
        match entity.get("device_class"):
            case "energy":
                assert (entity["unit_of_measurement"], entity["state_class"][:5]) == ("kWh", "total")
            case "power":
                assert (entity["unit_of_measurement"], entity["state_class"]) == ("W", "measurement")
            case "enum":
                assert entity["options"] == list(STATES)
                assert not {"unit_of_measurement", "state_class"} & entity.keys()
    assert ENTITIES["energy"]["state_class"] == "total_increasing"
    assert {entity for entity, _factor in CHANNELS.values()} <= ENTITIES.keys()


def test_ids_are_topics_and_its_own() -> None:
    one, two = node_id("Ässä-laser №1", "a"), node_id("Ässä-laser №1", "b")
    assert one != two
    assert one.startswith("livingcity_assa_laser_no1_")
    assert node_id("レーザー", "a").startswith("livingcity_device_")
    config = Node("Laser", one).config("energy")
    assert config["unique_id"] == f"{one}_energy"
    assert config["device"]["identifiers"] == [one]


def test_energy_of_a_job_is_the_sum_of_steps_forward() -> None:
    """300 Wh before a reset and 50 Wh after it, whatever the counter shows in the end."""
    used = JobEnergy()
    used.counter(1000)
    used.begin("a")
    for wh in (1100, 1300, 10, 60):
        used.counter(wh)
    assert used.end() == pytest.approx(350.0)
    used.counter(99)
    assert used.end() is None


def test_energy_of_a_job_by_power_where_there_is_no_counter() -> None:
    """1,200 W for two minutes are 40 Wh; what lies in a gap of ten minutes is not known."""
    used = JobEnergy()
    used.begin("a")
    for second in (0, 60, 120, 720):
        used.power(1200, second)
    assert used.end() == pytest.approx(40.0)


async def _listening(broker: Mosquitto, heard: dict[str, list[Any]]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        await client.subscribe([("homeassistant/#", 0), ("livingcity/#", 0)])
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.setdefault(str(message.topic), []).append(message.payload.decode())


async def _beside(
    broker: Mosquitto,
    adapter: HomeAssistant,
    sink: Kept,
    heard: dict[str, list[Any]],
    do: Callable[[], Awaitable[None]],
) -> None:
    tasks = [asyncio.create_task(_listening(broker, heard))]
    await asyncio.sleep(0.3)
    tasks.append(asyncio.create_task(adapter.run(sink)))
    try:
        async with asyncio.timeout(15):
            await _when(lambda: "online" in heard.get(adapter.node.availability, []))
            await do()
    finally:
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
        async with asyncio.timeout(5):
            await _when(lambda: heard[adapter.node.availability][-1] == "offline")
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def configured(heard: dict[str, list[Any]]) -> set[str]:
    """The entities that Home Assistant was told of."""
    return {topic.split("/")[3] for topic in heard if topic.endswith("/config")}


async def _when(happens: Callable[[], object]) -> None:
    while not happens():
        await asyncio.sleep(0.01)


def test_a_device_appears_with_what_it_says(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BIRTH_DELAY_S", 0.05)
    adapter = made(HomeAssistant, broker.toml() + "every_s = 0.1")
    node, heard, sink = adapter.node, dict[str, list[Any]](), Kept()

    async def do() -> None:
        adapter.hear(adapter, Reading("power_w", 61.5))
        adapter.hear(adapter, Reading("energy_wh_total", 12_000.0))
        adapter.hear(adapter, Reading("x_flow", 3.0))
        await _when(lambda: node.state_topic("energy") in heard)
        assert heard[node.state_topic("energy")] == ["12"]
        config = json.loads(heard[node.config_topic("energy")][0])
        assert config["state_topic"] == node.state_topic("energy")
        assert config["availability_topic"] == node.availability
        await _when(lambda: configured(heard) >= {"power", "energy"})
        assert configured(heard) == {"power", "energy"}
        adapter.hear(adapter, JobEvent("started", "j1", JobFile("bracket.gcode")))
        adapter.hear(adapter, Reading("energy_wh_total", 12_350.0))
        adapter.hear(adapter, Reading("energy_wh_total", 12_400.0))
        adapter.hear(adapter, JobEvent("finished", "j1"))
        await _when(lambda: node.state_topic("last_job_energy") in heard)
        assert heard[node.state_topic("last_job_energy")] == ["0.400000"]
        assert heard[node.state_topic("job")] == ["bracket.gcode"]
        before = len(heard[node.config_topic("energy")])
        async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as house:
            await house.publish("homeassistant/status", "online")
        await _when(lambda: len(heard[node.config_topic("energy")]) > before)
        await _when(lambda: heard[node.state_topic("energy")][-1] == "12.4")

    asyncio.run(_beside(broker, adapter, sink, heard, do))
    assert sink.memory == {}


def test_many_values_are_sent_as_one(broker: Mosquitto) -> None:
    adapter = made(HomeAssistant, broker.toml() + 'every_s = 0.5\nbase = "many"')
    node, heard = adapter.node, dict[str, list[Any]]()

    async def do() -> None:
        for watts in range(1000):
            adapter.hear(adapter, Reading("power_w", float(watts)))
        await _when(lambda: node.config_topic("power") in heard)
        await asyncio.sleep(0.2)

    async def go() -> None:
        listening = asyncio.create_task(_listening_many(broker, heard, node))
        await asyncio.sleep(0.3)
        task = asyncio.create_task(adapter.run(Kept()))
        await asyncio.sleep(0.3)
        await do()
        for running in (task, listening):
            running.cancel()
        await asyncio.gather(task, listening, return_exceptions=True)

    asyncio.run(go())
    assert heard[node.state_topic("power")] == ["999"]


async def _listening_many(broker: Mosquitto, heard: dict[str, list[Any]], node: Node) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        await client.subscribe([(node.config_topic("power"), 0), (node.state_topic("power"), 0)])
        async for message in client.messages:
            if not message.retain:
                assert isinstance(message.payload, bytes)
                heard.setdefault(str(message.topic), []).append(message.payload.decode())


def test_a_job_outlasts_a_restart_of_the_agent(broker: Mosquitto) -> None:
    sink = Kept(memory={"running": {"job": "j9", "wh": 100.0, "measured": True}})
    adapter = made(HomeAssistant, broker.toml() + "every_s = 0.1")
    node, heard = adapter.node, dict[str, list[Any]]()

    async def do() -> None:
        adapter.hear(adapter, Reading("energy_wh_total", 500.0))
        adapter.hear(adapter, Reading("energy_wh_total", 550.0))
        adapter.hear(adapter, JobEvent("finished", "j9"))
        await _when(lambda: "0.150000" in heard.get(node.state_topic("last_job_energy"), []))

    asyncio.run(_beside(broker, adapter, sink, heard, do))


def test_check(broker: Mosquitto) -> None:
    assert sentences(made(HomeAssistant, broker.toml()))[0]
    assert "refuses the name" in sentences(made(HomeAssistant, broker.toml("wrong")))[1]
    assert "cannot be reached" in sentences(made(HomeAssistant, f'broker = "mqtt://127.0.0.1:{free_port()}"'))[1]
    assert "may not hold" in tried(HomeAssistant, broker.toml() + 'prefix = "ha/#"')[1][0]
