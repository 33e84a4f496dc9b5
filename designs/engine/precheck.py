"""Cheap looks at a file before a library opens it: counts that lie, bombs, cut-off files. Plain words for each.

The limits and the cases come from a corpus of 60 hostile files.
"""

import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from designs.engine import placing
from designs.engine.errors import Unreadable

MAX_TRIANGLES = 5_000_000
MAX_ZIP_ENTRIES = 1000
MAX_ZIP_BYTES = 256 * 1024 * 1024
MAX_ZIP_RATIO = 100
MAX_OBJ_GROUPS = 2000
MAX_CORNERS = 2000
MAX_SVG_DEPTH = 500
MAX_STEP_DEPTH = 64
HEAD = 1 << 16


def check(path: Path, file_format: str) -> None:
    """Refuse what cannot be what it says. Raises Unreadable with the sentence."""
    if path.stat().st_size == 0:
        raise Unreadable("The file is empty.")
    look = _LOOKS.get(file_format)
    if look:
        look(path)


def is_binary_stl(path: Path) -> bool:
    """Whether the size fits the count of a binary STL (80 + 4 + 50 n bytes), whatever its header says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(84)
    return len(head) == 84 and size == 84 + 50 * struct.unpack("<I", head[80:84])[0]


def _stl(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    if is_binary_stl(path):
        _most(struct.unpack("<I", head[80:84])[0])
        return
    if head.lstrip()[:5].lower() == b"solid" and b"\0" not in head and b"facet" in head.lower():
        _ascii_stl(path)
        return
    if size < 84:
        raise Unreadable(f"The file ends after {size} bytes; even an empty STL has 84.")
    count = struct.unpack("<I", head[80:84])[0]
    room = (size - 84) // 50
    if count > room:
        raise Unreadable(
            f"The file says {count} triangles but ends after {room}: it is cut off, or its count is wrong."
        )
    raise Unreadable(
        f"The file says {count} triangles, yet {size - 84 - 50 * count} bytes more follow: its count is wrong."
    )


def _ascii_stl(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        if b"endsolid" not in file.read().lower():
            raise Unreadable("The text ends before “endsolid”: the file is cut off.")


def _zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable("The file is not a whole 3MF package: its zip directory cannot be read.") from None
    if len(entries) > MAX_ZIP_ENTRIES:
        raise Unreadable(f"The package holds {len(entries)} entries; {MAX_ZIP_ENTRIES} are read.")
    total = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if total > MAX_ZIP_BYTES:
        raise Unreadable(f"The package unpacks to {total / 1e6:.0f} MB; {MAX_ZIP_BYTES / 1e6:.0f} MB are read.")
    if total > 1_000_000 and total / packed > MAX_ZIP_RATIO:
        raise Unreadable(f"The package unpacks to {total / packed:.0f} times its size; that is no drawing of a part.")
    if not any(entry.filename.lower().endswith(".model") for entry in entries):
        raise Unreadable("The package holds no model.")
    try:
        placing.check_3mf(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Unreadable("The model in the package cannot be unpacked.") from None


def _ply(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.startswith(b"ply") or b"end_header" not in head:
        raise Unreadable("The file does not begin with a PLY header.")
    _counts_fit(head.split(b"end_header")[0], rb"element\s+\w+\s+(\d+)", path)


def _off(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    if b"OFF" not in head[:16]:
        raise Unreadable("The file does not begin with “OFF”.")
    found = re.search(rb"OFF\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)", head)
    if not found:
        raise Unreadable("The counts of points and faces are missing after “OFF”.")
    _counts_fit(found.group(1) + b" " + found.group(2), rb"(\d+)", path)


def _counts_fit(text: bytes, pattern: bytes, path: Path) -> None:
    size = path.stat().st_size
    for count in re.findall(pattern, text):
        if len(count) > 12 or int(count) > size:
            raise Unreadable(f"The file says {count[:20].decode()} elements but has only {size} bytes.")
        _most(int(count) // 3)


def _obj(path: Path) -> None:
    groups = 0
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"f") and len(line) > 2 * MAX_CORNERS and len(line.split()) > MAX_CORNERS:
                raise Unreadable(f"A face has more than {MAX_CORNERS} corners; split it into triangles.")
            groups += line.startswith((b"usemtl", b"o ", b"g "))
            if groups > MAX_OBJ_GROUPS:
                raise Unreadable(f"The file has more than {MAX_OBJ_GROUPS} groups; join them and try again.")


def _step(path: Path) -> None:
    depth = deepest = 0
    with path.open("rb") as file:
        if not file.read(HEAD).lstrip().startswith(b"ISO-10303-21"):
            raise Unreadable("The file does not begin with “ISO-10303-21”, so it is no STEP file.")
        file.seek(0)
        for line in file:
            for letter in re.findall(rb"[()]", re.sub(rb"'[^']*'", b"", line)):
                depth += 1 if letter == b"(" else -1
                deepest = max(deepest, depth)
            if deepest > MAX_STEP_DEPTH:
                raise Unreadable(f"The file nests brackets deeper than {MAX_STEP_DEPTH}.")
        _step_end(path)
    _step_maps(path)


def _step_end(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        if b"END-ISO-10303-21" not in file.read():
            raise Unreadable("The file ends before “END-ISO-10303-21;”: it is cut off.")


def _step_maps(path: Path) -> None:
    """A mapped item that maps itself kills the reader."""
    text = path.read_bytes()
    if b"MAPPED_ITEM" not in text:
        return
    maps = dict(re.findall(rb"#(\d+)\s*=\s*MAPPED_ITEM\s*\([^,]*,\s*#(\d+)", text))
    origins = dict(re.findall(rb"#(\d+)\s*=\s*REPRESENTATION_MAP\s*\(\s*#\d+\s*,\s*#(\d+)", text))
    shapes = dict(re.findall(rb"#(\d+)\s*=\s*\w*REPRESENTATION\s*\([^(]*\(([^)]*)\)", text))
    for start in maps:
        seen: set[bytes] = set()
        todo = [start]
        while todo:
            item = todo.pop()
            target = shapes.get(origins.get(maps.get(item, b""), b""), b"")
            for inner in re.findall(rb"#(\d+)", target):
                if inner == start:
                    raise Unreadable("A part of the file contains itself.")
                if inner in maps and inner not in seen:
                    seen.add(inner)
                    todo.append(inner)


def _glb(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != b"glTF":
            raise Unreadable("The file does not begin with “glTF”.")
        _version, length, chunk, kind = struct.unpack("<IIII", head[4:20])
        if length != size or chunk > size - 20 or kind != 0x4E4F534A:
            raise Unreadable(f"The file says {length} bytes but has {size}: it is cut off, or its lengths are wrong.")
        document = file.read(chunk)
    _gltf_document(document, size)


def _gltf(path: Path) -> None:
    _gltf_document(path.read_bytes(), path.stat().st_size)


def _gltf_document(raw: bytes, size: int) -> None:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("The glTF document inside is not JSON.") from None
    if not isinstance(document, dict):
        raise Unreadable("The glTF document inside is not an object.")
    for entry in [*_dicts(document, "buffers"), *_dicts(document, "images")]:
        if not str(entry.get("uri", "data:")).startswith("data:"):
            raise Unreadable("The file needs another file beside it; export it with everything inside (GLB).")
    placing.check_gltf(document)
    for entry in _dicts(document, "bufferViews"):
        reach = [n for n in (entry.get("byteOffset", 0), entry.get("byteLength", 0)) if isinstance(n, int) and n >= 0]
        if len(reach) < 2 or sum(reach) > size:
            raise Unreadable(f"The file points beyond its own {size} bytes: it is cut off, or its lengths are wrong.")
    for entry in _dicts(document, "accessors"):
        count = entry.get("count", 0)
        if not isinstance(count, int) or not 0 <= count <= max(size, 1) * 4:
            raise Unreadable(f"The file says {count} elements but has only {size} bytes.")
        _most(count // 3)


def _dicts(document: dict[str, object], key: str) -> list[dict[str, object]]:
    found = document.get(key, [])
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _svg(path: Path) -> None:
    head = path.read_bytes()[: 1 << 20]
    if b"<svg" not in head:
        raise Unreadable("The file holds no <svg> element.")
    if b"<!ENTITY" in head:
        raise Unreadable("The file defines entities; drawings are read without them.")
    depth = deepest = 0
    for found in re.finditer(rb"<(/?)[A-Za-z][^<>]*?(/?)>", path.read_bytes()):
        depth += -1 if found.group(1) else 0 if found.group(2) else 1
        deepest = max(deepest, depth)
    if deepest > MAX_SVG_DEPTH:
        raise Unreadable(f"The drawing nests elements deeper than {MAX_SVG_DEPTH}.")


def _most(count: int) -> None:
    if count > MAX_TRIANGLES:
        raise Unreadable(f"The file has {count} triangles; up to {MAX_TRIANGLES} are drawn.")


_LOOKS: dict[str, Callable[[Path], None]] = {
    "stl": _stl, "3mf": _zip, "ply": _ply, "off": _off, "obj": _obj, "step": _step, "glb": _glb, "gltf": _gltf,
    "svg": _svg, "dxf": placing.check_dxf,
}  # fmt: skip
