"""How long readings are kept: raw readings for days, quarters for years, hours for ever; by the rows of `Retention`.

A run has three steps, each of which may be broken off anywhere and is taken up by the next run:

1. *close* days, one transaction each: the stretches of the day are written down (`services.closed`) and the kind's
   `closed_until` moves on. Late readings are treated as late from then on. Whoever writes reads `closed_until` after
   their raw rows are in, and closing waits for those rows, so nobody falls between.
2. *drop* what all kinds have closed: DETACH and DROP of the day's table, which takes moments; where one kind is kept
   longer, the day is written anew without the others. Where somebody holds the table for long, the next run does it.
3. delete old quarters, and absurd stamps that came long ago.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import channels
from commons.devices.errors import BadRetention
from commons.devices.models import QUARTER_S, Retention
from commons.devices.services.closed import HOLD_US
from commons.devices.services.partitions import name_of

log = logging.getLogger(__name__)

DAY = dt.timedelta(days=1)
LEAST_RAW_DAYS = 7
POWER, COUNTER = channels.POWER_W, channels.ENERGY_WH_TOTAL
CHANNELS: dict[str, str] = {
    "power": f"channel = {POWER}",
    "counter": f"channel = {COUNTER}",
    "plain": f"channel NOT IN ({POWER}, {COUNTER})",
}


@dataclass(slots=True)
class Done:
    """What a run did: days closed and tables dropped or written anew, quarters and stray readings deleted."""

    closed: int = 0
    dropped: int = 0
    thinned: int = 0
    quarters: int = 0
    strays: int = 0
    waiting: int = 0


def policy() -> dict[str, Retention]:
    """The policy of each kind; what has no row has the defaults."""
    found = {row.kind: row for row in Retention.objects.all()}
    return {kind: found.get(kind) or Retention(kind=kind) for kind in Retention.Kind.values}


@transaction.atomic
def set_policy(*, kind: str, raw_days: int, quarter_days: int) -> Retention:
    """Keep raw readings of the kind for so many days and quarters for so many. Raises BadRetention.

    What is gone stays gone: a longer time counts from now on.
    """
    if kind not in Retention.Kind.values:
        raise BadRetention(_("“%(kind)s” is none of %(known)s.") % {"kind": kind, "known": ", ".join(CHANNELS)})
    if not LEAST_RAW_DAYS <= raw_days <= quarter_days <= 36_500:
        raise BadRetention(
            _("Keep raw readings for at least %(n)d days, and quarters at least as long.") % {"n": LEAST_RAW_DAYS}
        )
    row, _made = Retention.objects.update_or_create(
        kind=kind, defaults={"raw_days": raw_days, "quarter_days": quarter_days}
    )
    return row


def run(now: dt.datetime | None = None, *, most_days: int = 400) -> Done:
    """Do what the policy says, at most `most_days` days of each kind at once."""
    now = now or timezone.now()
    done = Done()
    for kind, row in policy().items():
        until = _midnight(now - row.raw_days * DAY)
        for day in _days(kind, row, until, most_days):
            _close(kind, day)
            done.closed += 1
    for table in days_with_a_table():
        _drop(table, done)
    _sweep(now, done)
    return done


def _midnight(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(kind: str, row: Retention, until: dt.datetime, most: int) -> Iterator[dt.datetime]:
    """The days of the kind to close, oldest first."""
    start = row.closed_until or _begin(kind, until)
    if start is not None:
        count = min((until - start).days, most)
        yield from (start + n * DAY for n in range(count))


def _begin(kind: str, until: dt.datetime) -> dt.datetime | None:
    """The first day to close of a kind of which nothing is; where there is none before `until`, all before it is."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '700ms'")
            cursor.execute("LOCK TABLE devices_reading IN SHARE MODE")  # whoever writes old days is seen
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
            cursor.execute("SELECT min(ts) FROM devices_reading_default WHERE flags = 0")
            stray: dt.datetime | None = cursor.fetchone()[0]
            days = [dt.datetime.combine(day, dt.time(), dt.UTC) for day in days_with_a_table()[:1]]
            first = min([*days, *([_midnight(stray)] if stray else [])], default=until)
            if first >= until:
                Retention.objects.update_or_create(kind=kind, defaults={"closed_until": until})
                return None
            return first
    except OperationalError:
        log.warning("readings are being written; nothing of “%s” is closed in this run", kind)
        return None


@transaction.atomic
def _close(kind: str, day: dt.datetime) -> None:
    """Write down the stretches of a day and move `closed_until` behind it. Waits for who writes to that day."""
    Retention.objects.get_or_create(kind=kind)
    row = Retention.objects.select_for_update().get(kind=kind)
    if row.closed_until is not None and row.closed_until > day:
        return  # another run was here
    home = name_of(day.date()) if day.date() in days_with_a_table() else "devices_reading_default"
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {home} IN SHARE MODE")
        if kind in {Retention.Kind.POWER, Retention.Kind.COUNTER}:
            hold_s = HOLD_US[kind] / 1e6  # type: ignore[index]  # these two are kinds
            cursor.execute(_STRETCHES.format(mine=CHANNELS[kind]), {"low": day, "high": day + DAY, "hold": hold_s})
            cursor.execute(_MERGE.format(mine=CHANNELS[kind]), {"low": day, "high": day + DAY, "hold": hold_s})
    row.closed_until = day + DAY
    row.save(update_fields=["closed_until"])


_STRETCHES = """WITH mine AS (
    SELECT device, channel, ts, seq, value,
        coalesce(ts - lag(ts) OVER w > make_interval(secs => %(hold)s), true) AS is_first,
        coalesce(lead(ts) OVER w - ts > make_interval(secs => %(hold)s), true) AS is_last
    FROM devices_reading WHERE flags = 0 AND {mine} AND ts >= %(low)s AND ts < %(high)s
    WINDOW w AS (PARTITION BY device, channel ORDER BY ts, seq)
), firsts AS (
    SELECT *, row_number() OVER (PARTITION BY device, channel ORDER BY ts, seq) AS n FROM mine WHERE is_first
), lasts AS (
    SELECT *, row_number() OVER (PARTITION BY device, channel ORDER BY ts, seq) AS n FROM mine WHERE is_last
)
INSERT INTO devices_stretch (device_id, channel, start, start_seq, start_value, "end", end_seq, end_value)
SELECT f.device, f.channel, f.ts, f.seq, f.value, l.ts, l.seq, l.value
FROM firsts f JOIN lasts l USING (device, channel, n)"""

_MERGE = """WITH fresh AS (
    SELECT DISTINCT ON (device_id, channel) * FROM devices_stretch
    WHERE {mine} AND start >= %(low)s AND start < %(high)s ORDER BY device_id, channel, start, start_seq
), pairs AS (
    SELECT f.id AS gone, o.id AS kept, f."end", f.end_seq, f.end_value
    FROM fresh f CROSS JOIN LATERAL (
        SELECT s.id, s."end" FROM devices_stretch s
        WHERE s.device_id = f.device_id AND s.channel = f.channel AND s.start < %(low)s
        ORDER BY s.start DESC, s.start_seq DESC LIMIT 1
    ) o WHERE f.start - o."end" <= make_interval(secs => %(hold)s)
), deleted AS (
    DELETE FROM devices_stretch WHERE id IN (SELECT gone FROM pairs)
)
UPDATE devices_stretch s SET "end" = p."end", end_seq = p.end_seq, end_value = p.end_value
FROM pairs p WHERE s.id = p.kept"""


def days_with_a_table() -> list[dt.date]:
    """The days that have a table of their own, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'devices_reading'::regclass AND c.relname ~ '^devices_reading_[0-9]{8}$' ORDER BY 1"""
        )
        return [row[0] for row in cursor.fetchall()]


def _drop(day: dt.date, done: Done) -> None:
    """Take away what is closed of a day's table: all of it, or the kinds that are."""
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    gone = [
        kind for kind, row in policy().items() if row.closed_until is not None and row.closed_until >= midnight + DAY
    ]
    if not gone:
        return
    whole = len(gone) == len(CHANNELS)
    table = name_of(day)
    closed = " OR ".join(f"({CHANNELS[kind]})" for kind in gone)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not whole:
                cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE {closed})")  # noqa: S608 constants
                if not cursor.fetchone()[0]:
                    return
            cursor.execute("SET LOCAL lock_timeout = '700ms'")
            cursor.execute(f"ALTER TABLE devices_reading DETACH PARTITION {table}")
            if whole:
                cursor.execute(f"DROP TABLE {table}")
            else:
                _without(table, day, closed)
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError:
        log.warning("the readings of %s are in use; they are dropped at the next run", day)
        done.waiting += 1
        return
    done.dropped += whole
    done.thinned += not whole


def _without(table: str, day: dt.date, closed: str) -> None:
    """The day's table anew, without what is closed. A late reading goes to the default partition meanwhile."""
    span = (f"{day:%Y-%m-%d} 00:00:00+00", f"{day + DAY:%Y-%m-%d} 00:00:00+00")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_old")
        cursor.execute(f"CREATE TABLE {table} (LIKE devices_reading INCLUDING ALL)")
        cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}_old WHERE NOT ({closed})")  # noqa: S608
        cursor.execute(f"DROP TABLE {table}_old")
        cursor.execute(f"ALTER TABLE devices_reading ATTACH PARTITION {table} FOR VALUES FROM (%s) TO (%s)", span)


@transaction.atomic
def _sweep(now: dt.datetime, done: Done) -> None:
    """Old quarters; and in the default partition what came late for closed days, and absurd stamps of long ago."""
    for kind, row in policy().items():
        if row.closed_until is None:
            continue
        until = min(_midnight(now - row.quarter_days * DAY), row.closed_until)
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM devices_rollup WHERE step_s = {QUARTER_S} AND {CHANNELS[kind]} AND start < %s",  # noqa: S608
                [until],
            )
            done.quarters += cursor.rowcount
            cursor.execute(
                f"""DELETE FROM devices_reading_default WHERE {CHANNELS[kind]}
                    AND ((flags = 0 AND ts < %s) OR (flags <> 0 AND received_at < %s))""",  # noqa: S608
                [row.closed_until, now - row.raw_days * DAY],
            )
            done.strays += cursor.rowcount
        if row.quarters_until is None or row.quarters_until < until:
            row.quarters_until = until
            row.save(update_fields=["quarters_until"])


def size() -> dict[str, int]:
    """How many days have a table, and how many bytes readings, quarters and hours take."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'devices_reading'::regclass"""
        )
        readings = cursor.fetchone()[0]
        cursor.execute("SELECT pg_total_relation_size('devices_rollup')")
        rollups = cursor.fetchone()[0]
    return {"days": len(days_with_a_table()), "readings_bytes": readings, "rollups_bytes": rollups}
