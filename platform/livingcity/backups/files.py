"""Files of the data folder into a backup, and out of one.

A file that is as it was in the last backup (size and time of change) is a hard link to that: it takes no room and no
time. The data folder is walked twice, before the database's snapshot and after it. What vanished between the two stays,
so each row finds its file, whether the file came before the row or goes after it. What a room takes as one whole
(`sockets.KeptStore`, a repository) is as the second walk found it: there it means something that a file is gone.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from django.utils.translation import gettext as _

from commons import sockets
from commons.web.disk import check_disk
from livingcity.backups.manifest import Backup, Entry

PIECE = 1 << 20
FOLDER = "files"
#: What is made anew, belongs to a process that runs, or is kept in a way of its own.
NOT_KEPT = frozenset(
    {
        "postgres", "valkey", "log", "static", "git", "tables", "open-data", "secret_key", "restoring.json",
        "restoring.json.new", "services.users", "services.lock", "lost+found",
    }
)  # fmt: skip
NEVER = ("*.sock", "*.log", "*.pid")
Say = Callable[[float, str], None]


class Taking:
    """Takes the data folder into the draft of a backup; call `walk` as often as you like, then ask for `entries`."""

    def __init__(self, source: Path, draft: Path, *, former: Backup | None, leave_out: Path) -> None:
        self.source, self.target, self.leave_out = source, draft / FOLDER, leave_out
        self.former = former
        self._known: Mapping[str, Entry] = {entry.path: entry for entry in former.entries()} if former else {}
        self.entries: dict[str, Entry] = {}
        self.new_bytes = 0

    def walk(self, say: Say) -> None:
        """Take everything that is there now."""
        self.target.mkdir(exist_ok=True)
        names = sorted(entry.name for entry in os.scandir(self.source) if entry.name not in NOT_KEPT)
        for number, name in enumerate(names):
            say(number / len(names), name)
            path = self.source / name
            if any(fnmatchcase(name, pattern) for pattern in NEVER) or path.resolve() == self.leave_out.resolve():
                continue
            if path.is_dir():  # also where it is a link to another disk
                self._folder(path, name, sockets.kept_stores.get(name))
            else:
                self._file(path, name)

    def _folder(self, path: Path, name: str, store: sockets.KeptStore | None) -> None:
        """A folder and all below it; a folder that is one whole stands still meanwhile."""
        if store is not None and store.is_whole(Path(name)):
            with contextlib.suppress(FileNotFoundError), store.hold(path):
                self._whole(path, name, store)
            return
        self._below(path, name, store)

    def _whole(self, path: Path, name: str, store: sockets.KeptStore) -> None:
        before = {known for known in self.entries if known.startswith(f"{name}/")}
        seen: set[str] = set()
        self._below(path, name, store, seen)
        if path.is_dir():
            for gone in before - seen:
                if self.entries.pop(gone).sha256:
                    (self.target / gone).unlink(missing_ok=True)

    def _below(
        self, path: Path, name: str, store: sockets.KeptStore | None, seen: set[str] | None = None, top: bool = True
    ) -> None:
        with contextlib.suppress(FileNotFoundError):  # it goes while we look
            found = [entry for entry in os.scandir(path) if not (store and _any(entry.name, store.skip))]
            if seen is not None and top and store:
                found.sort(key=lambda entry: (store.rank(entry.name), entry.name))
            else:
                found.sort(key=lambda entry: entry.name)
            for entry in found:
                own = f"{name}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if seen is None:
                        self._folder(path / entry.name, own, store)
                    else:
                        self._below(path / entry.name, own, store, seen, top=False)
                elif entry.is_file(follow_symlinks=False) and self._file(path / entry.name, own) and seen is not None:
                    seen.add(own)
            if not found:
                self._keep_empty(path, name)
                if seen is not None:
                    seen.add(name)

    def _keep_empty(self, path: Path, name: str) -> None:
        self.entries[name] = Entry(name, 0, 0, stat.S_IMODE(path.stat().st_mode), "")

    def _file(self, path: Path, name: str) -> bool:
        """Take a file; whether it was there."""
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return False
            known = self.entries.get(name)
            if known is None or not _same(known, found):
                self.entries[name] = self._linked(name, found) or self._copied(path, name, found)
        except FileNotFoundError:
            return False
        return True

    def _linked(self, name: str, found: os.stat_result) -> Entry | None:
        """The file of the former backup, if it is the same one."""
        known = self._known.get(name)
        if known is None or self.former is None or not known.sha256 or not _same(known, found):
            return None
        target = self._room_for(name)
        try:
            os.link(self.former.folder / FOLDER / name, target)
        except OSError:  # a disk without hard links, or with too many of them
            return None
        return known

    def _copied(self, path: Path, name: str, found: os.stat_result) -> Entry:
        check_disk(self.target, more_bytes=found.st_size)
        sha256 = copy(path, self._room_for(name))
        self.new_bytes += found.st_size
        return Entry(name, found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode), sha256)

    def _room_for(self, name: str) -> Path:
        target = self.target / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # never write into what other backups share
        return target


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _same(known: Entry, found: os.stat_result) -> bool:
    return (known.size, known.mtime_ns) == (found.st_size, found.st_mtime_ns)


def copy(source: Path, target: Path) -> str:
    """Copy the bytes of a file; their SHA-256."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("xb") as write:
        while piece := read.read(PIECE):
            digest.update(piece)
            write.write(piece)
    return digest.hexdigest()


# --- out of a backup ---------------------------------------------------------------------------------------------


def names_at(folder: Path) -> Iterator[str]:
    """What of a city lies in a data folder."""
    if folder.is_dir():
        for entry in os.scandir(folder):
            empty = entry.is_dir() and not any(os.scandir(entry.path))
            if entry.name not in NOT_KEPT and not _any(entry.name, NEVER) and not empty:
                yield entry.name


def bring_back(backup: Backup, target: Path, *, link: bool, say: Say) -> tuple[int, list[str]]:
    """Put the files of a backup into a data folder; how many, and what is wrong with those that could not be brought.

    Those that an earlier try brought stay. With `link` they share their bytes with the backup: for a drill, that only
    reads them.
    """
    everything = backup.manifest.files or 1
    count, faults = 0, []
    for entry in backup.entries():
        say(count / everything, entry.path.partition("/")[0])
        path = target / entry.path
        if not entry.sha256:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            faults += _bring(backup.folder / FOLDER / entry.path, path, entry, link=link)
        count += 1
    return count - len(faults), faults


def _bring(source: Path, path: Path, entry: Entry, *, link: bool) -> list[str]:
    """Bring one file; what is wrong with it, if anything is."""
    with contextlib.suppress(FileNotFoundError):
        if _same(entry, path.stat()):
            return []
    draft = path.with_name(f".{path.name[:200]}.restoring")
    draft.unlink(missing_ok=True)
    try:
        sha256 = _brought(source, draft, entry, link=link)
    except OSError as fault:
        if fault.errno not in {errno.ENOENT, errno.EIO, errno.EACCES} or source.is_file():
            raise
        return [_("%(file)s cannot be read: %(why)s.") % {"file": source, "why": fault.strerror}]
    if sha256 != entry.sha256:
        draft.unlink()
        return [_("%(file)s is not the file that was kept: its SHA-256 is another.") % {"file": source}]
    draft.replace(path)
    draft.unlink(missing_ok=True)  # two names of one file: then the move does nothing
    return []


def _brought(source: Path, draft: Path, entry: Entry, *, link: bool) -> str:
    if link and _linked(source, draft):
        with draft.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    sha256 = copy(source, draft)
    draft.chmod(entry.mode)
    os.utime(draft, ns=(entry.mtime_ns, entry.mtime_ns))
    return sha256


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def remove(folder: Path) -> None:
    """Remove a folder, also one that is half gone."""
    shutil.rmtree(folder, ignore_errors=True)
