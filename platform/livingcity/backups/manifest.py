"""What a backup says of itself: `manifest.json` with the tables, `files.jsonl` with a line for each file.

    2026-11-24T160500Z/
        manifest.json      when, of which code and migrations; each table with its rows and SHA-256
        files.jsonl        path, size, time of change, mode and SHA-256 of each file
        SHA256SUMS         the same sums for `sha256sum -c`
        schema/…           how the tables are made, for a restore without migrations; missing where nobody could say
        tables/NAME.gz     rows in the order of the primary key, as COPY writes them
        files/…            the city's files, as they lie in its data folder
        secret_key         only if it was asked for

`manifest.json` is written last, and the folder gets its name after that: one that has its name is whole.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from livingcity.backups.errors import BackupDamaged

FORMAT = 1
MANIFEST, FILES, SUMS, SECRET = "manifest.json", "files.jsonl", "SHA256SUMS", "secret_key"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a partition with the table that it is part of and its bounds. `order` are expressions of SQL that put
    its rows into one order on every server."""

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    parent: str = ""
    bound: str = ""

    @property
    def file(self) -> str:
        """Where its rows lie in a backup."""
        return f"tables/{self.name}.gz"


@dataclass(frozen=True, slots=True)
class Kept:
    """A table as it was kept: how many rows, how many bytes as text, their SHA-256, and that of the packed file."""

    table: Table
    rows: int
    bytes: int
    sha256: str
    packed: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or an empty folder (`sha256` is then empty), by its path below the data folder."""

    path: str
    size: int
    mtime_ns: int
    mode: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `secret_mark` opens with the site's SECRET_KEY alone, so that a wrong one is noticed.

    `schema` are the files that define the tables, with their SHA-256; empty where nobody could write them down.
    """

    made_at: str
    took_s: float
    code: str
    server: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Kept, ...]
    sequences: dict[str, tuple[int, bool]]
    files: int
    files_bytes: int
    new_bytes: int
    secret_mark: str
    rooms: tuple[str, ...] = ()
    schema: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(kept.rows for kept in self.tables)

    @property
    def rows_bytes(self) -> int:
        """What the rows are as text."""
        return sum(kept.bytes for kept in self.tables)


def written(manifest: Manifest) -> str:
    """The manifest as JSON."""
    return json.dumps(asdict(manifest), indent=1, ensure_ascii=False)


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupDamaged."""
    try:
        said: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        if said["format"] != FORMAT:
            raise BackupDamaged(_("%(folder)s was written by newer code; restore it with that.") % {"folder": folder})
        tables = tuple(_kept(row) for row in said.pop("tables"))
        return Manifest(
            **said
            | {
                "tables": tables,
                "migrations": tuple((app, name) for app, name in said["migrations"]),
                "sequences": {name: (int(value), bool(called)) for name, (value, called) in said["sequences"].items()},
                "rooms": tuple(said["rooms"]),
            }
        )
    except FileNotFoundError:
        raise BackupDamaged(
            _("%(folder)s is no backup: there is no manifest.json in it.") % {"folder": folder}
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BackupDamaged(
            _("The manifest of %(folder)s cannot be read: %(why)s.") % {"folder": folder, "why": fault}
        ) from None


def _kept(row: dict[str, Any]) -> Kept:
    table = row["table"]
    name = str(table["name"])
    if "/" in name or not name:
        raise ValueError(f"“{name}” is no name of a table")
    own = Table(name, tuple(table["columns"]), tuple(table["order"]), table["parent"], table["bound"])
    return Kept(own, int(row["rows"]), int(row["bytes"]), row["sha256"], row["packed"])


def line(entry: Entry) -> str:
    """A line of `files.jsonl`."""
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def entries(folder: Path) -> Iterator[Entry]:
    """The files of a backup. Raises BackupDamaged, also for a path that leads out of the folder."""
    try:
        with (folder / FILES).open(encoding="utf-8", errors="surrogateescape") as lines:
            for text in lines:
                entry = Entry(**json.loads(text))
                path = PurePosixPath(entry.path)
                if path.is_absolute() or ".." in path.parts or not path.parts:
                    raise ValueError(f"“{entry.path}” leads out of the backup")
                yield entry
    except (OSError, ValueError, TypeError) as fault:
        raise BackupDamaged(
            _("The list of files of %(folder)s cannot be read: %(why)s.") % {"folder": folder, "why": fault}
        ) from None


@dataclass(frozen=True)
class Backup:
    """A complete backup in its folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The time when it was made, as the folder is named."""
        return self.folder.name

    @cached_property
    def manifest(self) -> Manifest:
        """What it says of itself. Raises BackupDamaged."""
        return read(self.folder)

    def entries(self) -> Iterator[Entry]:
        """Its files."""
        return entries(self.folder)
