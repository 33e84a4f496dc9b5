"""Layers of programs: every millimetre of a program is in one layer, at its height, and comes back as it was packed."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import sandbox
from designs.engine.flat import gcode, layering
from designs.queries import layers
from designs.sandbox import results


def squares(count: int, side: float = 40.0) -> str:
    """Squares on each other, 0.2 mm apart; each n-th is n mm smaller; a lifted travel between them."""
    text = "G90\nM83\n"
    for n in range(count):
        z, a = 0.2 * (n + 1), side - n
        text += f"G0 Z{z + 1:.2f}\nG0 X{n} Y{n}\nG0 Z{z:.2f}\n"
        for x, y in ((a, n), (a, a), (n, a), (n, n)):
            text += f"G1 X{x} Y{y} E1 F1200\n"
    return text


def packed(folder: Path, text: str) -> layers.Layers:
    (folder / "p.gcode").write_text(text)
    raw = layering.pack(gcode.read(folder / "p.gcode"))
    (folder / "layers.bin").write_bytes(raw)
    assert results._layers(folder / "layers.bin") == raw
    found = layers.read(folder / "layers.bin")
    assert found is not None
    return found


def length_mm(found: layers.Layers, lines: layers.Lines) -> float:
    return sum(math.dist(a, b) for line in lines for a, b in pairwise(line)) * found.unit_mm


def test_each_layer_has_its_own_square_and_the_travel_after_it(tmp_path: Path) -> None:
    found = packed(tmp_path, squares(12))
    assert found.heights_mm == pytest.approx([0.2 * (n + 1) for n in range(12)])
    assert max(found.size) == layering.UNITS
    for n in range(12):
        work, travel = layers.lines(found, n)
        assert length_mm(found, work) == pytest.approx(4 * (40 - 2 * n), abs=0.02)
        assert len(work) == 1
        assert length_mm(found, travel) == pytest.approx(0 if n == 11 else math.hypot(1, 1), abs=0.02)
    spots = [spot for line in layers.lines(found, 3)[0] for spot in line]
    assert min(x for x, _y in spots) * found.unit_mm == pytest.approx(3, abs=0.01)
    assert max(y for _x, y in spots) * found.unit_mm == pytest.approx(37, abs=0.01)


def test_two_things_beside_each_other_share_a_layer_and_a_mill_has_depths(tmp_path: Path) -> None:
    """Printed one after the other, so the same height comes twice."""
    one = "M83\nG0 X0 Y0 Z0.2\nG1 X10 E1\nG1 X10 Y5 E1\nG0 Z0.4\nG1 X0 E1\nG1 Y0 E1\n"
    two = "G0 Z5\nG0 X20 Y0\nG0 Z0.2\nG1 X30 E1\nG1 Y5 E1\nG0 Z0.4\nG1 X20 E1\nG1 Y0 E1\n"
    found = packed(tmp_path, one + two)
    assert found.heights_mm == pytest.approx([0.2, 0.4])
    for n in (0, 1):
        assert length_mm(found, layers.lines(found, n)[0]) == pytest.approx(30, abs=0.02)
    mill = packed(tmp_path, "G21\nG0 X0 Y0\nG1 Z-1 F100\nG1 X50\nG1 Z-2\nG1 X0\n")
    assert mill.heights_mm == pytest.approx([-2, -1])


def test_one_layer_is_no_choice(tmp_path: Path) -> None:
    (tmp_path / "p.gcode").write_text(squares(1))
    assert layering.pack(gcode.read(tmp_path / "p.gcode")) == b""
    assert layers.read(tmp_path / "nothing.bin") is None


STEP = st.tuples(st.integers(0, 300), st.integers(0, 300), st.booleans())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(STEP, min_size=2, max_size=30), min_size=2, max_size=6))
def test_no_millimetre_is_lost(
    tmp_path_factory: pytest.TempPathFactory, plan: list[list[tuple[int, int, bool]]]
) -> None:
    """Any walk: what is laid down at a height is as long in its picture, to the width of its units."""
    text, at, wanted = "M83\n", (0, 0), []
    for n, steps in enumerate(plan):
        text += f"G0 Z{n + 1}\n"
        total = 0.0
        for x, y, lays in [*steps, (0, 0, True), (300, 300, True), (0, 0, True)]:
            far = math.dist(at, (x, y))
            if lays and far:
                total += far
            text += f"G{1 if lays else 0} X{x} Y{y}{' E1' if lays else ''}\n"
            at = (x, y)
        wanted.append(total)
    found = packed(tmp_path_factory.mktemp("walk"), text)
    assert len(found) == len(plan)
    for n, total in enumerate(wanted):
        assert length_mm(found, layers.lines(found, n)[0]) == pytest.approx(total, abs=0.02 * (len(plan[n]) + 3))


def test_the_picture_is_numbers_alone_and_stands_upright(tmp_path: Path) -> None:
    found = packed(tmp_path, squares(5))
    drawn = layers.svg(found, 2)
    assert drawn.startswith("<svg") and drawn.count("<path") == 3 and f"matrix(1 0 0 -1 0 {found.size[1]})" in drawn
    assert "href" not in drawn and "script" not in drawn and "style" not in drawn


def test_through_the_walls(tmp_path: Path) -> None:
    (tmp_path / "p.gcode").write_text(squares(6))
    result = sandbox.draw(tmp_path / "p.gcode", "gcode").result
    assert result.ready and result.facts is not None, result.reason
    assert result.facts["more"]["drawn_layers"] == 6 and result.layers[:4] == b"LCLY"


@pytest.mark.parametrize("at", [4, 10, 12 + 8, 20])
def test_a_table_that_leads_out_of_the_file_is_not_believed(tmp_path: Path, at: int) -> None:
    packed(tmp_path, squares(3))
    raw = bytearray((tmp_path / "layers.bin").read_bytes())
    raw[at : at + 4] = b"\xff\xff\xff\x7f"
    (tmp_path / "layers.bin").write_bytes(raw)
    with pytest.raises(ValueError, match="layers"):
        results._layers(tmp_path / "layers.bin")
