"""KiCad's files: a board and a schematic written here, whose figures are known, and files that want to hurt."""

import math
from pathlib import Path

import pytest

from designs.engine.errors import Unreadable
from designs.engine.flat import kicad, sexpr

BOARD = """(kicad_pcb (version 20221018) (generator pcbnew)
  (general (thickness 1.6)) (paper "A4")
  (layers (0 "F.Cu" signal) (31 "B.Cu" signal) (37 "F.SilkS" user) (44 "Edge.Cuts" user))
  (net 0 "") (net 1 "GND") (net 2 "Net-(R1-Pad1)")
  (footprint "Resistor_SMD:R_0805" (layer "F.Cu") (at 110 60 90)
    (property "Reference" "R1") (property "Value" "10k")
    (fp_line (start -1 -1) (end 1 -1) (layer "F.SilkS"))
    (pad "1" smd rect (at -0.95 0 90) (size 1 1.4) (layers "F.Cu" "F.Paste" "F.Mask") (net 1 "GND"))
    (pad "2" smd roundrect (at 0.95 0 90) (size 1 1.4) (layers "F.Cu") (net 2 "N")))
  (footprint "Resistor_SMD:R_0805" (layer "F.Cu") (at 120 60) (property "Reference" "R10") (property "Value" "10k"))
  (footprint "MountingHole:M3" (at 105 55) (property "Reference" "H1") (property "Value" "M3 \\"big\\"")
    (pad "" np_thru_hole circle (at 0 0) (size 3.2 3.2) (drill 3.2) (layers "*.Cu" "*.Mask")))
  (gr_line (start 100 50) (end 150 50) (layer "Edge.Cuts")) (gr_line (start 150 50) (end 150 80) (layer "Edge.Cuts"))
  (gr_line (start 150 80) (end 100 80) (layer "Edge.Cuts")) (gr_line (start 100 80) (end 100 50) (layer "Edge.Cuts"))
  (gr_circle (center 140 70) (end 145 70) (layer "Edge.Cuts"))
  (segment (start 110 60) (end 120 60) (width 0.25) (layer "F.Cu") (net 1))
  (segment (start 110 65) (end 120 65) (width 0.2) (layer "B.Cu") (net 2))
  (via (at 120 65) (size 0.8) (drill 0.4) (layers "F.Cu" "B.Cu") (net 2)))
"""
SHEET = """(kicad_sch (version 20230121) (generator eeschema) (paper "A4") (title_block (title "Lamp"))
  (lib_symbols (symbol "Device:R"))
  (symbol (lib_id "Device:R") (at 10 10 0) (unit 1) (in_bom yes) (property "Reference" "R2") (property "Value" "1k")
    (property "Footprint" "R:R_0603"))
  (symbol (lib_id "Device:R") (unit 1) (in_bom yes) (property "Reference" "R1") (property "Value" "1k")
    (property "Footprint" "R:R_0603"))
  (symbol (lib_id "power:GND") (unit 1) (in_bom yes) (property "Reference" "#PWR01") (property "Value" "GND"))
  (symbol (lib_id "x:Logo") (in_bom no) (property "Reference" "G1") (property "Value" "Logo"))
  (symbol (lib_id "x:Dual") (unit 2) (in_bom yes) (property "Reference" "U1") (property "Value" "LM358"))
  (symbol (lib_id "x:Dual") (unit 1) (in_bom yes) (property "Reference" "U1") (property "Value" "LM358"))
  (sheet (at 1 1)))
"""


def read(tmp_path: Path, text: str) -> tuple[bytes, dict]:
    path = tmp_path / "x.kicad"
    path.write_text(text)
    large, _small, facts = kicad.draw(path)
    return large, facts.as_json()


def test_a_board(tmp_path: Path) -> None:
    large, found = read(tmp_path, BOARD)
    more = found["more"]
    assert found["extents_mm"] == (50, 30, 1.6)
    assert more["area_mm2"] == pytest.approx(1500 - math.pi * 25, rel=0.01)
    assert (more["copper_layers"], more["footprints"], more["nets"], more["tracks"]) == (2, 3, 2, 2)
    assert (more["pads"], more["vias"], more["holes"]) == (3, 1, 2)
    assert (more["smallest_drill_mm"], more["smallest_track_mm"]) == (0.4, 0.2)
    assert more["parts"][0] == {"value": "10k", "footprint": "R_0805", "count": 2, "references": "R1, R10"}
    assert more["parts"][1]["value"] == 'M3 "big"'
    assert large[:4] == b"\x89PNG"
    assert found["warnings"] == ()


def test_a_pad_stands_where_its_footprint_turns_it() -> None:
    board = kicad.read(sexpr.read(BOARD))
    assert board.pads[0].at == pytest.approx([110, 60.95])
    assert board.pads[1].at == pytest.approx([110, 59.05])


def test_references_of_odd_digits_have_an_order_too() -> None:
    assert kicad._ordered(["R10", "R²", "R2", "²", "٣R", "7"]) == ["٣R", "7", "R2", "R10", "R²", "²"]


def test_a_schematic_lists_what_is_bought(tmp_path: Path) -> None:
    large, found = read(tmp_path, SHEET)
    more = found["more"]
    assert large == b""
    assert (more["symbols"], more["sheets"], more["title"]) == (3, 1, "Lamp")
    assert more["parts"] == [
        {"value": "1k", "footprint": "R_0603", "count": 2, "references": "R1, R2"},
        {"value": "LM358", "footprint": "", "count": 1, "references": "U1"},
    ]


def test_an_open_outline_is_said(tmp_path: Path) -> None:
    broken = BOARD.replace('(gr_line (start 150 80) (end 100 80) (layer "Edge.Cuts"))', "")
    assert any("does not close" in warning for warning in read(tmp_path, broken)[1]["warnings"])


def test_arcs_of_old_and_new_files() -> None:
    new = sexpr.read('(gr_arc (start 5 0) (mid 0 5) (end -5 0) (layer "Edge.Cuts"))')
    old = sexpr.read('(gr_arc (start 0 0) (end 5 0) (angle 180) (layer "Edge.Cuts"))')
    for one in (new, old):
        points = kicad._drawn(one)[0]
        assert ((points**2).sum(axis=1) ** 0.5).tolist() == pytest.approx([5] * 33)
        assert points[16].tolist() == pytest.approx([0, 5])


HOSTILE = {
    "nothing": "",
    "deep": "(" * 100_000,
    "closed": ")",
    "cut off": BOARD[:400],
    "another": "(kicad_wks)",
    "empty": "(kicad_pcb)",
    "endless string": '(kicad_pcb "' + "x" * 1_000_000,
    "huge": '(kicad_pcb (gr_line (start 0 0) (end 1e300 0) (layer "Edge.Cuts")))',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable, match=r"\.$"):
        read(tmp_path, HOSTILE[name])


ODD = """(kicad_pcb (pad) (via) (segment) (footprint) (zone (filled_polygon (pts (xy 1)))) (gr_arc) (gr_rect)
  (gr_line (start a b) (end nan inf) (layer "Edge.Cuts"))
  (footprint x (pad 1 smd rect (at 0 0) (size 1 1) (layers "F.Cu"))))"""


def test_an_odd_board_comes_out(tmp_path: Path) -> None:
    assert read(tmp_path, ODD)[1]["more"]["footprints"] == 2
