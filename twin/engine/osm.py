"""OpenStreetMap files (.osm.pbf, .osm, .osm.gz, .osm.bz2) read by pyosmium in one pass after its relation
pass.

Outlines are assembled by osmium itself: closed ways and multipolygon relations. An outline whose nodes are
not all in the file cannot be closed and is counted as skipped; a street is kept as far as the file reaches.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import osmium

from twin.engine import tags as rules
from twin.engine.buildings import building, fill_heights
from twin.engine.crs import metric_epsg
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel, Geometry, Position, Thing
from twin.engine.streets import Way, cut

LICENCE = "ODbL-1.0"
ATTRIBUTION = "© OpenStreetMap contributors"

_WANTED = ("building", "highway", "amenity", "shop", "leisure", "railway", "landuse", "natural", "waterway")
_OUTLINES = ("building", "amenity", "shop", "leisure", "railway", "landuse", "natural", "waterway")


def read(path: Path, name: str = "") -> CityModel:
    """The city model of an OpenStreetMap file. Raises `Unreadable`."""
    name = name or path.name
    model = CityModel(licence=LICENCE, attribution=ATTRIBUTION)
    ways: list[Way] = []
    outlines: dict[str, dict[str, str]] = {}
    try:
        newest = 0.0
        for thing in _objects(path):
            newest = max(newest, thing.timestamp.timestamp())
            _take(thing, model, ways, outlines)
        model.date = _date(path, newest)
    except (RuntimeError, ValueError, OSError) as fault:
        raise Unreadable("broken", name, str(fault)) from fault
    for tags in outlines.values():
        if _what(tags):
            model.skip(_what(tags), "cut")
    if ways or model.buildings or model.services:
        model.epsg = metric_epsg(*_middle(ways, model))
        cut(ways, model)
    fill_heights(model)
    return model


def _objects(path: Path) -> Iterator[Any]:
    keys = osmium.filter.KeyFilter(*_WANTED)
    outlines = osmium.filter.KeyFilter(*_OUTLINES)
    return iter(osmium.FileProcessor(str(path)).with_locations().with_areas(outlines).with_filter(keys))


def _date(path: Path, newest: float) -> str:
    """The time that the file says it stands for, else that of its newest edit, else ""."""
    header = osmium.io.Reader(str(path)).header()
    stated = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    return str(stated or (dt.datetime.fromtimestamp(newest, dt.UTC).isoformat() if newest > 0 else ""))


def _take(thing: Any, model: CityModel, ways: list[Way], outlines: dict[str, dict[str, str]]) -> None:
    """Sort one object of the file into its layer; `outlines` holds those not yet seen as an area."""
    tags: dict[str, str] = dict(thing.tags)
    if thing.is_node():
        if found := rules.service(tags):
            _add_service(model, f"n{thing.id}", tags, found, _round(thing.location.lon, thing.location.lat))
    elif thing.is_way():
        key = f"w{thing.id}"
        if "highway" in tags:  # a square's outline too: people walk around it where no path is drawn across
            _take_way(thing, key, tags, model, ways)
        outlines[key] = tags
    elif thing.is_relation():
        if tags.get("type") == "multipolygon":
            outlines[f"r{thing.id}"] = tags
    elif thing.is_area():
        key = f"{'w' if thing.from_way() else 'r'}{thing.orig_id()}"
        outlines.pop(key, None)
        _take_area(key, tags, _outline(thing), model)


def _take_way(thing: Any, key: str, tags: dict[str, str], model: CityModel, ways: list[Way]) -> None:
    if rules.road_class(tags) is None:
        model.skip("street", "not-a-street")
        return
    at: list[Position | None] = [
        (round(n.lon, 7), round(n.lat, 7)) if n.location.valid() else None for n in thing.nodes
    ]
    ways.append(Way(key, tags, [n.ref for n in thing.nodes], at))


def _take_area(key: str, tags: dict[str, str], outline: Geometry, model: CityModel) -> None:
    if tags.get("building", "no") != "no":
        model.buildings.append(building(key, tags, outline, "osm"))
    if found := rules.service(tags):
        from shapely.geometry import shape  # noqa: PLC0415 few areas are services

        inside = shape(outline).representative_point()
        _add_service(model, key, tags, found, _round(inside.x, inside.y))
    if ground := rules.area(tags):
        about = {"kind": ground[0], "tag": ground[1], "name": tags.get("name", ""), "source": "osm"}
        model.areas.append(Thing(key, outline, about))


def _add_service(model: CityModel, key: str, tags: dict[str, str], found: tuple[str, str], at: list[float]) -> None:
    about = {"kind": found[0], "tag": found[1], "name": tags.get("name", ""), "source": "osm"}
    model.services.append(Thing(key, {"type": "Point", "coordinates": at}, about))


_FACTORY = osmium.geom.GeoJSONFactory()


def _outline(area: Any) -> Geometry:
    """A MultiPolygon with seven decimals."""
    raw = json.loads(_FACTORY.create_multipolygon(area))["coordinates"]
    rounded = [[[_round(*at) for at in ring] for ring in polygon] for polygon in raw]
    return {"type": "MultiPolygon", "coordinates": rounded}


def _round(lon: float, lat: float) -> list[float]:
    return [round(lon, 7), round(lat, 7)]


def _what(tags: dict[str, str]) -> str:
    """What an outline would have been."""
    if tags.get("building", "no") != "no":
        return "building"
    if "highway" in tags:
        return ""
    return "service" if rules.service(tags) else "area" if rules.area(tags) else ""


def _middle(ways: list[Way], model: CityModel) -> Position:
    """Any position of the file: a district does not span zones."""
    for way in ways:
        for position in way.positions:
            if position is not None:
                return position
    for thing in [*model.services, *model.buildings]:
        coordinates = thing.geometry["coordinates"]
        while isinstance(coordinates[0], list):
            coordinates = coordinates[0]
        return coordinates[0], coordinates[1]
    raise Unreadable("broken", "", "no position")
