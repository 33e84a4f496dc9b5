"""Greenhouse gases of a district in a year on one ledger: buildings' heat, electricity, mobility and production.

Each line is an activity times a factor, both with a low, a middle and a high value; the ledger adds low to low and
high to high, which says how far the truth may lie away without claiming to know how likely. Nothing is counted twice:
production is power that labs measured, and is taken out of the district's electricity. What people eat, buy and fly is
not on it, nor what was emitted to build the houses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Part = Literal["buildings", "electricity", "mobility", "production"]


@dataclass(frozen=True, slots=True)
class Span:
    """A value between two others."""

    low: float
    middle: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.middle <= self.high:
            raise ValueError(f"{self.low} <= {self.middle} <= {self.high} does not hold")

    def times(self, other: "Span") -> "Span":
        """The product of two spans of positive values."""
        return Span(self.low * other.low, self.middle * other.middle, self.high * other.high)

    def plus(self, other: "Span") -> "Span":
        """The sum of two spans."""
        return Span(self.low + other.low, self.middle + other.middle, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Factor:
    """kg CO2e for each unit, with its source and the year that it stands for."""

    kg: Span
    unit: str
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class Line:
    """One activity on the ledger."""

    part: Part
    amount: Span
    factor: Factor

    @property
    def kg(self) -> Span:
        """kg CO2e a year."""
        return self.amount.times(self.factor.kg)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All lines."""

    lines: tuple[Line, ...]

    @property
    def total_kg(self) -> Span:
        """The sum of all lines, kg CO2e a year."""
        whole = Span(0.0, 0.0, 0.0)
        for line in self.lines:
            whole = whole.plus(line.kg)
        return whole


HEAT = Factor(
    Span(0.03, 0.15, 0.24), "kWh", "IPCC 2006 vol. 2: gas 0.20, oil 0.27 kg/kWh burnt; district heat lower", 2006
)
POWER = Factor(
    Span(0.03, 0.21, 0.40), "kWh", "EEA, electricity of the EU: about 0.21 kg/kWh in 2023; countries 0.03 to 0.7", 2023
)
CAR = Factor(Span(0.11, 0.16, 0.20), "vehicle-km", "EEA, cars in use: about 0.16 kg/km at the tailpipe", 2022)
CAR_KM_A_PERSON = Span(2000.0, 4500.0, 8000.0)
"""Kilometres by car for each inhabitant and year: half of the EU's mean in a dense district (assumption)."""
FLOOR_OF_A_PERSON_M2 = 40.0
"""Dwelling floor for each inhabitant: Statistics Finland has about 41, the grid of people of central Helsinki 43."""
DWELLING_OF_FLOOR = 0.75
"""What is left of a storey's outline without walls, stairs and lifts (assumption)."""
HOMES_OF_UNSTATED = 0.5
"""Which share of floor without a stated use are homes, where hardly any use is stated (assumption)."""
ENOUGH_STATED = 0.2
"""Where so much of all floor has a stated use, the rest is taken to be as that is."""
MOST_PEOPLE_KM2 = 25_000.0
"""More live on few square kilometres of Europe (Eurostat, census grid of 2021): the most that is estimated."""
SPREAD_OF_PEOPLE = (0.5, 1.6)
"""How far such an estimate may be off (assumption); in central Helsinki it is a quarter above the grid of people."""
PEAK_HOURS_A_DAY = 10.0
"""Hours like the busiest one in a day: its usual share of a day's traffic is a tenth."""
DAYS_A_YEAR = 330.0
"""Days of traffic like that in a year: a day of the weekend counts two thirds (assumption)."""
SPREAD_OF_TRAFFIC = (0.6, 1.4)
"""How far a year's kilometres may be off an hour's by an assignment without counts (assumption)."""
SPREAD_OF_BENCHMARKS = (0.7, 1.3)
"""A district's sum lies nearer its benchmark than a single house does (assumption)."""


def around(value: float, low: float, high: float) -> Span:
    """A value with its range as shares of it."""
    return Span(value * low, value, value * high)


def people_of_floor(*, home_m2: float, stated_m2: float, unstated_m2: float, area_km2: float | None = None) -> Span:
    """About how many live in a district without a grid of people: its homes' floor, a share of the floor whose use is
    not stated, less walls and stairs, over the floor of a person; never more than the densest quarters hold.

    `home_m2` is the part of `stated_m2` that is homes. The share of the unstated is that of the stated, the more so the
    more of all floor is stated.
    """
    whole = stated_m2 + unstated_m2
    trust = min(1.0, stated_m2 / whole / ENOUGH_STATED) if whole > 0 else 0.0
    seen = home_m2 / stated_m2 if stated_m2 > 0 else 0.0
    share = trust * seen + (1 - trust) * HOMES_OF_UNSTATED
    middle = (home_m2 + share * unstated_m2) * DWELLING_OF_FLOOR / FLOOR_OF_A_PERSON_M2
    low, high = SPREAD_OF_PEOPLE
    most = MOST_PEOPLE_KM2 * area_km2 if area_km2 else float("inf")
    return Span(min(middle * low, most), min(middle, most), min(middle * high, most))


def driven_in_a_year(peak_vehicle_km: float) -> Span:
    """Vehicle kilometres of a year from those of the busiest hour."""
    low, high = SPREAD_OF_TRAFFIC
    return around(peak_vehicle_km * PEAK_HOURS_A_DAY * DAYS_A_YEAR, low, high)


def ledger(
    *,
    heat_kwh: float,
    power_kwh: float,
    people: float | Span | None,
    home_floor_m2: float,
    vehicle_km: float | Span | None = None,
    production_kwh: float = 0.0,
    power_kg_per_kwh: Factor = POWER,
) -> Ledger:
    """The ledger of a district for a year.

    `vehicle_km`: driven in it in a year by an assignment of traffic (`driven_in_a_year`), else from `people`
    (`people_of_floor` where nobody counted them), else from the floor of its homes.
    `production_kwh`: measured at its labs; it is taken out of `power_kwh`.
    """
    low, high = SPREAD_OF_BENCHMARKS
    dwellers = people if people is not None else home_floor_m2 * DWELLING_OF_FLOOR / FLOOR_OF_A_PERSON_M2
    driven = _driven(vehicle_km, dwellers)
    lines: Sequence[Line] = (
        Line("buildings", around(heat_kwh, low, high), HEAT),
        Line("electricity", around(max(power_kwh - production_kwh, 0.0), low, high), power_kg_per_kwh),
        Line("mobility", driven, CAR),
        Line("production", around(production_kwh, 1.0, 1.0), power_kg_per_kwh),
    )
    return Ledger(tuple(lines))


def _driven(vehicle_km: float | Span | None, people: float | Span) -> Span:
    if isinstance(vehicle_km, Span):
        return vehicle_km
    if vehicle_km is not None:
        return around(vehicle_km, 0.8, 1.2)
    return (people if isinstance(people, Span) else around(people, 1.0, 1.0)).times(CAR_KM_A_PERSON)
