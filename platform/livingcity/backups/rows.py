"""Rows of the database out of one snapshot and into empty tables.

Every table goes out by COPY as text, sorted by its primary key, from one REPEATABLE READ transaction; what comes out is
hashed on its way. The same rows give the same bytes on every PostgreSQL, whatever its collation, so two databases are
compared by those sums. It needs no `pg_dump` of the server's version, and a row can be read with `zcat`.

The tables themselves are not kept: the migrations lay them out again, as they were at the time.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
from django.db import connection as city
from django.utils.translation import gettext as _
from psycopg import sql

from commons.web.disk import check_disk
from livingcity.backups.errors import BackupDamaged, BackupFailed
from livingcity.backups.manifest import Kept, Table

Connection = psycopg.Connection[tuple[Any, ...]]
PIECE = 1 << 18
#: How rows are written as text, whatever the server, the account or the database say.
PLAIN = (
    "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1;"
    "SET bytea_output = 'hex'; SET client_encoding = 'UTF8'; SET statement_timeout = 0; SET transaction_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0"
)
LOCK_S = 60
#: Tables of extensions are theirs.
TABLES = """
SELECT c.oid, c.relname, coalesce(p.relname, ''), coalesce(pg_get_expr(c.relpartbound, c.oid), '')
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""
COLUMNS = """
SELECT a.attrelid, a.attname, a.attcollation <> 0, array_position(i.indkey::int2[], a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attrelid, a.attnum
"""
SEQUENCES = """
SELECT relname FROM pg_class
WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace ORDER BY relname COLLATE "C"
"""


def connect() -> Connection:
    """A connection of its own to the city's database, in which text means the same everywhere."""
    words = city.get_connection_params()
    for name in ("cursor_factory", "context", "pool"):
        words.pop(name, None)
    found: Connection = psycopg.connect(**words, autocommit=True)
    for setting in PLAIN.split(";"):
        try:
            found.execute(setting.encode())
        except psycopg.errors.UndefinedObject:  # transaction_timeout came with PostgreSQL 17
            continue
    return found


@contextmanager
def snapshot(connection: Connection) -> Iterator[list[Table]]:
    """All tables as they are at this moment: who changes them later changes nothing for us. Raises BackupFailed."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_S}s'".encode())
        tables = named(connection)
        try:
            every = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
            connection.execute(sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(every))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable):
            raise BackupFailed(
                _("The tables are being changed, by a migration perhaps (waited up to %(n)d s); try again later.")
                % {"n": LOCK_S}
            ) from None
        yield tables


def named(connection: Connection) -> list[Table]:
    """Every table that holds rows, partitions among them, in the order of their names."""
    columns: dict[int, list[tuple[str, bool, int | None]]] = {}
    for table, name, sorted_by_words, place in connection.execute(COLUMNS):
        columns.setdefault(table, []).append((name, sorted_by_words, place))
    return [
        Table(name, tuple(column for column, _w, _p in columns[oid]), _order(columns[oid]), parent, bound)
        for oid, name, parent, bound in connection.execute(TABLES)
    ]


def _order(columns: list[tuple[str, bool, int | None]]) -> tuple[str, ...]:
    """The primary key; without one every column. Words are compared by their bytes, which is the same everywhere."""
    keyed = sorted(((place, name, words) for name, words, place in columns if place is not None))
    chosen = [(name, words) for _place, name, words in keyed] or [(name, words) for name, words, _place in columns]
    return tuple('"{}"{}'.format(name.replace('"', '""'), ' COLLATE "C"' if words else "") for name, words in chosen)


def text(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table as COPY writes them, one by one."""
    query = sql.SQL("COPY (SELECT {} FROM ONLY {} ORDER BY {}) TO STDOUT").format(
        _columns(table),
        sql.Identifier(table.name),
        sql.SQL(", ").join(sql.SQL(part) for part in table.order),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy:
            yield bytes(row)


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in table.columns)


def sums(connection: Connection, table: Table) -> tuple[int, str]:
    """How many rows a table has, and the SHA-256 of their text."""
    digest, rows = hashlib.sha256(), 0
    for piece, count in _pieces(text(connection, table)):
        digest.update(piece)
        rows += count
    return rows, digest.hexdigest()


def _pieces(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines put together to pieces of some size, with how many are in each."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(held), len(held)
            held, size = [], 0
    if held:
        yield b"".join(held), len(held)


def keep(connection: Connection, table: Table, folder: Path) -> Kept:
    """Write the rows of a table into a backup. Raises DiskFull."""
    check_disk(folder)
    digest, rows, size = hashlib.sha256(), 0, 0
    path = folder / table.file
    with path.open("wb") as file:
        out = _Summed(file)
        with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=cast("BinaryIO", out), mtime=0) as packed:
            for piece, count in _pieces(text(connection, table)):
                digest.update(piece)
                packed.write(piece)
                rows += count
                size += len(piece)
    return Kept(table, rows, size, digest.hexdigest(), out.digest.hexdigest())


class _Summed:
    """A file that sums what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def write(self, piece: bytes) -> int:
        """Pass it on."""
        self.digest.update(piece)
        return self.file.write(piece)

    def flush(self) -> None:
        """Pass it on."""
        self.file.flush()


def sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """Where each sequence stands. Ask after the rows: a number that a row has was given before it."""
    found = {}
    for (name,) in connection.execute(SEQUENCES).fetchall():
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        value, called = connection.execute(query).fetchone() or (1, False)
        found[name] = (int(value), bool(called))
    return found


# --- into empty tables -------------------------------------------------------------------------------------------

FOREIGN = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace ORDER BY 1, 2
"""
#: Those that no constraint hangs on and that belong to one table alone.
INDEXES = """
SELECT x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid)
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE c.relkind = 'i' AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""


def make_partitions(connection: Connection, tables: Iterable[Table]) -> None:
    """Make the partitions that the migrations did not. Raises BackupDamaged where a table is not as it was."""
    wanted = list(tables)
    there = {table.name for table in named(connection)}
    for table in wanted:
        if table.parent and table.name not in there:
            if ";" in table.bound:
                raise BackupDamaged(_("The bounds of %(table)s are none.") % {"table": table.name})
            connection.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF {} {}").format(
                    sql.Identifier(table.name),
                    sql.Identifier(table.parent),
                    sql.SQL(table.bound),  # as the server wrote it
                )
            )
    found = {table.name: table for table in named(connection)}
    for table in wanted:
        if table.name not in found or set(found[table.name].columns) != set(table.columns):
            raise BackupDamaged(
                _("The table %(table)s is not the one that this code's migrations make.") % {"table": table.name}
            )


def fill(connection: Connection, tables: Iterable[Kept], folder: Path, say: Any) -> None:
    """Put the rows of a backup into tables, with what hangs on them (keys, indexes, triggers) away meanwhile.

    Raises BackupDamaged where a file is not what the manifest says.
    """
    kept = list(tables)
    foreign = connection.execute(FOREIGN).fetchall()
    indexes = connection.execute(INDEXES).fetchall()
    for table, name, _definition in foreign:
        _run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        _run(connection, f"DROP INDEX {name}")
    everything = sum(each.bytes for each in kept) or 1
    done = 0
    for each in kept:
        say(done / everything, each.table.name)
        _fill(connection, each, folder)
        done += each.bytes
    say(1.0, "indexes")
    for _name, definition in indexes:
        _run(connection, definition)
    for table, name, definition in foreign:
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _fill(connection: Connection, kept: Kept, folder: Path) -> None:
    name = sql.Identifier(kept.table.name)
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN WITH (FREEZE)").format(name, _columns(kept.table))
    digest, rows = hashlib.sha256(), 0
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        cursor.execute(sql.SQL("TRUNCATE {}").format(name))
        with cursor.copy(copy_in) as copy:
            for piece in _unpacked(folder / kept.table.file):
                digest.update(piece)
                rows += piece.count(b"\n")
                copy.write(piece)
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
        if (rows, digest.hexdigest()) != (kept.rows, kept.sha256):
            raise BackupDamaged(
                _("%(file)s does not hold the rows that the manifest says.") % {"file": folder / kept.table.file}
            )


def _unpacked(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            while piece := file.read(PIECE):
                yield piece
    except (OSError, EOFError, zlib.error) as fault:
        raise BackupDamaged(_("%(file)s cannot be read: %(why)s.") % {"file": path, "why": fault}) from None


def set_sequences(connection: Connection, wanted: dict[str, tuple[int, bool]]) -> None:
    """Let each sequence go on where it stood."""
    for name, (value, called) in wanted.items():
        connection.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", [name, value, called])


def differing(connection: Connection, tables: Iterable[Kept], say: Any) -> list[str]:
    """The names of tables whose rows are not byte for byte those that were kept."""
    kept, wrong = list(tables), []
    there = {table.name: table for table in named(connection)}
    for number, each in enumerate(kept):
        say(number / max(len(kept), 1), each.table.name)
        name = each.table.name
        if name not in there or sums(connection, replace(each.table, order=there[name].order)) != (
            each.rows, each.sha256,
        ):  # fmt: skip
            wrong.append(name)
    return wrong


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
