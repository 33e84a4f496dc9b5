"""Pictures of programs: the path seen from a corner, one layer from above, and all layers from the front."""

from io import BytesIO

import numpy as np
import numpy.typing as npt

from designs.engine.flat import canvas
from designs.engine.flat.canvas import HEIGHT, WIDTH, Canvas
from designs.engine.flat.gcode import WORK, Program, layers

Floats = npt.NDArray[np.float64]
MAX_DRAWN = 120_000
BANDS = 14
LOW, HIGH = np.array([36, 84, 72.0]), np.array([126, 196, 168.0])
THUMBNAIL_PX = 2_000_000


def draw(program: Program) -> tuple[bytes, bytes]:
    """The picture and a small one: of what is laid down or cut; of all moves where nothing is."""
    work = program.moves[:, 6] == WORK
    if not work.any():
        work[:] = True
    a, b, feed = program.starts[work], program.moves[work, :3], program.moves[work, 3]
    high = np.round(b[:, 2], 3)
    if not program.prints or np.ptp(high) < 1e-6:
        return canvas.png(_flat(a, b, (0, 0, WIDTH, HEIGHT)))
    heights = layers(program)
    shown = heights[len(heights) // 2] if heights else float(high.max())
    one = (np.abs(high - shown) < 1e-6) & (feed > 0)
    return canvas.png(
        _solid(a, b, (0, 0, WIDTH * 0.62, HEIGHT)),
        _flat(a[one], b[one], (WIDTH * 0.62, 0, WIDTH, HEIGHT * 0.56)),
        _side(a, b, (WIDTH * 0.62, HEIGHT * 0.56, WIDTH, HEIGHT)),
    )


def _some(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Of very many moves the longest ones: those that the eye sees."""
    if len(a) <= MAX_DRAWN:
        return a, b
    size = np.abs(b - a).sum(axis=1)
    keep = np.sort(np.argpartition(size, -MAX_DRAWN)[-MAX_DRAWN:])
    return a[keep], b[keep]


def _lines(a: Floats, b: Floats) -> list[Floats]:
    """Moves that follow one another as one line each."""
    if not len(a):
        return []
    breaks = np.flatnonzero(np.abs(a[1:] - b[:-1]).max(axis=1) > 1e-6) + 1
    return [
        np.vstack([part_a[:1], part_b]) for part_a, part_b in zip(np.split(a, breaks), np.split(b, breaks), strict=True)
    ]


def _box(points: Floats) -> list[float]:
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def _flat(a: Floats, b: Floats, frame: tuple[float, float, float, float]) -> Canvas:
    a, b = _some(a[:, :2], b[:, :2])
    page = Canvas(_box(np.vstack([a, b])), frame=frame)
    page.stroke(_lines(a, b), canvas.PALETTE[0], px=max(0.5, min(1.6, 0.42 * page.px)))
    return page


def _side(a: Floats, b: Floats, frame: tuple[float, float, float, float]) -> Canvas:
    """From the front: how far each layer reaches."""
    spots = np.vstack([a, b])
    heights, number = np.unique(np.round(np.concatenate([b[:, 2], b[:, 2]]), 3), return_inverse=True)
    low, high = np.full(len(heights), np.inf), np.full(len(heights), -np.inf)
    np.minimum.at(low, number, spots[:, 0])
    np.maximum.at(high, number, spots[:, 0])
    page = Canvas([float(low.min()), 0.0, float(high.max()), max(float(heights.max()), 1e-3)], frame=frame)
    thin = max(1, len(heights) // 400)
    rows = [np.array([[x0, z], [x1, z]]) for x0, x1, z in zip(low, high, heights, strict=True)][::thin]
    page.stroke(
        rows, canvas.PALETTE[0], px=max(0.6, min(3.0, 0.8 * page.px * float(np.ptp(heights)) / max(1, len(heights))))
    )
    return page


def _solid(a: Floats, b: Floats, frame: tuple[float, float, float, float]) -> Canvas:
    """Isometric, low layers first and darker, so that those above hide them."""
    a, b = _some(a, b)
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    turn = np.array([[c, -c, 0], [s, s, 0.9]]).T
    order = np.argsort(np.round(b[:, 2], 3), kind="stable")
    a, b = a[order], b[order]
    page = Canvas(_box(np.vstack([a @ turn, b @ turn])), frame=frame)
    for band, rows in enumerate(np.array_split(np.arange(len(a)), min(BANDS, len(a)))):
        share = band / max(1, BANDS - 1)
        colour = "#" + "".join(f"{round(v):02x}" for v in LOW + (HIGH - LOW) * share)
        page.stroke(_lines(a[rows] @ turn, b[rows] @ turn), colour, px=max(0.6, min(2.2, 0.45 * page.px)))
    return page


def thumbnail(raw: bytes) -> str:
    """What kind of picture the slicer put in, as “PNG 220 x 124”, or nothing when it is none that can be read."""
    from PIL import Image  # noqa: PLC0415

    if not raw:
        return ""
    try:
        with Image.open(BytesIO(raw), formats=("PNG", "JPEG", "QOI")) as opened:
            if opened.width * opened.height > THUMBNAIL_PX:
                return ""
            opened.load()
            return f"{opened.format} {opened.width} × {opened.height}"
    except (OSError, ValueError, SyntaxError, IndexError, EOFError, TypeError, Image.DecompressionBombError):
        return ""
