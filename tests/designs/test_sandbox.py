"""The walls around a file from a stranger: each attempt is made for real; benign files come through exact."""

import json
from pathlib import Path

import pytest

from designs import sandbox
from designs.sandbox import client
from designs.sandbox.limits import Limits
from tests.designs.conftest import cube_stl


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "cube.stl"
    path.parent.mkdir()
    path.write_bytes(cube_stl(10))
    (tmp_path / "sibling.txt").write_text("private")
    return path


def test_each_attempt_is_stopped_and_honest_work_is_not(source: Path) -> None:
    drawn = sandbox.draw(source, "stl", work="probe")
    answers = json.loads(drawn.result.reason)
    assert answers.pop("read own file") == "done"
    assert answers.pop("write inside") == "done"
    if "landlock" not in drawn.walls:
        for name in ("read /etc/passwd", "read a sibling", "write outside", "run a program"):
            answers.pop(name)
    if "seccomp" not in drawn.walls:
        for name in ("socket", "fork", "kill the parent"):
            answers.pop(name)
    assert "limits" in drawn.walls
    assert set(answers.values()) <= {"PermissionError"}


def test_a_good_file_comes_through_with_exact_facts(source: Path) -> None:
    drawn = sandbox.draw(source, "stl")
    assert drawn.result.ready
    assert drawn.result.facts is not None
    assert drawn.result.facts["volume_mm3"] == pytest.approx(1000)
    assert drawn.result.png.startswith(b"\x89PNG")
    assert drawn.result.glb.startswith(b"glTF")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(wall_s=0.05), "took too long"),
        (Limits(cpu_s=0), "time"),
        (Limits(file_bytes=100), ""),
        (Limits(memory_bytes=200 * 1024**2), ""),
    ],
)
def test_what_costs_too_much_fails_with_a_sentence_and_the_next_file_is_drawn(
    source: Path, limits: Limits, words: str
) -> None:
    drawn = sandbox.draw(source, "stl", limits=limits)
    assert not drawn.result.ready
    assert drawn.result.reason.endswith(".")
    assert words in drawn.result.reason
    assert sandbox.draw(source, "stl").result.ready


def test_a_server_that_dies_is_started_anew(source: Path) -> None:
    assert sandbox.draw(source, "stl", work="probe").walls
    assert client._server is not None
    client._server.process.kill()
    client._server.process.wait()
    assert sandbox.draw(source, "stl", work="probe").walls
