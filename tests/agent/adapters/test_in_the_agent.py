"""Adapters inside the agent: what they tell is taken by its own sink and stands in the journal."""

import asyncio
import json
import sqlite3
from pathlib import Path

from livingcity_agent.config import Config, read
from livingcity_agent.journal import Journal
from livingcity_agent.sinks import Buffer, SourceSink
from tests.agent.adapters.controller import controller
from tests.agent.adapters.mill import Agent, Mill
from tests.agent.adapters.plugs import Plug, Shelly2
from tests.agent.adapters.stage import Mosquitto, serving


def _kept(config: Config, folder: Path, enough: int, *, within_s: float = 20.0) -> list[tuple[str, dict[str, object]]]:
    """Let all sources of the first device run until so many different channels and events are in the journal."""
    journal = Journal(folder / "journal.db", most_bytes=10_000_000)
    buffer = Buffer(journal)
    device = config.devices[0]
    key = journal.device_key(device.name)
    adapters = [source.adapter for source in device.sources]

    async def go() -> None:
        tasks = []
        for source in device.sources:
            beside = [other for other in adapters if other is not source.adapter]
            tasks.append(
                asyncio.create_task(source.adapter.run(SourceSink(buffer, key, source.label, source.adapter, beside)))
            )
        try:
            async with asyncio.timeout(within_s):
                while len({channel for channel, _body in _rows(folder)}) < enough:
                    for task in tasks:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.05)
                    buffer.flush()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(go())
    journal.close()
    return _rows(folder)


def _rows(folder: Path) -> list[tuple[str, dict[str, object]]]:
    with sqlite3.connect(folder / "journal.db") as connection:
        found = connection.execute("SELECT channel, body FROM item ORDER BY id").fetchall()
    return [(channel, json.loads(body)) for channel, body in found]


def test_a_plug_beside_home_assistant(tmp_path: Path, broker: Mosquitto) -> None:
    with serving(Shelly2, Plug(power_w=61.5, energy_wh=120.0)) as address:
        text = f"""
[[device]]
name = "Laser"
[[device.source]]
type = "shelly"
url = "{address}"
every_s = 1
[device.source.jobs]
above_w = 30
for_s = 0
[[device.source]]
type = "homeassistant"
{broker.toml()}
"""
        rows = _kept(read(text, tmp_path / "a.toml"), tmp_path, 8)
    assert {channel for channel, _body in rows} == {
        "power_w",
        "energy_wh_total",
        "voltage_v",
        "x_current_a",
        "x_plug_temperature_c",
        "x_plug_on",
        "state",
        "started",
    }
    assert ("energy_wh_total", {"channel": "energy_wh_total", "value": 120.0}) in rows


def test_a_mill(tmp_path: Path) -> None:
    mill = Mill()
    for item, value in [("pgm", "bracket.nc"), ("watts", 900), ("joules", 3_600_000), ("parts", 0), ("exec", "ACTIVE")]:
        mill.tell(item, value)
    with serving(Agent, mill) as address:
        text = f'[[device]]\nname = "Mill"\n[[device.source]]\ntype = "mtconnect"\nurl = "{address}"\n'
        rows = _kept(read(text, tmp_path / "a.toml"), tmp_path, 5)
    (started,) = [body for channel, body in rows if channel == "started"]
    assert started["file"] == {"name": "bracket.nc"}
    assert ("state", {"channel": "state", "value": "making"}) in rows


def test_a_router(tmp_path: Path) -> None:
    with controller(state="Alarm") as here:
        text = f'[[device]]\nname = "Router"\n[[device.source]]\ntype = "grbl"\nport = "{here.path}"\n'
        rows = _kept(read(text, tmp_path / "a.toml"), tmp_path, 1)
    assert rows[0] == ("state", {"channel": "state", "value": "error"})
