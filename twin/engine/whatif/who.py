"""Who gains and who loses: building by building, by use, by kind of member, and by age.

A building gains or loses where a figure of its own differs by more than people would notice (`NOTICED`). People of the
grid's cells are laid on the buildings of each cell by their floor of homes (`heat.spread`), so that ages can be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.engine import heat, sun
from twin.engine.model import CityModel, Thing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

FRONT_M = 60.0
"""A building stands on the nearest street for cars within this distance."""
QUIET_VEH = 10.0
"""Below this many vehicles an hour a street counts as having them: less cannot be told from silence."""
MEMBERS = {"home": "home", "mixed": "home"}
PUBLIC = frozenset({"school", "university", "hospital", "culture", "public", "station"})
AGES = ("under_15", "15_to_64", "over_65")


@dataclass(frozen=True, slots=True)
class Question:
    """A figure that every building has: unit, from which difference it is noticed, and whether more is better."""

    key: str
    unit: str
    noticed: float
    more_is_better: bool = False


ACCESS = Question("walk_min", "min", 0.5)
NOISE = Question("street_db", "dB", 1.0)
COST = Question("cost", "EUR", 1.0)
CUT = Question("outage_day", "%", 1.0, more_is_better=True)


def member(group: str) -> str:
    """The kind of member that a building of this use is: home, business or public."""
    return MEMBERS.get(group, "public" if group in PUBLIC else "business")


def fronts(model: CityModel, shapes: Sequence[shapely.Geometry]) -> Ints:
    """The number of the street for cars in front of each building (n,), -1 where none is near."""
    assert model.epsg is not None  # noqa: S101 every reader sets it
    found = np.full(len(shapes), -1, dtype=np.int64)
    cars = [i for i, street in enumerate(model.streets) if street.properties.get("car")]
    if not cars or not len(shapes):
        return found
    lines = sun_lines([model.streets[i] for i in cars], model.epsg)
    building, line = shapely.STRtree(lines).query_nearest(
        np.array([*shapes], dtype=object), max_distance=FRONT_M, all_matches=False
    )
    found[building] = np.array(cars, dtype=np.int64)[line]
    return found


def sun_lines(streets: Sequence[Thing], epsg: int) -> list[shapely.LineString]:
    """Their lines in metres."""
    from twin.engine.crs import to_metres  # noqa: PLC0415 one user

    sizes = [len(street.geometry["coordinates"]) for street in streets]
    flat = np.array([p[:2] for street in streets for p in street.geometry["coordinates"]], dtype=np.float64)
    xy = np.column_stack(to_metres(epsg)(flat[:, 0], flat[:, 1]))
    return [shapely.LineString(part) for part in np.split(xy, np.cumsum(sizes)[:-1])]


def decibels(before: Floats, after: Floats) -> Floats:
    """How much louder traffic is: ten times the logarithm of how many more vehicles there are."""
    return np.asarray(10 * np.log10(np.maximum(after, QUIET_VEH) / np.maximum(before, QUIET_VEH)))


def people(model: CityModel, shapes: Sequence[shapely.Geometry], home_floor_m2: Floats) -> dict[str, Floats] | None:
    """People of each age in each building (n,); None without a grid that says ages."""
    cells = [cell for cell in model.people if cell.geometry["type"] in {"Polygon", "MultiPolygon"}]
    cells = [cell for cell in cells if cell.properties.get("over_65") is not None]
    if not cells or model.epsg is None:
        return None
    at = sun.outlines([_multi(cell) for cell in cells], model.epsg)
    old = np.array([float(cell.properties.get("over_65") or 0) for cell in cells])
    young = np.array([float(cell.properties.get("under_15") or 0) for cell in cells])
    all_ = np.array([float(cell.properties.get("population") or 0) for cell in cells])
    found = {}
    for age, count in zip(AGES, (young, np.maximum(all_ - old - young, 0.0), old), strict=True):
        found[age] = heat.spread(at, count, shapes, home_floor_m2)[0]
    return found


def _multi(cell: Thing) -> Thing:
    if cell.geometry["type"] == "MultiPolygon":
        return cell
    return Thing(cell.key, {"type": "MultiPolygon", "coordinates": [cell.geometry["coordinates"]]}, cell.properties)


def rows(
    asked: Question, difference: Floats, groups: Sequence[str], ages: Mapping[str, Floats] | None
) -> list[dict[str, Any]]:
    """The table of one figure: by use, by kind of member, and by age where people are known."""
    known = np.isfinite(difference)
    sign = difference if asked.more_is_better else -difference
    gain, lose = known & (sign > asked.noticed), known & (sign < -asked.noticed)
    use = np.array(groups)
    kinds = np.array([member(group) for group in groups])
    found = []
    for by, names in (("use", use), ("member", kinds)):
        for name in sorted(set(names.tolist())):
            mine = (names == name) & known
            if mine.any():
                found.append(_row(asked, by, name, mine.astype(np.float64), (gain, lose, difference)))
    for age, count in (ages or {}).items():
        if (count[known] > 0).any():
            found.append(_row(asked, "age", age, np.where(known, count, 0.0), (gain, lose, difference)))
    return found


Moved: TypeAlias = tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]


def _row(asked: Question, by: str, name: str, weight: Floats, moved: Moved) -> dict[str, Any]:
    """`moved`: who gains, who loses, and by how much each differs."""
    gain, lose = (float(weight[which].sum()) for which in moved[:2])
    total = float(weight.sum())
    return {
        "by": by,
        "group": name,
        "count": round(total),
        "figure": asked.key,
        "unit": asked.unit,
        "gain": round(gain),
        "lose": round(lose),
        "same": round(total) - round(gain) - round(lose),
        "median": round(_median(moved[2], weight), 4),
    }


def _median(values: Floats, weight: Floats) -> float:
    """The weighted median."""
    mine = weight > 0
    order = np.argsort(values[mine], kind="stable")
    sums = np.cumsum(weight[mine][order])
    return float(values[mine][order][int(np.searchsorted(sums, sums[-1] / 2))])
