"""Programs of printers, lasers and mills (G-code): what they do, how long, and how it looks.

A line at a time and a row of numbers a move, so that 24 MB need a few hundred MB. Times: what the slicer says, and our
own estimate by the rules of Marlin's planner: trapezoids with ACCELERATION where the program sets none, corners as
fast as JERK lets them (classic jerk, on the change of the velocity's vector).
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from designs.engine.errors import Unreadable
from designs.engine.flat import slicer

Floats = npt.NDArray[np.float64]

MAX_BYTES = 48 * 1024 * 1024
MAX_LINE = 4096
MAX_MOVES = 2_000_000
MAX_MM = 1e5
#: mm/s² and mm/s where the program says nothing: those of a usual printer.
ACCELERATION = 1250.0
JERK = 8.0
RAPID_MM_S = 150.0
#: Filament where the slicer says nothing else: 1.75 mm across, PLA.
DIAMETER_MM, DENSITY_G_CM3 = 1.75, 1.24
COLUMNS = 7  # x, y, z, mm of filament, mm/s, mm/s², kind
TRAVEL, WORK = 0.0, 1.0


@dataclass(slots=True)
class Program:
    """What a program does. `moves` (n, 7): where each ends (mm), filament (mm), speed (mm/s), acceleration, kind."""

    moves: Floats
    starts: Floats
    tools: dict[int, float]
    nozzle_c: list[float]
    bed_c: list[float]
    dwell_s: float
    said: slicer.Said
    unknown: Counter[str] = field(default_factory=Counter)
    prints: bool = False


@dataclass(slots=True)
class _State:
    """The machine as the program has set it."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    e: float = 0.0
    speed: float = 0.0
    acceleration: float = ACCELERATION
    scale: float = 1.0
    relative: bool = False
    relative_e: bool = False
    plane: int = 17
    tool: int = 0
    beam: bool = False
    motion: int = -1


def read(path: Path) -> Program:
    """A program from its file. Raises Unreadable."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"The program is larger than {MAX_BYTES // 1024 // 1024} MB.")
    with path.open("rb") as file:
        head = file.read(4096)
        if b"\0" in head or head[:4] == b"GCDE":
            raise Unreadable("The file is no text, so it cannot be read as G-code.")
        file.seek(0)
        machine = _Machine()
        for raw in _lines(file):
            machine.line(raw)
    program = machine.done()
    if not len(program.moves):
        raise Unreadable("The file has no move that G-code would make.")
    return program


def _lines(file: "object") -> Iterator[str]:
    while raw := file.readline(MAX_LINE):  # type: ignore[attr-defined]
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            raise Unreadable(f"A line is longer than {MAX_LINE} letters; that is no G-code.")
        yield raw.decode("ascii", "replace")


WORDS = re.compile(r"([A-Za-z])\s*([-+]?(?:\d+\.?\d*|\.\d+))")


class _Machine:
    """Runs a program line by line and writes its moves down."""

    def __init__(self) -> None:
        self.at = _State()
        self.rows, self.starts = array("d"), array("d")
        self.tools: dict[int, float] = {}
        self.nozzle: set[float] = set()
        self.bed: set[float] = set()
        self.dwell = 0.0
        self.said = slicer.Reader()
        self.unknown: Counter[str] = Counter()
        self.prints = False

    def line(self, raw: str) -> None:
        """One line: its comment to the reader of comments, its words to the machine."""
        semicolon = raw.find(";")
        if semicolon >= 0:
            self.said.comment(raw[semicolon + 1 :].strip())
            raw = raw[:semicolon]
        if "(" in raw:
            raw = re.sub(r"\([^)]*\)", " ", raw)
        words = [(letter.upper(), float(number)) for letter, number in WORDS.findall(raw)]
        if words and words[0][0] == "N":
            words = words[1:]
        if not words:
            return
        letter, number = words[0]
        if letter == "G":
            self._group(words)
        elif letter == "M":
            self._switch(int(number), dict(words[1:]))
        elif letter == "T":
            self._tool(int(number))
        elif letter in "XYZ" and self.at.motion >= 0:
            self._move(self.at.motion, dict(words))
        elif letter in "FS":
            self._set_speed(dict(words))
        else:
            self._strange(f"{letter}{number:g}")

    def _group(self, words: list[tuple[str, float]]) -> None:
        """G words; several may stand in one line (“G21 G90 G1 X5”)."""
        codes = [number for letter, number in words if letter == "G"]
        rest = {letter: number for letter, number in words if letter != "G"}
        for code in codes:
            whole = int(code)
            if code != whole:
                continue
            if whole in {0, 1, 2, 3}:
                self.at.motion = whole
                self._move(whole, rest)
            elif whole == 4:
                self.dwell += min(3600.0, max(0.0, rest.get("S", 0.0) + rest.get("P", 0.0) / 1000))
            elif whole == 28:
                self._home(rest)
            elif whole == 92:
                self._call_it(rest)
            else:
                self._mode(whole)

    def _mode(self, code: int) -> None:
        if code in {20, 21}:
            self.at.scale = 25.4 if code == 20 else 1.0
        elif code in {90, 91}:
            self.at.relative = self.at.relative_e = code == 91
        elif code in {17, 18, 19}:
            self.at.plane = code
        elif code not in {10, 11, 29, 40, 49, 54, 64, 80, 94}:
            self._strange(f"G{code}")

    def _strange(self, code: str) -> None:
        if len(self.unknown) < 200:
            self.unknown[code[:12]] += 1

    def _home(self, rest: dict[str, float]) -> None:
        axes = [axis for axis in "xyz" if axis.upper() in rest] or ["x", "y", "z"]
        for axis in axes:
            setattr(self.at, axis, 0.0)

    def _call_it(self, rest: dict[str, float]) -> None:
        """G92 calls the place something else; only the filament's count is what it is for."""
        if "E" in rest:
            self.at.e = rest["E"] * self.at.scale
        for axis in "XYZ":
            if axis in rest:
                setattr(self.at, axis.lower(), rest[axis] * self.at.scale)

    def _tool(self, number: int) -> None:
        if 0 <= number < 64:
            self.at.tool = number

    def _switch(self, code: int, rest: dict[str, float]) -> None:
        if code in {82, 83}:
            self.at.relative_e = code == 83
        elif code in {104, 109} and rest.get("S", rest.get("R", 0.0)) > 0:
            self.nozzle.add(rest.get("S", rest.get("R", 0.0)))
        elif code in {140, 190} and rest.get("S", rest.get("R", 0.0)) > 0:
            self.bed.add(rest.get("S", rest.get("R", 0.0)))
        elif code == 204:
            asked = rest.get("S", rest.get("P", 0.0))
            if 10 <= asked <= 100_000:
                self.at.acceleration = asked
        elif code in {3, 4}:
            self.at.beam = rest.get("S", 1.0) > 0
        elif code == 5:
            self.at.beam = False

    def _set_speed(self, rest: dict[str, float]) -> None:
        if rest.get("F", 0.0) > 0:
            self.at.speed = min(rest["F"] * self.at.scale / 60, 5000.0)

    def _move(self, code: int, rest: dict[str, float]) -> None:
        at = self.at
        self._set_speed(rest)
        if code in {1, 2, 3} and "S" in rest:
            at.beam = rest["S"] > 0
        if not rest.keys() & {"X", "Y", "Z", "E", "I", "J", "R"}:
            return
        x, y, z = (self._to(axis, rest) for axis in ("X", "Y", "Z"))
        filament = self._filament(rest)
        spots = [(x, y, z)]
        if code in {2, 3} and at.plane == 17:
            spots = _arc((at.x, at.y, at.z), (x, y, z), rest, at.scale, clockwise=code == 2)
        for spot in spots:
            self._row(spot, filament / len(spots), rapid=code == 0)

    def _to(self, axis: str, rest: dict[str, float]) -> float:
        now: float = getattr(self.at, axis.lower())
        if axis not in rest:
            return now
        asked = rest[axis] * self.at.scale
        return now + asked if self.at.relative else asked

    def _filament(self, rest: dict[str, float]) -> float:
        if "E" not in rest:
            return 0.0
        asked = rest["E"] * self.at.scale
        moved = asked if self.at.relative_e else asked - self.at.e
        self.at.e = self.at.e + moved
        if abs(moved) > 1e6:
            raise Unreadable("A move asks for more than a kilometre of filament.")
        self.tools[self.at.tool] = self.tools.get(self.at.tool, 0.0) + moved
        return moved

    def _row(self, spot: tuple[float, float, float], filament: float, *, rapid: bool) -> None:
        at = self.at
        if max(abs(spot[0]), abs(spot[1]), abs(spot[2])) > MAX_MM:
            raise Unreadable("A move goes further than 100 m; its unit or its numbers are wrong.")
        if len(self.rows) >= MAX_MOVES * COLUMNS:
            raise Unreadable(f"The program has more than {MAX_MOVES} moves.")
        self.prints |= filament > 0
        works = filament > 0 if filament or not at.beam else not rapid
        speed = (RAPID_MM_S if rapid and not at.speed else at.speed) or 25.0
        self.starts.extend((at.x, at.y, at.z))
        self.rows.extend((*spot, filament, speed, at.acceleration, WORK if works or not rapid else TRAVEL))
        at.x, at.y, at.z = spot

    def done(self) -> Program:
        """What the whole program does."""
        moves = np.frombuffer(self.rows, np.float64).reshape(-1, COLUMNS).copy()
        starts = np.frombuffer(self.starts, np.float64).reshape(-1, 3).copy()
        if self.prints:
            flat = np.hypot(moves[:, 0] - starts[:, 0], moves[:, 1] - starts[:, 1]) > 1e-6
            moves[:, 6] = np.where((moves[:, 3] > 0) & flat, WORK, TRAVEL)
        return Program(
            moves, starts, self.tools, sorted(self.nozzle)[:20], sorted(self.bed)[:20], self.dwell, self.said.done(),
            self.unknown, self.prints,
        )  # fmt: skip


def _arc(start: tuple[float, float, float], end: tuple[float, float, float], rest: dict[str, float], scale: float, *,
         clockwise: bool) -> list[tuple[float, float, float]]:  # fmt: skip
    """An arc in the plane of x and y as chords within 0.01 mm, by its middle (I, J) or its radius (R)."""
    a, b = np.array(start[:2]), np.array(end[:2])
    if "R" in rest and not rest.keys() & {"I", "J"}:
        half, radius = (b - a) / 2, rest["R"] * scale
        size = float(np.hypot(*half))
        if size < 1e-9 or abs(radius) < size * 0.999:
            return [end]
        rise = np.sqrt(max(0.0, radius**2 - size**2)) * (-1 if (radius > 0) == clockwise else 1)
        middle = a + half + np.array([-half[1], half[0]]) / size * rise
    else:
        middle = a + np.array([rest.get("I", 0.0), rest.get("J", 0.0)]) * scale
    radius = float(np.hypot(*(a - middle)))
    if not 1e-9 < radius < MAX_MM:
        return [end]
    first, last = (np.arctan2(*(p - middle)[::-1]) for p in (a, b))
    sweep = float((last - first) % (2 * np.pi))
    sweep = sweep if sweep > 1e-9 else 2 * np.pi
    if clockwise:
        sweep = sweep - 2 * np.pi if sweep < 2 * np.pi - 1e-9 else -2 * np.pi
    steps = int(
        min(
            720,
            max(
                2, np.ceil(abs(sweep) / (2 * np.arccos(max(0.0, 1 - 0.01 / max(radius, 0.01)))) if radius > 0.01 else 2)
            ),
        )
    )
    t = np.linspace(0, 1, steps + 1)[1:]
    x, y = middle[0] + radius * np.cos(first + sweep * t), middle[1] + radius * np.sin(first + sweep * t)
    z = start[2] + (end[2] - start[2]) * t
    spots = list(zip(x.tolist(), y.tolist(), z.tolist(), strict=True))
    return [*spots[:-1], end]


def lengths_mm(program: Program) -> Floats:
    """How long each move is, in space."""
    found: Floats = np.sqrt(((program.moves[:, :3] - program.starts) ** 2).sum(axis=1))
    return found


def estimate_s(program: Program) -> float:
    """Our own time: every move a trapezoid, corners slowed by JERK, speeds that acceleration can reach."""
    size = lengths_mm(program)
    turn_only = size <= 1e-9
    step = np.where(turn_only, np.abs(program.moves[:, 3]), size)
    kept = step > 1e-9
    if not kept.any():
        return program.dwell_s
    way = (program.moves[:, :3] - program.starts)[kept]
    unit = way / np.maximum(size[kept], 1e-12)[:, None]
    step, top, rate = step[kept], np.maximum(program.moves[kept, 4], 0.01), program.moves[kept, 5]
    change = np.sqrt(((unit[1:] - unit[:-1]) ** 2).sum(axis=1))
    stops = turn_only[kept]
    corner = np.minimum(np.minimum(top[1:], top[:-1]), JERK / np.maximum(change, 1e-9))
    corner[stops[1:] | stops[:-1]] = 0.0
    entry = _reachable(np.concatenate([[0.0], corner, [0.0]]), step, rate)
    v0, v1 = entry[:-1], entry[1:]
    peak = np.minimum(top, np.sqrt(np.maximum(rate * step + (v0**2 + v1**2) / 2, 0)))
    peak = np.maximum(peak, np.maximum(v0, v1))
    ramps = (2 * peak**2 - v0**2 - v1**2) / (2 * rate)
    cruise = np.maximum(step - ramps, 0.0) / peak
    return float(((2 * peak - v0 - v1) / rate + cruise).sum()) + program.dwell_s


def _reachable(speeds: Floats, step: Floats, rate: Floats) -> Floats:
    """Speeds between moves lowered to what can be braked to and sped up to."""
    found, gain = speeds.tolist(), (2 * rate * step).tolist()
    for i in range(len(gain) - 1, -1, -1):
        most = (found[i + 1] ** 2 + gain[i]) ** 0.5
        found[i] = min(found[i], most)
    for i in range(len(gain)):
        most = (found[i] ** 2 + gain[i]) ** 0.5
        found[i + 1] = min(found[i + 1], most)
    return np.array(found)


def layers(program: Program) -> list[float]:
    """Heights (mm) at which something is laid down, lowest first."""
    work = program.moves[(program.moves[:, 6] == WORK) & (program.moves[:, 3] > 0)]
    heights, counts = np.unique(np.round(work[:, 2], 3), return_counts=True)
    return [float(z) for z, n in zip(heights, counts, strict=True) if n > 1 or len(heights) == 1]


def facts(program: Program) -> dict[str, object]:
    """What its user should know, for `Facts.more`."""
    said, size = program.said, lengths_mm(program)
    work = program.moves[:, 6] == WORK
    spots = np.vstack([program.moves[work, :3], program.starts[work]]) if work.any() else program.moves[:, :3]
    low, high = spots.min(axis=0), spots.max(axis=0)
    estimate = estimate_s(program)
    found: dict[str, object] = {
        "kind": "program", "use": "printing" if program.prints else "cutting", "slicer": said.slicer,
        "printer": said.printer, "material": said.material, "slicer_time_s": said.time_s,
        "estimate_s": round(estimate, 1),
        "time_s": said.time_s if said.time_s is not None else round(estimate, 1), "moves": len(program.moves),
        "cut_mm": round(float(size[work].sum()), 2), "travel_mm": round(float(size[~work].sum()), 2),
        "box_mm": [round(float(n), 3) for n in high - low], "low_mm": [round(float(n), 3) for n in low],
        "nozzle_c": program.nozzle_c, "bed_c": program.bed_c,
        "unknown_codes": [c for c, _n in program.unknown.most_common(12)],
    }  # fmt: skip
    return found | (_printed(program) if program.prints else {})


def _printed(program: Program) -> dict[str, object]:
    said, heights = program.said, layers(program)
    steps = np.diff(heights)
    across = said.diameter_mm or DIAMETER_MM
    density = said.density_g_cm3 or DENSITY_G_CM3
    tools = []
    for place, (tool, length) in enumerate(sorted(program.tools.items())):
        grams = said.grams[place] if len(said.grams) == len(program.tools) else None
        own = max(length, 0.0) * np.pi * (across / 2) ** 2 / 1000 * density
        tools.append(
            {
                "tool": tool,
                "filament_mm": round(max(length, 0.0), 2),
                "filament_g": round(float(own if grams is None else grams), 2),
            }
        )
    return {
        "layers": said.layers or len(heights),
        "layer_mm": said.layer_mm or (round(float(np.median(steps)), 3) if len(steps) else None),
        "first_layer_mm": round(heights[0], 3) if heights else None,
        "tools": tools,
        "filament_mm": round(sum(float(one["filament_mm"]) for one in tools), 2),
        "filament_g": round(sum(float(one["filament_g"]) for one in tools), 2),
        "grams_assumed": not said.grams and not said.density_g_cm3,
    }
