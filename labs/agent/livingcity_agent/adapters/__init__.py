"""The adapters by the `type` that the configuration names; each is imported when it is used."""

from importlib import import_module

from livingcity_agent.adapters.base import Adapter

KINDS: dict[str, str] = {
    "octoprint": "octoprint:OctoPrint",
    "moonraker": "moonraker:Moonraker",
    "prusalink": "prusalink:PrusaLink",
    "shelly": "shelly:Shelly",
    "tasmota": "tasmota:Tasmota",
    "grbl": "grbl:Grbl",
    "mtconnect": "mtconnect:MTConnect",
    "opcua": "opcua:OpcUa",
    "mqtt": "mqtt_generic:MqttGeneric",
    "http": "http_generic:HttpGeneric",
    "homeassistant": "homeassistant:HomeAssistant",
}
"""type -> "module:class", the module in this package."""


def adapter_class(kind: str) -> type[Adapter]:
    """The class of a `type`. Raises KeyError; ImportError where an optional package is not installed."""
    module, _colon, name = KINDS[kind].partition(":")
    found: type[Adapter] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
