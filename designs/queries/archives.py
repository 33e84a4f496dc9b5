"""A whole version as a .zip: git's own archive, or ours where large files (Git LFS) stand in for pointers."""

import io
import zipfile
from collections.abc import Iterator

from designs import git
from designs.models import Design
from designs.queries.files import content, files_at


def stream(design: Design, commit: str, *, prefix: str) -> Iterator[bytes]:
    """The .zip in pieces, in constant memory."""
    if design.lfs_links.exists():
        return _with_large_files(design, commit, prefix)
    return git.of(design.repository).archive(commit, prefix=prefix)


class _Pipe(io.RawIOBase):
    """Where zipfile writes, and from where what it wrote is taken at once; it cannot seek, so sizes follow the data."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # all that zipfile gives
        self._waiting += piece
        return len(piece)

    def taken(self) -> bytes:
        """All that was written since the last time."""
        out = bytes(self._waiting)
        self._waiting.clear()
        return out


def _with_large_files(design: Design, commit: str, prefix: str) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files_at(design, commit):
            entry = zipfile.ZipInfo(f"{prefix}/{file.path}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w", force_zip64=file.size > 1 << 31) as target:
                for piece in content(design, file):
                    target.write(piece)
                    if out := pipe.taken():
                        yield out
    yield pipe.taken()
