"""Flat drawings: SVG through resvg, DXF through ezdxf and resvg. A picture and the size."""

import re
from io import BytesIO
from pathlib import Path

from designs.engine.errors import Unreadable
from designs.engine.facts import Facts

WIDTH, HEIGHT = 640, 480
SMALL = (256, 192)
SPRUCE = "#2f7d68"  # reads on light and on dark paper
STROKE = 2600  # of a page a million wide, as ezdxf draws it
TO_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "px": 25.4 / 96, "pt": 25.4 / 72, "pc": 25.4 / 6, "": 25.4 / 96}


def draw(path: Path, file_format: str) -> tuple[bytes, bytes, Facts]:
    """The picture, a small one, and the facts of a drawing."""
    if file_format == "dxf":
        svg, size = _dxf(path)
        units = "mm"
    else:
        svg = path.read_text("utf-8", "replace")
        size, units = _svg_size(svg)
    picture, small = _png(svg)
    warnings = () if units == "mm" else ("The drawing names no unit; 96 dots are read as one inch.",)
    return picture, small, Facts(units, 0, False, None, 0.0, (round(size[0], 3), round(size[1], 3), 0.0), 1, warnings)


def _length_mm(text: str) -> tuple[float, str]:
    found = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(mm|cm|in|px|pt|pc|)\s*", text)
    if not found:
        raise Unreadable(f"The drawing's size “{text[:20]}” cannot be read.")
    return float(found.group(1)) * TO_MM[found.group(2)], found.group(2)


def _svg_size(svg: str) -> tuple[tuple[float, float], str]:
    tag = re.search(r"<svg\b[^>]*>", svg)
    attributes = dict(re.findall(r'([\w:]+)\s*=\s*["\']([^"\']*)["\']', tag.group(0))) if tag else {}
    box = [float(n) for n in re.findall(r"-?[0-9.]+", attributes.get("viewBox", ""))[:4]]
    width, height = attributes.get("width", ""), attributes.get("height", "")
    if width and height and "%" not in width + height:
        (w, unit), (h, _unit) = _length_mm(width), _length_mm(height)
        return (w, h), "mm" if unit in {"mm", "cm", "in"} else "px"
    if len(box) == 4:
        return (box[2] * TO_MM["px"], box[3] * TO_MM["px"]), "px"
    raise Unreadable("The drawing has neither a size nor a viewBox.")


def _dxf(path: Path) -> tuple[str, tuple[float, float]]:
    from ezdxf import bbox, recover  # noqa: PLC0415 a second to import, only for drawings
    from ezdxf.addons.drawing import config, layout, svg  # noqa: PLC0415
    from ezdxf.addons.drawing.frontend import Frontend  # noqa: PLC0415
    from ezdxf.addons.drawing.properties import RenderContext  # noqa: PLC0415
    from ezdxf.lldxf.const import DXFError  # noqa: PLC0415

    try:
        document, _auditor = recover.readfile(path)
    except (OSError, DXFError, ValueError, IndexError):
        raise Unreadable("The file cannot be read as DXF.") from None
    space = document.modelspace()
    box = bbox.extents(space, fast=True)
    if not box.has_data:
        raise Unreadable("The drawing is empty.")
    scale = {0: 1.0, 1: 25.4, 4: 1.0, 5: 10.0, 6: 1000.0}.get(document.header.get("$INSUNITS", 0), 1.0)
    backend = svg.SVGBackend()
    look = config.Configuration(
        background_policy=config.BackgroundPolicy.OFF,
        color_policy=config.ColorPolicy.CUSTOM,
        custom_fg_color=SPRUCE,
    )
    Frontend(RenderContext(document), backend, config=look).draw_layout(space)
    page = layout.Page(0, 0, layout.Units.mm, margins=layout.Margins.all(4), max_width=400, max_height=300)
    drawn = re.sub(r"stroke-width: [0-9.]+", f"stroke-width: {STROKE}", backend.get_string(page))
    return drawn, (float(box.size.x) * scale, float(box.size.y) * scale)


def _png(svg: str) -> tuple[bytes, bytes]:
    import resvg_py  # noqa: PLC0415 only for drawings
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = 50_000_000
    fitted = re.sub(r"(<svg\b[^>]*?)\s(?:width|height)\s*=\s*[\"'][^\"']*[\"']", r"\1", svg, count=1)
    fitted = re.sub(r"(<svg\b[^>]*?)\s(?:width|height)\s*=\s*[\"'][^\"']*[\"']", r"\1", fitted, count=1)
    if "viewBox" not in fitted[:4000]:
        fitted = svg
    try:
        raw = bytes(resvg_py.svg_to_bytes(svg_string=fitted, width=WIDTH, dpi=96))
        picture = Image.open(BytesIO(raw)).convert("RGBA")
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise Unreadable(f"The drawing cannot be drawn: {str(error)[:100]}.") from None
    picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    stage = Image.new("RGBA", (WIDTH, HEIGHT), (255, 255, 255, 0))
    stage.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    out, small = BytesIO(), BytesIO()
    stage.save(out, "PNG", optimize=True)
    stage.resize(SMALL, Image.Resampling.LANCZOS).save(small, "PNG", optimize=True)
    return out.getvalue(), small.getvalue()
