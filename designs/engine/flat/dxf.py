"""The lines of a DXF drawing in millimetres, flattened to a hundredth of one."""

from pathlib import Path

import numpy as np

from designs.engine.errors import Unreadable
from designs.engine.flat.contours import Line

#: Millimetres in one of the file's units ($INSUNITS); 0 says nothing.
UNITS = {
    1: ("inch", 25.4), 2: ("foot", 304.8), 4: ("mm", 1.0), 5: ("cm", 10.0), 6: ("m", 1000.0), 8: ("microinch", 2.54e-5),
    9: ("mil", 0.0254), 10: ("yard", 914.4), 13: ("micron", 0.001), 14: ("dm", 100.0),
}  # fmt: skip
CUT = frozenset({"LINE", "LWPOLYLINE", "POLYLINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "HELIX"})
WRITTEN = frozenset({"TEXT", "MTEXT", "DIMENSION", "ATTRIB", "LEADER", "MULTILEADER"})
FLAT_MM = 0.01
MAX_LINES = 200_000
MAX_POINTS = 2_000_000
MAX_MM = 1e7
#: No cutter's bed is wider: a drawing that would be, was drawn in mm under a wrong heading.
WIDEST_MM = 10_000.0


def read(path: Path) -> tuple[list[Line], str, list[str]]:
    """(lines, unit of the file, warnings). Raises Unreadable."""
    from ezdxf import disassemble, recover  # noqa: PLC0415 a second to import, only for drawings
    from ezdxf.lldxf.const import DXFError  # noqa: PLC0415

    try:
        document, _auditor = recover.readfile(path)
        unit, scale = UNITS.get(int(document.header.get("$INSUNITS", 0)), ("unknown", 1.0))
        hidden = {layer.dxf.name.lower() for layer in document.layers if layer.is_off() or layer.is_frozen()}
        entities = disassemble.recursive_decompose(document.modelspace())
        lines, skipped = _lines(entities, hidden, FLAT_MM / scale)
    except (OSError, DXFError, ValueError, IndexError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        raise Unreadable("The file cannot be read as DXF.") from None
    if not lines:
        raise Unreadable("The drawing is empty: it has no line that could be cut.")
    warnings = ["The drawing names no unit; it is read as millimetres."] if unit == "unknown" else []
    size = float(max(np.ptp(np.vstack([line.points for line in lines]), axis=0)))
    if scale > 1 and size * scale > WIDEST_MM >= size:
        warnings.append(
            f"The file says {unit}, which would make it {size * scale / 1000:.0f} m wide; it is read as mm."
        )
        unit, scale = "unknown", 1.0
    if size * scale > MAX_MM:
        raise Unreadable("The drawing is larger than 10 km; its unit or its numbers are wrong.")
    warnings += [f"{count} {what}." for what, count in skipped.items() if count]
    return [Line(line.points * scale, line.layer) for line in lines], unit, warnings


def _lines(entities: object, hidden: set[str], flat: float) -> tuple[list[Line], dict[str, int]]:
    from ezdxf import path as paths  # noqa: PLC0415

    lines: list[Line] = []
    points = 0
    skipped = {"texts and dimensions are not cut": 0, "lines on hidden layers are left out": 0,
               "hatches, solids and pictures are not cut": 0}  # fmt: skip
    written, off, others = skipped
    for entity in entities:  # type: ignore[attr-defined]
        kind, layer = entity.dxftype(), str(entity.dxf.get("layer", "0"))
        if kind not in CUT:
            skipped[written if kind in WRITTEN else others] += kind != "POINT"
            continue
        if layer.lower() in hidden:
            skipped[off] += 1
            continue
        for one in paths.make_path(entity).sub_paths():
            flattened = np.array([(p.x, p.y) for p in one.flattening(flat, segments=4)], np.float64)
            if len(flattened) > 1 and np.isfinite(flattened).all() and np.ptp(flattened, axis=0).max() > 0:
                lines.append(Line(flattened, layer))
                points += len(flattened)
        if len(lines) > MAX_LINES or points > MAX_POINTS:
            raise Unreadable(f"The drawing has more than {MAX_LINES} lines or {MAX_POINTS} points.")
    return lines, skipped
