"""Where people live: cells of a grid, from GeoJSON polygons or from a table (.csv) of the cells' middles.

A cell has `population` and, where the file says them, `over_65` and `under_15`. Files that count by tens of years (the
population grid of Helsinki's region: `ika0_9`, `ika10_19` …) give both as an estimate that halves the class across the
limit; it is marked "estimated". Where the ages add up to far more than the people, the file hides them (small cells),
and they are left out. Coordinates of a table are degrees, or metres of the system that `epsg` names.
"""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from twin.engine.crs import metric_epsg
from twin.engine.errors import Reason, Unreadable
from twin.engine.model import NOTHING_ASKED, Asked, CityModel, Geometry, Properties, Thing

Columns: TypeAlias = Mapping[str, Any]

NAMES: Mapping[str, tuple[str, ...]] = {
    "population": ("population", "asukkaita", "inhabitants", "people", "pop", "vaesto"),
    "over_65": ("over_65", "y_ge65", "age_65_plus"),
    "under_15": ("under_15", "y_lt15", "age_0_14"),
    "heat_exposure": ("heat_exposure", "averageheatexposure"),
    "lon": ("lon", "longitude", "lng", "x"),
    "lat": ("lat", "latitude", "y"),
    "id": ("id", "cell", "index", "grd_id"),
}
_OLD = (("ika_yli80", 1.0), ("ika70_79", 1.0), ("ika60_69", 0.5))
_YOUNG = (("ika0_9", 1.0), ("ika10_19", 0.5))


def told(about: Columns, name: str, asked: Asked = NOTHING_ASKED) -> Any:
    """What the properties or columns say of one of `NAMES`, under the asked name or one of the usual ones, or None."""
    low = {str(column).strip().lower(): value for column, value in about.items()}
    names = (asked.names[name].lower(),) if name in asked.names else NAMES[name]
    return next((low[other] for other in names if low.get(other) not in (None, "")), None)


def number(value: Any, where: str, name: str) -> float:
    """A count of people. Raises `Unreadable` when it is none."""
    try:
        found = float(str(value).replace(",", ".").replace("\u00a0", "").replace(" ", ""))
    except ValueError:
        found = math.nan
    if not (0 <= found < math.inf):
        raise Unreadable("bad-number", where, f"{name}: {str(value)[:40]}")
    return found


def cell(
    key: str, geometry: Geometry, about: Columns, where: str, *, origin: Properties, asked: Asked = NOTHING_ASKED
) -> Thing | None:
    """The cell that these properties tell of, or None when they do not count people. Raises `Unreadable`."""
    said = told(about, "population", asked)
    if said is None:
        return None
    population = number(said, where, "population")
    properties: Properties = {"population": population, **origin}
    for name in ("over_65", "under_15"):
        if (value := told(about, name, asked)) is not None:
            properties[name], properties[f"{name}_source"] = number(value, where, name), "tag"
    if "over_65" not in properties and (ages := _ages(about, population)):
        for name, classes in (("over_65", _OLD), ("under_15", _YOUNG)):
            properties[name] = round(sum(ages.get(column, 0.0) * part for column, part in classes), 1)
            properties[f"{name}_source"] = "estimated"
    if (heat := told(about, "heat_exposure", asked)) is not None:
        properties["heat_exposure"] = round(number(heat, where, "heat_exposure"), 4)
    return Thing(key, geometry, properties)


def _ages(about: Columns, population: float) -> dict[str, float]:
    """People by class of age, or nothing where the file has or shows none."""
    found = {str(k): v for k, v in about.items() if str(k).startswith("ika") and isinstance(v, (int, float))}
    whole = sum(found.values())
    shown = found and min(found.values()) >= 0 and 0.9 * population <= whole <= 1.1 * population + 1
    return found if shown else {}


def read(path: Path, name: str = "", asked: Asked = NOTHING_ASKED) -> CityModel:
    """The cells of a table, each a point. Raises `Unreadable`."""
    name = name or path.name
    model = CityModel()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Unreadable("broken", name, "UTF-8?") from fault
    head = text.split("\n", 1)[0]
    rows = csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=head.count))
    columns = dict.fromkeys(rows.fieldnames or (), "?")
    for wanted in ("lon", "lat", "population"):
        if told(columns, wanted, asked) is None:
            raise Unreadable("no-column", name, asked.names.get(wanted, wanted))
    at = _Places(name, asked)
    try:
        for line, row in enumerate(rows, 2):
            where = f"{name}:{line}"
            spot = at.degrees(told(row, "lon", asked), told(row, "lat", asked), where)
            key = f"p{told(row, 'id', asked) or line}".replace("/", "_")
            origin: Properties = {"source": "csv"}
            geometry = {"type": "Point", "coordinates": list(spot)}
            if (found := cell(key, geometry, row, where, origin=origin, asked=asked)) is None:
                model.skip("people", "no-number")
                continue
            model.people.append(found)
            model.epsg = model.epsg or metric_epsg(*spot)
    except csv.Error as fault:
        raise Unreadable("broken", name, str(fault)) from fault
    return model


class _Places:
    """Where a row of the table lies: degrees as written, or metres of the system that was asked for."""

    def __init__(self, name: str, asked: Asked) -> None:
        self.turn: Any = None
        if code := asked.names.get("epsg"):
            from pyproj import Transformer  # noqa: PLC0415 opens its database
            from pyproj.exceptions import CRSError  # noqa: PLC0415 with it

            try:
                self.turn = Transformer.from_crs(int(code), 4326, always_xy=True).transform
            except (CRSError, ValueError) as fault:
                raise Unreadable("bad-crs", name, code) from fault

    def degrees(self, x: Any, y: Any, where: str) -> tuple[float, float]:
        """Longitude and latitude with seven decimals. Raises `Unreadable`."""
        try:
            lon, lat = float(str(x).replace(",", ".")), float(str(y).replace(",", "."))
        except ValueError as fault:
            raise Unreadable("bad-coordinates", where, f"{x}, {y}") from fault
        if self.turn is not None:
            lon, lat = self.turn(lon, lat)
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            finite = math.isfinite(lon) and math.isfinite(lat)
            reason: Reason = "not-degrees" if self.turn is None and finite else "bad-coordinates"
            raise Unreadable(reason, where, f"{x}, {y}")
        return round(lon, 7), round(lat, 7)
