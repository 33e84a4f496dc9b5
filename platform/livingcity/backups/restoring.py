"""Filling an empty machine from a backup: the tables as they were, the rows, the files, then this code's migrations.

A note in the data folder and a table in the database say that a restore is at work. Only what has the note is ever
wiped, so a restore that was killed is simply run again, and a city that is there is never touched.
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection as city
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from psycopg import sql

from commons import sealing, sockets
from livingcity.backups import files, laying, rows
from livingcity.backups.errors import BackupDamaged, RestoreRefused
from livingcity.backups.files import Say
from livingcity.backups.making import SECRET_PURPOSE
from livingcity.backups.manifest import SECRET, Backup, Manifest
from livingcity.dev import schema
from livingcity.dev.places import RESTORING

MARK = "livingcity_restoring"


@dataclass(slots=True)
class Restored:
    """What came back. `notes` are sentences that a person should read; `faults` what is not as it should be."""

    tables: int
    rows: int
    files: int
    took_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)


def restore(backup: Backup, *, check: bool = True, link: bool = False, say: Say) -> Restored:
    """Bring a backup back into this city's empty database and data folder.

    Raises RestoreRefused before anything was changed, and BackupDamaged where the backup is not whole; then the same
    command with another backup, or once more, begins anew. `check` looks at every row and at what rooms know of.
    """
    began, manifest, folder = time.monotonic(), backup.manifest, Path(settings.DATA_DIR)
    _check_code(manifest)
    with rows.connect() as connection:
        _check_empty(connection, folder, backup.name)
        _begin(connection, folder, backup.name)
        city.close()
        count, damaged = files.bring_back(backup, folder, link=link, say=lambda share, what: say(0.3 * share, what))
        say(0.3, "tables")
        unfinished = laying.lay_out(backup)
        rows.make_partitions(connection, (kept.table for kept in manifest.tables))
        connection.execute("SET synchronous_commit = off")
        rows.fill(connection, manifest.tables, backup.folder, lambda share, what: say(0.45 + 0.3 * share, what))
        if unfinished:
            say(0.75, "indexes")
            laying.finish(backup)
        rows.set_sequences(connection, manifest.sequences)
        connection.execute("SET synchronous_commit = on")
        connection.execute("ANALYZE")
        restored = Restored(len(manifest.tables), manifest.rows, count, faults=damaged)
        if check:
            _compare(connection, manifest, restored, lambda share, what: say(0.75 + 0.1 * share, what))
    schema.bring_up_to_date()
    if check:
        _ask_rooms(restored, lambda share, what: say(0.85 + 0.15 * share, what))
    restored.notes += _secret(backup, folder)
    _end(folder)
    restored.took_s = round(time.monotonic() - began, 2)
    return restored


# --- before ------------------------------------------------------------------------------------------------------


def _check_code(manifest: Manifest) -> None:
    """Refuse a backup whose tables this code cannot lay out."""
    closed = set(manifest.rooms) - set(settings.ROOMS)
    if closed:
        raise RestoreRefused(
            _("The backup has the rooms %(rooms)s, which LIVINGCITY_ROOMS leaves out here. Open them and try again.")
            % {"rooms": ", ".join(sorted(closed))}
        )
    unknown = [key for key in manifest.migrations if key not in MigrationExecutor(None).loader.disk_migrations]
    if unknown:
        raise RestoreRefused(
            _("The backup is of newer code (%(code)s): there is no migration %(app)s.%(name)s here. Update first.")
            % {"code": manifest.code or "?", "app": unknown[0][0], "name": unknown[0][1]}
        )


def _check_empty(connection: rows.Connection, folder: Path, name: str) -> None:
    tables = {table.name for table in rows.named(connection)}
    if tables and MARK not in tables:
        raise RestoreRefused(
            _("The database already has %(n)d tables, and a restore needs an empty one: stop the city and name a new "
              "folder (LIVINGCITY_DATA) or an empty database (DATABASE_URL).") % {"n": len(tables)}
        )  # fmt: skip
    note = folder / RESTORING
    begun = json.loads(note.read_text() or "{}").get("backup", "") if note.exists() else ""
    there = sorted(files.names_at(folder))
    if there and begun != name:
        words = {"folder": folder, "what": ", ".join(there[:5]), "begun": begun}
        raise RestoreRefused(
            _("%(folder)s holds part of the backup %(begun)s. Restore that one, or empty the folder first.") % words
            if begun
            else _("%(folder)s is not empty (%(what)s). Name a new folder by LIVINGCITY_DATA.") % words
        )


def _begin(connection: rows.Connection, folder: Path, name: str) -> None:
    """Leave the notes that say what is going on, and wipe what an earlier try has left in the database."""
    draft = folder / f"{RESTORING}.new"
    draft.write_text(json.dumps({"backup": name}))
    draft.replace(folder / RESTORING)
    schema = connection.execute("SELECT quote_ident(current_schema())").fetchone()
    with connection.transaction():
        if rows.named(connection):
            connection.execute(f"DROP SCHEMA {schema[0]} CASCADE; CREATE SCHEMA {schema[0]}".encode())  # type: ignore[index]
        connection.execute(sql.SQL("CREATE TABLE {} (backup text)").format(sql.Identifier(MARK)))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(sql.Identifier(MARK)), [name])


# --- after -------------------------------------------------------------------------------------------------------


def _compare(connection: rows.Connection, manifest: Manifest, restored: Restored, say: Say) -> None:
    wrong = rows.differing(connection, manifest.tables, say)
    restored.checked |= {"tables": len(manifest.tables), "tables_differing": len(wrong)}
    restored.faults += [_("The rows of %(table)s are not those of the backup.") % {"table": name} for name in wrong]
    standing = rows.sequences(connection)
    restored.faults += [
        _("The sequence %(name)s stands elsewhere than in the backup.") % {"name": name}
        for name, value in manifest.sequences.items()
        if standing.get(name) != value
    ]


def _ask_rooms(restored: Restored, say: Say) -> None:
    for plug in sockets.kept_checks:
        figures, faults = plug.check(say)
        restored.checked |= figures
        restored.faults += faults


def _secret(backup: Backup, folder: Path) -> list[str]:
    """Put the site's secret back if the backup holds it; what to say about it."""
    kept = backup.folder / SECRET
    if kept.is_file() and not os.environ.get("SECRET_KEY"):
        own = folder / "secret_key"
        own.unlink(missing_ok=True)
        own.touch(mode=0o600)
        own.write_text(kept.read_text())
        return [_("The site's secret came back with the backup: who was signed in still is.")]
    try:
        sealing.unseal(backup.manifest.secret_mark, SECRET_PURPOSE)
    except sealing.Sealed:
        return [
            _("The SECRET_KEY here is not the one of the backup: links and sessions of before no longer hold, and keys "
              "of labs and passwords of relays cannot be opened. Set SECRET_KEY to the old one, or put it into "
              "SECRET_KEY_FALLBACKS.")
        ]  # fmt: skip
    return []


def _end(folder: Path) -> None:
    """The city is whole: take the notes away, the one in the data folder last."""
    with rows.connect() as connection:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(MARK)))
    os.sync()
    (folder / RESTORING).unlink(missing_ok=True)


def opened(words: str) -> Backup:
    """The backup in a folder; of a folder of backups the newest. Raises BackupDamaged."""
    from livingcity.backups import shelf  # noqa: PLC0415 only commands name a folder

    folder = Path(words).expanduser().resolve()
    several = shelf.backups(folder)
    found = several[-1] if several else Backup(folder)
    if not found.manifest.tables:
        raise BackupDamaged(_("%(folder)s holds no tables.") % {"folder": folder})
    return found


def told(restored: Restored) -> dict[str, Any]:
    """What came back, as JSON."""
    return {
        "ok": not restored.faults, "tables": restored.tables, "rows": restored.rows, "files": restored.files,
        "took_s": restored.took_s, "checked": restored.checked, "notes": restored.notes, "faults": restored.faults,
    }  # fmt: skip
