"""What an adapter is: it listens to one machine, plug or meter, and tells a sink what it hears.

A new adapter is one module: a subclass of `Adapter` with `kind`, `configure`, `run` and `check`, named in
`adapters.KINDS`. It imports no city and knows no network but its machine's. It may fail at any time: whatever `run`
raises is logged as a sentence and `run` begins anew after a pause, so `run` first finds out what is going on.

In the configuration each device of the city is a `[[device]]` with one or more `[[device.source]]`, each an adapter: a
plug that measures a machine stands beside the machine's own source and so reports as that machine; a plug of a circuit
is a device of its own.

    [[device]]
    name = "Prusa 1"

    [[device.source]]
    type = "octoprint"
    url = "http://127.0.0.1:5000"
    key_file = "octoprint.key"

    [[device.source]]
    type = "shelly"
    url = "http://192.168.20.5"
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

from livingcity_agent.tables import Table

Event = Literal["started", "progress", "paused", "finished", "failed", "cancelled"]
CommandKind = Literal["send", "start", "pause", "resume", "cancel", "relay"]

STATES = ("off", "idle", "warming", "making", "paused", "error")
"""Words that the channel `state` may have as its value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value. `channel`: `power_w`, `energy_wh_total` (a counter in Wh as the device shows it; it may
    reset, never correct that), `state` (a word of STATES), `progress` (0 to 1), `temperature_c`, `voltage_v` or any
    `x_…` of small letters, digits and _. `at` None: now; set it only from a clock that is known to be right.
    """

    channel: str
    value: float | str
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class JobFile:
    """The file of a job. Hashes in hexadecimal; `blob` is git's id of the bytes, `source_sha256` the hash of the file
    that was sliced, as its head says (`lc-source=sha256:…`). `hashing.of_file` and `of_bytes` fill all of it.
    """

    name: str
    sha256: str = ""
    sha1: str = ""
    blob: str = ""
    source_sha256: str = ""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job. `job`: the machine's own name of it, at most 120 characters, the same in all
    its events and never used again (Moonraker's uuid; else a name with the time at which it began). Send `started`
    once, `progress` (0 to 1) about every minute and when `paused` is over, and one of the last three at the end.
    """

    event: Event
    job: str
    file: JobFile | None = None
    progress: float | None = None
    material_g: float | None = None
    at: dt.datetime | None = None


class Sink(Protocol):
    """Where an adapter tells what it heard; one for each adapter. To be called from the event loop's thread."""

    def reading(self, reading: Reading) -> None:
        """Keep a reading; it is on disk about a second later. Raises ValueError for what is no reading."""

    def job(self, event: JobEvent, *, remember: Mapping[str, Any] | None = None) -> None:
        """Keep an event; it is on disk when this returns, together with what to remember (see `remember`)."""

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Put facts (JSON) into this adapter's memory, which outlasts any kill; a value None is forgotten."""

    def recall(self, name: str) -> Any:
        """What was remembered under that name, or None: "did I tell of this job's start already?"."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that the city asks for. `file` is the file of a `send`, fetched and its SHA-256 checked; it goes when
    `carry_out` returns. Bodies: send {"name", "sha256", "start": bool}; relay {"on": bool, "for_s": seconds};
    start {"name", "sha256"} (a file that was sent before); the others may have {"job"}.
    """

    id: str
    kind: CommandKind
    body: Mapping[str, Any]
    expires_at: dt.datetime
    file: Path | None = None


class AdapterError(Exception):
    """What is wrong, as a whole sentence for the person who set the machine up."""


class Refused(Exception):
    """Why a command is not carried out, as a whole sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `--check`: whether it is well, and a sentence that says what is wrong and what to do."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Name:
    """What an adapter is called: `label` as people know it (the device's name in the configuration), `device` the
    city's id of the device (empty before enrolment), `place` where it stands in the configuration.
    """

    label: str
    device: str = ""
    place: str = ""


@dataclass
class Adapter(ABC):
    """One source. Subclasses are dataclasses whose fields are their settings: `name` first, then their own."""

    kind: ClassVar[str]
    """The `type` in the configuration, e.g. "octoprint"."""

    commands: ClassVar[frozenset[CommandKind]] = frozenset()
    """What it can carry out."""

    name: Name = field(default_factory=lambda: Name(""))

    @classmethod
    @abstractmethod
    def configure(cls, table: Table, name: Name) -> Self:
        """Made from its table of the configuration. Ask the table for each key; it collects what is wrong."""

    @abstractmethod
    async def run(self, sink: Sink) -> None:
        """Listen until cancelled. Raises AdapterError, OSError or TimeoutError; then it is begun anew."""

    @abstractmethod
    async def check(self) -> list[Finding]:
        """What is well and what is wrong, in sentences; never raises, at most 10 seconds."""

    async def carry_out(self, command: Command) -> str:
        """Do it and answer in a sentence. Doing the same twice must do no more than once. Raises Refused."""
        raise Refused(f"{self.name.label} takes no commands.")

    def hear(self, source: "Adapter", said: Reading | JobEvent) -> None:  # noqa: B027 most have nothing to do
        """What another adapter of the same device just told; for outlets such as Home Assistant. Must not block."""
