"""A person who has a row in every table that keeps something of people, by every way that leads there: the file has
each of them. Rows are put in below the rules of the database, since no life goes through all tables at once.
"""

import datetime as dt
import itertools
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.ranges import RangeField
from django.db import connection, models
from django.utils import timezone

from commons import kept
from commons.kept import Kept
from commons.owndata import archive
from commons.people.models import User
from commons.people.services import create_user
from tests.figures_said import figure

pytestmark = pytest.mark.django_db

NUMBERS: Iterator[int] = itertools.count(7_000_000)
SMALL: Iterator[int] = itertools.count(10_000)
LAX = """
DO $$ DECLARE rule record; BEGIN
FOR rule IN SELECT conrelid::regclass AS place, quote_ident(conname) AS name FROM pg_constraint
    WHERE contype IN ('c', 'x', 'u') AND conparentid = 0 AND conrelid <> 0
      AND connamespace = current_schema()::regnamespace
LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %s CASCADE', rule.place, rule.name); END LOOP;
FOR rule IN SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indisunique AND NOT indisprimary AND c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition
LOOP EXECUTE format('DROP INDEX %s', rule.name); END LOOP;
SET LOCAL session_replication_role = replica;
END $$
"""


def _array(_column: Any) -> list[Any]:
    return []


VALUES: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (ArrayField, _array),
    (RangeField, lambda c: c.range_type(None, None)),
    (models.BooleanField, lambda _c: False),
    (models.UUIDField, lambda _c: uuid.uuid4()),
    ((models.SmallIntegerField, models.PositiveSmallIntegerField), lambda _c: next(SMALL) % 30_000),
    (models.IntegerField, lambda _c: next(NUMBERS)),
    (models.FloatField, lambda _c: 1.5),
    (models.DecimalField, lambda _c: Decimal("0.5")),
    (models.DateTimeField, lambda _c: timezone.now()),
    (models.DateField, lambda _c: dt.date(2026, 5, 4)),
    (models.TimeField, lambda _c: dt.time(9)),
    (models.DurationField, lambda _c: dt.timedelta(hours=1)),
    (models.JSONField, lambda _c: {}),
    (models.BinaryField, lambda _c: b""),
    (models.GenericIPAddressField, lambda _c: "192.0.2.7"),
    ((models.CharField, models.TextField), lambda c: f"{next(NUMBERS):x}"[: c.max_length]),
)


def value(column: Any) -> Any:
    """Something that a column can hold."""
    if column.null:
        return None
    if column.choices:
        return next(key for key, _words in column.flatchoices)
    if column.remote_field is not None:
        return value(column.target_field)
    for kind, made in VALUES:
        if isinstance(column, kind):
            return made(column)
    raise AssertionError(f"no value for {column}")


def row(model: type[models.Model], **given: Any) -> models.Model:
    """A row with what is given and something in every other column; what saving does besides is left out."""
    made = {}
    for column in model._meta.concrete_fields:
        if column.generated or column.attname in given:
            continue
        if column.primary_key and isinstance(column, models.AutoField):
            continue
        made[column.attname] = value(column)
    [kept_row] = model._base_manager.bulk_create([model(**{**made, **given})])
    return kept_row


def lead(model: type[models.Model], tie: str, to: User) -> models.Model:
    """A row of a table from which a tie leads to the person, and all rows on the way."""
    name, _dunder, rest = tie.partition("__")
    if name == "pk":
        return to
    column = model._meta.get_field(name)
    if column.many_to_many:  # type: ignore[union-attr]
        found = row(model)
        getattr(found, name).add(to)
        return found
    if column.auto_created and not column.concrete:  # the other way round: their rows lead to ours
        found = row(model)
        there = lead(column.related_model, rest, to)  # type: ignore[arg-type]
        type(there)._base_manager.filter(pk=there.pk).update(**{column.field.name: found.pk})  # type: ignore[union-attr]
        return found
    target = lead(column.related_model, rest, to) if rest else to  # type: ignore[arg-type]
    return row(model, **{column.attname: getattr(target, column.target_field.attname)})  # type: ignore[union-attr]


def everywhere(person: User) -> dict[str, set[Any]]:
    """Rows in every table by every tie, under the names of the tables."""
    found: dict[str, set[Any]] = {}
    for one in kept.everything():
        keys = found.setdefault(one.model, set())
        keys |= {lead(one.table, tie, person).pk for tie in one.ties}
        keys |= {row(one.table, **{column: person.username}).pk for column in one.names}
    return found


def ways() -> int:
    """How many ways lead from tables to people."""
    return sum(len(one.ties) + len(one.names) for one in kept.everything())


@pytest.fixture
def person() -> User:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    made = create_user(username="zquart", name="Zbigniewa Quartermain", email="z@quartz.example")
    with connection.cursor() as cursor:
        cursor.execute(LAX)
    return made


def test_a_row_in_every_table_by_every_way_is_in_the_file(person: User, tmp_path: Path) -> None:
    put = everywhere(person)
    told = archive.write(person, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as file:
        names = set(file.namelist())
        page = file.read("index.html").decode()
        for one in kept.everything():
            assert f"json/{one.slug}.json" in names, one.model
            rows = json.loads(file.read(f"json/{one.slug}.json"))
            assert len(rows) >= len(put[one.model]), one.model
            _has_keys(one, rows, put[one.model])
            assert f"csv/{one.slug}.csv" in page, one.model
    assert told.tables == len(kept.everything()) or told.tables > len(put)
    figure("privacy_exported_tables", len(put), f"of {len(put)}, by {ways()} ways")


def _has_keys(one: Kept, rows: list[dict[str, Any]], keys: set[Any]) -> None:
    key = one.table._meta.pk
    assert key is not None
    if key.remote_field is None and key.name not in one.hidden:
        assert {str(row[key.name]) for row in rows} >= {str(pk) for pk in keys}, one.model
