"""A program of a machine: its facts and its picture."""

from pathlib import Path

from designs.engine.facts import Facts
from designs.engine.flat import gcode, toolpath


def draw(path: Path, _format: str = "gcode") -> tuple[bytes, bytes, Facts]:
    """The picture, a small one, and the facts of a program. Raises Unreadable."""
    program = gcode.read(path)
    more = gcode.facts(program) | {"thumbnail": toolpath.thumbnail(program.said.thumbnail)}
    warnings = []
    if program.unknown:
        named = ", ".join(code for code, _count in program.unknown.most_common(6))
        warnings.append(f"Commands that we do not follow: {named}; places and times may differ.")
    box = more["box_mm"]
    x, y, z = (float(side) for side in box) if isinstance(box, list) else (0.0, 0.0, 0.0)
    return *toolpath.draw(program), Facts("mm", 0, False, None, 0.0, (x, y, z), 1, tuple(warnings), more=more)
