"""The entities of SensorThings 1.1 (OGC 18-088, 8.2): their sets, properties and what leads from one to others."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity. `one` and `many`: the kind that a name leads to; `properties` in the order they are told."""

    name: str
    plural: str
    properties: tuple[str, ...]
    one: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, str] = field(default_factory=dict)

    def leads(self, name: str) -> str | None:
        """The kind that a navigation leads to."""
        return self.one.get(name) or self.many.get(name)


_NAMED = ("name", "description")
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "Thing",
            "Things",
            (*_NAMED, "properties"),
            many={
                "Locations": "Location",
                "HistoricalLocations": "HistoricalLocation",
                "Datastreams": "Datastream",
            },
        ),
        Kind(
            "Location",
            "Locations",
            (*_NAMED, "encodingType", "location", "properties"),
            many={"Things": "Thing", "HistoricalLocations": "HistoricalLocation"},
        ),
        Kind(
            "HistoricalLocation",
            "HistoricalLocations",
            ("time",),
            one={"Thing": "Thing"},
            many={"Locations": "Location"},
        ),
        Kind(
            "Datastream",
            "Datastreams",
            (
                *_NAMED,
                "observationType",
                "unitOfMeasurement",
                "observedArea",
                "phenomenonTime",
                "resultTime",
                "properties",
            ),
            one={"Thing": "Thing", "Sensor": "Sensor", "ObservedProperty": "ObservedProperty"},
            many={"Observations": "Observation"},
        ),
        Kind(
            "Sensor",
            "Sensors",
            (*_NAMED, "encodingType", "metadata", "properties"),
            many={"Datastreams": "Datastream"},
        ),
        Kind(
            "ObservedProperty",
            "ObservedProperties",
            ("name", "definition", "description", "properties"),
            many={"Datastreams": "Datastream"},
        ),
        Kind(
            "Observation",
            "Observations",
            ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters"),
            one={"Datastream": "Datastream", "FeatureOfInterest": "FeatureOfInterest"},
        ),
        Kind(
            "FeatureOfInterest",
            "FeaturesOfInterest",
            (*_NAMED, "encodingType", "feature", "properties"),
            many={"Observations": "Observation"},
        ),
    )
}
SETS: Mapping[str, Kind] = {kind.plural: kind for kind in KINDS.values()}


@dataclass(frozen=True, slots=True)
class Span:
    """A time from start until end, as SensorThings tells it: both parted by a stroke."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Entity:
    """One of them: its kind, its id and its values by name."""

    kind: Kind
    id: int
    values: Mapping[str, Any]
