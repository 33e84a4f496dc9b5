"""What a printer that lays flat layers asks of a shape: faces that hang, the best side down, the largest flat face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designs.engine.model import Model, Part
from designs.engine.surface import Faces

#: A face that leans out more than this from the upright needs support below it. 45 degrees itself does not.
STEEP_DEG = 45.0
TOLERANCE_DEG = 0.05
#: What lies this close to the lowest point, of the longest side, lies on the bed.
BED = 1e-4
#: Directions that may point up, as drawn first.
UPS = ("+z", "-z", "+x", "-x", "+y", "-y")
FLAT_DEG, FLAT_OFFSET, FLAT_CANDIDATES = 0.5, 1e-4, 12


@dataclass(frozen=True, slots=True)
class Overhang:
    """Shares of the surface (0 to 1) that hang: as drawn with z up, and at best with the side `best_up` up."""

    as_drawn: float
    best: float
    best_up: str


def overhang(model: Model, faces: Sequence[Faces]) -> Overhang:
    """Faces steeper than 45 degrees that do not lie on the bed; each part stands by itself."""
    hanging, total = np.zeros(len(UPS)), 0.0
    for part, own in zip(model.parts, faces, strict=True):
        hanging += _hanging(part, own)
        total += float(own.areas.sum())
    share = hanging / max(total, 1e-300)
    # As drawn wins where nothing is better by more than a thousandth: nobody turns a part for that.
    best = 0 if share[0] <= share.min() + 1e-3 else int(share.argmin())
    return Overhang(float(share[0]), float(share[best]), UPS[best])


def _hanging(part: Part, faces: Faces) -> npt.NDArray[np.float64]:
    """The area in mm² that hangs for each direction of `UPS`."""
    limit = np.sin(np.radians(STEEP_DEG + TOLERANCE_DEG))
    near = BED * float(np.ptp(part.points, axis=0).max())
    found = []
    for up in UPS:
        axis, sign = "xyz".index(up[1]), 1.0 if up[0] == "+" else -1.0
        down = -sign * faces.normals[:, axis]
        height = sign * part.points[:, axis]
        on_bed = (height <= height.min() + near)[part.triangles].all(axis=1)
        found.append(float(faces.areas[(down > limit) & ~on_bed].sum()))
    return np.array(found)


def largest_flat_mm2(model: Model, faces: Sequence[Faces]) -> float:
    """The largest area in mm² that lies in one plane and looks one way: the side to lay on the bed."""
    return max(_flat(part, own) for part, own in zip(model.parts, faces, strict=True))


def _flat(part: Part, faces: Faces) -> float:
    """Triangles are put into coarse bins of plane; the fullest bins propose planes, and each is then summed exactly."""
    normals, areas = faces.normals, faces.areas
    size = float(np.ptp(part.points, axis=0).max())
    middles = part.points[part.triangles].mean(axis=1) - part.points.mean(axis=0)
    offsets = np.einsum("ij,ij->i", middles, normals)
    bins = np.concatenate([np.round(normals * 50), np.round(offsets / size * 2000)[:, None]], axis=1).astype(np.int64)
    keys = ((bins[:, 0] * 128 + bins[:, 1]) * 128 + bins[:, 2]) * 8192 + bins[:, 3]
    _keys, inverse = np.unique(keys, return_inverse=True)
    weight = np.bincount(inverse, weights=areas)
    best = 0.0
    for candidate in np.argsort(-weight, kind="stable")[:FLAT_CANDIDATES]:
        if weight[candidate] <= 0 or weight[candidate] * 8 < best:
            break
        members = inverse == candidate
        normal = (normals[members] * areas[members, None]).sum(axis=0)
        normal /= max(float(np.linalg.norm(normal)), 1e-300)
        offset = float(offsets[members] @ areas[members]) / float(weight[candidate])
        flat = (normals @ normal > np.cos(np.radians(FLAT_DEG))) & (
            np.abs(middles @ normal - offset) < FLAT_OFFSET * size
        )
        best = max(best, float(areas[flat].sum()))
    return best
