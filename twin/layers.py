"""A layer of a district as GeoJSON bytes, gzipped, for the map; kept in the cache, which may lose it at any
time.
"""

import gzip
import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import redis
from django.core.cache import cache

from twin import queries
from twin.engine import ENGINE_VERSION, floors
from twin.engine.model import Layer
from twin.engine.tags import KINDS
from twin.models import DistrictVersion, Thing

log = logging.getLogger(__name__)

FORM = "5"
"""Raise it when the bytes of a layer change for the same version."""
KEEP_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Wish:
    """Which part of a layer: only things of these kinds (all if none), and only the properties that the map
    reads.
    """

    kinds: tuple[str, ...] = ()
    slim: bool = False


EVERYTHING = Wish()
_KNOWN = frozenset((*KINDS, "green", "water"))
"""Only wishes for these kinds are kept, so that nobody can fill the cache with kinds of their own invention."""
_SLIM = frozenset({"id", "name", "kind", "class", "tag"})


def etag(layer: str, of: DistrictVersion, wish: Wish = EVERYTHING) -> str:
    """What names the bytes: version, engine, form and wish."""
    answers = queries.reckoned_at(of) if layer == "buildings" else ""
    name = f"{of.pk}:{of.sources_sha256}:{of.created_at.timestamp()}:{layer}:{wish}:{ENGINE_VERSION}:{FORM}:{answers}"
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def gzipped(layer: Layer, of: DistrictVersion, wish: Wish = EVERYTHING) -> bytes:
    """The FeatureCollection of a layer as of a version, gzipped. Raises NoSuchLayer."""

    def made() -> bytes:
        return gzip.compress(orjson.dumps(_collection(layer, of, wish)), compresslevel=6, mtime=0)

    return remembered(f"twin:layer:{etag(layer, of, wish)}", made) if _KNOWN.issuperset(wish.kinds) else made()


def remembered(key: str, make: Callable[[], bytes]) -> bytes:
    """The bytes under a key of the cache, made afresh where the cache has lost them or is away."""
    try:
        found: bytes | None = cache.get(key)
    except redis.RedisError:
        log.warning("the cache is away; the bytes are made afresh", exc_info=True)
        found = None
    if found is None:
        found = make()
        try:
            cache.set(key, found, KEEP_S)
        except redis.RedisError:
            log.debug("the bytes were not kept", exc_info=True)
    return found


def _collection(layer: Layer, of: DistrictVersion, wish: Wish) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "licence": of.licence,
        "attribution": of.attribution,
        "date": of.dated_at.isoformat(),
        "version": of.number,
        "bbox": of.bounds,
        "features": list(features(layer, of, wish)),
    }


def features(layer: Layer, of: DistrictVersion, wish: Wish = EVERYTHING) -> Iterator[dict[str, Any]]:
    """The things of a layer as GeoJSON features, one after the other. Raises NoSuchLayer."""
    minutes = _minutes(of) if layer == "buildings" else {}
    rows = queries.things(layer, of)
    if wish.kinds:
        rows = rows.filter(kind__in=wish.kinds)
    for number, row in enumerate(rows.iterator(chunk_size=5000), 1):
        yield {
            "type": "Feature",
            "id": number,
            "properties": _shown(layer, row, minutes, slim=wish.slim),
            "geometry": {"type": row.geometry["type"], "coordinates": _short(row.geometry["coordinates"])},
        }


def _shown(layer: Layer, row: Thing, minutes: dict[str, dict[str, float]], *, slim: bool) -> dict[str, Any]:
    """Properties as the map reads them: `height` in metres, and no empty ones."""
    shown = {
        "id": row.key,
        **{name: value for name, value in row.properties.items() if value not in ("", None)},
    }
    if layer == "buildings":
        shown["height"] = shown.pop("height_m", 0)
        shown["min_height"] = shown.pop("min_height_m", 0)
        if energy := energy_of(row.kind):
            shown["energy"] = energy
        return {**shown, **minutes.get(row.key, {})}
    return {name: value for name, value in shown.items() if name in _SLIM} if slim else shown


def energy_of(use: str) -> float | None:
    """What a use takes in power and heat, kWh a year for each m2 of floor, by its benchmark; None where the use is not
    stated or takes nothing, for an average would say nothing of one building.
    """
    known = floors.BENCHMARKS.get(use)
    return known.power + known.heat or None if known else None


def _minutes(of: DistrictVersion) -> dict[str, dict[str, float]]:
    """min_<kind> of each building, and what engines found out about it, by key."""
    found: dict[str, dict[str, float]] = {}
    kept = queries.access(of)
    if kept is not None:
        columns = {f"min_{kind}": minutes for kind, minutes in kept.minutes.items()}
        _gather(found, kept.keys, columns)
    for kind, names in _ON_THE_MAP.items():
        if answer := queries.reckoning(of, kind):
            shown = {new: answer.columns[old] for new, old in names.items() if old in answer.columns}
            _gather(found, answer.keys, shown)
    return found


def _gather(found: dict[str, dict[str, float]], keys: list[str], columns: dict[str, list[float]]) -> None:
    for i, key in enumerate(keys):
        found.setdefault(key, {}).update((name, column[i]) for name, column in columns.items() if column[i] is not None)


_ON_THE_MAP = {"roofs": {"solar": "light", "solar_kwh": "kwh"}, "risk": {"heat": "heat", "hours_on": "hours_own"}}
"""Properties of the map's buildings from engines' answers: name on the map, and the column."""


def _short(coordinates: Any) -> Any:
    """Six decimals: a decimetre, enough for a map and a third lighter."""
    if isinstance(coordinates[0], (int, float)):
        return [round(coordinates[0], 6), round(coordinates[1], 6)]
    return [_short(inner) for inner in coordinates]


def unpacked(body: bytes) -> bytes:
    """The bytes of a layer for who does not take gzip."""
    return gzip.decompress(body)
