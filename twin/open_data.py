"""The layers of each district as whole files: CSV, GeoJSON, Parquet, and buildings as CityJSON 2.0; and a week of the
public devices.

Each is written row by row from one version; nothing is held but a batch.
"""

import datetime as dt
import importlib.util
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

import orjson
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from commons import csv_files
from commons.devices import channels
from commons.sockets import DataDoor, DataForm, PublicData
from twin import queries
from twin.models import Thing
from twin.ogc import collections, shapes
from twin.ogc.collections import Collection
from twin.sensorthings.source import Source
from twin.words import LAYERS as LAYER_WORDS

BATCH = 2000
_THEMES = {"streets": "TRAN", "areas": "ENVI", "people": "SOCI"}
_SENSING = "http://www.opengis.net/doc/is/sensorthings/1.1"
_FEATURES = "http://www.opengis.net/doc/IS/ogcapi-features-1/1.0"


def datasets() -> Iterator[PublicData]:
    """Every layer of every district that holds something, and last week of the public devices."""
    yield _series()
    for of in collections.all_collections():
        if of.current.counts.get(of.layer, 1):
            yield _dataset(of)


def _series() -> PublicData:
    end = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - dt.timedelta(days=7)

    def write(out: BinaryIO) -> None:
        source = Source(settings.PUBLIC_URL)
        rows = source.rows().filter(start__gte=start, start__lt=end).order_by("start", "device_id", "channel")
        told = (
            [
                one.values["phenomenonTime"].start.isoformat(),
                public.name,
                channels.slug_of(channel),
                one.values["result"],
            ]
            for one in source.observations(rows)
            for public, channel in (source.streams[one.id >> 23],)
        )
        csv_files.write(out, ("time", "thing", "channel", "value"), told)

    return PublicData(
        slug="public-series",
        title="Public series of devices",
        description="Quarters of an hour of the last seven whole days, of labs, public buildings and public devices.",
        licence="CC-BY-4.0",
        attribution=str(settings.SITE_NAME),
        forms=(DataForm("csv", "text/csv", "CSV", write),),
        keywords=("sensors", "electricity", "temperature"),
        theme="ENER",
        begins=start,
        ends=end,
        doors=(DataDoor("Series of devices by SensorThings 1.1", "sensorthings/v1.1/", _SENSING),),
    )


def _dataset(of: Collection) -> PublicData:
    version = of.current
    title = f"{of.district.name}: {LAYER_WORDS[of.layer]}"
    return PublicData(
        slug=f"{of.district.slug}-{of.layer}",
        title=title,
        description=f"{title}, as of version {version.number} of the city model.",
        licence=version.licence,
        attribution=version.attribution,
        forms=list(_forms(of)),
        modified=version.created_at,
        part=of.district.slug,
        keywords=("city model", of.layer, of.district.name),
        theme=_THEMES.get(of.layer, "REGI"),
        box=version.bounds or None,
        begins=version.dated_at,
        page=reverse("rooms:district", args=[of.district.slug]),
        doors=(DataDoor("The city model by OGC API Features", "ogc/", _FEATURES),),
    )


def _forms(of: Collection) -> Iterator[DataForm]:
    yield DataForm("csv", "text/csv", "CSV", _Writer(of).csv)
    yield DataForm("geojson", "application/geo+json", "GeoJSON", _Writer(of).geojson)
    if importlib.util.find_spec("pyarrow"):
        yield DataForm("parquet", "application/vnd.apache.parquet", "GeoParquet", _Writer(of).parquet)
    if of.layer == "buildings":
        yield DataForm("city.json", "application/city+json", "CityJSON 2.0", _Writer(of).cityjson)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one layer in each form."""

    of: Collection

    def rows(self) -> Iterator[Thing]:
        """The things of the version, by key."""
        rows: Iterator[Thing] = queries.things(self.of.layer, self.of.current).iterator(chunk_size=BATCH)
        return rows

    @property
    def columns(self) -> Sequence[str]:
        """The names of a table's columns."""
        return tuple(self.of.queryables)

    def cells(self, row: Thing, began: Mapping[int, Any]) -> list[Any]:
        """A thing as a row of a table."""
        fixed = {"id": row.key, "name": row.name or None, "valid_from": collections.stamp(began.get(row.since))}
        found = []
        for name in self.columns:
            value = fixed[name] if name in fixed else getattr(row, name, None)
            found.append(row.properties.get(name) if value is None and name not in fixed else value)
        return found

    def csv(self, out: BinaryIO) -> None:
        """A table, the shape as well-known text; longitude and latitude are the middle of its box."""
        began = collections.moments(self.of)

        def lines() -> Iterator[list[Any]]:
            for row in self.rows():
                west, south, east, north = shapes.envelope(row.geometry)
                middle = [round((west + east) / 2, 7), round((south + north) / 2, 7)]
                yield [*self.cells(row, began), *middle, well_known(row.geometry)]

        csv_files.write(out, (*self.columns, "lon", "lat", "wkt"), lines())

    def geojson(self, out: BinaryIO) -> None:
        """A collection of features."""
        began, version = collections.moments(self.of), self.of.current
        head = {
            "type": "FeatureCollection",
            "name": self.of.name,
            "licence": version.licence,
            "attribution": version.attribution,
            "version": version.number,
            "date": collections.stamp(version.dated_at),
        }
        out.write(orjson.dumps(head)[:-1] + b',"features":[')
        between = b"\n"
        for row in self.rows():
            out.write(between + orjson.dumps(collections.feature(row, began)))
            between = b",\n"
        out.write(b"\n]}\n")

    def parquet(self, out: BinaryIO) -> None:
        """A table with shapes as GeoParquet 1.1 keeps them, one group of rows a batch."""
        import pyarrow as pa  # noqa: PLC0415 heavy, for workers and commands alone
        from pyarrow import parquet  # noqa: PLC0415 as above

        kinds = {"number": pa.float64(), "boolean": pa.bool_()}
        about = {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
        }
        version = self.of.current
        words = {"geo": orjson.dumps(about), "licence": version.licence, "attribution": version.attribution}
        queryables = self.of.queryables.values()
        fields = [pa.field(q.name, kinds.get(q.type, pa.string())) for q in queryables]
        schema = pa.schema([*fields, pa.field("geometry", pa.binary())], metadata=words)
        began = collections.moments(self.of)
        with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
            for batch in _batches(self.rows(), BATCH):
                table = [[*self.cells(row, began), well_known_bytes(row.geometry)] for row in batch]
                arrays = [
                    pa.array([_fit(cell, f.type, pa) for cell in column], type=f.type)
                    for column, f in zip(zip(*table, strict=True), schema, strict=True)
                ]
                writer.write_batch(pa.record_batch(arrays, schema=schema))

    def cityjson(self, out: BinaryIO) -> None:
        """Buildings as blocks of level of detail 1.2 on ground of height 0, in the district's metres."""
        from twin.engine.crs import to_metres  # noqa: PLC0415 loads pyproj and numpy

        version = self.of.current
        way = to_metres(version.epsg)
        west, south = (float(c) for c in way(version.bounds[0], version.bounds[1]))
        origin = (float(int(west)), float(int(south)), 0.0)
        head = {
            "type": "CityJSON",
            "version": "2.0",
            "transform": {"scale": [0.001, 0.001, 0.001], "translate": origin},
            "metadata": {
                "title": f"{self.of.district.name}, version {version.number}",
                "referenceDate": version.dated_at.date().isoformat(),
                "referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{version.epsg}",
            },
        }
        out.write(orjson.dumps(head)[:-1] + b',"CityObjects":{')
        rights = {"licence": version.licence, "attribution": version.attribution}
        with tempfile.TemporaryFile() as corners:
            count, between = 0, b"\n"
            for row in self.rows():
                block = Block(way, origin, count)
                made = block.building(row)
                made["attributes"] |= {name: made["attributes"].get(name) or text for name, text in rights.items()}
                out.write(between + orjson.dumps(row.key) + b":" + orjson.dumps(made))
                for corner in block.corners:
                    corners.write((b",\n" if count else b"") + orjson.dumps(corner))
                    count += 1
                between = b",\n"
            out.write(b'},\n"vertices":[')
            corners.seek(0)
            while piece := corners.read(1 << 16):
                out.write(piece)
        out.write(b"]}\n")


def _fit(cell: Any, kind: Any, pa: Any) -> Any:
    """A cell as its column wants it; what does not fit is left out."""
    if cell is None or kind == pa.binary():
        return cell
    if kind == pa.float64():
        return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None
    if kind == pa.bool_():
        return cell if isinstance(cell, bool) else None
    return cell if isinstance(cell, str) else str(cell)


def _batches(rows: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    batch: list[Thing] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


# --- shapes as others write them ---------------------------------------------------------------------------------

_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_CODES = {"Point": 1, "LineString": 2, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5, "MultiPolygon": 6}
_PART = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}


def well_known(geometry: Mapping[str, Any]) -> str:
    """A shape as well-known text."""

    def written(part: Any, depth: int) -> str:
        if depth == 0:
            return f"{part[0]} {part[1]}"
        return "(" + ", ".join(written(inner, depth - 1) for inner in part) + ")"

    kind = geometry["type"]
    body = written(geometry["coordinates"], _DEPTH[kind])
    return f"{kind.upper()} {body if _DEPTH[kind] else f'({body})'}"


def well_known_bytes(geometry: Mapping[str, Any]) -> bytes:
    """A shape as well-known binary, little-endian (ISO 19125)."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    head = struct.pack("<BI", 1, _CODES[kind])
    if kind in _PART:
        parts = [well_known_bytes({"type": _PART[kind], "coordinates": part}) for part in coordinates]
        return head + struct.pack("<I", len(parts)) + b"".join(parts)
    if kind == "Point":
        return head + struct.pack("<2d", *coordinates[:2])
    if kind == "LineString":
        return head + _pairs(coordinates)
    return head + struct.pack("<I", len(coordinates)) + b"".join(_pairs(ring) for ring in coordinates)


def _pairs(points: Sequence[Sequence[float]]) -> bytes:
    flat = [c for p in points for c in p[:2]]
    return struct.pack(f"<I{len(flat)}d", len(points), *flat)


class Block:
    """A building as a solid: its outline below, the same above, and a wall for each side. Corners are whole
    millimetres from `origin`, and numbered from `first`."""

    def __init__(self, way: Callable[..., Any], origin: Sequence[float], first: int) -> None:
        self.way, self.origin, self.first = way, origin, first
        self.corners: list[list[int]] = []
        self._known: dict[tuple[int, int, int], int] = {}

    def building(self, row: Thing) -> dict[str, Any]:
        """The CityObject."""
        about = {name: value for name, value in row.properties.items() if value not in ("", None)}
        height = max(float(getattr(row, "height_m", 0) or 0), 0.1)
        base = about.get("min_height_m")
        low = float(base) if isinstance(base, int | float) and 0 <= base < height else 0.0
        polygons = (
            row.geometry["coordinates"] if row.geometry["type"] == "MultiPolygon" else [row.geometry["coordinates"]]
        )
        solids = [self._solid(polygon, low, height) for polygon in polygons]
        shells, values = [solid for solid, _kinds in solids], [[kinds] for _solid, kinds in solids]
        surfaces = [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}]
        one = len(solids) == 1
        geometry = {
            "type": "Solid" if one else "MultiSolid",
            "lod": "1.2",
            "boundaries": shells[0] if one else shells,
            "semantics": {"surfaces": surfaces, "values": values[0] if one else values},
        }
        return {"type": "Building", "attributes": about | {"measuredHeight": height}, "geometry": [geometry]}

    def _solid(self, polygon: Sequence[Any], low: float, high: float) -> tuple[list[Any], list[int]]:
        rings = [self._turned(ring, hole=bool(i)) for i, ring in enumerate(polygon)]
        floor = [[self._corner(p, low) for p in reversed(ring)] for ring in rings]
        roof = [[self._corner(p, high) for p in ring] for ring in rings]
        walls = []
        for ring in rings:
            for a, b in pairwise([*ring, ring[0]]):
                walls.append([[*(self._corner(p, low) for p in (a, b)), *(self._corner(p, high) for p in (b, a))]])
        return [[floor, roof, *walls]], [0, 1, *(2 for _wall in walls)]

    def _turned(self, ring: Sequence[Sequence[float]], *, hole: bool) -> list[tuple[float, float]]:
        """An open ring in metres: an outline against the clock, a hole with it."""
        xs, ys = self.way([p[0] for p in ring], [p[1] for p in ring])
        points = list(zip(map(float, xs), map(float, ys), strict=True))
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
        turned = points if (area > 0) != hole else points[::-1]
        kept = [p for p, q in pairwise(turned) if p != q]
        return kept

    def _corner(self, point: tuple[float, float], z: float) -> int:
        x, y, _z = self.origin
        place = (round((point[0] - x) * 1000), round((point[1] - y) * 1000), round(z * 1000))
        if place not in self._known:
            self._known[place] = self.first + len(self.corners)
            self.corners.append(list(place))
        return self._known[place]
