"""How thin the walls of a closed model are: rays from points all over its surface straight in to the other side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designs.engine.model import Model, Part, Points
from designs.engine.surface import Faces

#: Points asked over the whole model, spread by area.
SAMPLES = 4096
#: A wall counts when at least this share of the surface is so thin: a sharp edge alone is none.
SHARE = 0.005
#: The far side must look back, within 60 degrees, else it is a corner and no wall.
OPPOSITE = 0.5
MAX_TRIANGLES = 2_000_000
MAX_PARTS = 100
#: Offset of a ray's start, of the longest side: single precision resolves 6e-8 of it.
NUDGE = 1e-5
#: The plastic number's sequence fills a square evenly (Roberts 2018).
STEP_U, STEP_V = 0.7548776662466927, 0.5698402909980532


@dataclass(frozen=True, slots=True)
class Wall:
    """The thinnest wall: `thickness_mm`, and a point `at_mm` on it in the file's own coordinates."""

    thickness_mm: float
    at_mm: tuple[float, float, float]


def thinnest(model: Model, faces: Sequence[Faces]) -> Wall | None:
    """The thickness that only `SHARE` of a closed model's surface is below; None where it is not known.

    `faces` are those of its parts. Rays go along the inward normal, so a wall is measured square to its surface;
    between slanted sides it reads a little more than the nearest distance. A model that is moved or turned is asked at
    the same points.
    """
    if model.triangle_count > MAX_TRIANGLES or len(model.parts) > MAX_PARTS:
        return None
    try:
        import embreex  # noqa: F401, PLC0415 has no build for some machines
    except ImportError:
        return None
    samples = SAMPLES if len(model.parts) == 1 else SAMPLES // 4
    found = [_measured(part, own, samples) for part, own in zip(model.parts, faces, strict=True)]
    walls = [wall for wall in found if wall is not None]
    return min(walls, key=lambda wall: wall.thickness_mm, default=None)


def _measured(part: Part, faces: Faces, samples: int) -> Wall | None:
    from embreex import rtcore_scene  # noqa: PLC0415 only in the sandbox
    from embreex.mesh_construction import TriangleMesh  # noqa: PLC0415

    low = part.points.min(axis=0)
    size = float(np.ptp(part.points, axis=0).max())
    points = (part.points - low) / size
    starts, inwards = _spread(points, part, faces, samples)
    scene = rtcore_scene.EmbreeScene()
    mesh = TriangleMesh(scene, vertices=points.astype(np.float32), indices=part.triangles.astype(np.int32))
    hit = scene.run(
        (starts + NUDGE * inwards).astype(np.float32), inwards.astype(np.float32), query="INTERSECT", output=1
    )
    del mesh
    normal = hit["Ng"] / np.maximum(np.linalg.norm(hit["Ng"], axis=1), 1e-30)[:, None]
    # The surface is wound outwards or inwards as a whole, so a far side looks along the ray either way.
    opposite = np.abs(np.einsum("ij,ij->i", normal, inwards)) >= OPPOSITE
    walls = np.flatnonzero((hit["primID"] >= 0) & opposite)
    place = int(SHARE * len(starts))
    if len(walls) <= place:
        return None
    thickness = (hit["tfar"][walls] + NUDGE) * size
    chosen = np.argsort(thickness, kind="stable")[place]
    at = starts[walls[chosen]] * size + low
    return Wall(float(thickness[chosen]), (float(at[0]), float(at[1]), float(at[2])))


def _spread(points: Points, part: Part, faces: Faces, samples: int) -> tuple[Points, Points]:
    """Points evenly over the surface by area, and the inward direction at each."""
    total, number = np.cumsum(faces.areas), np.arange(samples)
    chosen = np.searchsorted(total, (number + 0.5) / samples * total[-1]).clip(0, len(total) - 1)
    root, v = np.sqrt((0.5 + number * STEP_U) % 1.0)[:, None], ((0.5 + number * STEP_V) % 1.0)[:, None]
    a, b, c = np.moveaxis(points[part.triangles[chosen]], 1, 0)
    return (1 - root) * a + root * (1 - v) * b + root * v * c, -faces.normals[chosen]
