"""CityJSON 1.1 and 2.0 (.city.json) and CityJSON text sequences (.city.jsonl), LoD 0 to 2.2.

The twin keeps of each building its footprint, height and levels of detail; the file itself is kept beside, so
its roofs are not lost. Footprint: the ground surfaces where the file names them, else all surfaces seen from
above. Height: `measuredHeight` where given (height_source "measured"), else the extent of the solid
("geometry"). Coordinates become WGS 84 by pyproj from `metadata.referenceSystem`, compound systems included; feet
become metres, and the model carries a remark that says so.
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
from twin.engine.model import NOTHING_ASKED, Asked, CityModel, Geometry, Properties, Thing

Floats: TypeAlias = NDArray[np.float64]
Json: TypeAlias = Mapping[str, Any]
Rings: TypeAlias = list[list[int]]

VERSIONS = ("1.1", "2.0")
_GROUND = {"PlantCover": "green", "WaterBody": "water"}
_FLAT_M2 = 0.01
_ROOFS = {
    "1000": "flat",
    "1010": "skillion",
    "1030": "gabled",
    "1040": "hipped",
    "1050": "half-hipped",
    "1060": "mansard",
    "1070": "pyramidal",
    "1080": "cone",
    "1090": "dome",
    "1100": "sawtooth",
    "1110": "round",
    "horizontal": "flat",
    "multiple horizontal": "flat",
}


class _Frame:
    """Coordinate system of a file: to degrees, and metres of one unit of height."""

    def __init__(self, reference: str, name: str) -> None:
        first = reference.split("&", 1)[0] if "crs-compound" in reference else reference
        match = re.search(r"EPSG(?:/|:)+(?:[\d.]*(?:/|:)+)?(\d+)\s*$", first)
        if not match:
            raise Unreadable("no-crs" if not reference else "bad-crs", name, reference)
        try:
            crs = CRS.from_epsg(int(match[1]))
            if not (crs.to_2d().is_projected or crs.to_2d().is_geographic):
                raise Unreadable("bad-crs", name, reference)
            self.to_degrees = Transformer.from_crs(crs.to_2d(), 4326, always_xy=True)
        except CRSError as fault:
            raise Unreadable("bad-crs", name, reference) from fault
        horizontal = crs.to_2d()
        axes = horizontal.axis_info
        self.xy_m = 1.0 if horizontal.is_geographic else axes[0].unit_conversion_factor
        vertical = crs.axis_info[2:3]
        self.z_m = vertical[0].unit_conversion_factor if vertical else self.xy_m
        self.unit = next((a.unit_name for a in crs.axis_info if "foot" in a.unit_name), "")
        self.flat = 1e-12 if horizontal.is_geographic else _FLAT_M2 / self.xy_m**2
        self.epsg = horizontal.to_epsg() if horizontal.is_projected and self.xy_m == 1.0 else None


def read(path: Path, name: str = "", asked: Asked = NOTHING_ASKED) -> CityModel:
    """The city model of a CityJSON file or sequence. Raises `Unreadable`."""
    name = name or path.name
    model = CityModel()
    frame: _Frame | None = None
    head: Json = {}
    for line, document in _documents(path, name):
        if document.get("type") == "CityJSON":
            head, frame = document, _head(document, name)
            model.date = str((document.get("metadata") or {}).get("referenceDate", ""))
            if frame.unit:
                model.remarks.append(("feet", name, frame.unit))
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
    try:
        text = path.read_text(encoding="utf-8", errors="strict") if path.stat().st_size else ""
    except UnicodeDecodeError as fault:
        raise Unreadable("broken", name, "UTF-8?") from fault
    lines = [text] if not path.name.endswith("l") and not name.endswith("l") else text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except json.JSONDecodeError as fault:
            spot = fault.lineno if len(lines) == 1 else number
            raise Unreadable("bad-json", f"{name}:{spot}", fault.msg) from fault
        except RecursionError as fault:
            raise Unreadable("broken", f"{name}:{number}", str(fault)[:120]) from fault
        if not isinstance(document, dict):
            raise Unreadable("unknown-format", name, type(document).__name__)
        yield number, document


def _head(document: Json, name: str) -> _Frame:
    version = str(document.get("version", ""))
    if not version.startswith(VERSIONS):
        raise Unreadable("bad-version", name, version)
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise Unreadable("broken", name, "metadata")
    return _Frame(str(metadata.get("referenceSystem") or ""), name)


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
        if not np.isfinite(points).all():
            raise ValueError("NaN")
        return points
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Unreadable("bad-coordinates", where, str(fault)[:120]) from fault


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


def _polygon(rings: Rings, points: Floats, flat_area: float) -> Polygon | None:
    """A surface seen from above, or None when it stands upright."""
    flat = [points[ring][:, :2] for ring in rings if len(ring) > 2]
    if not flat:
        return None
    polygon = Polygon(flat[0], flat[1:])
    return polygon if polygon.area > flat_area else None


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
            if (polygon := _polygon(rings, page.points, page.frame.flat)) is not None:
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
    model.buildings.append(Thing(key.replace("/", "_"), _degrees(outline, page, key), about))


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
        "levels": _number(attributes.get("storeysAboveGround") or attributes.get("b3_bouwlagen")),
        "year": int(_number(attributes.get("yearOfConstruction") or attributes.get("oorspronkelijkbouwjaar")) or 0),
        "roof_shape": _roof(attributes.get("roofType") or attributes.get("b3_dak_type") or attributes.get("dak_type")),
        "name": attributes.get("name"),
    }
    about.update({name: fact for name, fact in facts.items() if fact})
    return about


def _roof(said: Any) -> str | None:
    """The roof's shape by OpenStreetMap's name, from CityGML's code list or 3DBAG's words; else as it is written."""
    return _ROOFS.get(str(said), str(said)) if said else None


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
    model.areas.append(Thing(key.replace("/", "_"), _degrees(outline, page, key), about))


def _degrees(outline: BaseGeometry, page: _Page, key: str) -> Geometry:
    """The outline as a MultiPolygon in WGS 84 with seven decimals. Raises `Unreadable` when it is not on Earth."""
    polygons = [g for g in getattr(outline, "geoms", [outline]) if isinstance(g, Polygon)]
    flat = force_2d(MultiPolygon(polygons))
    turned = transform(flat, page.frame.to_degrees.transform, interleaved=False)
    if not np.isfinite(turned.bounds).all() or abs(turned.bounds[1]) > 90 or abs(turned.bounds[3]) > 90:
        x, y, *_rest = flat.bounds
        raise Unreadable("bad-coordinates", f"{page.where}, {key}", f"{x:.1f}, {y:.1f}")
    coordinates = mapping(turned)["coordinates"]
    rounded = [[[[round(x, 7), round(y, 7)] for x, y in ring] for ring in polygon] for polygon in coordinates]
    return {"type": "MultiPolygon", "coordinates": rounded}


def _settle(model: CityModel, frame: _Frame | None) -> None:
    """Choose the metric system and fill unknown heights."""
    fill_heights(model)
    if model.buildings:
        lon, lat = model.buildings[0].geometry["coordinates"][0][0][0]
        model.epsg = (frame.epsg if frame else None) or metric_epsg(lon, lat)
