"""Which class of machine a word of another program means; pure."""

#: Words that name a class, most telling first; matched in lower case inside the text.
WORDS = (
    ("resin", "resin-printer"), ("sla", "resin-printer"),
    ("3d print", "3d-printer"), ("3d-print", "3d-printer"), ("fff", "3d-printer"), ("fdm", "3d-printer"),
    ("printer", "3d-printer"),
    ("laser", "laser-cutter"),
    ("pcb mill", "pcb-mill"), ("circuit board", "pcb-mill"),
    ("pick and place", "pick-and-place"), ("pick-and-place", "pick-and-place"),
    ("router", "cnc-router"), ("cnc", "cnc-mill"), ("mill", "cnc-mill"), ("lathe", "lathe"),
    ("vinyl", "vinyl-cutter"), ("plotter", "vinyl-cutter"),
    ("embroider", "embroidery-machine"), ("sewing", "sewing-machine"), ("overlock", "sewing-machine"),
    ("knit", "textile-machine"), ("loom", "textile-machine"), ("textile", "textile-machine"),
    ("3d scan", "3d-scanner"), ("scanner", "3d-scanner"),
    ("electronic", "electronics-bench"), ("solder", "electronics-bench"),
    ("hand tool", "hand-tools"),
)  # fmt: skip


def guess(text: str) -> str:
    """The class that the text names, or nothing."""
    said = text.lower()
    return next((cls for word, cls in WORDS if word in said.split() or (len(word) > 3 and word in said)), "")
