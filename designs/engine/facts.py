"""What decides whether a thing can be made: size, volume, closedness, parts."""

from dataclasses import asdict, dataclass

import numpy as np

from designs.engine.model import Model, Part, Points

MAX_PIECES = 5000


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a model. mm, mm² and mm³; `volume_mm3` is None where the surface does not close."""

    units: str
    triangles: int
    watertight: bool
    volume_mm3: float | None
    area_mm2: float
    extents_mm: tuple[float, float, float]
    parts: int
    warnings: tuple[str, ...]

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
    """Sum of signed tetrahedra over the triangles (divergence theorem), about the middle for precision."""
    a, b, c = np.moveaxis(part.points[part.triangles] - part.points.mean(axis=0), 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def area_mm2(part: Part) -> float:
    """Half the sum of cross products."""
    a, b, c = np.moveaxis(part.points[part.triangles], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0)


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
    closed, volume, warnings = True, 0.0, list(model.warnings)
    for part in model.parts:
        even, turned = edges_of(part)
        signed = signed_volume_mm3(part)
        closed &= even and turned
        volume += abs(signed)
        if even and not turned:
            warnings.append(_named(part, "some of its triangles are turned inside out."))
        elif even and signed < 0:
            warnings.append(_named(part, "it is turned inside out; slicers usually mend this."))
    if not closed:
        warnings.append("The surface does not close, so its volume is not known.")
    size: Points = np.ptp(model.bounds(), axis=0)
    return Facts(
        units=model.units,
        triangles=model.triangle_count,
        watertight=closed,
        volume_mm3=round(volume, 3) if closed else None,
        area_mm2=round(sum(area_mm2(part) for part in model.parts), 3),
        extents_mm=(round(float(size[0]), 4), round(float(size[1]), 4), round(float(size[2]), 4)),
        parts=pieces(model),
        warnings=tuple(dict.fromkeys(warnings))[:20],
    )


def _named(part: Part, what: str) -> str:
    return f"{part.name[:60]}: {what}" if part.name else what[0].upper() + what[1:]
