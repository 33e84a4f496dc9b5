"""A model as GLB for the viewer: metres, y up, one mesh for each part.

Beyond a few triangles each part is a Draco buffer (KHR_draco_mesh_compression) of welded points without normals: the
viewer makes those with the crease angle of `surface`. Small models are quantised (KHR_mesh_quantization) with normals,
so that a browser need not load a decoder for them. The container is written by hand, so that what reaches a browser
holds nothing but our own numbers: no names of files, no links, no extras from the maker's file.
"""

import json
import struct
from collections.abc import Sequence

import numpy as np

from designs.engine.errors import Unreadable
from designs.engine.model import Model, Part, Points
from designs.engine.surface import Surface, surface

#: sRGB colours of parts, largest first: the spruce and greys of the design system.
PALETTE = ("#688575", "#929b96", "#788290", "#8f897a")
STEPS = 65535
ARRAY, ELEMENTS = 34962, 34963
BYTE, USHORT, UINT, FLOAT = 5120, 5123, 5125, 5126

#: Up to so many triangles a model costs less than the decoder would.
MAX_PLAIN = 1500
#: One part in 16,384 of a part's longest side: 0.012 mm of 200 mm.
DRACO_BITS = 14
DRACO_LEVEL = 7
DRACO, QUANTISED = "KHR_draco_mesh_compression", "KHR_mesh_quantization"


def linear(colour: str) -> tuple[float, float, float]:
    """A hex colour as linear light (IEC 61966-2-1)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return r, g, b


def colour_ranks(model: Model) -> list[int]:
    """For each part its place in the palette: the largest first, parts of one size alike."""
    sizes = [tuple(np.round(np.sort(np.ptp(part.points, axis=0)), 2).tolist()) for part in model.parts]
    weight = {size: float(np.prod(np.asarray(size) + 1e-9)) for size in sizes}
    order = sorted(weight, key=lambda size: (-weight[size], size))
    return [order.index(size) % len(PALETTE) for size in sizes]


class _Writer:
    """Collects the binary chunk and what points into it."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, object]] = []

    def add(self, raw: bytes, target: int = 0, stride: int = 0) -> int:
        """A buffer view on the bytes, aligned to four."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(raw)}
        self.views.append(view | ({"target": target} if target else {}) | ({"byteStride": stride} if stride else {}))
        self.binary += raw
        return len(self.views) - 1

    def accessor(self, **fields: object) -> int:
        """An accessor; its index."""
        self.accessors.append(fields)
        return len(self.accessors) - 1


def write(model: Model, *, names: Sequence[str] = (), colours: Sequence[str] = ()) -> bytes:
    """The model as the bytes of a GLB; Draco for all but small models. `names` and `colours` of the parts, given by us
    and never by a file, replace the palette."""
    low, high = model.bounds()
    step = max(float((high - low).max()), 1e-9) / STEPS
    writer, meshes = _Writer(), []
    rank = list(range(len(colours))) if colours else colour_ranks(model)
    packed = model.triangle_count > MAX_PLAIN
    for number, part in enumerate(model.parts):
        if packed:
            primitive = _draco(writer, part, low, step)
        else:
            primitive = _primitive(writer, surface(part.points, part.triangles), low, step)
        meshes.append({"primitives": [primitive | {"material": rank[number]}]})
    used = [DRACO if packed else QUANTISED]
    document = {
        "asset": {"version": "2.0", "generator": "Living City"},
        "extensionsUsed": used,
        "extensionsRequired": used,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [_root(low, high, step, len(meshes)), *_nodes(len(meshes), names)],
        "meshes": meshes,
        "materials": [_material(f"part {place + 1}", colour) for place, colour in enumerate(colours or PALETTE)],
        "accessors": writer.accessors,
        "bufferViews": writer.views,
        "buffers": [{"byteLength": len(writer.binary) + (-len(writer.binary) % 4)}],
    }
    return _pack(document, bytes(writer.binary))


def _nodes(count: int, names: Sequence[str]) -> list[dict[str, object]]:
    return [{"mesh": number} | ({"name": names[number]} if names else {}) for number in range(count)]


def _root(low: Points, high: Points, step: float, children: int) -> dict[str, object]:
    """The node that turns steps, z up, into metres, y up, with the model's middle over the origin."""
    half = float(np.sqrt(0.5))
    middle = (low + high) / 2
    centred = np.array([low[0] - middle[0], 0.0, -(low[1] - middle[1])]) / 1000.0
    return {
        "children": list(range(1, children + 1)),
        "rotation": [-half, 0.0, 0.0, half],
        "scale": [step / 1000.0] * 3,
        "translation": centred.tolist(),
        # Where the file's own origin is, so that a spot in the viewer is a spot in the file.
        "extras": {"origin_mm": [round(float(n), 6) for n in (middle[0], middle[1], low[2])]},
    }


def _draco(writer: _Writer, part: Part, low: Points, step: float) -> dict[str, object]:
    """A primitive whose points and triangles lie in a Draco buffer; what its accessors say is read back from there."""
    import DracoPy  # noqa: PLC0415 only where models are written

    steps = ((part.points - low) / step).astype(np.float32)
    try:
        raw = DracoPy.encode(
            steps, part.triangles.astype(np.uint32), quantization_bits=DRACO_BITS, compression_level=DRACO_LEVEL
        )
        read = DracoPy.decode(raw)
    except (DracoPy.EncodingFailedException, DracoPy.FileTypeException, ValueError) as error:
        raise Unreadable(f"The model cannot be packed for the viewer: {str(error)[:80]}.") from None
    points, unique_id = np.asarray(read.points), int(read.attributes[0]["unique_id"])
    position = writer.accessor(
        componentType=FLOAT, count=len(points), type="VEC3",
        min=points.min(axis=0).astype(float).tolist(), max=points.max(axis=0).astype(float).tolist(),
    )  # fmt: skip
    index = writer.accessor(componentType=UINT, count=int(np.asarray(read.faces).size), type="SCALAR")
    packed = {"bufferView": writer.add(raw), "attributes": {"POSITION": unique_id}}
    return {"attributes": {"POSITION": position}, "indices": index, "mode": 4, "extensions": {DRACO: packed}}


def _primitive(writer: _Writer, drawn: Surface, low: "np.typing.NDArray[np.float64]", step: float) -> dict[str, object]:
    count = len(drawn.points)
    positions = np.zeros((count, 4), "<u2")
    positions[:, :3] = np.clip(np.round((drawn.points - low) / step), 0, STEPS)
    normals = np.zeros((count, 4), "i1")
    normals[:, :3] = np.round(drawn.normals * 127)
    wide = count > STEPS
    flat = drawn.triangles.reshape(-1).astype("<u4" if wide else "<u2")
    position = writer.accessor(
        bufferView=writer.add(positions.tobytes(), ARRAY, 8), componentType=USHORT, count=count, type="VEC3",
        min=positions[:, :3].min(axis=0).tolist(), max=positions[:, :3].max(axis=0).tolist(),
    )  # fmt: skip
    normal = writer.accessor(
        bufferView=writer.add(normals.tobytes(), ARRAY, 4), componentType=BYTE, normalized=True, count=count,
        type="VEC3",
    )  # fmt: skip
    index = writer.accessor(
        bufferView=writer.add(flat.tobytes(), ELEMENTS), componentType=UINT if wide else USHORT, count=len(flat),
        type="SCALAR",
    )  # fmt: skip
    return {"attributes": {"POSITION": position, "NORMAL": normal}, "indices": index, "mode": 4}


def _material(name: str, colour: str) -> dict[str, object]:
    return {
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*(round(c, 5) for c in linear(colour)), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.62,
        },
        "doubleSided": True,
    }


def _pack(document: dict[str, object], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    head = struct.pack("<4sII", b"glTF", 2, length)
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
