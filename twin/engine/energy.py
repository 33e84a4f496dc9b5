"""A district's power over a year, hour by hour: who uses it, what the roofs make, what the grid gives and takes.

Use has parts: homes and work by the floor of each use and its benchmark (`floors`) in the standard profiles of their
kind, members of energy communities as measured, labs as measured. What is measured takes the place of as much of the
benchmark, so nothing is counted twice. Storage follows the simplest rule: it takes what is over and gives what is
missing, at once (`energy.engine.rule` does better; a district's answer hardly changes by it).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOURS = 8760
HOMES, WORK, MEMBERS, LABS = "homes", "work", "members", "labs"
PARTS = (HOMES, WORK, MEMBERS, LABS)


@dataclass(frozen=True, slots=True)
class Storage:
    """All batteries of the district as one: what they hold, how fast, and which share comes back."""

    kwh: float = 0.0
    kw: float = 0.0
    efficiency: float = 0.9


@dataclass(frozen=True, slots=True)
class Prices:
    """For each kWh: what is paid for it, what is got for it (in cents), and the kg CO2 of the grid's."""

    buy_ct: float = 20.0
    sell_ct: float = 5.0
    kg: float = 0.21


@dataclass(frozen=True, slots=True)
class Year:
    """Power of a district, kWh each hour. `stored`: what the batteries hold at the end of the hour."""

    parts: Mapping[str, Floats]
    solar: Floats
    bought: Floats
    sent: Floats
    stored: Floats
    prices: Prices

    @property
    def load(self) -> Floats:
        """All use."""
        return np.asarray(np.sum([*self.parts.values()], axis=0))

    @property
    def ratio(self) -> float:
        """The prosumer ratio: kWh made over kWh used."""
        used = float(self.load.sum())
        return float(self.solar.sum()) / used if used > 0 else 0.0

    @property
    def own(self) -> float:
        """The share of its use that the district covers itself, hour by hour."""
        used = float(self.load.sum())
        return 1 - float(self.bought.sum()) / used if used > 0 else 0.0

    @property
    def peak(self) -> tuple[int, float]:
        """The hour that draws most from the grid, and its kW."""
        at = int(np.argmax(self.bought))
        return at, float(self.bought[at])

    @property
    def cost(self) -> float:
        """What the year's power costs in whole units of money, less what is got for what is sent on."""
        return float(self.bought.sum() * self.prices.buy_ct - self.sent.sum() * self.prices.sell_ct) / 100

    @property
    def co2_kg(self) -> float:
        """kg CO2 of what comes from the grid."""
        return float(self.bought.sum()) * self.prices.kg


def parts(
    *,
    home_kwh: float,
    work_kwh: float,
    shapes: Mapping[str, Floats],
    members: Floats | None = None,
    labs_kwh: float = 0.0,
) -> dict[str, Floats]:
    """The parts of use, kWh each hour. `shapes` ("home", "work"): shares of the year, of sum 1. `members`: what those
    use who are measured; `labs_kwh`: what labs took in the year. Both replace as much of the benchmark.
    """
    whole = home_kwh + work_kwh
    measured = float(members.sum()) if members is not None else 0.0
    labs = max(labs_kwh, 0.0)
    rest = max(0.0, 1 - measured / whole) if whole > 0 else 0.0
    left = max(work_kwh * rest - labs, 0.0)
    found = {HOMES: home_kwh * rest * shapes["home"], WORK: left * shapes["work"]}
    if members is not None:
        found[MEMBERS] = members
    if labs:
        found[LABS] = labs * shapes["work"]
    return found


def year(
    used: Mapping[str, Floats], solar: Floats, *, storage: Storage | None = None, prices: Prices | None = None
) -> Year:
    """A year of these parts of use, this solar and this storage (kWh each hour)."""
    have = storage or Storage()
    spare = solar - np.sum([*used.values()], axis=0)
    bought, sent, held = np.maximum(-spare, 0.0), np.maximum(spare, 0.0), np.zeros(len(solar))
    if have.kwh > 0 and have.kw > 0:
        bought, sent, held = dispatch(spare, have)
    return Year(dict(used), solar, bought, sent, held, prices or Prices())


def dispatch(spare: Floats, have: Storage, held: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """What is bought, sent on and held where storage takes what is over and gives what is missing, kWh each hour. Half
    of what is lost is lost on the way in.
    """
    one_way = have.efficiency**0.5
    bought, sent, levels = np.zeros(len(spare)), np.zeros(len(spare)), np.zeros(len(spare))
    for at, over in enumerate(spare.tolist()):
        if over >= 0:
            taken = min(over, have.kw, (have.kwh - held) / one_way)
            held = min(held + taken * one_way, have.kwh)
            sent[at] = over - taken
        else:
            given = min(-over, have.kw, held * one_way)
            held = max(held - given / one_way, 0.0)
            bought[at] = -over - given
        levels[at] = held
    return bought, sent, levels


def laid(values: Floats, first: tuple[int, int], step_minutes: int, hours: int = HOURS) -> Floats | None:
    """A year of steps as the hours of a calendar year of 365 days. `first`: day of the year (from 0) and hour at which
    the values begin. None where they are less than a year. An hour that is not known counts as the mean of its kind.
    """
    per = 60 // step_minutes if step_minutes <= 60 else 0
    if not per or len(values) < hours * per:
        return None
    by_hour = values[: hours * per].reshape(hours, per).sum(axis=1)
    by_hour = np.roll(by_hour, first[0] * 24 + first[1])
    if np.isnan(by_hour).any():
        by_hour = np.where(np.isnan(by_hour), np.nanmean(by_hour), by_hour)
    return np.asarray(by_hour)


def mean_day(values: Floats, days: Sequence[int], shift_hours: int) -> list[float]:
    """The mean of each hour of the local day over some days of the year (from 0)."""
    local = np.roll(values, shift_hours).reshape(-1, 24)
    return [round(float(x), 3) for x in local[list(days)].mean(axis=0)]


def by_month(values: Floats) -> list[float]:
    """Sums of the twelve months of a year of 365 days."""
    ends = np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24
    return [round(float(part.sum()), 1) for part in np.split(values, ends[:-1])]
