"""Where adapters tell what they heard: checked, stamped, and put into the journal."""

import datetime as dt
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from livingcity_agent.adapters.base import STATES, Adapter, JobEvent, JobFile, Reading
from livingcity_agent.journal import Item, Journal

CHANNEL = re.compile(r"power_w|energy_wh_total|state|progress|temperature_c|voltage_v|x_[a-z0-9_]{1,38}")
EVENTS = ("started", "progress", "paused", "finished", "failed", "cancelled")


class Buffer:
    """Readings of all sources that wait for the next second; job events take them along to disk at once."""

    def __init__(self, journal: Journal, *, now: Callable[[], float] = time.time) -> None:
        self.journal, self.now = journal, now
        self.items: list[Item] = []
        self.facts: dict[tuple[int, str], dict[str, Any]] = {}

    def flush(self) -> None:
        """All of it on disk."""
        if self.items or self.facts:
            items, facts = self.items, self.facts
            self.journal.add(items, remember=facts)
            self.items, self.facts = [], {}


class SourceSink:
    """The sink of one adapter."""

    def __init__(self, buffer: Buffer, device: int, label: str, adapter: Adapter, beside: list[Adapter]) -> None:
        self._buffer, self._device, self._label = buffer, device, label
        self._adapter, self._beside = adapter, beside

    def reading(self, reading: Reading) -> None:
        """Keep a reading. Raises ValueError."""
        self._buffer.items.append(self._item("r", reading.channel, reading_body(reading), reading.at))
        self._tell(reading)

    def job(self, event: JobEvent, *, remember: Mapping[str, Any] | None = None) -> None:
        """Keep an event, on disk when it returns. Raises ValueError."""
        self._buffer.items.append(self._item("j", event.event, job_body(event), event.at))
        self.remember(remember or {})
        self._buffer.flush()
        self._tell(event)

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Put facts into the adapter's memory."""
        if facts:
            self._buffer.facts.setdefault((self._device, self._label), {}).update(facts)

    def recall(self, name: str) -> Any:
        """A fact, or None."""
        waiting = self._buffer.facts.get((self._device, self._label), {})
        return waiting[name] if name in waiting else self._buffer.journal.recall(self._device, self._label, name)

    def _item(self, kind: Any, channel: str, body: dict[str, Any], at: dt.datetime | None) -> Item:
        if at is not None and at.tzinfo is None:
            raise ValueError("a time needs its zone")
        stamp = self._buffer.now() if at is None else at.timestamp()
        return Item(self._device, kind, stamp, channel, json.dumps(body, separators=(",", ":")), own_clock=at is None)

    def _tell(self, said: Reading | JobEvent) -> None:
        for other in self._beside:
            other.hear(self._adapter, said)


def reading_body(reading: Reading) -> dict[str, Any]:
    """The reading as the city gets it, without seq and ts. Raises ValueError."""
    if not CHANNEL.fullmatch(reading.channel):
        raise ValueError(f"“{reading.channel}” is no channel of the city; your own begin with x_")
    value = reading.value
    if isinstance(value, str):
        if reading.channel != "state" or value not in STATES:
            raise ValueError(f"“{value}” is no value of {reading.channel}")
    elif not math.isfinite(value):
        raise ValueError(f"{reading.channel} is {value}, which is no number")
    return {"channel": reading.channel, "value": value}


def job_body(event: JobEvent) -> dict[str, Any]:
    """The event as the city gets it, without seq and ts. Raises ValueError."""
    if event.event not in EVENTS:
        raise ValueError(f"“{event.event}” is no event of a job")
    if not 1 <= len(event.job) <= 120:
        raise ValueError("a job's name has 1 to 120 characters")
    body: dict[str, Any] = {"event": event.event, "job": event.job}
    if event.file is not None:
        body["file"] = file_body(event.file)
    if event.progress is not None:
        body["progress"] = min(max(event.progress, 0.0), 1.0)
    if event.material_g is not None and math.isfinite(event.material_g) and event.material_g >= 0:
        body["material_g"] = event.material_g
    return body


def file_body(file: JobFile) -> dict[str, str]:
    """What is known of a file."""
    names = ("name", "sha256", "sha1", "blob", "source_sha256")
    return {name: value for name in names if (value := getattr(file, name))}
