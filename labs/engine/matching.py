"""Which machines can make which parts of a design: one part and one machine with reasons, or all machines at a time.

Plain Python on purpose: the web process loads no numpy, and ten thousand machines are screened in some hundredths of
a second, because all parts of a process are asked together by the box that holds each of them (docs/matching.md).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

SOLID = frozenset({"stl", "3mf", "obj", "ply", "off", "step", "stp", "glb", "gltf"})
FLAT = frozenset({"dxf", "svg"})

#: Which formats a process can begin from.
FORMATS: dict[str, frozenset[str]] = {
    "fff": SOLID | {"gcode"},
    "sla": SOLID,
    "laser-cutting": FLAT,
    "knife-cutting": FLAT,
    "milling": frozenset({"step", "stp", "dxf", "svg", "gcode"}),
    "turning": frozenset({"step", "stp"}),
    "pcb-milling": frozenset({"gerber", "kicad"}),
    "sewing": frozenset({"dst", "pes"}),
    "embroidery": frozenset({"dst", "pes", "exp", "jef", "vp3"}),
    "hand-work": frozenset(),
}
PRINTS = frozenset({"fff", "sla"})
#: The thinnest wall that a process makes well, in mm: two lines of a 0.4 mm nozzle; what resin printers are said to do.
THINNEST_MM = {"fff": 0.8, "sla": 0.3}
#: Of the surface: what hangs more than this wants support (as in `designs.queries.cautions`).
MUCH_OVERHANG = 0.05
EARTH_KM = 6371.0088

Word = Literal[
    "format-fits",
    "format-not",
    "size-fits",
    "size-turned",
    "size-not",
    "size-unknown",
    "open-mesh",
    "thin-wall",
    "overhang",
    "cut-length",
    "material-fits",
    "material-not",
    "material-other",
    "in-repair",
    "broken",
]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a design: its format and, if known, its extents in mm and whether it is closed.

    Files of the same `thing` are one thing in several formats: who makes one of them has made it. `wall_mm` is its
    thinnest wall, `overhang` the share of its surface that hangs in the best position, `cut_mm` the length of all cuts,
    `use` what a program is for (printing or cutting), `material` what the design's parts list says. `sound` is false
    when it could not be read, so that no machine makes it.
    """

    path: str
    format: str
    extents_mm: tuple[float, ...] | None = None
    watertight: bool | None = None
    thing: str = ""
    wall_mm: float | None = None
    overhang: float | None = None
    cut_mm: float | None = None
    use: str = ""
    material: str = ""
    sound: bool = True

    @property
    def of(self) -> str:
        """The thing that it is a file of."""
        return self.thing or self.path


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for or against, by a word that the page puts into a sentence; `amount` in mm, a share or degrees."""

    word: Word
    path: str
    amount: float = 0.0
    material: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fits` when at least one part can be made and no part of the machine's own formats is too large."""

    fits: bool
    makes: tuple[str, ...] = ()
    reasons_for: tuple[Reason, ...] = field(default=())
    reasons_against: tuple[Reason, ...] = field(default=())


# --- size --------------------------------------------------------------------------------------------------------


def size_fits(extents_mm: Sequence[float], volume_mm: Sequence[float | None]) -> bool:
    """Whether a box goes into the volume, turned by right angles in any way; a None height is not asked.

    A flat machine (no height) is asked for the two longer sides alone.
    """
    sides = sorted(extents_mm)
    if len(volume_mm) < 3 or volume_mm[2] is None:
        room = sorted(v for v in volume_mm[:2] if v is not None)
        return all(s <= r for s, r in zip(sides[-2:], room, strict=False))
    room = sorted(v for v in volume_mm if v is not None)
    return all(s <= r for s, r in zip(sides, room, strict=False))


def slanted(p: float, q: float, a: float, b: float) -> float | None:
    """By how many degrees a rectangle p × q is turned to lie in a × b; 0 when it lies straight, None when it cannot.

    The condition for a slanted rectangle is by Carver (1957); the angle is the one at which it just touches.
    """
    p, q = max(p, q), min(p, q)
    a, b = max(a, b), min(a, b)
    if p <= a and q <= b:
        return 0.0
    if q > b or p <= a:
        return None
    square = p * p + q * q
    needed = (2 * p * q * a + (p * p - q * q) * math.sqrt(square - a * a)) / square if square > a * a else 0.0
    if b < needed:
        return None
    # p cos t + q sin t = a has its larger root where the width is least
    return math.degrees(math.acos(min(a / math.sqrt(square), 1.0)) + math.atan2(q, p))


def turned(extents_mm: Sequence[float], volume_mm: Sequence[float | None]) -> float | None:
    """By how many degrees the box is turned on the bed to go in: 0 when right angles suffice, None when it does not.

    Any side may stand upright, the other two are turned freely on the bed. Leaning it as well is not tried.
    """
    if size_fits(extents_mm, volume_mm):
        return 0.0
    x, y = volume_mm[0], volume_mm[1]
    z = volume_mm[2] if len(volume_mm) > 2 else None
    if x is None or y is None:
        return None
    sides = sorted(extents_mm)
    if z is None or len(sides) < 3:
        return slanted(sides[-1], sides[-2], x, y)
    found = [
        angle
        for up, p, q in ((0, 2, 1), (1, 2, 0), (2, 1, 0))
        if sides[up] <= z and (angle := slanted(sides[p], sides[q], x, y)) is not None
    ]
    return min(found, default=None)


# --- one machine -------------------------------------------------------------------------------------------------


def takes(part: Part, process: str) -> bool:
    """Whether the process can begin from this file."""
    if not part.sound or part.format not in FORMATS.get(process, frozenset()):
        return False
    if part.format == "gcode" and part.use:
        return (part.use == "printing") == (process in PRINTS)
    return True


def match(
    parts: Sequence[Part],
    *,
    process: str,
    volume_mm: Sequence[float | None] | None,
    in_order: bool = True,
    materials: Sequence[str] = (),
    wanted: str = "",
) -> Verdict:
    """What speaks for and against making these parts on one machine.

    `materials` are those that the machine works, in small letters; none means that nobody has said. `wanted` is the
    material that the person asks for: without it the machine does not fit.
    """
    pros: list[Reason] = []
    cons: list[Reason] = []
    makes: list[str] = []
    done: set[str] = set()
    fitting = [part for part in parts if takes(part, process)]
    for part in fitting:
        if part.of in done:
            continue
        angle = 0.0 if part.extents_mm is None or volume_mm is None else turned(part.extents_mm, volume_mm)
        if angle is None:
            if not any(_goes_in(other, volume_mm) for other in fitting if other.of == part.of):
                done.add(part.of)
                cons.append(Reason("size-not", part.path))
            continue
        done.add(part.of)
        makes.append(part.path)
        pros.append(Reason("format-fits", part.path))
        if part.extents_mm is None or volume_mm is None:
            cons.append(Reason("size-unknown", part.path))
        else:
            pros.append(Reason("size-turned" if angle else "size-fits", part.path, angle))
        _judge(part, process, materials, wanted, pros, cons)
    torn = [part for part in parts if not part.sound and takes(replace(part, sound=True), process)]
    cons += [Reason("broken", part.path) for part in torn if part.of not in done]
    if not fitting and not torn:
        cons.append(Reason("format-not", parts[0].path if parts else ""))
    suits = not wanted or not materials or wanted in materials
    if not suits:
        cons.append(Reason("material-not", "", material=wanted))
    elif wanted and materials:
        pros.append(Reason("material-fits", "", material=wanted))
    if not in_order:
        cons.append(Reason("in-repair", ""))
    too_large = any(r.word == "size-not" for r in cons)
    fits = bool(makes) and not too_large and in_order and suits
    return Verdict(fits, tuple(makes), tuple(pros), tuple(cons))


def _goes_in(part: Part, volume_mm: Sequence[float | None] | None) -> bool:
    return part.extents_mm is None or volume_mm is None or turned(part.extents_mm, volume_mm) is not None


def _judge(  # noqa: PLR0917 one step of `match`
    part: Part, process: str, materials: Sequence[str], wanted: str, pros: list[Reason], cons: list[Reason]
) -> None:
    """What its shape and its material say about this process."""
    if process in PRINTS:
        if part.watertight is False:
            cons.append(Reason("open-mesh", part.path))
        if part.wall_mm is not None and part.wall_mm < THINNEST_MM[process]:
            cons.append(Reason("thin-wall", part.path, part.wall_mm))
        if part.overhang is not None and part.overhang > MUCH_OVERHANG:
            cons.append(Reason("overhang", part.path, part.overhang))
    elif part.cut_mm and process in {"laser-cutting", "knife-cutting"}:
        pros.append(Reason("cut-length", part.path, part.cut_mm))
    if part.material and materials and not wanted:
        word: Word = "material-fits" if part.material in materials else "material-other"
        (pros if word == "material-fits" else cons).append(Reason(word, part.path, material=part.material))


# --- all machines ------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A machine as the screen needs it: numbers of the machine and its lab, process, volume in mm, whether in order."""

    machine: int
    lab: int
    process: str
    x: float | None
    y: float | None
    z: float | None
    in_order: bool


class Screened(NamedTuple):
    """What came of a look at all machines: `whole` can make every part of their formats, `others` have a format of the
    design but not the room, or not for all of it."""

    whole: list[Row]
    others: list[Row]


def things_of(parts: Sequence[Part]) -> list[str]:
    """The things of a design in order; the place of one is its bit."""
    return list(dict.fromkeys(part.of for part in parts))


class Screen:
    """A design made ready to be asked about many machines."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.things = things_of(parts)
        bits = {thing: 1 << n for n, thing in enumerate(self.things)}
        self.needs: dict[str, _Need] = {}
        for process in FORMATS:
            taken = [part for part in parts if takes(part, process)]
            if taken:
                self.needs[process] = _Need(bits, taken)

    def screen(self, rows: Iterable[Row]) -> Screened:
        """The machines, in repair or not, in the order given. Reasons are not looked for: `match` gives them."""
        whole: list[Row] = []
        others: list[Row] = []
        for row in rows:
            need = self.needs.get(row[2])
            if need is not None:
                (whole if need.holds(row[3], row[4], row[5]) else others).append(row)
        return Screened(whole, others)

    def makes(self, row: Row) -> int:
        """The things that a machine can make, as bits."""
        need = self.needs.get(row[2])
        return 0 if need is None else need.things(row[3], row[4], row[5])


class _Need:
    """The things of a design that one process could make; each volume is looked at part by part only once."""

    def __init__(self, bits: Mapping[str, int], parts: Sequence[Part]) -> None:
        self.parts = [(bits[part.of], _deep(part.extents_mm)) for part in parts]
        self.all = 0
        for bit, _sides in self.parts:
            self.all |= bit
        boxes = [sides for _bit, sides in self.parts if sides is not None]
        self.short, self.middle, self.long = (max((box[n] for box in boxes), default=0.0) for n in range(3))
        #: Several files may be one thing, and then it is enough that one of them goes in.
        self.plain = len({bit for bit, _sides in self.parts}) == len(self.parts)
        self.known: dict[tuple[float, float, float | None], int] = {}
        self.largest = sorted((sides for sides in boxes), key=lambda sides: (-sides[2], -sides[1]))

    def holds(self, x: float | None, y: float | None, z: float | None) -> bool:
        """Whether every thing goes into a volume: by one box that holds them all, else one by one."""
        if x is None or y is None:
            return True
        if x > y:
            x, y = y, x
        if z is None:
            if self.middle <= x and self.long <= y:
                return True
        else:
            a, b, c = (z, x, y) if z < x else (x, z, y) if z < y else (x, y, z)
            if self.short <= a and self.middle <= b and self.long <= c:
                return True
            if self.plain and self.long > c and self.long * self.long > x * x + y * y:
                return False
        if self.plain:
            return all(turned(sides, (x, y, z)) is not None for sides in self.largest)
        return self.things(x, y, z) == self.all

    def things(self, x: float | None, y: float | None, z: float | None) -> int:
        """The things that go into a volume, as bits."""
        if x is None or y is None:
            return self.all
        key = (x, y, z)
        found = self.known.get(key)
        if found is None:
            found, diagonal = 0, math.hypot(x, y)
            for bit, sides in self.parts:
                if found & bit:
                    continue
                if sides is None or (
                    (sides[2] <= diagonal or (z is not None and sides[2] <= z)) and turned(sides, key) is not None
                ):
                    found |= bit
            self.known[key] = found
        return found


def _deep(extents_mm: Sequence[float] | None) -> tuple[float, float, float] | None:
    """The sides of a box in order, three of them."""
    if extents_mm is None:
        return None
    sides = sorted((0.0, 0.0, 0.0, *extents_mm))[-3:]
    return sides[0], sides[1], sides[2]


# --- where -------------------------------------------------------------------------------------------------------


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The way of the crow between two (latitude, longitude) in degrees, on a sphere."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(v) for v in p) for p in (a, b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(math.sqrt(h), 1.0))


#: What a day of waiting, all power from the grid, and a unit of money weigh against a kilometre.
DAY, GRID, MONEY = 5.0, 4.0, 1.0
#: A lab whose place, queue, sun or price nobody knows stands behind one that tells, but not behind all that do.
UNKNOWN_KM, UNKNOWN_DAYS, UNKNOWN_SHARE = 25.0, 7.0, 0.0


def score(*, km: float | None, wait_days: float | None, share: float | None, price: float | None) -> float:
    """How far away a machine is, all told, in kilometres; less is better."""
    return (
        (UNKNOWN_KM if km is None else km)
        + DAY * (UNKNOWN_DAYS if wait_days is None else wait_days)
        + GRID * (1 - (UNKNOWN_SHARE if share is None else share))
        + MONEY * (price or 0.0)
    )


# --- plans -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """Labs that together make all things, and which thing where; `missing` are things that nobody can make."""

    labs: tuple[int, ...]
    where: tuple[tuple[str, int], ...]
    missing: tuple[str, ...] = ()


def plan(things: Sequence[str], able: Mapping[int, int], far: Callable[[int], float]) -> Plan:
    """The fewest labs that make everything that can be made, nearest first: one if one can, else two, three, or by
    taking always the lab that adds most.

    `able` has the things of each lab as bits, `far` its distance. Labs that can make the same are told apart by
    distance alone, so only the nearest of each kind is tried.
    """
    nearest: dict[int, int] = {}
    for lab in sorted(able, key=lambda one: (far(one), one)):
        if able[lab]:
            nearest.setdefault(able[lab], lab)
    kinds = {bits: lab for bits, lab in nearest.items() if not _beaten(bits, lab, nearest, far)}
    whole = 0
    for bits in kinds:
        whole |= bits
    chosen = _cover(whole, tuple(sorted(kinds.items())), far) if whole else ()
    where, left = [], whole
    for lab in sorted(chosen, key=lambda one: (-(able[one] & whole).bit_count(), far(one), one)):
        mine = able[lab] & left
        where += [(thing, lab) for n, thing in enumerate(things) if mine >> n & 1]
        left &= ~mine
    order = {thing: n for n, thing in enumerate(things)}
    labs = tuple(dict.fromkeys(lab for _thing, lab in where))
    missing = tuple(thing for n, thing in enumerate(things) if not whole >> n & 1)
    return Plan(labs, tuple(sorted(where, key=lambda pair: order[pair[0]])), missing)


def _beaten(bits: int, lab: int, nearest: Mapping[int, int], far: Callable[[int], float]) -> bool:
    """Whether a lab that is as near makes all of it and more."""
    return any(bits != other and bits & other == bits and far(one) <= far(lab) for other, one in nearest.items())


def _cover(whole: int, kinds: Sequence[tuple[int, int]], far: Callable[[int], float]) -> tuple[int, ...]:
    ranked = sorted(kinds, key=lambda kind: (-kind[0].bit_count(), far(kind[1])))[:40]
    singles = [(far(lab), (lab,)) for bits, lab in ranked if bits == whole]
    if singles:
        return min(singles)[1]
    pairs = [(far(a) + far(b), (a, b)) for n, (x, a) in enumerate(ranked) for y, b in ranked[n + 1 :] if x | y == whole]
    if pairs:
        return min(pairs)[1]
    triples = [
        (far(a) + far(b) + far(c), (a, b, c))
        for n, (x, a) in enumerate(ranked)
        for m, (y, b) in enumerate(ranked[n + 1 :], n + 1)
        for z, c in ranked[m + 1 :]
        if x | y | z == whole
    ]
    if triples:
        return min(triples)[1]
    chosen: list[int] = []
    left = whole
    while left:
        bits, lab = max(kinds, key=lambda kind: ((kind[0] & left).bit_count(), -far(kind[1])))
        if not bits & left:
            break
        chosen.append(lab)
        left &= ~bits
    return tuple(chosen)
