"""What decides whether a thing can be made: size, volume, closedness, parts."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from designs.engine import printing, walls
from designs.engine.model import Model, Part, Points
from designs.engine.surface import faces_of


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a model. mm, mm² and mm³; what needs a closed surface is None where it does not close.

    `thinnest_wall_mm` and a point on that wall, see `walls`. `overhang_share` of the surface hangs as the file is drawn
    with z up, `overhang_best_share` with the side `best_up` (such as "-y") up, see `printing`. `more` are the facts of
    what is no solid: of drawings, programs, boards, scripts, pictures and documents, see `flat` and docs/formats.md.
    """

    units: str
    triangles: int
    watertight: bool
    volume_mm3: float | None
    area_mm2: float
    extents_mm: tuple[float, float, float]
    parts: int
    warnings: tuple[str, ...]
    thinnest_wall_mm: float | None = None
    thinnest_wall_at_mm: tuple[float, float, float] | None = None
    overhang_share: float | None = None
    overhang_best_share: float | None = None
    best_up: str = ""
    largest_flat_mm2: float | None = None
    more: dict[str, Any] | None = None

    def as_json(self) -> dict[str, object]:
        """As the API gives it."""
        return asdict(self)


def edges_of(part: Part) -> tuple[bool, bool]:
    """(every edge joins exactly two triangles, and they run along it in opposite directions)."""
    t = part.triangles
    directed = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    low, high = np.minimum(directed[:, 0], directed[:, 1]), np.maximum(directed[:, 0], directed[:, 1])
    keys = (low * np.int64(len(part.points)) + high) * 2 + (directed[:, 0] < directed[:, 1])
    keys.sort()
    edge = keys >> 1
    starts = np.flatnonzero(np.concatenate([[True], edge[1:] != edge[:-1]]))
    counts = np.diff(np.append(starts, len(keys)))
    forward = np.add.reduceat(keys & 1, starts)
    return bool((counts % 2 == 0).all()), bool((2 * forward == counts).all())


def signed_volume_mm3(part: Part) -> float:
    """Negative where the part is inside out; see `surface.faces_of`."""
    return faces_of(part).volume_mm3


def pieces_of(part: Part) -> "tuple[int, np.typing.NDArray[np.int64]]":
    """How many pieces hang together by shared points, and the piece of each triangle."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 heavy, and only in the sandbox
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    t = part.triangles
    rows, columns = np.concatenate([t[:, 0], t[:, 1]]), np.concatenate([t[:, 1], t[:, 2]])
    n = len(part.points)
    count, labels = connected_components(coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), (n, n)), False)
    return int(count), labels[t[:, 0]].astype(np.int64)


def pieces(model: Model) -> int:
    """Placed parts when the file has several, else the pieces of its one mesh that do not touch."""
    return len(model.parts) if len(model.parts) > 1 else pieces_of(model.parts[0])[0]


def facts(model: Model) -> Facts:
    """All facts of a model, on the full mesh."""
    closed, warnings = True, list(model.warnings)
    faces = [faces_of(part) for part in model.parts]
    for part, own in zip(model.parts, faces, strict=True):
        even, turned = edges_of(part)
        closed &= even and turned
        if even and not turned:
            warnings.append(_named(part, "some of its triangles are turned inside out."))
        elif even and own.volume_mm3 < 0:
            warnings.append(_named(part, "it is turned inside out; slicers usually mend this."))
    if not closed:
        warnings.append("The surface does not close, so its volume is not known.")
    size: Points = np.ptp(model.bounds(), axis=0)
    wall = walls.thinnest(model, faces) if closed else None
    hang = printing.overhang(model, faces) if closed else None
    return Facts(
        units=model.units,
        triangles=model.triangle_count,
        watertight=closed,
        volume_mm3=round(sum(abs(own.volume_mm3) for own in faces), 3) if closed else None,
        area_mm2=round(sum(float(own.areas.sum()) for own in faces), 3),
        extents_mm=(round(float(size[0]), 4), round(float(size[1]), 4), round(float(size[2]), 4)),
        parts=pieces(model),
        warnings=tuple(dict.fromkeys(warnings))[:20],
        thinnest_wall_mm=round(wall.thickness_mm, 3) if wall else None,
        thinnest_wall_at_mm=_rounded(wall.at_mm) if wall else None,
        overhang_share=round(hang.as_drawn, 4) if hang else None,
        overhang_best_share=round(hang.best, 4) if hang else None,
        best_up=hang.best_up if hang else "",
        largest_flat_mm2=round(printing.largest_flat_mm2(model, faces), 3),
    )


def _rounded(point: tuple[float, float, float]) -> tuple[float, float, float]:
    return round(point[0], 3), round(point[1], 3), round(point[2], 3)


def _named(part: Part, what: str) -> str:
    return f"{part.name[:60]}: {what}" if part.name else what[0].upper() + what[1:]
