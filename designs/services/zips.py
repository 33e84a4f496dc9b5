"""What strangers' .zip archives hold, unpacked to files within limits; nothing in them is believed."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from designs.errors import BadSource, TooLarge
from designs.git.environment import MAX_BLOB_BYTES, MAX_FILES, MAX_PUSH_BYTES
from designs.git.names import path_fault

PIECE = 1 << 18
#: The table of contents of an archive with as many files as may be; a larger one is not even read.
MAX_TABLE_BYTES = MAX_FILES * 800
END, END_BYTES, COMMENT_BYTES = b"PK\x05\x06", 22, 65_535
#: Says that the end is told once more for archives beyond 4 GB, which none here is.
LOCATOR, LOCATOR_BYTES = b"PK\x06\x07", 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


def unpacked_size(path: Path) -> int:
    """How many bytes the archive says that its files have. Raises BadSource or TooLarge."""
    with _opened(path) as archive:
        return sum(entry.file_size for entry in _entries(archive))


def unpack(path: Path, into: Path) -> dict[str, Path]:
    """Write every file of the archive into the folder, under a number; where each is, by its path in the archive.

    One folder around everything is left out, so are links, `.git` and what macOS adds. Raises BadSource or TooLarge.
    """
    with _opened(path) as archive:
        entries = _entries(archive)
        strip = _around(entries)
        names = [entry.filename.removeprefix(strip) for entry in entries]
        _check_names(names)
        left, found = MAX_PUSH_BYTES, {}
        for number, (name, entry) in enumerate(zip(names, entries, strict=True)):
            found[name] = into / str(number)
            left -= _write(archive, entry, found[name], min(left, MAX_BLOB_BYTES))
    return found


def _opened(path: Path) -> zipfile.ZipFile:
    """The archive, if its table of contents can be read and is not larger than it may be."""
    _check_table(path)
    try:
        return zipfile.ZipFile(path)
    except BROKEN:
        raise _broken(path.name) from None


def _check_table(path: Path) -> None:
    """Look at the end of the file, for the table is read into memory whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - END_BYTES - COMMENT_BYTES - LOCATOR_BYTES))
        tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_BYTES:
        raise _broken(path.name)
    table = int.from_bytes(tail[at + 12 : at + 16], "little")
    if table > MAX_TABLE_BYTES or tail[max(0, at - LOCATOR_BYTES) : at].startswith(LOCATOR):
        raise TooLarge(_("The archive holds more files than %(most)d.") % {"most": MAX_FILES})


def _broken(name: str) -> BadSource:
    return BadSource(_("“%(name)s” is no .zip archive that can be read.") % {"name": name[:80]})


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [e for e in archive.infolist() if not e.is_dir() and not stat.S_ISLNK(e.external_attr >> 16)]
    entries = [e for e in entries if not _is_left_out(e.filename)]
    if len(entries) > MAX_FILES:
        raise TooLarge(
            _("The archive holds %(n)d files; %(most)d can be imported.") % {"n": len(entries), "most": MAX_FILES}
        )
    if sum(e.file_size for e in entries) > MAX_PUSH_BYTES:
        raise _too_much()
    return entries


def _is_left_out(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return ".git" in parts or "__MACOSX" in parts or (bool(parts) and parts[-1] == ".DS_Store")


def _around(entries: list[zipfile.ZipInfo]) -> str:
    """The folder that everything is in, with its slash, or nothing."""
    tops = {e.filename.split("/", 1)[0] for e in entries}
    if len(tops) != 1 or tops & {"", ".", ".."} or not all("/" in e.filename for e in entries):
        return ""
    return f"{tops.pop()}/"


def _check_names(names: list[str]) -> None:
    """No path that leads elsewhere, none twice, none that is a folder to another."""
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    seen: set[str] = set()
    for name in names:
        fault = path_fault(name)
        if not fault and name in seen:
            fault = _("it is there twice")
        if not fault and name in folders:
            fault = _("it is a file and a folder at once")
        if fault:
            raise BadSource(_("“%(name)s” in the archive: %(fault)s.") % {"name": name[:80], "fault": fault})
        seen.add(name)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Unpack one file, whatever size it was said to have; its bytes."""
    size = 0
    try:
        with archive.open(entry) as file, target.open("wb") as out:
            while piece := file.read(PIECE):
                size += len(piece)
                if size > most:
                    break
                out.write(piece)
    except BROKEN:
        raise BadSource(_("“%(name)s” in the archive cannot be unpacked.") % {"name": entry.filename[:80]}) from None
    if size > most:
        raise _too_much() if most < MAX_BLOB_BYTES else _too_large(entry.filename)
    return size


def _too_much() -> TooLarge:
    return TooLarge(_("There are more than %(n)d MB; import less at once.") % {"n": MAX_PUSH_BYTES // 1_000_000})


def _too_large(name: str) -> TooLarge:
    return TooLarge(
        _("“%(path)s” is larger than %(n)d MB; bring it with Git LFS.")
        % {"path": name[:80], "n": MAX_BLOB_BYTES // 1_000_000}
    )
