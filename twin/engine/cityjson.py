"""CityJSON 1.1 and 2.0 (.city.json) and CityJSON text sequences (.city.jsonl), LoD 0 to 2.2.

The twin keeps of each building its footprint, height and levels of detail; the file itself is kept beside, so
its roofs are not lost. Footprint: the ground surfaces where the file names them, else all surfaces seen from
above. Height: `measuredHeight` where given (height_source "measured"), else the extent of the solid
("geometry"). Coordinates become WGS 84 by pyproj from `metadata.referenceSystem`, feet included.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely import force_2d, transform
from shapely.geometry import MultiPolygon, Polygon, mapping
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from twin.engine.buildings import fill_heights
from twin.engine.crs import metric_epsg
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel, Geometry, Properties, Thing

Floats: TypeAlias = NDArray[np.float64]
Json: TypeAlias = Mapping[str, Any]
Rings: TypeAlias = list[list[int]]

VERSIONS = ("1.1", "2.0")
_GROUND = {"PlantCover": "green", "WaterBody": "water"}
_FLAT_M2 = 0.01


class _Frame:
    """Coordinate system of a file: to degrees, and metres of one unit of height."""

    def __init__(self, reference: str, name: str) -> None:
        match = re.search(r"EPSG(?:/|:)+(?:[\d.]*(?:/|:)+)?(\d+)\s*$", reference)
        if not match:
            raise Unreadable("no-crs" if not reference else "bad-crs", name, reference)
        try:
            crs = CRS.from_epsg(int(match[1]))
            self.to_degrees = Transformer.from_crs(crs.to_2d(), 4326, always_xy=True)
        except CRSError as fault:
            raise Unreadable("bad-crs", name, reference) from fault
        horizontal = crs.to_2d()
        axes = horizontal.axis_info
        self.xy_m = 1.0 if horizontal.is_geographic else axes[0].unit_conversion_factor
        vertical = crs.axis_info[2:3]
        self.z_m = vertical[0].unit_conversion_factor if vertical else self.xy_m
        self.epsg = horizontal.to_epsg() if horizontal.is_projected and self.xy_m == 1.0 else None


def read(path: Path, name: str = "") -> CityModel:
    """The city model of a CityJSON file or sequence. Raises `Unreadable`."""
    name = name or path.name
    model = CityModel()
    frame: _Frame | None = None
    head: Json = {}
    for line, document in _documents(path, name):
        if document.get("type") == "CityJSON":
            head, frame = document, _head(document, name)
            model.date = str(document.get("metadata", {}).get("referenceDate", ""))
        elif document.get("type") != "CityJSONFeature" or frame is None:
            raise Unreadable("unknown-format", f"{name}:{line}", str(document.get("type"))[:60])
        assert frame is not None  # noqa: S101 set by the first document
        where = f"{name}:{line}" if line > 1 else name
        try:
            _take(document, head, frame, model, where)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as fault:
            raise Unreadable("broken", where, str(fault)) from fault
    if not head:
        raise Unreadable("empty", name)
    _settle(model, frame)
    return model


@dataclass(frozen=True, slots=True)
class _Page:
    """One document's points (n, 3), how they are meant, and where it stands."""

    points: Floats
    frame: _Frame
    where: str


def _documents(path: Path, name: str) -> Iterator[tuple[int, Json]]:
    """Each JSON document of the file with its line."""
    text = path.read_text(encoding="utf-8", errors="strict") if path.stat().st_size else ""
    lines = [text] if not path.name.endswith("l") and not name.endswith("l") else text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except json.JSONDecodeError as fault:
            spot = fault.lineno if len(lines) == 1 else number
            raise Unreadable("bad-json", f"{name}:{spot}", fault.msg) from fault
        if not isinstance(document, dict):
            raise Unreadable("unknown-format", name, type(document).__name__)
        yield number, document


def _head(document: Json, name: str) -> _Frame:
    version = str(document.get("version", ""))
    if not version.startswith(VERSIONS):
        raise Unreadable("bad-version", name, version)
    return _Frame(str(document.get("metadata", {}).get("referenceSystem", "")), name)


def _take(document: Json, head: Json, frame: _Frame, model: CityModel, where: str) -> None:
    """Read the objects of one document; parts of a building are joined to it."""
    objects: Json = document.get("CityObjects", {})
    page = _Page(_points(document, head, where), frame, where)
    parts: dict[str, list[str]] = defaultdict(list)
    for key, thing in objects.items():
        if thing.get("type") == "BuildingPart":
            parts[(thing.get("parents") or [key])[0]].append(key)
    for key, thing in objects.items():
        kind = thing.get("type", "")
        if kind == "Building":
            members = [thing, *(objects[part] for part in parts.get(key, ()))]
            _building(key, members, page, model)
        elif kind in _GROUND:
            _ground(key, thing, page, model)
        elif kind != "BuildingPart":
            model.skip(kind or "object", "not-modelled")


def _points(document: Json, head: Json, where: str) -> Floats:
    """Vertices (n, 3) in the file's system."""
    try:
        raw = np.array(document.get("vertices", []), dtype=float).reshape(-1, 3)
        t: Json = document.get("transform") or head.get("transform") or {"scale": [1, 1, 1], "translate": [0, 0, 0]}
        points: Floats = raw * np.array(t["scale"], dtype=float) + np.array(t["translate"], dtype=float)
        return points
    except (ValueError, TypeError, KeyError) as fault:
        raise Unreadable("bad-coordinates", where, str(fault)) from fault


def _surfaces(geometry: Json) -> Iterator[tuple[Rings, str]]:
    """Each surface of a geometry (rings of vertex indices) with its semantic type or ""."""
    depth = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}.get(
        geometry.get("type", "")
    )
    if depth is None:
        return
    semantics: Json = geometry.get("semantics") or {}
    names = [s.get("type", "") for s in semantics.get("surfaces", [])]
    nested, values = geometry.get("boundaries", []), semantics.get("values")
    for _ in range(depth):
        values = [v for shell in values for v in (shell or [])] if values else None
        nested = [surface for shell in nested for surface in shell]
    for i, surface in enumerate(nested):
        value = values[i] if values and i < len(values) else None
        yield surface, names[value] if isinstance(value, int) and value < len(names) else ""


def _polygon(rings: Rings, points: Floats) -> Polygon | None:
    """A surface seen from above, or None when it stands upright."""
    flat = [points[ring][:, :2] for ring in rings if len(ring) > 2]
    if not flat:
        return None
    polygon = Polygon(flat[0], flat[1:])
    return polygon if polygon.area > _FLAT_M2 else None


def _checked(key: str, rings: Rings, n: int, where: str) -> None:
    for ring in rings:
        if not all(isinstance(i, int) and 0 <= i < n for i in ring):
            wrong = next(i for i in ring if not (isinstance(i, int) and 0 <= i < n))
            raise Unreadable("bad-index", f"{where}, {key}", f"{wrong} / {n}")


def _shape(key: str, geometries: Sequence[Json], page: _Page) -> tuple[BaseGeometry, float, float]:
    """The outline from above and the lowest and highest z of some geometries."""
    ground: list[Polygon] = []
    every: list[Polygon] = []
    used: list[NDArray[np.int64]] = []
    for geometry in geometries:
        for rings, name in _surfaces(geometry):
            _checked(key, rings, len(page.points), page.where)
            used.extend(np.array(ring) for ring in rings if ring)
            if (polygon := _polygon(rings, page.points)) is not None:
                every.append(polygon)
                if name == "GroundSurface":
                    ground.append(polygon)
    if not used:
        return Polygon(), 0.0, 0.0
    z = page.points[np.concatenate(used), 2]
    outline = unary_union([p.buffer(0) for p in ground or every])
    return outline, float(z.min()), float(z.max())


def _building(key: str, members: Sequence[Json], page: _Page, model: CityModel) -> None:
    everything = [g for member in members for g in member.get("geometry", [])]
    lods = sorted({str(g.get("lod", "")) for g in everything})
    if not lods:
        model.skip("building", "no-geometry")
        return
    best = [g for g in everything if str(g.get("lod", "")) == lods[-1]]
    outline, low, high = _shape(key, best, page)
    if outline.is_empty:
        model.skip("building", "no-outline")
        return
    attributes: Json = members[0].get("attributes", {})
    about = _described(attributes, (high - low) * page.frame.z_m)
    about.update({"lod": lods[-1], "lods": lods, "source": "cityjson"})
    model.buildings.append(Thing(key, _degrees(outline, page.frame), about))


def _described(attributes: Json, extent_m: float) -> Properties:
    """Use, height, storeys and year by the names that CityJSON and 3DBAG give them."""
    measured = _number(attributes.get("measuredHeight"))
    height, known = (
        (measured, "measured") if measured else (extent_m, "geometry") if extent_m > 0 else (None, "default")
    )
    if (said := attributes.get("heightSource")) in {"tag", "levels", "default"}:
        height, known = (None if said == "default" else height), said
    about: Properties = {
        "use": str(attributes.get("function") or attributes.get("usage") or "yes"),
        "height_m": None if height is None else round(height, 1),
        "height_source": known,
    }
    facts = {
        "levels": _number(attributes.get("storeysAboveGround")),
        "year": int(_number(attributes.get("yearOfConstruction") or attributes.get("oorspronkelijkbouwjaar")) or 0),
        "roof": attributes.get("roofType") or attributes.get("dak_type"),
        "name": attributes.get("name"),
    }
    about.update({name: fact for name, fact in facts.items() if fact})
    return about


def _number(value: Any) -> float | None:
    try:
        return float(value) or None
    except (TypeError, ValueError):
        return None


def _ground(key: str, thing: Json, page: _Page, model: CityModel) -> None:
    outline, _low, _high = _shape(key, thing.get("geometry", [])[-1:], page)
    if outline.is_empty:
        model.skip("area", "no-outline")
        return
    about = {"kind": _GROUND[thing["type"]], "tag": thing["type"], "name": "", "source": "cityjson"}
    model.areas.append(Thing(key, _degrees(outline, page.frame), about))


def _degrees(outline: BaseGeometry, frame: _Frame) -> Geometry:
    """The outline as a MultiPolygon in WGS 84 with seven decimals."""
    polygons = [g for g in getattr(outline, "geoms", [outline]) if isinstance(g, Polygon)]
    flat = force_2d(MultiPolygon(polygons))
    turned = transform(flat, frame.to_degrees.transform, interleaved=False)
    coordinates = mapping(turned)["coordinates"]
    rounded = [[[[round(x, 7), round(y, 7)] for x, y in ring] for ring in polygon] for polygon in coordinates]
    return {"type": "MultiPolygon", "coordinates": rounded}


def _settle(model: CityModel, frame: _Frame | None) -> None:
    """Choose the metric system and fill unknown heights."""
    fill_heights(model)
    if model.buildings:
        lon, lat = model.buildings[0].geometry["coordinates"][0][0][0]
        model.epsg = (frame.epsg if frame else None) or metric_epsg(lon, lat)
