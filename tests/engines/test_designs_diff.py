"""Differences of solids against arithmetic, against a second program's volumes, and against their own laws."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from designs.engine.diff import booleans, compare, sampled
from designs.engine.diff.drawings import line_lengths
from designs.engine.diff.solids import NotSolid, solid
from designs.engine.load import load
from designs.engine.model import Model, Part, weld
from tests.engines.test_designs_engine import BOX, BOX_FACES, stl

SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "../shared")) / "data/designs"


def model(*shapes: "trimesh.Trimesh | tuple[np.ndarray, np.ndarray]") -> Model:
    """Shapes as a model of that many parts."""
    pairs = [(s.vertices, s.faces) if isinstance(s, trimesh.Trimesh) else s for s in shapes]
    return Model(tuple(Part("", *weld(np.asarray(p, float), np.asarray(t, np.int64))) for p, t in pairs), "mm")


def box(low: tuple[float, ...], high: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """An axis-aligned box."""
    return BOX / BOX.max(axis=0) * (np.array(high) - low) + low, BOX_FACES


def drilled(sides: int = 48, radius: float = 3.0, height: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """The box (0, 0, 0)-(30, 20, height) with a straight hole of a regular polygon through its middle."""
    turns = np.arange(sides) * 2 * np.pi / sides
    across = np.stack([np.cos(turns), np.sin(turns)], 1)
    reach = np.min(np.array([15.0, 10.0]) / np.maximum(np.abs(across), 1e-12), axis=1)
    corners = np.array([[15, 10], [-15, 10], [-15, -10], [15, -10]], float)
    outer = across * reach[:, None]
    rim = sorted([(math.atan2(y, x), x, y) for x, y in [*outer.tolist(), *corners.tolist()]])
    outer = np.array(
        [[x, y] for at, (_, x, y) in enumerate(rim) if at == 0 or math.dist(rim[at - 1][1:], (x, y)) > 1e-9]
    )
    inner = across * radius
    n, m = len(outer), len(inner)
    points2 = np.concatenate([outer, inner]) + np.array([15, 10])
    cap, i, j = [], 0, 0
    angle_o, angle_i = np.arctan2(*outer.T[::-1]), np.arctan2(*inner.T[::-1])
    order = np.argsort(angle_i)
    inner_ids = (n + order).tolist()
    angle_i = angle_i[order]
    while i < n or j < m:  # walk both rims and join them with triangles
        if j >= m or (i < n and angle_o[i] <= angle_i[j]):
            cap.append([i % n, (i + 1) % n, inner_ids[j % m]])
            i += 1
        else:
            cap.append([inner_ids[(j + 1) % m], inner_ids[j % m], i % n])
            j += 1
    top = np.array(cap)
    count = n + m
    walls = [[a, (a + 1) % n] for a in range(n)] + [[inner_ids[(a + 1) % m], inner_ids[a]] for a in range(m)]
    faces = [*(top + count).tolist(), *top[:, ::-1].tolist()]
    for a, b in walls:
        faces += [[a, b, b + count], [a, b + count, a + count]]
    points = np.concatenate([np.c_[points2, np.zeros(count)], np.c_[points2, np.full(count, height)]])
    return points, np.array(faces)


def figures(base: Model, head: Model) -> dict[str, float]:
    return compare.measured(base, head)[0]


def test_a_drilled_hole_is_the_polygon_times_the_height() -> None:
    found = figures(model(box((0, 0, 0), (30, 20, 10))), model(drilled()))
    hole = 48 / 2 * 3**2 * math.sin(2 * math.pi / 48) * 10
    assert found["method"] == "boolean"
    assert found["removed_mm3"] == pytest.approx(hole, abs=1e-3)
    assert found["added_mm3"] == 0
    assert found["common_mm3"] == pytest.approx(6000 - hole, abs=1e-3)
    assert found["where_mm"] == [pytest.approx([12, 7, 0], abs=1e-2), pytest.approx([18, 13, 10], abs=1e-2)]


def test_a_shifted_box_gains_what_it_loses() -> None:
    found = figures(model(box((0, 0, 0), (30, 20, 10))), model(box((0.3, 0, 0), (30.3, 20, 10))))
    assert found["added_mm3"] == found["removed_mm3"] == pytest.approx(0.3 * 20 * 10)
    assert found["common_mm3"] == pytest.approx(29.7 * 20 * 10)
    assert found["max_deviation_mm"] == pytest.approx(0.3, abs=1e-6)


def test_a_ball_in_a_ball_differs_by_the_shell_as_trimesh_measures_it() -> None:
    small, large = trimesh.creation.icosphere(3, 9.0), trimesh.creation.icosphere(3, 10.0)
    found = figures(model(small), model(large))
    assert found["added_mm3"] == pytest.approx(large.volume - small.volume, rel=1e-6)
    assert found["removed_mm3"] == 0
    # Two concentric polyhedra of the same cut: nowhere nearer than the faces, nowhere farther than the corners.
    assert 0.95 < found["max_deviation_mm"] <= 1.0 + 1e-9


def test_a_cavity_stays_a_cavity_and_a_ball_in_it_a_ball() -> None:
    outer, hollow, ball = (trimesh.creation.box(extents=[s] * 3) for s in (30, 20, 6))
    hollow.invert()
    soup = trimesh.util.concatenate([outer, hollow, ball])
    found = solid(model(soup))
    assert found.volume_mm3 == pytest.approx(30**3 - 20**3 + 6**3)
    against = figures(model(trimesh.util.concatenate([outer, hollow])), model(soup))
    assert (against["added_mm3"], against["removed_mm3"]) == (pytest.approx(6**3), 0)


def test_parts_that_overlap_count_once() -> None:
    pair = model(box((0, 0, 0), (10, 10, 10)), box((5, 0, 0), (15, 10, 10)))
    assert solid(pair).volume_mm3 == pytest.approx(1500)
    found = figures(pair, model(box((0, 0, 0), (15, 10, 10))))
    assert (found["added_mm3"], found["removed_mm3"]) == (0, 0)
    assert found["common_mm3"] == pytest.approx(1500)


def test_a_file_turned_inside_out_is_the_same_material() -> None:
    points, faces = box((0, 0, 0), (30, 20, 10))
    found = figures(model((points, faces)), model((points, faces[:, ::-1])))
    assert (found["added_mm3"], found["removed_mm3"], found["common_mm3"]) == (0, 0, pytest.approx(6000))


@pytest.mark.parametrize("missing", [1, 2, 5])
@pytest.mark.parametrize("side", ["before", "after"])
def test_an_open_mesh_never_reads_no_change(missing: int, side: str) -> None:
    whole, cut = model((BOX, BOX_FACES)), model((BOX, BOX_FACES[:-missing]))
    found = figures(whole, cut) if side == "after" else figures(cut, whole)
    assert found["method"] == "sampled"
    assert found["why"] == [f"open-{side}"]
    assert found["added_mm3"] is found["removed_mm3"] is found["common_mm3"] is None
    assert found["max_deviation_mm"] > 1
    same = figures(cut, cut)
    assert same["method"] == "sampled"
    assert same["added_mm3"] is None


def test_cut_to_what_changed_gives_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = trimesh.creation.torus(20.0, 6.0, major_sections=96, minor_sections=48)
    import manifold3d

    body = manifold3d.Manifold(manifold3d.Mesh64(np.array(ring.vertices), np.array(ring.faces, np.uint64)))
    changed = body - manifold3d.Manifold.cylinder(40, 1.5, 1.5, 32, True).translate([20, 0, 0])
    changed += manifold3d.Manifold.cube([3, 3, 20], True).translate([-20, 0, 0])
    mesh = changed.to_mesh64()
    head = model((np.array(mesh.vert_properties), np.array(mesh.tri_verts)))
    base = model(ring)
    found = booleans.changed(solid(base).skin, solid(head).skin)
    assert found.only_base.mean() < 0.2
    cropped = booleans.compare(solid(base), solid(head))
    monkeypatch.setattr(booleans, "MOST_CROPPED", 0.0)
    whole = booleans.compare(solid(base), solid(head))
    for name in ("added_mm3", "removed_mm3", "common_mm3"):
        assert getattr(cropped, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-9)
    assert cropped.added_mm3 == pytest.approx((changed - body).volume())
    assert len(cropped.same.triangles) < 1.2 * len(whole.same.triangles)


def test_triangles_in_another_order_are_no_change() -> None:
    points, faces = drilled()
    turned = np.roll(faces[::-1], 1, axis=1)
    found = figures(model((points, faces)), model((points[::-1], len(points) - 1 - turned)))
    assert (found["method"], found["added_mm3"], found["removed_mm3"]) == ("boolean", 0.0, 0.0)


side = st.floats(0.5, 20).map(lambda x: round(x, 3))
corner = st.floats(-10, 10).map(lambda x: round(x, 3))
boxes = st.tuples(corner, corner, corner, side, side, side).map(
    lambda b: (tuple(b[:3]), tuple(lo + s for lo, s in zip(b[:3], b[3:], strict=True)))
)


@settings(max_examples=60, deadline=None)
@given(boxes, boxes)
def test_boxes_obey_arithmetic_and_the_laws(a: tuple, b: tuple) -> None:
    first, second = solid(model(box(*a))), solid(model(box(*b)))
    found, back = booleans.compare(first, second), booleans.compare(second, first)
    both = math.prod(max(0.0, min(p, q) - max(r, s)) for r, p, s, q in zip(*a, *b, strict=True))
    volume = [math.prod(np.subtract(high, low)) for low, high in (a, b)]
    dust = 1e-5 * max(volume)
    assert found.common_mm3 == pytest.approx(both, abs=dust)
    assert found.removed_mm3 == pytest.approx(volume[0] - both, abs=dust)
    assert found.added_mm3 == pytest.approx(volume[1] - both, abs=dust)
    assert (back.added_mm3, back.removed_mm3) == (
        pytest.approx(found.removed_mm3, abs=dust), pytest.approx(found.added_mm3, abs=dust),
    )  # fmt: skip
    nothing = booleans.compare(first, solid(model(box(*a))))
    assert (nothing.added_mm3, nothing.removed_mm3) == (0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 12), min_size=1, max_size=30))
def test_distance_to_a_triangle_is_trimeshs(rows: list[tuple[float, ...]]) -> None:
    numbers = np.array(rows).reshape(-1, 4, 3)
    points, corners = numbers[:, 0], numbers[:, 1:]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    points, corners = points[area > 1e-3], corners[area > 1e-3]
    if len(points):
        there = trimesh.triangles.closest_point(corners, points)
        expected = np.linalg.norm(there - points, axis=1)
        assert sampled.to_triangles(points, corners) == pytest.approx(expected, abs=1e-6)


def test_two_sheets_are_as_far_apart_as_they_are() -> None:
    sheet = np.array([[0, 0, 0], [40, 0, 0], [40, 30, 0], [0, 30, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    far = sampled.deviation(Part("", sheet, faces), Part("", sheet + np.array([0, 0, 1.25]), faces))
    assert (far.base_to_head_mm, far.head_to_base_mm) == (pytest.approx(1.25), pytest.approx(1.25))
    assert far.mean_mm == pytest.approx(1.25)


def test_a_spike_on_one_corner_is_found() -> None:
    points, faces = trimesh.creation.icosphere(4, 20.0).vertices.copy(), trimesh.creation.icosphere(4, 20.0).faces
    spiked = points.copy()
    spiked[1234] *= 1.2
    far = sampled.deviation(Part("", points, faces), Part("", spiked, faces))
    assert far.head_to_base_mm == pytest.approx(4.0, rel=1e-3)


def test_the_sandbox_work_names_its_layers(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(stl(*box((0, 0, 0), (30, 20, 10))))
    (tmp_path / "head").write_bytes(stl(*box((0, 0, 2), (30, 20, 12))))
    out = tmp_path / "out"
    out.mkdir()
    compare.make(tmp_path, "stl/stl", out)
    assert json.loads((out / "result.json").read_text())["added_mm3"] == pytest.approx(30 * 20 * 2)
    scene = trimesh.load_scene(out / "model.glb")
    sizes = {name: scene.geometry[scene.graph[name][1]] for name in scene.graph.nodes_geometry}
    assert set(sizes) == {"same", "added", "removed"}
    # metres, y up: the added slab is 2 mm high at the top
    moved = trimesh.transform_points(sizes["added"].vertices, scene.graph["added"][0])
    assert np.ptp(moved, axis=0) == pytest.approx([0.030, 0.002, 0.020], abs=1e-5)


def test_files_that_cannot_be_read_say_which(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(stl(BOX, BOX_FACES))
    (tmp_path / "head").write_bytes(stl(BOX, BOX_FACES)[:200])
    compare.make(tmp_path, "stl/stl", tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["status"] == "failed"
    assert "after the change" in result["reason"]


def test_lines_of_a_drawing_are_told_apart() -> None:
    square = np.array([[0, 0], [40, 0], [40, 30], [0, 30], [0, 0]], float)
    slot = np.array([[10, 10], [20, 10]], float)
    assert line_lengths([square], [square[::-1], slot]) == (0, pytest.approx(10), pytest.approx(140))
    assert line_lengths([square, slot], [square]) == (pytest.approx(10), 0, pytest.approx(140))


def test_a_dxf_and_its_change_make_an_overlay(tmp_path: Path) -> None:
    import ezdxf
    from PIL import Image

    for name, radius in (("base", 5.0), ("head", 6.0)):
        document = ezdxf.new(units=4)
        document.modelspace().add_lwpolyline([(0, 0), (60, 0), (60, 40), (0, 40)], close=True)
        document.modelspace().add_circle((30, 20), radius)
        document.saveas(tmp_path / name)
    compare.make(tmp_path, "dxf/dxf", tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["method"] == "drawing"
    assert result["lines_same_mm"] == pytest.approx(200)
    assert result["lines_removed_mm"] == pytest.approx(2 * math.pi * 5, rel=2e-3)
    assert result["lines_added_mm"] == pytest.approx(2 * math.pi * 6, rel=2e-3)
    picture = np.asarray(Image.open(tmp_path / "picture.png")).astype(int)
    drawn = picture[picture[..., 3] > 200][:, :3]
    assert (drawn[:, 2] > drawn[:, 0] + 80).any()  # blue: new
    assert (drawn[:, 0] > drawn[:, 2] + 80).any()  # orange: gone


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the reference data of LIVINGCITY_SHARED")
@pytest.mark.parametrize(
    "name", ["Original-Prusa-i3/Printed-Parts/STL/y-belt-idler.stl", "nimble/mechanical/Legacy/STLs/top.stl"]
)
def test_real_parts_drilled_lose_what_the_second_program_says(name: str) -> None:
    base = load(SHARED / name, "stl")
    try:
        body = solid(base)
    except NotSolid:
        pytest.fail(f"{name} was closed when this test was written")
    middle = base.bounds().mean(axis=0)
    whole = trimesh.Trimesh(base.parts[0].points, base.parts[0].triangles, process=False)
    pin = trimesh.creation.cylinder(2.0, 500.0, sections=24).apply_translation(middle)
    rest = trimesh.boolean.difference([whole, pin], engine="manifold")
    found = figures(base, model(rest))
    assert found["method"] == "boolean"
    assert found["removed_mm3"] == pytest.approx(whole.volume - rest.volume, abs=2e-6 * whole.volume)
    assert found["added_mm3"] == pytest.approx(0, abs=2e-6 * whole.volume)
    assert body.volume_mm3 == pytest.approx(whole.volume, rel=1e-6)
