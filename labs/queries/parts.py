"""The parts of a design as machines see them: files that can be made, with what is known of their shape."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from labs.engine.matching import FLAT, FORMATS, SOLID, Part
from labs.materials import normal

if TYPE_CHECKING:
    from designs.models import Blob, Design

MOST_PARTS = 200
FORMATS_OF_MACHINES = frozenset().union(*FORMATS.values())
#: Formats that the index knows no name for, by the ending.
ENDINGS = frozenset({"dst", "pes", "exp", "jef", "vp3"})
#: Where drawings are pictures, not parts.
PICTURES = frozenset({
    "doc", "docs", "documentation", "image", "images", "img", "media", "assets", "pictures", "pics", "photos",
    "screenshots", "figures", "renders", ".github",
})  # fmt: skip
PICTURE_NAMES = re.compile(r"^(logo|icon|banner|diagram|badge|schematic|overview)\b")
WHOLES = frozenset({"assembly", "assembled", "full", "complete", "all", "whole", "kokoonpano"})
CUT = re.compile(r"laser|cut|vinyl|plotter|sheet|panel|plate|dxf|flat")


def parts_of(design: "Design", ref: str = "") -> list[Part]:
    """The parts of a design's shown version, or of the one named. Raises BadRevision.

    A file that could not be read is a part that no machine makes: nobody knows what would come of it.
    """
    files = list(_files_at(design, ref) if ref else _current(design))
    told = _materials_told(design, ref)
    return things([(path, blob) for path, blob in files], told)


def _current(design: "Design") -> "Iterable[tuple[str, Blob]]":
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    rows = FileVersion.objects.filter(design=design, current=True).select_related("blob").order_by("path")
    return ((row.path, row.blob) for row in rows)


def _files_at(design: "Design", ref: str) -> "Iterable[tuple[str, Blob]]":
    from designs import git  # noqa: PLC0415 the room may be left out
    from designs.models import Blob  # noqa: PLC0415

    repository = git.of(design.repository)
    entries = repository.files(repository.commit_of(ref))
    known = {blob.oid: blob for blob in Blob.objects.filter(oid__in=[entry.oid for entry in entries])}
    return ((entry.path, known[entry.oid]) for entry in entries if entry.oid in known)


def _materials_told(design: "Design", ref: str) -> Mapping[str, str]:
    """What the parts list or the manifest says of materials, by the path or the name of the part in small letters."""
    from designs import git  # noqa: PLC0415 the room may be left out
    from designs.queries.bom import bom_at  # noqa: PLC0415

    if not design.head:
        return {}
    found = bom_at(design, git.of(design.repository).commit_of(ref) if ref else design.head)
    told: dict[str, str] = {}
    for line in found.lines if found else ():
        if line.material:
            told[(line.path or line.name).strip("./").lower()] = normal(line.material)
    return told


def things(files: "Iterable[tuple[str, Blob]]", told: Mapping[str, str] | None = None) -> list[Part]:
    """The files that are parts, with the thing that each is a format of.

    Files of one name are one thing (`stl/body.stl` and `step/body.step`), and so is a program named after a part
    (`body_0.2mm_PLA.gcode`). All layers of a circuit board are one thing.
    """
    taken = [(path, blob, kind) for path, blob in files if (kind := _format(path, blob))]
    solid = any(kind in SOLID for _path, _blob, kind in taken)
    cuts = any(kind == "dxf" for _path, _blob, kind in taken)
    parts: list[Part] = []
    named: dict[str, list[tuple[str, str]]] = {}
    for path, blob, kind in sorted(taken, key=lambda one: (one[2] == "gcode", one[0])):
        facts: Mapping[str, Any] = blob.facts or {}
        if _is_picture(path, kind, solid=solid, cuts=cuts) or _is_whole(path, kind, taken):
            continue
        part = _part(path, kind, facts, _thing(path, kind, named), told or {})
        parts.append(part if blob.can_be_made else replace(part, sound=False))
        if len(parts) == MOST_PARTS:
            break
    return sorted(parts, key=lambda part: part.path)


def _format(path: str, blob: "Blob") -> str:
    ending = PurePosixPath(path.lower()).suffix.lstrip(".")
    if ending == "kicad_sch":
        return ""
    if blob.format in FORMATS_OF_MACHINES:
        return blob.format
    return ending if ending in ENDINGS else ""


def _is_picture(path: str, kind: str, *, solid: bool, cuts: bool) -> bool:
    if kind not in FLAT:
        return False
    place = PurePosixPath(path.lower())
    if PICTURES & set(place.parts[:-1]) or PICTURE_NAMES.match(place.stem):
        return True
    return kind == "svg" and (solid or cuts) and not CUT.search(path.lower())


def _is_whole(path: str, kind: str, taken: "Iterable[tuple[str, Blob, str]]") -> bool:
    """An assembly beside its parts is not made in one piece."""
    words = set(re.split(r"[^a-z]+", PurePosixPath(path.lower()).stem))
    return kind in SOLID and bool(words & WHOLES) and sum(k in SOLID for _path, _blob, k in taken) > 1


def _thing(path: str, kind: str, named: dict[str, list[tuple[str, str]]]) -> str:
    """The thing of a file: the first file of its name in another format, else itself. `named` is filled."""
    place = PurePosixPath(path.lower())
    if kind in {"gerber", "kicad"}:
        stem = f"{kind}:{place.parent}" if kind == "gerber" else f"board:{place.stem}"
    else:
        stem = place.stem
        if kind == "gcode" and stem not in named:
            stem = max((s for s in named if stem.startswith(s) and stem[len(s) : len(s) + 1] in "_- ."), key=len,
                       default=stem)  # fmt: skip
    known = named.setdefault(stem, [])
    for thing, formats in known:
        if kind == "gerber" or kind not in formats.split():
            known[known.index((thing, formats))] = (thing, f"{formats} {kind}")
            return thing
    known.append((path, kind))
    return path


def _part(path: str, kind: str, facts: Mapping[str, Any], thing: str, told: Mapping[str, str]) -> Part:
    extents = facts.get("extents_mm")
    more = facts.get("more") or {}
    place = PurePosixPath(path.lower())
    material = told.get(path.lower()) or told.get(place.name) or told.get(place.stem) or ""
    return Part(
        path=path,
        format=kind,
        extents_mm=tuple(float(side) for side in extents) if extents else None,
        watertight=facts.get("watertight"),
        thing=thing,
        wall_mm=facts.get("thinnest_wall_mm"),
        overhang=facts.get("overhang_best_share"),
        cut_mm=more.get("cut_mm") if kind in FLAT else None,
        use=str(more.get("use") or ""),
        material=material,
    )
