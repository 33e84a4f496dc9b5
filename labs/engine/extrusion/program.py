"""G-code as arrays: where filament is laid down, and whether it is the part itself.

Lines are read by one regular expression and one translation into numbers, without a loop over lines, so that 10 MB take
well under a second. Slicers name what they lay down in comments: PrusaSlicer, SuperSlicer, OrcaSlicer and ideaMaker
`;TYPE:`, Cura `;TYPE:`, Bambu Studio `; FEATURE:`, Simplify3D `; feature`, KISSlicer `; 'Perimeter Path'`.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_BYTES = 64 * 1024 * 1024
MAX_SEGMENTS = 4_000_000
#: What a stretch of filament is: not of the part, of the part, of its outermost walls, of any wall over air.
BESIDE, PART, OUTER, OVERHANG = 0, 1, 2, 3
#: Chords of an arc.
CHORDS = 12
#: Beads of filament that are wider or narrower are not believed, mm.
WIDTHS = (0.15, 2.5)
USUAL_WIDTH_MM = 0.45
DIAMETER_MM = 1.75

_TYPE = re.compile(
    rb";[ \t]*(?:(?:TYPE:|FEATURE:?|MESH TYPE:)[ \t]*([^\r\n]{1,40})|'([A-Z][a-z /-]{2,30}) Path')[^\r\n]*",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    rb"skirt|brim|support|raft|tower|pillar|prime|purge|wipe|ooze|custom|shield|nonmesh|draft", re.IGNORECASE
)
_OUTER = re.compile(rb"external perimeter|wall-outer|outer wall|outer perimeter|outside", re.IGNORECASE)
_COMMENT = re.compile(rb";[^\n]*|\([^)\n]*\)")
_NUMBERED = re.compile(rb"(?m)^N\d{1,9}[ \t]*|[ \t]*\*\d{1,3}[ \t]*\r?$")
_LINE = re.compile(
    rb"(?m)^[ \t]*+(?:G(?:0?[0-3]|2[01]|9[0-2])|M8[23]|K\d)"
    rb"(?:[ \t]*+[A-Z][ \t]*+[-+]?(?:\d++(?:\.\d*+)?|\.\d++))*+[ \t\r]*+$"
)
_SPACES = bytes(32 if not (48 <= n <= 57 or n in b"+-.") else n for n in range(256))
_DIAMETER = re.compile(rb"filament_?diameter[ \t]*[=:,][ \t]*(\d\.\d{1,4})", re.IGNORECASE)


class Unreadable(ValueError):
    """The file lays nothing down that could be compared, with a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Program:
    """Stretches of filament in the order they are laid down.

    `start`, `end`: (n, 2) mm; `z`: (n,) mm of the nozzle; `filament`: (n,) mm; `kind`: BESIDE, PART, OUTER, OVERHANG;
    `order`: the number of the move, so that neighbours without a travel between them can be told. `typed` says that the
    slicer named what it laid down.
    """

    start: Floats
    end: Floats
    z: Floats
    filament: Floats
    kind: Ints
    order: Ints
    typed: bool
    diameter_mm: float


def read(content: bytes) -> Program:
    """Read a program. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The program is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if b"\0" in content[:4096] or content[:4] == b"GCDE":
        raise Unreadable("The file is no text, so it cannot be read as G-code.")
    typed = 0

    def mark(found: "re.Match[bytes]") -> bytes:
        nonlocal typed
        typed += 1
        return b"\nK%d\n" % (_kind(found[1]) if found[1] else _kiss(found[2]))

    diameter = _DIAMETER.search(content)
    text = _COMMENT.sub(b"", _TYPE.sub(mark, content)).upper()
    if text[:1] == b"N" or b"\nN" in text:
        text = _NUMBERED.sub(b"", text)
    table = _table(b"\n".join(_LINE.findall(text)))
    across = float(diameter[1]) if diameter else DIAMETER_MM
    return _laid_down(table, typed=typed > 2, diameter_mm=across if 1 < across < 3.5 else DIAMETER_MM)


def _kind(name: bytes) -> int:
    """What a slicer's word for a stretch means."""
    if _BESIDE.search(name):
        return BESIDE
    if _OUTER.search(name):
        return OUTER
    return OVERHANG if b"verhang" in name else PART


def _kiss(name: bytes) -> int:
    """KISSlicer's words: its “Perimeter” is the outermost wall, its “Loop” an inner one."""
    return OUTER if name.lower() == b"perimeter" else _kind(name)


@dataclass(frozen=True, slots=True)
class _Table:
    """A row a line: the letter and number of its command, and its words by letter (nan where there is none)."""

    letter: Ints
    number: Floats
    words: dict[str, Floats]


def _table(text: bytes) -> _Table:
    raw = np.frombuffer(text, np.uint8)
    places = np.flatnonzero((raw >= 65) & (raw <= 90))
    letters = raw[places].astype(np.int64)
    values = np.fromstring(text.translate(_SPACES), sep=" ") if text else np.zeros(0)
    if len(values) != len(letters):
        raise Unreadable("The program's numbers cannot be read.")
    line = np.searchsorted(np.flatnonzero(raw == 10), places)
    first = np.ones(len(places), bool)
    first[1:] = line[1:] != line[:-1]
    count = int(line[-1]) + 1 if len(line) else 0
    words = {}
    for name in "XYZEIJR":
        column = np.full(count, np.nan)
        here = (letters == ord(name)) & ~first
        column[line[here]] = values[here]
        words[name] = column
    return _Table(letters[first], values[first], words)


def _last(where: npt.NDArray[np.bool_]) -> Ints:
    """For each place the last one up to it that holds, -1 before the first."""
    found: Ints = np.maximum.accumulate(np.where(where, np.arange(len(where)), -1))
    return found


def _held(where: npt.NDArray[np.bool_], values: Floats, before: float) -> Floats:
    """Each line's setting: the value of the last line that set it."""
    last = _last(where)
    return np.where(last >= 0, values[np.maximum(last, 0)], before)


def _axis(asked: Floats, moves: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], relative: Floats) -> Floats:
    """Where an axis stands after each line: absolute words set it, relative ones add to it."""
    told = ~np.isnan(asked)
    sets = told & ((moves & (relative == 0)) | called)
    gone = np.cumsum(np.where(told & moves & (relative == 1), asked, 0.0))
    last = _last(sets)
    at = np.maximum(last, 0)
    return np.where(last >= 0, asked[at] + gone - gone[at], gone)


def _laid_down(table: _Table, *, typed: bool, diameter_mm: float) -> Program:
    if not len(table.letter):
        raise Unreadable("The file has no move that G-code would make.")
    is_g, code = table.letter == ord("G"), table.number
    moves, called = is_g & (code < 4), is_g & (code == 92)
    turn = is_g & ((code == 90) | (code == 91))
    # M82 and M83 decide for the filament where a program has them; G90 and G91 do so for some firmware only
    told = table.letter == ord("M")
    filament_turn = told if told.any() else turn
    relative = _held(turn, code - 90, 0.0)
    relative_e = _held(filament_turn, np.where(is_g, code - 90, code - 82), 0.0)
    scale = np.where(_held(is_g & ((code == 20) | (code == 21)), code, 21.0) == 20, 25.4, 1.0)
    kind = _held(table.letter == ord("K"), code, BESIDE if typed else PART).astype(np.int64)
    x, y, z = (_axis(table.words[name] * scale, moves, called, relative) for name in "XYZ")
    e = _axis(table.words["E"] * scale, moves, called, relative_e)
    fed = np.where(moves & ~np.isnan(table.words["E"]), np.diff(e, prepend=0.0), 0.0)
    end = np.column_stack([x, y])
    start = np.vstack([np.zeros((1, 2)), end[:-1]])
    arc = moves & (code >= 2) & (fed > 0)
    laid = moves & (fed > 1e-7) & ((np.abs(end - start).max(axis=1) > 1e-3) | arc)
    if not laid.any():
        raise Unreadable("The program lays no filament down.")
    if int(laid.sum()) + CHORDS * int(arc.sum()) > MAX_SEGMENTS:
        raise Unreadable(f"The program has more than {MAX_SEGMENTS} moves.")
    order = np.cumsum(moves)
    rows = Program(start[laid], end[laid], z[laid], fed[laid], kind[laid], order[laid], typed, diameter_mm)
    if not np.isfinite(rows.end).all() or np.abs(rows.end).max() > 1e5:
        raise Unreadable("A move goes further than 100 m; its unit or its numbers are wrong.")
    if arc.any():
        words = {name: (table.words[name] * scale)[laid] for name in "IJR"}
        rows = _with_chords(rows, arc[laid], (code == 2)[laid], words)
    return rows


def _with_chords(rows: Program, arc: npt.NDArray[np.bool_], clockwise: npt.NDArray[np.bool_],
                 words: dict[str, Floats]) -> Program:  # fmt: skip
    """The same with each arc as chords."""
    way = rows.end - rows.start
    size = np.hypot(way[:, 0], way[:, 1])
    by_middle = rows.start + np.nan_to_num(np.column_stack([words["I"], words["J"]]))
    radius_word = np.nan_to_num(words["R"])
    rise = np.sqrt(np.maximum(radius_word**2 - (size / 2) ** 2, 0.0)) * np.where((radius_word > 0) == clockwise, -1, 1)
    across = np.column_stack([-way[:, 1], way[:, 0]]) / np.maximum(size, 1e-9)[:, None]
    has_ij = ~(np.isnan(words["I"]) & np.isnan(words["J"]))
    middle = np.where(has_ij[:, None], by_middle, rows.start + way / 2 + across * rise[:, None])
    from_middle, to_middle = rows.start - middle, rows.end - middle
    first = np.arctan2(from_middle[:, 1], from_middle[:, 0])
    sweep = (np.arctan2(to_middle[:, 1], to_middle[:, 0]) - first) % (2 * np.pi)
    sweep = np.where(sweep < 1e-9, 2 * np.pi, sweep)
    sweep = np.where(clockwise, np.where(sweep > 2 * np.pi - 1e-9, -2 * np.pi, sweep - 2 * np.pi), sweep)
    radius = np.hypot(from_middle[:, 0], from_middle[:, 1])
    counts = np.where(arc, CHORDS, 1)
    row = np.repeat(np.arange(len(arc)), counts)
    step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = np.where(arc[row], (step + 1) / CHORDS, 1.0)
    angle = first[row] + sweep[row] * share
    spots = middle[row] + radius[row, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    end = np.where((arc[row] & (share < 1))[:, None], spots, rows.end[row])
    start = np.vstack([rows.start[:1], end[:-1]])
    start[step == 0] = rows.start[row[step == 0]]
    # chords of one arc follow each other, so that they keep its number
    return Program(start, end, rows.z[row], rows.filament[row] / counts[row], rows.kind[row], rows.order[row],
                   rows.typed, rows.diameter_mm)  # fmt: skip
