"""The corpus of hostile files through the real sandbox, with benign files of every format beside it.

A sandbox that refuses everything would pass the first half; one that lets everything through, the second. So the score
is both: what is hostile is refused AND what is benign comes out with exactly its 320 triangles.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from commons.people.models import User
from designs import sandbox
from designs.models import Blob
from designs.sandbox.limits import Limits
from designs.services import create_design, index_now, write_files
from tests.designs import hostile
from tests.designs.hostile import LOADSAFE, OK, REJECT, Canary
from tests.figures_said import figure

CASES = hostile.cases()
#: Reached by nothing in the corpus; 25 seconds are what a file may take.
LIMITS = Limits(cpu_s=25, wall_s=150)
OUT_OF_LIMITS = ("took too long", "more time", "more computing time", "more memory")


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Canary, list[object]]]:
    """A secret beside the files and a port, with the list of those who call it."""
    path, calls = folder / "canary.txt", list[object]()
    path.write_text("sesame-7341")
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            calls.append(address)
            connection.close()

    threading.Thread(target=listen, daemon=True).start()
    yield Canary(path, "sesame-7341", server.getsockname()[1]), calls
    server.close()


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canary]:
    """The secret and the port must be untouched at the end."""
    folder = tmp_path_factory.mktemp("hostile")
    with watched(folder) as (bird, calls):
        yield bird
        assert bird.path.read_text() == bird.secret
        assert sorted(p.name for p in folder.iterdir()) == ["canary.txt"]
        assert calls == []


def test_the_corpus_is_whole() -> None:
    assert Counter(case.expected for case in CASES.values()) == {REJECT: 47, LOADSAFE: 11, OK: 2}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_as_expected(name: str, canary: Canary, tmp_path: Path) -> None:
    case = CASES[name]
    source = tmp_path / "in" / "source"
    source.parent.mkdir()
    source.write_bytes(case.content(canary))
    drawn = sandbox.draw(source, case.format, limits=LIMITS)
    assert {"limits"} <= set(drawn.walls)
    result = drawn.result
    assert not any(words in result.reason for words in OUT_OF_LIMITS)
    assert canary.secret.encode() not in result.png + result.glb + repr(result.facts).encode() + result.reason.encode()
    if case.expected == REJECT:
        assert not result.ready
        assert not (result.png or result.glb)
    if case.expected == OK:
        assert result.ready
        assert result.facts is not None
        assert result.facts["triangles"] == 12
    if not result.ready:
        assert result.reason.endswith(".")
        assert len(result.reason) > 15
    figure("hostile_as_expected", "+1", f"of {len(CASES)} files")


def controls() -> dict[str, bytes]:
    """The same ball of 320 triangles and 24 mm in every format."""
    import trimesh

    ball = trimesh.creation.icosphere(2, 12.0)
    upright = ball.copy()
    upright.apply_scale(0.001)
    embedded = trimesh.exchange.gltf.export_gltf(trimesh.Scene(upright), embed_buffers=True)["model.gltf"]
    packed = trimesh.exchange.gltf.export_glb(trimesh.Scene(upright), extension_draco=True)
    made = {name: ball.export(file_type=name) for name in ("stl", "stl_ascii", "obj", "ply", "off", "3mf")}
    made["ply_ascii"] = trimesh.exchange.ply.export_ply(ball, encoding="ascii")
    made |= {"glb": upright.export(file_type="glb"), "glb_draco": packed, "gltf": embedded}
    made["step"] = hostile.faceted_step(np.asarray(ball.vertices), np.asarray(ball.faces))
    return {name: raw.encode() if isinstance(raw, str) else raw for name, raw in made.items()}


@pytest.mark.parametrize(
    "name", ["stl", "stl_ascii", "obj", "ply", "ply_ascii", "off", "3mf", "glb", "glb_draco", "gltf", "step"]
)
def test_a_benign_file_of_every_format_comes_out_exact(name: str, tmp_path: Path) -> None:
    source = tmp_path / "in" / "source"
    source.parent.mkdir()
    source.write_bytes(controls()[name])
    drawn = sandbox.draw(source, name.partition("_")[0], limits=LIMITS)
    assert drawn.result.reason == ""
    assert drawn.result.facts is not None
    assert (drawn.result.facts["triangles"], drawn.result.facts["watertight"]) == (320, True)
    if name != "3mf":  # trimesh writes no unit that we could know
        assert drawn.result.facts["extents_mm"] == pytest.approx([24, 24, 24], rel=0.01)


@pytest.mark.shared
def test_a_real_step_file_comes_through_the_same_walls(shared: Path, tmp_path: Path) -> None:
    name = "data/designs/Original-Prusa-i3/Printed-Parts/STEP/print-fan-support.stp"
    source = tmp_path / "in" / "source"
    source.parent.mkdir()
    source.write_bytes((shared / name).read_bytes())
    drawn = sandbox.draw(source, "step", limits=LIMITS)
    assert drawn.result.facts is not None
    assert drawn.result.facts["volume_mm3"] == pytest.approx(2212.82, abs=0.01)


SOME = ("stl-cut-off", "3mf-67-million-boxes", "gltf-reads-a-file", "step-200000-brackets", "svg-laughs", "dxf-empty")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("names", [SOME, pytest.param(tuple(CASES), marks=pytest.mark.drill)], ids=["some", "all"])
def test_a_design_full_of_them_answers_every_page_and_says_why(
    names: tuple[str, ...], maker: User, client: Client, canary: Canary
) -> None:
    """Over HTTP: in one design, each asked for as page, picture and model and by the API; the drill asks all sixty."""
    files = {f"{name}.{CASES[name].format}": CASES[name].content(canary) for name in names}
    design = create_design(owner=maker.handle, name="Hostile things", licence="MIT", by=maker)
    write_files(design=design, files={**files, "good.stl": hostile.stl()}, message="All", author=maker, by=maker)
    design = index_now(design=design, by=maker, draw=True)
    base = f"/designs/{maker.handle.name}/{design.slug}"
    get = client.get
    assert get(f"{base}/").status_code == 200
    listed = get(f"/api/v1/designs/{maker.handle.name}/{design.slug}/files/").json()["results"]
    assert len(listed) == len(names) + 1
    status = {entry["path"].rsplit(".", 1)[0]: entry for entry in listed}
    assert status["good"]["preview"]["status"] == "ready"
    for name in names:
        case, entry = CASES[name], status[name]
        assert entry["preview"]["status"] in ({"failed"} if case.expected == REJECT else {"ready", "failed"}), name
        assert entry["preview"]["status"] == "ready" or entry["preview"]["reason"].endswith(".")
        assert get(f"{base}/files/{entry['path']}").status_code == 200
        for kind in ("png", "glb", "small"):
            code = get(f"{base}/previews/{entry['blob']}.{kind}").status_code
            assert code in ({404} if entry["preview"]["status"] == "failed" else {200, 404})
    assert Blob.objects.filter(preview=Blob.Preview.PENDING).count() == 0
