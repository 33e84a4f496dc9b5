"""Making a backup: the files, one snapshot of the database, the files again, and only then its name.

Whatever is acknowledged before it begins is in it. Killed at any moment it leaves a folder without a name, which the
next one removes; the earlier backups stand.
"""

import errno
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sealing
from commons.web.disk import force_folder
from livingcity.backups import laying, rows, shelf
from livingcity.backups.errors import BackupFailed
from livingcity.backups.files import Say, Taking
from livingcity.backups.manifest import FILES, MANIFEST, SECRET, SUMS, Backup, Entry, Kept, Manifest, line, written

SECRET_PURPOSE = b"livingcity backup"


def make(folder: Path, *, keep: int, with_secret: bool = False, say: Say) -> tuple[Backup, list[str]]:
    """Make a backup in the folder and let the oldest go beyond `keep`; it, and the names of those that went.

    Raises BackupFailed; then the earlier backups are untouched.
    """
    with shelf.alone(folder, ".lock"):
        shelf.sweep(folder, shelf.MAKING, shelf.GOING)
        former = next(reversed(shelf.backups(folder)), None)
        name = shelf.new_name(folder)
        draft = folder / f"{shelf.MAKING}{name}"
        try:
            draft.mkdir(mode=0o700)
            _fill(draft, former, folder, with_secret=with_secret, say=say)
            os.sync()
            draft.rename(folder / name)
            force_folder(folder)
        except OSError as fault:
            shutil.rmtree(draft, ignore_errors=True)
            raise BackupFailed(_why(fault, folder)) from fault
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return Backup(folder / name), shelf.let_go(folder, keep)


def _why(fault: OSError, folder: Path) -> str:
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The disk of %(folder)s is full. Make room there, or keep fewer backups (BACKUP_KEEP).") % {
            "folder": folder
        }
    return _("The backup stopped: %(why)s.") % {"why": fault}


def _fill(draft: Path, former: Backup | None, folder: Path, *, with_secret: bool, say: Say) -> None:
    began, at = time.monotonic(), timezone.now()
    taking = Taking(Path(settings.DATA_DIR), draft, former=former, leave_out=folder)
    taking.walk(lambda share, what: say(0.4 * share, what))
    database = _keep_database(draft, former, lambda share, what: say(0.4 + 0.4 * share, what))
    taking.walk(lambda share, what: say(0.8 + 0.15 * share, what))
    if with_secret:
        _write_private(draft / SECRET, settings.SECRET_KEY)
    entries = [taking.entries[path] for path in sorted(taking.entries)]
    _write_lists(draft, database, entries)
    manifest = Manifest(
        made_at=at.isoformat(), took_s=round(time.monotonic() - began, 2), code=code(), server=database.server,
        migrations=database.migrations, tables=database.tables, sequences=database.sequences, files=len(entries),
        files_bytes=sum(entry.size for entry in entries), new_bytes=taking.new_bytes + database.new_bytes,
        rooms=tuple(settings.ROOMS), schema=database.schema, secret_mark=sealing.seal(b"living city", SECRET_PURPOSE),
    )  # fmt: skip
    (draft / MANIFEST).write_text(written(manifest))
    say(1.0, "")


@dataclass(frozen=True, slots=True)
class _Database:
    """What was kept of the database."""

    server: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Kept, ...]
    sequences: dict[str, tuple[int, bool]]
    schema: dict[str, str]
    new_bytes: int


def _keep_database(draft: Path, former: Backup | None, say: Say) -> _Database:
    (draft / "tables").mkdir()
    known = {each.table.name: each for each in former.manifest.tables} if former else {}
    kept, new_bytes = [], 0
    with rows.connect() as connection, rows.snapshot(connection) as tables:
        schema = laying.keep(connection, draft)
        for path, sha256 in schema.items():
            if not (former and former.manifest.schema.get(path) == sha256 and _share(former.folder, draft, path)):
                new_bytes += (draft / path).stat().st_size
        migrations = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        for number, table in enumerate(tables):
            say(number / len(tables), table.name)
            each = rows.keep(connection, table, draft)
            kept.append(each)
            if not (former and known.get(table.name) == each and _share(former.folder, draft, table.file)):
                new_bytes += (draft / table.file).stat().st_size
        sequences = rows.sequences(connection)
        server = str(connection.info.parameter_status("server_version"))
    return _Database(server, tuple((app, name) for app, name in migrations), tuple(kept), sequences, schema, new_bytes)


def _share(former: Path, draft: Path, file: str) -> bool:
    """Let what is as it was share its bytes with the former backup, if the disk can."""
    again = draft / f"{file}.again"
    try:
        os.link(former / file, again)
    except OSError:
        return False
    again.replace(draft / file)
    return True


def _write_lists(draft: Path, database: _Database, entries: Sequence[Entry]) -> None:
    with (draft / FILES).open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(map(line, entries))
    with (draft / SUMS).open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{sha256}  {path}\n" for path, sha256 in database.schema.items())
        file.writelines(f"{each.packed}  {each.table.file}\n" for each in database.tables)
        file.writelines(f"{entry.sha256}  files/{entry.path}\n" for entry in entries if _plain(entry))


def _plain(entry: Entry) -> bool:
    """Whether `sha256sum -c` can name it; the others are in `files.jsonl` all the same."""
    return bool(entry.sha256) and not set(entry.path) & {"\n", "\\"}


def code() -> str:
    """The version of this code."""
    try:
        return version("livingcity")
    except PackageNotFoundError:
        return ""


def _write_private(path: Path, words: str) -> None:
    path.touch(mode=0o600)
    path.write_text(words)
