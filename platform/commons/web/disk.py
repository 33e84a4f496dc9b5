"""The reserve of the disk: what sends files is refused before the disk is full, so that PostgreSQL, Valkey and a new
start always have room. Reads go on; nothing needs to be told when there is room again.

Where others fill the disk all the same, a file is written whole or not at all; one whose arrival is acknowledged is on
the disk for good by then.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from commons.web.faults import DiskFull

#: How much may come in between two looks at the disk.
LOOK_EVERY_BYTES = 4 * 1024 * 1024


class Source(Protocol):
    """What is read in pieces: the body of a request, a file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; nothing at the end."""
        ...


def check_disk(folder: Path | str, *, more_bytes: int = 0) -> None:
    """Raise DiskFull when so many bytes more in the folder would leave less than the reserve."""
    free = shutil.disk_usage(_there(Path(folder))).free
    if free - more_bytes < settings.DISK_RESERVE_BYTES:
        raise DiskFull(
            _(
                "The city's disk has %(free)d MB left and keeps %(reserve)d MB in reserve. Nothing was written, and "
                "what is kept can still be read. Try again when the steward of the city has made room."
            )
            % {"free": free // 1_000_000, "reserve": settings.DISK_RESERVE_BYTES // 1_000_000}
        )


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that has been made."""
    return next(place for place in (folder, *folder.parents) if place.exists())


class Watched:
    """A source that stops with DiskFull when the disk of a folder runs into its reserve while it is read."""

    def __init__(self, source: Source, folder: Path | str) -> None:
        check_disk(folder)
        self._source, self._folder, self._unseen = source, folder, 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes. Raises DiskFull."""
        piece = self._source.read(size)
        self._unseen += len(piece)
        if self._unseen >= LOOK_EVERY_BYTES:
            check_disk(self._folder)
            self._unseen = 0
        return piece


def watched(pieces: Iterable[bytes], folder: Path | str) -> Iterator[bytes]:
    """The same for what comes in pieces by itself, such as an uploaded file."""
    check_disk(folder)
    unseen = 0
    for piece in pieces:
        yield piece
        unseen += len(piece)
        if unseen >= LOOK_EVERY_BYTES:
            check_disk(folder)
            unseen = 0


def receive(pieces: Iterable[bytes], path: Path) -> None:
    """Write what comes in pieces to a file of its own: whole and on the disk for good, or not at all. Raises DiskFull
    or what the pieces raise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        try:
            out.writelines(watched(pieces, path.parent))
            _force(out)
        except BaseException:
            path.unlink()
            raise
    force_folder(path.parent)


def put(content: bytes, path: Path) -> None:
    """Put a file into its place, whole and on the disk for good, or not at all: who reads finds the former one until
    then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as out:
            out.write(content)
            _force(out)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    force_folder(path.parent)


def _force(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def force_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
