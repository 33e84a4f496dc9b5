"""A column for sets of whole numbers kept as ranges."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    from django.db.models.expressions import Expression

Ranges = tuple[tuple[int, int], ...]
"""Sorted, apart, each from inclusive until exclusive: ((1, 5), (7, 9)) holds 1 2 3 4 7 8."""


def as_text(ranges: Ranges) -> str:
    """The ranges as PostgreSQL writes a multirange."""
    return "{" + ",".join(f"[{low},{high})" for low, high in ranges) + "}"


def from_text(text: str) -> Ranges:
    """What `as_text` has written, or PostgreSQL of an int8multirange."""
    parts = text[2:-2].split("),[") if len(text) > 2 else []
    return tuple((int(low), int(high)) for low, high in (part.split(",") for part in parts))


class RangesField(models.Field):  # type: ignore[type-arg]
    """An `int8multirange` of PostgreSQL, in Python a `Ranges`: a long stream of numbers in a few bytes."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "int8multirange"

    def get_placeholder(self, value: object, compiler: object, connection: BaseDatabaseWrapper) -> str:
        """The value goes as text, since a driver that guesses picks the narrower int4multirange."""
        return "%s::int8multirange"

    def get_prep_value(self, value: Any) -> str:
        return as_text(value or ())

    def from_db_value(self, value: Any, expression: "Expression", connection: BaseDatabaseWrapper) -> Ranges:
        return tuple((part.lower, part.upper) for part in value or ())
