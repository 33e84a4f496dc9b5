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

HEIGHT_SOURCES: Words = {
    "tag": _("written in the map"),
    "levels": _("from the number of storeys"),
    "measured": _("measured"),
    "geometry": _("from its 3D shape"),
    "default": _("assumed, the median of the district"),
}

LAYERS: Words = {
    "buildings": _("Buildings"),
    "streets": _("Streets"),
    "services": _("Services"),
    "areas": _("Green and water"),
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
}

SKIPPED_WHY: Words = {
    "cut": _("its outline reaches beyond the file"),
    "outside": _("only one point of it lies in the file"),
    "not-a-street": _("platforms, building sites and trails are not modelled as streets"),
    "repeated": _("the same thing stood in an earlier file"),
    "not-modelled": _("the twin does not model this kind yet"),
    "no-geometry": _("it has no shape"),
    "no-outline": _("it has no outline on the ground"),
}


def word(words: Words, code: str) -> str:
    """The word for a code, or the code itself in plain letters."""
    return str(words.get(code, code.replace("_", " ")))
