"""The same payloads as other people's programs read them (`oracles.py` says which and how)."""

import json
from pathlib import Path
from typing import Any

import pytest

from livingcity_agent.parsers import tasmota
from livingcity_agent.parsers.homeassistant import Node
from livingcity_agent.parsers.units import convert

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))


def _sum(case: dict[str, Any], quantity: str, channel: str) -> float | None:
    """What the oracle reads of a quantity over all channels, in the city's unit by the oracle's."""
    found = [sensor for sensor in case["sensors"] if sensor["path"][:2] == ["ENERGY", quantity]]
    return sum(convert(channel, sensor["value"], sensor["unit"]) for sensor in found) if found else None


@pytest.mark.parametrize("case", ORACLES["tasmota"], ids=["one channel", "three", "two with one counter"])
def test_tasmota_as_hatasmota_reads_it(case: dict[str, Any]) -> None:
    said = tasmota.measured(tasmota.energy(case["payload"]))
    assert said.power_w == pytest.approx(_sum(case, "Power", "power_w"))
    assert said.energy_wh == pytest.approx(_sum(case, "Total", "energy_wh_total"))
    assert said.voltage_v == next(s["value"] for s in case["sensors"] if s["path"][1] == "Voltage")


@pytest.mark.parametrize("case", ORACLES["homeassistant"], ids=["power", "energy"])
def test_home_assistant_is_told_as_ha_mqtt_discoverable_tells_it(case: dict[str, Any]) -> None:
    theirs = case["config"]
    ours = Node("Plug 1", "id").config(theirs["name"].lower())
    for key in ("name", "device_class", "state_class", "unit_of_measurement"):
        assert ours[key] == theirs[key]
    missing = (
        {key for key, value in theirs.items() if value is not None}
        - ours.keys()
        - {"component", "json_attributes_topic"}
    )
    assert not missing
    assert theirs["device"].keys() <= ours["device"].keys()
    assert case["topic"].split("/")[:2] == Node("Plug 1", "id").config_topic("power").split("/")[:2]
    assert case["topic"].endswith("/config")
