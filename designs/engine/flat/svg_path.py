"""SVG's shapes and the little language of its paths, as lines of points in user units."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

FLAT_MM = 0.01
MOST_STEPS = 400
NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
TOKEN = re.compile(r"[MmLlHhVvCcSsQqTtAaZz]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})


def shape(name: str, get: Callable[[str], str | None], flat: float) -> list[Points]:  # noqa: PLR0911
    """The lines of a shape element; none of any other. `flat` is how far a chord may be from its curve."""
    if name not in SHAPES:
        return []
    if name == "path":
        return list(lines(get("d") or "", flat))
    if name in {"polyline", "polygon"}:
        points = _numbers(get("points"))
        points = points[: len(points) // 2 * 2].reshape(-1, 2)
        return [np.vstack([points, points[:1]]) if name == "polygon" and len(points) else points] if len(points) else []
    n = {key: float(_numbers(get(key))[0]) if _numbers(get(key)).size else 0.0
         for key in ("x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "x1", "y1", "x2", "y2")}  # fmt: skip
    if name == "line":
        return [np.array([[n["x1"], n["y1"]], [n["x2"], n["y2"]]])]
    if name == "rect":
        return _rect(n, get, flat)
    rx, ry = (n["r"], n["r"]) if name == "circle" else (n["rx"], n["ry"])
    if rx <= 0 or ry <= 0:
        return []
    turn = np.linspace(0, 2 * np.pi, 1 + _steps(max(rx, ry), 2 * np.pi, flat))
    return [np.column_stack([n["cx"] + rx * np.cos(turn), n["cy"] + ry * np.sin(turn)])]


def _rect(n: dict[str, float], get: Callable[[str], str | None], flat: float) -> list[Points]:
    x, y, w, h = n["x"], n["y"], n["width"], n["height"]
    if w <= 0 or h <= 0:
        return []
    rx = n["rx"] if get("rx") else n["ry"]
    ry = n["ry"] if get("ry") else n["rx"]
    rx, ry = min(rx, w / 2), min(ry, h / 2)
    if rx <= 0 or ry <= 0:
        return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]])]
    quarter = np.linspace(0, np.pi / 2, 1 + _steps(max(rx, ry), np.pi / 2, flat))
    corners = ((x + w - rx, y + ry, -np.pi / 2), (x + w - rx, y + h - ry, 0), (x + rx, y + h - ry, np.pi / 2),
               (x + rx, y + ry, np.pi))  # fmt: skip
    ring = np.vstack([
        np.column_stack([cx + rx * np.cos(quarter + turn), cy + ry * np.sin(quarter + turn)])
        for cx, cy, turn in corners
    ])  # fmt: skip
    return [np.vstack([ring, ring[:1]])]


def _numbers(text: str | None) -> Points:
    return np.array(
        [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text or "")], np.float64
    )


def _steps(radius: float, angle: float, flat: float) -> int:
    """How many chords keep within `flat` of an arc."""
    reach = np.arccos(max(-1.0, min(1.0, 1 - flat / max(radius, 1e-12)))) * 2
    return int(min(MOST_STEPS, max(4, np.ceil(abs(angle) / max(reach, 1e-6)))))


def lines(data: str, flat: float) -> Iterator[Points]:
    """The subpaths of a path's data. A broken end is left out, as browsers do."""
    pen = _Pen(flat)
    tokens = TOKEN.findall(_flags_apart(data))
    place, command = 0, ""
    while place < len(tokens):
        if tokens[place].isalpha() and len(tokens[place]) == 1:
            command, place = tokens[place], place + 1
        elif not command or command in "Zz":
            break
        need = NUMBERS[command.upper()]
        values = tokens[place : place + need]
        if len(values) < need or any(value.isalpha() for value in values):
            break
        yield from pen.go(command, [float(value) for value in values])
        place += need
        if command in "Mm":
            command = "L" if command == "M" else "l"
    yield from pen.lift()


def _flags_apart(data: str) -> str:
    """The two flags of an arc may stand without spaces (“a1 1 0 01.5.5”): put them in."""
    if "a" not in data and "A" not in data:
        return data
    number = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
    gap = r"[\s,]*"
    arc = re.compile(rf"({number}){gap}({number}){gap}({number}){gap}([01]){gap}([01]){gap}({number}){gap}({number})")
    return re.sub(r"([Aa])([^A-Za-z]*(?:[eE][-+]?\d[^A-Za-z]*)*)",
                  lambda found: found.group(1) + arc.sub(r"\1 \2 \3 \4 \5 \6 \7 ", found.group(2)), data)  # fmt: skip


class _Pen:
    """Where the pen is, where its line began, and the last control point for smooth curves."""

    def __init__(self, flat: float) -> None:
        self.flat = flat
        self.at = self.start = np.zeros(2)
        self.control: Points | None = None
        self.kind = ""
        self.pieces: list[Points] = []

    def lift(self) -> Iterator[Points]:
        """End the line that is being drawn."""
        if self.pieces:
            yield np.vstack(self.pieces)
        self.pieces = []

    def go(self, command: str, n: list[float]) -> Iterator[Points]:
        """Do one command; lines that it ends come out."""
        kind, base = command.upper(), self.at if command.islower() else np.zeros(2)
        if kind == "M":
            yield from self.lift()
            self.at = self.start = base + n
        elif kind == "Z":
            self._to(self.start[None])
            yield from self.lift()
            self.at = self.start
        elif kind == "L":
            self._to((base + n)[None])
        elif kind == "H":
            self._to(np.array([[base[0] + n[0], self.at[1]]]))
        elif kind == "V":
            self._to(np.array([[self.at[0], base[1] + n[0]]]))
        elif kind == "A":
            self._to(_arc(self.at, n, base + n[5:7], self.flat))
        else:
            self._curve(kind, base, np.array(n).reshape(-1, 2))
            self.kind = kind
            return
        self.kind, self.control = kind, None

    def _to(self, points: Points) -> None:
        if not self.pieces:
            self.pieces = [self.at[None]]
        self.pieces.append(points)
        self.at = points[-1]

    def _curve(self, kind: str, base: Points, n: Points) -> None:
        points = base + n
        if kind in "ST":
            alike = self.kind in ("CS" if kind == "S" else "QT") and self.control is not None
            mirrored = 2 * self.at - self.control if alike else self.at  # type: ignore[operator]
            points = np.vstack([mirrored[None], points])
        knots = np.vstack([self.at[None], points])
        self._to(bezier(knots, self.flat)[1:])
        self.control = points[-2]


def bezier(knots: Points, flat: float) -> Points:
    """A Bézier curve of three or four points, in chords that keep within `flat` (by its second differences)."""
    bend = float(np.hypot(*np.diff(knots, n=2, axis=0).T).max())
    degree = len(knots) - 1
    steps = int(min(MOST_STEPS, max(2, np.ceil(np.sqrt(degree * (degree - 1) * bend / (8 * max(flat, 1e-12)))))))
    t = np.linspace(0, 1, steps + 1)[:, None]
    curve = knots[:, None, :]
    while len(curve) > 1:
        curve = curve[:-1] * (1 - t) + curve[1:] * t
    found: Points = curve[0]
    return found


def _arc(start: Points, n: list[float], end: Points, flat: float) -> Points:
    """An elliptical arc by its end points (SVG 1.1, appendix F.6.5)."""
    rx, ry = abs(n[0]), abs(n[1])
    if rx < 1e-12 or ry < 1e-12 or np.allclose(start, end, atol=1e-12):
        return np.asarray(end)[None]
    c, s = np.cos(np.radians(n[2])), np.sin(np.radians(n[2]))
    turn = np.array([[c, s], [-s, c]])
    x, y = turn @ (start - end) / 2
    grow = np.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    under = max(0.0, (rx * ry) ** 2 - (rx * y) ** 2 - (ry * x) ** 2) / ((rx * y) ** 2 + (ry * x) ** 2)
    side = np.sqrt(under) * (-1 if bool(n[3]) == bool(n[4]) else 1)
    middle = side * np.array([rx * y / ry, -ry * x / rx])
    first = np.arctan2((y - middle[1]) / ry, (x - middle[0]) / rx)
    last = np.arctan2((-y - middle[1]) / ry, (-x - middle[0]) / rx)
    sweep = (last - first) % (2 * np.pi) - (0 if n[4] else 2 * np.pi)
    angles = first + sweep * np.linspace(0, 1, 1 + _steps(max(rx, ry), sweep, flat))[1:]
    spots = np.column_stack([rx * np.cos(angles), ry * np.sin(angles)]) + middle
    found: Points = spots @ turn + (start + end) / 2
    found[-1] = end
    return found
