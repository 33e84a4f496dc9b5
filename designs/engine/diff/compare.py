"""Two versions of a file compared, written into a folder: what the sandbox runs.

`folder/result.json` says the method: "boolean" where both are solids and the volumes add up, "sampled" otherwise, with
why; "drawing" for flat ones. "none" only when both files hold the very same geometry.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from designs.engine import formats
from designs.engine.diff import booleans, drawings, sampled, stage
from designs.engine.diff.solids import NotSolid, Solid, joined, solid
from designs.engine.errors import Unreadable
from designs.engine.facts import edges_of, pieces
from designs.engine.load import load
from designs.engine.model import Model, Part
from designs.engine.surface import faces_of

#: Where volumes are exact the distance is an aside, so fewer points are spread for it.
FEWER_SAMPLES = 15_000


def make(source: Path, format_pair: str, folder: Path) -> None:
    """Compare source/base with source/head, whose formats are "base/head"; write result.json, and for solids model.glb
    and layers.npz for `make_picture`, for drawings picture.png and small.png."""
    base_format, _slash, head_format = format_pair.partition("/")
    try:
        if base_format in formats.SOLID and head_format in formats.SOLID:
            base = _read(source / "base", base_format, "base")
            result = _solids(base, _read(source / "head", head_format, "head"), folder)
        else:
            result = drawings.compare(source, base_format, head_format, folder)
    except Unreadable as reason:
        result = {"status": "failed", "reason": str(reason)}
    except MemoryError:
        result = {"status": "failed", "reason": "Comparing them needs more memory than two files may take."}
    (folder / "result.json").write_text(json.dumps(result))


def _read(path: Path, file_format: str, side: str) -> Model:
    try:
        return load(path, file_format)
    except Unreadable as reason:
        before = "before" if side == "base" else "after"
        raise Unreadable(f"The file {before} the change: {reason}") from None


def _solids(base: Model, head: Model, folder: Path) -> dict[str, Any]:
    figures, layers = measured(base, head)
    model, layers = stage.drawn(layers)
    (folder / "model.glb").write_bytes(model)
    (folder / "layers.npz").write_bytes(stage.kept(layers))
    return figures


def make_picture(source: Path, folder: Path) -> None:
    """Draw the layers that `make` left; write result.json, picture.png and small.png. Casting rays costs more than
    comparing, so figures and model need not wait for it."""
    try:
        large, small = stage.pictured(stage.read(source))
    except ImportError:  # Embree has no build for this machine; the viewer shows the model
        result = {"status": "failed", "reason": "no-ray-caster"}
    else:
        (folder / "picture.png").write_bytes(large)
        (folder / "small.png").write_bytes(small)
        result = {"status": "ready"}
    (folder / "result.json").write_text(json.dumps(result))


def measured(base: Model, head: Model) -> tuple[dict[str, Any], list[stage.Layer]]:
    """The figures of a difference and its layers; exact where both bound a volume, sampled where not."""
    why, bodies = _bodies(base, head)
    first, second = joined(base), joined(head)
    common = {"status": "ready", "before": _brief(base), "after": _brief(head), "why": why}
    if bodies is not None:
        try:
            found = booleans.compare(*bodies)
        except booleans.DoNotAddUp:
            common["why"] = ["does-not-add-up"]
        except booleans.TooLarge:
            common["why"] = ["too-large"]
        else:
            return common | _exact(found, first, second), stage.of_material(found)
    return _apart(common, first, second)


def _bodies(base: Model, head: Model) -> tuple[list[str], tuple[Solid, Solid] | None]:
    why, bodies = [], []
    for side, model in (("before", base), ("after", head)):
        try:
            bodies.append(solid(model))
        except NotSolid as reason:
            why.append(f"{reason}-{side}")
    return why, (bodies[0], bodies[1]) if len(bodies) == 2 else None


def _exact(found: booleans.Material, base: Part, head: Part) -> dict[str, Any]:
    moved = found.added_mm3 > 0 or found.removed_mm3 > 0
    far = sampled.deviation(base, head, samples=FEWER_SAMPLES).max_mm if moved else 0.0
    changes = [part for part in (found.added, found.removed) if len(part.triangles)]
    return {
        "method": "boolean",
        "added_mm3": round(found.added_mm3, 4),
        "removed_mm3": round(found.removed_mm3, 4),
        "common_mm3": round(found.common_mm3, 4),
        "max_deviation_mm": round(far, 5),
        "mean_deviation_mm": None,
        "where_mm": np.round(stage.box_of(*changes), 3).tolist() if changes else None,
    }


def _apart(common: dict[str, Any], base: Part, head: Part) -> tuple[dict[str, Any], list[stage.Layer]]:
    far = sampled.deviation(base, head)
    figures = {
        "method": "sampled",
        "added_mm3": None,
        "removed_mm3": None,
        "common_mm3": None,
        "max_deviation_mm": round(far.max_mm, 5),
        "mean_deviation_mm": round(far.mean_mm, 5),
        "where_mm": None,
    }
    return common | figures, stage.of_surfaces(base, head, far.max_mm)


def _brief(model: Model) -> dict[str, Any]:
    """What a maker compares: size, volume, area, triangles, parts. What costs more stands in the facts of each file."""
    faces = [faces_of(part) for part in model.parts]
    closed = all(all(edges_of(part)) for part in model.parts)
    return {
        "extents_mm": np.round(np.ptp(model.bounds(), axis=0), 4).tolist(),
        "volume_mm3": round(sum(abs(own.volume_mm3) for own in faces), 3) if closed else None,
        "area_mm2": round(sum(float(own.areas.sum()) for own in faces), 3),
        "triangles": model.triangle_count,
        "parts": pieces(model),
        "watertight": closed,
    }
