"""A city model as rows, and a new version as the difference to the rows that stand.

Rows are told apart by a fingerprint of geometry and properties, so an import of the same data writes no row
at all.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from twin.engine import model as city
from twin.models import LAYER_MODELS, Area, Building, District, Service, Street, Thing

Cells = tuple[Any, ...]

_SHARED = ("district_id", "key", "since", "until", "fingerprint", "kind", "name", "geometry", "properties")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, ready to be written: its key, its fingerprint and what its table stores."""

    key: str
    fingerprint: bytes
    kind: str
    name: str
    geometry: str
    properties: str
    own: Cells


@dataclass(frozen=True, slots=True)
class Change:
    """How a layer differs from the version before."""

    added: int
    changed: int
    dropped: int
    same: int


_OWN: dict[type[Thing], tuple[tuple[str, ...], str]] = {
    Building: (("height_m", "height_source"), "use"),
    Street: (("a", "b", "length_m", "foot", "car"), "class"),
    Service: ((), "kind"),
    Area: ((), "kind"),
}


def rows(layer: city.Layer, things: Iterable[city.Thing]) -> list[Row]:
    """The rows of a layer."""
    columns, kind = _OWN[LAYER_MODELS[layer]]
    made = []
    for thing in things:
        geometry = orjson.dumps(thing.geometry)
        properties = orjson.dumps(thing.properties, option=orjson.OPT_SORT_KEYS)
        about = thing.properties
        made.append(
            Row(
                key=thing.key[:120],
                fingerprint=hashlib.blake2b(geometry + b"\n" + properties, digest_size=16).digest(),
                kind=str(about.get(kind) or "")[:60],
                name=str(about.get("name") or "")[:200],
                geometry=geometry.decode(),
                properties=properties.decode(),
                own=tuple(about[column] for column in columns),
            )
        )
    return made


def write(district: District, layer: city.Layer, fresh: Sequence[Row], number: int) -> Change:
    """Make the layer of a version: end what changed or is gone, add what is new. The caller holds the
    district's lock.
    """
    table = LAYER_MODELS[layer]
    standing = table._default_manager.filter(district=district, until=None)
    old = {key: (pk, bytes(print_)) for pk, key, print_ in standing.values_list("pk", "key", "fingerprint")}
    new = {row.key: row for row in fresh}
    changed = [key for key, row in new.items() if key in old and old[key][1] != row.fingerprint]
    dropped = [key for key in old if key not in new]
    added = [key for key in new if key not in old]
    standing.filter(pk__in=[old[key][0] for key in (*changed, *dropped)]).update(until=number)
    _copy(table, district, number, (new[key] for key in (*added, *changed)))
    return Change(len(added), len(changed), len(dropped), len(new) - len(added) - len(changed))


def _copy(table: type[Thing], district: District, number: int, fresh: Iterable[Row]) -> None:
    """COPY rows into a table; ten times faster than INSERT for a city."""
    own, _kind = _OWN[table]
    columns = ", ".join(f'"{column}"' for column in (*_SHARED, *own))
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table._meta.db_table}" ({columns}) FROM STDIN') as copy,
    ):
        for row in fresh:
            shared = (
                district.pk,
                row.key,
                number,
                None,
                row.fingerprint,
                row.kind,
                row.name,
                row.geometry,
                row.properties,
            )
            copy.write_row((*shared, *row.own))
