"""GeoJSON (RFC 7946, WGS 84): properties are read as OpenStreetMap tags, so `building`, `height`, `highway`,
`amenity` … work.

Files that this city wrote itself (layers/*.geojson) and common short names (`use`, `kind`, `foot`) are understood too,
and who imports may name others (`Asked.names`). A polygon that counts people is a cell of the population grid. A line's
nodes are its positions: streets that meet share a position.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from twin.engine import people
from twin.engine import tags as rules
from twin.engine.buildings import building, fill_heights
from twin.engine.crs import metric_epsg
from twin.engine.errors import Unreadable
from twin.engine.model import NOTHING_ASKED, Asked, CityModel, Geometry, Position, Properties, Thing, positions
from twin.engine.streets import Way, cut

Json: TypeAlias = Mapping[str, Any]

_ALSO = {
    "use": "building",
    "b": "building",
    "h": "height",
    "height_m": "height",
    "lv": "building:levels",
    "levels": "building:levels",
    "hw": "highway",
    "year": "start_date",
    "speed": "maxspeed",
    "speed_kmh": "maxspeed",
    "roof_shape": "roof:shape",
    "min_height_m": "min_height",
}
_DEGREES = ("CRS84", "4326", "4258")


def read(path: Path, name: str = "", asked: Asked = NOTHING_ASKED) -> CityModel:
    """The city model of a FeatureCollection. Raises `Unreadable`."""
    name = name or path.name
    document = _document(path, name)
    features = document["features"]
    model = CityModel(
        licence=str(document.get("licence") or ""),
        attribution=str(document.get("attribution") or ""),
        date=str(document.get("date") or ""),
    )
    found = _Found(model, asked)
    stem = name.removesuffix(".geojson")
    for number, feature in enumerate(features):
        where = f"{name}, feature {number}"
        try:
            _take(feature, where, f"{stem}-{number}", found)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, RecursionError) as fault:
            raise Unreadable("bad-coordinates", where, str(fault)[:120]) from fault
    if missing := [theirs for theirs in asked.names.values() if theirs not in found.named]:
        _all_named(missing, asked, name, bool(features))
    _settle(model, found)
    return model


def _document(path: Path, name: str) -> Json:
    """The file's collection. Raises `Unreadable`."""
    try:
        document = json.loads(path.read_bytes())
    except json.JSONDecodeError as fault:
        raise Unreadable("bad-json", f"{name}:{fault.lineno}", fault.msg) from fault
    except (UnicodeDecodeError, RecursionError) as fault:
        raise Unreadable("broken", name, str(fault)[:120]) from fault
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise Unreadable("unknown-format", name, "FeatureCollection?")
    system = json.dumps(document.get("crs"))
    if document.get("crs") and not any(code in system for code in _DEGREES):
        raise Unreadable("not-degrees", name, system[:120])
    return document


def _all_named(missing: list[str], asked: Asked, name: str, holds: bool) -> None:
    """Refuse a name that no feature has, when the file has none of the names that were asked for: a slip of the pen.
    One of several files need not hold them all.
    """
    theirs = [value for ours, value in asked.names.items() if ours != "epsg"]
    if holds and theirs and all(value in missing for value in theirs):
        raise Unreadable("no-column", name, ", ".join(theirs))


@dataclass(slots=True)
class _Found:
    """What the features have given so far; `nodes` numbers the positions of streets, `named` holds the asked names
    that were met.
    """

    model: CityModel
    asked: Asked = NOTHING_ASKED
    ways: list[Way] = field(default_factory=list)
    nodes: dict[Position, int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def origin(self) -> Properties:
        """Source and licence of a thing."""
        return {"source": "geojson", "licence": self.model.licence} if self.model.licence else {"source": "geojson"}


def _take(feature: Json, where: str, key: str, found: _Found) -> None:
    """Sort one feature into its layer."""
    model = found.model
    geometry = feature["geometry"]
    spots = [(round(float(x), 7), round(float(y), 7)) for x, y in positions(geometry)] if geometry else []
    kind = geometry["type"] if geometry else ""
    if not spots:
        model.skip("object", "no-geometry")
        return
    if wrong := next((spot for spot in spots if not (-180 <= spot[0] <= 180 and -90 <= spot[1] <= 90)), None):
        metres = 1000 < max(abs(wrong[0]), abs(wrong[1])) < 2e7  # false for NaN too
        raise Unreadable("not-degrees" if metres else "bad-coordinates", where, f"{wrong[0]}, {wrong[1]}")
    properties = feature.get("properties") or {}
    found.named.update(theirs for theirs in found.asked.names.values() if theirs in properties)
    tags = _tags(properties, found.asked)
    key = str(properties.get("id") or feature.get("id") or key).replace("/", "_")  # keys stand in addresses
    if kind in {"LineString", "MultiLineString"} and "highway" in tags and rules.road_class(tags):
        lines = [geometry["coordinates"]] if kind == "LineString" else geometry["coordinates"]
        for number, line in enumerate(lines):
            _line(key if number == 0 else f"{key}.{number}", tags, line, found)
    elif kind in {"Polygon", "MultiPolygon"}:
        _outline(key, tags, feature, where, found)
    elif kind == "Point" and (service := _service(tags)):
        _place(key, tags, service, list(spots[0]), found)
    elif kind == "Point" and (cell := _cell(key, feature, geometry, where, found)):
        model.people.append(cell)
    else:
        model.skip("object", "not-modelled")


def _line(key: str, tags: dict[str, str], points: list[Any], found: _Found) -> None:
    line = [(round(float(p[0]), 7), round(float(p[1]), 7)) for p in points]
    numbers = [found.nodes.setdefault(spot, len(found.nodes) + 1) for spot in line]
    found.ways.append(Way(key, tags, numbers, list(line), found.origin()))


def _cell(key: str, feature: Json, geometry: Geometry, where: str, found: _Found) -> Thing | None:
    properties = feature.get("properties") or {}
    said = people.told(properties, "id", found.asked)
    name = f"p{said}" if said else key
    return people.cell(name, geometry, properties, where, origin=found.origin(), asked=found.asked)


def _tags(properties: Json, asked: Asked = NOTHING_ASKED) -> dict[str, str]:
    """Properties as tags: true is "yes", numbers are written out, our own names are translated."""
    tags: dict[str, str] = {}
    ours = {name: properties[theirs] for name, theirs in asked.names.items() if theirs in properties}
    for name, value in (*ours.items(), *properties.items()):
        if value is None or isinstance(value, (dict, list)):
            continue
        text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        tags.setdefault(_ALSO.get(name, name), text)
    if properties.get("src") == "default" or properties.get("height_source") == "default":
        tags.pop("height", None)
    return tags


def _service(tags: Json) -> tuple[str, str] | None:
    if tags.get("kind") in rules.KINDS:
        return tags["kind"], tags.get("tag", tags["kind"])
    return rules.service(tags)


def _outline(key: str, tags: dict[str, str], feature: Json, where: str, found: _Found) -> None:
    """A polygon is a building when it has a use or a height, else green or water, else a cell of people; it may be a
    service besides.
    """
    geometry, model = feature["geometry"], found.model
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    if any(len(ring) < 4 for polygon in polygons for ring in polygon):
        model.skip("object", "no-outline")
        return
    outline = {
        "type": "MultiPolygon",
        "coordinates": [[[[round(p[0], 7), round(p[1], 7)] for p in ring] for ring in polygon] for polygon in polygons],
    }
    ground = rules.area(tags) or _ground(tags)
    kind = rules.service(tags)
    if tags.get("building", "no") != "no" or ("height" in tags and not ground):
        thing = building(key, tags, outline, found.origin())
        if (said := tags.get("height_source", tags.get("src"))) in {"tag", "levels", "measured", "geometry", "parts"}:
            thing.properties["height_source"] = said
        model.buildings.append(thing)
    elif ground:
        about = {"kind": ground[0], "tag": ground[1], "name": tags.get("name", ""), **found.origin()}
        model.areas.append(Thing(key, outline, about))
    elif cell := _cell(key, feature, outline, where, found):
        model.people.append(cell)
    elif not kind:
        model.skip("object", "not-modelled")
    if kind:
        from shapely.geometry import shape  # noqa: PLC0415 few polygons are services

        inside = shape(outline).representative_point()
        _place(key, tags, kind, [round(inside.x, 7), round(inside.y, 7)], found)


def _ground(tags: Json) -> tuple[str, str] | None:
    kind = {"park": "green", "green": "green", "water": "water"}.get(tags.get("kind", ""))
    return (kind, tags.get("tag", tags["kind"])) if kind else None


def _place(key: str, tags: Json, kind: tuple[str, str], at: list[float], found: _Found) -> None:
    about = {"kind": kind[0], "tag": kind[1], "name": tags.get("name", ""), **found.origin()}
    found.model.services.append(Thing(key, {"type": "Point", "coordinates": at}, about))


def _settle(model: CityModel, found: _Found) -> None:
    """Choose the metric system, cut the streets, fill unknown heights."""
    spot = next((p for way in found.ways for p in way.positions if p), None)
    things = [*model.buildings, *model.services, *model.areas, *model.people]
    if spot is None and things:
        spot = next(iter(positions(things[0].geometry)))
    if spot is not None:
        model.epsg = metric_epsg(*spot)
        cut(found.ways, model, found.asked.country)
    fill_heights(model)
