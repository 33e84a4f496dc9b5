"""Corrections that people made, laid over what an import says. Plain Python, so pages may call it.

An import is compared with each correction in three ways: what the source said when the correction was made (`was`),
what it says now, and what the correction says. A source that has not moved, says nothing, or only assumes, is corrected
in silence; one that now says the same settles the correction; one that says something else contests it: the correction
holds, and the clash is told.
"""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from twin.engine import tags as rules
from twin.engine.model import LAYERS, CityModel, Layer, Properties, Thing

Action: TypeAlias = Literal["change", "add", "remove"]
Why: TypeAlias = Literal["other", "gone", "changed", "near"]

NEAR_M = 40.0
"""A service of the same kind that an import brings so near to an added one may be the same."""
CITIZEN = "citizen"
GONE: dict[str, Any] = {"gone": True}
"""`was` of a correction that a steward upheld though the source no longer has the thing."""
_ASSUMED = frozenset({"default", "assumption", "estimated"})
_NOT_OURS = frozenset({"date"})
_EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Field:
    """A property that may be corrected: its type, its bounds or choices, its unit."""

    type: Literal["text", "number", "whole", "yesno", "choice"]
    least: float = 0.0
    most: float = 0.0
    choices: tuple[str, ...] = ()
    unit: str = ""


USES = (
    "yes", "apartments", "house", "residential", "office", "commercial", "retail", "public", "school", "university",
    "kindergarten", "hospital", "hotel", "museum", "church", "industrial", "warehouse", "train_station", "kiosk",
    "garage", "roof", "service",
)  # fmt: skip
ROOFS = ("flat", "skillion", "gabled", "half-hipped", "hipped", "mansard", "pyramidal", "dome", "round", "sawtooth")

FIELDS: Mapping[Layer, Mapping[str, Field]] = {
    "buildings": {
        "name": Field("text", most=200),
        "use": Field("choice", choices=USES),
        "height_m": Field("number", 1, 1000, unit="m"),
        "levels": Field("number", 0.5, 250),
        "year": Field("whole", 500, 2100),
        "roof_shape": Field("choice", choices=ROOFS),
    },
    "streets": {
        "name": Field("text", most=200),
        "lanes": Field("number", 1, 16),
        "speed_kmh": Field("number", 1, 150, unit="km/h"),
        "oneway": Field("choice", choices=("0", "1", "-1")),
        "car": Field("yesno"),
        "bicycle": Field("yesno"),
        "foot": Field("yesno"),
    },
    "services": {"name": Field("text", most=200), "kind": Field("choice", choices=rules.KINDS)},
    "areas": {"name": Field("text", most=200), "kind": Field("choice", choices=("green", "water"))},
    "people": {},
}
_SOURCES = {"height_m": "height_source", "speed_kmh": "speed_source", "capacity_veh_h": "capacity_source"}


def source_of(name: str) -> str:
    """The property that says how this one is known."""
    return _SOURCES.get(name, f"{name}_source")


@dataclass(frozen=True, slots=True)
class Correction:
    """One that stands. `value` of an addition is {"geometry", "properties"}; `was` of a removal is the thing's print,
    of an addition the keys of the same kind that stood near.
    """

    pk: int
    layer: Layer
    key: str
    action: Action
    name: str = ""
    value: Any = None
    was: Any = None


@dataclass(frozen=True, slots=True)
class Clash:
    """Where the import contests a correction: what it says (`theirs`) and the thing as it has it."""

    pk: int
    why: Why
    theirs: Any
    thing: Mapping[str, Any] | None


@dataclass(slots=True)
class Corrected:
    """The model with the corrections in it; `settled` are those that the source now says itself; `moved` names the
    pieces that a street was cut into since.
    """

    model: CityModel
    clashes: list[Clash] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    moved: dict[int, list[str]] = field(default_factory=dict)


def print_of(thing: Thing) -> str:
    """What tells whether a source changed a thing: its shape and properties but for the date of its last edit."""
    about = {name: value for name, value in thing.properties.items() if name not in _NOT_OURS}
    text = json.dumps([thing.geometry, about], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def as_stored(thing: Thing) -> dict[str, Any]:
    """A thing as an addition or a clash keeps it."""
    return {"geometry": thing.geometry, "properties": thing.properties}


def revised(thing: Thing, layer: Layer, changes: Mapping[str, Any]) -> Thing:
    """The thing with these properties, marked as corrected, and what follows from them: storeys give the height of a
    building that has none of its own, lanes and direction the capacity of a street.
    """
    about: Properties = {**thing.properties, **changes}
    about |= {source_of(name): CITIZEN for name in changes}
    about["corrected"] = sorted({*thing.properties.get("corrected", ()), *changes})
    if layer == "buildings":
        _follow_levels(about, thing.properties, changes)
    elif layer == "streets":
        _follow_lanes(about)
    return Thing(thing.key, thing.geometry, about)


def _follow_levels(about: Properties, before: Properties, changes: Mapping[str, Any]) -> None:
    if "levels" in changes and "height_m" not in changes and before.get("height_source") in {"levels", "default"}:
        about["height_m"] = round(float(about["levels"]) * rules.STOREY_M + rules.ROOF_M, 1)
        about["height_source"] = "levels"


def _follow_lanes(about: Properties) -> None:
    if not about.get("car"):
        return
    kind = str(about.get("class") or "")
    about.setdefault("oneway", 0)
    if "lanes" not in about:
        about["lanes"], about["lanes_source"] = (1.0 if about["oneway"] else 2.0), "default"
    if "speed_kmh" not in about:
        about["speed_kmh"], about["speed_source"] = float(rules.DEFAULT_SPEED_KMH.get(kind, 20)), "default"
    if about.get("capacity_source", "assumption") == "assumption":
        about["capacity_veh_h"] = rules.capacity_of(kind, about["lanes"], oneway=bool(about["oneway"]))
        about["capacity_source"] = "assumption"


def corrected(
    model: CityModel, corrections: Iterable[Correction], standing: Callable[[Layer, str], Thing | None]
) -> Corrected:
    """Lay the corrections over an import. The model itself and its things stay as they are; `standing` gives a thing
    of the version before, for what the import no longer has.
    """
    groups: dict[tuple[Layer, str], list[Correction]] = defaultdict(list)
    for one in corrections:
        groups[one.layer, one.key].append(one)
    whole = CityModel(
        skipped=model.skipped, remarks=model.remarks, licence=model.licence, attribution=model.attribution,
        date=model.date, epsg=model.epsg, carried=model.carried,
    )  # fmt: skip
    found = Corrected(whole)
    for layer in LAYERS:
        things = {thing.key: thing for thing in model.layer(layer)}
        for (at, _key), group in groups.items():
            if at == layer and layer not in model.carried:
                _lay(things, group, found, standing)
        whole.layer(layer).extend(things.values())
    return found


def _lay(
    things: dict[str, Thing],
    group: list[Correction],
    found: Corrected,
    standing: Callable[[Layer, str], Thing | None],
) -> None:
    """Lay all corrections of one thing over its layer."""
    layer, key = group[0].layer, group[0].key
    for one in group:
        if one.action == "add":
            _add(things, one, found)
        elif one.action == "remove":
            _remove(things, one, found)
    changes = [one for one in group if one.action == "change"]
    if not changes or any(one.action == "remove" for one in group):
        return
    if key in things:
        things[key] = _changed(things[key], layer, changes, found)
        return
    last = standing(layer, key)
    pieces = _pieces(things, last) if layer == "streets" and last else []
    for piece in pieces:
        things[piece.key] = revised(piece, layer, {one.name: one.value for one in changes})
    for one in changes:
        if pieces:
            found.moved[one.pk] = [piece.key for piece in pieces]
        elif one.was != GONE:
            found.clashes.append(Clash(one.pk, "gone", None, None))
    if last is not None and layer != "streets":  # a street without its crossings would be a road to nowhere
        things[key] = last


def _add(things: dict[str, Thing], one: Correction, found: Corrected) -> None:
    new = Thing(one.key, one.value["geometry"], one.value["properties"])
    known = set(one.was or ())
    beside = [thing for thing in near(new, things.values()) if thing.key not in known]
    if beside:
        found.clashes.append(Clash(one.pk, "near", beside[0].key, as_stored(beside[0])))
    things[one.key] = new


def _remove(things: dict[str, Thing], one: Correction, found: Corrected) -> None:
    theirs = things.pop(one.key, None)
    if theirs is None:
        found.settled.append(one.pk)
    elif print_of(theirs) != one.was:
        found.clashes.append(Clash(one.pk, "changed", None, as_stored(theirs)))


def _changed(theirs: Thing, layer: Layer, changes: list[Correction], found: Corrected) -> Thing:
    laid: dict[str, Any] = {}
    for one in changes:
        said = theirs.properties.get(one.name)
        assumed = said in (None, "") or theirs.properties.get(source_of(one.name)) in _ASSUMED
        if said == one.value and not assumed:
            found.settled.append(one.pk)
            continue
        laid[one.name] = one.value
        if said != one.was and not assumed:
            found.clashes.append(Clash(one.pk, "other", said, as_stored(theirs)))
    return revised(theirs, layer, laid) if laid else theirs


def _pieces(things: Mapping[str, Thing], last: Thing) -> list[Thing]:
    """The pieces that the import has of a street that was one piece: of the same way, and both ends on it."""
    on_it = {tuple(at) for at in last.geometry["coordinates"]}
    way = last.properties.get("way")
    return [
        thing
        for thing in things.values()
        if way
        and thing.properties.get("way") == way
        and all(tuple(thing.geometry["coordinates"][end]) in on_it for end in (0, -1))
    ]


def near(new: Thing, others: Iterable[Thing]) -> list[Thing]:
    """The things of the same kind within `NEAR_M` of a new point, nearest first."""
    lon, lat = new.geometry["coordinates"]
    apart: list[tuple[float, str, Thing]] = []
    for other in others:
        if other.key == new.key or other.properties.get("kind") != new.properties.get("kind"):
            continue
        x, y = other.geometry["coordinates"]
        east = math.radians(x - lon) * math.cos(math.radians(lat))
        metres = math.hypot(east, math.radians(y - lat)) * _EARTH_M
        if metres <= NEAR_M:
            apart.append((metres, other.key, other))
    return [other for _metres, _key, other in sorted(apart, key=lambda item: item[:2])]
