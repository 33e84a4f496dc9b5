"""Layers of a program as pictures: read from what the engine packed (`engine.flat.layering`), drawn here as SVG.

A layer is a few kilobytes and its picture is text of numbers alone, so the web process draws it without any engine.
"""

import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from django.conf import settings

from designs.models import Blob

MAGIC = b"LCLY"
HEAD, ROW = struct.Struct("<4sIfHH"), struct.Struct("<fII")
MAX_LAYERS, MAX_BODY = 4096, 2 << 20
#: mm: how wide a line of a usual nozzle is, and how thin travels are drawn.
LINE_MM, TRAVEL_MM = 0.42, 0.12
#: Spruce for what is laid down, and greys that read on light and on dark paper.
WORK, TRAVEL = "#2f7d68", "#8a94a0"
Lines = list[list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a program: their heights in mm, and where each lies in the file."""

    path: Path
    unit_mm: float
    size: tuple[int, int]
    heights_mm: tuple[float, ...]
    places: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.heights_mm)


def layers_of(blob: Blob | None) -> Layers | None:
    """What there is to choose from, or None for a file without layers."""
    name = blob.stored("layers") if blob is not None else ""
    return read(Path(settings.MEDIA_ROOT) / "previews" / name) if name else None


def read(path: Path) -> Layers | None:
    """The table of a packed file, or None where there is none or it is not sound."""
    try:
        with path.open("rb") as file:
            magic, count, unit, width, height = HEAD.unpack(file.read(HEAD.size))
            if magic != MAGIC or not 2 <= count <= MAX_LAYERS or not unit > 0:
                return None
            rows = list(ROW.iter_unpack(file.read(ROW.size * count)))
    except (OSError, struct.error):
        return None
    return Layers(path, unit, (width, height), tuple(z for z, _at, _n in rows), tuple((at, n) for _z, at, n in rows))


def lines(layers: Layers, number: int) -> tuple[Lines, Lines]:
    """Lines that work and lines that travel in a layer (from 0), in units from the lower left corner."""
    place, length = layers.places[number]
    with layers.path.open("rb") as file:
        file.seek(place)
        body = zlib.decompressobj().decompress(file.read(min(length, MAX_BODY)), MAX_BODY)
    working, travelling = struct.unpack_from("<II", body)
    counts = array("I", body[8 : 8 + 4 * (working + travelling)])
    steps = array("H", body[8 + 4 * len(counts) :][: 4 * sum(counts)])
    points = zip(_from_steps(steps[::2]), _from_steps(steps[1::2]), strict=True)
    found = [list(islice(points, count)) for count in counts]
    return found[:working], found[working:]


def _from_steps(steps: "array[int]") -> Iterator[int]:
    return accumulate(steps, lambda at, step: (at + step) & 0xFFFF)


def svg(layers: Layers, number: int) -> str:
    """A layer from above: what it lays down, thin and dashed where it only travels, and faint the layer below."""
    width, height = layers.size
    rim = max(width, height) // 40
    work, travel = lines(layers, number)
    below = lines(layers, number - 1)[0] if number else []
    line, thin = (max(1, round(mm / layers.unit_mm)) for mm in (LINE_MM, TRAVEL_MM))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-rim} {-rim} {width + 2 * rim} {height + 2 * rim}">'
        f'<g transform="matrix(1 0 0 -1 0 {height})" fill="none" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{_path(below)}" stroke="{TRAVEL}" stroke-width="{line}" opacity="0.22"/>'
        f'<path d="{_path(travel)}" stroke="{TRAVEL}" stroke-width="{thin}" stroke-dasharray="{4 * thin} {4 * thin}"/>'
        f'<path d="{_path(work)}" stroke="{WORK}" stroke-width="{line}" opacity="0.85"/></g></svg>'
    )


def _path(found: Lines) -> str:
    pieces = []
    for line in found:
        x, y = line[0]
        words = [f"M{x} {y}"]
        for to_x, to_y in line[1:]:
            words.append(f"l{to_x - x} {to_y - y}")
            x, y = to_x, to_y
        pieces.append("".join(words))
    return "".join(pieces)
