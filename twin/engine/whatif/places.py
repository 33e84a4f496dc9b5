"""The model of a changed city, its access and its heat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.engine import gains, heat
from twin.engine.crs import to_metres
from twin.engine.district import DistrictAccess, access, places_m
from twin.engine.measures.base import Changes, NewStreet
from twin.engine.model import CityModel, Thing
from twin.engine.tags import STOREY_M
from twin.engine.whatif import traffic

Floats: TypeAlias = NDArray[np.float64]

CROWN_M2 = 25.0
NEW = "new"
SHORTEST_M = 1.0


def model(before: CityModel, made: Changes, keys: Callable[[str], Sequence[str]]) -> CityModel:
    """The city under measures; the very same where nothing of it changes. Raises Refused."""
    after = before
    if made.buildings:
        after = replace(after, buildings=[_rebuilt(each, made.buildings.get(each.key)) for each in before.buildings])
    if made.streets:
        new = [_street(before, number, each) for number, each in enumerate(made.streets, 1)]
        after = replace(after, streets=[*after.streets, *new])
    rideable = {key for name, how in made.calmed if how.bicycle for key in keys(name)}
    if rideable:
        after = replace(after, streets=[_ridden(street, rideable) for street in after.streets])
    if made.services:
        fresh = [
            Thing(f"{NEW}{number}", {"type": "Point", "coordinates": [*at]}, {"kind": kind})
            for number, (kind, at) in enumerate(made.services, 1)
        ]
        after = replace(after, services=[*after.services, *fresh])
    return after


def _rebuilt(building: Thing, asked: dict[str, Any] | None) -> Thing:
    if not asked:
        return building
    about = {**building.properties, **asked}
    if "levels" in asked:
        about["height_m"] = max(float(asked["levels"]), 1.0) * STOREY_M
        about.pop("min_height_m", None)
    return replace(building, properties=about)


def _ridden(street: Thing, keys: set[str]) -> Thing:
    if street.key not in keys:
        return street
    return replace(street, properties={**street.properties, "bicycle": True})


def _street(before: CityModel, number: int, new: NewStreet) -> Thing:
    """A piece of street between the nodes nearest to both ends of those that people walk."""
    walked = [street for street in before.streets if street.properties.get("foot")]
    degrees: dict[int, list[float]] = {}
    for street in walked:
        line = street.geometry["coordinates"]
        degrees[street.properties["a"]], degrees[street.properties["b"]] = line[0][:2], line[-1][:2]
    nodes = list(degrees)
    at = places_m(before, [degrees[node] for node in nodes])
    a, b = traffic.nearest(before, at, (new.start, new.end))
    length = max(float(np.hypot(*(at[a] - at[b]))), SHORTEST_M)
    about = {
        "a": nodes[a], "b": nodes[b], "length_m": round(length, 1), "foot": True, "bicycle": True, "car": True,
        "class": "residential", "name": "", "bridge": new.bridge,
    }  # fmt: skip
    line = {"type": "LineString", "coordinates": [degrees[nodes[a]], degrees[nodes[b]]]}
    return Thing(f"{NEW}-street-{number}", line, about)


@dataclass(frozen=True, slots=True)
class Reached:
    """Minutes on foot and by bicycle."""

    foot: DistrictAccess
    bicycle: DistrictAccess | None


def reached(city: CityModel) -> Reached:
    """Both, as `access` and `gains` reckon them."""
    ridden = any(street.properties.get("bicycle") for street in city.streets)
    return Reached(access(city), gains.by_bicycle(city) if ridden else None)


def exposed(
    city: CityModel, shapes: Sequence[shapely.Geometry], made: Changes, planted: NDArray[np.bool_] | None
) -> heat.Heat:
    """How each building is exposed to heat, with new trees and planted roofs."""
    from twin.engine import sun  # noqa: PLC0415 loads ray casting

    assert city.epsg is not None  # noqa: S101 every reader sets it
    tall = np.array([float(b.properties.get("height_m") or 0) for b in city.buildings])
    green = [*sun.outlines(city.areas, city.epsg)]
    for (lon, lat), count in made.trees:
        x, y = to_metres(city.epsg)(np.array([lon]), np.array([lat]))
        green.append(shapely.Point(float(x[0]), float(y[0])).buffer(float(np.sqrt(count * CROWN_M2 / np.pi))))
    return heat.exposure(shapes, tall, green, planted=planted)
