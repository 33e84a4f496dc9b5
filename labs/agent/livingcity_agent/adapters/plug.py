"""What plugs and meters have in common: which channels they read, what of it they tell, and when they may switch."""

import datetime as dt
from dataclasses import dataclass, field, fields

from livingcity_agent.adapters.base import Adapter, Command, Finding, Reading, Refused, Sink
from livingcity_agent.adapters.generic import Jobs
from livingcity_agent.parsers.by_power import Threshold
from livingcity_agent.parsers.measured import Measured
from livingcity_agent.tables import Table

LONGEST_S = 24 * 3600
_CHANNELS = {
    "power_w": "power_w",
    "energy_wh": "energy_wh_total",
    "voltage_v": "voltage_v",
    "temperature_c": "x_plug_temperature_c",
    "current_a": "x_current_a",
}


@dataclass(frozen=True, slots=True)
class Use:
    """What a plug is for. `circuit`: the name of the lab's circuit that it feeds, empty for a machine's own plug.
    `switch`: whether this plug is meant where the device's `commands` allow "relay"; what feeds a circuit is never
    switched, for several people hang on it. `jobs`: whether jobs are known from its power.
    """

    circuit: str = ""
    switch: bool = True
    interval_s: float = 10.0
    jobs: Jobs = field(default_factory=Jobs)

    @classmethod
    def configure(cls, table: Table) -> "Use":
        """From the keys `circuit`, `switch`, `every_s`, `jobs`."""
        circuit = table.string("circuit", "", most=80)
        use = cls(
            circuit,
            table.flag("switch", not circuit),
            table.number("every_s", 10.0, least=1.0, most=300.0),
            Jobs(threshold=Threshold.configure(table)),
        )
        if use.circuit and use.jobs.threshold:
            table.fault("jobs", "cannot be known from a circuit: several machines hang on it.")
        if use.circuit and use.switch:
            table.fault("switch", "must be false for a plug that feeds a circuit: more than one person hangs on it.")
        return use


def channels_of(table: Table, default: tuple[int, ...], *, least: int) -> tuple[int, ...]:
    """The key `channel`, a whole number, or `channels`, a list of different ones."""
    one, many = "channel" in table.values, "channels" in table.values
    if one and many:
        table.fault("channel", "and “channels” cannot both be there.")
    if one:
        return (table.whole("channel", least=least, most=99),)
    return table.wholes("channels", default, least=least, most=99)


def tell(sink: Sink, said: Measured, at: dt.datetime | None = None) -> None:
    """Tell what was measured, now or `at` a time; what was not is left out. A relay's contacts are `x_plug_on`."""
    if said.on is not None:
        sink.reading(Reading("x_plug_on", float(said.on), at))
    for name, channel in _CHANNELS.items():
        value = getattr(said, name)
        if value is not None and not (name == "energy_wh" and value < 0):
            sink.reading(Reading(channel, value, at))


def only(said: Measured, touched: Measured) -> Measured:
    """Of what is known, what a message told anew: an old counter under a new time would say that nothing was used."""
    kept = {f.name: getattr(said, f.name) for f in fields(said) if getattr(touched, f.name) is not None}
    return Measured(**kept)


def wish(adapter: Adapter, use: Use, command: Command) -> tuple[bool, int]:
    """Whether a relay command wants power, and for how many seconds by the plug's own timer. Raises Refused."""
    label = adapter.name.label
    if command.kind != "relay":
        raise Refused(f"{label} is a plug: it can only be switched.")
    if use.circuit:
        raise Refused(f"{label} feeds the circuit “{use.circuit}” and is never switched from the city.")
    if not use.switch:
        raise Refused(f"{label} is not to be switched: its configuration says switch = false.")
    on, for_s = command.body.get("on"), command.body.get("for_s")
    if not isinstance(on, bool):
        raise Refused("The command does not say whether to switch on or off.")
    if not on:
        return False, 0
    if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not 1 <= for_s <= LONGEST_S:
        raise Refused("Power is only given for a time: 1 second to 24 hours.")
    if command.expires_at <= dt.datetime.now(dt.UTC):
        raise Refused("The command came too late.")
    return True, int(for_s)


def well(sentence: str) -> Finding:
    """A finding that is well."""
    return Finding(True, sentence)


def wrong(sentence: object) -> Finding:
    """A finding that is not."""
    return Finding(False, str(sentence))


def watts(said: Measured) -> str:
    """What is measured now, in words."""
    power = "no power" if said.power_w is None else f"{said.power_w:.1f} W"
    counter = "no counter" if said.energy_wh is None else f"{said.energy_wh / 1000:.3f} kWh on its counter"
    return f"{power}, {counter}"
