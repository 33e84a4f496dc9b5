"""What Shelly plugs and meters say.

First generation: `/status` has `meters[]` (relays; `total` counts WATT-MINUTES, 32 bits) and `emeters[]` (meters with
clamps; `total` counts Wh). Over MQTT `shellies/<id>/relay/<n>/power` is in W, `…/energy` in watt-minutes,
`shellies/<id>/emeter/<n>/total` in Wh.
Second generation and later: components `switch:<n>`, `cover:<n>`, `light:<n>`, `pm1:<n>` (`apower` W,
`aenergy.total` Wh), `em1:<n>` with `em1data:<n>` (`act_power`, `total_act_energy`), and three phases as one in `em:<n>`
with `emdata:<n>` (`total_act_power`, `total_act`). Over MQTT as `<prefix>/status/<component>`, or, as it leaves the
factory, inside `<prefix>/events/rpc` alone, where a message holds only what has changed.
Sources: Shelly API documentation, Gen1 and Gen2 components; recorded statuses of real devices (aioshelly).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from livingcity_agent.parsers.measured import Measured, number, table

WH_PER_WATT_MINUTE = 1 / 60
GEN1_WRAPS_WH = 2**32 / 60
"""Where the counter of a first-generation relay starts over: about 71.6 MWh."""

_COMPONENT = re.compile(r"(switch|cover|light|pm1|em1data|em1|emdata|em):(\d+)")
_GEN1_TOPIC = re.compile(r"(relay|roller|light|emeter)/(\d+)(?:/(\w+))?")


def gen1_status(status: Any) -> dict[int, Measured]:
    """The parts of `/status` by their number; meters with clamps where it has any, else its relays' meters."""
    said = table(status)
    relays = _items(said, "relays")
    temperature = number(table(said.get("tmp")).get("tC"))
    parts: dict[int, Measured] = {}
    if emeters := _items(said, "emeters"):
        for n, meter in enumerate(emeters):
            parts[n] = _gen1_emeter(meter)
    else:
        for n, meter in enumerate(_items(said, "meters")):
            parts[n] = _gen1_meter(meter, relays[n] if n < len(relays) else {})
    for n, relay in enumerate(relays):
        switch = relay.get("ison")
        on = switch if isinstance(switch, bool) else None
        parts[n] = Measured(on=on, temperature_c=temperature).over(parts.get(n, Measured()))
    return parts


def _gen1_meter(meter: Mapping[str, Any], _relay: Mapping[str, Any]) -> Measured:
    if meter.get("is_valid") is False:
        return Measured()
    return Measured(
        power_w=number(meter.get("power")),
        energy_wh=number(meter.get("total"), WH_PER_WATT_MINUTE),
        voltage_v=number(meter.get("voltage")),
        current_a=number(meter.get("current")),
    )


def _gen1_emeter(meter: Mapping[str, Any]) -> Measured:
    if meter.get("is_valid") is False:
        return Measured()
    return Measured(
        power_w=number(meter.get("power")),
        energy_wh=number(meter.get("total")),
        voltage_v=number(meter.get("voltage")),
        current_a=number(meter.get("current")),
    )


def gen1_topic(rest: str, payload: bytes) -> tuple[int, Measured] | None:
    """One message under `shellies/<id>/`: the part's number and what it says; None for messages about other things."""
    found = _GEN1_TOPIC.fullmatch(rest)
    text = payload[:100].decode("utf-8", "replace").strip()
    if found is None:
        if rest == "temperature":
            degrees = number(text)
            return None if degrees is None else (0, Measured(temperature_c=degrees))
        return None
    kind, part, what = found[1], int(found[2]), found[3] or ""
    said = _gen1_value(kind, what, text)
    return None if said.empty else (part, said)


def _gen1_value(kind: str, what: str, text: str) -> Measured:
    if what == "":
        return Measured(on={"on": True, "off": False, "overpower": False}.get(text))
    match what:
        case "power":
            said = Measured(power_w=number(text))
        case "voltage":
            said = Measured(voltage_v=number(text))
        case "current":
            said = Measured(current_a=number(text))
        case "total" if kind == "emeter":
            said = Measured(energy_wh=number(text))
        case "energy" if kind != "emeter":
            said = Measured(energy_wh=number(text, WH_PER_WATT_MINUTE))
        case _:
            said = Measured()
    return said


def gen2_status(status: Any) -> dict[int, Measured]:
    """The parts in the answer of `Shelly.GetStatus`, or in the `params` of a notification, by their number."""
    parts: dict[int, Measured] = {}
    for name, component in table(status).items():
        if (read := gen2_component(name, component)) is not None:
            part, said = read
            parts[part] = said.over(parts.get(part, Measured()))
    return parts


def gen2_component(name: str, component: Any) -> tuple[int, Measured] | None:
    """One component such as `switch:0`: its number and what it says; None where it measures nothing."""
    found = _COMPONENT.fullmatch(name)
    if found is None or not isinstance(component, Mapping):
        return None
    said = _gen2_values(found[1], component)
    return None if said.empty else (int(found[2]), said)


def _gen2_values(kind: str, component: Mapping[str, Any]) -> Measured:
    match kind:
        case "em":
            return Measured(
                power_w=number(component.get("total_act_power")),
                voltage_v=number(component.get("a_voltage")),
                current_a=number(component.get("total_current")),
            )
        case "emdata":
            return Measured(energy_wh=number(component.get("total_act")))
        case "em1":
            return Measured(
                power_w=number(component.get("act_power")),
                voltage_v=number(component.get("voltage")),
                current_a=number(component.get("current")),
            )
        case "em1data":
            return Measured(energy_wh=number(component.get("total_act_energy")))
        case _:
            output = component.get("output")
            return Measured(
                power_w=number(component.get("apower")),
                energy_wh=number(table(component.get("aenergy")).get("total")),
                voltage_v=number(component.get("voltage")),
                temperature_c=number(table(component.get("temperature")).get("tC")),
                current_a=number(component.get("current")),
                on=output if isinstance(output, bool) else None,
            )


def gen2_notification(message: Any) -> dict[int, Measured]:
    """The parts in a message of `<prefix>/events/rpc`; only what has changed, so put them over what is known."""
    said = table(message)
    if said.get("method") not in ("NotifyStatus", "NotifyFullStatus"):  # a list has no hash
        return {}
    return gen2_status(said.get("params"))


def gen2_timer(switch: Any) -> float | None:
    """Seconds of the timer that runs on a `switch`, or None when none does."""
    said = table(switch)
    return number(said.get("timer_duration")) if "timer_started_at" in said else None


def metered(parts: Mapping[int, Measured]) -> Iterator[int]:
    """The numbers of the parts that measure power."""
    return (n for n, said in sorted(parts.items()) if said.power_w is not None or said.energy_wh is not None)


def _items(said: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = said.get(key)
    return [table(item) for item in value] if isinstance(value, list) else []
