"""What a child left in its folder, believed only after a look: fixed names, plain files, checked formats."""

import json
import math
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from designs.sandbox import more

MAX_JSON, MAX_PNG, MAX_GLB, MAX_LAYERS = 1 << 20, 8 << 20, 64 << 20, 32 << 20
EXTENSIONS = {"KHR_mesh_quantization", "KHR_draco_mesh_compression"}
MAYBE = ("thinnest_wall_mm", "overhang_share", "overhang_best_share", "largest_flat_mm2")
NUMBERS = ("triangles", "area_mm2", "parts")


@dataclass(frozen=True, slots=True)
class Result:
    """Ready with facts and at least a picture or a model, or failed with a sentence.

    `png` and `small` are PNG, or WebP where the file is a picture itself; then `large` is one of up to 1600 px.
    `layers` are those of a program (`engine.flat.layering`).
    """

    ready: bool
    reason: str = ""
    facts: dict[str, Any] | None = None
    png: bytes = b""
    small: bytes = b""
    glb: bytes = b""
    large: bytes = b""
    layers: bytes = b""

    @classmethod
    def failed(cls, reason: str) -> "Result":
        """No picture, for this reason."""
        return cls(ready=False, reason=reason[:400])


def read_result(folder: Path) -> Result:
    """The result in the folder; anything odd in it is a failure."""
    try:
        document = json.loads(_bytes(folder / "result.json", MAX_JSON))
        if document["status"] != "ready":
            return Result.failed(str(document["reason"]))
        png = _png(folder / "picture.png") or _webp(folder / "picture.webp")
        small = _png(folder / "small.png") or _webp(folder / "small.webp")
        glb = _glb(folder / "model.glb")
        if not (png or glb or document["facts"].get("more")):
            return Result.failed("Neither a picture nor a model came out.")
        large, layers = _webp(folder / "large.webp"), _layers(folder / "layers.bin")
        return Result(True, "", _facts(document["facts"]), png, small, glb, large, layers)
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return Result.failed("What came out could not be trusted.")


def _bytes(path: Path, most: int) -> bytes:
    """A plain file's bytes, never through a link."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise ValueError(path.name)
        return file.read(most)


def _png(path: Path) -> bytes:
    if not path.exists():
        return b""
    raw = _bytes(path, MAX_PNG)
    width, height = struct.unpack(">II", raw[16:24])
    if raw[:8] != b"\x89PNG\r\n\x1a\n" or raw[12:16] != b"IHDR" or not 0 < width <= 2000 or not 0 < height <= 2000:
        raise ValueError("png")
    return raw


def _webp(path: Path) -> bytes:
    """A still WebP that holds pixels and nothing else: neither EXIF, XMP nor a colour profile, and no second frame."""
    if not path.exists():
        return b""
    raw = _bytes(path, MAX_PNG)
    if raw[:4] != b"RIFF" or raw[8:12] != b"WEBP" or struct.unpack("<I", raw[4:8])[0] + 8 != len(raw):
        raise ValueError("webp")
    at, size = 12, (0, 0)
    while at < len(raw):
        kind, length = struct.unpack("<4sI", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + length]
        if kind == b"VP8 ":
            size = tuple(side & 0x3FFF for side in struct.unpack("<HH", body[6:10]))
        elif kind == b"VP8L":
            bits = struct.unpack("<I", body[1:5])[0]
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind not in {b"VP8X", b"ALPH"}:
            raise ValueError("webp chunk")
        at += 8 + length + length % 2
    if not (0 < size[0] <= 2000 and 0 < size[1] <= 2000):
        raise ValueError("webp size")
    return raw


def _layers(path: Path) -> bytes:
    """The packed layers of a program, whose table leads to places inside the file."""
    if not path.exists():
        return b""
    raw = _bytes(path, MAX_LAYERS)
    magic, count, unit, _width, _height = struct.unpack_from("<4sIfHH", raw)
    if magic != b"LCLY" or not 2 <= count <= 4096 or not (math.isfinite(unit) and unit > 0):
        raise ValueError("layers")
    for height, place, length in struct.iter_unpack("<fII", raw[16 : 16 + 12 * count]):
        if not math.isfinite(height) or not 16 + 12 * count <= place <= place + length <= len(raw):
            raise ValueError("layers bounds")
    return raw


def _glb(path: Path) -> bytes:
    """Our own kind of GLB: two chunks, no addresses, known extensions, every view inside the buffer."""
    if not path.exists():
        return b""
    raw = _bytes(path, MAX_GLB)
    magic, version, length, text_length, kind = struct.unpack("<4sIII4s", raw[:20])
    if (magic, version, length, kind) != (b"glTF", 2, len(raw), b"JSON"):
        raise ValueError("glb")
    document = json.loads(raw[20 : 20 + text_length])
    binary = struct.unpack("<I", raw[20 + text_length : 24 + text_length])[0]
    if "images" in document or any("uri" in buffer for buffer in document["buffers"]):
        raise ValueError("glb addresses")
    if not set(document.get("extensionsUsed", ())) <= EXTENSIONS:
        raise ValueError("glb extensions")
    for view in document["bufferViews"]:
        if not 0 <= view["byteOffset"] <= view["byteOffset"] + view["byteLength"] <= binary:
            raise ValueError("glb bounds")
    return raw


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    """Only the fields of the contract, each of its type and finite."""
    volume = found["volume_mm3"]
    facts: dict[str, Any] = {name: found[name] for name in NUMBERS}
    facts["volume_mm3"] = volume
    facts["extents_mm"] = [float(x) for x in found["extents_mm"]][:3]
    numbers = [*(facts[name] for name in NUMBERS), *facts["extents_mm"], *([] if volume is None else [volume])]
    if len(facts["extents_mm"]) != 3 or not all(math.isfinite(float(n)) and n >= 0 for n in numbers):
        raise ValueError("facts")
    facts["units"] = str(found["units"])[:20]
    facts["watertight"] = bool(found["watertight"])
    facts |= _for_makers(found)
    facts["warnings"] = [str(w)[:300] for w in list(found["warnings"])[:20]]
    return facts


def _for_makers(found: dict[str, Any]) -> dict[str, Any]:
    """What may be unknown: each null, or of its type and finite."""
    facts: dict[str, Any] = {name: _number(found.get(name)) for name in MAYBE}
    at = found.get("thinnest_wall_at_mm")
    facts["thinnest_wall_at_mm"] = None if at is None else [_number(x, least=-1e9) for x in list(at)[:3]]
    facts["best_up"] = str(found.get("best_up") or "")[:2]
    about = more.checked(found.get("more"))
    if about is not None:
        facts["more"] = about
    return facts


def _number(value: Any, *, least: float = 0.0) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number) or number < least:
        raise ValueError("facts")
    return number
