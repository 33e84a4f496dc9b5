"""Reads of the twin, by noun."""

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
from twin.queries.reckonings import drawing, drawings, of_building, reckoned_at, reckoning, reckoning_run

__all__ = [
    "access",
    "as_model",
    "best_known",
    "building",
    "current",
    "district",
    "districts",
    "drawing",
    "drawings",
    "kinds",
    "lab_pins",
    "listed",
    "named",
    "of_building",
    "of_place",
    "reckoned_at",
    "reckoning",
    "reckoning_run",
    "skipped_in_words",
    "things",
    "version",
]
