"""Facts, models and pictures of files against solids whose size is known by arithmetic, and against a second reader."""

import io
import json
import math
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from designs.engine import formats, glb, picture
from designs.engine.decimate import MAX_DRAWN, for_the_eye
from designs.engine.errors import Unreadable
from designs.engine.facts import facts
from designs.engine.load import load
from designs.engine.model import weld
from designs.engine.preview import apart, make

BOX = np.array([[x, y, z] for x in (0, 30) for y in (0, 20) for z in (0, 10)], float)
BOX_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def stl(points: np.ndarray, faces: np.ndarray, *, count: int | None = None) -> bytes:
    """A binary STL; `count` may lie."""
    out = b"\0" * 80 + struct.pack("<I", len(faces) if count is None else count)
    for corners in points[faces]:
        out += struct.pack("<12fH", 0, 0, 0, *corners.reshape(-1), 0)
    return out


def saved(tmp_path: Path, content: bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def mesh(kind: str) -> "object":
    import trimesh

    return {"ball": trimesh.creation.icosphere(4, 12.0), "ring": trimesh.creation.torus(20.0, 6.0)}[kind]


def test_a_box_has_the_volume_area_and_size_of_a_box(tmp_path: Path) -> None:
    found = facts(load(saved(tmp_path, stl(BOX, BOX_FACES), "box.stl"), "stl"))
    assert found.volume_mm3 == pytest.approx(30 * 20 * 10)
    assert found.area_mm2 == pytest.approx(2 * (30 * 20 + 30 * 10 + 20 * 10))
    assert found.extents_mm == (30, 20, 10)
    assert (found.triangles, found.watertight, found.parts, found.units) == (12, True, 1, "unknown")


def test_a_box_without_a_side_has_no_volume(tmp_path: Path) -> None:
    found = facts(load(saved(tmp_path, stl(BOX, BOX_FACES[:-2]), "box.stl"), "stl"))
    assert found.watertight is False
    assert found.volume_mm3 is None
    assert any("does not close" in warning for warning in found.warnings)


def test_an_inside_out_box_is_said_and_keeps_its_volume(tmp_path: Path) -> None:
    found = facts(load(saved(tmp_path, stl(BOX, BOX_FACES[:, ::-1]), "box.stl"), "stl"))
    assert found.volume_mm3 == pytest.approx(6000)
    assert any("inside out" in warning for warning in found.warnings)


def test_one_turned_triangle_is_not_a_closed_shape(tmp_path: Path) -> None:
    turned = BOX_FACES.copy()
    turned[3] = turned[3, ::-1]
    assert facts(load(saved(tmp_path, stl(BOX, turned), "box.stl"), "stl")).watertight is False


@pytest.mark.parametrize("file_format", ["stl", "stl_ascii", "obj", "ply", "off", "3mf", "glb", "gltf"])
@pytest.mark.parametrize("kind", ["ball", "ring"])
def test_every_format_gives_the_same_facts(tmp_path: Path, file_format: str, kind: str) -> None:
    """The oracle is trimesh's own volume and area of the mesh before it was written."""
    import trimesh

    made = mesh(kind)
    whole = made.copy()
    if file_format in {"glb", "gltf"}:
        whole.apply_transform(trimesh.transformations.rotation_matrix(-math.pi / 2, [1, 0, 0]))
        whole.apply_scale(0.001)
    if file_format == "gltf":
        files = trimesh.exchange.gltf.export_gltf(trimesh.Scene(whole), embed_buffers=True)
        content = files["model.gltf"]
    else:
        content = whole.export(file_type=file_format)
    if isinstance(content, str):
        content = content.encode()
    if file_format == "3mf":
        content = rezipped(content, b'unit="millimeter"')
    name = file_format.removesuffix("_ascii")
    found = facts(load(saved(tmp_path, content, f"part.{name}"), name))
    assert found.triangles == len(made.faces)
    assert found.watertight
    assert found.volume_mm3 == pytest.approx(made.volume, rel=1e-4)
    assert found.area_mm2 == pytest.approx(made.area, rel=1e-4)
    assert found.extents_mm == pytest.approx(made.extents, abs=2e-3)


def rezipped(content: bytes, unit: bytes) -> bytes:
    """The 3MF with its model in that unit."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            if name.endswith(".model"):
                raw = __import__("re").sub(rb'unit="\w+"', unit, raw, count=1)
            new.writestr(name, raw)
    return out.getvalue()


def test_an_inch_is_25_4_mm(tmp_path: Path) -> None:
    content = rezipped(mesh("ball").export(file_type="3mf"), b'unit="inch"')
    found = facts(load(saved(tmp_path, content, "part.3mf"), "3mf"))
    assert found.units == "inch"
    assert found.extents_mm[2] == pytest.approx(24 * 25.4, rel=1e-4)


@pytest.mark.shared
def test_a_step_file_in_mm_is_closed_and_equals_its_stl(shared: Path) -> None:
    parts = shared / "data/designs/Original-Prusa-i3/Printed-Parts"
    step = facts(load(parts / "STEP/print-fan-support.stp", "step"))
    mesh_of_it = facts(load(parts / "STL/print-fan-support.stl", "stl"))
    assert step.watertight
    assert step.volume_mm3 == pytest.approx(2212.82, abs=0.01)
    assert mesh_of_it.volume_mm3 == pytest.approx(step.volume_mm3, rel=1e-4)
    assert step.units == "mm"


def hostile() -> dict[str, tuple[str, bytes, str]]:
    """Name: (format, bytes, a word of the sentence that must come)."""
    box = stl(BOX, BOX_FACES)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", b"0" * 30_000_000)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(1100):
            archive.writestr(f"{number}", b"")
    document = {"asset": {"version": "2.0"}, "buffers": [{"uri": "../secret.bin", "byteLength": 4}]}
    nested = b"ISO-10303-21;\n#1=X(" + b"(" * 200 + b")" * 200 + b");\nEND-ISO-10303-21;\n"
    own = (
        b"ISO-10303-21;\n#1=MAPPED_ITEM('',#2,#9);\n#2=REPRESENTATION_MAP(#9,#3);\n"
        b"#3=SHAPE_REPRESENTATION('',(#1),#9);\nEND-ISO-10303-21;\n"
    )
    return {
        "empty": ("stl", b"", "empty"),
        "stub": ("stl", b"\0" * 40, "ends after 40 bytes"),
        "cut off": ("stl", box[:-30], "cut off"),
        "count lies": ("stl", stl(BOX, BOX_FACES, count=0xFFFFFFFF), "says 4294967295 triangles"),
        "no triangles": ("stl", stl(BOX, BOX_FACES[:0]), "No triangles"),
        "no numbers": ("stl", stl(np.full((8, 3), math.nan), BOX_FACES), "No triangles"),
        "a line": ("stl", stl(BOX * [1, 0, 0], BOX_FACES), "triangles"),
        "half a text": ("stl", b"solid x\nfacet normal 0 0 0\nouter loop\nvertex 0 0", "cut off"),
        "zip bomb": ("3mf", bomb.getvalue(), "unpacks to"),
        "many entries": ("3mf", many.getvalue(), "entries"),
        "no zip": ("3mf", b"PK\x03\x04 broken", "zip"),
        "ply count": ("ply", b"ply\nformat ascii 1.0\nelement vertex 99999999\nend_header\n", "only"),
        "off count": ("off", b"OFF\n99999999 3 0\n0 0 0\n", "only"),
        "obj groups": ("obj", b"v 0 0 0\n" + b"usemtl a\n" * 5000, "groups"),
        "outer file": ("gltf", json.dumps(document).encode(), "another file"),
        "glb length": ("glb", struct.pack("<4sIIII", b"glTF", 2, 999, 4, 0x4E4F534A) + b"{}  ", "bytes"),
        "step depth": ("step", nested, "brackets"),
        "step in itself": ("step", own, "contains itself"),
        "step cut": ("step", b"ISO-10303-21;\nDATA;\n", "cut off"),
        "svg entities": ("svg", b'<!DOCTYPE x [<!ENTITY a "b">]><svg viewBox="0 0 1 1"></svg>', "entities"),
        "svg sizeless": ("svg", b"<svg></svg>", "size"),
    }


@pytest.mark.parametrize("name", hostile())
def test_what_cannot_be_drawn_says_why(tmp_path: Path, name: str) -> None:
    file_format, content, word = hostile()[name]
    folder = tmp_path / "out"
    folder.mkdir()
    make(saved(tmp_path, content, f"x.{file_format}"), file_format, folder)
    result = json.loads((folder / "result.json").read_text())
    assert result["status"] == "failed"
    assert word in result["reason"]
    assert not (folder / "picture.png").exists()


def test_corners_that_are_no_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    points = np.vstack([BOX, np.full((1, 3), np.inf)])
    faces = np.vstack([BOX_FACES, [[0, 1, 8]]])
    found = facts(load(saved(tmp_path, stl(points, faces), "box.stl"), "stl"))
    assert found.triangles == 12
    assert any("1 triangles have a corner" in warning for warning in found.warnings)


def test_the_model_for_the_viewer_is_in_metres_y_up_and_stands_on_the_ground(tmp_path: Path) -> None:
    import trimesh

    model = load(saved(tmp_path, stl(BOX + np.array([100, 50, 7]), BOX_FACES), "box.stl"), "stl")
    scene = trimesh.load_scene(io.BytesIO(glb.write(model)), file_type="glb")
    assert scene.extents == pytest.approx([0.030, 0.010, 0.020], abs=1e-6)
    assert scene.bounds[0] == pytest.approx([-0.015, 0.0, -0.010], abs=1e-6)


def test_the_picture_shows_the_thing_in_the_middle_and_nothing_in_the_corners(tmp_path: Path) -> None:
    from PIL import Image

    model = load(saved(tmp_path, stl(BOX, BOX_FACES), "box.stl"), "stl")
    large, small = picture.draw(model)
    drawn = np.asarray(Image.open(io.BytesIO(large)))
    assert drawn.shape == (picture.HEIGHT, picture.WIDTH, 4)
    assert Image.open(io.BytesIO(small)).size == (picture.SMALL_WIDTH, picture.SMALL_HEIGHT)
    assert drawn[picture.HEIGHT // 2, picture.WIDTH // 2, 3] == 255
    assert drawn[0, 0, 3] == drawn[0, -1, 3] == 0
    solid = drawn[..., 3] == 255
    assert 0.2 < solid.mean() < 0.7
    assert drawn[solid][:, :3].std() > 8  # three faces in three lights
    assert picture.draw(model)[0] == large


def test_pieces_that_do_not_touch_get_parts_of_their_own(tmp_path: Path) -> None:
    two = np.vstack([BOX, BOX + np.array([100, 0, 0])])
    model = load(saved(tmp_path, stl(two, np.vstack([BOX_FACES, BOX_FACES + 8])), "two.stl"), "stl")
    found = facts(model)
    assert found.parts == 2
    assert found.volume_mm3 == pytest.approx(12000)
    assert len(apart(model, found.parts).parts) == 2


def test_large_meshes_are_thinned_for_the_eye_alone(tmp_path: Path) -> None:
    import trimesh

    ball = trimesh.creation.icosphere(7, 10.0)
    model = load(saved(tmp_path, ball.export(file_type="stl"), "ball.stl"), "stl")
    assert facts(model).triangles == 327_680
    thin = for_the_eye(model)
    assert thin.triangle_count <= MAX_DRAWN * 1.02
    assert facts(thin).extents_mm == pytest.approx((20, 20, 20), rel=5e-3)


def test_names_tell_formats() -> None:
    assert formats.of_name("a/b.STP") == "step"
    assert formats.of_name("README") == ""
    assert formats.of_name("x.xyz") == ""


def test_a_format_that_nobody_knows_raises_nothing_but_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        load(saved(tmp_path, b"not a mesh", "x.obj"), "obj")


def test_a_packed_model_is_a_twentieth_of_its_stl_and_another_reader_unpacks_it(tmp_path: Path) -> None:
    """The outside reader is trimesh with its own support of KHR_draco_mesh_compression."""
    import trimesh

    ball = trimesh.creation.icosphere(6, 12.0)
    source = saved(tmp_path, ball.export(file_type="stl"), "ball.stl")
    packed = glb.write(load(source, "stl"))
    assert len(packed) * 20 < source.stat().st_size
    scene = trimesh.load_scene(io.BytesIO(packed), file_type="glb")
    read = scene.to_mesh()
    assert len(read.faces) == len(ball.faces) == 81_920
    assert scene.extents == pytest.approx([0.024] * 3, rel=1e-3)
    assert read.volume * 1e9 == pytest.approx(ball.volume, rel=2e-3)


def test_welding_by_mixed_numbers_is_welding_by_rows() -> None:
    """The oracle sorts whole rows (numpy.unique)."""
    dice = np.random.default_rng(3)
    points = np.round(dice.normal(size=(3000, 3)), 1)
    points[::7] *= -0.0
    triangles = np.arange(3000).reshape(-1, 3)
    welded, renumbered = weld(points, triangles)
    unique, inverse = np.unique(points + 0.0, axis=0, return_inverse=True)
    rows = inverse.reshape(-1)[triangles]
    kept = rows[(rows[:, 0] != rows[:, 1]) & (rows[:, 1] != rows[:, 2]) & (rows[:, 0] != rows[:, 2])]
    assert np.array_equal(welded[renumbered], unique[kept])
    assert len(welded) == len(np.unique(kept))
