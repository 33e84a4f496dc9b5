"""Fewer triangles for the eye; facts are always taken from the full mesh."""

import numpy as np

from designs.engine.model import Model, Part

MAX_DRAWN = 200_000


def for_the_eye(model: Model) -> Model:
    """The model with at most `MAX_DRAWN` triangles, by quadric error collapse (fast-simplification)."""
    total = model.triangle_count
    if total <= MAX_DRAWN:
        return model
    keep = MAX_DRAWN / total
    return Model(tuple(_fewer(part, keep) for part in model.parts), model.units, model.warnings)


def _fewer(part: Part, keep: float) -> Part:
    import fast_simplification  # noqa: PLC0415 only for large meshes

    if len(part.triangles) < 400:
        return part
    points, triangles = fast_simplification.simplify(
        part.points.astype(np.float32), part.triangles.astype(np.int32), target_reduction=1.0 - keep
    )
    if not len(triangles):
        return part
    return Part(part.name, np.asarray(points, np.float64), np.asarray(triangles, np.int64))
