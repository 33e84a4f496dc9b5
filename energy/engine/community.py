"""A community as the engine sees it: members with their assets, and one array per series.

Energies are kWh in the step, powers kW, prices in the community's currency per kWh. Arrays are float64,
members by steps.
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
KINDS = ("home", "lab", "business", "public")


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery; `efficiency` is its round trip, its square root on each way."""

    kwh: float
    kw: float
    efficiency: float = 0.9

    @property
    def one_way(self) -> float:
        """Efficiency of charging, and of discharging."""
        return float(np.sqrt(self.efficiency))


@dataclass(frozen=True, slots=True)
class Vehicle:
    """An electric vehicle. Away from `away_from_min` (inclusive) until `away_until_min` (exclusive), local
    minutes of the day; `kwh_per_day` leaves its battery in the step of return. `efficiency` is of one way.
    """

    kwh: float
    kw: float
    kwh_per_day: float
    away_from_min: int
    away_until_min: int
    efficiency: float = 0.95
    v2g: bool = True

    def away(self, minute: NDArray[np.int64]) -> Bools:
        """Whether it is away in each step, given the local minute at which the step begins."""
        first, until = self.away_from_min, self.away_until_min
        if first <= until:
            return (minute >= first) & (minute < until)
        return (minute >= first) | (minute < until)

    def trips_kwh(self, minute: NDArray[np.int64]) -> Floats:
        """Energy that leaves the battery in each step: the day's, in the first step at home again."""
        away = self.away(minute)
        back = np.zeros(len(minute), dtype=bool)
        back[1:] = away[:-1] & ~away[1:]
        return np.where(back, self.kwh_per_day, 0.0)


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat pump of `kw` electric power with the heat it has to make (kWh in each step), its COP in each step, and
    a tank of `tank_kwh` heat that loses `loss_per_hour` of what it holds.
    """

    kw: float
    demand_kwh: Floats
    cop: Floats
    tank_kwh: float = 0.0
    loss_per_hour: float = 0.01


@dataclass(frozen=True, slots=True)
class Member:
    """A home, lab, business or public building with what it owns."""

    id: str
    name: str
    kind: str = "home"
    pv_kwp: float = 0.0
    battery: Battery | None = None
    vehicle: Vehicle | None = None
    heat_pump_kw: float | None = None
    tank_kwh: float = 0.0
    tank_loss_per_hour: float = 0.01
    heat: Heat | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Community:
    """Members, series and prices of one period at one step.

    Loads hold what heat pumps take, unless `heat_apart`: then those with a tank are storages (`heat.apart`).
    """

    name: str
    currency: str
    timezone: str
    start: dt.datetime
    step_minutes: int
    members: tuple[Member, ...]
    load_kwh: Floats
    pv_kwh: Floats
    import_price: Floats
    export_price: Floats
    co2_kg_per_kwh: Floats | None = None
    grid_limit_kw: float | None = None
    cyclic: bool = False
    battery: Battery | None = None
    heat_apart: bool = False
    co2_marginal_kg_per_kwh: Floats | None = None

    @property
    def steps(self) -> int:
        """How many steps."""
        return int(self.load_kwh.shape[1])

    @property
    def hours(self) -> float:
        """The length of a step in hours."""
        return self.step_minutes / 60

    @cached_property
    def net_kwh(self) -> Floats:
        """Load minus solar of each member, kWh in the step (members by steps)."""
        return np.asarray(self.load_kwh - self.pv_kwh)

    @cached_property
    def local_minute(self) -> NDArray[np.int64]:
        """The local minute of the day at which each step begins."""
        zone, step = ZoneInfo(self.timezone), dt.timedelta(minutes=self.step_minutes)
        local = (((self.start + i * step).astimezone(zone)) for i in range(self.steps))
        return np.array([t.hour * 60 + t.minute for t in local], dtype=np.int64)

    @cached_property
    def trips_kwh(self) -> Floats:
        """Energy that trips take from each member's vehicle in each step (members by steps; zero without
        one).
        """
        trips = np.zeros_like(self.load_kwh)
        for row, member in enumerate(self.members):
            if member.vehicle:
                trips[row] = member.vehicle.trips_kwh(self.local_minute)
        return trips

    @property
    def has_storage(self) -> bool:
        """Whether anyone has a battery or a vehicle, or the community has."""
        return self.battery is not None or any(m.battery or m.vehicle for m in self.members)
