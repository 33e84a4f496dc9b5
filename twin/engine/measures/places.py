"""Measures about services, buildings and green."""

from energy.engine.refusals import gettext_noop
from twin.engine.measures.base import Changes, Field, Given, Measure

SERVICES = (
    ("grocery", gettext_noop("grocery")),
    ("school", gettext_noop("school")),
    ("kindergarten", gettext_noop("kindergarten")),
    ("library", gettext_noop("library")),
    ("pharmacy", gettext_noop("pharmacy")),
    ("health", gettext_noop("doctor or clinic")),
    ("community", gettext_noop("community centre")),
    ("culture", gettext_noop("theatre, cinema or arts")),
    ("park", gettext_noop("park or garden")),
    ("playground", gettext_noop("playground")),
    ("sport", gettext_noop("sports or fitness")),
    ("transit", gettext_noop("bus, tram or train stop")),
    ("charging", gettext_noop("car charger")),
    ("recycling", gettext_noop("recycling point")),
    ("lab", gettext_noop("open lab")),
)
BUILDING_USES = (
    ("apartments", gettext_noop("homes")),
    ("office", gettext_noop("offices")),
    ("retail", gettext_noop("shops")),
    ("hotel", gettext_noop("hotels")),
    ("school", gettext_noop("schools")),
    ("university", gettext_noop("universities")),
    ("hospital", gettext_noop("hospitals")),
    ("civic", gettext_noop("culture and sport")),
    ("industrial", gettext_noop("works")),
)
"""Uses as OpenStreetMap writes them, which every engine reads."""


def _service(changes: Changes, given: Given) -> None:
    lon, lat = given["at"]
    changes.services.append((given["service"], (lon, lat)))


def _building(changes: Changes, given: Given) -> None:
    if "use" not in given and "levels" not in given:
        return
    kept = {name: given[name] for name in ("use", "levels") if name in given}
    changes.buildings[given["building"]] = changes.buildings.get(given["building"], {}) | kept


def _trees(changes: Changes, given: Given) -> None:
    lon, lat = given["at"]
    changes.trees.append(((lon, lat), given["count"]))


def _green_roof(changes: Changes, given: Given) -> None:
    changes.green_roofs = given["share_percent"] / 100


MEASURES = (
    Measure(
        "new_service", "places", gettext_noop("New service"),
        gettext_noop("A school, clinic, shop, lab or the like opens at a place."),
        (
            Field("service", "choice", gettext_noop("What opens"), choices=SERVICES, default="grocery"),
            Field("at", "place", gettext_noop("Where")),
        ),
        frozenset({"access"}),
        (gettext_noop("Trips by car to it are not reckoned: they are taken to replace trips to another place."),),
        _service,
    ),
    Measure(
        "change_building", "places", gettext_noop("Change a building"),
        gettext_noop("A building gets another use, or more or fewer storeys."),
        (
            Field("building", "building", gettext_noop("Building")),
            Field("use", "choice", gettext_noop("Use"), choices=BUILDING_USES, required=False),
            Field("levels", "integer", gettext_noop("Storeys"), "", 1, 60, required=False),
        ),
        frozenset({"energy", "traffic", "heat"}),
        (
            gettext_noop("Building, pulling down and what that emits are left out; so is the shade of new storeys."),
            gettext_noop("Where people are counted by a grid, new homes do not add people to it."),
        ),
        _building,
    ),
    Measure(
        "trees", "green", gettext_noop("Trees"),
        gettext_noop("Trees are planted around a place, each with a crown of 25 m² when it is grown."),
        (
            Field("at", "place", gettext_noop("Where")),
            Field("count", "integer", gettext_noop("How many"), "", 1, 10_000, 20),
        ),
        frozenset({"heat"}),
        (gettext_noop("It takes fifteen years until a crown is that wide; the answer is for grown trees."),),
        _trees,
    ),
    Measure(
        "green_roof", "green", gettext_noop("Green roofs"),
        gettext_noop("This share of the flat roofs is planted."),
        (Field("share_percent", "number", gettext_noop("Share of flat roofs"), "%", 0, 100, 30.0),),
        frozenset({"heat"}),
        (
            gettext_noop("A planted roof counts as green ground around it: the most that it can do in the street."),
            gettext_noop("Which roofs are planted is drawn by lot; a roof may be green and carry panels."),
        ),
        _green_roof,
    ),
)  # fmt: skip
