"""Notes of what is about to move: written before a branch or tag does, taken away when its index was asked for.

git and the database cannot commit together. A process that is killed after a ref has moved, and before the index was
asked for, would leave a version that nobody finds. Its note stays, and the sweep (`designs.services.index.find_missed`)
asks for the index in its stead. A note is an empty file named after the repository and who wrote it; it is as durable
as the refs themselves.

git goes on without the server that started it and has heard that it may: a note that was looked at is kept, marked, for
a second look when that git has surely ended.
"""

import itertools
import os
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

SEEN = "~seen"
_numbers = itertools.count()


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "git" / "moving"


def _mine(repository: Path) -> str:
    """How the names of this thread's notes of a repository begin."""
    return f"{repository.stem}~{socket.gethostname()}~{os.getpid()}~{threading.get_ident()}~"


def announce(repository: Path) -> Path:
    """Note that a branch or tag of the repository is about to move."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / f"{_mine(repository)}{next(_numbers)}"
    note.touch()
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return note


def announced(repository: Path) -> list[Path]:
    """What this thread has noted of the repository."""
    return _named(_mine(repository))


def left_behind(older_than_s: float) -> dict[str, list[Path]]:
    """Notes of that age, by the repository's id."""
    found: dict[str, list[Path]] = {}
    for note in _named(""):
        if age_s(note) >= older_than_s:
            found.setdefault(note.name.partition("~")[0], []).append(note)
    return found


def age_s(note: Path) -> float:
    """How old a note is; less than nothing when its writer has just taken it away."""
    try:
        return time.time() - note.stat().st_mtime
    except FileNotFoundError:
        return -1.0


def mark_seen(notes: Iterable[Path]) -> None:
    """Note that they were looked at once; they stay as old as they are."""
    for note in notes:
        with suppress(FileNotFoundError):
            note.rename(f"{note}{SEEN}")


def is_seen(note: Path) -> bool:
    """Whether it was looked at once."""
    return note.name.endswith(SEEN)


def forget(notes: Iterable[Path]) -> None:
    """Take notes away."""
    for note in notes:
        note.unlink(missing_ok=True)


def _named(beginning: str) -> list[Path]:
    try:
        with os.scandir(_folder()) as entries:
            return [Path(entry.path) for entry in entries if entry.name.startswith(beginning)]
    except FileNotFoundError:
        return []
