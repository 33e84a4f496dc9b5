"""A power cut: how long buildings stay supplied by what they have on their own roof, in batteries and in cars.

Hour by hour: solar covers the load first, what is over charges the battery, what lacks is taken from it; the first
hour that cannot be covered in full ends the supply. The cut may begin at any hour of the year; an answer is a
distribution over these beginnings. A battery begins as full as `held` says, cars count as battery for the share that
stands at home. A group (a street, the whole district) is reckoned as one building: with its own grid, nothing lost.

Limits: the inverter must be made to run without the grid, and most are not. The load is a mean profile: peaks within
an hour are not seen. Nobody saves power in this reckoning unless `essential` says so.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from energy.engine.compiled import compiled

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

EFFICIENCY_ONE_WAY = 0.95
EVERY = 7
"""Each seventh hour of the year begins a cut: 1,252 of them, at every hour of the day and day of the week."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Hours of supply (buildings, beginnings), cut off at `most`."""

    hours: Floats
    most: int

    def share(self, hours: float) -> Floats:
        """Of each building, the share of beginnings after which it is supplied for so long."""
        return np.asarray((self.hours >= hours).mean(axis=1))

    def quantile(self, q: float) -> Floats:
        """Of each building, the hours that a share `q` of the beginnings do not reach."""
        return np.asarray(np.quantile(self.hours, q, axis=1, method="lower"))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cuts of how many buildings ended after so many whole hours (most + 1,): all that shares and medians of
    a city need, so that its buildings can be reckoned some at a time.
    """

    counts: Ints

    @staticmethod
    def empty(most: int = 72) -> "Tally":
        """Of nobody."""
        return Tally(np.zeros(most + 1, dtype=np.int64))

    def add(self, found: Supply) -> None:
        """Count these buildings too."""
        self.counts[:] += np.bincount(found.hours.astype(np.int64).ravel(), minlength=len(self.counts))

    def share(self, hours: int) -> float:
        """Of all cuts, the share after which a building is supplied for so long; 0 of none."""
        return float(self.counts[hours:].sum() / max(self.counts.sum(), 1))

    def median(self) -> float:
        """The middle of all cuts in hours; 0 of none."""
        sums = np.cumsum(self.counts)
        total = int(sums[-1])
        middle = np.searchsorted(sums, [(total - 1) // 2, total // 2], side="right")
        return float(middle.mean()) if total else 0.0


@compiled
def _supplied(  # noqa: PLR0917 compiled: positional alone
    load: Floats, solar: Floats, kwh: Floats, kw: Floats, held: float, starts: Ints, most: int, way: float, out: Floats
) -> None:
    steps = load.shape[1]
    for b in range(len(load)):
        for i in range(len(starts)):
            full = kwh[b] * held
            hours = 0.0
            for k in range(most):
                t = (starts[i] + k) % steps
                lack = load[b, t] - solar[b, t]
                if lack <= 0:
                    full = min(kwh[b], full + min(-lack, kw[b]) * way)
                elif lack <= kw[b] * 1.0000001 and lack / way <= full * 1.0000001 + 1e-12:
                    full = max(0.0, full - lack / way)
                else:
                    break
                hours += 1.0
            out[b, i] = hours


def supplied(
    load_kwh: Floats,
    solar_kwh: Floats,
    storage_kwh: Floats,
    *,
    storage_kw: Floats | None = None,
    held: float = 0.5,
    essential: float = 1.0,
    most: int = 72,
    starts: Ints | None = None,
) -> Supply:
    """Hours of supply of buildings (n, hours of a year) that begin a cut with their storage `held` full.

    `essential`: the share of the load that is kept on. Without `storage_kw` a storage gives half its kWh an hour.
    """
    begins = np.arange(0, load_kwh.shape[1], EVERY) if starts is None else starts
    out = np.zeros((len(load_kwh), len(begins)))
    power = storage_kwh / 2 if storage_kw is None else storage_kw
    load = np.ascontiguousarray(load_kwh * essential)
    _supplied(load, solar_kwh, storage_kwh, power, held, begins.astype(np.int64), most, EFFICIENCY_ONE_WAY, out)
    return Supply(out, most)


def together(values: Floats, group: Ints, count: int) -> Floats:
    """Sums over groups: (n, …) to (count, …)."""
    out = np.zeros((count, *values.shape[1:]))
    np.add.at(out, group, values)
    return out
