"""A generated neighbourhood for demonstration: standard profiles, our own solar roofs over a typical year's
weather. Nobody lives there.

Each member's use is a standard profile, moved by up to two hours and scaled day by day by a seeded generator,
so that members differ; its sum over the year is what `Plan.mwh` says. Solar comes from the weather of the
station, standard hour for standard hour.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from energy.engine.community import Battery, Community, Floats, Member
from energy.engine.profiles import quarters
from energy.engine.pv import roofs
from energy.engine.weather import ReferenceYear, sky


@dataclass(frozen=True, slots=True)
class Plan:
    """A member to generate: profile name, use in MWh a year, roof (kW peak, tilt, azimuth), battery kWh,
    moved by quarters of an hour.
    """

    id: str
    name: str
    kind: str
    profile: str
    mwh: float
    pv_kwp: float = 0.0
    tilt: float = 20.0
    face: float = 180.0
    battery_kwh: float = 0.0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when: the year begins at local standard midnight, `utc_offset_h` hours ahead of UTC."""

    name: str
    currency: str
    timezone: str
    utc_offset_h: int
    year: int
    holidays: frozenset[tuple[int, int]]
    day_price: float
    night_price: float
    export_price: float
    co2_kg_per_kwh: float
    battery: Battery | None = None


def generate(
    plans: Sequence[Plan], setting: Setting, profiles: Mapping[str, Floats], weather: ReferenceYear, seed: int
) -> Community:
    """A community of a whole year in hours."""
    start = dt.datetime(setting.year, 1, 1, tzinfo=dt.UTC) - dt.timedelta(hours=setting.utc_offset_h)
    dice = np.random.default_rng(seed)
    laid = {
        name: quarters(profile, start, 365, setting.timezone, setting.holidays, dynamic=name == "h25")
        for name, profile in profiles.items()
    }
    load = np.array([_use(laid[p.profile], p, dice) for p in plans])
    watts = roofs(sky(weather, setting.year), np.array([p.tilt for p in plans]), np.array([p.face for p in plans]))
    made = watts / 1000 * np.array([[p.pv_kwp] for p in plans])
    local_hour = (np.arange(8760) % 24).astype(np.int64)
    day = (local_hour >= 7) & (local_hour < 22)
    return Community(
        name=setting.name,
        currency=setting.currency,
        timezone=setting.timezone,
        start=start,
        step_minutes=60,
        members=tuple(
            Member(
                p.id,
                p.name,
                p.kind,
                p.pv_kwp,
                Battery(p.battery_kwh, p.battery_kwh / 2) if p.battery_kwh else None,
            )
            for p in plans
        ),
        load_kwh=load,
        pv_kwh=made,
        import_price=np.where(day, setting.day_price, setting.night_price),
        export_price=np.full(8760, setting.export_price),
        co2_kg_per_kwh=np.full(8760, setting.co2_kg_per_kwh),
        battery=setting.battery,
    )


def _use(profile: Floats, plan: Plan, dice: np.random.Generator) -> Floats:
    """kWh an hour: the profile moved, each day scaled by a factor around one, the year's sum as planned."""
    hours = np.roll(profile, plan.moved).reshape(-1, 4).sum(axis=1)
    by_day = np.exp(dice.normal(0.0, 0.12, 365)).repeat(24)
    by_hour = np.exp(dice.normal(0.0, 0.10, 8760))
    use = hours * by_day * by_hour
    return np.asarray(use * (plan.mwh * 1000 / use.sum()))
