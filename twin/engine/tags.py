"""What OpenStreetMap tags mean to the twin: heights, road classes, speeds, services, green and water.

Each reading answers the value and how it is known ("tag", "levels", "default" …), so that an assumption stays
marked. Tags: wiki.openstreetmap.org/wiki/Map_features. The service kinds are those of the reference figures.
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Tags: TypeAlias = Mapping[str, str]

KINDS = (
    "grocery",
    "school",
    "kindergarten",
    "library",
    "pharmacy",
    "health",
    "community",
    "post",
    "bank",
    "culture",
    "food",
    "university",
    "safety",
    "charging",
    "bikeshare",
    "toilets",
    "water",
    "recycling",
    "park",
    "playground",
    "sport",
    "transit",
)

_SERVICES: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "amenity",
        {
            "school": "school",
            "kindergarten": "kindergarten",
            "childcare": "kindergarten",
            "library": "library",
            "pharmacy": "pharmacy",
            "doctors": "health",
            "clinic": "health",
            "hospital": "health",
            "dentist": "health",
            "community_centre": "community",
            "post_office": "post",
            "bank": "bank",
            "theatre": "culture",
            "arts_centre": "culture",
            "cinema": "culture",
            "restaurant": "food",
            "cafe": "food",
            "university": "university",
            "police": "safety",
            "fire_station": "safety",
            "charging_station": "charging",
            "bicycle_rental": "bikeshare",
            "toilets": "toilets",
            "drinking_water": "water",
            "recycling": "recycling",
        },
    ),
    ("shop", {"supermarket": "grocery", "convenience": "grocery"}),
    (
        "leisure",
        {
            "park": "park",
            "garden": "park",
            "playground": "playground",
            "sports_centre": "sport",
            "fitness_centre": "sport",
        },
    ),
    ("highway", {"bus_stop": "transit"}),
    ("railway", {"tram_stop": "transit", "subway_entrance": "transit", "station": "transit"}),
)

_GREEN: Mapping[str, frozenset[str]] = {
    "leisure": frozenset({"park", "garden", "nature_reserve"}),
    "landuse": frozenset({"grass", "forest", "meadow", "recreation_ground", "village_green", "allotments", "cemetery"}),
    "natural": frozenset({"wood", "grassland", "scrub", "heath", "wetland"}),
}
_WATER: Mapping[str, frozenset[str]] = {
    "natural": frozenset({"water", "bay"}),
    "landuse": frozenset({"basin", "reservoir", "pond"}),
    "waterway": frozenset({"riverbank", "dock"}),
}


def service(tags: Tags) -> tuple[str, str] | None:
    """The kind of service and the tag's value that says so, or None."""
    for key, kinds in _SERVICES:
        value = tags.get(key)
        if value is not None and value in kinds:
            return kinds[value], value
    return None


def area(tags: Tags) -> tuple[Literal["green", "water"], str] | None:
    """Green or water and the tag's value that says so, or None."""
    for key, values in _WATER.items():
        if tags.get(key) in values:
            return "water", tags[key]
    for key, values in _GREEN.items():
        if tags.get(key) in values:
            return "green", tags[key]
    return None


# --- buildings ----------------------------------------------------------------------------------------------
STOREY_M = 3.3
ROOF_M = 1.5
HEIGHT_IF_NONE_KNOWN_M = 9.0

_FEET = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:'|ft)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|in)?)?$")
_METRES = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(?:m|metres?|meters?)?$")


def length_m(text: str | None) -> float | None:
    """A length tag in metres: "18", "18.5 m", "60'", "60 ft", "6'2\"". None when it is none of these or 0."""
    text = (text or "").strip()
    if match := _METRES.match(text):
        value = float(match[1].replace(",", "."))
    elif match := _FEET.match(text):
        value = 0.3048 * float(match[1]) + 0.0254 * float(match[2] or 0)
    else:
        return None
    return value or None


def levels(tags: Tags) -> float | None:
    """The number of storeys; the most of a list such as "5;6"."""
    found = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", tags.get("building:levels", ""))]
    return max(found) if found and max(found) > 0 else None


def height(tags: Tags) -> tuple[float | None, str]:
    """The height in metres and how it is known: "tag", "levels" (3.3 m a storey and 1.5 m of roof), or not
    at all.
    """
    if (tagged := length_m(tags.get("height"))) is not None:
        return round(tagged, 1), "tag"
    if (storeys := levels(tags)) is not None:
        return round(storeys * STOREY_M + ROOF_M, 1), "levels"
    return None, "default"


def min_height(tags: Tags) -> float | None:
    """Where the building begins above the ground, in metres: `min_height`, else 3.3 m a storey below it."""
    if (tagged := length_m(tags.get("min_height"))) is not None:
        return round(tagged, 1)
    match = re.match(r"^\d+(?:\.\d+)?$", tags.get("building:min_level", ""))
    return round(float(match[0]) * STOREY_M, 1) or None if match else None


def year(tags: Tags) -> int | None:
    """The year in which it was built, where a four-digit one is written."""
    match = re.search(r"\b(1[0-9]{3}|20[0-9]{2})\b", tags.get("start_date", ""))
    return int(match[1]) if match else None


# --- streets ------------------------------------------------------------------------------------------------
CAPACITY_PER_LANE: Mapping[str, int] = {
    "motorway": 2000,
    "trunk": 1600,
    "primary": 1000,
    "secondary": 900,
    "tertiary": 700,
    "unclassified": 500,
    "residential": 500,
    "living_street": 300,
    "service": 300,
    "road": 500,
}
"""Vehicles an hour on a lane: an assumption by class, marked so on each street."""

DEFAULT_SPEED_KMH: Mapping[str, int] = {
    "motorway": 100,
    "trunk": 80,
    "primary": 50,
    "secondary": 50,
    "tertiary": 40,
    "unclassified": 40,
    "residential": 30,
    "living_street": 20,
    "service": 20,
    "road": 40,
}

PATHS = frozenset({"pedestrian", "footway", "cycleway", "path", "steps", "corridor", "track", "bridleway"})
NOT_ON_FOOT = frozenset({"motorway", "trunk"})
_CLOSED = frozenset({"no", "private"})
_MPH = 1.609344

_RIDES = frozenset({"yes", "designated", "permissive", "official"})
_NO_RIDE = frozenset({"no", "dismount", "use_sidepath", "private"})
_NOT_BY_BICYCLE = frozenset({"motorway", "trunk", "pedestrian", "footway", "steps", "corridor"})
MPH_COUNTRIES = frozenset({"GB", "US"})
"""Where limits are posted in miles an hour; what is stored is km/h everywhere."""

_IMPLICIT_KMH: Mapping[str, Mapping[str, float]] = {
    "": {"urban": 50, "rural": 90, "trunk": 100, "motorway": 120, "living_street": 20, "walk": 7},
    "FI": {"rural": 80},
    "SE": {"rural": 70, "motorway": 110},
    "DE": {"rural": 100, "motorway": 130},
    "AT": {"rural": 100, "motorway": 130},
    "FR": {"rural": 80, "motorway": 130},
    "NL": {"rural": 80, "motorway": 100},
    "CH": {"rural": 80},
    "GB": {"urban": 30 * _MPH, "nsl_single": 60 * _MPH, "nsl_dual": 70 * _MPH, "motorway": 70 * _MPH},
    "US": {"urban": 25 * _MPH, "rural": 55 * _MPH, "motorway": 65 * _MPH},
}
"""Limits that "FI:urban" and the like stand for."""

_CLASS_KMH: Mapping[str, Mapping[str, float]] = {
    "FI": {"motorway": 120, "trunk": 80},
    "SE": {"motorway": 110},
    "DE": {"motorway": 130, "trunk": 100, "tertiary": 50, "unclassified": 50, "living_street": 7},
    "GB": {
        "motorway": 70 * _MPH,
        "trunk": 60 * _MPH,
        "primary": 30 * _MPH,
        "secondary": 30 * _MPH,
        "tertiary": 30 * _MPH,
        "unclassified": 30 * _MPH,
        "residential": 30 * _MPH,
        "living_street": 20 * _MPH,
        "road": 30 * _MPH,
    },
    "US": {
        "motorway": 65 * _MPH,
        "trunk": 55 * _MPH,
        "primary": 35 * _MPH,
        "secondary": 35 * _MPH,
        "tertiary": 30 * _MPH,
        "unclassified": 25 * _MPH,
        "residential": 25 * _MPH,
        "living_street": 15 * _MPH,
        "road": 25 * _MPH,
    },
}
"""Where a country's usual limit of a class, without a tag, differs from `DEFAULT_SPEED_KMH`: assumptions too."""


def road_class(tags: Tags) -> str | None:
    """The class of a street we model; a link counts as its class. None for platforms, building sites and the
    like.
    """
    base = tags.get("highway", "").removesuffix("_link")
    return base if base in CAPACITY_PER_LANE or base in PATHS else None


def on_foot(tags: Tags) -> bool:
    """Whether people may walk there: every street but motorways and trunk roads, unless closed."""
    return road_class(tags) not in NOT_ON_FOOT and tags.get("foot") != "no" and tags.get("access") not in _CLOSED


def by_car(tags: Tags) -> bool:
    """Whether cars may drive there."""
    shut = {tags.get(key) for key in ("access", "vehicle", "motor_vehicle", "motorcar")}
    return road_class(tags) in CAPACITY_PER_LANE and not shut & _CLOSED


def by_bicycle(tags: Tags) -> tuple[bool, str]:
    """Whether one may cycle there, and how it is known.

    A `bicycle` tag decides; else `access`; else the class: not on motorways, trunk roads, pavements, pedestrian
    streets, steps and corridors (wiki.openstreetmap.org/wiki/OSM_tags_for_routing/Access_restrictions).
    """
    said = tags.get("bicycle", "")
    if said in _RIDES or said in _NO_RIDE:
        return said in _RIDES, "tag"
    if tags.get("access") in _CLOSED or tags.get("vehicle") in _CLOSED:
        return False, "tag"
    return road_class(tags) not in _NOT_BY_BICYCLE, "default"


def bicycle_oneway(tags: Tags) -> int:
    """As `oneway`, for bicycles: 0 where they may ride against a one-way street."""
    against = tags.get("oneway:bicycle") == "no" or tags.get("cycleway", "").startswith("opposite")
    return 0 if against else oneway(tags)


def oneway(tags: Tags) -> int:
    """1 along the line, -1 against it, 0 both ways. Roundabouts and motorways are one way unless they say
    no.
    """
    said = tags.get("oneway")
    if said in {"-1", "reverse"}:
        return -1
    if said in {"yes", "true", "1"}:
        return 1
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    return 1 if said is None and implied else 0


def lanes(tags: Tags) -> tuple[float, str]:
    """Lanes of the whole street and how they are known; without a tag one for each direction."""
    match = re.match(r"\d+(?:\.\d+)?", tags.get("lanes", ""))
    if match and float(match[0]) > 0:
        return float(match[0]), "tag"
    return (1.0 if oneway(tags) else 2.0), "default"


def speed_kmh(tags: Tags, country: str = "") -> tuple[float, str]:
    """The limit in km/h and how it is known.

    A bare number is km/h wherever it stands, as OpenStreetMap has it; "30 mph" and "5 knots" are converted;
    "FI:urban" takes its country's limit; without a tag the class decides, in the `country` (ISO 3166) where one
    is given.
    """
    text = tags.get("maxspeed", "").strip()
    if match := re.match(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?$", text):
        factor = {"mph": _MPH, "knots": 1.852}.get(match[2] or "", 1.0)
        return round(float(match[1]) * factor, 1), "tag"
    said, _, zone = text.rpartition(":")
    limit = _IMPLICIT_KMH.get(said, {}).get(zone) or (_IMPLICIT_KMH[""].get(zone) if zone else None)
    if limit is not None:
        return round(limit, 1), "country"
    kind = road_class(tags) or ""
    usual = _CLASS_KMH.get(country, {}).get(kind) or DEFAULT_SPEED_KMH.get(kind, 20)
    return round(float(usual), 1), "default"


def capacity_veh_h(tags: Tags) -> float:
    """Vehicles an hour in one direction: lanes of that direction times the class's assumption."""
    return capacity_of(road_class(tags) or "", lanes(tags)[0], oneway=bool(oneway(tags)))


def capacity_of(kind: str, lane_count: float, *, oneway: bool) -> float:
    """Vehicles an hour in one direction of a street of this class with so many lanes in all."""
    return CAPACITY_PER_LANE.get(kind, 0) * (lane_count if oneway else max(1.0, lane_count / 2))
