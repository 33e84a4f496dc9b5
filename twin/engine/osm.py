"""OpenStreetMap files (.osm.pbf, .osm, .osm.gz, .osm.bz2) read by pyosmium in one pass after its relation
pass.

Outlines are assembled by osmium itself: closed ways and multipolygon relations. An outline whose nodes are
not all in the file cannot be closed and is counted as skipped; a street is kept as far as the file reaches.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from twin.engine import tags as rules
from twin.engine.buildings import building, fill_heights, join_parts, part
from twin.engine.crs import metric_epsg
from twin.engine.errors import Unreadable
from twin.engine.model import NOTHING_ASKED, Asked, CityModel, Geometry, Position, Properties, Thing
from twin.engine.streets import Way, cut

LICENCE = "ODbL-1.0"
ATTRIBUTION = "© OpenStreetMap contributors"

_WANTED = (
    "building",
    "building:part",
    "highway",
    "amenity",
    "shop",
    "leisure",
    "railway",
    "landuse",
    "natural",
    "waterway",
)
_BEFORE_OSM = 2003
_OUTLINES = ("building", "building:part", "amenity", "shop", "leisure", "railway", "landuse", "natural", "waterway")


@dataclass(slots=True)
class _Found:
    """What has been met so far; `outlines` holds those not yet seen as an area."""

    model: CityModel
    ways: list[Way] = field(default_factory=list)
    parts: list[Properties] = field(default_factory=list)
    outlines: dict[str, dict[str, str]] = field(default_factory=dict)


def read(path: Path, name: str = "", asked: Asked = NOTHING_ASKED) -> CityModel:
    """The city model of an OpenStreetMap file. Raises `Unreadable`."""
    name = name or path.name
    model = CityModel(licence=LICENCE, attribution=ATTRIBUTION)
    found = _Found(model)
    try:
        newest = 0.0
        for thing in _objects(path):
            newest = max(newest, thing.timestamp.timestamp())
            _take(thing, found)
        model.date = _date(path, newest)
    except (RuntimeError, ValueError, OSError) as fault:
        raise Unreadable("broken", name, str(fault)) from fault
    for tags in found.outlines.values():
        if _what(tags):
            model.skip(_what(tags), "cut")
    if found.ways or model.buildings or model.services:
        model.epsg = metric_epsg(*_middle(found.ways, model))
        cut(found.ways, model, asked.country)
    fill_heights(model)
    join_parts(model, found.parts)
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


def _origin(thing: Any) -> Properties:
    """Source, licence, and the day of its last edit where the file keeps it."""
    origin: Properties = {"source": "osm", "licence": LICENCE}
    if (at := thing.timestamp).year > _BEFORE_OSM:
        origin["date"] = f"{at.year}-{at.month:02}-{at.day:02}"
    return origin


def _named(tags: dict[str, str], origin: Properties) -> Properties:
    return {"name": tags.get("name", ""), **origin}


def _take(thing: Any, found: _Found) -> None:
    """Sort one object of the file into its layer."""
    tags: dict[str, str] = dict(thing.tags)
    model, outlines = found.model, found.outlines
    if thing.is_node():
        if kind := rules.service(tags):
            at = _round(thing.location.lon, thing.location.lat)
            _add_service(model, f"n{thing.id}", kind, at, _named(tags, _origin(thing)))
    elif thing.is_way():
        key = f"w{thing.id}"
        if "highway" in tags:  # a square's outline too: people walk around it where no path is drawn across
            _take_way(thing, key, tags, found)
        outlines[key] = tags
    elif thing.is_relation():
        if tags.get("type") == "multipolygon":
            outlines[f"r{thing.id}"] = tags
    elif thing.is_area():
        key = f"{'w' if thing.from_way() else 'r'}{thing.orig_id()}"
        outlines.pop(key, None)
        _take_area(key, tags, thing, found)


def _take_way(thing: Any, key: str, tags: dict[str, str], found: _Found) -> None:
    if rules.road_class(tags) is None:
        found.model.skip("street", "not-a-street")
        return
    at: list[Position | None] = [
        (round(n.lon, 7), round(n.lat, 7)) if n.location.valid() else None for n in thing.nodes
    ]
    found.ways.append(Way(key, tags, [n.ref for n in thing.nodes], at, _origin(thing)))


def _take_area(key: str, tags: dict[str, str], thing: Any, found: _Found) -> None:
    model, outline, origin = found.model, _outline(thing), _origin(thing)
    if tags.get("building", "no") != "no":
        model.buildings.append(building(key, tags, outline, origin))
    elif tags.get("building:part", "no") != "no":
        found.parts.append(part(tags, outline))
    if kind := rules.service(tags):
        from shapely.geometry import shape  # noqa: PLC0415 few areas are services

        inside = shape(outline).representative_point()
        _add_service(model, key, kind, _round(inside.x, inside.y), _named(tags, origin))
    if ground := rules.area(tags):
        about = {"kind": ground[0], "tag": ground[1], "name": tags.get("name", ""), **origin}
        model.areas.append(Thing(key, outline, about))


def _add_service(model: CityModel, key: str, kind: tuple[str, str], at: list[float], more: Properties) -> None:
    about = {"kind": kind[0], "tag": kind[1], **more}
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
