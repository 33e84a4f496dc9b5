"""What the energy and the carbon of a scenario rest on: each value with its bounds, its range and its source. No numpy.

`spread` is one standard deviation as a share of the value: how sure we are of it. The interval of a difference comes
from drawing these together (and the trips' of `twin.engine.demand`), the same draw for today and for the scenario.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from energy.engine.refusals import gettext_noop
from twin.engine.measures.base import Refused


@dataclass(frozen=True, slots=True)
class Supposed:
    """One assumption: our value, its bounds, how far one standard deviation is, its unit, and where it comes from."""

    name: str
    default: float
    low: float
    high: float
    spread: float
    label: str
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Energy:
    """The values in use."""

    buy_ct: float = 20.0
    sell_ct: float = 5.0
    cars_per_home: float = 0.5
    home_m2: float = 75.0
    car_km: float = 12_000.0
    car_kwh_per_km: float = 0.18
    power_kg_per_kwh: float = 0.21
    heat_kg_per_kwh: float = 0.15
    car_kg_per_km: float = 0.16
    days_a_year: float = 330.0


_OURS = gettext_noop("our assumption")
SUPPOSED: tuple[Supposed, ...] = (
    Supposed(
        "buy_ct", 20.0, 0, 200, 0.15, gettext_noop("Price of power today"), "ct/kWh",
        gettext_noop("our assumption: households of the EU paid about 20 to 30 ct in 2024, much of Finland less"),
    ),
    Supposed("sell_ct", 5.0, 0, 200, 0.25, gettext_noop("Paid for what is sent back today"), "ct/kWh", _OURS),
    Supposed("cars_per_home", 0.5, 0, 4, 0.1, gettext_noop("Cars of a home"), "", _OURS),
    Supposed("home_m2", 75.0, 10, 400, 0.05, gettext_noop("Floor of a home"), "m²", _OURS),
    Supposed(
        "car_km", 12_000.0, 0, 100_000, 0.1, gettext_noop("A car drives"), "km/year",
        gettext_noop("Eurostat: cars of the EU drive 11,000 to 13,000 km a year, rounded"),
    ),
    Supposed(
        "car_kwh_per_km", 0.18, 0.05, 0.6, 0.1, gettext_noop("An electric car takes"), "kWh/km",
        gettext_noop("WLTP values with a tenth for charging losses, rounded"),
    ),
    Supposed(
        "power_kg_per_kwh", 0.21, 0, 2, 0.35, gettext_noop("CO₂ of power"), "kg/kWh",
        gettext_noop("EEA, electricity of the EU in 2023; countries 0.03 to 0.7"),
    ),
    Supposed(
        "heat_kg_per_kwh", 0.15, 0, 1, 0.3, gettext_noop("CO₂ of heat"), "kg/kWh",
        gettext_noop("IPCC 2006: gas 0.20, oil 0.27; district heat lower"),
    ),
    Supposed(
        "car_kg_per_km", 0.16, 0, 1, 0.15, gettext_noop("CO₂ of a car"), "kg/km",
        gettext_noop("EEA, cars in use, at the tailpipe"),
    ),
    Supposed(
        "days_a_year", 330.0, 200, 365, 0.03, gettext_noop("Days of traffic like this in a year"), "",
        gettext_noop("our assumption: a weekend day counts as two thirds of a weekday"),
    ),
)  # fmt: skip
_BY_NAME = {each.name: each for each in SUPPOSED}
LOAD_SPREAD = 0.15
"""A district's use of power lies this near its benchmark, as one standard deviation (`floors`, `carbon`)."""
SUN_SPREAD = 0.05
"""One year's sun differs from the typical one by this much (`typical`)."""
TRIPS_SPREAD = 0.15
"""The trips of the hour are known to this, the passing ones to twice that: our assumption."""


def checked(given: Any) -> dict[str, float]:
    """What differs from ours, in order of names. Raises Refused."""
    if not isinstance(given, Mapping):
        raise Refused(gettext_noop("Assumptions are values by name."), field="assumptions")
    changed = {}
    for name in sorted(given):
        value, about = given[name], _BY_NAME.get(name)
        if about is None:
            raise Refused(
                gettext_noop("There is no assumption “%(name)s”; there are %(known)s."),
                field=str(name)[:40], name=str(name)[:40], known=", ".join(sorted(_BY_NAME)),
            )  # fmt: skip
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
        if not number or not about.low <= value <= about.high:
            raise Refused(
                gettext_noop("“%(name)s” must be a number from %(low)s to %(high)s, not “%(value)s”."),
                field=name, name=name, low=f"{about.low:g}", high=f"{about.high:g}", value=str(value)[:40],
            )  # fmt: skip
        if value != about.default:
            changed[name] = float(value)
    return changed


def energy(given: Mapping[str, float]) -> Energy:
    """The values with these in place of ours."""
    return Energy(**dict(given))


assert {each.name for each in fields(Energy)} == set(_BY_NAME)  # noqa: S101 the two tables name the same
