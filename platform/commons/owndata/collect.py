"""Everything that concerns a person, as plain rows, by what each app declares in its `kept.py`."""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.db import models

from commons.kept import Kept
from commons.people.models import User

#: Instead of another person's account: what they did stands in their own file.
YOU, ANOTHER = "you", "another person"

PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((type(None), str, int, float), lambda value: value),
    ((dt.date, dt.time), lambda value: value.isoformat()),
    (dt.timedelta, dt.timedelta.total_seconds),
    ((bytes, memoryview), lambda value: base64.b64encode(bytes(value)).decode()),
)


def columns(one: Kept) -> "list[models.Field[Any, Any]]":
    """The columns of a table that a person may have."""
    return [column for column in one.table._meta.concrete_fields if column.name not in one.hidden]


def rows(one: Kept, person: User) -> Iterator[dict[str, Any]]:
    """The person's rows of a table, oldest first, one at a time."""
    wanted = columns(one)
    for row in one.of(person).iterator(chunk_size=500):
        yield {column.name: _plain(one, column, row, person) for column in wanted}


def _plain(one: Kept, column: "models.Field[Any, Any]", row: models.Model, person: User) -> Any:
    value = getattr(row, column.attname)
    if column.remote_field is not None and column.related_model is User:
        return None if value is None else YOU if value == person.pk else ANOTHER
    if column.name in one.read and value is not None:
        return one.read[column.name](value)
    return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON knows it: times with their zone, decimals as text so that no cent is lost, bytes in base64."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    for kind, said in PLAIN:
        if isinstance(value, kind):
            return said(value)
    return str(value)
