"""What a building is used for and how much power and heat its floors take in a year, by published benchmarks.

Electricity and fuel for heat: CIBSE TM46 "Energy Benchmarks" (2008), typical values in kWh/m2 of floor and year; for
homes, which TM46 leaves out, 35 kWh/m2 of power (about 2,600 kWh for a flat of 75 m2) and 140 kWh/m2 of heat are our
assumption, and so is 80 kWh/m2 of heat for shops. A benchmark is the middle of many buildings: a single one may well
take half or twice as much, and no result says more than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from twin.engine.model import Properties
from twin.engine.tags import ROOF_M, STOREY_M

SOURCE = "CIBSE TM46 (2008); homes: assumption"
SPREAD = (0.5, 2.0)
"""A single building's use lies within this range of its benchmark, as a rule."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """kWh a year for each m2 of floor: electricity and heat."""

    group: str
    power: float
    heat: float


HOME = Benchmark("home", 35.0, 140.0)
OFFICE = Benchmark("office", 95.0, 120.0)
SHOP = Benchmark("shop", 165.0, 80.0)
HOTEL = Benchmark("hotel", 105.0, 330.0)
SCHOOL = Benchmark("school", 40.0, 150.0)
UNIVERSITY = Benchmark("university", 80.0, 240.0)
HOSPITAL = Benchmark("hospital", 90.0, 420.0)
CULTURE = Benchmark("culture", 70.0, 200.0)
PUBLIC = Benchmark("public", 20.0, 105.0)
STATION = Benchmark("station", 75.0, 200.0)
WORKS = Benchmark("works", 35.0, 180.0)
STORE = Benchmark("store", 35.0, 160.0)
NONE = Benchmark("none", 0.0, 0.0)
MIXED = Benchmark("mixed", 65.0, 130.0)
"""A use that is not stated: between home and office."""

BENCHMARKS: Mapping[str, Benchmark] = {
    **dict.fromkeys(
        ("apartments", "residential", "house", "detached", "terrace", "semidetached_house", "dormitory"), HOME
    ),
    **dict.fromkeys(("bungalow", "cabin", "Wonen", "residential building", "woonfunctie"), HOME),
    **dict.fromkeys(("office", "government", "bank"), OFFICE),
    **dict.fromkeys(("commercial", "retail", "supermarket", "kiosk", "shop"), SHOP),
    "hotel": HOTEL,
    **dict.fromkeys(("school", "kindergarten"), SCHOOL),
    **dict.fromkeys(("university", "college"), UNIVERSITY),
    **dict.fromkeys(("hospital", "clinic"), HOSPITAL),
    **dict.fromkeys(("museum", "theatre", "cinema", "library", "civic", "sports_hall", "stadium"), CULTURE),
    **dict.fromkeys(("public", "church", "chapel", "cathedral", "mosque", "synagogue", "religious"), PUBLIC),
    **dict.fromkeys(("train_station", "transportation"), STATION),
    **dict.fromkeys(("industrial", "manufacture", "works", "service"), WORKS),
    **dict.fromkeys(("warehouse", "storage_tank", "barn", "hangar"), STORE),
    **dict.fromkeys(
        ("roof", "garage", "garages", "carport", "shed", "hut", "ruins", "greenhouse", "construction"), NONE
    ),
}


def benchmark(use: str) -> Benchmark:
    """What is assumed for a use; between home and office where it is not stated."""
    return BENCHMARKS.get(use, MIXED)


def storeys(about: Properties) -> float:
    """Storeys as stated, else from the height (3.3 m each under 1.5 m of roof), one at least."""
    stated = about.get("levels")
    if isinstance(stated, (int, float)) and stated > 0:
        return float(stated)
    tall_m = float(about.get("height_m") or 0) - float(about.get("min_height_m") or 0)
    return float(max(1, round((tall_m - ROOF_M) / STOREY_M)))
