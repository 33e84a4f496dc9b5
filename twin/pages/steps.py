"""From where to where a colour stands for a figure, the same on pictures, maps and legends."""

SOLAR_STEPS = (500, 700, 800, 900, 1000)
"""Light on a square metre of roof in a year, kWh."""


def strength(value: float | None, steps: tuple[int, ...]) -> float:
    """How strong the colour of a value is, 0..1: the more steps it passes the stronger; none for what is not known."""
    if value is None:
        return 0.0
    passed = sum(value >= step for step in steps)
    return 0.12 + 0.8 * passed / len(steps)
