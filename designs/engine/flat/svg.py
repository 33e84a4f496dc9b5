"""The lines of an SVG drawing in millimetres: shapes and paths with their transformations, flattened.

Nothing outside the file is read: no images, no style sheets, no entities.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from designs.engine.errors import Unreadable
from designs.engine.flat import svg_path
from designs.engine.flat.contours import Line

Matrix = npt.NDArray[np.float64]

#: Millimetres in one unit; 96 px are an inch.
TO_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "px": 25.4 / 96, "pt": 25.4 / 72, "pc": 25.4 / 6, "q": 0.25, "": 25.4 / 96}
REAL = frozenset({"mm", "cm", "in", "pt", "pc", "q"})
UNSEEN = frozenset({"defs", "symbol", "clipPath", "mask", "pattern", "marker", "metadata", "style", "script", "title",
                    "desc", "linearGradient", "radialGradient", "filter", "foreignObject"})  # fmt: skip
MAX_ELEMENTS = 200_000
MAX_USE_DEPTH = 8
MAX_POINTS = 2_000_000
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


@dataclass(frozen=True, slots=True)
class Page:
    """How large the drawing says it is: width and height in mm, mm in one user unit, the unit it names."""

    width_mm: float
    height_mm: float
    scale: float
    origin: tuple[float, float]
    unit: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page holds: lines in mm with y up as cutters have it, texts, pictures."""

    lines: list[Line]
    texts: int
    pictures: int


def root_of(raw: bytes) -> ElementTree.Element:
    """The document's root element. Raises Unreadable; entities from outside are errors to this parser."""
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314 behind the walls, and entities are refused before
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Unreadable("The file is not sound XML, so it cannot be read as SVG.") from None
    if _name(root) != "svg":
        raise Unreadable("The file's first element is not <svg>.")
    return root


def page_of(root: ElementTree.Element) -> Page:
    """The size of the page. Raises Unreadable when neither width and height nor a viewBox say it."""
    get = root.get
    box = [float(n) for n in re.findall(NUMBER, get("viewBox") or "")[:4]]
    width, height = _length(get("width")), _length(get("height"))
    if len(box) == 4 and (box[2] <= 0 or box[3] <= 0):
        raise Unreadable("The drawing's viewBox has no area.")
    if width is None or height is None:
        if len(box) != 4:
            raise Unreadable("The drawing has neither a size nor a viewBox.")
        known = width or height
        if known is None:
            return Page(box[2] * TO_MM["px"], box[3] * TO_MM["px"], TO_MM["px"], (box[0], box[1]), "px")
        scale = known[0] / (box[2] if width else box[3])
        return Page(box[2] * scale, box[3] * scale, scale, (box[0], box[1]), known[1])
    unit = width[1] if width[1] in REAL else "px"
    if len(box) != 4:
        return Page(width[0], height[0], TO_MM["px"], (0.0, 0.0), unit)
    scale = min(width[0] / box[2], height[0] / box[3])
    return Page(width[0], height[0], scale, (box[0], box[1]), unit)


def _length(text: str | None) -> tuple[float, str] | None:
    if not text or "%" in text or text.strip() == "auto":
        return None
    found = re.fullmatch(rf"\s*({NUMBER})\s*([a-zA-Z]*)\s*", text)
    if not found or found.group(2).lower() not in TO_MM:
        raise Unreadable(f"The drawing's size “{text[:20]}” cannot be read.")
    value = float(found.group(1)) * TO_MM[found.group(2).lower()]
    if not 0 < value < 1e7:
        raise Unreadable(f"The drawing's size “{text[:20]}” is no size of a drawing.")
    return value, found.group(2).lower() or "px"


def read(path: Path) -> tuple[Seen, Page]:
    """The lines of a drawing and its page. Raises Unreadable."""
    root = root_of(path.read_bytes())
    page = page_of(root)
    start = np.array([[page.scale, 0, -page.origin[0] * page.scale], [0, -page.scale, page.origin[1] * page.scale],
                      [0, 0, 1]])  # fmt: skip
    reader = _Reader(root, page.scale)
    try:
        lines = list(reader.walk(root, start, {}, 0))
    except (ValueError, OverflowError, RecursionError, ZeroDivisionError, KeyError, IndexError):
        raise Unreadable("A path or a number of the drawing cannot be read.") from None
    return Seen(lines, reader.texts, reader.pictures), page


class _Reader:
    """Walks a document once, handing out lines; counts what cannot be cut."""

    def __init__(self, root: ElementTree.Element, scale: float) -> None:
        self.texts = self.pictures = self.count = self.points = 0
        self.scale = scale
        self.rules = _rules(root)
        self.ids = {e.get("id", ""): e for e in root.iter() if e.get("id")}

    def walk(self, element: ElementTree.Element, matrix: Matrix, above: dict[str, str], uses: int) -> Iterator[Line]:
        """Lines of an element and of those in it."""
        todo = [(element, matrix, above, uses, True)]
        while todo:
            one, at, style, depth, top = todo.pop()
            self.count += 1
            if self.count > MAX_ELEMENTS:
                raise Unreadable(f"The drawing has more than {MAX_ELEMENTS} elements.")
            name = _name(one)
            if name in UNSEEN and not (name == "symbol" and top):
                continue
            style = self._style(one, style)
            if style.get("display") == "none":
                continue
            at = np.asarray(at @ transform(one.get("transform") or ""))
            if name == "use":
                todo += self._used(one, at, style, depth)
                continue
            self.texts += name == "text"
            self.pictures += name == "image"
            yield from self._shape(name, one, at, style)
            todo += [(child, at, style, depth, False) for child in reversed(one)]

    def _used(
        self, one: ElementTree.Element, at: Matrix, style: dict[str, str], depth: int
    ) -> list[tuple[ElementTree.Element, Matrix, dict[str, str], int, bool]]:
        get = one.get
        target = self.ids.get((get("href") or get("{http://www.w3.org/1999/xlink}href") or "").removeprefix("#"))
        if target is None:
            return []
        if depth >= MAX_USE_DEPTH:
            raise Unreadable(f"The drawing uses shapes within shapes deeper than {MAX_USE_DEPTH}.")
        shift = np.array([[1, 0, _number(get("x"))], [0, 1, _number(get("y"))], [0, 0, 1.0]])
        return [(target, at @ shift, style, depth + 1, True)]

    def _style(self, one: ElementTree.Element, above: dict[str, str]) -> dict[str, str]:
        get = one.get
        own: dict[str, str] = {key: above[key] for key in ("stroke", "fill", "visibility", "color") if key in above}
        for key in ("stroke", "fill", "display", "visibility"):
            if value := get(key):
                own[key] = value.strip()
        for name in (_name(one), *("." + word for word in (get("class") or "").split()), "#" + (get("id") or "")):
            own |= self.rules.get(name, {})
        return own | _declared(get("style") or "")

    def _shape(self, name: str, one: ElementTree.Element, at: Matrix, style: dict[str, str]) -> Iterator[Line]:
        stroke, fill = style.get("stroke", "none"), style.get("fill", "#000000")
        if style.get("visibility") == "hidden" or (
            stroke in {"none", "transparent"} and fill in {"none", "transparent"}
        ):
            return
        colour = (stroke if stroke not in {"none", "transparent"} else fill).lower()[:40]
        size = max(float(np.sqrt(abs(np.linalg.det(at[:2, :2])))), 1e-12)
        for points in svg_path.shape(name, one.get, svg_path.FLAT_MM / size):
            self.points += len(points)
            if self.points > MAX_POINTS:
                raise Unreadable(f"The drawing has more than {MAX_POINTS} points.")
            placed = points @ at[:2, :2].T + at[:2, 2]
            if len(placed) > 1 and np.isfinite(placed).all() and np.ptp(placed, axis=0).max() > 1e-9:
                yield Line(placed, colour)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _number(text: str | None) -> float:
    found = re.match(rf"\s*({NUMBER})", text or "")
    return float(found.group(1)) if found else 0.0


def _declared(text: str) -> dict[str, str]:
    pairs = (piece.split(":", 1) for piece in text.split(";") if ":" in piece)
    kept = {key.strip(): value.replace("!important", "").strip() for key, value in pairs}
    return {key: value for key, value in kept.items() if key in {"stroke", "fill", "display", "visibility"}}


def _rules(root: ElementTree.Element) -> dict[str, dict[str, str]]:
    """Simple rules of style sheets inside the file: of an element, a class or an id."""
    rules: dict[str, dict[str, str]] = {}
    text = "".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}style"))[:200_000]
    for names, body in re.findall(
        r"([^{}]{1,400})\{([^{}]{0,2000})\}", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    ):
        for name in names.split(","):
            rules[name.strip()] = rules.get(name.strip(), {}) | _declared(body)
    return rules


def transform(text: str) -> Matrix:
    """A transform attribute as a matrix (3, 3)."""
    whole = np.eye(3)
    for name, inside in re.findall(r"(\w+)\s*\(([^()]*)\)", text[:20_000]):
        n = [float(x) for x in re.findall(NUMBER, inside)]
        whole = whole @ _one(name, n)
    return whole


def _one(name: str, n: list[float]) -> Matrix:
    if name == "matrix" and len(n) == 6:
        return np.array([[n[0], n[2], n[4]], [n[1], n[3], n[5]], [0, 0, 1]])
    if name == "translate" and n:
        return np.array([[1, 0, n[0]], [0, 1, n[1] if len(n) > 1 else 0], [0, 0, 1]])
    if name == "scale" and n:
        return np.diag([n[0], n[1] if len(n) > 1 else n[0], 1.0])
    if name == "rotate" and n:
        c, s = np.cos(np.radians(n[0])), np.sin(np.radians(n[0]))
        about = np.array([n[1], n[2]]) if len(n) == 3 else np.zeros(2)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        turn[:2, 2] = about - turn[:2, :2] @ about
        return turn
    if name in {"skewX", "skewY"} and n:
        skew = np.eye(3)
        skew[(0, 1) if name == "skewX" else (1, 0)] = np.tan(np.radians(n[0]))
        return skew
    return np.eye(3)
