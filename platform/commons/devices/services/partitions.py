"""Days of `devices_reading`, made when first needed and ahead of time by beat."""

import datetime as dt
import logging
import time
from collections.abc import Iterable

from django.db import OperationalError, connection, transaction

log = logging.getLogger(__name__)

_LOCK = 0x6C63_6461  # "lcda": class of the advisory lock under which partitions are made

KNOWN_S, MOST_KNOWN = 60.0, 1000
_known: dict[dt.date, float] = {}
"""Until when a day's partition is believed to be there. If it was taken away meanwhile, readings go to the default
partition, where they are read and counted as well."""


def name_of(day: dt.date) -> str:
    """The partition's table."""
    return f"devices_reading_{day:%Y%m%d}"


def days_known(days: Iterable[dt.date]) -> None:
    """`ensure_days` for every batch: days that were found within the last minute are not asked for again."""
    now = time.monotonic()
    wanted = {day for day in days if _known.get(day, 0.0) < now}
    if not wanted:
        return
    if _missing(sorted(wanted)):
        ensure_days(wanted)
    transaction.on_commit(lambda: _remember(wanted, now + KNOWN_S))


def _remember(days: set[dt.date], until: float) -> None:
    if len(_known) > MOST_KNOWN:
        _known.clear()
    _known.update(dict.fromkeys(days, until))


@transaction.atomic
def ensure_days(days: Iterable[dt.date]) -> int:
    """Make the partitions of these UTC days that are missing; how many. Two at once make each day once.

    The new table is filled with what the default partition holds of that day and attached, which other
    writers do not have to wait for (CREATE … PARTITION OF would lock the whole table). Attaching needs the
    default partition for itself for a moment; where a backup holds that for longer, the day stays in the
    default partition, where it is read and counted like any other, until somebody asks for it again. Call it
    before readings are read in the same transaction.
    """
    wanted = sorted(set(days))
    made = 0
    with connection.cursor() as cursor:
        if not (missing := _missing(wanted)):
            return 0
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
        for day in _missing(missing):
            try:
                with transaction.atomic():
                    cursor.execute("SET LOCAL lock_timeout = '1s'")
                    _make(day)
                    cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
                    made += 1
            except OperationalError:
                log.warning("no partition for %s now; its readings stay in the default partition", day)
    return made


def _missing(days: list[dt.date]) -> list[dt.date]:
    with connection.cursor() as cursor:
        names = [name_of(day) for day in days]
        # The catalogue itself: to_regclass may answer from a cache that has not heard of another session's table.
        cursor.execute(
            """SELECT n FROM unnest(%s::text[]) AS n WHERE NOT EXISTS (
                SELECT FROM pg_class WHERE relname = n AND relnamespace = current_schema()::regnamespace
            )""",
            [names],
        )
        absent = {row[0] for row in cursor.fetchall()}
    return [day for day, name in zip(days, names, strict=True) if name in absent]


def _make(day: dt.date) -> None:
    table = name_of(day)
    span = (f"{day:%Y-%m-%d} 00:00:00+00", f"{day + dt.timedelta(days=1):%Y-%m-%d} 00:00:00+00")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (LIKE devices_reading INCLUDING ALL)")
        cursor.execute(
            f"""WITH moved AS (
                DELETE FROM devices_reading_default WHERE ts >= %s AND ts < %s RETURNING *
            ) INSERT INTO {table} SELECT * FROM moved""",  # noqa: S608 the name is made of a date
            span,
        )
        cursor.execute(f"ALTER TABLE devices_reading ATTACH PARTITION {table} FOR VALUES FROM (%s) TO (%s)", span)
