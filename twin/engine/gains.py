"""Who gains and who loses by a change of streets and services, building by building; and the bicycle beside walking.

A change makes a copy of the model: pieces of street closed, services added or taken away. Both are walked with the
same engine, and a building gains or loses where its minutes to the nearest service of a kind differ by more than half
a minute. A place that can no longer be reached over the network is told apart from one that is farther: its minutes
are infinite.

By bicycle at 15 km/h, door to door without parking, over the pieces of street that say that bicycles may ride there;
where no street says so there is no answer. Ways with one direction are ridden both ways: which of them are open to
bicycles against the traffic is not known.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from twin.engine import access as reckoner
from twin.engine.access import EVERYDAY
from twin.engine.district import DistrictAccess, access, anchor, places_m, way_graph
from twin.engine.model import CityModel, Thing

Floats: TypeAlias = NDArray[np.float64]

NOTICED_MIN = 0.5
BICYCLE_M_S = 15 / 3.6
LIMITS = (5, 10, 15)


@dataclass(frozen=True, slots=True)
class Gain:
    """How a kind of service came nearer or went farther: numbers of buildings, mean and worst change in minutes.

    `reached`: buildings that came within 15 minutes; `lost`: that fell out of them.
    """

    nearer: int
    farther: int
    same: int
    mean_min: float
    best_min: float
    worst_min: float
    reached: int
    lost: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two states of a district. `change_min[kind]` (in the order of `keys`): after minus before, below 0 is nearer;
    infinite where a kind was lost, minus infinite where it came. `city`: share of buildings with all seven
    everyday kinds within 5, 10 and 15 minutes, before and after.
    """

    keys: list[str]
    change_min: Mapping[str, Floats]
    by_kind: Mapping[str, Gain]
    city: Mapping[int, tuple[float | None, float | None]]


def changed(
    model: CityModel,
    *,
    closed: Collection[str] = (),
    added: Sequence[Thing] = (),
    removed: Collection[str] = (),
) -> CityModel:
    """A copy of the model with pieces of street closed to everybody, and services added and taken away."""
    shut, gone = frozenset(closed), frozenset(removed)
    return replace(
        model,
        streets=[street for street in model.streets if street.key not in shut],
        services=[*(service for service in model.services if service.key not in gone), *added],
    )


def compare(before: DistrictAccess, after: DistrictAccess) -> Comparison:
    """What changed for each building that both know; where a change leaves no street or no service, all is lost."""
    if before.keys and not after.keys:
        after = DistrictAccess(before.keys, {kind: np.full(len(before.keys), np.inf) for kind in before.minutes})
    place = {key: i for i, key in enumerate(after.keys)}
    both = [(i, place[key]) for i, key in enumerate(before.keys) if key in place]
    old, new = (np.array(side, dtype=np.int64) for side in (zip(*both, strict=True) if both else ((), ())))
    change, by_kind = {}, {}
    for kind in sorted(set(before.minutes) | set(after.minutes)):
        was = before.minutes[kind][old] if kind in before.minutes else np.full(len(old), np.inf)
        now = after.minutes[kind][new] if kind in after.minutes else np.full(len(old), np.inf)
        with np.errstate(invalid="ignore"):
            change[kind] = np.where(was == now, 0.0, now - was)
        by_kind[kind] = _gain(change[kind], was, now)
    city = {
        limit: (reckoner.all_within(before.minutes, limit), reckoner.all_within(after.minutes, limit))
        for limit in LIMITS
    }
    return Comparison([before.keys[i] for i in old], change, by_kind, city)


def _gain(change: Floats, was: Floats, now: Floats) -> Gain:
    nearer, farther = int((change < -NOTICED_MIN).sum()), int((change > NOTICED_MIN).sum())
    known = change[np.isfinite(change)]
    return Gain(
        nearer=nearer,
        farther=farther,
        same=len(change) - nearer - farther,
        mean_min=float(known.mean()) if len(known) else 0.0,
        best_min=float(change.min(initial=0.0)),
        worst_min=float(change.max(initial=0.0)),
        reached=int(((was > LIMITS[-1]) & (now <= LIMITS[-1])).sum()),
        lost=int(((was <= LIMITS[-1]) & (now > LIMITS[-1])).sum()),
    )


def gains(
    model: CityModel, *, closed: Collection[str] = (), added: Sequence[Thing] = (), removed: Collection[str] = ()
) -> Comparison:
    """The comparison of a model with its changed copy."""
    return compare(access(model), access(changed(model, closed=closed, added=added, removed=removed)))


def by_bicycle(model: CityModel) -> DistrictAccess | None:
    """Minutes by bicycle, like `district.access`; None where no street says that bicycles may ride there."""
    if not (model.buildings and model.services and any(s.properties.get("bicycle") for s in model.streets)):
        return None
    ways = way_graph(model, "bicycle")
    kinds = [service.properties["kind"] for service in model.services]
    homes = places_m(model, [anchor(building) for building in model.buildings])
    services = places_m(model, [service.geometry["coordinates"] for service in model.services])
    found = reckoner.minutes(ways, homes, services, kinds, BICYCLE_M_S)
    return DistrictAccess(
        keys=[building.key for building in model.buildings],
        minutes=found,
        summary=reckoner.reach(found, kinds),
        all_within_15=reckoner.all_within(found),
        nodes=len(ways.xy_m),
        edges=ways.lengths_m.nnz // 2,
        kept_share=ways.kept_share,
    )


def city_shares(found: Mapping[str, Floats], kinds: Sequence[str] = EVERYDAY) -> dict[int, float | None]:
    """The 5-, 10- and 15-minute city: the share of buildings with every one of these kinds that near."""
    return {limit: reckoner.all_within(found, limit, kinds) for limit in LIMITS}
