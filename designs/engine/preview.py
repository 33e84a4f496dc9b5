"""A file's facts, picture and model, written into a folder: what the sandbox runs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from designs.engine import document, drawing, formats, glb, image, picture, precheck, program
from designs.engine.decimate import for_the_eye
from designs.engine.errors import Unreadable
from designs.engine.facts import Facts, facts, pieces_of
from designs.engine.flat import gerber, kicad
from designs.engine.load import load
from designs.engine.model import Model, Part, weld

MAX_COLOURED = 12
Flat = Callable[[Path, str], tuple[bytes, bytes, Facts]]


def make(source: Path, file_format: str, folder: Path) -> None:
    """Write result.json and, when the file can be drawn, its pictures and its model into the folder."""
    try:
        result = _way(file_format)(source, file_format, folder)
    except Unreadable as reason:
        result = {"status": "failed", "reason": str(reason)}
    except MemoryError:
        result = {"status": "failed", "reason": "Drawing it needs more memory than one file may take."}
    (folder / "result.json").write_text(json.dumps(result))


def _way(file_format: str) -> Callable[[Path, str, Path], dict[str, object]]:
    if file_format in formats.SOLID:
        return _solid
    if file_format in formats.PICTURES:
        return _image
    return _program if file_format == "gcode" else _flat


def _program(source: Path, file_format: str, folder: Path) -> dict[str, object]:
    precheck.check(source, file_format)
    large, small, layers, found = program.draw(source)
    for name, content in (("picture.png", large), ("small.png", small), ("layers.bin", layers)):
        if content:
            (folder / name).write_bytes(content)
    return {"status": "ready", "facts": found.as_json(), "pictured": True}


def _image(source: Path, file_format: str, folder: Path) -> dict[str, object]:
    precheck.check(source, file_format)
    seen, small, large, found = image.draw(source, file_format)
    for name, content in (("picture.webp", seen), ("small.webp", small), ("large.webp", large)):
        if content:
            (folder / name).write_bytes(content)
    return {"status": "ready", "facts": found.as_json(), "pictured": True}


def _solid(source: Path, file_format: str, folder: Path) -> dict[str, object]:
    model = load(source, file_format)
    found = facts(model)
    drawn = for_the_eye(apart(model, found.parts))
    (folder / "model.glb").write_bytes(glb.write(drawn))
    try:
        large, small = picture.draw(drawn)
    except ImportError:  # Embree has no build for this machine; the viewer shows the model
        return {"status": "ready", "facts": found.as_json(), "pictured": False}
    (folder / "picture.png").write_bytes(large)
    (folder / "small.png").write_bytes(small)
    return {"status": "ready", "facts": found.as_json(), "pictured": True}


def _flat(source: Path, file_format: str, folder: Path) -> dict[str, object]:
    if source.is_file():
        precheck.check(source, file_format)
    large, small, found = _FLAT[file_format](source, file_format)
    if large:
        (folder / "picture.png").write_bytes(large)
        (folder / "small.png").write_bytes(small)
    return {"status": "ready", "facts": found.as_json(), "pictured": bool(large)}


def apart(model: Model, count: int) -> Model:
    """One mesh of a few pieces that do not touch, as parts of their own, so that they get colours of their own."""
    if len(model.parts) != 1 or not 1 < count <= MAX_COLOURED:
        return model
    whole = model.parts[0]
    _count, label = pieces_of(whole)
    parts = []
    for piece in np.unique(label):
        points, triangles = weld(whole.points, whole.triangles[label == piece])
        parts.append(Part("", points, triangles))
    return Model(tuple(parts), model.units, model.warnings)


_FLAT: dict[str, Flat] = {
    "svg": drawing.draw, "dxf": drawing.draw, "gerber": gerber.draw_one, "kicad": kicad.draw,
    "pdf": document.draw, "board": gerber.draw_folder,
}  # fmt: skip
