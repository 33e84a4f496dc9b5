"""Our classes and processes as Wikipedia articles, the vocabulary that Open Know-Where recommends, and back."""

import re
from urllib.parse import unquote

WIKIPEDIA = "https://en.wikipedia.org/wiki/"

#: Class of machine: its article, what else is read as it, and its item of Wikidata where that was verified.
EQUIPMENT: dict[str, tuple[str, tuple[str, ...], str]] = {
    "3d-printer": ("3D_printing", ("3d printer", "fused filament fabrication", "fdm printer", "fff printer",
                                   "fused deposition modeling", "makerbot"), "Q3834994"),
    "resin-printer": ("Stereolithography", ("sla printer", "resin printer", "dlp printer", "resin 3d printer"), ""),
    "laser-cutter": ("Laser_cutting", ("laser cutter", "laser engraver", "laser engraving", "laser"), ""),
    "cnc-router": ("CNC_router", ("router", "cnc wood router", "wood router"), ""),
    "cnc-mill": ("Milling_(machining)", ("milling machine", "cnc mill", "cnc milling machine", "milling", "cnc"), ""),
    "lathe": ("Lathe", ("metal lathe", "wood lathe", "cnc lathe", "metal_lathe"), ""),
    "vinyl-cutter": ("Vinyl_cutter", ("vinyl cutter", "cutting plotter", "knife plotter"), ""),
    "pcb-mill": ("Printed_circuit_board_milling", ("pcb mill", "pcb milling", "pcb milling machine"), ""),
    "pick-and-place": ("Pick-and-place_machine", ("pick and place", "smt placement", "smt component placement systems"),
                       ""),
    "sewing-machine": ("Sewing_machine", ("sewing machine", "overlock", "serger"), ""),
    "embroidery-machine": ("Machine_embroidery", ("embroidery machine", "embroidery"), ""),
    "textile-machine": ("Textile_manufacturing", ("knitting machine", "loom", "weaving loom"), ""),
    "3d-scanner": ("3D_scanning", ("3d scanner", "3d scanning"), ""),
    "electronics-bench": ("Electronic_test_equipment", ("soldering iron", "soldering station", "oscilloscope",
                                                        "electronics bench"), ""),
    "hand-tools": ("Hand_tool", ("hand tool", "hand tools", "tools"), ""),
}  # fmt: skip
PROCESSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "fff": ("Fused_filament_fabrication", ("3d printing", "3d_printing", "fdm", "fff", "fused deposition modeling")),
    "sla": ("Stereolithography", ("sla", "resin printing", "vat photopolymerization", "dlp")),
    "laser-cutting": ("Laser_cutting", ("laser cutting", "laser engraving", "laser")),
    "milling": ("Milling_(machining)", ("milling", "cnc milling", "cnc", "cnc routing", "routing", "machining")),
    "turning": ("Turning", ("turning", "lathe")),
    "knife-cutting": ("Plotter", ("vinyl cutting", "knife cutting", "plotting", "vinyl_cutter")),
    "pcb-milling": ("Printed_circuit_board_milling", ("pcb milling",)),
    "pcb-assembly": ("Surface-mount_technology", ("pcb assembly", "surface mount", "smt assembly", "pick and place")),
    "sewing": ("Sewing", ("sewing",)),
    "embroidery": ("Embroidery", ("embroidery", "machine embroidery")),
    "textile-work": ("Textile_manufacturing", ("textile work", "knitting", "weaving")),
    "scanning": ("3D_scanning", ("3d scanning", "scanning")),
    "hand-work": ("Handicraft", ("hand work", "soldering", "assembly", "handicraft")),
}


def _plain(text: str) -> str:
    """The words of a name or of an article's address, in small letters."""
    text = re.sub(r"^https?://(?:[a-z-]+\.)?(?:m\.)?wikipedia\.org/wiki/", "", text.strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s_-]+", " ", unquote(text).split("#")[0]).strip().lower()


_CLASSES = {
    _plain(word): cls for cls, (article, others, _item) in EQUIPMENT.items() for word in (cls, article, *others)
}
_CLASSES |= {item.lower(): cls for cls, (_a, _o, item) in EQUIPMENT.items() if item}
_WAYS = {_plain(word): way for way, (article, others) in PROCESSES.items() for word in (way, article, *others)}


def class_of(text: str) -> str:
    """Our class for a name, an article or a Wikidata item; nothing when we know none."""
    plain = _plain(re.sub(r"^https?://www\.wikidata\.org/(?:wiki|entity)/", "", text.strip()))
    return _CLASSES.get(plain) or _CLASSES.get(plain.removesuffix("s"), "")


def process_of(text: str) -> str:
    """Our process for a name or an article; nothing when we know none."""
    return _WAYS.get(_plain(text), "")


def class_article(cls: str) -> str:
    """The article of a class."""
    return WIKIPEDIA + EQUIPMENT[cls][0] if cls in EQUIPMENT else ""


def process_article(process: str) -> str:
    """The article of a process."""
    return WIKIPEDIA + PROCESSES[process][0] if process in PROCESSES else ""
