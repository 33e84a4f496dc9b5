"""Rules by which batteries are run without looking ahead; each is levels per step and a target or cap per home.

- `self-consumption`: spare sun charges, own need discharges. Nothing else.
- `time-of-use`: tariffs of a day are known when it begins. A step is dear when its power, after the battery's
  losses, is worth more than the day's cheapest. Before each dear spell the battery is topped up from the grid
  to `REFILL` of its capacity, in the cheapest steps since the last dear spell or midnight, `FILL_HOURS` of
  them, the latest of equals (by then the sun has filled what it can), and holds what it has until the spell
  begins. At all other times it serves itself first.
- `peak-shaving`: half of the battery serves the home as above; the other half is kept for draws above the
  home's target and refilled from the grid while the draw is below it. The target is `TARGET` of the highest
  draw of the home in the period without storage, as a household would choose it from last year's bills.
- `export-limit`: feed-in above `EXPORT_CAP` of the roof's peak power is charged first, and before 13:00 local
  time sun below the cap fills the battery only half, so that there is room at noon. What still exceeds the
  cap is fed in and counted: a rule curtails nothing.

Vehicles charge when they are back, whatever the strategy. A community's own battery follows the same levels;
its target and cap come from the members' sums. Sources: the three operating modes that home batteries on the
market offer; Luthman et al. 2015 (self-consumption), Struth et al. 2013 (feed-in peaks).
"""

from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Community, Floats
from energy.engine.fleet import Levels
from energy.engine.refusals import NotDefined, gettext_noop

STRATEGIES = ("self-consumption", "time-of-use", "peak-shaving", "export-limit")
REFILL = 0.9
FILL_HOURS = 3.0
RESERVE = 0.5
TARGET = 0.6
EXPORT_CAP = 0.6
MORNING_CEILING = 0.5
NOON_MIN = 13 * 60


def check(strategy: str) -> str:
    """The strategy, or NotDefined."""
    if strategy not in STRATEGIES:
        raise NotDefined(
            gettext_noop("“%(strategy)s” is not a strategy; there are %(known)s"),
            strategy=strategy,
            known=", ".join(STRATEGIES),
        )
    return strategy


def levels(community: Community, strategy: str) -> Levels | None:
    """The levels of each step; None where they never bind (self-consumption)."""
    check(strategy)
    steps = community.steps
    zero, one = np.zeros(steps), np.ones(steps)
    if strategy == "time-of-use":
        return by_price(community.import_price, local_days(community), efficiency(community), community.hours)
    if strategy == "peak-shaving":
        return Levels(np.full(steps, RESERVE), np.full(steps, RESERVE), one)
    if strategy == "export-limit":
        return Levels(zero, zero, np.where(community.local_minute < NOON_MIN, MORNING_CEILING, 1.0))
    return None


def by_price(price: Floats, day: Floats, round_trip: float, hours: float) -> Levels:
    """Levels from prices per step of `hours`; `day` numbers the local day of each step."""
    floor, refill = np.zeros(len(price)), np.zeros(len(price))
    for first, last in _spells(day):
        here = price[first:last]
        dear = (here * round_trip > max(float(here.min()), 0.0)) & (here > here.min())
        since = first
        for begin, end in _spells(dear.astype(np.float64)):
            if not dear[begin]:
                continue
            cheap = _cheapest(price, since, first + begin, max(1, round(FILL_HOURS / hours)))
            cheap = cheap[price[cheap] < round_trip * float(here[begin:end].max())]
            if len(cheap):
                refill[cheap] = REFILL
                floor[cheap.min() : first + begin] = 1.0
            since = first + end
    return Levels(floor, refill, np.ones(len(price)))


def _spells(values: Floats) -> list[tuple[int, int]]:
    """Where equal values follow one another: first, and past the last."""
    edges = np.flatnonzero(np.diff(values, prepend=values[0] - 1, append=values[-1] + 1))
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _cheapest(price: Floats, first: int, last: int, count: int) -> NDArray[np.int64]:
    """The `count` cheapest steps from `first` to before `last`, the latest of equals."""
    steps = np.arange(last - 1, first - 1, -1)
    return steps[np.argsort(price[steps], kind="stable")[:count]]


def local_days(community: Community) -> Floats:
    """A number for the local day of each step."""
    zone = ZoneInfo(community.timezone)
    first = community.start.astimezone(zone)
    minute = community.local_minute
    begins = np.zeros(len(minute))
    begins[1:] = minute[1:] < minute[:-1]
    # an hour set back within a day is not a new day
    begins[1:] *= minute[:-1] - minute[1:] > 12 * 60
    return np.asarray(first.toordinal() + np.cumsum(begins))


def efficiency(community: Community) -> float:
    """The round trip that prices must beat: the best battery's of the community, 1 without any."""
    owned = [m.battery.efficiency for m in community.members if m.battery]
    return max(owned + ([community.battery.efficiency] if community.battery else []), default=1.0)


def targets_kwh(community: Community, strategy: str) -> Floats:
    """The draw above which each member's reserve serves, kWh a step; infinite where there is no target."""
    if strategy != "peak-shaving":
        return np.full(len(community.members), np.inf)
    return np.asarray(TARGET * np.maximum(community.net_kwh.max(axis=1), 0.0))


def export_caps_kwh(community: Community, strategy: str) -> Floats:
    """The feed-in that is charged first, kWh a step; infinite where there is no cap."""
    peaks = np.array([m.pv_kwp for m in community.members], dtype=np.float64)
    return peaks * EXPORT_CAP * community.hours if strategy == "export-limit" else np.full(len(peaks), np.inf)
