"""What the demo's people do around designs: tags, stars, talk, makes, a collection."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from designs.demo import photos
from designs.demo.stock import on

CLAMP, GEAR, CASE = ("aino", "balcony-rail-clamp"), ("otto", "vent-gear"), ("sanna", "air-sensor-case")
PLANTER, BEARING, HOOK = ("leila", "herb-planter"), ("sanna", "printed-bearing-60"), ("mikko", "coat-hook")
COMB = ("otto", "cable-comb")

TAGS: dict[tuple[str, str], tuple[str, ...]] = {
    CLAMP: ("solar", "balcony", "clamp"),
    GEAR: ("repair", "window", "gear"),
    CASE: ("air", "sensor", "electronics"),
    PLANTER: ("garden", "balcony"),
    BEARING: ("bearing", "print-in-place"),
    HOOK: ("home",),
    COMB: ("desk", "cable", "laser"),
}

STARS: dict[tuple[str, str], tuple[str, ...]] = {
    CLAMP: ("otto", "sanna", "mikko", "leila"),
    GEAR: ("aino", "mikko"),
    CASE: ("mikko", "leila", "aino"),
    PLANTER: ("aino", "otto"),
    BEARING: ("otto",),
    COMB: ("sanna",),
}

#: Who may push and merge beside the owner.
MAINTAINERS = ((CLAMP, "mikko"),)


@dataclass(frozen=True, slots=True)
class Said:
    """A comment on a design; `answers` it follows the one before it in the same thread."""

    design: tuple[str, str]
    author: str
    at: dt.datetime
    body: str
    answers: bool = False


TALK: tuple[Said, ...] = (
    Said(CLAMP, "leila", on(11, 6), "Does it hold on a rail that is *painted*? Ours is slippery."),
    Said(
        CLAMP, "aino", on(11, 6, 19),
        "With the rubber strip it does. Clean the rail first, and tighten it again after a day: the paint gives "
        "a little.",
        answers=True,
    ),
    Said(CLAMP, "leila", on(11, 8), "Cleaned, tightened, holds. Thank you.", answers=True),
    Said(
        CLAMP, "mikko", on(11, 15),
        "For who asks about torque: a spanner of 20 cm and a push of 2 kg are about 4 Nm. More splits the body.",
    ),
    Said(GEAR, "sanna", on(7, 2), "The vents in our stairwell have **17** teeth. Is there a version for those?"),
    Said(
        GEAR, "otto", on(7, 3),
        "Count again, please: I counted 17 at first and it was 18. The first version in the history has 17, "
        "if you are sure.",
        answers=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A make; `version` is the release that it was made from, and each photo is a JPEG when called."""

    design: tuple[str, str]
    author: str
    at: dt.datetime
    text: str
    version: str = ""
    photos: tuple[Callable[[], bytes], ...] = ()


MAKES: tuple[Made, ...] = (
    Made(
        CLAMP, "sanna", on(6, 14), "Four of them in orange PETG, for two panels. Supports were not needed.", "2.0",
        (photos.clamp, photos.clamp_parts),
    ),
    Made(CLAMP, "leila", on(11, 8, 15), "ASA, since ours faces south. It has held through one storm.", "2.1"),
    Made(GEAR, "aino", on(6, 28), "The kitchen vent turns again after four years.", "1.1", (photos.gear,)),
    Made(PLANTER, "otto", on(5, 20), "In wood-filled PLA, with basil.", "", (photos.planter,)),
    Made(CASE, "leila", on(10, 9), "Hangs under the roof of the bicycle shed, with the rain roof.", "", (photos.roof,)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gathered:
    """A collection: designs in order, each with a note."""

    owner: str
    name: str
    about: str
    designs: tuple[tuple[tuple[str, str], str], ...]


COLLECTIONS: tuple[Gathered, ...] = (
    Gathered(
        "leila", "For the balcony", "What neighbours in Kamppi have tried on their own balconies, wind and all.",
        (
            (CLAMP, "Two for each panel."),
            (PLANTER, "Stands well in wind, if the soil is wet."),
            (CASE, "Hang it in the shade."),
        ),
    ),
)  # fmt: skip
