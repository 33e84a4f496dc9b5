"""Circuit boards whose sizes, tracks and holes are written here, and a real set of eight files."""

import io
import zipfile
from pathlib import Path

import pytest

from designs.engine.errors import Unreadable
from designs.engine.flat import gerber


def layer(function: str, body: str, aperture: str = "C,0.25") -> bytes:
    head = f"%TF.FileFunction,{function}*%\n" if function else ""
    return f"{head}%FSLAX46Y46*%\n%MOMM*%\n%LPD*%\n%ADD10{aperture}*%\nD10*\nG01*\n{body}M02*\n".encode()


def line(*points: tuple[float, float]) -> str:
    return "".join(f"X{round(x * 1e6)}Y{round(y * 1e6)}D0{2 if not n else 1}*\n" for n, (x, y) in enumerate(points))


OUTLINE = layer("Profile,NP", line((0, 0), (40, 0), (40, 25), (0, 25), (0, 0)), "C,0.000001")
TRACK = layer("Copper,L1,Top", line((5, 5), (35, 5), (35, 9)))
BACK = layer("Copper,L2,Bot", line((5, 20), (35, 20), (35, 15)), "C,0.15")
DRILL = b"M48\nMETRIC\nT1C0.600\nT2C3.200\n%\nG90\nT1\nX5.0Y5.0\nX35.0Y5.0\nT2\nX20.0Y12.0\nM30\n"
SET = {"a-L1_Front.gbr": TRACK, "a-L2_Back.gbr": BACK, "a-Edge_Cuts.gbr": OUTLINE, "a.drl": DRILL}


def test_a_board_of_four_files() -> None:
    large, small, facts = gerber.draw_set(SET)
    more = facts.as_json()["more"]
    assert facts.extents_mm[:2] == pytest.approx((40, 25), abs=0.01)
    assert (more["copper_layers"], more["holes"], more["smallest_drill_mm"]) == (2, 3, 0.6)
    assert more["smallest_track_mm"] == 0.15
    assert more["drills_mm"] == {"0.60": 2, "3.20": 1}
    assert more["sides"] == ["top", "bottom"]
    assert large[:4] == small[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x-L1_Front.gbr", "", ("top", "copper")), ("x-L4_Back.gbr", "", ("bottom", "copper")),
        ("x-L2_GND.gbr", "", ("inner2", "copper")), ("k-F_Cu.gbr", "", ("top", "copper")),
        ("k-B_Mask.gbr", "", ("bottom", "mask")), ("k-F_SilkS.gbr", "", ("top", "silk")),
        ("k-Edge_Cuts.gbr", "", gerber.OUTLINE), ("p.GTL", "", ("top", "copper")), ("p.GBO", "", ("bottom", "silk")),
        ("p.drl", "", gerber.DRILL), ("any.gbr", "%TF.FileFunction,Copper,L3,Inr*%", ("inner3", "copper")),
        ("lies-F_Cu.gbr", "G04 #@! TF.FileFunction,Soldermask,Bot*", ("bottom", "mask")), ("notes.gbr", "", None),
    ],
)  # fmt: skip
def test_names_and_attributes_of_layers(name: str, text: str, expected: gerber.Layer | None) -> None:
    assert gerber.layer_of(name, text) == expected


def test_copper_of_a_named_layer_is_drawn() -> None:
    """The trap: KiCad's own layer names. With the track the picture differs from that without."""
    with_track = gerber.draw_set(
        {"a-L1_Front.gbr": TRACK.replace(b"%TF.FileFunction,Copper,L1,Top*%\n", b""), "e-Edge_Cuts.gbr": OUTLINE}
    )
    without = gerber.draw_set({"a-L1_Front.gbr": layer("", ""), "e-Edge_Cuts.gbr": OUTLINE})
    assert with_track[0] != without[0]


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_is_the_same_board(tmp_path: Path) -> None:
    path = tmp_path / "board.zip"
    path.write_bytes(zipped({f"out/{name}": content for name, content in SET.items()} | {"out/readme.txt": b"hello"}))
    assert gerber.draw_zip(path)[2].as_json()["more"]["holes"] == 3


HOSTILE = {
    "another zip": zipped({"a.txt": b"no board"}),
    "a bomb": zipped({"a.gbr": b"0" * (gerber.MAX_BYTES + 1)}),
    "many": zipped({f"{i}.gbr": b"x" for i in range(100)}),
    "cut off": zipped(SET)[:200],
    "no zip": b"PK\x03\x04 nothing",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_zips_are_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "board.zip"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(Unreadable, match=r"\.$"):
        gerber.draw_zip(path)


@pytest.mark.parametrize(
    "body",
    ["%SRX99999Y99999I1J1*%\n" + line((0, 0), (1, 1)), "%AMX*$1=$1x9999*1,1,$1,0,0*%\n%ADD11X,2*%\nD11*\nX0Y0D03*\n",
     "*" * (gerber.MAX_COMMANDS + 1)],
    ids=["repeats", "macro", "commands"],
)  # fmt: skip
def test_hostile_layers_end(body: str) -> None:
    """Refused with a sentence, or drawn; nothing else."""
    try:
        gerber.draw_set({"a.gbr": layer("Copper,L1,Top", body)})
    except Unreadable as reason:
        assert str(reason).endswith(".")


def test_a_real_board(shared: Path) -> None:
    """Size of its outline and number of holes, counted with another program's eye: the lines of the drill files."""
    folder = next((shared / "data" / "designs").rglob("gerbers"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    hits = sum(
        sum(line.startswith(("X", "G00X")) for line in content.decode().splitlines())
        for name, content in files.items()
        if name.endswith(".drl")
    )
    _large, _small, facts = gerber.draw_set(files)
    assert facts.as_json()["more"]["holes"] == hits
    assert facts.extents_mm[0] == pytest.approx(165.9, abs=0.1)
    assert facts.warnings == ()
