"""How many kWh a job of a given length will take: warm-up and a steady draw, learned from measured jobs. Pure.

The prior is of the class of machine; each measured job moves it. Ridge regression of kWh on 1 and hours, with the prior
as what the coefficients are drawn to, so that one job changes little and twenty decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Wh to warm up and W while it works, by class of machine. Measured by others: QIDI Q1 Pro 350 W heating, 160 to 190 W
#: printing; open-frame printers 70 to 120 W (docs/slicing.md).
CLASSES: dict[str, tuple[float, float]] = {"3d-printer": (25.0, 110.0), "resin-printer": (3.0, 55.0)}
USUAL = (10.0, 150.0)
#: How far a machine is from what is usual for its class, as a share.
SPREAD = 0.4
#: Jobs of the prior's weight, and the fewest from which an estimate is called the machine's own.
WEIGHT, ENOUGH = 2.0, 3
#: Between the tenth and the ninetieth of a hundred.
Z80 = 1.2816


@dataclass(frozen=True, slots=True)
class Estimate:
    """kWh with the range that eight jobs of ten fall into, and how many measured jobs it was learned from."""

    kwh: float
    low_kwh: float
    high_kwh: float
    jobs: int

    @property
    def is_own(self) -> bool:
        """Whether the machine's own jobs were enough to say so."""
        return self.jobs >= ENOUGH


def estimate(
    *, cls: str, hours: float, measured: Sequence[tuple[float, float]] = (), rated_w: float | None = None
) -> Estimate:
    """The kWh of a job of that many machine hours. `measured` are (hours, kWh) of the machine's own jobs."""
    warm_wh, watts = CLASSES.get(cls, USUAL)
    if rated_w:
        watts = min(watts, rated_w)
    prior = (warm_wh / 1000, watts / 1000)
    known = [(length, kwh) for length, kwh in measured if length > 0 and kwh >= 0]
    base, slope = _ridge(known, prior)
    kwh = max(0.0, base + slope * hours)
    spread = _spread(known, base, slope)
    return Estimate(kwh, max(0.0, kwh * (1 - Z80 * spread)), kwh * (1 + Z80 * spread), len(known))


def _ridge(known: Sequence[tuple[float, float]], prior: tuple[float, float]) -> tuple[float, float]:
    """Warm-up (kWh) and draw (kW). Each job counts by its relative fault, so that long ones do not decide alone."""
    a = b = c = d = e = 0.0
    for hours, kwh in known:
        weight = 1 / max(prior[0] + prior[1] * hours, 1e-6) ** 2
        a, b, c = a + weight, b + weight * hours, c + weight * hours * hours
        d, e = d + weight * kwh, e + weight * hours * kwh
    held = tuple(WEIGHT / (4 * max(one, 1e-6) ** 2) for one in prior)
    a, c = a + held[0], c + held[1]
    d, e = d + held[0] * prior[0], e + held[1] * prior[1]
    under = a * c - b * b
    return (d * c - e * b) / under, (e * a - d * b) / under


def _spread(known: Sequence[tuple[float, float]], base: float, slope: float) -> float:
    """How far jobs are from their estimate, as a share: the prior's spread until there are jobs."""
    shares = [(kwh - base - slope * hours) / max(base + slope * hours, 1e-6) for hours, kwh in known]
    square = (WEIGHT * SPREAD**2 + sum(share**2 for share in shares)) / (WEIGHT + len(shares))
    return float(square**0.5)
