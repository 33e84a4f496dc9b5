"""The words by which designs are told apart on the list: ways of making, and formats, each with its name and its bit.

A card keeps what a design has as one number, a bit for each word, so that a hundred thousand of them are counted in one
short query (docs/search.md). A bit never changes its meaning: add new words at the end and make the database's function
`designs_bits` again in a migration; a test compares the two.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Ways of making, in the order of their bits, as machines of labs call them too.
PROCESSES: dict[str, Promise] = {
    "fff": _("3D printing, filament"),
    "sla": _("3D printing, resin"),
    "laser-cutting": _("Laser cutting"),
    "milling": _("Milling"),
    "knife-cutting": _("Knife cutting"),
    "sewing": _("Sewing"),
    "pcb": _("Circuit board"),
    "welding": _("Welding"),
    "woodworking": _("Woodworking"),
    "turning": _("Turning"),
    "casting": _("Casting"),
    "sheet-metal": _("Sheet metal"),
    "hand-work": _("Hand work"),
}
#: Formats that the list offers, in the order of their bits.
FORMATS = (
    "stl", "step", "3mf", "obj", "ply", "off", "glb", "gltf", "dxf", "svg", "gerber", "kicad", "openscad", "freecad",
    "gcode", "fusion", "blender", "solidworks", "pdf", "markdown", "csv",
)  # fmt: skip
#: Formats that nearly every design may have and nobody looks for: without counts on the list.
COMMON = ("gcode", "pdf", "markdown", "csv")
#: What people also call them.
OTHER_NAMES = {
    "cnc-milling": "milling", "cnc": "milling", "3d-printing": "fff", "fdm": "fff", "resin": "sla",
    "laser": "laser-cutting", "vinyl": "knife-cutting", "electronics": "pcb", "stp": "step", "scad": "openscad",
}  # fmt: skip
#: The first bit of the formats; ways of making have the bits below.
FORMAT_BIT = 24

MESHES = frozenset({"stl", "3mf", "obj", "ply", "off", "gcode"})
#: What a text must say for a way of making that the files alone do not tell.
SAID = {
    "fff": r"3d[- ]?print\w*|filament|\bpla\b|\bpetg\b|\bfdm\b|\bfff\b|prusa|slicer",
    "sla": r"\bsla\b|resin (?:print\w*|3d)|photopolymer",
    "laser-cutting": r"laser[- ]?cut\w*|laserleik\w*|plywood sheet|acrylic sheet",
    "milling": r"\bcnc\b|\bmilled\b|milling machine|\bjyrsi\w*",
    "knife-cutting": r"vinyl cut\w*|plotter cut\w*|cutting plotter",
    "sewing": r"\bsew(?:n|ing)?\b|\bfabric\b|\bompel\w*|textile",
    "pcb": r"\bpcbs?\b|circuit board|\bgerbers?\b|piirilevy\w*",
    "welding": r"\bweld(?:ed|ing)?\b|\bhitsa\w*",
    "woodworking": r"\bwood ?work\w*|table saw|\btimber\b|\bplaned\b",
    "turning": r"\blathe\b|\bsorva\w*",
    "casting": r"\bcasting\b|\bmould(?:ed|ing)?\b",
    "sheet-metal": r"sheet[- ]metal|press brake",
}
_SAID = {slug: re.compile(pattern, re.IGNORECASE) for slug, pattern in SAID.items()}


def slug_of(word: str) -> str:
    """A way of making or a format as we write it: `CNC milling` is `milling`, `STP` is `step`."""
    word = re.sub(r"[\s_]+", "-", word.strip().lower())
    return OTHER_NAMES.get(word, word)


def bit_of(slug: str) -> int:
    """The number with the bit of a way of making or a format; 0 for a word that has none."""
    return _BITS.get(slug, 0)


def bits_of(slugs: Iterable[str]) -> int:
    """The bits of all of them together."""
    bits = 0
    for slug in slugs:
        bits |= bit_of(slug)
    return bits


@lru_cache(maxsize=65_536)
def slugs_of(bits: int) -> tuple[str, ...]:
    """The ways of making and formats whose bits are set."""
    return tuple(slug for slug, bit in _BITS.items() if bits & bit)


_BITS = {slug: 1 << n for n, slug in enumerate(PROCESSES)} | {
    slug: 1 << (FORMAT_BIT + n) for n, slug in enumerate(FORMATS)
}


#: What the list counts. A card's column `shown` is made with this number: whoever changes it makes a migration.
SHOWN_BITS = bits_of((*PROCESSES, *FORMATS)) & ~bits_of(COMMON)


def processes_of(formats: Iterable[str], text: str) -> list[str]:
    """How a thing is made, by the formats it has and the words that its texts say; in the order of PROCESSES.

    Meshes are printed. A DXF is cut by a laser; an SVG only when it is all there is, for it is as often a picture.
    """
    have = set(formats)
    found = {slug for slug, pattern in _SAID.items() if pattern.search(text)}
    if have & MESHES:
        found.add("fff")
    if "dxf" in have or ("svg" in have and not have & (MESHES | {"step", "glb", "kicad", "gerber"})):
        found.add("laser-cutting")
    if have & {"gerber", "kicad"}:
        found.add("pcb")
    if "step" in have and not have & MESHES and not found:
        found |= {"fff", "milling"}
    return [slug for slug in PROCESSES if slug in found]
