"""Parts of our own, worked out from a few numbers with manifold3d. Lengths in mm; same numbers, same bytes."""

import math
import struct
import zipfile
from io import BytesIO
from typing import Any

import numpy as np

Solid = Any  # manifold3d.Manifold; it has no types of its own


def _m() -> Any:
    import manifold3d  # noqa: PLC0415 heavy, and only for seeding

    return manifold3d


def box(x: float, y: float, z: float, *, at: tuple[float, float, float] = (0, 0, 0)) -> Solid:
    """A box with its lowest corner at a point."""
    return _m().Manifold.cube((x, y, z)).translate(at)


def rod(radius: float, height: float, *, at: tuple[float, float, float] = (0, 0, 0), sides: int = 96) -> Solid:
    """An upright cylinder standing on a point."""
    return _m().Manifold.cylinder(height, radius, radius, sides).translate(at)


def rounded(x: float, y: float, z: float, r: float, *, at: tuple[float, float, float] = (0, 0, 0)) -> Solid:
    """A box with upright edges rounded."""
    section = _m().CrossSection.square((x - 2 * r, y - 2 * r)).translate((r, r))
    return section.offset(r, _m().JoinType.Round, 2.0, 64).extrude(z).translate(at)


def outline(points: list[tuple[float, float]], height: float, *, round_mm: float = 0.0) -> Solid:
    """An extruded polygon, its outer corners rounded."""
    section = _m().CrossSection([points])
    if round_mm:
        section = section.offset(-round_mm, _m().JoinType.Round, 2.0, 48).offset(round_mm, _m().JoinType.Round, 2.0, 48)
    return section.extrude(height)


def hexagon(across: float, height: float, *, at: tuple[float, float, float] = (0, 0, 0)) -> Solid:
    """A hexagonal prism, measured across its flats."""
    radius = across / math.sqrt(3)
    return _m().Manifold.cylinder(height, radius, radius, 6).translate(at)


def involute_gear(teeth: int, module_mm: float, height: float, *, pressure_deg: float = 20.0) -> Solid:
    """A spur gear with involute flanks (ISO 53 basic rack): r_base = r cos(alpha), tip r + m, root r - 1.25 m."""
    pitch = teeth * module_mm / 2
    base = pitch * math.cos(math.radians(pressure_deg))
    tip, root = pitch + module_mm, pitch - 1.25 * module_mm
    involute = math.tan(math.radians(pressure_deg)) - math.radians(pressure_deg)
    half_tooth = math.pi / (2 * teeth) + involute

    def flank(radius: float) -> float:
        """Half the tooth's angle at a radius."""
        if radius <= base:
            return half_tooth
        angle = math.acos(base / radius)
        return half_tooth - (math.tan(angle) - angle)

    radii = [root, *np.linspace(max(root, base), tip, 10)]
    points = []
    for tooth in range(teeth):
        middle = 2 * math.pi * tooth / teeth
        rising = [(r, middle - flank(float(r))) for r in radii]
        falling = [(r, middle + flank(float(r))) for r in reversed(radii)]
        points += [(float(r) * math.cos(a), float(r) * math.sin(a)) for r, a in rising + falling]
    return _m().CrossSection([points]).extrude(height)


def union(*solids: Solid) -> Solid:
    """All of them as one."""
    return _m().Manifold.batch_boolean(list(solids), _m().OpType.Add)


def lying(solid: Solid, axis: str) -> Solid:
    """An upright solid laid along x or y."""
    return solid.rotate((0, 90, 0)) if axis == "x" else solid.rotate((-90, 0, 0))


def _mesh(solid: Solid) -> tuple[Any, Any]:
    mesh = solid.to_mesh()
    points = np.round(np.asarray(mesh.vert_properties)[:, :3].astype(np.float64), 4)
    return points, np.asarray(mesh.tri_verts)


def stl(*solids: Solid) -> bytes:
    """A binary STL of solids that do not touch."""
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    pieces = []
    for solid in solids:
        points, triangles = _mesh(solid)
        out = np.zeros(len(triangles), record)
        out["corners"] = points[triangles]
        a, b, c = np.moveaxis(points[triangles], 1, 0)
        cross = np.cross(b - a, c - a)
        length = np.linalg.norm(cross, axis=1)
        out["normal"] = np.round(cross / np.where(length > 0, length, 1)[:, None], 5)
        pieces.append(out)
    whole = np.concatenate(pieces)
    return b"Living City demo".ljust(80, b" ") + struct.pack("<I", len(whole)) + whole.tobytes()


def three_mf(parts: list[tuple[str, Solid]]) -> bytes:
    """A 3MF package, one object for each part where it stands. Stored unpacked: its bytes do not depend on zlib."""
    objects, items = [], []
    for number, (name, solid) in enumerate(parts, start=1):
        points, triangles = _mesh(solid)
        vertices = "".join(f'<vertex x="{x:.4f}" y="{y:.4f}" z="{z:.4f}"/>' for x, y, z in points)
        faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles)
        objects.append(
            f'<object id="{number}" type="model" name="{name}"><mesh><vertices>{vertices}</vertices>'
            f"<triangles>{faces}</triangles></mesh></object>"
        )
        items.append(f'<item objectid="{number}"/>')
    model = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-GB" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>'
        + "".join(objects) + "</resources><build>" + "".join(items) + "</build></model>\n"
    )  # fmt: skip
    return _package({"[Content_Types].xml": CONTENT_TYPES, "_rels/.rels": RELATIONS, "3D/3dmodel.model": model})


CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)


def _package(files: dict[str, str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()
