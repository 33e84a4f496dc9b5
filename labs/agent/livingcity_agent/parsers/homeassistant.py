"""What Home Assistant is told over MQTT: its discovery messages, and values in its units.

Each entity has a retained message on `<prefix>/sensor/<node>/<entity>/config`. The counter is kWh with the state class
`total_increasing`, which takes a step back as a reset, just as the city does.
Source: Home Assistant's documentation of its MQTT integration (discovery, sensor, birth and will).
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livingcity_agent import __version__
from livingcity_agent.adapters.base import STATES

KEPT_S = 900
"""After so many seconds without a value Home Assistant shows a measured one as unknown."""

ENTITIES: Mapping[str, Mapping[str, Any]] = {
    "power": {
        "name": "Power",
        "device_class": "power",
        "state_class": "measurement",
        "unit_of_measurement": "W",
        "suggested_display_precision": 1,
        "expire_after": KEPT_S,
    },
    "energy": {
        "name": "Energy",
        "device_class": "energy",
        "state_class": "total_increasing",
        "unit_of_measurement": "kWh",
        "suggested_display_precision": 3,
    },
    "voltage": {
        "name": "Voltage",
        "device_class": "voltage",
        "state_class": "measurement",
        "unit_of_measurement": "V",
        "expire_after": KEPT_S,
    },
    "temperature": {
        "name": "Temperature",
        "device_class": "temperature",
        "state_class": "measurement",
        "unit_of_measurement": "°C",
        "expire_after": KEPT_S,
    },
    "state": {"name": "State", "device_class": "enum", "options": list(STATES)},
    "progress": {"name": "Progress", "unit_of_measurement": "%", "state_class": "measurement"},
    "job": {"name": "Job"},
    "last_job_energy": {
        "name": "Energy of the last job",
        "device_class": "energy",
        "state_class": "total",
        "unit_of_measurement": "kWh",
        "suggested_display_precision": 3,
    },
}

CHANNELS = {
    "power_w": ("power", 1.0),
    "energy_wh_total": ("energy", 1e-3),
    "voltage_v": ("voltage", 1.0),
    "temperature_c": ("temperature", 1.0),
    "state": ("state", 1.0),
    "progress": ("progress", 100.0),
}
"""channel -> its entity, and the factor into its unit."""


@dataclass(frozen=True, slots=True)
class Node:
    """One device in Home Assistant. `id` is of small letters, digits and _, and is its own wherever the agent runs."""

    name: str
    id: str
    prefix: str = "homeassistant"
    base: str = "livingcity"

    @property
    def availability(self) -> str:
        """Where `online` and `offline` stand."""
        return f"{self.base}/{self.id}/availability"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    def config_topic(self, entity: str) -> str:
        """Where an entity is announced."""
        return f"{self.prefix}/sensor/{self.id}/{entity}/config"

    def state_topic(self, entity: str) -> str:
        """Where its value stands."""
        return f"{self.base}/{self.id}/{entity}"

    def config(self, entity: str) -> dict[str, Any]:
        """What announces an entity."""
        return {
            **ENTITIES[entity],
            "unique_id": f"{self.id}_{entity}",
            "state_topic": self.state_topic(entity),
            "availability_topic": self.availability,
            "device": {
                "identifiers": [self.id],
                "name": self.name,
                "manufacturer": "Living City",
                "model": "livingcity-agent",
                "sw_version": __version__,
            },
            "origin": {"name": "livingcity-agent", "sw_version": __version__},
        }


def node_id(name: str, place: str) -> str:
    """An id from a name, made its own by what the device is called in full."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "device"
    return f"livingcity_{slug}_{hashlib.sha256(place.encode()).hexdigest()[:6]}"


def value_of(channel: str, value: float | str) -> tuple[str, str] | None:
    """The entity and the text of a reading; None for channels that Home Assistant is not told."""
    found = CHANNELS.get(channel)
    if found is None:
        return None
    entity, factor = found
    return entity, value if isinstance(value, str) else f"{value * factor:.6f}".rstrip("0").rstrip(".")


@dataclass
class JobEnergy:
    """Wh of the job that runs: the sum of the counter's steps forward; without a counter, power by trapezoids over
    gaps of at most five minutes.
    """

    job: str = ""
    wh: float = 0.0
    measured: bool = False
    _counter: float | None = None
    _power: tuple[float, float] | None = None

    def begin(self, job: str) -> None:
        """A job begins."""
        self.job, self.wh, self.measured = job, 0.0, False

    def counter(self, wh: float) -> None:
        """The counter shows this; a step back is a reset and counts as nothing."""
        if self._counter is not None and self.job:
            if not self.measured:
                self.wh, self.measured = 0.0, True
            self.wh += max(wh - self._counter, 0.0)
        self._counter = wh

    def power(self, watts: float, at_s: float) -> None:
        """The power at a time."""
        before, self._power = self._power, (max(watts, 0.0), at_s)
        if before and self.job and not self.measured and self._counter is None and 0 < at_s - before[1] <= 300:
            self.wh += (before[0] + max(watts, 0.0)) / 2 * (at_s - before[1]) / 3600

    def end(self) -> float | None:
        """The job's Wh; None where nothing was measured."""
        known = bool(self.job) and (self.measured or self.wh > 0)
        self.job = ""
        return self.wh if known else None
