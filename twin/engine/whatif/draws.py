"""Draws of what we are not sure of: one record for each, the same for today and for the scenario.

Draw 0 is our own values. The others move each assumption by its own spread (lognormal, independent of each other) and
cast the lot anew of which roofs take part. A difference's interval comes from the differences within draws.
"""

from dataclasses import dataclass, replace

import numpy as np

from twin.engine import supposed
from twin.engine.supposed import Energy

SEED = 20_260_701
DRAWS = 20


@dataclass(frozen=True, slots=True)
class Draw:
    """One state of what we suppose: factors of load, sun and trips (within and across the rim; through)."""

    number: int
    energy: Energy
    load: float = 1.0
    sun: float = 1.0
    trips: float = 1.0
    through: float = 1.0


def draws(energy: Energy, count: int = DRAWS) -> list[Draw]:
    """Draw 0 and `count` more."""
    found = [Draw(0, energy)]
    for number in range(1, count + 1):
        dice = np.random.default_rng([SEED, number])
        spreads = [each.spread for each in supposed.SUPPOSED]
        factors = np.exp(dice.normal(0.0, 1.0, len(spreads)) * np.array(spreads))
        moved = {
            each.name: min(float(getattr(energy, each.name) * factor), each.high)
            for each, factor in zip(supposed.SUPPOSED, factors.tolist(), strict=True)
        }
        load, sun, trips = np.exp(
            dice.normal(0.0, 1.0, 3) * np.array([supposed.LOAD_SPREAD, supposed.SUN_SPREAD, supposed.TRIPS_SPREAD])
        ).tolist()
        through = float(np.exp(dice.normal(0.0, 2 * supposed.TRIPS_SPREAD)))
        found.append(Draw(number, replace(energy, **moved), load, sun, trips, through))
    return found
