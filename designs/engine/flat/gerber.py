"""Circuit boards as fabricators get them: Gerber layers and Excellon drills, one by one or a whole set in a zip.

What a layer is, its X2 attributes say (%TF.FileFunction…), else its name by our own table; gerbonara, which reads the
files, is told and never guesses, so that boards with named layers (L1_Front.gbr) keep their copper.
"""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from designs.engine.errors import Unreadable
from designs.engine.facts import Facts
from designs.engine.flat import canvas

Layer = tuple[str, str]
MAX_FILES = 60
MAX_BYTES = 24 * 1024 * 1024
MAX_COMMANDS = 400_000
DRILL: Layer = ("drill", "")
OUTLINE: Layer = ("mechanical", "outline")
ENDINGS: dict[str, Layer] = {
    "gtl": ("top", "copper"), "gbl": ("bottom", "copper"), "gts": ("top", "mask"), "gbs": ("bottom", "mask"),
    "gto": ("top", "silk"), "gbo": ("bottom", "silk"), "gtp": ("top", "paste"), "gbp": ("bottom", "paste"),
    "gko": OUTLINE, "gm1": OUTLINE, "gml": OUTLINE, "cmp": ("top", "copper"), "sol": ("bottom", "copper"),
    "drl": DRILL, "xln": DRILL, "drd": DRILL, "nc": DRILL,
}  # fmt: skip
USES = {"cu": "copper", "copper": "copper", "mask": "mask", "soldermask": "mask", "silks": "silk", "silk": "silk",
        "silkscreen": "silk", "legend": "silk", "paste": "paste", "solderpaste": "paste"}  # fmt: skip
FUNCTIONS = {"copper": "copper", "soldermask": "mask", "legend": "silk", "paste": "paste"}
#: How a board is painted: mask over copper in the green of boards, silk white, copper and holes.
COLOURS = {"copper": "#c9a24b", "mask": "#14523cc8", "paste": "#b9bfc4", "silk": "#f4f2ea", "drill": "#26302c",
           "outline": "#17503b"}  # fmt: skip


def layer_of(name: str, text: str) -> Layer | None:
    """(side, use) of a layer, DRILL, OUTLINE, or None for what is no layer of a board."""
    found = re.search(r"TF\.FileFunction,([^*\n\r]{1,80})", text[:20_000])
    if found:
        known = _by_function([word.strip().lower() for word in found.group(1).split(",")])
        if known:
            return known
    return _by_name(PurePosixPath(name).name.lower(), text)


def _by_function(words: list[str]) -> Layer | None:
    if words[0] in {"plated", "nonplated", "mixedplating"}:
        return DRILL
    if words[0] == "profile":
        return OUTLINE
    use = FUNCTIONS.get(words[0])
    if use is None:
        return None
    if "inr" in words:
        place = next((word[1:] for word in words if re.fullmatch(r"l\d{1,2}", word)), "2")
        return f"inner{place}", use
    return ("bottom" if "bot" in words else "top"), use


def _by_name(name: str, text: str) -> Layer | None:
    ending = name.rsplit(".", 1)[-1]
    if ending in ENDINGS:
        return ENDINGS[ending]
    if text.lstrip()[:3] == "M48" or ending in {"drill", "exc"}:
        return DRILL
    if re.search(r"edge[._-]?cuts|outline|profile|board[._-]?shape", name):
        return OUTLINE
    words = [word for word in re.split(r"[^a-z]+", name.rsplit(".", 1)[0]) if word]
    side = next((s for word in reversed(words) for s, known in (("top", {"f", "front", "top"}),
                 ("bottom", {"b", "back", "bottom", "bot"})) if word in known), None)  # fmt: skip
    use = next((USES[word] for word in reversed(words) if word in USES), None)
    inner = re.search(r"(?:^|[_.-])(?:in|inner|l)(\d{1,2})(?:[_.-]|$)", name)
    if side and (use or inner or words[-1] in {"front", "back", "top", "bottom"}):
        return side, use or "copper"
    return (f"inner{inner.group(1)}", "copper") if inner else None


def draw_set(files: Mapping[str, bytes]) -> tuple[bytes, bytes, Facts]:
    """The picture, a small one and the facts of a board. Raises Unreadable where there is no layer that can be read."""
    if sum(map(len, files.values())) > MAX_BYTES or len(files) > MAX_FILES:
        raise Unreadable(f"The board has more than {MAX_FILES} files or {MAX_BYTES // 1024 // 1024} MB.")
    board = _Board()
    for name in sorted(files):
        board.add(name, files[name].decode("utf-8", "replace"))
    if not board.layers and not board.drills:
        raise Unreadable("None of the files is a layer or a drill file of a board.")
    return *board.picture(), board.facts(sorted(files))


def draw_zip(path: Path, _format: str = "zip") -> tuple[bytes, bytes, Facts]:
    """A zip of Gerber files. Raises Unreadable for any other."""
    return draw_set(unpacked(path))


def unpacked(path: Path) -> dict[str, bytes]:
    """The layers in a zip by name, within limits, read and never written anywhere."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            wanted = [one for one in entries if is_layer_name(one.filename)]
            if not wanted:
                raise Unreadable("The zip holds no layers of a circuit board; other archives have no picture.")
            if len(wanted) > MAX_FILES or sum(one.file_size for one in wanted) > MAX_BYTES:
                raise Unreadable(
                    f"The zip holds more than {MAX_FILES} layers or {MAX_BYTES // 1024 // 1024} MB of them."
                )
            found = {}
            for one in wanted:
                with archive.open(one) as file:
                    found[PurePosixPath(one.filename).name] = file.read(MAX_BYTES + 1)
            return found
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        raise Unreadable("The zip cannot be unpacked.") from None


def is_layer_name(name: str) -> bool:
    """Whether a file may be a layer or a drill file, by its ending."""
    ending = PurePosixPath(name).suffix.lower().lstrip(".")
    return ending in ENDINGS or bool(re.fullmatch(r"gbr|ger|gerber|g\d{1,2}|gp\d|pho|art|exc|drill", ending))


def draw_folder(path: Path, _format: str = "board") -> tuple[bytes, bytes, Facts]:
    """A folder of Gerber files. Raises Unreadable."""
    return draw_set({one.name: one.read_bytes() for one in sorted(path.iterdir()) if one.is_file()})


def draw_one(path: Path, _format: str = "gerber") -> tuple[bytes, bytes, Facts]:
    """One layer or drill file by itself."""
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            return draw_zip(path)
    return draw_set({path.name if path.suffix else "layer.gbr": path.read_bytes()})


class _Board:
    """The layers of a board, read."""

    def __init__(self) -> None:
        self.layers: dict[Layer, Any] = {}
        self.drills: list[Any] = []
        self.names: dict[Layer, str] = {}
        self.warnings: list[str] = []
        self.made_by = ""

    def add(self, name: str, text: str) -> None:
        """Read one file; what is no layer is left out with a word."""
        layer = layer_of(name, text)
        if layer is None and re.search(r"%FS[LT]?A", text[:20_000]):
            layer = ("top", "copper") if not self.layers else None
        if layer is None:
            self.warnings.append(f"{name[:60]}: we do not know which layer it is.")
            return
        if text.count("*") > MAX_COMMANDS or text.count("\n") > MAX_COMMANDS:
            raise Unreadable(f"{name[:60]} has more than {MAX_COMMANDS} commands.")
        if re.search(r"%SRX\d{4,}|%SRX\d+Y\d{4,}", text):
            raise Unreadable(f"{name[:60]} repeats itself thousands of times.")
        found = re.search(r"GenerationSoftware,([^*\n]{1,60})", text[:20_000])
        self.made_by = self.made_by or (" ".join(found.group(1).split(",")[:2]) if found else "")
        parsed = _parsed(name, text, drill=layer == DRILL)
        if layer == DRILL:
            self.drills.append(parsed)
        elif layer in self.layers:
            self.warnings.append(f"{name[:60]}: a second file of the layer {' '.join(layer)}; the first is drawn.")
        else:
            self.layers[layer] = parsed
            self.names[layer] = name

    def picture(self) -> tuple[bytes, bytes]:
        """Both sides beside each other where there are two, else the one, else the layer by itself."""
        sides = [side for side in ("top", "bottom") if (side, "copper") in self.layers or (side, "mask") in self.layers]
        if not sides:
            sides = [next(iter(self.layers))[0]] if self.layers else ["top"]
        return canvas.beside([self._side(side) for side in sides])

    def _side(self, side: str) -> str:
        from gerbonara import LayerStack  # noqa: PLC0415 only for boards

        graphic = dict(self.layers)
        if not any(key[0] == side for key in graphic):
            graphic[side, "copper"] = next(iter(graphic.values())) if graphic else _empty()
        stack = LayerStack(graphic, drill_pth=self.drills[0] if self.drills else None, drill_layers=self.drills[1:])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _clear(str(stack.to_pretty_svg(side=side, colors=COLOURS)))

    def bounds(self) -> tuple[float, float]:
        """Width and height in mm, of the outline where there is one."""
        found = [self.layers[OUTLINE]] if OUTLINE in self.layers else [*self.layers.values(), *self.drills]
        boxes = [box for one in found if (box := one.bounding_box(_mm(), default=None)) is not None]
        if not boxes:
            return 0.0, 0.0
        low = [min(float(box[0][k]) for box in boxes) for k in (0, 1)]
        high = [max(float(box[1][k]) for box in boxes) for k in (0, 1)]
        return high[0] - low[0], high[1] - low[1]

    def facts(self, files: list[str]) -> Facts:
        """What a fabricator asks: size, layers, drills, the thinnest track."""
        drills = Counter(
            f"{float(hit.aperture.equivalent_width(_mm())):.2f}"
            for one in self.drills for hit in one.objects if hasattr(hit.aperture, "diameter")
        )  # fmt: skip
        width, height = self.bounds()
        thin = [t for layer, one in self.layers.items() if layer[1] == "copper" for t in _tracks_mm(one)]
        copper = sum(layer[1] == "copper" for layer in self.layers)
        more: dict[str, Any] = {
            "kind": "board", "copper_layers": copper, "holes": sum(drills.values()), "outline": OUTLINE in self.layers,
            "smallest_drill_mm": min(map(float, drills), default=None), "made_by": self.made_by, "files": files,
            "drills_mm": dict(sorted(drills.items(), key=lambda pair: float(pair[0]))),
            "smallest_track_mm": round(min(thin), 4) if thin else None, "box_mm": [round(width, 3), round(height, 3)],
            "layers": [{"name": " ".join(layer).strip(), "side": layer[0], "kind": layer[1]} for layer in self.layers],
            "sides": [side for side in ("top", "bottom") if (side, "copper") in self.layers],
        }  # fmt: skip
        said = list(self.warnings)
        if OUTLINE not in self.layers and len(self.layers) > 1:
            said.append("No layer is the outline of the board; its size is that of what is drawn.")
        return Facts(
            "mm", 0, False, None, 0.0, (round(width, 3), round(height, 3), 0.0), 1, tuple(said)[:20], more=more
        )


def _parsed(name: str, text: str, *, drill: bool) -> Any:
    from gerbonara import ExcellonFile, GerberFile  # noqa: PLC0415 only for boards

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ExcellonFile.from_string(text) if drill else GerberFile.from_string(text)
    except Exception as error:  # gerbonara raises a dozen kinds on broken files
        raise Unreadable(f"{name[:60]} cannot be read: {type(error).__name__} {str(error)[:80]}.") from None


def _mm() -> Any:
    from gerbonara.utils import MM  # noqa: PLC0415 only for boards

    return MM


def _empty() -> Any:
    from gerbonara import GerberFile  # noqa: PLC0415

    return GerberFile()


def _tracks_mm(layer: Any) -> list[float]:
    return [
        float(one.aperture.equivalent_width(_mm()))
        for one in layer.objects
        if type(one).__name__ in {"Line", "Arc"} and getattr(one.aperture, "diameter", None) and one.polarity_dark
    ]


def _clear(svg: str) -> str:
    """On no ground, and in px, as resvg wants it."""
    svg = svg.replace('style="background-color:white"', "")
    return re.sub(r'(<svg[^>]*?) width="([\d.]+)mm" height="([\d.]+)mm"', r'\1 width="\2" height="\3"', svg, count=1)
