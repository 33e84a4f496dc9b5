"""The same description for what a program lays down and for a mesh: its outline at 24 heights, whatever its turn.

At each height the outline of the convex hull is kept as its support function: how far it reaches in 64 directions from
an axis that all heights share. Its mean is the hull's perimeter over 2 pi (Cauchy), and a turn about the vertical only
shifts it, so two of them can be laid over each other exactly. Area and length of the section itself, with its holes,
tell apart what has the same hull.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labs.engine.extrusion.program import (
    BESIDE,
    OUTER,
    OVERHANG,
    USUAL_WIDTH_MM,
    WIDTHS,
    Floats,
    Ints,
    Program,
    Unreadable,
)

PROFILE_VERSION = 1
HEIGHTS, DIRECTIONS = 24, 64
#: Directions between two of those in which a print is known besides, so that it can be turned without a fault.
BETWEEN = 8
#: The sides of a mesh that may lie up on the bed, as drawn first.
UPS = ("+z", "-z", "+x", "-x", "+y", "-y")
#: Objects on a plate stand apart by more than this, mm.
CELL_MM = 1.0
MAX_OBJECTS = 64
#: Fewer levels than this are a skirt, a purge line or a brim where the slicer does not say.
FEWEST_LEVELS = 3
MAX_LOOPS = 400


def _units(count: int) -> Floats:
    angles = np.arange(count) * (2 * np.pi / count)
    return np.column_stack([np.cos(angles), np.sin(angles)])


#: Unit vectors of all directions; every eighth is one that is kept.
_FINE = _units(DIRECTIONS * BETWEEN)
_UNITS = _FINE[::BETWEEN]


@dataclass(frozen=True, slots=True)
class Profile:
    """`height_mm`; `support` (24, 64) mm from the common axis; `area_mm2` and `outline_mm` (24,) of the section with
    its holes, nan where that is not known. `fine` (24, 512) is the support of a print in all directions between."""

    height_mm: float
    support: Floats
    area_mm2: Floats
    outline_mm: Floats
    fine: Floats | None = None

    @property
    def girth_mm(self) -> float:
        """The mean perimeter of the hulls."""
        return float(self.support.mean() * 2 * np.pi)

    @property
    def hull_mm2(self) -> float:
        """The mean area of the hulls, as polygons that touch them in all directions that are kept."""
        step = 2 * np.pi / DIRECTIONS
        beside = np.roll(self.support, 1, axis=1) + np.roll(self.support, -1, axis=1)
        sides = (beside - 2 * self.support * np.cos(step)) / np.sin(step)
        return float((self.support * sides).sum(axis=1).mean() / 2)


@dataclass(frozen=True, slots=True)
class Printed:
    """One thing on the plate: its profile, how many like it there are, its share of the filament, and whether it is all
    that stands on the plate taken together."""

    profile: Profile
    count: int
    share: float
    whole: bool


# --- meshes ------------------------------------------------------------------------------------------------------


def of_mesh(points: Floats, triangles: Ints, ups: tuple[str, ...] = UPS) -> list[tuple[str, Profile]]:
    """The profiles of a mesh, standing on each of these sides; flat ones have none. `points` in mm."""
    found = []
    for up in ups:
        turned = _turned(points, up)
        profile = _sections(turned, triangles)
        if profile is not None:
            found.append((up, profile))
    return found


def _turned(points: Floats, up: str) -> Floats:
    """The points with that side up, by a turn, so never mirrored."""
    x, y, z = points.T
    ways = {
        "+z": (x, y, z), "-z": (x, -y, -z), "+x": (y, z, x), "-x": (z, y, -x), "+y": (z, x, y), "-y": (x, z, -y),
    }  # fmt: skip
    return np.column_stack(ways[up])


def _sections(points: Floats, triangles: Ints) -> Profile | None:
    low, high = float(points[:, 2].min()), float(points[:, 2].max())
    height = high - low
    if height < 0.05:
        return None
    corner_z = points[triangles, 2]
    tops, bottoms = corner_z.max(axis=1), corner_z.min(axis=1)
    support, area, outline = np.zeros((HEIGHTS, DIRECTIONS)), np.zeros(HEIGHTS), np.zeros(HEIGHTS)
    for number, z in enumerate(low + _levels(height)):
        cut = np.flatnonzero((bottoms < z) & (tops >= z))
        if not len(cut):
            continue
        a, b = _crossings(points, triangles[cut], z)
        support[number] = _support(np.vstack([a, b]))
        middle = a.mean(axis=0)
        one, other = a - middle, b - middle
        area[number] = abs(float((one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum()) / 2)
        outline[number] = float(np.hypot(*(b - a).T).sum())
    return _centred(height, support, area, outline)


def _levels(height: float) -> Floats:
    """Heights at no round share, where steps of parts seldom lie."""
    return (np.arange(HEIGHTS) + 0.382) / HEIGHTS * height


def _crossings(points: Floats, triangles: Ints, z: float) -> tuple[Floats, Floats]:
    """Where triangles cross a height: segments that keep the solid on one side."""
    above = points[triangles, 2] >= z
    lone_is_above = above.sum(axis=1) == 1
    lone = np.argmax(above == lone_is_above[:, None], axis=1)
    rows = np.arange(len(triangles))
    top = points[triangles[rows, lone]]
    ends = []
    for step in (1, 2):
        other = points[triangles[rows, (lone + step) % 3]]
        share = (z - top[:, 2]) / (other[:, 2] - top[:, 2])
        ends.append(top[:, :2] + share[:, None] * (other[:, :2] - top[:, :2]))
    swap = lone_is_above[:, None]
    return np.where(swap, ends[0], ends[1]), np.where(swap, ends[1], ends[0])


def _support(points: Floats, units: Floats = _UNITS) -> Floats:
    """How far a set of points reaches in each direction."""
    found: Floats = (_outermost(points) @ units.T).max(axis=0)
    return found


def _outermost(points: Floats) -> Floats:
    """The corners of the convex hull, or all points where there is none."""
    from scipy.spatial import ConvexHull, QhullError  # noqa: PLC0415 loaded by the sandbox alone

    if len(points) < 64:
        return points
    try:
        corners: Floats = points[ConvexHull(points).vertices]
    except QhullError:  # all on one line
        return points
    return corners


def _centred(height: float, support: Floats, area: Floats, outline: Floats) -> Profile:
    """The same about the mean of the hulls' Steiner points, which moves and turns with the thing. `support` in the
    directions that are kept, or in all."""
    units = _UNITS if support.shape[1] == DIRECTIONS else _FINE
    there: npt.NDArray[np.bool_] = np.abs(support).max(axis=1) > 0
    if there.any():
        steiner = 2 * (support[there][:, :, None] * units[None]).mean(axis=1)
        support = np.where(there[:, None], support - units @ steiner.mean(axis=0), 0.0)
    if units is _UNITS:
        return Profile(height, support, area, outline)
    return Profile(height, support[:, ::BETWEEN], area, outline, support)


# --- programs ----------------------------------------------------------------------------------------------------


def of_program(program: Program) -> list[Printed]:
    """What stands on the plate: all of it together first, then each different object, the largest first.

    Raises Unreadable when nothing of a height is left.
    """
    part = np.flatnonzero(program.kind != BESIDE)
    if not len(part):
        raise Unreadable("The slicer's comments name no part, only supports and skirts.")
    label, count = _objects(program, part)
    plate = _Plate(program)
    if not program.typed and count > 1:
        part, label = _without_strays(program, part, label)
    shares = np.bincount(label, weights=program.filament[part])
    whole = plate.profile(part)
    if whole is None:
        raise Unreadable("What it lays down has no height.")
    found = [Printed(whole, 1, 1.0, whole=True)]
    kept = [int(n) for n in np.argsort(-shares, kind="stable") if shares[n] > 0][:MAX_OBJECTS]
    if len(kept) > 1:
        found += _alike([(plate.profile(part[label == n]), shares[n] / shares.sum()) for n in kept])
    return found


def _alike(objects: list[tuple[Profile | None, float]]) -> list[Printed]:
    """Objects on a plate, the same ones counted together, the largest share first."""
    from labs.engine.extrusion.comparing import distance  # noqa: PLC0415 it needs the profiles defined here

    groups: list[tuple[Profile, int, float]] = []
    for profile, share in objects:
        if profile is None:
            continue
        for place, (other, count, sum_share) in enumerate(groups):
            if abs(other.girth_mm - profile.girth_mm) < 2 and distance(profile, other).mm < 0.25:
                groups[place] = (other, count + 1, sum_share + share)
                break
        else:
            groups.append((profile, 1, share))
    groups.sort(key=lambda group: -group[2])
    return [Printed(profile, count, share, whole=False) for profile, count, share in groups]


def _objects(program: Program, part: Ints) -> tuple[Ints, int]:
    """For each stretch of the part the number of the object it belongs to: what touches, seen from above."""
    from scipy.ndimage import label  # noqa: PLC0415 loaded by the sandbox alone

    start, end = program.start[part], program.end[part]
    low = np.minimum(start.min(axis=0), end.min(axis=0)) - CELL_MM
    size = np.ceil((np.maximum(start.max(axis=0), end.max(axis=0)) - low) / CELL_MM).astype(int) + 2
    if size.max() > 4000:
        return np.zeros(len(part), np.int64), 1
    length = np.hypot(*(end - start).T)
    steps = np.minimum(np.ceil(length / (CELL_MM * 0.7)).astype(int) + 1, 6000)
    if steps.sum() > 8_000_000:
        return np.zeros(len(part), np.int64), 1
    row = np.repeat(np.arange(len(part)), steps)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.maximum(steps[row] - 1, 1)
    spots = start[row] + (end[row] - start[row]) * share[:, None]
    cells = ((spots - low) / CELL_MM).astype(int)
    ground = np.zeros(size, bool)
    ground[cells[:, 0], cells[:, 1]] = True
    labels, count = label(ground, np.ones((3, 3)))
    first = ((start - low) / CELL_MM).astype(int)
    return labels[first[:, 0], first[:, 1]].astype(np.int64) - 1, int(count)


def _without_strays(program: Program, part: Ints, label: Ints) -> tuple[Ints, Ints]:
    """Leave out what ends after a layer or two while the print goes on: skirts and purge lines of silent slicers."""
    z = np.round(program.z[part], 2)
    levels = np.array([len(np.unique(z[label == n])) for n in range(int(label.max()) + 1)])
    if levels.max() <= FEWEST_LEVELS:
        return part, label
    stays = levels[label] >= FEWEST_LEVELS
    return part[stays], label[stays]


class _Plate:
    """Profiles of parts of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def profile(self, rows: Ints) -> Profile | None:
        """Of these stretches of filament; None when they have no height."""
        program = self.program
        z = np.round(program.z[rows], 3)
        by_height = np.argsort(z, kind="stable")
        rows, z = rows[by_height], z[by_height]
        levels, first = np.unique(z, return_index=True)
        steps = np.diff(levels)
        layer = float(np.median(steps)) if len(steps) else float(levels[0])
        vase = len(levels) > 40 and layer < 0.04
        if vase:
            layer = max(0.1, float(levels[0]))
        # what stands on a raft begins above the bed
        base = 0.0 if levels[0] <= 1.0 else float(levels[0]) - layer
        height = float(levels[-1]) - base
        if height < 0.05 or len(rows) < 3:
            return None
        ends = np.append(first[1:], len(rows))
        support = np.zeros((HEIGHTS, DIRECTIONS * BETWEEN))
        area, outline = np.full(HEIGHTS, np.nan), np.full(HEIGHTS, np.nan)
        for number, wanted in enumerate(base + _levels(height)):
            place = min(int(np.searchsorted(levels, wanted - 1e-6)), len(levels) - 1)
            if vase:
                last = int(np.searchsorted(levels, wanted + layer))
                here = rows[first[place] : ends[max(place, last - 1)]]
                thick = layer
            else:
                here = rows[first[place] : ends[place]]
                thick = float(levels[place] - (levels[place - 1] if place else base))
            support[number], area[number], outline[number] = self._level(np.sort(here), min(max(thick, 0.03), 1.2))
        return _centred(height, support, area, outline)

    def _level(self, rows: Ints, thick: float) -> tuple[Floats, float, float]:
        """Support function, area and outline of one layer, out to the edge of its beads."""
        program = self.program
        walls = rows[program.kind[rows] >= OUTER] if program.typed else rows
        walls = walls if len(walls) > 2 else rows
        half = self._width(walls, thick) / 2
        support = _support(np.vstack([program.start[walls], program.end[walls]]), _FINE) + half
        if not program.typed:
            return support, np.nan, np.nan
        return support, *self._section(rows, half)

    def _width(self, rows: Ints, thick: float) -> float:
        """How wide the beads are: their volume over length and thickness, with round sides."""
        program = self.program
        length = np.hypot(*(program.end[rows] - program.start[rows]).T)
        bead = program.filament[rows].sum() * np.pi * (program.diameter_mm / 2) ** 2 / max(float(length.sum()), 1e-9)
        width = float(bead / thick + thick * (1 - np.pi / 4))
        return width if WIDTHS[0] < width < WIDTHS[1] else USUAL_WIDTH_MM

    def _section(self, rows: Ints, half: float) -> tuple[float, float]:
        """Area and outline of the section from its outermost walls, holes taken away; nan when they do not close."""
        loops = list(self._loops(rows))
        if not loops or len(loops) > MAX_LOOPS:
            return np.nan, np.nan
        signs = _nesting(loops)
        area = length = 0.0
        for loop, sign in zip(loops, signs, strict=True):
            after = np.roll(loop, -1, axis=0)
            around = float(np.hypot(*(after - loop).T).sum())
            inside = abs(float((loop[:, 0] * after[:, 1] - loop[:, 1] * after[:, 0]).sum()) / 2)
            area += sign * inside + around * half + sign * np.pi * half**2
            length += around + sign * 2 * np.pi * half
        return area, length

    def _loops(self, rows: Ints) -> Iterator[Floats]:
        """The closed outermost walls of a layer, each (n, 2)."""
        program = self.program
        wall = (program.kind[rows] == OUTER) | (program.kind[rows] == OVERHANG)
        rows = rows[wall]
        if not len(rows):
            return
        joined = (np.diff(program.order[rows]) <= 1) & (
            np.abs(program.start[rows[1:]] - program.end[rows[:-1]]).max(axis=1) < 1e-3
        )
        for chain in np.split(rows, np.flatnonzero(~joined) + 1):
            if not (program.kind[chain] == OUTER).any():
                continue
            path = np.vstack([program.start[chain[:1]], program.end[chain]])
            gap = float(np.hypot(*(path[-1] - path[0])))
            if gap < max(1.2, 0.02 * len(chain)) and len(path) > 3:
                yield path


def _nesting(loops: list[Floats]) -> list[float]:
    """1 for an outer contour, -1 for a hole, by how many loops a loop lies inside of."""
    lows, highs = (np.array([getattr(loop, way)(axis=0) for loop in loops]) for way in ("min", "max"))
    signs = []
    for number, loop in enumerate(loops):
        spot = loop[0]
        around = np.flatnonzero(((lows < spot) & (highs > spot)).all(axis=1))
        depth = sum(_holds(loops[other], spot) for other in around if other != number)
        signs.append(-1.0 if depth % 2 else 1.0)
    return signs


def _holds(loop: Floats, spot: Floats) -> bool:
    """Whether a closed loop goes round a spot (crossings of a ray)."""
    a, b = loop, np.roll(loop, -1, axis=0)
    straddles = (a[:, 1] > spot[1]) != (b[:, 1] > spot[1])
    a, b = a[straddles], b[straddles]
    x = a[:, 0] + (spot[1] - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return bool((x > spot[0]).sum() % 2)


# --- as bytes ----------------------------------------------------------------------------------------------------

_HEAD = struct.Struct("<BBBxf")


def pack(profile: Profile) -> bytes:
    """A profile as 3.3 kB: reach in hundredths of a mm, areas and lengths as float32."""
    head = _HEAD.pack(PROFILE_VERSION, HEIGHTS, DIRECTIONS, profile.height_mm)
    reach = np.clip(np.round(profile.support * 100), -32768, 32767).astype("<i2")
    return (
        head + reach.tobytes() + profile.area_mm2.astype("<f4").tobytes() + profile.outline_mm.astype("<f4").tobytes()
    )


def unpack(raw: bytes) -> Profile:
    """The profile again. Raises ValueError for anything else."""
    size = HEIGHTS * DIRECTIONS * 2
    if len(raw) != _HEAD.size + size + HEIGHTS * 8:
        raise ValueError("a profile has another length")
    version, heights, directions, height = _HEAD.unpack_from(raw)
    if (version, heights, directions) != (PROFILE_VERSION, HEIGHTS, DIRECTIONS) or not np.isfinite(height):
        raise ValueError("a profile of another kind")
    reach = np.frombuffer(raw, "<i2", HEIGHTS * DIRECTIONS, _HEAD.size).reshape(HEIGHTS, DIRECTIONS)
    rest = np.frombuffer(raw, "<f4", HEIGHTS * 2, _HEAD.size + size).astype(np.float64)
    area: npt.NDArray[np.float64] = rest[:HEIGHTS]
    return Profile(float(height), reach / 100.0, area, rest[HEIGHTS:])


_PRINT = struct.Struct("<BxHf")


def pack_print(printed: Printed) -> bytes:
    """A thing on the plate with all its directions, as bytes of one length."""
    profile = printed.profile
    fine = profile.fine if profile.fine is not None else np.repeat(profile.support, BETWEEN, axis=1)
    reach = np.clip(np.round(fine * 100), -32768, 32767).astype("<i2").tobytes()
    return _PRINT.pack(printed.whole, min(printed.count, 65535), printed.share) + pack(profile) + reach


def unpack_prints(raw: bytes) -> list[Printed]:
    """The things again. Raises ValueError for anything else."""
    plain = _HEAD.size + HEIGHTS * DIRECTIONS * 2 + HEIGHTS * 8
    size = _PRINT.size + plain + HEIGHTS * DIRECTIONS * BETWEEN * 2
    if len(raw) % size:
        raise ValueError("what was printed has another length")
    found = []
    for start in range(0, len(raw), size):
        whole, count, share = _PRINT.unpack_from(raw, start)
        profile = unpack(raw[start + _PRINT.size : start + _PRINT.size + plain])
        reach = np.frombuffer(raw, "<i2", HEIGHTS * DIRECTIONS * BETWEEN, start + _PRINT.size + plain)
        fine = reach.reshape(HEIGHTS, DIRECTIONS * BETWEEN) / 100.0
        exact = Profile(profile.height_mm, profile.support, profile.area_mm2, profile.outline_mm, fine)
        found.append(Printed(exact, int(count), float(share), bool(whole)))
    return found


def unpack_all(raw: bytes) -> list[Profile]:
    """Profiles of meshes, one after another. Raises ValueError."""
    size = _HEAD.size + HEIGHTS * DIRECTIONS * 2 + HEIGHTS * 8
    if len(raw) % size:
        raise ValueError("profiles have another length")
    return [unpack(raw[start : start + size]) for start in range(0, len(raw), size)]
