"""Drawings against shapes whose cut is known by arithmetic, and against a second reader of DXF."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import ezdxf
import numpy as np
import pytest
from ezdxf.layouts import Modelspace
from hypothesis import given, settings
from hypothesis import strategies as st

from designs.engine import drawing
from designs.engine.errors import Unreadable
from designs.engine.flat import cutting, svg_path
from designs.engine.flat.contours import Line
from designs.engine.precheck import check


def svg_of(body: str, head: str = 'width="100mm" height="80mm" viewBox="0 0 100 80"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{body}</svg>'.encode()


def facts_of(tmp_path: Path, content: bytes, kind: str = "svg") -> dict:
    path = tmp_path / f"d.{kind}"
    path.write_bytes(content)
    check(path, kind)
    return drawing.draw(path, kind)[2].as_json()


def dxf_of(draw: Callable[[Modelspace], object], unit: int = 4) -> bytes:
    document = ezdxf.new("R2010")
    document.header["$INSUNITS"] = unit
    draw(document.modelspace())
    out = io.StringIO()
    document.write(out)
    return out.getvalue().encode()


RECT = 'fill="none" stroke="red"'


def test_a_plate_with_a_hole(tmp_path: Path) -> None:
    found = facts_of(
        tmp_path, svg_of(f'<g {RECT}><rect x="10" y="10" width="60" height="40"/><circle cx="40" cy="30" r="10"/></g>')
    )
    more = found["more"]
    assert more["cut_mm"] == pytest.approx(200 + 20 * math.pi, rel=1e-3)
    assert more["area_mm2"] == pytest.approx(2400 - 100 * math.pi, rel=1e-3)
    assert (more["closed"], more["open"], more["gap_count"], more["doubled_mm"]) == (2, 0, 0, 0)
    assert found["extents_mm"] == (100, 80, 0)
    assert more["box_mm"] == [60, 40]
    assert [layer["name"] for layer in more["layers"]] == ["red"]


@pytest.mark.parametrize(
    ("head", "width"),
    [('width="10cm" height="8cm" viewBox="0 0 100 80"', 100),
     ('width="4in" height="3.2in" viewBox="0 0 100 80"', 101.6),
     ('viewBox="0 0 96 96"', 25.4), ('width="96" height="96"', 25.4), ('width="192px" height="192px"', 50.8)],
)  # fmt: skip
def test_units_of_svg(tmp_path: Path, head: str, width: float) -> None:
    found = facts_of(tmp_path, svg_of(f'<rect {RECT} width="10" height="10"/>', head))
    assert found["extents_mm"][0] == pytest.approx(width)
    said = any("names no unit" in warning for warning in found["warnings"])
    assert said is (found["units"] == "px")


def test_a_nearly_closed_contour_is_a_gap_of_its_size(tmp_path: Path) -> None:
    more = facts_of(tmp_path, svg_of(f'<path {RECT} d="M0 0H50V50H0V0.4"/>'))["more"]
    assert (more["closed"], more["open"], more["gap_count"]) == (0, 1, 1)
    assert more["largest_gap_mm"] == pytest.approx(0.4)
    assert more["area_mm2"] == 0


def test_lines_of_a_rectangle_join_and_what_lies_double_is_said(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        corners = [(0, 0), (50, 0), (50, 30), (0, 30)]
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            space.add_line(a, b)
        space.add_line((10, 30), (30, 30))

    found = facts_of(tmp_path, dxf_of(draw), "dxf")
    assert found["more"]["doubled_mm"] == pytest.approx(20)
    assert any("cut twice" in warning for warning in found["warnings"])


def test_a_ring_drawn_twice_keeps_its_area(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        space.add_lwpolyline([(0, 0), (20, 0), (20, 20), (0, 20)], close=True)
        space.add_lwpolyline([(20, 20), (0, 20), (0, 0), (20, 0)], close=True)

    more = facts_of(tmp_path, dxf_of(draw), "dxf")["more"]
    assert more["area_mm2"] == pytest.approx(400)
    assert more["doubled_mm"] == pytest.approx(80)
    assert more["closed"] == 1


@pytest.mark.parametrize(("unit", "scale"), [(1, 25.4), (4, 1), (5, 10), (0, 1)])
def test_units_of_dxf(tmp_path: Path, unit: int, scale: float) -> None:
    found = facts_of(tmp_path, dxf_of(lambda s: s.add_circle((0, 0), 5, dxfattribs={"layer": "CUT"}), unit), "dxf")
    assert found["more"]["cut_mm"] == pytest.approx(10 * math.pi * scale, rel=1e-3)
    assert found["more"]["layers"][0]["name"] == "CUT"
    assert any("names no unit" in w for w in found["warnings"]) is (unit == 0)


def test_a_plate_of_278_metres_is_read_as_millimetres(tmp_path: Path) -> None:
    found = facts_of(tmp_path, dxf_of(lambda s: s.add_line((0, 0), (278, 50)), 6), "dxf")
    assert found["extents_mm"][:2] == (278, 50)
    assert any("278 m wide" in warning for warning in found["warnings"])


def test_blocks_are_drawn_where_they_are_placed(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        block = space.doc.blocks.new("HOLE")
        block.add_circle((0, 0), 2)
        for x in (0, 30, 60):
            space.add_blockref("HOLE", (x, 0), dxfattribs={"xscale": 2, "yscale": 2})

    found = facts_of(tmp_path, dxf_of(draw), "dxf")
    assert found["more"]["closed"] == 3
    assert found["more"]["cut_mm"] == pytest.approx(3 * 8 * math.pi, rel=1e-3)
    assert found["extents_mm"][:2] == pytest.approx((68, 8), abs=0.05)


def test_the_laser_s_time_is_cut_travel_and_starts() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], float)
    cut = cutting.cut_of([Line(square, "a"), Line(square + np.array([30, 0]), "a")])
    assert cut.travel_mm == pytest.approx(30)
    expected = 80 / 15 + 30 / cutting.TRAVEL_MM_S + 2 * cutting.START_S
    assert cut.laser_s["plywood 3 mm"] == pytest.approx(expected)


def test_every_command_of_paths() -> None:
    """A circle as two arcs with flags run together, a square by h and v, a parabola by q and t."""
    ring = np.vstack(list(svg_path.lines("M-5 0a5 5 0 0110 0 5 5 0 01-10 0z", 0.001)))
    assert np.hypot(*ring.T) == pytest.approx(5, abs=1e-6)
    square = next(iter(svg_path.lines("m1,1h2v2h-2z", 0.01)))
    assert square.tolist() == [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    curve = next(iter(svg_path.lines("M0 0Q1 2 2 0T4 0", 1e-4)))
    assert curve[-1].tolist() == [4, 0]
    assert curve[:, 1].max() == pytest.approx(1, abs=1e-3)
    assert curve[:, 1].min() == pytest.approx(-1, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360), st.floats(0.1, 20), st.floats(-500, 500))
def test_a_turned_moved_scaled_part_is_the_same_part(angle: float, scale: float, shift: float) -> None:
    points = np.array([[0, 0], [40, 0], [40, 10], [25, 10], [25, 30], [0, 30], [0, 0]], float)
    hole = np.array([[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]], float)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = scale * np.array([[c, -s], [s, c]])
    lines = [Line(part[i : i + 2] @ turn.T + shift, "x") for part in (points, hole) for i in range(len(part) - 1)]
    cut = cutting.cut_of(lines)
    assert (cut.closed, cut.open) == (2, 0)
    assert cut.length_mm == pytest.approx(180 * scale, rel=1e-6)
    assert cut.area_mm2 == pytest.approx((40 * 10 + 25 * 20 - 100) * scale**2, rel=1e-6)
    assert cut.doubled_mm == 0


def test_a_transformed_shape_lands_where_browsers_put_it(tmp_path: Path) -> None:
    body = f'<g transform="translate(10 20) rotate(90)"><rect {RECT} width="20" height="10" transform="scale(2)"/></g>'
    more = facts_of(tmp_path, svg_of(body))["more"]
    assert more["box_mm"] == [20, 40]
    assert more["cut_mm"] == pytest.approx(120)


def test_a_used_shape_counts_each_time_and_hidden_ones_never(tmp_path: Path) -> None:
    body = (
        '<style>.no{display:none} .c{stroke:#00f;fill:none}</style><defs><rect id="r" width="10" height="10"/></defs>'
        '<use href="#r" class="c"/><use href="#r" x="20" class="c"/><use href="#r" x="40" class="no"/>'
    )
    more = facts_of(tmp_path, svg_of(body))["more"]
    assert more["cut_mm"] == pytest.approx(80)
    assert more["layers"] == [{"name": "#00f", "lines": 2, "cut_mm": 80}]


HOSTILE = {
    "svg that uses itself": ("svg", svg_of('<g id="a"><use href="#a"/><use href="#a"/></g>')),
    "svg of doublings": (
        "svg", svg_of("<defs>" + '<g id="g0"><rect width="1" height="1"/></g>' + "".join(
            f'<g id="g{i + 1}"><use href="#g{i}"/><use href="#g{i}"/></g>' for i in range(40))
            + '</defs><use href="#g40"/>')),
    "svg of entities": ("svg", b'<!DOCTYPE s [<!ENTITY a "b">]><svg viewBox="0 0 1 1">&a;</svg>'),
    "svg of an outside entity": ("svg", b'<!DOCTYPE s SYSTEM "file:///etc/passwd"><svg>&x;</svg>'),
    "svg of nothing": ("svg", b'<svg viewBox="0 0 0 0"/>'),
    "svg too large": ("svg", svg_of("", 'width="1e300mm" height="1mm"')),
    "svg without an end": ("svg", b'<svg viewBox="0 0 1 1"><path d="M0 0"'),
    "dxf of words": ("dxf", b"this is no drawing at all, only words\n" * 20),
    "dxf of nothing": ("dxf", dxf_of(lambda s: None)),
    "dxf of nan": ("dxf", dxf_of(lambda s: s.add_line((0, 0), (float("nan"), 1)))),
    "dxf beyond size": ("dxf", dxf_of(lambda s: s.add_line((0, 0), (1e12, 1)))),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_drawings_are_a_sentence(tmp_path: Path, name: str) -> None:
    kind, content = HOSTILE[name]
    with pytest.raises(Unreadable, match=r"\.$"):
        facts_of(tmp_path, content, kind)


@pytest.mark.parametrize("name", ["MK3-rear-plate.dxf"])
def test_a_real_plate_as_a_second_reader_reads_it(shared: Path, name: str) -> None:
    """The oracle is trimesh's own path reader."""
    import trimesh

    path = next((shared / "data" / "designs").rglob(name))
    second = trimesh.load_path(str(path))
    more = drawing.draw(path, "dxf")[2].as_json()["more"]
    assert more["cut_mm"] == pytest.approx(second.length, rel=1e-4)
    assert more["area_mm2"] == pytest.approx(second.area, rel=1e-4)
