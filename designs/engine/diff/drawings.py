"""Two flat drawings over each other at one scale: lines of both in grey, new ones blue, gone ones orange."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from designs.engine import formats, precheck
from designs.engine.errors import Unreadable
from designs.engine.flat import svg

WIDTH, HEIGHT = 1280, 960
SMALL = (320, 240)
MARGIN = 0.04
SAME, ADDED, REMOVED = (0x6C, 0x78, 0x73), (0x1C, 0x63, 0xB8), (0xB0, 0x4A, 0x0C)
STROKE_PX = 2.4
SAG_MM = 0.02
MAX_LINES = 200_000
#: Ends nearer than this are one: DXF writes sixteen digits, programs keep fewer.
GRID_MM = 1e-3

Polyline = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]


def compare(source: Path, base_format: str, head_format: str, folder: Path) -> dict[str, Any]:
    """The overlay of source/base and source/head. Raises Unreadable."""
    if {base_format, head_format} - set(formats.DRAWINGS.values()):
        raise Unreadable("A drawing and a solid cannot be compared.")
    for name, file_format in (("base", base_format), ("head", head_format)):
        precheck.check(source / name, file_format)
    if base_format == head_format == "dxf":
        figures, pages = _lines(source)
    else:
        figures, pages = _pages(source, base_format, head_format)
    _write(pages, folder)
    return {"status": "ready", "method": "drawing", "why": []} | figures


def _lines(source: Path) -> tuple[dict[str, Any], list[npt.NDArray[np.float64]]]:
    """DXF: lengths of line that only one has, in mm, and both as masks in one frame."""
    base, head = dxf_lines(source / "base"), dxf_lines(source / "head")
    gone, new, kept = line_lengths(base, head)
    low = np.min([line.min(axis=0) for line in base + head], axis=0)
    high = np.max([line.max(axis=0) for line in base + head], axis=0)
    frame = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    masks = [_mask(_svg(lines, frame), frame) for lines in (base, head)]
    figures = {
        "before": {"extents_mm": _extents(base)}, "after": {"extents_mm": _extents(head)},
        "lines_added_mm": round(new, 3), "lines_removed_mm": round(gone, 3), "lines_same_mm": round(kept, 3),
    }  # fmt: skip
    return figures, masks


def dxf_lines(path: Path) -> list[Polyline]:
    """Every curve of a DXF as a polyline (n, 2) in mm, bent ones within SAG_MM. Raises Unreadable."""
    from ezdxf import disassemble, recover  # noqa: PLC0415 a second to import, only for drawings
    from ezdxf.lldxf.const import DXFError  # noqa: PLC0415

    try:
        document, _auditor = recover.readfile(path)
    except (OSError, DXFError, ValueError, IndexError):
        raise Unreadable("The file cannot be read as DXF.") from None
    scale = {1: 25.4, 5: 10.0, 6: 1000.0}.get(document.header.get("$INSUNITS", 0), 1.0)
    found: list[Polyline] = []
    for piece in disassemble.to_primitives(disassemble.recursive_decompose(document.modelspace())):
        if piece.path is None or not len(piece.path):
            continue
        line = np.array([(p.x, p.y) for p in piece.path.flattening(SAG_MM / scale)], np.float64) * scale
        if len(line) > 1 and np.isfinite(line).all():
            found.append(line)
        if len(found) > MAX_LINES:
            raise Unreadable(f"The drawing has more than {MAX_LINES} lines.")
    if not found:
        raise Unreadable("The drawing is empty.")
    return found


def line_lengths(base: list[Polyline], head: list[Polyline]) -> tuple[float, float, float]:
    """mm of line that only the base has, that only the head has, and that both have; straight pieces are told apart
    by their rounded ends, whichever comes first."""
    a, b = _pieces(base), _pieces(head)
    gone = sum(length for key, length in a.items() if key not in b)
    new = sum(length for key, length in b.items() if key not in a)
    return gone, new, sum(length for key, length in a.items() if key in b)


def _pieces(lines: list[Polyline]) -> dict[tuple[int, ...], float]:
    pieces: dict[tuple[int, ...], float] = {}
    for line in lines:
        grid = np.round(line / GRID_MM).astype(np.int64)
        lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
        for start, end, length in zip(grid[:-1].tolist(), grid[1:].tolist(), lengths.tolist(), strict=True):
            if start != end:
                first, last = sorted((start, end))
                pieces[*first, *last] = length
    return pieces


def _extents(lines: list[Polyline]) -> list[float]:
    points = np.concatenate(lines)
    return [*np.round(np.ptp(points, axis=0), 3).tolist(), 0.0]


def _svg(lines: list[Polyline], frame: Box) -> str:
    """Lines as SVG with y up turned to y down, in the frame's millimetres."""
    stroke = STROKE_PX / _scale(frame)
    paths = "".join(
        "M" + "L".join(f"{x - frame[0]:.4f} {frame[3] - y:.4f}" for x, y in line.tolist()) for line in lines
    )
    width, height = max(frame[2] - frame[0], stroke), max(frame[3] - frame[1], stroke)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.4f} {height:.4f}">'
        f'<path d="{paths}" fill="none" stroke="#000" stroke-width="{stroke:.5f}" stroke-linecap="round"/></svg>'
    )


def _scale(frame: Box) -> float:
    """Pixels for a millimetre."""
    room = 1 - 2 * MARGIN
    wide, high = max(frame[2] - frame[0], 1e-6), max(frame[3] - frame[1], 1e-6)
    return min(WIDTH * room / wide, HEIGHT * room / high)


def _pages(source: Path, base_format: str, head_format: str) -> tuple[dict[str, Any], list[npt.NDArray[np.float64]]]:
    """SVG: both pages from the same corner at the same scale."""
    texts, sizes = [], []
    for name, file_format in (("base", base_format), ("head", head_format)):
        if file_format == "dxf":
            lines = dxf_lines(source / name)
            low, high = np.min(np.concatenate(lines), axis=0), np.max(np.concatenate(lines), axis=0)
            box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            texts.append(_svg(lines, box))
            sizes.append((box[2] - box[0], box[3] - box[1]))
        else:
            text = (source / name).read_text("utf-8", "replace")
            texts.append(text)
            page = svg.page_of(svg.root_of(text.encode()))
            sizes.append((page.width_mm, page.height_mm))
    frame = (0.0, 0.0, max(w for w, _h in sizes), max(h for _w, h in sizes))
    masks = [_mask(text, (0.0, 0.0, *size), frame) for text, size in zip(texts, sizes, strict=True)]
    briefs = [{"extents_mm": [round(w, 3), round(h, 3), 0.0]} for w, h in sizes]
    return {"before": briefs[0], "after": briefs[1]}, masks


def _mask(svg: str, own: Box, frame: Box | None = None) -> npt.NDArray[np.float64]:
    """How much of each pixel the drawing covers, 0 to 1, in the frame (its own by default)."""
    import resvg_py  # noqa: PLC0415 only for drawings
    from PIL import Image  # noqa: PLC0415

    frame = frame or own
    scale = _scale(frame)
    width, height = (max(1, round((own[i + 2] - own[i]) * scale)) for i in (0, 1))
    bare = svg
    for _side in range(2):
        bare = re.sub(r"(<svg\b[^>]*?)\s(?:width|height)\s*=\s*[\"'][^\"']*[\"']", r"\1", bare, count=1)
    try:
        raw = bytes(resvg_py.svg_to_bytes(svg_string=bare if "viewBox" in bare[:4000] else svg, width=width, dpi=96))
        page = Image.open(BytesIO(raw)).convert("RGBA")
    except (ValueError, OSError) as error:
        raise Unreadable(f"The drawing cannot be drawn: {str(error)[:100]}.") from None
    pixels = np.asarray(page.resize((width, height)), np.float64) / 255
    # White paper counts as nothing drawn.
    ink = pixels[..., 3] * (1 - 0.92 * (pixels[..., :3].min(axis=2) > 0.97))
    stage = np.zeros((HEIGHT, WIDTH))
    left = round((WIDTH - (frame[2] - frame[0]) * scale) / 2)
    top = round((HEIGHT - (frame[3] - frame[1]) * scale) / 2)
    stage[top : top + height, left : left + width] = ink[: HEIGHT - top, : WIDTH - left]
    return stage


def _write(masks: list[npt.NDArray[np.float64]], folder: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    both = np.minimum(*masks)
    rgba = np.zeros((HEIGHT, WIDTH, 4))
    for cover, colour in ((both, SAME), (masks[0] - both, REMOVED), (masks[1] - both, ADDED)):
        rgba[..., :3] += cover[..., None] * np.array(colour)
        rgba[..., 3] += cover
    rgba[..., :3] /= np.maximum(rgba[..., 3:], 1e-9)
    rgba[..., 3] = np.clip(rgba[..., 3], 0, 1) * 255
    page = Image.fromarray(np.round(rgba).astype(np.uint8), "RGBA")
    page.save(folder / "picture.png", "PNG", optimize=True)
    page.resize(SMALL, Image.Resampling.LANCZOS).save(folder / "small.png", "PNG", optimize=True)
