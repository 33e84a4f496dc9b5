"""Can this machine make that file? Extents against the working volume, format against the process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

SOLID = frozenset({"stl", "3mf", "obj", "ply", "off", "step", "stp", "glb", "gltf"})
FLAT = frozenset({"dxf", "svg"})

#: Which formats a process can begin from.
FORMATS: dict[str, frozenset[str]] = {
    "fff": SOLID | {"gcode"},
    "sla": SOLID,
    "laser-cutting": FLAT,
    "knife-cutting": FLAT,
    "milling": frozenset({"step", "stp", "dxf", "svg", "gcode"}),
    "sewing": frozenset({"dst", "pes"}),
    "hand-work": frozenset(),
}

Word = Literal["format-fits", "format-not", "size-fits", "size-not", "size-unknown", "open-mesh", "in-repair", "broken"]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a design: its format and, if known, its extents in mm and whether it is closed. `sound` is false when
    it could not be read, so that no machine makes it."""

    path: str
    format: str
    extents_mm: tuple[float, ...] | None = None
    watertight: bool | None = None
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for or against, by a word that the page puts into a sentence."""

    word: Word
    path: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fits` when at least one part can be made and no part of the machine's own formats is too large."""

    fits: bool
    makes: tuple[str, ...] = ()
    reasons_for: tuple[Reason, ...] = field(default=())
    reasons_against: tuple[Reason, ...] = field(default=())


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


def match(
    parts: Sequence[Part], *, process: str, volume_mm: Sequence[float | None] | None, in_order: bool = True
) -> Verdict:
    """What speaks for and against making these parts on one machine."""
    formats = FORMATS.get(process, frozenset())
    pros: list[Reason] = []
    cons: list[Reason] = []
    makes: list[str] = []
    for part in parts:
        if part.format not in formats:
            continue
        if not part.sound:
            cons.append(Reason("broken", part.path))
            continue
        pros.append(Reason("format-fits", part.path))
        if part.extents_mm is None or volume_mm is None:
            cons.append(Reason("size-unknown", part.path))
        elif not size_fits(part.extents_mm, volume_mm):
            cons.append(Reason("size-not", part.path))
            continue
        else:
            pros.append(Reason("size-fits", part.path))
        if part.watertight is False and process in {"fff", "sla"}:
            cons.append(Reason("open-mesh", part.path))
        makes.append(part.path)
    if not any(part.format in formats for part in parts):
        cons.append(Reason("format-not", parts[0].path if parts else ""))
    if not in_order:
        cons.append(Reason("in-repair", ""))
    too_large = any(r.word == "size-not" for r in cons)
    return Verdict(bool(makes) and not too_large and in_order, tuple(makes), tuple(pros), tuple(cons))
