"""The archive of a release: a .zip that is a function of git and of the release's own row, so that its SHA-256 can be
reckoned again by anybody.

Files are stored, not compressed: a compressor's output changes between its versions, and a hash that cannot be made
again proves nothing. Names are sorted by their bytes, every time is 1980-01-01, every mode 0644.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.said import said
from designs import git
from designs.errors import DesignNotFound
from designs.git.contents import contents
from designs.git.names import path_fault
from designs.git.repository import Entry
from designs.models import Design, Release
from designs.queries.file_licences import licences_of
from designs.queries.files import File, content, files_at

FORMAT = 1
MANIFEST = "MANIFEST.sha256"
EPOCH = (1980, 1, 1, 0, 0, 0)
Say = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Built:
    """An archive on disk with what goes into the release's row. `size` in bytes."""

    manifest: dict[str, Any]
    sha256: str
    size: int


def store() -> Path:
    """Where archives of releases lie, by their SHA-256."""
    return Path(settings.MEDIA_ROOT) / "releases"


def path_of(release: Release) -> Path | None:
    """Where the archive of a release is, or None while there is none."""
    path = store() / release.archive if release.archive else None
    return path if path is not None and path.is_file() else None


def build(release: Release, target: Path, *, added: Mapping[str, str], prefix: str, say: Say) -> Built:
    """Write the archive of a release to a file.

    `added` are texts of ours (path to content); a file of the design of the same name is never replaced: ours then
    gets the next free name. `prefix` is the folder in the archive.
    """
    design = release.design
    files = [file for file in files_at(design, release.commit) if not path_fault(file.path)]
    taken = {file.path.lower() for file in files}
    extra = {_free(name, taken): text for name, text in sorted(added.items())}
    rows: list[dict[str, Any]] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        total = sum(file.size for file in files) or 1
        done = 0
        for path, size, pieces in _in_order(design, files, extra):
            sha256, written = _write(archive, f"{prefix}/{path}", pieces, size)
            rows.append({"path": path, "size": written, "sha256": sha256})
            done += written
            say(min(0.95, 0.1 + 0.85 * done / total), said(lazy("Packing %(path)s"), path=path[:80]))
        lines = "".join(_line(row["sha256"], row["path"]) for row in rows)
        name = _free(MANIFEST, taken | {each.lower() for each in extra})
        _write(archive, f"{prefix}/{name}", [lines.encode()], 0)
    _tell_licences(release, [file.entry for file in files], rows)
    with target.open("rb") as made:
        sha256 = hashlib.file_digest(made, "sha256").hexdigest()
    manifest = {
        "format": FORMAT, "prefix": prefix, "manifest": name, "added": dict(added), "files": rows,
    }  # fmt: skip
    return Built(manifest, sha256, target.stat().st_size)


def settle(made: Path, target: Path) -> None:
    """Put a finished archive where it stays, on disk for good. The same bytes are there already: nothing happens."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def rebuild(release: Release, target: Path) -> str:
    """Make the archive again from git and the row alone; its SHA-256, which must be the release's."""
    made = build(
        release, target, added=release.manifest["added"], prefix=release.manifest["prefix"], say=lambda _s, _w: None
    )
    return made.sha256


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, or the next one that no file of the design has."""
    stem, dot, ending = name.rpartition(".")
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    return free


def _in_order(
    design: Design, files: list[File], extra: Mapping[str, str]
) -> Iterator[tuple[str, int, Iterable[bytes]]]:
    """(path, size, content) of files and our texts, sorted by the bytes of their paths; one git process for all."""
    plain = [file.entry for file in files if not file.is_large]
    by_path: dict[str, File | str] = {**{file.path: file for file in files}, **extra}
    order = sorted(by_path, key=lambda path: path.encode("utf-8", "surrogateescape"))
    small = contents(git.of(design.repository), _oids_in(order, plain))
    for path in order:
        what = by_path[path]
        if isinstance(what, str):
            yield path, len(what.encode()), [what.encode()]
        elif what.is_large:
            yield path, what.size, content(design, what)
        else:
            read = next(small, None)
            if read is None or read.oid != what.entry.oid:
                raise DesignNotFound(_("%(path)s could not be read.") % {"path": path})
            yield path, read.size, read.pieces()


def _oids_in(order: list[str], entries: list[Entry]) -> Iterator[str]:
    oids = {entry.path: entry.oid for entry in entries}
    return (oids[path] for path in order if path in oids)


def _write(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes], size: int) -> tuple[str, int]:
    entry = zipfile.ZipInfo(name, date_time=EPOCH)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_STORED, 3, 0o100644 << 16
    sha256, written = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=size >= 1 << 31) as target:
        for piece in pieces:
            sha256.update(piece)
            written += len(piece)
            target.write(piece)
    return sha256.hexdigest(), written


def _line(sha256: str, path: str) -> str:
    """A line of `sha256sum`: a name with a backslash is written escaped, with a backslash in front of the line."""
    if "\\" in path:
        return f"\\{sha256}  " + path.replace("\\", "\\\\") + "\n"
    return f"{sha256}  {path}\n"


def _tell_licences(release: Release, entries: list[Entry], rows: list[dict[str, Any]]) -> None:
    """Beside each file of the design the licence that it has."""
    known = licences_of(release.design, entries, entries, whole=release.licence).files
    for row in rows:
        if row["path"] in known:
            row["licence"] = known[row["path"]].expression
