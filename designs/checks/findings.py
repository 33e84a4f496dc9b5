"""From the material of a change to what was found, one finding for each thing that was looked at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PASSED, WARNING, FAILED, WAITING = "passed", "warning", "failed", "waiting"

#: Formats whose content is a shape in space.
SHAPES = frozenset({"stl", "step", "3mf", "obj", "ply", "off", "glb", "gltf"})
#: The format that people change and the ones that are made from it.
SOURCES, MADE = frozenset({"step"}), frozenset({"stl", "3mf", "obj", "ply", "off"})
#: Over this size a file belongs into large file storage.
LARGE_BYTES = 20_000_000
#: Sizes that differ by less are the same: the grain of printers and of tessellation.
SAME_MM = 0.5
SAME_SHARE = 0.01
SAME_WALL_MM = 0.05
NAMED = 3


@dataclass(frozen=True, slots=True)
class Side:
    """A file's content on one side. `preview` is none, pending, ready or failed; `facts` are `engine.facts`."""

    format: str
    size: int
    preview: str
    reason: str = ""
    facts: Mapping[str, Any] | None = None

    @property
    def is_shape(self) -> bool:
        """Whether it is of a format that holds a shape."""
        return self.format in SHAPES and self.preview != "none"

    @property
    def is_solid(self) -> bool:
        """Whether its facts are those of a shape in space."""
        return bool(self.facts and self.facts.get("triangles"))


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that the change touches; the side that is not there is None.

    `compared` is how the two shapes were compared: boolean, sampled, none (the same), pending, failed, or empty.
    """

    path: str
    before: Side | None
    after: Side | None
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """All that the checks look at. `others` are the files of the version that the change leaves alone, by path.

    `licence_forbids` is the refusal in words, empty when the licences agree. `okh` is None where there is no manifest,
    else what is wrong with it.
    """

    files: Sequence[ChangedFile]
    others: Mapping[str, Side] = field(default_factory=dict)
    conflicts: Sequence[str] = ()
    behind: int = 0
    licence: str = ""
    source_licence: str = ""
    licence_forbids: str = ""
    okh: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: `say` and `data` make the sentence (`words.sentence`)."""

    name: str
    state: str
    say: str
    data: dict[str, Any] = field(default_factory=dict)


def find(material: Material) -> list[Finding]:
    """Every finding about the change, in the order in which they are shown; what does not apply is left out."""
    return [finding for look in LOOKS for finding in look(material)]


def _merges(material: Material) -> Iterator[Finding]:
    paths = list(material.conflicts)
    if paths:
        yield Finding("merges", FAILED, "conflict", {"n": len(paths), "paths": paths[:50]})
    elif material.behind:
        yield Finding("merges", PASSED, "merges-behind", {"n": material.behind})
    else:
        yield Finding("merges", PASSED, "merges")


def _drawn(material: Material) -> Iterator[Finding]:
    """Files that could not be drawn: broken, or of a kind that hides something."""
    shown = [file for file in material.files if file.after is not None and file.after.preview != "none"]
    if not shown:
        return
    bad = [file for file in shown if file.after is not None and file.after.preview == "failed"]
    if bad:
        reason = bad[0].after.reason if bad[0].after else ""
        yield Finding("drawn", WARNING, "not-drawn", {**_named(bad), "reason": reason})
    elif any(file.after is not None and file.after.preview == "pending" for file in shown):
        yield Finding("drawn", WAITING, "being-drawn")
    else:
        yield Finding("drawn", PASSED, "drawn", {"n": len(shown)})


def _closed(material: Material) -> Iterator[Finding]:
    """A shape that was closed and no longer is fails; one that never was is only told."""
    shapes = [file for file in material.files if file.after is not None and file.after.is_shape]
    if not shapes:
        return
    if _waiting(shapes):
        yield Finding("closed", WAITING, "being-drawn")
        return
    solid = [file for file in shapes if file.after is not None and file.after.is_solid]
    opened = [file for file in solid if not _is_closed(file.after) and _is_closed(file.before)]
    still = [file for file in solid if not _is_closed(file.after)]
    if opened:
        yield Finding("closed", FAILED, "opened", _named(opened))
    elif still:
        yield Finding("closed", WARNING, "open", _named(still))
    elif solid:
        yield Finding("closed", PASSED, "closed", {"n": len(solid)})


def _volumes(material: Material) -> Iterator[Finding]:
    """What the comparison of shapes found: common and removed material make the old volume, or only samples could be
    compared."""
    pairs = [
        file
        for file in material.files
        if file.before is not None and file.after is not None and file.before.is_shape and file.after.is_shape
    ]
    compared = [file for file in pairs if file.compared]
    if not compared:
        return
    if any(file.compared == "pending" for file in compared):
        yield Finding("volumes", WAITING, "being-compared")
    elif failed := [file for file in compared if file.compared == "failed"]:
        yield Finding("volumes", WARNING, "not-compared", _named(failed))
    elif sampled := [file for file in compared if file.compared == "sampled"]:
        yield Finding("volumes", WARNING, "sampled", _named(sampled))
    else:
        yield Finding("volumes", PASSED, "volumes", {"n": len(compared)})


def _box(material: Material) -> Iterator[Finding]:
    """Whether a machine that held each part before holds it now: no side of any box grew."""
    pairs = [
        file
        for file in material.files
        if file.before is not None and file.after is not None and file.before.is_solid and file.after.is_solid
    ]
    if not pairs:
        return
    grown = [file for file in pairs if _grew(file)]
    if not grown:
        yield Finding("box", PASSED, "box")
        return
    file = max(grown, key=_growth)
    yield Finding(
        "box", WARNING, "grew", {**_named(grown), "before": _box_of(file.before), "after": _box_of(file.after)}
    )


def _walls(material: Material) -> Iterator[Finding]:
    """Whether the thinnest wall got thinner: what is printed or milled may break or not come out."""
    pairs = [(file, _wall(file.before), _wall(file.after)) for file in material.files]
    known = [(file, before, after) for file, before, after in pairs if before is not None and after is not None]
    if not known:
        return
    thinner = [(before - after, file, before, after) for file, before, after in known if after < before - SAME_WALL_MM]
    if not thinner:
        yield Finding("walls", PASSED, "walls")
        return
    _by, file, before, after = max(thinner, key=lambda item: item[0])
    yield Finding("walls", WARNING, "thinner", {**_named([file]), "before": round(before, 2), "after": round(after, 2)})


def _agree(material: Material) -> Iterator[Finding]:
    """A STEP and the mesh of the same name are the same thing, if both were brought up to date."""
    now = dict(material.others) | {file.path: file.after for file in material.files if file.after is not None}
    touched = {file.path for file in material.files if file.after is not None}
    found: list[tuple[str, str, float]] = []
    for path, side in now.items():
        if side.format not in SOURCES:
            continue
        stem = path.rsplit(".", 1)[0]
        for other, mesh in now.items():
            twins = other.rsplit(".", 1)[0] == stem and mesh.format in MADE and {path, other} & touched
            if twins and side.is_solid and mesh.is_solid:
                found.append((path, other, _apart(side, mesh)))
    if not found:
        return
    path, other, apart = max(found, key=lambda pair: pair[2])
    data = {"path": path, "other": other, "mm": round(apart, 2)}
    yield Finding("agree", PASSED if apart <= SAME_MM else WARNING, "agree" if apart <= SAME_MM else "disagree", data)


def _sizes(material: Material) -> Iterator[Finding]:
    there = [file for file in material.files if file.after is not None]
    if not there:
        return
    large = [file for file in there if file.after is not None and file.after.size > LARGE_BYTES]
    total = sum(file.after.size for file in there if file.after is not None)
    if large:
        most = max(file.after.size for file in large if file.after is not None)
        yield Finding("sizes", WARNING, "large", {**_named(large), "bytes": most})
    else:
        yield Finding("sizes", PASSED, "sizes", {"bytes": total})


def _licence(material: Material) -> Iterator[Finding]:
    if material.licence_forbids:
        yield Finding("licence", FAILED, "licence-forbids", {"why": material.licence_forbids})
    elif material.source_licence and material.source_licence != material.licence:
        yield Finding("licence", PASSED, "licences-fit", {"theirs": material.source_licence, "ours": material.licence})
    else:
        yield Finding("licence", PASSED, "licence", {"ours": material.licence})


def _okh(material: Material) -> Iterator[Finding]:
    if material.okh is None:
        return
    if material.okh:
        yield Finding("okh", WARNING, "okh-faults", {"n": len(material.okh), "first": material.okh[0][:200]})
    else:
        yield Finding("okh", PASSED, "okh")


LOOKS: tuple[Callable[[Material], Iterator[Finding]], ...] = (
    _merges, _closed, _volumes, _box, _walls, _agree, _drawn, _sizes, _licence, _okh,
)  # fmt: skip


def _named(files: Sequence[ChangedFile]) -> dict[str, Any]:
    return {"n": len(files), "paths": [file.path for file in files[:NAMED]]}


def _waiting(files: Sequence[ChangedFile]) -> bool:
    return any(side is not None and side.preview == "pending" for file in files for side in (file.before, file.after))


def _is_closed(side: Side | None) -> bool:
    return bool(side and side.facts and side.facts.get("watertight"))


def _box_of(side: Side | None) -> list[float]:
    """The sides of the box, longest first, in mm."""
    extents = (side.facts or {}).get("extents_mm", []) if side else []
    return sorted((round(float(x), 1) for x in extents), reverse=True)


def _wall(side: Side | None) -> float | None:
    value = (side.facts or {}).get("thinnest_wall_mm") if side else None
    return None if value is None else float(value)


def _grew(file: ChangedFile) -> bool:
    return any(now > then + SAME_MM for then, now in zip(_box_of(file.before), _box_of(file.after), strict=False))


def _growth(file: ChangedFile) -> float:
    pairs = zip(_box_of(file.before), _box_of(file.after), strict=False)
    return max((now - then for then, now in pairs), default=0.0)


def _apart(one: Side, other: Side) -> float:
    """How far two shapes are from being the same, in mm: by their boxes, or by the edge of a cube of the volume that
    one has more."""
    sides = max((abs(a - b) for a, b in zip(_box_of(one), _box_of(other), strict=False)), default=0.0)
    volumes = [float((side.facts or {}).get("volume_mm3") or 0.0) for side in (one, other)]
    if min(volumes) <= 0 or abs(volumes[0] - volumes[1]) <= SAME_SHARE * max(volumes):
        return sides
    return max(sides, float(abs(volumes[0] - volumes[1]) ** (1 / 3)))
