"""The layers of a program, packed so that any one of them can be drawn from a few kilobytes.

Little-endian: `LCLY`, the number of layers, the millimetres of one unit, the width and height in units; then of each
layer its height (mm), where it begins in the file and how many bytes it has. A layer is deflated: the numbers of lines
that work and of lines that travel, the number of points of each line, then all points as steps from the one before
(uint16, x and y, wrapping round).
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

from designs.engine.flat.gcode import WORK, Program, layers

MAGIC = b"LCLY"
HEAD, ROW = struct.Struct("<4sIfHH"), struct.Struct("<fII")
#: The longest side of the box in units: 0.02 mm of 300 mm.
UNITS = 16_000
MAX_LAYERS = 4000
#: Moves of one layer; of more the longest are kept, which are those that the eye sees.
MAX_MOVES = 60_000
MAX_BYTES = 24 << 20
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def heights(program: Program) -> Floats:
    """Where its layers are, in mm, lowest first; of a program that does not print, the depths at which it works."""
    if program.prints:
        found = np.array(layers(program))
    else:
        found = np.unique(np.round(program.moves[program.moves[:, 6] == WORK, 2], 3))
    return found[:: 1 + (len(found) - 1) // MAX_LAYERS] if len(found) else found


def pack(program: Program) -> bytes:
    """The packed layers; nothing where there are fewer than two, or far too much in them."""
    at = heights(program)
    if len(at) < 2:
        return b""
    work = program.moves[:, 6] == WORK
    number = _layer_of(program, work, at)
    spots = np.vstack([program.starts[work, :2], program.moves[work, :2]])
    low, size = spots.min(axis=0), np.ptp(spots, axis=0)
    unit = float(max(size.max(), 1e-3)) / UNITS
    a, b = (np.round((end - low) / unit).astype(np.int64) for end in (program.starts[:, :2], program.moves[:, :2]))
    most = np.round(size / unit).astype(np.int64)
    inside = ((a >= 0) & (b >= 0) & (a <= most) & (b <= most)).all(axis=1)
    kept = np.flatnonzero((a != b).any(axis=1) & inside)
    kept = kept[np.argsort(number[kept], kind="stable")]
    edges = np.searchsorted(number[kept], np.arange(len(at) + 1))
    bodies = [_body(a[rows], b[rows], work[rows]) for rows in np.split(kept, edges[1:-1])]
    begins = HEAD.size + ROW.size * len(at)
    places = begins + np.cumsum([0, *map(len, bodies)])
    if places[-1] > MAX_BYTES:
        return b""
    rows = [ROW.pack(float(z), int(place), len(body)) for z, place, body in zip(at, places, bodies, strict=False)]
    return HEAD.pack(MAGIC, len(at), unit, int(most[0]), int(most[1])) + b"".join(rows) + b"".join(bodies)


def _layer_of(program: Program, work: npt.NDArray[np.bool_], at: Floats) -> Numbers:
    """The layer of each move: by its height where it works; a travel belongs to what was worked before it, since it is
    often lifted."""
    z = np.round(program.moves[:, 2], 3)
    own = np.clip(np.searchsorted(at, z - 1e-6), 0, len(at) - 1)
    last = np.maximum.accumulate(np.where(work, np.arange(len(work)), -1))
    found: Numbers = np.where(last >= 0, own[np.maximum(last, 0)], 0)
    return found


def _body(a: Numbers, b: Numbers, work: npt.NDArray[np.bool_]) -> bytes:
    if len(a) > MAX_MOVES:
        length = np.abs(b - a).sum(axis=1)
        keep = np.sort(np.argpartition(length, -MAX_MOVES)[-MAX_MOVES:])
        a, b, work = a[keep], b[keep], work[keep]
    parts = [_lines(a[kind], b[kind]) for kind in (work, ~work)]
    points = np.vstack([points for _counts, points in parts])
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int64)) & 0xFFFF
    counts = np.concatenate([counts for counts, _points in parts])
    head = struct.pack("<II", len(parts[0][0]), len(parts[1][0]))
    return zlib.compress(head + counts.astype("<u4").tobytes() + steps.astype("<u2").tobytes(), 6)


def _lines(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Moves that follow one another as lines: how many points each has, and all points."""
    if not len(a):
        return np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    first = np.flatnonzero(np.concatenate([[True], (a[1:] != b[:-1]).any(axis=1)]))
    counts = np.diff(np.append(first, len(a))) + 1
    return counts, np.insert(b, first, a[first], axis=0)
