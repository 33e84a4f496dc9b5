"""Words for the codes that the engine and the tables use."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = Mapping[str, str | Promise]

KINDS: Words = {
    "grocery": _("grocery"),
    "school": _("school"),
    "kindergarten": _("kindergarten"),
    "library": _("library"),
    "pharmacy": _("pharmacy"),
    "health": _("doctor or clinic"),
    "community": _("community centre"),
    "post": _("post office"),
    "bank": _("bank"),
    "culture": _("theatre, cinema or arts"),
    "food": _("restaurant or café"),
    "university": _("university"),
    "safety": _("police or fire station"),
    "charging": _("car charger"),
    "bikeshare": _("shared bicycles"),
    "toilets": _("public toilet"),
    "water": _("drinking water"),
    "recycling": _("recycling point"),
    "park": _("park or garden"),
    "playground": _("playground"),
    "sport": _("sports or fitness"),
    "transit": _("bus, tram or train stop"),
}

HEAT: Mapping[int, str | Promise] = {
    2: _("strong: compact, little green"),
    1: _("moderate: compact with green, or open with little"),
    0: _("weak: open or green"),
}

HEIGHT_SOURCES: Words = {
    "tag": _("written in the map"),
    "levels": _("from the number of storeys"),
    "measured": _("measured"),
    "geometry": _("from its 3D shape"),
    "parts": _("from the highest of its parts"),
    "citizen": _("corrected by a citizen"),
    "default": _("assumed, the median of the district"),
}

LAYERS: Words = {
    "buildings": _("Buildings"),
    "streets": _("Streets"),
    "services": _("Services"),
    "areas": _("Green and water"),
    "people": _("People"),
}

PROPERTIES: Words = {
    "name": _("Name"),
    "use": _("Use"),
    "height_m": _("Height"),
    "min_height_m": _("Begins above the ground"),
    "levels": _("Storeys"),
    "year": _("Built"),
    "roof_shape": _("Roof"),
    "address": _("Address"),
    "lanes": _("Lanes"),
    "speed_kmh": _("Speed limit"),
    "oneway": _("Direction"),
    "capacity_veh_h": _("Capacity"),
    "car": _("Open to cars"),
    "bicycle": _("Open to bicycles"),
    "foot": _("Open on foot"),
    "length_m": _("Length"),
    "highway": _("Class of street"),
    "kind": _("Kind"),
    "tag": _("Word in its source"),
    "date": _("Last edited in its source"),
    "source": _("Source"),
    "licence": _("Licence"),
    "population": _("People"),
    "over_65": _("65 and older"),
    "under_15": _("Under 15"),
    "parts": _("Parts"),
    "shape": _("Shape"),
    "lod": _("Level of detail"),
}

ONEWAY: Words = {"0": _("both ways"), "1": _("one way, as it was drawn"), "-1": _("one way, against how it was drawn")}

ROOFS: Words = {
    "flat": _("flat"),
    "skillion": _("one slope"),
    "gabled": _("gabled"),
    "half-hipped": _("half hipped"),
    "hipped": _("hipped"),
    "mansard": _("mansard"),
    "pyramidal": _("pyramid"),
    "dome": _("dome"),
    "round": _("round"),
    "sawtooth": _("sawtooth"),
}

KNOWN: Words = {
    "tag": _("written in the map"),
    "country": _("the country’s limit for this zone"),
    "default": _("assumed by its class"),
    "assumption": _("assumed by class and lanes"),
    "estimated": _("estimated from classes of ten years"),
    "citizen": _("corrected by a citizen"),
}

SOURCES: Words = {
    "osm": _("OpenStreetMap"),
    "cityjson": _("a 3D city model (CityJSON)"),
    "geojson": _("a GeoJSON file"),
    "csv": _("a table"),
    "citizen": _("a citizen"),
}

REMARKS: Words = {
    "feet": _("its coordinates are in feet; they were turned into metres"),
}

AREAS: Words = {"green": _("green"), "water": _("water")}

USES: Words = {
    "yes": _("use not stated"),
    "apartments": _("homes"),
    "residential": _("homes"),
    "house": _("house"),
    "office": _("offices"),
    "commercial": _("trade"),
    "retail": _("shops"),
    "public": _("public"),
    "school": _("school"),
    "university": _("university"),
    "church": _("church"),
    "hotel": _("hotel"),
    "industrial": _("industry"),
    "hospital": _("hospital"),
    "museum": _("museum"),
    "train_station": _("station"),
    "kiosk": _("kiosk"),
    "garage": _("garage"),
    "roof": _("roof"),
    "service": _("service building"),
}

SKIPPED_WHAT: Words = {
    "building": _("building"),
    "street": _("street"),
    "service": _("service"),
    "area": _("green or water"),
    "object": _("object"),
    "part": _("part of a building"),
    "people": _("cell of the population grid"),
}

SKIPPED_WHY: Words = {
    "cut": _("its outline reaches beyond the file"),
    "outside": _("only one point of it lies in the file"),
    "not-a-street": _("platforms, building sites and trails are not modelled as streets"),
    "repeated": _("the same thing stood in an earlier file"),
    "not-modelled": _("the twin does not model this kind yet"),
    "no-geometry": _("it has no shape"),
    "no-outline": _("it has no outline on the ground"),
    "no-building": _("no building lies around it"),
    "beyond": _("it lies outside the district"),
    "no-number": _("it does not say how many people"),
}


def word(words: Words, code: str) -> str:
    """The word for a code, or the code itself in plain letters."""
    return str(words.get(code, code.replace("_", " ")))
