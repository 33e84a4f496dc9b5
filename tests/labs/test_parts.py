"""Which files of a design are parts, and which are the same thing in another format."""

import pytest

from designs.models import Blob
from labs.queries.parts import things


def found(*paths: str, told: dict[str, str] | None = None) -> dict[str, str]:
    """Path to thing."""
    formats = {"kicad_pcb": "kicad", "kicad_sch": "kicad", "gtl": "gerber", "gbl": "gerber", "md": "markdown"}
    blobs = []
    for path in paths:
        ending = path.rsplit(".", 1)[-1]
        blobs.append((path, Blob(oid=path, format=formats.get(ending, "" if ending == "dst" else ending))))
    return {part.path: part.thing for part in things(blobs, told)}


@pytest.mark.parametrize(
    ("paths", "count"),
    [
        (("stl/body.stl", "step/body.step", "body.3mf"), 1),
        (("v1/body.stl", "v2/body.stl"), 2),
        (("body.stl", "body_0.2mm_PLA.gcode"), 1),
        (("body.stl", "lid.stl", "assembly.step"), 2),
        (("assembly.step",), 1),
        (("gerber/x.gtl", "gerber/x.gbl"), 1),
        (("board.kicad_pcb", "board.kicad_sch"), 1),
        (("body.stl", "docs/plan.svg", "logo.svg", "sketch.svg"), 1),
        (("body.stl", "laser-plate.svg"), 2),
        (("plate.svg",), 1),
        (("plate.dxf", "images/plate.dxf"), 1),
        (("README.md", "patch.dst"), 1),
        ((), 0),
    ],
)
def test_files_that_are_one_thing(paths: tuple[str, ...], count: int) -> None:
    assert len(set(found(*paths).values())) == count


def test_material_of_the_parts_list() -> None:
    blob = Blob(oid="a", format="stl", facts={"extents_mm": [1, 2, 3], "thinnest_wall_mm": 0.5})
    (part,) = things([("stl/Body.stl", blob)], {"body": "PETG"})
    assert (part.material, part.wall_mm, part.sound) == ("PETG", 0.5, True)
    blob.preview = Blob.Preview.FAILED
    assert things([("stl/Body.stl", blob)])[0].sound is False
