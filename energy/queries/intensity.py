"""What a kWh in a place cost and caused at a time: price, CO2 of the grid, and how much the spare local sun covered."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from commons.places.models import Place
from energy.models import CommunityVersion
from energy.queries import public
from energy.queries.communities import community_of
from energy.queries.hours import SLOT_LOAD_KW, locate


@dataclass(frozen=True, slots=True)
class Moment:
    """One step: price in the community's currency for a kWh from the grid, kg of CO2 for it, and the share of a load of
    1 kW that the sun to spare would cover (as `surplus` has it). None: the data do not say."""

    start: dt.datetime
    end: dt.datetime
    price: float | None
    co2_kg: float | None
    solar: float | None


@dataclass(frozen=True, slots=True)
class Intensity:
    """The steps of a time, and which data they are from. `exact`: these very hours, not the same of the data's year."""

    moments: Sequence[Moment]
    currency: str
    community: str
    version: int
    sha256: str
    exact: bool
    demo: bool


def intensity(place: Place, start: dt.datetime, end: dt.datetime) -> Intensity | None:
    """What holds in the place's community from `start` until `end`; None where it has no data."""
    found = community_of(place)
    version = public.version(found, None) if found else None
    if version is None or end <= start:
        return None
    step = dt.timedelta(minutes=version.step_minutes)
    names = ("import_price", "co2", "load", "pv")
    curves = public.curves(version, None, *names)
    at = start - (start - version.start) % step
    moments, exact = [], True
    while at < end:
        where = locate(version, at)
        if where is None:
            moments.append(Moment(at, at + step, None, None, None))
        else:
            exact = exact and where.exact
            price, co2, load, made = (_at(curves.get(name), where.index) for name in names)
            moments.append(Moment(at, at + step, price, co2, _solar(made, load, version)))
        at += step
    return Intensity(
        moments, version.currency, version.community.slug, version.number, version.content_sha256, exact, version.demo
    )


def _at(series: Sequence[float] | None, index: int) -> float | None:
    return series[index] if series is not None and index < len(series) else None


def _solar(made: float | None, load: float | None, version: CommunityVersion) -> float | None:
    if made is None or load is None:
        return None
    spare_kw = (made - load) / (version.step_minutes / 60)
    return min(1.0, max(0.0, spare_kw / SLOT_LOAD_KW))
