"""A PDF document: its pages and their size, read from its own words without drawing it."""

import re
import zlib
from pathlib import Path

from designs.engine.errors import Unreadable
from designs.engine.facts import Facts

MAX_BYTES = 64 * 1024 * 1024
#: Unpacked bytes of object streams that are looked at, together.
MAX_UNPACKED = 32 * 1024 * 1024
PT_MM = 25.4 / 72
STREAM = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)


def draw(path: Path, _format: str = "pdf") -> tuple[bytes, bytes, Facts]:
    """No picture, and the facts of a PDF. Raises Unreadable."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"The document is larger than {MAX_BYTES // 1024 // 1024} MB.")
    raw = path.read_bytes()
    if b"%PDF-" not in raw[:1024]:
        raise Unreadable("The file does not begin with “%PDF”.")
    words = raw + b"".join(_objects(raw))
    pages = _pages(words)
    if pages is None:
        raise Unreadable("The document names no pages.")
    size = _size(words)
    more = {
        "kind": "document", "pages": pages, "locked": b"/Encrypt" in raw,
        "version": raw[raw.find(b"%PDF-") + 5 :][:3].decode("ascii", "replace"), "box_mm": list(size) if size else None,
    }  # fmt: skip
    return b"", b"", Facts("mm", 0, False, None, 0.0, (*(size or (0.0, 0.0)), 0.0), 1, (), more=more)


def _objects(raw: bytes) -> list[bytes]:
    """What lies packed in object streams, within MAX_UNPACKED."""
    found, room = [], MAX_UNPACKED
    for place in STREAM.finditer(raw):
        unpacker = zlib.decompressobj()
        try:
            found.append(unpacker.decompress(raw[place.end() : place.end() + MAX_UNPACKED], room))
        except zlib.error:
            continue
        room -= len(found[-1])
        if room <= 0:
            break
    return found


def _pages(words: bytes) -> int | None:
    """The largest count that a tree of pages names, else the number of pages themselves."""
    counts = [0]
    for place in list(re.finditer(rb"/Type\s*/Pages\b", words))[:100_000]:
        before = words[max(0, place.start() - 2000) : place.start()].rpartition(b"<<")[2]
        after = re.split(rb"endobj|/Type|<<", words[place.end() : place.end() + 4000], maxsplit=1)[0]
        counts += [int(n) for n in re.findall(rb"/Count\s+(\d{1,6})\b", before + b" " + after)]
    single = len(re.findall(rb"/Type\s*/Page\b(?!s)", words))
    return max(counts) or single or None


def _size(words: bytes) -> tuple[float, float] | None:
    """Width and height (mm) of the first page that says them."""
    number = rb"\s*(-?\d+\.?\d*)"
    found = re.search(rb"/MediaBox\s*\[" + number * 4 + rb"\s*\]", words)
    if not found:
        return None
    x0, y0, x1, y1 = (float(n) * PT_MM for n in found.groups())
    size = round(abs(x1 - x0), 2), round(abs(y1 - y0), 2)
    return size if all(0 < side < 1e5 for side in size) else None
