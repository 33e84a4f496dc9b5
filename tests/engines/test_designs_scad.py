"""Scripts of OpenSCAD: read as text, and run behind the walls where the program is installed."""

import socket
import threading
from pathlib import Path

import pytest

from designs.engine.flat import scad
from designs.sandbox import scripts

BOX = """// Width of the box
w = 30; // [5:50]
/* [Holes] */
d = 4; // across
name = "hello";
sum = w + d;
/* [Hidden] */
eps = 0.01;
module part() { difference() { cube([w, 20, 10]); translate([w/2, 10, -1]) cylinder(d=d, h=12, $fn=64); } }
part();
"""


def test_what_a_script_asks_for() -> None:
    text = """use <lib/gears.scad>
include <../common.scad>
// use <commented.scad>
/* include <also.scad> */
echo("use <said.scad>");
import("part.stl"); surface(file = "map.png");
x = "not asked for.stl";
"""
    assert scad.asks_for(text) == ("lib/gears.scad", "../common.scad", "part.stl", "map.png")


def test_parameters_of_the_customizer() -> None:
    found = {one.name: (one.value, one.about, one.group) for one in scad.parameters(BOX)}
    assert found == {
        "w": ("30", "Width of the box", ""), "d": ("4", "across", "Holes"), "name": ('"hello"', "", "Holes"),
    }  # fmt: skip


needs_openscad = pytest.mark.skipif(scripts.program() is None, reason="needs the program openscad")


@needs_openscad
def test_a_script_becomes_its_shape() -> None:
    result = scripts.build({"a/box.scad": BOX.encode()}, "a/box.scad")
    assert result.ready, result.reason
    assert result.facts is not None
    assert result.facts["extents_mm"] == pytest.approx([30, 20, 10])
    ring = 64 / 2 * 2**2 * __import__("math").sin(2 * __import__("math").pi / 64)
    assert result.facts["volume_mm3"] == pytest.approx(6000 - 10 * ring, rel=1e-4)
    assert [one["name"] for one in result.facts["more"]["parameters"]] == ["w", "d", "name"]
    assert result.glb
    assert result.png


@needs_openscad
def test_a_script_with_another_file_of_its_design() -> None:
    files = {"a/main.scad": b"use <../lib/b.scad>\nb();", "lib/b.scad": b"module b() { cube(7); }"}
    result = scripts.build(files, "a/main.scad")
    assert result.ready, result.reason
    assert result.facts is not None
    assert result.facts["volume_mm3"] == pytest.approx(343)


@needs_openscad
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "nothing by itself"),
        ("module x() {}", "nothing by itself"),
        ("cube(", "OpenSCAD says"),
        ("square(5);", "flat"),
    ],
)
def test_what_makes_no_solid_is_a_sentence(text: str, word: str) -> None:
    result = scripts.build({"x.scad": text.encode()}, "x.scad")
    assert not result.ready
    assert word in result.reason


@needs_openscad
def test_a_hostile_script_reads_nothing_and_calls_nobody(tmp_path: Path) -> None:
    """The canary is an STL: had it been read, its shape would come out."""
    canary = tmp_path / "canary.stl"
    canary.write_text(
        "solid x\n" + "".join(
            "facet normal 0 0 0\nouter loop\n" + "".join(f"vertex {p}\n" for p in corners) + "endloop\nendfacet\n"
            for corners in (("0 0 0", "0 9 0", "9 0 0"), ("0 0 0", "9 0 0", "0 0 9"), ("0 0 0", "0 0 9", "0 9 0"),
                            ("9 0 0", "0 9 0", "0 0 9"))) + "endsolid x\n")  # fmt: skip
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]

        def listen() -> None:
            try:
                calls.append(server.accept())
            except OSError:
                return

        listener = threading.Thread(target=listen)
        listener.start()
        text = (
            f'import("{canary}"); import("http://127.0.0.1:{port}/x.stl"); include <{canary}>\n include </etc/passwd>\n'
        )
        result = scripts.build({"x.scad": text.encode()}, "x.scad")
        listener.join()
    assert not result.ready
    assert calls == []
    control = scripts.build({"x.scad": b'import("canary.stl");', "canary.stl": canary.read_bytes()}, "x.scad")
    assert control.ready, control.reason


@needs_openscad
def test_an_endless_script_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(scripts, "LIMITS", replace(scripts.LIMITS, cpu_s=3))
    text = "module deep(n) { if (n > 0) for (i = [0:9]) translate([i, n, 0]) deep(n - 1); else sphere(1); } deep(7);"
    result = scripts.build({"x.scad": text.encode()}, "x.scad")
    assert not result.ready
    assert "more" in result.reason


@pytest.mark.parametrize("path", ["/etc/x.scad", "../x.scad", "a/../../x.scad", "a\0b"])
def test_paths_out_of_the_design(path: str) -> None:
    from designs.engine.errors import Unreadable

    with pytest.raises(Unreadable, match="outside the design"):
        scripts.build({path: b"cube(1);"}, path)
