"""Values that somebody described: where one stands in a message, its unit, and what words it may be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from livingcity_agent.adapters.base import STATES, Reading
from livingcity_agent.parsers.measured import number
from livingcity_agent.parsers.paths import PathError, find, steps_of
from livingcity_agent.parsers.units import convert, units_of
from livingcity_agent.sinks import CHANNEL
from livingcity_agent.tables import Table


class NoValue(ValueError):
    """A message does not hold what was described, as a sentence."""


@dataclass(frozen=True, slots=True)
class Value:
    """One channel. What stands at `path` is first turned by `words`, then times `scale` plus `offset`, then out of its
    `unit` into the channel's own.
    """

    channel: str
    path: str = ""
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    words: Mapping[str, float | str] = field(default_factory=dict)

    @classmethod
    def configure(cls, table: Table) -> "Value":
        """From the keys `channel`, `path`, `unit`, `scale`, `offset`, `words` of a table."""
        channel = table.string("channel")
        if channel and not CHANNEL.fullmatch(channel):
            table.fault("channel", "must be a channel of the city, or x_ with small letters, digits and _.")
        path = table.string("path", "")
        try:
            steps_of(path)
        except PathError as error:
            table.fault("path", f"cannot be read: {error}")
        units = units_of(channel)
        unit = table.choice("unit", units, units[0]) if units else ""
        return cls(
            channel,
            path,
            unit,
            table.number("scale", 1.0, least=-1e12),
            table.number("offset", 0.0, least=-1e12),
            _words(table, channel),
        )

    def read(self, document: Any) -> Reading:
        """The reading in a message. Raises NoValue."""
        try:
            found = find(document, self.path)
        except PathError as error:
            raise NoValue(str(error)) from None
        return self.reading(found)

    def reading(self, found: Any) -> Reading:
        """The reading that a bare value means. Raises NoValue."""
        if self.words:
            found = self._word(found)
        elif isinstance(found, bool):
            found = float(found)
        if isinstance(found, str) and self.channel == "state":
            if found not in STATES:
                raise NoValue(f"“{found[:40]}” is none of {', '.join(STATES)}; say with “words” what it means.")
            return Reading("state", found)
        value = number(found)
        if value is None or self.channel == "state":
            raise NoValue(f"{self.channel} is {json.dumps(found, default=str)[:40]}, which is no number.")
        value = value * self.scale + self.offset
        return Reading(self.channel, convert(self.channel, value, self.unit) if self.unit else value)

    def _word(self, found: Any) -> float | str:
        said = json.dumps(found) if isinstance(found, bool) else str(found)
        if said not in self.words:
            raise NoValue(f"{self.channel} is “{said[:40]}”, which “words” does not name.")
        return self.words[said]


def _words(table: Table, channel: str) -> Mapping[str, float | str]:
    inner = table.table("words")
    found: dict[str, float | str] = {}
    for word in tuple(inner.values):
        found[word] = inner.choice(word, STATES) if channel == "state" else inner.number(word, least=-1e12)
    return found


def document_of(body: bytes) -> Any:
    """A message as JSON; a text that is none as text, so that the bare words of simple devices can be read too."""
    text = body.decode("utf-8", "replace").strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
