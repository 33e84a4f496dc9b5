"""Photos through the sandbox: what came out is believed only after a look."""

import json
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from designs.sandbox import client, results
from designs.sandbox.limits import Limits

MAX_JPEG = 4 << 20
LIMITS = Limits(memory_bytes=2 * 1024**3, cpu_s=30, file_bytes=16 * 1024**2, wall_s=60.0)


@dataclass(frozen=True, slots=True)
class Photo:
    """Two JPEGs, or a reason why there are none. `width` and `height` of the large one, in px."""

    large: bytes = b""
    small: bytes = b""
    width: int = 0
    height: int = 0
    reason: str = ""


def redraw(source: Path, *, limits: Limits = LIMITS) -> Photo:
    """A stranger's photo drawn anew where it can hurt nothing. Never raises because of the file."""
    with tempfile.TemporaryDirectory(prefix="lc-photo-") as name:
        folder = Path(name) / "out"
        folder.mkdir()
        answer = client.ask(source=source, folder=folder, file_format="", work="photo", limits=limits)
        if answer["status"] != 0:
            return Photo(reason="The photo could not be read within the time and memory that one may take.")
        return _read(folder)


def _read(folder: Path) -> Photo:
    try:
        document = json.loads(results._bytes(folder / "photo.json", 1 << 12))
        if "reason" in document:
            return Photo(reason=str(document["reason"])[:400])
        large, small = (results._bytes(folder / name, MAX_JPEG) for name in ("large.jpg", "small.jpg"))
        width, height = _size(large)
        _size(small)
        return Photo(large, small, width, height)
    except (OSError, ValueError, KeyError, TypeError, IndexError, struct.error):
        return Photo(reason="What came out could not be trusted.")


def _size(raw: bytes) -> tuple[int, int]:
    """Width and height of a JPEG that holds pictures and nothing else: JFIF, tables, frame, scan.

    Raises ValueError for any other segment, such as those that carry EXIF, XMP or colour profiles.
    """
    if raw[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    at, found = 2, (0, 0)
    while raw[at] == 0xFF:
        kind, length = raw[at + 1], struct.unpack(">H", raw[at + 2 : at + 4])[0]
        if kind in {0xC0, 0xC2}:
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            found = (width, height)
        elif kind == 0xDA:
            break
        elif kind not in {0xE0, 0xDB, 0xC4, 0xDD}:
            raise ValueError(f"segment {kind:x}")
        at += 2 + length
    if not (0 < found[0] <= 2000 and 0 < found[1] <= 2000):
        raise ValueError("size")
    return found
