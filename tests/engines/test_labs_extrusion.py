"""Which mesh a program lays down: profiles against formulas, and against PrusaSlicer where it is installed."""

import contextlib
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine import extrusion
from labs.engine.extrusion import comparing, profiles, program, work

Box = tuple[float, float, float, float, float, float]
needs_prusaslicer = pytest.mark.skipif(shutil.which("prusa-slicer") is None, reason="needs the program prusa-slicer")

#: Shapes of boxes (x0, y0, z0, x1, y1, z1): none is another turned.
SHAPES: dict[str, list[Box]] = {
    "stairs": [(0, 0, 0, 40, 20, 6), (0, 0, 6, 25, 20, 12), (0, 0, 12, 10, 20, 18)],
    "angle": [(0, 0, 0, 30, 8, 20), (0, 8, 0, 8, 45, 20)],
    "ring": [(0, 0, 0, 40, 8, 10), (0, 32, 0, 40, 40, 10), (0, 8, 0, 8, 32, 10), (32, 8, 0, 40, 32, 10)],
    "plate": [(0, 0, 0, 40, 40, 10)],
    "tee": [(0, 0, 0, 50, 10, 8), (20, 10, 0, 30, 35, 8), (20, 10, 8, 30, 20, 25)],
}


def mesh(boxes: list[Box]) -> tuple[np.ndarray, np.ndarray]:
    points, triangles = [], []
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    for number, (x0, y0, z0, x1, y1, z1) in enumerate(boxes):
        points += [(x, y, z) for z in (z0, z1) for y in (y0, y1) for x in (x0, x1)]
        for a, b, c, d in quads:
            triangles += [[8 * number + n for n in corners] for corners in ((a, b, c), (a, c, d))]
    return np.array(points, float), np.array(triangles)


def stl(path: Path, boxes: list[Box]) -> Path:
    points, triangles = mesh(boxes)
    rows = b"".join(struct.pack("<12fH", -1.0, -1.0, -1.0, *points[t].ravel(), 0) for t in triangles)
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(triangles)) + rows)
    return path


def turned(points: np.ndarray, degrees: float, move: tuple[float, float] = (0, 0)) -> np.ndarray:
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return points @ turn.T + np.array([*move, 0.0])


def index() -> tuple[list[str], list[extrusion.Profile]]:
    found = [(name, one) for name, boxes in SHAPES.items() for _up, one in extrusion.of_mesh(*mesh(boxes))]
    return [name for name, _one in found], [one for _name, one in found]


def test_a_box_has_the_hull_area_and_outline_of_the_formula() -> None:
    (_up, one), *_others = extrusion.of_mesh(*mesh([(0, 0, 0, 30, 20, 10)]))
    assert one.height_mm == 10
    assert one.area_mm2 == pytest.approx(600)
    assert one.outline_mm == pytest.approx(100)
    assert one.girth_mm == pytest.approx(100, rel=2e-3)
    assert one.hull_mm2 == pytest.approx(600, rel=5e-3)


def test_a_hole_is_taken_from_the_area_and_not_from_the_hull() -> None:
    ring, plate = (extrusion.of_mesh(*mesh(SHAPES[name]))[0][1] for name in ("ring", "plate"))
    assert plate.hull_mm2 == pytest.approx(ring.hull_mm2)
    assert plate.area_mm2[12] - ring.area_mm2[12] == pytest.approx(24 * 24)


@settings(deadline=None, max_examples=40)
@given(degrees=st.floats(0, 360), x=st.floats(-200, 200), y=st.floats(-200, 200), name=st.sampled_from(sorted(SHAPES)))
def test_turning_and_moving_changes_nothing(degrees: float, x: float, y: float, name: str) -> None:
    points, triangles = mesh(SHAPES[name])
    (_u, one), (_v, other) = (
        extrusion.of_mesh(p, triangles, ("+z",))[0] for p in (points, turned(points, degrees, (x, y)))
    )
    match = comparing.distance(one, other)
    # 64 directions meet other corners when a shape is turned
    assert match.mm < 0.1 + 0.002 * one.girth_mm
    assert match.area_mm == pytest.approx(0, abs=1e-6)


def test_a_profile_survives_being_packed() -> None:
    for _up, one in extrusion.of_mesh(*mesh(SHAPES["tee"])):
        again = extrusion.unpack(extrusion.pack(one))
        assert comparing.distance(one, again).mm < 0.03
    with pytest.raises(ValueError, match="length"):
        extrusion.unpack(b"no profile")


LAYER, WIDTH = 0.2, 0.45


def printed(boxes: list[Box], *, degrees: float = 0.0, relative: bool = True, header: str = "", kind: str = "TYPE",
            absolute_moves: bool = True) -> bytes:  # fmt: skip
    """A program that draws the outline of one box a layer, its beads' edge on the box, with G-code of its own."""
    lines = [header, "M83" if relative else "M82", "G90" if absolute_moves else "G91", "G92 E0"]
    e, at = 0.0, np.zeros(2)
    bead = LAYER * (WIDTH - LAYER * (1 - np.pi / 4)) / (np.pi * 1.75**2 / 4)

    def go(to: np.ndarray, feed: float, z: float | None = None) -> None:
        nonlocal e, at
        e += feed
        way = to if absolute_moves else to - at
        lines.append(
            f"G1 X{way[0]:.4f} Y{way[1]:.4f}"
            + (f" Z{z:.3f}" if z is not None and absolute_moves else "")
            + (f" E{feed if relative else e:.5f}" if feed else "")
        )
        at = to

    last_z = 0.0
    top = max(box[5] for box in boxes)
    for number in range(round(top / LAYER)):
        z = (number + 1) * LAYER
        for x0, y0, z0, x1, y1, z1 in boxes:
            if not z0 < z - LAYER / 2 < z1:
                continue
            h = WIDTH / 2
            corners = np.array([(x0 + h, y0 + h), (x1 - h, y0 + h), (x1 - h, y1 - h), (x0 + h, y1 - h)])
            corners = turned(np.column_stack([corners, np.zeros(4)]), degrees, (100, 100))[:, :2]
            if not absolute_moves and z != last_z:
                lines.append(f"G1 Z{z - last_z:.3f}")
            last_z = z
            go(corners[0], 0.0, z)
            lines.append(f";{kind}:External perimeter" if kind == "TYPE" else f"; {kind}: Outer wall")
            for corner in (*corners[1:], corners[0]):
                go(corner, float(np.hypot(*(corner - at))) * bead)
            lines.append(f";{kind}:Skirt" if kind == "TYPE" else f"; {kind}: Skirt")
            go(corners[0] + 60, 0.0)
            go(corners[0] + 65, 0.3)
    return "\n".join(lines).encode()


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("absolute_moves", [True, False])
@pytest.mark.parametrize("kind", ["TYPE", "FEATURE"])
def test_what_a_program_lays_down_is_as_large_as_the_formula_says(
    relative: bool, absolute_moves: bool, kind: str
) -> None:
    raw = printed([(0, 0, 0, 30, 20, 10)], degrees=33, relative=relative, kind=kind, absolute_moves=absolute_moves)
    whole, *others = extrusion.of_program(extrusion.read(raw))
    assert not others, "the skirt is no object"
    assert whole.profile.height_mm == pytest.approx(10)
    assert np.nanmedian(whole.profile.area_mm2) == pytest.approx(600, rel=0.01)
    assert whole.profile.girth_mm == pytest.approx(100, rel=0.01)


def test_a_program_is_found_among_meshes_whatever_its_turn() -> None:
    names, others = index()
    for degrees in (0, 17, 123.4, 300):
        for name in ("stairs", "plate"):
            one = extrusion.of_program(extrusion.read(printed(SHAPES[name], degrees=degrees)))[0].profile
            ranked = extrusion.rank(one, others)
            assert names[ranked[0][0]] == name
            assert comparing.close(ranked, one)


def test_what_no_mesh_looks_like_is_not_found() -> None:
    _names, others = index()
    for box in [(0, 0, 0, 47, 20, 10), (0, 0, 0, 12, 9, 60)]:
        one = extrusion.of_program(extrusion.read(printed([box])))[0].profile
        assert comparing.close(extrusion.rank(one, others), one) == []


def test_several_pieces_on_a_plate_are_one_thing_several_times() -> None:
    apart = [(0, 0, 0, 30, 20, 10), (50, 0, 0, 80, 20, 10), (0, 40, 0, 30, 60, 10)]
    whole, piece, *others = extrusion.of_program(extrusion.read(printed(apart)))
    assert whole.whole
    assert (piece.count, piece.whole, others) == (3, False, [])
    assert piece.profile.girth_mm == pytest.approx(100, rel=0.01)
    assert piece.share == pytest.approx(1.0)


def test_arcs_are_as_round_as_they_are() -> None:
    lines = ["M83"]
    for number in range(40):
        z, r = (number + 1) * 0.2, 14.775
        lines += [f"G1 X{r} Y0 Z{z:.2f}", ";TYPE:WALL-OUTER", f"G2 X{-r} Y0 I{-r} J0 E1.6", f"G2 X{r} Y0 I{r} J0 E1.6"]
        lines += [";TYPE:SKIRT"]
    one = extrusion.of_program(extrusion.read("\n".join(lines).encode()))[0].profile
    assert one.girth_mm == pytest.approx(2 * np.pi * 15, rel=0.02)
    assert np.nanmedian(one.area_mm2) == pytest.approx(np.pi * 15**2, rel=0.03)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no move"),
        (b"GCDE\0\0", "no text"),
        (b"G1 X5 Y5\nG0 Z3\n", "no filament"),
        (b"M83\nG1 X1000000 E1\nG1 X2000000 E1\n", "100 m"),
        (b"M83\n;TYPE:Skirt\n" + b"G1 X5 Y5 E1\nG1 X9 Y9 E1\n;TYPE:Skirt\n" * 9, "no part"),
        (b"M117 G1 X1 Y2 E3 hello\n" * 9, "no move"),
    ],
)
def test_what_cannot_be_compared_is_said(raw: bytes, why: str) -> None:
    with pytest.raises(extrusion.Unreadable, match=why):
        extrusion.of_program(extrusion.read(raw))


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400) | st.text("GXYZEMTK0123456789.;- \n\tTYPE:", max_size=400).map(str.encode))
def test_nothing_makes_the_reader_fail_in_another_way(raw: bytes) -> None:
    with contextlib.suppress(extrusion.Unreadable):
        extrusion.of_program(extrusion.read(raw))


def test_what_is_kept_in_the_database_comes_back(tmp_path: Path) -> None:
    found = extrusion.of_program(extrusion.read(printed(SHAPES["stairs"])))
    raw = work.squeeze(b"".join(map(profiles.pack_print, found)))
    again = extrusion.unpack_prints(work.loosen(raw))
    assert [(one.count, one.whole) for one in again] == [(one.count, one.whole) for one in found]
    assert comparing.distance(again[0].profile, found[0].profile).mm < 0.01
    with pytest.raises(ValueError, match="more than"):
        work.loosen(work.squeeze(b"\0" * 10_000), most=5000)


def test_words_of_slicers() -> None:
    beside = [b"Skirt/Brim", b"SUPPORT-INTERFACE", b"Support transition", b"Wipe tower", b"Prime tower", b"Custom"]
    assert {program._kind(name) for name in beside} == {program.BESIDE}
    outer = [b"External perimeter", b"WALL-OUTER", b"Outer wall", b"outer perimeter"]
    assert {program._kind(name) for name in outer} == {program.OUTER}
    assert program._kind(b"Overhang perimeter") == program.OVERHANG
    assert {program._kind(name) for name in (b"Perimeter", b"WALL-INNER", b"Sparse infill")} == {program.PART}
    assert program._kiss(b"Perimeter") == program.OUTER


@needs_prusaslicer
@pytest.mark.parametrize(("name", "options"), [
    ("stairs", ["--rotate", "37", "--fill-density", "15%", "--perimeters", "2"]),
    ("angle", ["--rotate", "200", "--fill-density", "40%", "--perimeters", "4", "--support-material"]),
    ("ring", ["--rotate", "111", "--fill-density", "10%", "--brim-width", "5"]),
    ("plate", ["--duplicate", "2", "--fill-density", "20%"]),
])  # fmt: skip
def test_a_slicing_of_prusaslicer_is_found(tmp_path: Path, name: str, options: list[str]) -> None:
    source, out = stl(tmp_path / "part.stl", SHAPES[name]), tmp_path / "out.gcode"
    subprocess.run(
        ["prusa-slicer", "--export-gcode", *options, "--datadir", str(tmp_path), "--output", str(out), str(source)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    names, others = index()
    printed_ = extrusion.of_program(extrusion.read(out.read_bytes()))
    one = printed_[1] if name == "plate" else printed_[0]
    hits = comparing.close(extrusion.rank(one.profile, others), one.profile)
    assert [names[place] for place, _match in hits][:1] == [name]
    assert one.count == (2 if name == "plate" else 1)
