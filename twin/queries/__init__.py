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
    "kinds",
    "lab_pins",
    "listed",
    "named",
    "of_place",
    "open_traffic_runs",
    "skipped_in_words",
    "things",
    "traffic_answers",
    "version",
]
