"""The folder of backups: which there are, which go, and what drills said of them."""

import datetime as dt
import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from livingcity.backups.errors import BackupFailed
from livingcity.backups.files import remove
from livingcity.backups.manifest import MANIFEST, Backup

NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?")
MAKING, GOING, DRILL = ".making-", ".going-", ".drill-"
DRILLS, DRILLS_KEPT = "drills", 20


def chosen(to: str = "") -> Path:
    """The folder that was named, or BACKUP_TO. Raises BackupFailed."""
    named = to or settings.BACKUP_TO
    if not named:
        raise BackupFailed(_("Say where backups go: `--to FOLDER`, or the setting BACKUP_TO."))
    return Path(named).expanduser().resolve()


def backups(folder: Path) -> list[Backup]:
    """The complete backups, oldest first."""
    if not folder.is_dir():
        return []
    names = sorted(entry.name for entry in folder.iterdir() if NAME.fullmatch(entry.name))
    return [Backup(folder / name) for name in names if (folder / name / MANIFEST).is_file()]


def made_at(backup: Backup) -> dt.datetime:
    """When it was made, by its name."""
    return dt.datetime.strptime(backup.name[:18], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=dt.UTC)


def new_name(folder: Path) -> str:
    """A name of this second that no backup has."""
    stem = f"{timezone.now():%Y-%m-%dT%H%M%SZ}"
    names = [stem, *(f"{stem}-{number}" for number in range(1, 100))]
    return next(name for name in names if not (folder / name).exists())


@contextmanager
def alone(folder: Path, lock: str) -> Iterator[None]:
    """One at a time in this folder, also among processes. Raises BackupFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / lock).open("a")
    except OSError as fault:
        raise BackupFailed(
            _("Backups cannot be written to %(folder)s: %(why)s.") % {"folder": folder, "why": fault.strerror}
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(_("Another backup or drill is at work in %(folder)s.") % {"folder": folder}) from None
        yield


def sweep(folder: Path, *prefixes: str) -> None:
    """Remove what killed backups and drills have left. Call it while `alone`."""
    for entry in folder.iterdir():
        if entry.name.startswith(prefixes) and entry.is_dir():
            remove(entry)


def let_go(folder: Path, keep: int) -> list[str]:
    """Remove all but the newest; the names of those that went. One that goes loses its name first."""
    gone = [backup.name for backup in backups(folder)[: -max(keep, 1)]]
    for name in gone:
        (folder / name).rename(folder / f"{GOING}{name}")
        remove(folder / f"{GOING}{name}")
    return gone


# --- drills ------------------------------------------------------------------------------------------------------


def write_drill(folder: Path, said: dict[str, Any]) -> None:
    """Keep what a drill found, beside the backups."""
    home = folder / DRILLS
    home.mkdir(exist_ok=True)
    name = f"{timezone.now():%Y-%m-%dT%H%M%S%fZ}.json"
    draft = home / f".{name}"
    draft.write_text(json.dumps(said, indent=1, ensure_ascii=False))
    draft.replace(home / name)
    for old in sorted(home.glob("[0-9]*.json"))[:-DRILLS_KEPT]:
        old.unlink(missing_ok=True)


def drills(folder: Path) -> list[dict[str, Any]]:
    """What drills found, newest first."""
    found = []
    for path in sorted((folder / DRILLS).glob("[0-9]*.json"), reverse=True):
        try:
            found.append(json.loads(path.read_text()))
        except (OSError, ValueError):
            continue
    return found
