"""GeoJSON (RFC 7946, WGS 84): properties are read as OpenStreetMap tags, so `building`, `height`, `highway`,
`amenity` … work.

Files that this city wrote itself (layers/*.geojson) and common short names (`use`, `kind`, `foot`) are
understood too. A line's nodes are its positions: streets that meet share a position.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from twin.engine import tags as rules
from twin.engine.buildings import building, fill_heights
from twin.engine.crs import metric_epsg
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel, Position, Thing, positions
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
}


def read(path: Path, name: str = "") -> CityModel:
    """The city model of a FeatureCollection. Raises `Unreadable`."""
    name = name or path.name
    try:
        document = json.loads(path.read_bytes())
    except json.JSONDecodeError as fault:
        raise Unreadable("bad-json", f"{name}:{fault.lineno}", fault.msg) from fault
    except UnicodeDecodeError as fault:
        raise Unreadable("broken", name, str(fault)) from fault
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise Unreadable("unknown-format", name, "FeatureCollection?")
    model = CityModel(
        licence=str(document.get("licence", "")),
        attribution=str(document.get("attribution", "")),
        date=str(document.get("date", "")),
    )
    found = _Found(model)
    stem = name.removesuffix(".geojson")
    for number, feature in enumerate(features):
        _take(feature, f"{name}, feature {number}", f"{stem}-{number}", found)
    _settle(model, found.ways)
    return model


@dataclass(slots=True)
class _Found:
    """What the features have given so far; `nodes` numbers the positions of streets."""

    model: CityModel
    ways: list[Way] = field(default_factory=list)
    nodes: dict[Position, int] = field(default_factory=dict)


def _take(feature: Json, where: str, key: str, found: _Found) -> None:
    """Sort one feature into its layer."""
    model = found.model
    try:
        geometry = feature["geometry"]
        spots = [(round(float(x), 7), round(float(y), 7)) for x, y in positions(geometry)] if geometry else []
        kind = geometry["type"] if geometry else ""
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
        raise Unreadable("bad-coordinates", where, str(fault)) from fault
    if not spots:
        model.skip("object", "no-geometry")
        return
    if any(not (-180 <= x <= 180 and -90 <= y <= 90) for x, y in spots):
        raise Unreadable("bad-coordinates", where, f"{spots[0]}")
    tags = _tags(feature.get("properties") or {})
    key = str((feature.get("properties") or {}).get("id") or feature.get("id") or key)
    if kind == "LineString" and "highway" in tags and rules.road_class(tags):
        line = [(round(float(p[0]), 7), round(float(p[1]), 7)) for p in geometry["coordinates"]]
        numbers = [found.nodes.setdefault(spot, len(found.nodes) + 1) for spot in line]
        found.ways.append(Way(key, tags, numbers, list(line)))
    elif kind in {"Polygon", "MultiPolygon"}:
        _outline(key, tags, geometry, model)
    elif kind == "Point" and (service := _service(tags)):
        _place(key, tags, service, list(spots[0]), model)
    else:
        model.skip("object", "not-modelled")


def _tags(properties: Json) -> dict[str, str]:
    """Properties as tags: true is "yes", numbers are written out, our own names are translated."""
    tags: dict[str, str] = {}
    for name, value in properties.items():
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


def _outline(key: str, tags: dict[str, str], geometry: Json, model: CityModel) -> None:
    """A polygon is a building when it has a use or a height, else green or water, and it may be a service
    besides.
    """
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    outline = {
        "type": "MultiPolygon",
        "coordinates": [[[[round(p[0], 7), round(p[1], 7)] for p in ring] for ring in polygon] for polygon in polygons],
    }
    ground = rules.area(tags) or _ground(tags)
    found = rules.service(tags)
    if tags.get("building", "no") != "no" or ("height" in tags and not ground):
        thing = building(key, tags, outline, "geojson")
        if (said := tags.get("height_source", tags.get("src"))) in {"tag", "levels", "measured", "geometry"}:
            thing.properties["height_source"] = said
        model.buildings.append(thing)
    elif ground:
        about = {"kind": ground[0], "tag": ground[1], "name": tags.get("name", ""), "source": "geojson"}
        model.areas.append(Thing(key, outline, about))
    elif not found:
        model.skip("object", "not-modelled")
    if found:
        from shapely.geometry import shape  # noqa: PLC0415 few polygons are services

        inside = shape(outline).representative_point()
        _place(key, tags, found, [round(inside.x, 7), round(inside.y, 7)], model)


def _ground(tags: Json) -> tuple[str, str] | None:
    kind = {"park": "green", "green": "green", "water": "water"}.get(tags.get("kind", ""))
    return (kind, tags.get("tag", tags["kind"])) if kind else None


def _place(key: str, tags: Json, found: tuple[str, str], at: list[float], model: CityModel) -> None:
    about = {"kind": found[0], "tag": found[1], "name": tags.get("name", ""), "source": "geojson"}
    model.services.append(Thing(key, {"type": "Point", "coordinates": at}, about))


def _settle(model: CityModel, ways: list[Way]) -> None:
    """Choose the metric system, cut the streets, fill unknown heights."""
    spot = next((p for way in ways for p in way.positions if p), None)
    things = [*model.buildings, *model.services, *model.areas]
    if spot is None and things:
        spot = next(iter(positions(things[0].geometry)))
    if spot is not None:
        model.epsg = metric_epsg(*spot)
        cut(ways, model)
    fill_heights(model)
