"""A difference for the eye: layers in the colours of change, as one GLB and as a picture.

Every layer is a part named by what it is: same, added, removed; or before-0 … and after-0 …, a surface cut into bands
by how far it is from the other. So one file serves every way to look: before is same and removed, after is same and
added.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from designs.engine import glb, picture
from designs.engine.decimate import MAX_DRAWN, for_the_eye
from designs.engine.diff.booleans import Material
from designs.engine.diff.sampled import Surface
from designs.engine.model import Model, Part, Points, weld

SAME, ADDED, REMOVED = "#929b96", "#1c63b8", "#b04a0c"
#: From untouched to farthest: grey into blue for the head, into orange for the base.
AFTER = (SAME, "#84a3c2", "#6095c9", "#3d7cc0", ADDED)
BEFORE = (SAME, "#c2a58f", "#c78d62", "#bd6c38", REMOVED)
#: Ends of the bands as shares of the largest distance; the first holds what lies within sampling error.
BANDS = (0.02, 0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Layer:
    """A named surface with its sRGB colour; `pictured` says whether the picture shows it."""

    part: Part
    colour: str
    pictured: bool = True


def of_material(found: Material) -> list[Layer]:
    """Common, added and removed material."""
    layers = [Layer(found.same, SAME), Layer(found.added, ADDED), Layer(found.removed, REMOVED)]
    return [layer for layer in layers if len(layer.part.triangles)]


def of_surfaces(base: Part, head: Part, largest_mm: float) -> list[Layer]:
    """Both surfaces in bands of distance from each other; the picture shows the head, and of the base what is far."""
    base, head = _lighter(base), _lighter(head)
    after = _banded(head, Surface(base), largest_mm, "after", AFTER)
    before = _banded(base, Surface(head), largest_mm, "before", BEFORE)
    return after + [Layer(layer.part, layer.colour, layer.part.name != "before-0") for layer in before]


def _lighter(part: Part) -> Part:
    return for_the_eye(Model((part,), "mm")).parts[0]


def _banded(part: Part, other: Surface, largest_mm: float, name: str, colours: tuple[str, ...]) -> list[Layer]:
    far = other.distances(part.points)
    band = np.searchsorted(np.array(BANDS) * max(largest_mm, 1e-9), far[part.triangles].max(axis=1))
    layers = []
    for rank, colour in enumerate(colours):
        chosen = part.triangles[band == rank]
        if len(chosen):
            layers.append(Layer(Part(f"{name}-{rank}", *weld(part.points, chosen)), colour))
    return layers


def drawn(layers: list[Layer]) -> tuple[bytes, list[Layer]]:
    """The GLB of all layers, and the layers with as many triangles as are drawn."""
    whole = Model(tuple(layer.part for layer in layers), "mm")
    if whole.triangle_count > MAX_DRAWN:
        whole = for_the_eye(whole)
    fewer = [Layer(part, layer.colour, layer.pictured) for part, layer in zip(whole.parts, layers, strict=True)]
    names, colours = [layer.part.name for layer in fewer], [layer.colour for layer in fewer]
    return glb.write(whole, names=names, colours=colours), fewer


def pictured(layers: list[Layer]) -> tuple[bytes, bytes]:
    """The picture and a small one."""
    shown = [layer for layer in layers if layer.pictured]
    return picture.draw(Model(tuple(layer.part for layer in shown), "mm"), colours=[layer.colour for layer in shown])


def kept(layers: list[Layer]) -> bytes:
    """What the picture shows, as an .npz."""
    shown = [layer for layer in layers if layer.pictured]
    arrays: dict[str, Any] = {}
    for number, layer in enumerate(shown):
        arrays[f"points_{number}"] = layer.part.points.astype(np.float32)
        arrays[f"triangles_{number}"] = layer.part.triangles.astype(np.uint32)
    out = BytesIO()
    np.savez(out, colours=np.array([layer.colour for layer in shown]), **arrays)
    return out.getvalue()


def read(path: Path) -> list[Layer]:
    """What `kept` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return [
            Layer(
                Part("", arrays[f"points_{number}"].astype(np.float64), arrays[f"triangles_{number}"].astype(np.int64)),
                str(colour),
            )
            for number, colour in enumerate(arrays["colours"])
        ]


def box_of(*parts: Part) -> Points:
    """(2, 3): lowest and highest corner in mm of all that has points."""
    boxes = [(part.points.min(axis=0), part.points.max(axis=0)) for part in parts if len(part.triangles)]
    return np.array([np.min([low for low, _ in boxes], axis=0), np.max([high for _, high in boxes], axis=0)])
