"""Thin walls, overhangs and flat faces against shapes whose numbers arithmetic gives; turned, moved and scaled."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs.engine import printing, walls
from designs.engine.facts import Facts, facts
from designs.engine.load import load
from designs.engine.model import Model, Part, weld
from designs.engine.surface import faces_of


def model(mesh: "object") -> Model:
    """A trimesh mesh as a model of one part."""
    points, triangles = np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int64)  # type: ignore[attr-defined]
    return Model((Part("", *weld(points, triangles)),), "mm")


def box(size: tuple[float, float, float], at: tuple[float, float, float] = (0, 0, 0)) -> "object":
    import trimesh

    made = trimesh.creation.box(size)
    made.apply_translation(np.asarray(at) + np.asarray(size) / 2)
    return made


def hollow(wall: float) -> "object":
    """A closed box of 40 x 30 x 20 mm around an empty one, `wall` mm thick all round."""
    import trimesh

    outer, inner = box((40, 30, 20)), box((40 - 2 * wall, 30 - 2 * wall, 20 - 2 * wall), (wall, wall, wall))
    inner.invert()
    return trimesh.util.concatenate([outer, inner])


def tee() -> "object":
    """A stem of 10 x 10 x 20 mm under a bar of 40 x 10 x 5 mm, joined by manifold3d."""
    import trimesh

    return trimesh.boolean.union([box((10, 10, 20), (15, 0, 0)), box((40, 10, 5), (0, 0, 20))], engine="manifold")


def inverted_pyramid(height: float) -> "object":
    """On its tip: a square of 20 mm above, four sides that lean out."""
    import trimesh

    points = [[0, 0, 0], [-10, -10, height], [10, -10, height], [10, 10, height], [-10, 10, height]]
    return trimesh.Trimesh(points, [[0, 2, 1], [0, 3, 2], [0, 4, 3], [0, 1, 4], [1, 2, 3], [1, 3, 4]], process=False)


@pytest.mark.parametrize("wall", [0.4, 1.2, 3.0])
def test_the_wall_of_a_hollow_box_is_measured(wall: float) -> None:
    found = facts(model(hollow(wall)))
    assert found.watertight
    assert found.thinnest_wall_mm == pytest.approx(wall, abs=0.002)
    at = np.asarray(found.thinnest_wall_at_mm)
    inside = (at > wall - 1e-3).all() and (at < np.array([40, 30, 20]) - wall + 1e-3).all()
    on_a_side = np.abs(at) < 1e-3
    assert inside or on_a_side.any() or (np.abs(at - [40, 30, 20]) < 1e-3).any()


@given(sides=st.tuples(*[st.floats(1, 200)] * 3))
@settings(max_examples=25, deadline=None)
def test_a_solid_box_is_as_thick_as_its_shortest_side(sides: tuple[float, float, float]) -> None:
    body = model(box(sides))
    found = walls.thinnest(body, [faces_of(p) for p in body.parts])
    assert found is not None
    assert found.thickness_mm == pytest.approx(min(sides), rel=1e-4)


def test_a_thin_fin_is_found_though_it_is_a_small_part_of_the_surface() -> None:
    import trimesh

    finned = trimesh.boolean.union([box((60, 40, 30)), box((20, 0.5, 15), (10, 20, 25))], engine="manifold")
    found = facts(model(finned))
    assert found.thinnest_wall_mm == pytest.approx(0.5, abs=0.002)
    assert found.thinnest_wall_at_mm is not None
    assert found.thinnest_wall_at_mm[2] > 30


def test_an_open_shape_has_no_known_wall_and_no_known_overhang() -> None:
    import trimesh

    whole = hollow(1.2)
    found = facts(model(trimesh.Trimesh(whole.vertices, whole.faces[1:], process=False)))
    assert (found.thinnest_wall_mm, found.thinnest_wall_at_mm, found.overhang_share) == (None, None, None)


def test_the_arms_of_a_tee_hang_and_turning_it_over_helps() -> None:
    body = tee()
    area = 2 * (10 * 20 + 40 * 5) + 10 * (40 + 5 + 15 + 20 + 10 + 20 + 15 + 5)
    assert body.area == pytest.approx(area)
    found = facts(model(body))
    assert found.overhang_share == pytest.approx(300 / area, abs=1e-4)
    assert (found.overhang_best_share, found.best_up) == (0, "-z")
    assert found.largest_flat_mm2 == pytest.approx(400)


def test_a_slope_of_45_degrees_stands_and_a_flatter_one_hangs() -> None:
    body = model(inverted_pyramid(10))
    assert printing.overhang(body, [faces_of(p) for p in body.parts]).as_drawn == 0
    body = model(inverted_pyramid(9))
    slant = 4 * 20 * math.hypot(10, 9) / 2
    hang = printing.overhang(body, [faces_of(p) for p in body.parts])
    assert hang.as_drawn == pytest.approx(slant / (slant + 400))
    assert (hang.best, hang.best_up) == (0, "-z")


def test_an_inside_out_tee_hangs_as_the_tee_does() -> None:
    right, wrong = tee(), tee()
    wrong.invert()
    assert facts(model(wrong)).overhang_share == facts(model(right)).overhang_share
    assert facts(model(wrong)).thinnest_wall_mm == pytest.approx(facts(model(right)).thinnest_wall_mm)


def test_a_flat_face_of_many_triangles_counts_whole() -> None:
    import trimesh

    body = trimesh.creation.cylinder(20, 8, sections=720)
    assert facts(model(body.subdivide())).largest_flat_mm2 == pytest.approx(body.facets_area.max(), rel=1e-6)


def turned(mesh: "object", angles: tuple[float, float, float], shift: tuple[float, float, float]) -> "object":
    import trimesh

    copy = mesh.copy()  # type: ignore[attr-defined]
    copy.apply_transform(trimesh.transformations.euler_matrix(*angles))
    copy.apply_translation(shift)
    return copy


angle, distance = st.floats(-math.pi, math.pi), st.floats(-500, 500)


@given(angles=st.tuples(angle, angle, angle), shift=st.tuples(distance, distance, distance))
@settings(max_examples=20, deadline=None)
def test_turning_and_moving_changes_neither_volume_nor_wall_nor_flat_face(
    angles: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    still, moved = facts(model(hollow(1.2))), facts(model(turned(hollow(1.2), angles, shift)))
    same(still, moved, 1.0)
    assert moved.thinnest_wall_mm == pytest.approx(1.2, abs=0.005)


@given(by=st.floats(0.05, 40))
@settings(max_examples=20, deadline=None)
def test_scaling_scales_lengths_areas_and_volumes_and_no_share(by: float) -> None:
    large = tee()
    large.apply_scale(by)
    still, scaled = facts(model(tee())), facts(model(large))
    same(still, scaled, by)
    assert scaled.overhang_share == still.overhang_share
    assert scaled.best_up == still.best_up


def same(still: Facts, other: Facts, by: float) -> None:
    """Equal but for the scale; figures are rounded to a thousandth."""
    assert (other.triangles, other.watertight, other.parts) == (still.triangles, still.watertight, still.parts)
    for name, power in (("volume_mm3", 3), ("area_mm2", 2), ("largest_flat_mm2", 2), ("thinnest_wall_mm", 1)):
        value = getattr(still, name)
        assert value is not None
        assert getattr(other, name) == pytest.approx(value * by**power, rel=2e-3, abs=1e-3)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["print-fan-support", "LCD-knob", "y-belt-idler"])
def test_real_parts_have_walls_that_a_printer_can_make_and_lie_on_their_largest_flat_face(
    shared: Path, name: str
) -> None:
    import trimesh

    path = shared / f"data/designs/Original-Prusa-i3/Printed-Parts/STL/{name}.stl"
    found = facts(load(path, "stl"))
    mesh = trimesh.load(path)
    assert found.watertight
    assert found.volume_mm3 == pytest.approx(mesh.volume, rel=1e-4)
    assert found.thinnest_wall_mm is not None
    assert 0.4 < found.thinnest_wall_mm < min(found.extents_mm)
    assert found.largest_flat_mm2 is not None
    # A facet of trimesh hangs together; ours is all that lies in the plane.
    assert found.largest_flat_mm2 >= float(mesh.facets_area.max()) * 0.999
    assert found.overhang_share is not None
    assert found.overhang_share >= found.overhang_best_share >= 0
