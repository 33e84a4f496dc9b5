"""What one part of a plug or meter says at one time, and the sum of several parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """Values of one part; None: it did not say. `energy_wh`: its counter, which may reset."""

    power_w: float | None = None
    energy_wh: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    current_a: float | None = None
    on: bool | None = None

    def over(self, older: "Measured") -> "Measured":
        """These values, and the older ones where these say nothing."""
        missing = {f.name: getattr(older, f.name) for f in fields(self) if getattr(self, f.name) is None}
        return replace(self, **missing)

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return all(getattr(self, f.name) is None for f in fields(self))


def number(value: Any, scale: float = 1.0) -> float | None:
    """A finite number scaled, from JSON's numbers and texts of numbers; None for anything else (null, true, "nan")."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value) * scale
    except (ValueError, OverflowError):
        return None
    return read if isfinite(read) else None


def table(value: Any) -> Mapping[str, Any]:
    """A JSON object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def total(parts: Mapping[int, Measured], wanted: Sequence[int]) -> Measured:
    """Several parts as one: watts, watt-hours and amperes summed, each only where every wanted part says it (a sum
    that now and then lacks a part would look like energy); the first voltage, the highest temperature, on if any is.
    """
    said = [parts.get(n, Measured()) for n in wanted]
    return Measured(
        power_w=_sum(m.power_w for m in said),
        energy_wh=_sum(m.energy_wh for m in said),
        voltage_v=next((m.voltage_v for m in said if m.voltage_v is not None), None),
        temperature_c=max((m.temperature_c for m in said if m.temperature_c is not None), default=None),
        current_a=_sum(m.current_a for m in said),
        on=None if all(m.on is None for m in said) else any(m.on for m in said),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if not known or any(v is None for v in known) else sum(v for v in known if v is not None)
