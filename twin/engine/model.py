"""What an import yields: things on four layers, what was skipped and why, and where it came from."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Layer = Literal["buildings", "streets", "services", "areas"]
LAYERS: tuple[Layer, ...] = ("buildings", "streets", "services", "areas")

Position: TypeAlias = tuple[float, float]
Geometry: TypeAlias = dict[str, Any]
"""A GeoJSON geometry in WGS 84, longitude first, seven decimals (a centimetre)."""
Properties: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Thing:
    """One building, street segment, service or area. `key` is stable from one import of a source to the
    next.
    """

    key: str
    geometry: Geometry
    properties: Properties


@dataclass(slots=True)
class CityModel:
    """The things of one or more files. `skipped` counts (what, why) codes; `date` is ISO 8601 as the file
    states it.
    """

    buildings: list[Thing] = field(default_factory=list)
    streets: list[Thing] = field(default_factory=list)
    services: list[Thing] = field(default_factory=list)
    areas: list[Thing] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    licence: str = ""
    attribution: str = ""
    date: str = ""
    epsg: int | None = None

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
        whole.epsg = whole.epsg or model.epsg
        licences.append(model.licence)
        attributions.append(model.attribution)
        dates.append(model.date)
    whole.licence = " · ".join(dict.fromkeys(filter(None, licences)))
    whole.attribution = " · ".join(dict.fromkeys(filter(None, attributions)))
    whole.date = max(dates, default="")
    return whole
