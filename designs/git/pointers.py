"""Git LFS pointers: a small text that stands in a repository for a large file (git-lfs specification, version 1)."""

import re
from dataclasses import dataclass

FIRST_LINES = (b"version https://git-lfs.github.com/spec/v1\n", b"version https://hawser.github.com/spec/v1\n")
OID = re.compile(r"^[0-9a-f]{64}$")
MAX_POINTER_BYTES = 1023


@dataclass(frozen=True, slots=True)
class Pointer:
    """The SHA-256 of the real file and its size in bytes."""

    oid: str
    size: int


def read(content: bytes) -> Pointer | None:
    """The pointer that these bytes are, or None for any other file."""
    if len(content) > MAX_POINTER_BYTES or not content.startswith(FIRST_LINES):
        return None
    fields = dict(line.split(" ", 1) for line in content.decode("utf-8", "replace").splitlines() if " " in line)
    method, _colon, oid = fields.get("oid", "").partition(":")
    size = fields.get("size", "")
    if method != "sha256" or not OID.match(oid) or not (size.isascii() and size.isdigit()) or len(size) > 15:
        return None
    return Pointer(oid, int(size))
