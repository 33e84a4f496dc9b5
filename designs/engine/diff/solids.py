"""A model as one solid for manifold3d: parts joined, shells that overlap resolved, and a word when it cannot be one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from designs.engine.facts import edges_of, pieces_of
from designs.engine.model import Model, Part, Points, Triangles
from designs.engine.surface import faces_of

MAX_SHELLS = 64

#: A solid of manifold3d, which ships no types of its own that hold here.
Manifold = Any


class NotSolid(Exception):
    """The model bounds no volume; the argument is "open" or "tangled"."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A solid. `skin` is its whole surface as one part when that is exactly what the file says, else None."""

    body: Manifold
    volume_mm3: float
    skin: Part | None


def joined(model: Model) -> Part:
    """All parts as one."""
    if len(model.parts) == 1:
        return model.parts[0]
    starts = np.cumsum([0, *(len(part.points) for part in model.parts[:-1])])
    triangles = [part.triangles + start for part, start in zip(model.parts, starts, strict=True)]
    return Part("", np.concatenate([part.points for part in model.parts]), np.concatenate(triangles))


def solid(model: Model) -> Solid:
    """The union of all parts as a solid. Raises NotSolid."""
    shells: list[Part] = []
    for part in model.parts:
        even, turned = edges_of(part)
        if not (even and turned):
            raise NotSolid("open")
        shells += _shells(part)
    whole = joined(model)
    if sum(faces_of(shell).volume_mm3 for shell in shells) < 0:
        shells, whole = [_flipped(shell) for shell in shells], _flipped(whole)
    if len(shells) == 1 or not _any_overlap(shells):
        body = _body(whole)
        return Solid(body, float(body.volume()), whole)
    if len(shells) > MAX_SHELLS:
        raise NotSolid("tangled")
    body = _resolved(shells)
    return Solid(body, float(body.volume()), None)


def part_of(body: Manifold, name: str = "") -> Part:
    """A solid's surface."""
    mesh = body.to_mesh64()
    points = np.asarray(mesh.vert_properties, np.float64)[:, :3]
    triangles = np.asarray(mesh.tri_verts, np.int64)
    return Part(name, points, triangles)


def _body(part: Part) -> Manifold:
    """Raises NotSolid: an open mesh gives volume 0 and no exception, so the status is asked."""
    import manifold3d  # noqa: PLC0415 only in the sandbox

    mesh = manifold3d.Mesh64(
        np.ascontiguousarray(part.points, np.float64), np.ascontiguousarray(part.triangles, np.uint64)
    )
    body = manifold3d.Manifold(mesh)
    if body.status() != manifold3d.Error.NoError or body.is_empty():
        raise NotSolid("open")
    return body


def _flipped(part: Part) -> Part:
    return Part(part.name, part.points, part.triangles[:, ::-1].copy())


def _shells(part: Part) -> list[Part]:
    """The pieces of a part that share no point; the part itself when there are more than are told apart."""
    count, label = pieces_of(part)
    if count == 1:
        return [part]
    names = np.unique(label)
    if len(names) > 4 * MAX_SHELLS:
        raise NotSolid("tangled")
    return [_piece(part.points, part.triangles[label == name]) for name in names]


def _piece(points: Points, triangles: Triangles) -> Part:
    used, renumbered = np.unique(triangles, return_inverse=True)
    return Part("", points[used], renumbered.reshape(-1, 3).astype(np.int64))


def _any_overlap(shells: list[Part]) -> bool:
    """Whether the boxes of any two shells meet."""
    low = np.array([shell.points.min(axis=0) for shell in shells])
    high = np.array([shell.points.max(axis=0) for shell in shells])
    meet = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2)
    return int(meet.sum()) > len(shells)


def _resolved(shells: list[Part]) -> Manifold:
    """Material of shells that overlap or nest: from the largest to the smallest, outward ones are put in and inward
    ones (cavities) taken out, so a ball in a hollow in a box comes out as it is."""
    ranked = sorted(((faces_of(shell).volume_mm3, shell) for shell in shells), key=lambda pair: -abs(pair[0]))
    whole: Manifold = None
    for volume, shell in ranked:
        body = _body(shell if volume >= 0 else _flipped(shell))
        whole = body if whole is None else whole + body if volume >= 0 else whole - body
    if whole is None or whole.is_empty():
        raise NotSolid("tangled")
    return whole
