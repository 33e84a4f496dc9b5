"""What the sandbox runs: profiles of a mesh, or of what a program lays down, packed and written into a folder."""

import json
import zlib
from pathlib import Path

import numpy as np

from designs.engine.errors import Unreadable as NotAShape
from designs.engine.load import load
from labs.engine.extrusion import profiles, program
from labs.engine.extrusion.profiles import pack, pack_print

#: Parts of one file that are described each by itself too.
MAX_PARTS = 24
#: Different things on a plate that are kept.
MAX_PRINTED = 12


def mesh(source: Path, file_format: str, folder: Path) -> None:
    """Write `profiles.bin`: for each part and side a line of JSON, then its profile."""
    try:
        model = load(source, file_format)
    except NotAShape as reason:
        _tell(folder, str(reason))
        return
    bodies = [(part.points, part.triangles) for part in model.parts]
    starts = np.cumsum([0, *(len(points) for points, _triangles in bodies)])
    joined = (
        np.vstack([points for points, _triangles in bodies]),
        np.vstack([triangles + start for (_points, triangles), start in zip(bodies, starts, strict=False)]),
    )
    several = bodies if 1 < len(bodies) <= MAX_PARTS else []
    found = []
    with (folder / "profiles.bin").open("wb") as out:
        for number, (points, triangles) in enumerate([joined, *several]):
            for up, profile in profiles.of_mesh(points, triangles):
                found.append([number, up])
                out.write(pack(profile))
    _tell(folder, "", found=found)


def print_(source: Path, _file_format: str, folder: Path) -> None:
    """Write `profiles.bin`: what stands on the plate, all of it first."""
    try:
        printed = profiles.of_program(program.read(source.read_bytes()))[:MAX_PRINTED]
    except program.Unreadable as reason:
        _tell(folder, str(reason))
        return
    with (folder / "profiles.bin").open("wb") as out:
        for one in printed:
            out.write(pack_print(one))
    _tell(folder, "", found=len(printed))


def _tell(folder: Path, reason: str, **more: object) -> None:
    (folder / "result.json").write_text(json.dumps({"reason": reason, **more}))


def squeeze(raw: bytes) -> bytes:
    """As it lies in the database."""
    return zlib.compress(raw, 6)


def loosen(raw: bytes, most: int = 4_000_000) -> bytes:
    """The same again. Raises ValueError when it would be more than `most` bytes."""
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(raw, most)
    except zlib.error as fault:
        raise ValueError("not what was kept") from fault
    if reader.unconsumed_tail:
        raise ValueError("more than was kept")
    return found
