"""What names a file's bytes: SHA-256, SHA-1, git's blob id, and the source that a sliced file's head tells."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from livingcity_agent.adapters.base import JobFile

HEAD_BYTES = 65_536
_SOURCE = re.compile(rb"lc-source\s*=\s*sha256:([0-9a-fA-F]{64})(?![0-9a-fA-F])")


class Hasher:
    """Hashes of a stream whose length is known before (git's id begins with it)."""

    def __init__(self, size: int) -> None:
        self._sha256 = hashlib.sha256()
        self._sha1 = hashlib.sha1()  # noqa: S324 the name that OctoPrint has for a file
        self._blob = hashlib.sha1(b"blob %d\0" % size)  # noqa: S324 the name that git has for it
        self._size, self._read, self._head = size, 0, b""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        for hasher in (self._sha256, self._sha1, self._blob):
            hasher.update(data)
        self._read += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]

    def file(self, name: str) -> JobFile:
        """All of it as a job's file; no blob id where the length told before was wrong."""
        blob = self._blob.hexdigest() if self._read == self._size else ""
        return JobFile(name, self._sha256.hexdigest(), self._sha1.hexdigest(), blob, source_of(self._head))


def source_of(head: bytes) -> str:
    """The SHA-256 of the file that was sliced, where the head has a comment `lc-source=sha256:…`; else empty."""
    found = _SOURCE.search(head)
    return found[1].decode().lower() if found else ""


def of_bytes(name: str, body: bytes) -> JobFile:
    """The hashes of bytes at hand."""
    hasher = Hasher(len(body))
    hasher.feed(body)
    return hasher.file(name)


def of_file(name: str, path: Path) -> JobFile:
    """The hashes of a file on disk, read in pieces."""
    hasher = Hasher(path.stat().st_size)
    for piece in _pieces(path):
        hasher.feed(piece)
    return hasher.file(name)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            yield piece
