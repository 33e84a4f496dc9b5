"""Reads of the twin, by noun."""

from twin.queries import offers, scenarios, versions
from twin.queries.districts import (
    access,
    as_model,
    best_known,
    building,
    current,
    district,
    districts,
    kinds,
    lab_pins,
    listed,
    named,
    of_place,
    skipped_in_words,
    things,
    version,
)
from twin.queries.reckonings import drawing, drawings, measured_kwh, of_building, reckoned_at, reckoning, reckoning_run
from twin.queries.traffic import chosen_traffic, default_traffic, open_traffic_runs, traffic_answers

__all__ = [
    "access",
    "as_model",
    "best_known",
    "building",
    "chosen_traffic",
    "current",
    "default_traffic",
    "district",
    "districts",
    "drawing",
    "drawings",
    "kinds",
    "lab_pins",
    "listed",
    "measured_kwh",
    "named",
    "of_building",
    "of_place",
    "offers",
    "open_traffic_runs",
    "reckoned_at",
    "reckoning",
    "reckoning_run",
    "scenarios",
    "skipped_in_words",
    "things",
    "traffic_answers",
    "version",
    "versions",
]
