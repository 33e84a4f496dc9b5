"""How the tables of a backup are laid out: by the definition that was kept with them, or else by the migrations.

`pg_dump` writes the definition down in two parts: the tables as rows can be put into them, and what hangs on them
(keys, indexes, triggers). It is a short cut that saves going through every migration there ever was. A backup does
without it where there is no `pg_dump` for its server, and a restore where the server here does not understand it.
"""

import hashlib
import logging
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.db import connection as city
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo

from livingcity.backups import rows
from livingcity.backups.errors import BackupDamaged
from livingcity.backups.manifest import Backup
from livingcity.dev.services import ServiceError, postgres_binaries
from livingcity.management.commands.migrate import quick_states

log = logging.getLogger(__name__)

#: The two parts, in `pg_dump`'s words.
PARTS = {"schema/before.sql": "pre-data", "schema/after.sql": "post-data"}
BEFORE, AFTER = PARTS
PLAINLY = (
    "--schema-only", "--no-owner", "--no-privileges", "--no-comments", "--no-tablespaces", "--no-publications",
    "--no-subscriptions", "--no-security-labels", "--encoding=UTF8", "--restrict-key=livingcity",
    "--lock-wait-timeout=10s",  # behind a migration that waits for our own snapshot it would wait for ever
)  # fmt: skip
MOST_S = 600
#: Words to `psql`, which nobody else understands.
FOR_PSQL = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)
#: No statement of the second part has a line that ends so before its own end.
END = re.compile(r";$", re.MULTILINE)


# --- kept --------------------------------------------------------------------------------------------------------


def keep(connection: rows.Connection, draft: Path) -> dict[str, str]:
    """Write the definition of all tables of the connection's snapshot into a backup; its files with their SHA-256.
    Nothing where no `pg_dump` can."""
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None  # noqa: S101 it has one row
    (draft / "schema").mkdir()
    try:
        for path, section in PARTS.items():
            _dump(f"--section={section}", f"--snapshot={row[0]}", f"--file={draft / path}")
    except (ServiceError, OSError, subprocess.SubprocessError) as fault:
        said = getattr(fault, "stderr", "") or str(fault)
        log.warning("the backup is kept without the definition of its tables: %s", " ".join(said.split())[:300])
        for path in PARTS:
            (draft / path).unlink(missing_ok=True)
        (draft / "schema").rmdir()
        return {}
    return {path: hashlib.sha256((draft / path).read_bytes()).hexdigest() for path in PARTS}


def _dump(*words: str) -> None:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    given = {name: value for name, value in city.get_connection_params().items() if name in known}
    password = str(given.pop("password", "") or "")
    subprocess.run(
        [postgres_binaries(None) / "pg_dump", *PLAINLY, *words, f"--dbname={make_conninfo(**given)}"],
        env={**os.environ, "PGPASSWORD": password} if password else None,
        check=True, capture_output=True, text=True, timeout=MOST_S,
    )  # fmt: skip


# --- laid out ----------------------------------------------------------------------------------------------------


def lay_out(backup: Backup) -> bool:
    """Make the tables as they were; whether `finish` has still to hang on them what belongs there."""
    if _is_whole(backup):
        try:
            with rows.connect() as connection:  # it leaves its own settings behind
                connection.execute(_script(backup, BEFORE).encode())  # all of it or nothing
            return True
        except psycopg.Error as fault:
            log.warning("the tables are laid out by migrations instead: %s", " ".join(str(fault).split())[:300])
    by_migrations(backup.manifest.migrations)
    return False


def finish(backup: Backup) -> None:
    """Make keys, indexes and triggers. Raises BackupDamaged where the rows do not obey them."""
    with rows.connect() as connection:
        for statement in _statements(_script(backup, AFTER)):
            try:
                connection.execute(statement.encode())
            except psycopg.IntegrityError as fault:
                raise BackupDamaged(
                    _("The rows of the backup break a rule of their tables: %(why)s.")
                    % {"why": " ".join(str(fault).split())[:300]}
                ) from None


def _is_whole(backup: Backup) -> bool:
    kept = backup.manifest.schema
    return set(kept) == set(PARTS) and all(
        (backup.folder / path).is_file()
        and hashlib.sha256((backup.folder / path).read_bytes()).hexdigest() == kept[path]
        for path in PARTS
    )


def _script(backup: Backup, path: str) -> str:
    return FOR_PSQL.sub("", (backup.folder / path).read_text(encoding="utf-8"))


def _statements(script: str) -> Iterator[str]:
    for piece in END.split(script):
        lines = [line for line in piece.splitlines() if line.strip() and not line.startswith("--")]
        if lines:
            yield "\n".join(lines)


def by_migrations(migrations: tuple[tuple[str, str], ...]) -> None:
    """The tables as they were: the last migration of each app that the backup knows, and all that it stands on."""
    with quick_states():
        executor = MigrationExecutor(city)
        had = set(migrations)
        nodes = executor.loader.graph.node_map
        ends = [
            key
            for key in sorted(had)
            if key in nodes and not any(child.key in had and child.key[0] == key[0] for child in nodes[key].children)
        ]
        executor.migrate(ends)
    city.close()
