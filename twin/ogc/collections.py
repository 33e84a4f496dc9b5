"""A layer of a district as a collection: what can be asked of it, which things are meant, how one is told."""

import datetime as dt
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput, NotFound
from twin import queries
from twin.engine.model import LAYERS, Layer
from twin.layers import remembered
from twin.models import LAYER_MODELS, District, DistrictVersion, Thing
from twin.ogc import cql2, crs, shapes
from twin.ogc.filters import Condition, condition

BOXES = "1"
"""Raise it when the packed boxes of a layer are laid out otherwise."""


@dataclass(frozen=True, slots=True)
class Queryable:
    """Something that things can be chosen by: its JSON type, a format where it has one, and how PostgreSQL reads it."""

    name: str
    title: str | Promise
    type: str
    sql: str
    format: str = ""


def _written(name: str) -> str:
    """A text among the properties."""
    return f"nullif(t.properties->>'{name}', '')"


def _counted(name: str) -> str:
    """A number among the properties; anything else there is none."""
    value = f"t.properties->'{name}'"
    return f"CASE WHEN jsonb_typeof({value}) = 'number' THEN ({value})::double precision END"


def _yes(name: str) -> str:
    return f"CASE WHEN jsonb_typeof(t.properties->'{name}') = 'boolean' THEN (t.properties->>'{name}')::boolean END"


_BEGAN = "(SELECT v.created_at FROM twin_districtversion v WHERE v.district_id = t.district_id AND v.number = t.since)"
_EVERYWHERE = (
    Queryable("id", gettext_lazy("Identifier"), "string", "t.key"),
    Queryable("name", gettext_lazy("Name"), "string", "nullif(t.name, '')"),
    Queryable("source", gettext_lazy("Source"), "string", _written("source")),
    Queryable("licence", gettext_lazy("Licence"), "string", _written("licence")),
    Queryable("valid_from", gettext_lazy("In the model since"), "string", _BEGAN, "date-time"),
)
_OWN: Mapping[Layer, tuple[Queryable, ...]] = {
    "buildings": (
        Queryable("use", gettext_lazy("Use"), "string", _written("use")),
        Queryable("height_m", gettext_lazy("Height"), "number", "t.height_m"),
        Queryable("height_source", gettext_lazy("How the height is known"), "string", "t.height_source"),
        Queryable("min_height_m", gettext_lazy("Begins above the ground"), "number", _counted("min_height_m")),
        Queryable("levels", gettext_lazy("Storeys"), "number", _counted("levels")),
        Queryable("year", gettext_lazy("Built"), "number", _counted("year")),
        Queryable("roof_shape", gettext_lazy("Roof"), "string", _written("roof_shape")),
        Queryable("address", gettext_lazy("Address"), "string", _written("address")),
    ),
    "streets": (
        Queryable("class", gettext_lazy("Class of street"), "string", "nullif(t.kind, '')"),
        Queryable("length_m", gettext_lazy("Length"), "number", "t.length_m"),
        Queryable("foot", gettext_lazy("Open on foot"), "boolean", "t.foot"),
        Queryable("car", gettext_lazy("Open to cars"), "boolean", "t.car"),
        Queryable("bicycle", gettext_lazy("Open to bicycles"), "boolean", _yes("bicycle")),
        Queryable("lanes", gettext_lazy("Lanes"), "number", _counted("lanes")),
        Queryable("speed_kmh", gettext_lazy("Speed limit"), "number", _counted("speed_kmh")),
        Queryable("capacity_veh_h", gettext_lazy("Capacity"), "number", _counted("capacity_veh_h")),
    ),
    "services": (Queryable("kind", gettext_lazy("Kind"), "string", "nullif(t.kind, '')"),),
    "areas": (Queryable("kind", gettext_lazy("Kind"), "string", "nullif(t.kind, '')"),),
    "people": (
        Queryable("population", gettext_lazy("People"), "number", "t.population"),
        Queryable("over_65", gettext_lazy("65 and older"), "number", "t.over_65"),
        Queryable("under_15", gettext_lazy("Under 15"), "number", "t.under_15"),
    ),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """A layer of a district. Its things are told as of a version."""

    district: District
    current: DistrictVersion
    layer: Layer

    @property
    def name(self) -> str:
        """Its identifier: the district and the layer."""
        return f"{self.district.slug}.{self.layer}"

    @property
    def queryables(self) -> Mapping[str, Queryable]:
        """What its things can be chosen by."""
        return {q.name: q for q in (*_EVERYWHERE, *_OWN[self.layer])}

    @property
    def systems(self) -> tuple[str, ...]:
        """The coordinate systems that it is given in."""
        return crs.of_district(self.current.epsg)

    @property
    def table(self) -> type[Thing]:
        """Where its things stand."""
        return LAYER_MODELS[self.layer]


def all_collections() -> list[Collection]:
    """Every layer of every district."""
    return [Collection(d, queries.current(d), layer) for d in queries.districts() for layer in LAYERS]


def collection(name: str) -> Collection:
    """The collection of that identifier. Raises NotFound."""
    slug, _dot, layer = name.rpartition(".")
    found = queries.districts().filter(slug=slug).first() if layer in LAYERS else None
    if found is None:
        raise NotFound(_("There is no collection “%(name)s”.") % {"name": name[:80]})
    return Collection(found, queries.current(found), queries.versions.layer_named(layer))


# --- which version -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """Versions from the first to the last of a time, both by number; `last` 0 where there was none yet."""

    first: int
    last: int

    @property
    def single(self) -> bool:
        """Whether it is one state of the district."""
        return self.first >= self.last


def span(of: Collection, version: int | None, when: "tuple[dt.datetime | None, dt.datetime | None] | None") -> Span:
    """The versions that are meant: one by number, those that stood at a time, else the one that stands."""
    if version is not None:
        return Span(number := queries.version(of.district, version).number, number)
    if when is None:
        return Span(of.current.number, of.current.number)
    start, end = when
    stood = of.district.versions.order_by("-number").values_list("number", flat=True)
    last = (stood if end is None else stood.filter(created_at__lte=end)).first() or 0
    first = (stood.filter(created_at__lte=start).first() if start else None) or min(1, last)
    return Span(first, last)


def standing(of: Collection, spent: Span) -> QuerySet[Any]:
    """The things of those versions, each once: as it last stood in them."""
    rows = of.table._default_manager.filter(district=of.district, since__lte=spent.last)
    rows = rows.filter(Q(until=None) | Q(until__gt=spent.first))
    if not spent.single:
        later = of.table._default_manager.filter(
            district=of.district, key=OuterRef("key"), since__lte=spent.last, since__gt=OuterRef("since")
        )
        rows = rows.exclude(Exists(later))
    return rows


# --- which things ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a collection; boxes are in `box_system`, those of the filter in `filter_system`."""

    versions: Span
    box: shapes.Box | None = None
    box_system: str = crs.CRS84
    equals: Mapping[str, Any] = field(default_factory=dict)
    tree: cql2.Tree | None = None
    filter_system: str = crs.CRS84


def chosen(of: Collection, wish: Wish) -> QuerySet[Any]:
    """The things that a wish means, by key."""
    rows = standing(of, wish.versions)
    if wish.box is not None:
        rows = rows.filter(pk__in=meeting(of, wish.versions, wish.box, wish.box_system))
    trees: list[cql2.Tree] = [
        cql2.Compared("=", cql2.Name(name), cql2.Given(value)) for name, value in wish.equals.items()
    ]
    trees += [wish.tree] if wish.tree is not None else []

    def within(name: str, box: cql2.Box) -> list[int]:
        check_box(box, wish.filter_system, "filter")
        return meeting(of, wish.versions, box, wish.filter_system)

    for tree in trees:
        rows = rows.filter(_sql(of, condition(tree, of.queryables, within)))
    return rows.order_by("key")


def _sql(of: Collection, made: Condition) -> RawSQL:
    """A condition on rows of the collection's table; each is looked at by its own number."""
    table = of.table._meta.db_table
    return RawSQL(  # noqa: S611 names are ours, values are parameters
        f'EXISTS (SELECT 1 FROM "{table}" t WHERE t.id = "{table}"."id" AND ({made.sql}))',  # noqa: S608 as above
        made.values,
        output_field=BooleanField(),
    )


def meeting(of: Collection, versions: Span, box: shapes.Box, system: str) -> list[int]:
    """Rows whose geometry meets a box of a system: by their boxes, and in doubt by their shapes."""
    rows = standing(of, versions)
    wide = crs.box_in_degrees(box, system) if system != crs.CRS84 else box
    parts = [wide] if wide[0] <= wide[2] else [(wide[0], wide[1], 180.0, wide[3]), (-180.0, wide[1], wide[2], wide[3])]
    plain = system == crs.CRS84
    sure: set[int] = set()
    doubt: set[int] = set()
    for pk, own in boxes(of, versions, rows):
        near = [part for part in parts if shapes.overlap(own, part)]
        if near:
            (sure if plain and any(shapes.within(own, part) for part in near) else doubt).add(pk)
    doubt -= sure
    targets = parts if plain else [box]
    for pk, geometry in rows.filter(pk__in=doubt).values_list("pk", "geometry").iterator(chunk_size=2000):
        seen = crs.geometry(geometry, system)
        if any(shapes.meets(seen, target) for target in targets):
            sure.add(pk)
    return sorted(sure)


def boxes(of: Collection, versions: Span, rows: QuerySet[Any]) -> Iterator[tuple[int, shapes.Box]]:
    """Each row's number and its box. Those of one version never change: they are kept in the cache, 40 bytes a row."""
    if not versions.single:
        for pk, geometry in rows.values_list("pk", "geometry").iterator(chunk_size=2000):
            yield pk, shapes.envelope(geometry)
        return

    def made() -> bytes:
        numbers, sides = array("q"), array("d")
        for pk, geometry in rows.values_list("pk", "geometry").iterator(chunk_size=2000):
            numbers.append(pk)
            sides.extend(shapes.envelope(geometry))
        return numbers.tobytes() + sides.tobytes()

    began = f"{of.district.pk}:{of.district.created_at.timestamp()}"
    packed = remembered(f"twin:boxes:{BOXES}:{began}:{of.layer}:{versions.last}", made)
    count = len(packed) // 40
    numbers, sides = array("q"), array("d")
    numbers.frombytes(packed[: count * 8])
    sides.frombytes(packed[count * 8 :])
    yield from zip(numbers, zip(sides[0::4], sides[1::4], sides[2::4], sides[3::4], strict=True), strict=True)


def check_box(box: shapes.Box, system: str, where: str) -> shapes.Box:
    """The box, if its sides are in order and its degrees are on Earth."""
    if box[1] > box[3] or (box[0] > box[2] and system != crs.CRS84):
        raise BadInput(_("The box ends before it begins: lower corner first, then the upper one."), where=where)
    swapped = system.endswith("/4326")
    x, y = ((box[1], box[3]), (box[0], box[2])) if swapped else ((box[0], box[2]), (box[1], box[3]))
    degrees = system == crs.CRS84 or swapped
    if degrees and not (all(-180 <= lon <= 180 for lon in x) and all(-90 <= lat <= 90 for lat in y)):
        raise BadInput(_("There is no such place on Earth: longitudes reach to 180, latitudes to 90."), where=where)
    return box


# --- how one is told ---------------------------------------------------------------------------------------------


def moments(of: Collection) -> dict[int, dt.datetime]:
    """When each version began."""
    return dict(of.district.versions.values_list("number", "created_at"))


def feature(row: Thing, began: Mapping[int, dt.datetime], system: str = crs.CRS84) -> dict[str, Any]:
    """A thing as a GeoJSON feature: what is known of it, and since when (until when) the model says so."""
    known = {name: value for name, value in row.properties.items() if value not in ("", None)}
    known["valid_from"] = stamp(began.get(row.since))
    if row.until is not None:
        known["valid_until"] = stamp(began.get(row.until))
    return {"type": "Feature", "id": row.key, "geometry": crs.geometry(row.geometry, system), "properties": known}


def stamp(moment: dt.datetime | None) -> str | None:
    """A moment as RFC 3339 wants it."""
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def page(of: Collection, wish: Wish, after: str, limit: int) -> tuple[Sequence[Thing], int, str]:
    """Things after a key, how many the wish means in all, and the key to go on after (empty at the end)."""
    rows = chosen(of, wish)
    matched = rows.count()
    found = list((rows.filter(key__gt=after) if after else rows)[: limit + 1])
    return found[:limit], matched, found[limit - 1].key if len(found) > limit else ""


def one(of: Collection, key: str, versions: Span) -> Thing:
    """A thing by its key. Raises NotFound."""
    row: Thing | None = standing(of, versions).filter(key=key).order_by(F("since").desc()).first()
    if row is None:
        raise NotFound(_("“%(name)s” holds nothing called “%(key)s”.") % {"name": of.name, "key": key[:80]})
    return row
