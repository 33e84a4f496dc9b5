"""From where to where a colour stands for a figure, the same on pictures, maps and legends."""

from collections.abc import Sequence

SOLAR_SHARES = (0.80, 0.85, 0.90, 0.95, 0.98)
"""Of the sunniest roof's light: panels lie only where at most a fifth is lost, so the rest is what differs."""


def solar_steps(lights: Sequence[float | None]) -> tuple[int, ...]:
    """Steps of light on a square metre of roof in a year, kWh, up to what the district's sunniest roof gets."""
    best = max((light for light in lights if light), default=0.0)
    return tuple(round(best * share / 10) * 10 for share in SOLAR_SHARES)


def strength(value: float | None, steps: Sequence[int]) -> float:
    """How strong the colour of a value is, 0..1: the more steps it passes the stronger; none for what is not known."""
    if value is None:
        return 0.0
    passed = sum(value >= step for step in steps)
    return 0.12 + 0.8 * passed / len(steps)
