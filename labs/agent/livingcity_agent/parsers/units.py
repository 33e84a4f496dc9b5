"""Units of measured values, turned into the one unit that each channel has.

Exact by definition: 1 Wh = 3,600 J = 3,600 Ws; a watt-minute is 1/60 Wh. Source: SI brochure, 9th edition, table 8.
"""

from collections.abc import Mapping

#: channel -> {unit: (factor, offset)}: value in the channel's unit = value * factor + offset
_POWER = {"W": 1.0, "mW": 1e-3, "kW": 1e3, "MW": 1e6}
_ENERGY = {
    "Wh": 1.0,
    "mWh": 1e-3,
    "kWh": 1e3,
    "MWh": 1e6,
    "Wmin": 1 / 60,
    "Ws": 1 / 3600,
    "J": 1 / 3600,
    "kJ": 1 / 3.6,
    "MJ": 1e3 / 3.6,
}
_VOLTAGE = {"V": 1.0, "mV": 1e-3, "kV": 1e3}
_TEMPERATURE = {"C": (1.0, 0.0), "K": (1.0, -273.15), "F": (5 / 9, -160 / 9)}
_PROGRESS = {"1": 1.0, "%": 0.01}


def _plain(factors: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {unit: (factor, 0.0) for unit, factor in factors.items()}


UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "power_w": _plain(_POWER),
    "energy_wh_total": _plain(_ENERGY),
    "voltage_v": _plain(_VOLTAGE),
    "temperature_c": _TEMPERATURE,
    "progress": _plain(_PROGRESS),
}
"""channel -> unit -> (factor, offset); the first unit is the channel's own. Other channels have no units."""


def units_of(channel: str) -> tuple[str, ...]:
    """The units that a channel's values may come in; none for `state` and `x_…`."""
    return tuple(UNITS.get(channel, {}))


def convert(channel: str, value: float, unit: str) -> float:
    """The value in the channel's own unit. Raises KeyError for a unit that the channel does not have."""
    factor, offset = UNITS[channel][unit]
    return value * factor + offset
