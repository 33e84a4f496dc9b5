"""The configuration: one TOML file, read whole, with everything that is wrong told at once by line and key."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from livingcity_agent.adapters import KINDS, adapter_class
from livingcity_agent.adapters.base import STATES, Adapter, Name
from livingcity_agent.tables import ConfigError, Fault, Table

__all__ = ("STATES", "Config", "ConfigError", "DeviceConfig", "load", "read")

COMMANDS = ("send", "start", "pause", "resume", "cancel", "relay")


@dataclass(frozen=True, slots=True)
class Source:
    """An adapter and its own name within its device, under which its memory is kept."""

    label: str
    adapter: Adapter


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One device of the city: a machine with its plug, or a plug alone. `commands`: what the city may ask of it."""

    name: str
    sources: tuple[Source, ...]
    commands: frozenset[str] = frozenset()

    @property
    def circuit(self) -> str:
        """The circuit of the lab that a plug of it feeds; empty where it measures a machine."""
        return next((use.circuit for s in self.sources if (use := getattr(s.adapter, "use", None)) and use.circuit), "")


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of it. `state` is the folder of the journal."""

    path: Path
    url: str
    state: Path
    devices: tuple[DeviceConfig, ...] = field(default_factory=tuple)
    most_mb: int = 200
    batch: int = 1000
    send_every_s: float = 5.0
    mqtt: bool = True

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.state / "journal.db"


def load(path: Path) -> Config:
    """The configuration in a file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Fault(0, f"{path} cannot be read: {why}.")]) from None
    return read(text, path)


def read(text: str, path: Path) -> Config:
    """The configuration as text. Raises ConfigError with all that is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(0, f"{path} is no TOML: {error}.")]) from None
    top = Table(values, (), text, path.absolute().parent)
    url = top.url("url", "")
    state = Path(top.string("state", "state")).expanduser()
    journal = top.table("journal")
    most_mb = journal.whole("most_mb", 200, least=1, most=1_000_000)
    journal.done()
    sending = top.table("sending")
    batch = sending.whole("batch", 1000, least=1, most=10_000)
    every = sending.number("every_s", 5.0, least=0.1, most=3600)
    mqtt = sending.flag("mqtt", True)
    sending.done()
    devices = tuple(_device(table) for table in top.tables("device"))
    top.done()
    if not devices:
        top.faults.append(Fault(0, "There is no [[device]]: describe at least one machine, plug or meter."))
    _names_once(top, devices)
    if top.faults:
        raise ConfigError(top.faults)
    return Config(path, url, top.folder / state, devices, most_mb, batch, every, mqtt)


def _names_once(top: Table, devices: tuple[DeviceConfig, ...]) -> None:
    names = [device.name for device in devices]
    for table in top.tables("device"):
        if names.count(str(table.values.get("name", "")).strip()) > 1:
            table.fault("name", "stands twice; each device has a name of its own.")


def _device(table: Table) -> DeviceConfig:
    name = table.string("name", most=80)
    commands = table.strings("commands", ())
    for word in commands:
        if word not in COMMANDS:
            table.fault("commands", f"has “{word}”; known are {', '.join(COMMANDS)}.")
    sources: list[Source] = []
    for inner in table.tables("source"):
        kind = inner.choice("type", tuple(KINDS))
        label = inner.string("name", kind, most=80)
        if label in {source.label for source in sources}:
            inner.fault("name", f"must be given, since “{label}” stands twice in this device.")
        adapter = _adapter(inner, kind, Name(label if label != kind else name, place=f"{name} · {label}"))
        if adapter is not None:
            sources.append(Source(label, adapter))
    if not table.values.get("source"):
        table.fault("name", "has no [[device.source]] below: say by which program or plug it is heard.")
    able = {word for source in sources for word in source.adapter.commands}
    for word in commands:
        if word in COMMANDS and sources and word not in able:
            table.fault("commands", f"has “{word}”, which none of its sources can carry out.")
    table.done()
    return DeviceConfig(name, tuple(sources), frozenset(commands))


def _adapter(table: Table, kind: str, name: Name) -> Adapter | None:
    before = len(table.faults)
    try:
        made = adapter_class(kind).configure(table, name)
    except ImportError as error:
        table.fault("type", f"needs the Python package “{error.name}”: pip install 'livingcity-agent[opcua]'.")
        return None
    table.done()
    return made if len(table.faults) == before else None
