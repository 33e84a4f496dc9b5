"""Sixty files that want to hurt a reader, made here and nowhere kept: what they are, and what must become of each.

REJECT: refused with a sentence, no picture. LOADSAFE: odd, yet a reader may draw it; it must touch nothing and end. OK:
looks like an attack and is none, so it must be drawn. `Canary` is what some of them try to read and to call.
"""

import base64
import io
import json
import math
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REJECT, LOADSAFE, OK = "reject", "loadsafe", "ok"

POINTS = np.array([[x, y, z] for x in (0, 30) for y in (0, 20) for z in (0, 10)], float)
FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


@dataclass(frozen=True)
class Canary:
    """A file that nobody may read, with its secret, and a port of this machine that nobody may call."""

    path: Path
    secret: str
    port: int


@dataclass(frozen=True)
class Case:
    """A hostile file: its format by name, its bytes, and its class."""

    format: str
    expected: str
    content: Callable[[Canary], bytes]


def stl(points: "np.ndarray" = POINTS, faces: "np.ndarray" = FACES, *, count: int | None = None) -> bytes:
    """A binary STL; `count` may lie."""
    out = bytearray(b"\0" * 80 + struct.pack("<I", len(faces) if count is None else count))
    for corners in points[faces]:
        out += struct.pack("<12fH", 0, 0, 0, *np.clip(corners.reshape(-1), -3.4e38, 3.4e38), 0)
    return bytes(out)


def stl_of(value: float) -> bytes:
    """A binary STL whose corners are all that number."""
    return b"\0" * 80 + struct.pack("<I", 12) + struct.pack("<12fH", 0, 0, 0, *[value] * 9, 0) * 12


def ascii_stl(numbers: str = "30 0 0") -> bytes:
    """A text STL of four triangles with that corner in each."""
    corners = ["0 0 0", numbers, "0 20 0", "0 0 10"]
    text = "solid x\n"
    for a, b, c in ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)):
        text += "facet normal 0 0 0\nouter loop\n"
        text += "".join(f"vertex {corners[k]}\n" for k in (a, b, c)) + "endloop\nendfacet\n"
    return (text + "endsolid x\n").encode()


OBJ = "".join(f"v {x} {y} {z}\n" for x, y, z in POINTS) + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in FACES)


def ply(header: str, body: bytes = b"") -> bytes:
    """A PLY with that header."""
    return f"ply\n{header}\nend_header\n".encode() + body


PLY_XYZ = "property float x\nproperty float y\nproperty float z"
PLY_FACE = "property list uchar int vertex_indices"
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"


def package(model: bytes | str, more: dict[str, bytes] | None = None) -> bytes:
    """A 3MF around a model document."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="model" '
            'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
            'Target="/3D/3dmodel.model" Id="r" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
            "</Relationships>",
        )
        archive.writestr("3D/3dmodel.model", model)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def mesh_xml(points: "np.ndarray" = POINTS, faces: "np.ndarray" = FACES) -> str:
    """A mesh of the 3MF core."""
    v = "".join(f'<vertex x="{x:g}" y="{y:g}" z="{z:g}"/>' for x, y, z in points)
    t = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces)
    return f"<mesh><vertices>{v}</vertices><triangles>{t}</triangles></mesh>"


def model_xml(objects: str, items: str = '<item objectid="1"/>', before: str = "") -> str:
    """A model document of the 3MF core, in mm."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<model unit="millimeter" xmlns="{CORE}"><resources>{objects}'
        f"</resources><build>{items}</build></model>"
    )


def doubling(levels: int) -> str:
    """Each object places the one below twice: 2 to the power of `levels` boxes."""
    objects = f'<object id="1" type="model">{mesh_xml()}</object>'
    for level in range(2, levels + 2):
        below = f'<component objectid="{level - 1}"/>'
        objects += f'<object id="{level}" type="model"><components>{below * 2}</components></object>'
    return model_xml(objects, f'<item objectid="{levels + 1}"/>')


def laughs(root: str) -> str:
    """Entities that unfold to a thousand million laughs."""
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<!DOCTYPE {root} [{''.join(lines)}]>"


def gltf(**changes: object) -> dict[str, object]:
    """A glTF document of one triangle, with its buffer as data, and what is changed in it."""
    raw = base64.b64encode(struct.pack("<9f3H2x", 0, 0, 0, 0.03, 0, 0, 0, 0.02, 0, 0, 1, 2)).decode()
    document: dict[str, object] = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 6},
        ],
        "buffers": [{"byteLength": 44, "uri": f"data:application/octet-stream;base64,{raw}"}],
    }  # fmt: skip
    return document | changes


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def glb(document: dict[str, object], binary: bytes = b"", *, length: int | None = None) -> bytes:
    """A GLB container; its length may lie."""
    text = as_json(document)
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        body += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body) if length is None else length) + body


def buffered(count: int = 3, view: int = 36, offset: int = 0) -> bytes:
    """A GLB of one triangle whose accessor or view may reach too far."""
    document = gltf(
        accessors=[{"bufferView": 0, "componentType": 5126, "count": count, "type": "VEC3"}],
        bufferViews=[{"buffer": 0, "byteOffset": offset, "byteLength": view}],
        buffers=[{"byteLength": 36}],
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}}]}],
    )
    return glb(document, struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0))


def step(data: str, end: str = "ENDSEC;\nEND-ISO-10303-21;\n") -> bytes:
    """A STEP file around a data section."""
    head = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('x','',(''),(''),'','','');\n"
    return f"{head}FILE_SCHEMA(('AUTOMOTIVE_DESIGN'));\nENDSEC;\nDATA;\n{data}\n{end}".encode()


def svg(inside: str, before: str = "", attributes: str = 'width="40mm" height="30mm" viewBox="0 0 40 30"') -> bytes:
    """An SVG in mm."""
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {names} {attributes}>{inside}</svg>".encode()


def dxf(entities: str, blocks: str = "") -> bytes:
    """A DXF of R12 with those entities."""
    section = "0\nSECTION\n2\n{}\n{}0\nENDSEC\n"
    return (section.format("BLOCKS", blocks) + section.format("ENTITIES", entities) + "0\nEOF\n").encode()


def insert(name: str, columns: int = 1, rows: int = 1) -> str:
    """A placed block, perhaps as a grid."""
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n0\n20\n0\n70\n{columns}\n71\n{rows}\n44\n1\n45\n1\n"


def block(name: str, inside: str) -> str:
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n3\n{name}\n{inside}0\nENDBLK\n8\n0\n"


LINE = "0\nLINE\n8\n0\n10\n0\n20\n0\n11\n10\n21\n5\n"


def nested_zip() -> bytes:
    """A zip in a zip in a zip, and no model anywhere."""
    inner = b"x" * 1000
    for _ in range(5):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", inner)
        inner = out.getvalue()
    return inner


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(1100):
            archive.writestr(f"{number}", b"")
    return out.getvalue()


def long_polygon() -> bytes:
    """One face of 50,000 corners."""
    turns = np.linspace(0, 2 * math.pi, 50_000, endpoint=False)
    points = "".join(f"v {20 * math.cos(t):.4f} {20 * math.sin(t):.4f} {i % 2}\n" for i, t in enumerate(turns))
    return (points + "f " + " ".join(str(i + 1) for i in range(50_000)) + "\n").encode()


def fat_xml() -> bytes:
    """A 3MF that stays below the ratio of a bomb, of points that no triangle uses."""
    dice = random.Random(1)
    points = "".join(f'<vertex x="{dice.random():.3f}" y="0" z="0"/>' for _ in range(300_000))
    return package(model_xml(f'<object id="1"><mesh><vertices>{points}</vertices><triangles/></mesh></object>'))


def _fixed(content: bytes | str) -> Callable[[Canary], bytes]:
    raw = content.encode() if isinstance(content, str) else content
    return lambda _canary: raw


def cases() -> dict[str, Case]:  # noqa: PLR0915 a list, one line each
    """All sixty by name."""
    nan = math.nan
    entity = "<!DOCTYPE {} [<!ENTITY secret SYSTEM 'file://{}'>]>"
    plain = f'<object id="1" type="model">{mesh_xml()}</object>'
    found: dict[str, Case] = {}

    def add(name: str, expected: str, content: "bytes | str | Callable[[Canary], bytes]") -> None:
        file_format = name.split("-", 1)[0]
        found[name] = Case(file_format, expected, content if callable(content) else _fixed(content))

    # --- STL: counts that lie, numbers that are none
    add("stl-empty", REJECT, b"")
    add("stl-count-4-thousand-million", REJECT, stl(count=0xFFFFFFFF))
    add("stl-count-too-small", REJECT, stl(count=2))
    add("stl-cut-off", REJECT, stl()[:-30])
    add("stl-no-triangles", REJECT, stl(faces=FACES[:0]))
    add("stl-no-numbers", REJECT, stl_of(nan))
    add("stl-larger-than-the-earth", REJECT, stl(POINTS * 1e36))
    add("stl-on-one-line", REJECT, stl(POINTS * [1, 0, 0]))
    add("stl-some-not-numbers", LOADSAFE, stl(np.where(POINTS == 30, nan, POINTS), np.vstack([FACES, FACES])))
    add("stl-text-without-end", REJECT, ascii_stl()[:-20])
    add("stl-text-beyond-numbers", LOADSAFE, ascii_stl("1e999 1e999 1e999"))
    add("stl-one-line-of-10-megabytes", REJECT, b"solid " + b"a" * 10_000_000 + b" facet endsolid")
    add("stl-is-a-zip", REJECT, nested_zip())
    add("stl-binary-that-says-solid", OK, b"solid facet endsolid".ljust(80) + stl()[80:])
    # --- OBJ: groups, indices, neighbours
    add("obj-100000-materials", REJECT, "v 0 0 0\n" + "usemtl a\n" * 100_000)
    add("obj-index-beyond", REJECT, OBJ + "f 1 2 999999999\n")
    add("obj-index-before", REJECT, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -9 -8 -7\n")
    add("obj-not-text", REJECT, random.Random(2).randbytes(200_000))
    add("obj-not-numbers", REJECT, "v nan nan nan\nv inf 0 0\nv 0 nan 0\nf 1 2 3\n")
    add(
        "obj-reads-a-neighbour", LOADSAFE, lambda c: f"mtllib {c.path}\nmtllib ../sibling.txt\nusemtl a\n{OBJ}".encode()
    )
    add("obj-face-of-50000-corners", LOADSAFE, long_polygon())
    add("obj-dos-lines-and-odd-names", OK, ("o \u202eexe.tekcarb <script>\n" + OBJ).replace("\n", "\r\n"))
    # --- PLY and OFF: headers that promise
    ask = "format ascii 1.0\nelement vertex {}\n{}\nelement face {}\n{}"
    add("ply-99-million-points", REJECT, ply(ask.format(99_999_999, PLY_XYZ, 1, PLY_FACE), b"0 0 0\n"))
    add("ply-20-digits", REJECT, ply(ask.format("9" * 20, PLY_XYZ, 1, PLY_FACE)))
    add("ply-endless-list", REJECT, ply(
        "format binary_little_endian 1.0\nelement vertex 3\n" + PLY_XYZ
        + "\nelement face 1\nproperty list uint int vertex_indices",
        struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0) + struct.pack("<I3i", 0xFFFFFFFF, 0, 1, 2),
    ))  # fmt: skip
    add("ply-no-end-of-header", REJECT, b"ply\nformat ascii 1.0\nelement vertex 3\n")
    add("ply-index-before", REJECT, ply(ask.format(3, PLY_XYZ, 1, PLY_FACE), b"0 0 0\n9 0 0\n0 9 0\n3 0 1 -7\n"))
    add("off-99-million-points", REJECT, b"OFF\n99999999 3 0\n0 0 0\n")
    add("off-index-beyond", REJECT, b"OFF\n3 1 0\n0 0 0\n9 0 0\n0 9 0\n3 0 1 77\n")
    # --- 3MF: zips and XML
    add("3mf-bomb", REJECT, package(b"0" * 60_000_000))
    add("3mf-1100-entries", REJECT, many_entries())
    add("3mf-broken-zip", REJECT, b"PK\x03\x04 broken")
    add("3mf-zips-in-zips", REJECT, nested_zip())
    add("3mf-holds-itself", REJECT, package(model_xml(
        '<object id="1" type="model"><components><component objectid="2"/></components></object>'
        '<object id="2" type="model"><components><component objectid="1"/></components></object>'
    )))  # fmt: skip
    add("3mf-67-million-boxes", REJECT, package(doubling(26)))
    add("3mf-laughs", REJECT, package(model_xml(f"<object id='1'>&a9;{mesh_xml()}</object>", before=laughs("model"))))
    add("3mf-reads-a-file", LOADSAFE, lambda c: package(
        model_xml(plain + "<metadata name='x'>&secret;</metadata>", before=entity.format("model", c.path))
    ))  # fmt: skip
    add("3mf-deep", REJECT, package(model_xml("<a>" * 100_000 + "</a>" * 100_000)))
    add("3mf-points-without-triangles", REJECT, fat_xml())
    add("3mf-index-beyond", REJECT, package(model_xml(f"<object id='1'>{mesh_xml(faces=FACES + 5)}</object>")))
    add("3mf-names-that-climb", LOADSAFE, package(model_xml(plain), {"../../../climbed.txt": b"x", "/abs.txt": b"x"}))
    # --- glTF: addresses, reaches, graphs
    add("glb-length-lies", REJECT, glb(gltf(), length=0x7FFFFFFF))
    add("glb-count-of-2-thousand-million", REJECT, buffered(count=2_000_000_000))
    add("glb-view-beyond", REJECT, buffered(view=36_000_000, offset=20))
    add("glb-node-in-itself", REJECT, glb(gltf(nodes=[{"mesh": 0, "children": [1]}, {"mesh": 0, "children": [0]}])))
    add("glb-million-nodes", REJECT, glb(gltf(
        nodes=[{"children": [1] * 1000}, {"children": [2] * 1000}, {"mesh": 0}]
    )))  # fmt: skip
    add("gltf-reads-a-file", REJECT, lambda c: as_json(gltf(buffers=[{"byteLength": 44, "uri": f"file://{c.path}"}])))
    add("gltf-calls-out", REJECT, lambda c: as_json(
        gltf(buffers=[{"byteLength": 44, "uri": f"http://127.0.0.1:{c.port}/x.bin"}])
    ))  # fmt: skip
    add("gltf-deep", REJECT, b"[" * 200_000 + b"]" * 200_000)
    # --- STEP: what kills OpenCASCADE
    add("step-in-itself", REJECT, step(
        "#1=MAPPED_ITEM('',#2,#9);\n#2=REPRESENTATION_MAP(#9,#3);\n#3=SHAPE_REPRESENTATION('',(#1),#9);"
    ))  # fmt: skip
    add("step-200000-brackets", REJECT, step("#1=X(" + "(" * 200_000 + ")" * 200_000 + ");"))
    add("step-cut-off", REJECT, step("#1=CARTESIAN_POINT('',(0.,0.,0.));", end=""))
    # --- drawings
    add("svg-laughs", REJECT, svg("<text>&a9;</text>", before=laughs("svg")))
    add("svg-reads-a-file-and-calls-out", LOADSAFE, lambda c: svg(
        f'<image xlink:href="file://{c.path}" width="9" height="9"/><rect width="9" height="9"/>'
        f'<image href="http://127.0.0.1:{c.port}/x.png" width="9" height="9"/><script>alert(1)</script>'
    ))  # fmt: skip
    add("svg-uses-itself", LOADSAFE, svg(
        '<g id="a"><rect width="9" height="9"/><use href="#b"/></g><g id="b"><use href="#a"/><use href="#a"/></g>'
    ))  # fmt: skip
    add("svg-deep", LOADSAFE, svg("<g>" * 100_000 + '<rect width="9" height="9"/>' + "</g>" * 100_000))
    add("svg-wide-as-a-continent", LOADSAFE, svg('<rect width="9" height="9"/>', attributes='viewBox="0 0 1e9 1e-9"'))
    add("dxf-block-in-itself", LOADSAFE, dxf(LINE + insert("A"), block("A", LINE + insert("A"))))
    add("dxf-grid-of-a-thousand-million", REJECT, dxf(insert("A", 32_000, 32_000), block("A", LINE)))
    add("dxf-empty", REJECT, dxf(""))
    return found


def faceted_step(points: "np.ndarray", faces: "np.ndarray") -> bytes:
    """A solid of flat triangles in mm (ISO 10303-42 faceted_brep), written by hand."""
    lines: list[str] = []

    def add(entity: str) -> int:
        lines.append(f"#{len(lines) + 1}={entity};")
        return len(lines)

    corner = [add(f"CARTESIAN_POINT('',({x:.6f},{y:.6f},{z:.6f}))") for x, y, z in points]
    shell = []
    for a, b, c in faces:
        loop = add(f"POLY_LOOP('',(#{corner[a]},#{corner[b]},#{corner[c]}))")
        bound = add(f"FACE_OUTER_BOUND('',#{loop},.T.)")
        normal = np.cross(points[b] - points[a], points[c] - points[a])
        x, y, z = normal / np.linalg.norm(normal)
        u, v, w = (points[b] - points[a]) / np.linalg.norm(points[b] - points[a])
        up, along = add(f"DIRECTION('',({x:.9f},{y:.9f},{z:.9f}))"), add(f"DIRECTION('',({u:.9f},{v:.9f},{w:.9f}))")
        placed = add(f"AXIS2_PLACEMENT_3D('',#{corner[a]},#{up},#{along})")
        plane = add(f"PLANE('',#{placed})")
        shell.append(add(f"FACE_SURFACE('',(#{bound}),#{plane},.T.)"))
    closed = add(f"CLOSED_SHELL('',({','.join(f'#{n}' for n in shell)}))")
    brep = add(f"FACETED_BREP('',#{closed})")
    length = add("(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.))")
    angle = add("(NAMED_UNIT(*)PLANE_ANGLE_UNIT()SI_UNIT($,.RADIAN.))")
    solid = add("(NAMED_UNIT(*)SI_UNIT($,.STERADIAN.)SOLID_ANGLE_UNIT())")
    blur = add(f"UNCERTAINTY_MEASURE_WITH_UNIT(LENGTH_MEASURE(1.E-6),#{length},'','')")
    space = add(
        "(GEOMETRIC_REPRESENTATION_CONTEXT(3)"
        f"GLOBAL_UNCERTAINTY_ASSIGNED_CONTEXT((#{blur}))GLOBAL_UNIT_ASSIGNED_CONTEXT((#{length},#{angle},#{solid}))"
        "REPRESENTATION_CONTEXT('',''))"
    )
    shape = add(f"FACETED_BREP_SHAPE_REPRESENTATION('',(#{brep}),#{space})")
    trade = add("APPLICATION_CONTEXT('automotive design')")
    market = add(f"PRODUCT_CONTEXT('',#{trade},'mechanical')")
    product = add(f"PRODUCT('ball','ball','',(#{market}))")
    made = add(f"PRODUCT_DEFINITION_FORMATION('','',#{product})")
    view = add(f"PRODUCT_DEFINITION_CONTEXT('part definition',#{trade},'design')")
    defined = add(f"PRODUCT_DEFINITION('','',#{made},#{view})")
    outline = add(f"PRODUCT_DEFINITION_SHAPE('','',#{defined})")
    add(f"SHAPE_DEFINITION_REPRESENTATION(#{outline},#{shape})")
    return step("\n".join(lines))
