"""A program of a machine: its facts and its picture."""

from pathlib import Path

from designs.engine.facts import Facts
from designs.engine.flat import gcode, layering, toolpath


def draw(path: Path) -> tuple[bytes, bytes, bytes, Facts]:
    """The picture, a small one, the packed layers, and the facts of a program. Raises Unreadable."""
    program = gcode.read(path)
    packed = layering.pack(program)
    count = len(layering.heights(program)) if packed else 0
    more = gcode.facts(program) | {"thumbnail": toolpath.thumbnail(program.said.thumbnail), "drawn_layers": count}
    warnings = []
    if program.unknown:
        named = ", ".join(code for code, _count in program.unknown.most_common(6))
        warnings.append(f"Commands that we do not follow: {named}; places and times may differ.")
    box = more["box_mm"]
    x, y, z = (float(side) for side in box) if isinstance(box, list) else (0.0, 0.0, 0.0)
    found = Facts("mm", 0, False, None, 0.0, (x, y, z), 1, tuple(warnings), more=more)
    return *toolpath.draw(program), packed, found
