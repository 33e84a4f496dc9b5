"""KiCad's own files, boards (.kicad_pcb, versions 4 to 9) and schematics (.kicad_sch), read by our own reader."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from designs.engine.errors import Unreadable
from designs.engine.facts import Facts
from designs.engine.flat import canvas, contours, sexpr
from designs.engine.flat.canvas import HEIGHT, WIDTH, Canvas
from designs.engine.flat.contours import Line
from designs.engine.flat.sexpr import Node, each, first, numbers, word

Points = npt.NDArray[np.float64]
MAX_BYTES = 48 * 1024 * 1024
MAX_SHAPES = 300_000
MAX_PARTS = 400
BOARD, TRACK, PAD, SILK, HOLE = "#2b6650", "#4c9a7c", "#c9a24b", "#f4f2ea", "#20282c"
SIDES = {"top": "F", "bottom": "B"}


@dataclass(slots=True)
class Pad:
    """A pad where it is on the board: its ring of points (mm), the sides it is on, its hole (mm, 0 for none)."""

    ring: Points
    sides: frozenset[str]
    at: Points
    drill_mm: float


@dataclass(slots=True)
class Board:
    """What a board file holds, in mm with y down as KiCad has it."""

    edge: list[Line] = field(default_factory=list)
    tracks: dict[str, list[tuple[Points, float]]] = field(default_factory=dict)
    silk: dict[str, list[Points]] = field(default_factory=dict)
    zones: dict[str, list[Points]] = field(default_factory=dict)
    pads: list[Pad] = field(default_factory=list)
    drills: list[tuple[Points, float]] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    copper: list[str] = field(default_factory=list)
    vias: int = 0
    nets: int = 0
    footprints: int = 0
    thickness_mm: float | None = None
    made_by: str = ""
    shapes: int = 0


def draw(path: Path, _format: str = "kicad") -> tuple[bytes, bytes, Facts]:
    """The picture, a small one and the facts of a board; of a schematic the facts alone. Raises Unreadable."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    node = sexpr.read(path.read_bytes().decode("utf-8", "replace"))
    kind = word(node, 0)
    if kind == "kicad_sch":
        return b"", b"", _schematic(node)
    if kind != "kicad_pcb":
        raise Unreadable("The file is neither a board nor a schematic of KiCad 4 or newer.")
    board = read(node)
    return *_picture(board), _facts(board)


def read(node: Node) -> Board:
    """A board from its file's lists."""
    board = Board()
    board.made_by = " ".join(["KiCad", word(first(node, "generator_version")) or word(first(node, "version"))]).strip()
    board.thickness_mm = next(iter(numbers(first(first(node, "general"), "thickness"))), None)
    board.copper = [word(one) for one in first(node, "layers") if isinstance(one, list) and word(one).endswith(".Cu")]
    named = [word(one, 2) or word(one) for one in each(node, "net")]
    board.nets = sum(bool(name) and name != "0" for name in named)
    for one in node:
        if not isinstance(one, list) or not one:
            continue
        board.shapes += 1
        if one[0] in {"segment", "arc"}:
            _track(board, one)
        elif one[0] == "via":
            _via(board, one)
        elif one[0] in {"footprint", "module"}:
            _footprint(board, one)
        elif one[0] == "zone":
            _zone(board, one)
        elif str(one[0]).startswith("gr_"):
            _graphic(board, one, np.zeros(2), 0.0)
        if board.shapes > MAX_SHAPES:
            raise Unreadable(f"The board has more than {MAX_SHAPES} shapes.")
    return board


def _spot(node: Node, name: str) -> Points:
    n = numbers(first(node, name))
    return np.array(n[:2] if len(n) >= 2 else [0.0, 0.0])


def _placed(points: Points, at: Points, angle: float) -> Points:
    """Points of a footprint where it stands; KiCad turns counter-clockwise on a page whose y runs down."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    found: Points = np.asarray(points) @ np.array([[c, s], [-s, c]]).T + at
    return found


def _track(board: Board, one: Node) -> None:
    width = next(iter(numbers(first(one, "width"))), 0.2)
    if one[0] == "arc":
        points = _through(_spot(one, "start"), _spot(one, "mid"), _spot(one, "end"))
    else:
        points = np.array([_spot(one, "start"), _spot(one, "end")])
    board.tracks.setdefault(word(first(one, "layer")), []).append((points, width))


def _via(board: Board, one: Node) -> None:
    board.vias += 1
    at, size = _spot(one, "at"), next(iter(numbers(first(one, "size"))), 0.6)
    drill = next(iter(numbers(first(one, "drill"))), size / 2)
    board.pads.append(Pad(_round(at, size, size), frozenset({"top", "bottom"}), at, drill))


def _zone(board: Board, one: Node) -> None:
    for filled in each(one, "filled_polygon"):
        layer = word(first(filled, "layer")) or word(first(one, "layer"))
        points = [numbers(xy) for xy in each(first(filled, "pts"), "xy")]
        board.shapes += len(points) // 50
        if len(points) > 2:
            board.zones.setdefault(layer, []).append(np.array([p[:2] for p in points if len(p) >= 2]))


def _footprint(board: Board, one: Node) -> None:
    place = numbers(first(one, "at"))
    at = np.array(place[:2] if len(place) >= 2 else [0.0, 0.0])
    angle = place[2] if len(place) > 2 else 0.0
    board.footprints += 1
    told = {word(p).lower(): word(p, 2) for p in each(one, "property", "fp_text")}
    board.parts.append((told.get("value", ""), word(one).rsplit(":", 1)[-1], told.get("reference", "")))
    for inner in one:
        if not isinstance(inner, list) or not inner:
            continue
        board.shapes += 1
        if inner[0] == "pad":
            _pad(board, inner, at, angle)
        elif str(inner[0]).startswith("fp_"):
            _graphic(board, inner, at, angle)


def _pad(board: Board, one: Node, at: Points, angle: float) -> None:
    place, size = numbers(first(one, "at")), numbers(first(one, "size"))
    if len(place) < 2 or len(size) < 2:
        return
    middle = _placed(np.array([place[:2]]), at, angle)[0]
    layers = [str(name) for name in first(one, "layers")[1:]]
    sides = frozenset(
        side for side, letter in SIDES.items() if any(n in {f"{letter}.Cu", "*.Cu", "F&B.Cu"} for n in layers)
    )
    hole = first(one, "drill")
    drill = next(iter(numbers(hole)), 0.0)
    turn = place[2] if len(place) > 2 else 0.0
    shape = word(one, 3)
    if shape in {"circle", "oval"}:
        ring = _round(np.zeros(2), *size[:2])
    else:
        w, h = size[0] / 2, size[1] / 2
        ring = np.array([[-w, -h], [w, -h], [w, h], [-w, h]])
    board.pads.append(Pad(_placed(ring, middle, turn), sides, middle, drill))


def _round(at: Points, width: float, height: float) -> Points:
    """A circle, or two half circles joined by straight sides."""
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    radius = min(width, height) / 2
    ring = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    ring[:, 0] += np.sign(np.round(ring[:, 0], 9)) * (width / 2 - radius)
    ring[:, 1] += np.sign(np.round(ring[:, 1], 9)) * (height / 2 - radius)
    found: Points = ring + at
    return found


def _graphic(board: Board, one: Node, at: Points, angle: float) -> None:
    layer = word(first(one, "layer"))
    if layer != "Edge.Cuts" and not layer.endswith(".SilkS") and not layer.endswith(".Silkscreen"):
        return
    for points in _drawn(one):
        placed = _placed(points, at, angle)
        if layer == "Edge.Cuts":
            board.edge.append(Line(placed, "Edge.Cuts"))
        else:
            board.silk.setdefault("top" if layer.startswith("F") else "bottom", []).append(placed)


def _drawn(one: Node) -> list[Points]:  # noqa: PLR0911 one for each kind of shape
    """The lines of a graphic shape of any version."""
    kind = str(one[0]).split("_", 1)[-1]
    start, end = _spot(one, "start"), _spot(one, "end")
    if kind == "line":
        return [np.array([start, end])]
    if kind == "rect":
        return [np.array([start, [end[0], start[1]], end, [start[0], end[1]], start])]
    if kind == "circle":
        middle = _spot(one, "center")
        size = 2 * float(np.hypot(*(end - middle)))
        ring = _round(middle, size, size)
        return [np.vstack([ring, ring[:1]])]
    if kind == "arc":
        if first(one, "mid"):
            return [_through(start, _spot(one, "mid"), end)]
        swept = next(iter(numbers(first(one, "angle"))), 0.0)
        turn = np.radians(np.linspace(0, swept, 33))[:, None, None]
        c, s = np.cos(turn), np.sin(turn)
        arm = end - start
        return [
            np.hstack([c[:, :, 0] * arm[0] - s[:, :, 0] * arm[1], s[:, :, 0] * arm[0] + c[:, :, 0] * arm[1]]) + start
        ]
    points = [numbers(xy)[:2] for xy in each(first(one, "pts"), "xy")]
    if kind == "poly" and len(points) > 2:
        return [np.array([*points, points[0]])]
    return []


def _through(start: Points, mid: Points, end: Points) -> Points:
    """An arc through three points, in 32 chords; the two chords where they lie on one line."""
    (ax, ay), (bx, by), (cx, cy) = start, mid, end
    double = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    if abs(double) < 1e-9:
        return np.array([start, mid, end])
    a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    middle = np.array(
        [a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by), a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)]
    )
    middle = middle / double
    first_angle, via, last = (float(np.arctan2(*(p - middle)[::-1])) for p in (start, mid, end))
    sweep = (last - first_angle) % (2 * np.pi)
    if (via - first_angle) % (2 * np.pi) > sweep:
        sweep -= 2 * np.pi
    turn = first_angle + sweep * np.linspace(0, 1, 33)
    found: Points = middle + float(np.hypot(*(start - middle))) * np.column_stack([np.cos(turn), np.sin(turn)])
    return found


def _box(board: Board) -> tuple[float, float, float, float]:
    spots = [line.points for line in board.edge] or [pad.ring for pad in board.pads]
    spots = spots or [points for layer in board.tracks.values() for points, _width in layer]
    if not spots:
        raise Unreadable("The board is empty: it has no outline, no pad and no track.")
    every = np.vstack(spots)
    low, high = every.min(axis=0), every.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _picture(board: Board) -> tuple[bytes, bytes]:
    """Both sides, beside each other or over one another as they show larger; the back as one sees it from behind."""
    box = _box(board)
    wide = box[2] - box[0] > (box[3] - box[1]) * WIDTH / HEIGHT
    back = "B.Cu" in board.tracks or any(pad.sides == {"bottom"} for pad in board.pads) or "bottom" in board.silk
    frames = [(0.0, 0.0, float(WIDTH), float(HEIGHT))]
    if back:
        frames = (
            [(0, 0, WIDTH, HEIGHT / 2), (0, HEIGHT / 2, WIDTH, HEIGHT)]
            if wide
            else [(0, 0, WIDTH / 2, HEIGHT), (WIDTH / 2, 0, WIDTH, HEIGHT)]
        )
    sides = ("top", "bottom")[: len(frames)]
    return canvas.png(*(_side(board, box, frame, side) for frame, side in zip(frames, sides, strict=True)))


def _side(board: Board, box: tuple[float, float, float, float], frame: tuple[float, ...], side: str) -> Canvas:
    page = Canvas(box, frame=frame, flip=False)
    page.mirror(across=side == "bottom")
    rings = (
        [one.points for one in contours.join(contours.without_repeats(board.edge)) if one.closed] if board.edge else []
    )
    page.fill(rings or [np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]])], BOARD)
    layer = f"{SIDES[side]}.Cu"
    page.fill(board.zones.get(layer, []), TRACK, opacity=0.28)
    widths: dict[float, list[Points]] = {}
    for points, width in board.tracks.get(layer, []):
        widths.setdefault(round(width, 3), []).append(points)
    for width, lines in sorted(widths.items()):
        page.stroke(lines, TRACK, px=max(0.4, width * page.px))
    page.fill([pad.ring for pad in board.pads if side in pad.sides], PAD)
    page.stroke(board.silk.get(side, []), SILK, px=max(0.5, 0.12 * page.px), opacity=0.9)
    page.fill([_round(pad.at, pad.drill_mm, pad.drill_mm) for pad in board.pads if pad.drill_mm > 0], HOLE)
    return page


def _facts(board: Board) -> Facts:
    box = _box(board)
    width, height = box[2] - box[0], box[3] - box[1]
    joined = contours.join(contours.without_repeats(board.edge)) if board.edge else []
    drills = Counter(f"{pad.drill_mm:.2f}" for pad in board.pads if pad.drill_mm > 0)
    thin = [w for layer in board.tracks.values() for _points, w in layer if w > 0]
    said = [] if board.edge else ["The board has no outline on Edge.Cuts; its size is that of its pads and tracks."]
    said += ["The outline on Edge.Cuts does not close."] if any(not one.closed for one in joined) else []
    more = {
        "kind": "board", "copper_layers": len(board.copper), "tracks": sum(map(len, board.tracks.values())),
        "pads": len(board.pads) - board.vias, "vias": board.vias, "holes": sum(drills.values()),
        "smallest_drill_mm": min(map(float, drills), default=None), "smallest_track_mm": min(thin, default=None),
        "drills_mm": dict(sorted(drills.items(), key=lambda pair: float(pair[0]))), "footprints": board.footprints,
        "nets": board.nets, "thickness_mm": board.thickness_mm, "made_by": board.made_by, "outline": bool(board.edge),
        "area_mm2": round(contours.enclosed_mm2(joined), 3) if joined else None,
        "box_mm": [round(width, 3), round(height, 3)], "parts": counted(board.parts),
        "layers": [{"name": name, "kind": "copper"} for name in board.copper],
    }  # fmt: skip
    size = (round(width, 3), round(height, 3), round(board.thickness_mm or 0.0, 3))
    return Facts("mm", 0, False, None, 0.0, size, 1, tuple(said), more=more)


def counted(parts: list[tuple[str, str, str]]) -> list[dict[str, object]]:
    """Parts of the same value and footprint together, with their references in order; most first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for value, footprint, reference in parts:
        groups.setdefault((value, footprint), []).append(reference)
    rows = [
        {
            "value": value[:200],
            "footprint": footprint[:200],
            "count": len(names),
            "references": ", ".join(_ordered(names))[:290],
        }
        for (value, footprint), names in groups.items()
    ]
    return sorted(rows, key=lambda row: (-int(str(row["count"])), str(row["value"])))[:MAX_PARTS]


def _ordered(names: list[str]) -> list[str]:
    return sorted(
        (n for n in names if n), key=lambda n: [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", n[:40])]
    )


def _schematic(node: Node) -> Facts:
    """Symbols that are bought: not those of power, nor those left out of the parts list."""
    parts = []
    for one in each(node, "symbol"):
        told = {word(p).lower(): word(p, 2) for p in each(one, "property")}
        reference = told.get("reference", "")
        bought = word(first(one, "in_bom")) != "no" and not reference.startswith("#")
        if bought and numbers(first(one, "unit"))[:1] in ([], [1.0]):
            parts.append((told.get("value", ""), told.get("footprint", "").rsplit(":", 1)[-1], reference))
    block = first(node, "title_block")
    more = {
        "kind": "schematic", "symbols": len(parts), "parts": counted(parts),
        "sheets": sum(1 for _ in each(node, "sheet")),
        "made_by": " ".join(["KiCad", word(first(node, "generator_version")) or word(first(node, "version"))]).strip(),
        "page": word(first(node, "paper")), "title": word(first(block, "title")),
    }  # fmt: skip
    return Facts("mm", 0, False, None, 0.0, (0.0, 0.0, 0.0), 1, (), more=more)
