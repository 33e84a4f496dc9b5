"""Added, removed and common material of two closed solids, exactly.

Triangles that both surfaces have bound the same material on both sides; what differs is bounded by the others. Outside
the boxes around connected groups of the others both solids are equal, because the difference of the two surfaces is a
closed surface inside these boxes and winds around nothing elsewhere. So both solids are cut to the boxes first and only
the cut pieces meet: a new hole in 100,000 triangles costs what a few hundred triangles cost. Where most of the surface
differs, the whole solids meet. The volumes must add up either way, else they are not believed.
"""

import contextlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designs.engine.diff.solids import Manifold, Solid, part_of
from designs.engine.model import Part, Points, Triangles, numbered

MAX_BOXES = 48
MOST_CROPPED = 0.5
#: Of the larger volume; float32 files and the boolean's own rounding stay far below.
TOLERANCE = 2e-6
#: Above this the whole solids do not meet: 2 x 500,000 triangles take about 1 GB.
MAX_WHOLE = 1_000_000

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Material:
    """What a change does to the material: volumes in mm³, and surfaces to draw (`same` may be open where it meets
    another; it is for the eye)."""

    added_mm3: float
    removed_mm3: float
    common_mm3: float
    added: Part
    removed: Part
    same: Part


class DoNotAddUp(Exception):
    """The volumes contradict each other: the shapes cross themselves, or the boolean failed."""


class TooLarge(Exception):
    """Too many triangles differ for the whole solids to meet in memory."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Which triangles of base and head the other has not, and both surfaces over one list of points."""

    points: Points
    base: Triangles
    head: Triangles
    only_base: Mask
    only_head: Mask


def changed(base: Part, head: Part) -> Changed:
    """Triangles are the same when they have the same three corners and the same side outward."""
    number, points = numbered(np.concatenate([base.points, head.points]))
    ours, theirs = number[base.triangles], number[head.triangles + len(base.points)]
    if len(points) >= 1 << 21:
        return Changed(points, ours, theirs, np.ones(len(ours), bool), np.ones(len(theirs), bool))
    a, b = _keys(ours), _keys(theirs)
    return Changed(points, ours, theirs, ~np.isin(a, b), ~np.isin(b, a))


def _keys(triangles: Triangles) -> npt.NDArray[np.int64]:
    """One number for each triangle, the same whichever corner comes first."""
    first = triangles.argmin(axis=1)
    rows = np.arange(len(triangles))
    a, b, c = (triangles[rows, (first + turn) % 3] for turn in range(3))
    keys: npt.NDArray[np.int64] = (a << 42) | (b << 21) | c
    return keys


def compare(base: Solid, head: Solid) -> Material:
    """What differs between two solids. Raises DoNotAddUp, TooLarge."""
    if base.skin is not None and head.skin is not None:
        found = changed(base.skin, head.skin)
        if not (found.only_base.any() or found.only_head.any()):
            return Material(0.0, 0.0, base.volume_mm3, _nothing(), _nothing(), base.skin)
        if max(found.only_base.mean(), found.only_head.mean()) < MOST_CROPPED:
            boxes = _boxes(found)
            if max(_share(base.skin, boxes), _share(head.skin, boxes)) < MOST_CROPPED:
                with contextlib.suppress(DoNotAddUp):  # the whole solids may still agree
                    return _cropped(base, head, boxes, found.only_base)
    if base.body.num_tri() + head.body.num_tri() > MAX_WHOLE:
        raise TooLarge
    common, removed = base.body.split(head.body)
    added = head.body - base.body
    return _checked(base, head, common, removed, added, part_of(common, "same"), float(common.volume()))


def _cropped(base: Solid, head: Solid, boxes: Points, only_base: Mask) -> Material:
    import manifold3d  # noqa: PLC0415 only in the sandbox

    room = manifold3d.Manifold.compose(
        [manifold3d.Manifold.cube((high - low).tolist()).translate(low.tolist()) for low, high in boxes]
    )
    ours, theirs = base.body ^ room, head.body ^ room
    common, removed = ours.split(theirs)
    added = theirs - ours
    inside = float(ours.volume())
    if abs(float(common.volume()) + float(removed.volume()) - inside) > _tolerance(base, head):
        raise DoNotAddUp
    shared = float(common.volume()) + base.volume_mm3 - inside
    assert base.skin is not None  # noqa: S101 asked by the caller
    same = _same(base.skin, only_base, part_of(common), boxes)
    return _checked(base, head, common, removed, added, same, shared)


def _nothing() -> Part:
    return Part("", np.zeros((0, 3)), np.zeros((0, 3), np.int64))


def _tolerance(base: Solid, head: Solid) -> float:
    return TOLERANCE * max(base.volume_mm3, head.volume_mm3)


def _checked(  # noqa: PLR0917 the three pieces of two solids
    base: Solid, head: Solid, common: Manifold, removed: Manifold, added: Manifold, same: Part, common_mm3: float
) -> Material:
    """The pieces as figures, once they add up to both solids."""
    more, less, tolerance = float(added.volume()), float(removed.volume()), _tolerance(base, head)
    faults = (common_mm3 + less - base.volume_mm3, common_mm3 + more - head.volume_mm3)
    if max(map(abs, faults)) > tolerance or min(more, less, common_mm3) < -tolerance:
        raise DoNotAddUp
    dust = 1e-9 * max(base.volume_mm3, head.volume_mm3)
    more, less = (0.0 if value < dust else value for value in (more, less))
    return Material(
        more, less, max(common_mm3, 0.0),
        part_of(added, "added") if more else _nothing(),
        part_of(removed, "removed") if less else _nothing(),
        same,
    )  # fmt: skip


def _boxes(found: Changed) -> Points:
    """(n, 2, 3): boxes around the connected groups of triangles that differ, with a margin, none meeting another."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 only in the sandbox
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    different = np.concatenate([found.base[found.only_base], found.head[found.only_head]])
    used, triangles = np.unique(different, return_inverse=True)
    points, triangles = found.points[used], triangles.reshape(-1, 3)
    rows = np.concatenate([triangles[:, 0], triangles[:, 1]])
    columns = np.concatenate([triangles[:, 1], triangles[:, 2]])
    n = len(points)
    count, label = connected_components(coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), (n, n)), False)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, label, points)
    np.maximum.at(high, label, points)
    margin = 1e-3 * float(np.ptp(found.points, axis=0).max()) + 1e-3
    boxes = np.stack([low - margin, high + margin], axis=1)
    return _apart(boxes) if count <= 4 * MAX_BOXES else _around(boxes)


def _around(boxes: Points) -> Points:
    return np.array([[boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)]])


def _apart(boxes: Points) -> Points:
    """Boxes that meet become one, until none do."""
    left = list(boxes)
    done: list[Points] = []
    while left:
        box = left.pop()
        meets = [i for i, other in enumerate(left) if ((box[0] <= other[1]) & (other[0] <= box[1])).all()]
        if not meets:
            done.append(box)
            continue
        group = np.array([box, *(left[i] for i in meets)])
        left = [other for i, other in enumerate(left) if i not in meets]
        left += done  # the larger box may meet what was apart before
        done = []
        left.append(_around(group)[0])
    return np.array(done) if len(done) <= MAX_BOXES else _around(np.array(done))


def _touching(part: Part, boxes: Points) -> Mask:
    """The triangles whose own box meets one of the boxes."""
    corners = part.points[part.triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    found = np.zeros(len(corners), bool)
    for box in boxes:
        found |= ((low <= box[1]) & (high >= box[0])).all(axis=1)
    return found


def _share(part: Part, boxes: Points) -> float:
    return float(_touching(part, boxes).mean())


def _same(base: Part, only_base: Mask, common: Part, boxes: Points) -> Part:
    """The surface of the common material: every triangle that both have, and inside the boxes what was computed,
    without the walls of the boxes."""
    kept = base.triangles[~only_base]
    on_wall = np.zeros(len(common.triangles), bool)
    if len(common.triangles):
        corners = common.points[common.triangles]
        size = float(np.ptp(base.points, axis=0).max())
        for wall in boxes.reshape(-1, 3):
            flat = np.asarray((np.abs(corners - wall) < 1e-9 * size).all(axis=1))
            on_wall |= np.asarray(flat.any(axis=1))
    points = np.concatenate([base.points, common.points])
    triangles = np.concatenate([kept, common.triangles[~on_wall] + len(base.points)])
    return Part("same", points, triangles)
