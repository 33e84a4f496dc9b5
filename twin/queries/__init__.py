"""Reads of the twin, by noun."""

from twin.queries import offers, versions
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

__all__ = [
    "access",
    "as_model",
    "best_known",
    "building",
    "current",
    "district",
    "districts",
    "kinds",
    "lab_pins",
    "listed",
    "named",
    "of_place",
    "offers",
    "skipped_in_words",
    "things",
    "version",
    "versions",
]
