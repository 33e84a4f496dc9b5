"""How much of a load the spare local sun would cover, when what is spare is known with a range. Pure Python: pages ask.

What is spare in a step is told by its middle and by a band that nine of ten values stay within. Between them it is
taken to spread as a normal distribution with two halves, each as wide as its side of the band. The share of a load
of `kw` that is covered is min(1, max(0, spare / kw)); it bends at nothing and at all, so its mean is not that of the
middle and is taken over `NODES`, equally likely values of what is spare.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

#: Half of the band, in standard deviations: nine of ten lie within.
HALF_BAND = NormalDist().inv_cdf(0.95)
COUNT = 9
NODES = tuple(NormalDist().inv_cdf((nth + 0.5) / COUNT) / HALF_BAND for nth in range(COUNT))


class Share(NamedTuple):
    """What part of a load would be covered (0..1): expected, and at the two ends of the band."""

    expected: float
    low: float
    high: float


def covered(spare_kw: float, kw: float) -> float:
    """The part of a load that this much covers; a load of nothing is covered where anything is spare."""
    if kw <= 0:
        return 1.0 if spare_kw > 0 else 0.0
    return min(1.0, max(0.0, spare_kw / kw))


def share(low_kw: float, middle_kw: float, high_kw: float, kw: float) -> Share:
    """The part of a load of `kw` that is covered in one step, by what is spare in it."""
    down, up = middle_kw - low_kw, high_kw - middle_kw
    if down <= 0 and up <= 0:
        one = covered(middle_kw, kw)
        return Share(one, one, one)
    mean = sum(covered(middle_kw + node * (up if node > 0 else down), kw) for node in NODES) / COUNT
    least, most = covered(low_kw, kw), covered(high_kw, kw)
    return Share(min(max(mean, least), most), least, most)


def over(shares: Sequence[Share], weights: Sequence[float]) -> Share | None:
    """The share of a time of several steps, each counted by its weight (kWh or seconds).

    The ends are the means of the ends: a day that is duller than foreseen is so in all of its hours.
    """
    total = sum(weights)
    if total <= 0:
        return None
    expected, low, high = (
        sum(part * weight for part, weight in zip(parts, weights, strict=True)) / total
        for parts in zip(*shares, strict=True)
    )
    return Share(expected, low, high)
