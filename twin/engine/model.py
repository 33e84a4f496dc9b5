"""What an import yields: things on five layers, what was skipped and why, and where it came from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Layer = Literal["buildings", "streets", "services", "areas", "people"]
LAYERS: tuple[Layer, ...] = ("buildings", "streets", "services", "areas", "people")

Position: TypeAlias = tuple[float, float]
Geometry: TypeAlias = dict[str, Any]
"""A GeoJSON geometry in WGS 84, longitude first, seven decimals (a centimetre)."""
Properties: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What who imports knows of the files: the country (ISO 3166-1), and names of ours by names of theirs.

    `names`: {"height_m": "korkeus", "population": "asukkaita", "epsg": "3067"}; ours are the names of OpenStreetMap's
    tags, the twin's own (`use`, `height_m`, `levels`, `year`, `population`, `over_65`, `under_15`, `lon`, `lat`), and
    `epsg` for the coordinate system of a table.
    """

    country: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


NOTHING_ASKED = Asked()


@dataclass(slots=True)
class Thing:
    """One building, street segment, service, area or cell of people. `key` is stable from one import of a source to the
    next.
    """

    key: str
    geometry: Geometry
    properties: Properties


@dataclass(slots=True)
class CityModel:
    """The things of one or more files. `skipped` counts (what, why) codes; `remarks` are (code, where, detail) of what
    was done to a file; `carried` names the layers that no file held and that were taken over as they stood; `date` is
    ISO 8601 as the file states it.
    """

    buildings: list[Thing] = field(default_factory=list)
    streets: list[Thing] = field(default_factory=list)
    services: list[Thing] = field(default_factory=list)
    areas: list[Thing] = field(default_factory=list)
    people: list[Thing] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    remarks: list[tuple[str, str, str]] = field(default_factory=list)
    licence: str = ""
    attribution: str = ""
    date: str = ""
    epsg: int | None = None
    carried: tuple[Layer, ...] = ()

    def layer(self, name: Layer) -> list[Thing]:
        """The things of a layer."""
        things: list[Thing] = getattr(self, name)
        return things

    def skip(self, what: str, why: str) -> None:
        """Count a thing that was left out."""
        self.skipped[(what, why)] += 1


def positions(geometry: Geometry) -> Iterable[Position]:
    """Every position of a GeoJSON geometry, rings' closing positions included."""
    stack = [geometry["coordinates"]]
    while stack:
        item = stack.pop()
        if item and isinstance(item[0], (int, float)):
            yield item[0], item[1]
        else:
            stack.extend(item)


def bounds(things: Iterable[Thing]) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees; raises ValueError when there is nothing."""
    lon, lat = zip(*(position for thing in things for position in positions(thing.geometry)), strict=True)
    return min(lon), min(lat), max(lon), max(lat)


def joined(models: Iterable[CityModel]) -> CityModel:
    """Several files as one model; the first of two things with the same key counts."""
    whole = CityModel()
    licences, attributions, dates = [], [], []
    for model in models:
        for name in LAYERS:
            known = {thing.key for thing in whole.layer(name)}
            for thing in model.layer(name):
                if thing.key in known:
                    whole.skip(name.removesuffix("s"), "repeated")
                else:
                    whole.layer(name).append(thing)
                    known.add(thing.key)
        whole.skipped += model.skipped
        whole.remarks += model.remarks
        whole.epsg = whole.epsg or model.epsg
        licences.append(model.licence)
        attributions.append(model.attribution)
        dates.append(model.date)
    whole.licence = " · ".join(dict.fromkeys(filter(None, licences)))
    whole.attribution = " · ".join(dict.fromkeys(filter(None, attributions)))
    whole.date = max(dates, default="")
    return whole
