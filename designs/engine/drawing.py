"""Flat drawings, SVG and DXF: what cutting them means, and a picture."""

import re
from pathlib import Path

import numpy as np

from designs.engine.facts import Facts
from designs.engine.flat import canvas, contours, cutting, dxf, svg
from designs.engine.flat.contours import Line

#: A drawing with more lines than these is a picture rather than a part, and gets no time of a laser.
MAX_CUT_LINES = 50_000
#: What the part is filled with, faintly, so that holes look like holes.
SHEET = canvas.PALETTE[0]


def draw(path: Path, file_format: str) -> tuple[bytes, bytes, Facts]:
    """The picture, a small one, and the facts of a drawing."""
    return _dxf(path) if file_format == "dxf" else _svg(path)


def _dxf(path: Path) -> tuple[bytes, bytes, Facts]:
    lines, unit, warnings = dxf.read(path)
    cut = cutting.cut_of(lines)
    return *_picture(lines, cut), _facts(unit, cut, (cut.box[2] - cut.box[0], cut.box[3] - cut.box[1]), warnings)


def _svg(path: Path) -> tuple[bytes, bytes, Facts]:
    seen, page = svg.read(path)
    warnings = [] if page.unit in svg.REAL else ["The drawing names no unit; 96 dots are read as one inch."]
    if seen.texts:
        warnings.append(f"{seen.texts} texts are not cut; turn them into paths to cut them.")
    if seen.pictures:
        warnings.append(f"{seen.pictures} pictures inside are not cut.")
    large, small = canvas.of_svg(_fitted(path.read_text("utf-8", "replace")))
    if not seen.lines or len(seen.lines) > MAX_CUT_LINES:
        return large, small, _facts(page.unit, None, (page.width_mm, page.height_mm), warnings)
    cut = cutting.cut_of(seen.lines)
    return large, small, _facts(page.unit, cut, (page.width_mm, page.height_mm), warnings)


def _fitted(text: str) -> str:
    """The text without width and height where a viewBox says the same, so that it fills the page."""
    if "viewBox" not in text[:20_000]:
        return text
    for _twice in range(2):
        text = re.sub(r"(<svg\b[^>]*?)\s(?:width|height)\s*=\s*[\"'][^\"']*[\"']", r"\1", text, count=1)
    return text


def _picture(lines: list[Line], cut: cutting.Cut) -> tuple[bytes, bytes]:
    page = canvas.Canvas(cut.box)
    ranks = {name: rank for rank, (name, _lines, _length) in enumerate(cut.layers)}
    by_colour: dict[str, list[np.typing.NDArray[np.float64]]] = {}
    for line in lines:
        colour = canvas.PALETTE[ranks.get(line.layer[:80], 0) % len(canvas.PALETTE)]
        by_colour.setdefault(colour, []).append(line.points)
    page.fill([one.points for one in contours.join(contours.without_repeats(lines)) if one.closed], SHEET, opacity=0.12)
    for colour, group in by_colour.items():
        page.stroke(group, colour, px=1.8)
    return canvas.png(page)


def _facts(unit: str, cut: cutting.Cut | None, size: tuple[float, float], warnings: list[str]) -> Facts:
    area = cut.area_mm2 if cut else 0.0
    said = [*warnings, *(cut.warnings() if cut else [])]
    box = (round(size[0], 3), round(size[1], 3), 0.0)
    more = {"kind": "drawing", **(cut.as_json() if cut else {})}
    if cut:
        more["box_mm"] = [round(cut.box[2] - cut.box[0], 3), round(cut.box[3] - cut.box[1], 3)]
    return Facts(unit, 0, False, None, round(area, 3), box, 1, tuple(said)[:20], more=more)
