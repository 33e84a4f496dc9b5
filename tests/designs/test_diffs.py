"""Comparing two versions: asked for once, kept by content, seen only by those who may see the design."""

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.git.comparing import Line
from designs.models import Design, ShapeDiff
from designs.queries import diffs as queries
from designs.queries import tables
from designs.queries.diffs import rows_of
from designs.services import create_design, diffs, index_now, write_files
from tests.designs.conftest import cube_stl, make

pytestmark = pytest.mark.django_db

KEYS = {"method", "added_mm3", "removed_mm3", "common_mm3", "max_deviation_mm", "glb"}


def ends(design: Design) -> tuple[str, str]:
    """The version before the newest, and the newest."""
    head = git.of(design.repository).head("main")
    return queries.parent(design, head), head


def finish() -> None:
    """Do what waits, as a worker would."""
    for run in Run.objects.filter(kind="designs.diff", status=Run.Status.QUEUED):
        do(run.pk)


def test_a_pair_of_shapes_is_compared_once_for_the_whole_city(design: Design, maker: User) -> None:
    first = diffs.compare(design, *ends(design), by=maker)
    assert (first.waiting, first.files[0].status) == (1, "pending")
    again = diffs.compare(design, *ends(design), by=maker)
    assert again.run == first.run
    finish()
    done = diffs.compare(design, *ends(design))
    assert (done.waiting, done.run) == (0, None)
    shape = done.find("cube.stl")
    assert shape is not None
    assert shape.method == "boolean"
    assert shape.figures["added_mm3"] == pytest.approx(12**3 - 10**3)
    assert (shape.figures["removed_mm3"], shape.figures["common_mm3"]) == (0, pytest.approx(1000))
    assert done.totals["added_mm3"] == pytest.approx(728)
    # The same contents in another design: nothing is computed.
    other = make(maker, name="Another cube")
    before = Run.objects.filter(kind="designs.diff").count()
    assert diffs.compare(other, *ends(other), by=maker).waiting == 0
    assert Run.objects.filter(kind="designs.diff").count() == before
    assert ShapeDiff.objects.count() == 1


def test_the_same_bytes_are_no_work(design: Design, maker: User) -> None:
    write_files(
        design=design, files={"copy.stl": cube_stl(12), "cube.stl": None}, message="Move", author=maker, by=maker
    )
    found = diffs.compare(design, *ends(design), by=maker)
    assert [(file.change.kind, file.status) for file in found.files] == [("renamed", "none")]
    assert not Run.objects.filter(kind="designs.diff").exists()


def test_the_api_keeps_its_contract(design: Design, client: Client, maker: User) -> None:
    base, head = ends(design)
    address = f"/api/v1/designs/aila/test-cube/diff/?base={base}&head={head}&wait=0"
    waiting = client.get(address)
    assert (waiting.status_code, waiting["Retry-After"]) == (202, "2")
    assert [(row["path"], row["change"], row["geometry"]) for row in waiting.json()] == [("cube.stl", "changed", None)]
    finish()
    answer = client.get(address)
    assert answer.status_code == 200
    (row,) = answer.json()
    assert set(row["geometry"]) == KEYS
    assert row["geometry"]["method"] == "boolean"
    assert row["geometry"]["added_mm3"] == pytest.approx(728)
    assert client.get(row["geometry"]["glb"]).getvalue()[:4] == b"glTF"
    first = client.get(f"/api/v1/designs/aila/test-cube/diff/?head={base}").json()
    assert {row["path"]: row["change"] for row in first} == {"cube.stl": "added", "README.md": "added"}
    assert client.get("/api/v1/designs/aila/test-cube/diff/?base=nowhere").status_code == 404


def test_an_open_mesh_says_sampled_and_no_volume(design: Design, client: Client, maker: User) -> None:
    whole = cube_stl(12)
    lid_off = whole[:80] + (10).to_bytes(4, "little") + whole[84 : 84 + 500]
    write_files(design=design, files={"cube.stl": lid_off}, message="Lid off", author=maker, by=maker)
    diffs.compare(design, *ends(design), by=maker)
    finish()
    (row,) = client.get("/api/v1/designs/aila/test-cube/diff/").json()
    assert row["geometry"]["method"] == "sampled"
    assert row["geometry"]["added_mm3"] is None
    assert row["geometry"]["max_deviation_mm"] > 1
    page = client.get("/designs/aila/test-cube/compare/").content.decode()
    assert "has a hole, so its volume is not known" in page
    assert "The material is the same" not in page


@pytest.mark.parametrize("asked", ["", "?path=README.md", "?path=cube.stl&view=side", "?view=swipe", "?view=nonsense"])
@pytest.mark.parametrize("language", ["", "/fi"])
def test_the_page_answers_before_and_after(design: Design, client: Client, asked: str, language: str) -> None:
    address = f"{language}/designs/aila/test-cube/compare/{asked}"
    waiting = client.get(address)
    assert waiting.status_code == 200
    assert "lc-run" in waiting.content.decode()
    finish()
    ready = client.get(address).content.decode()
    assert "lc-run" not in ready
    assert "0.73" in ready.replace(",", ".")
    assert "style=" not in ready.split("<main", 1)[1]


def test_a_first_version_is_compared_with_nothing(design: Design, client: Client) -> None:
    base, _head = ends(design)
    page = client.get(f"/designs/aila/test-cube/compare/?head={base}&path=README.md").content.decode()
    assert "From nothing to" in page
    assert "# Cube" in page


def test_versions_that_are_not_there_are_not_found(design: Design, client: Client) -> None:
    assert client.get("/designs/aila/test-cube/compare/?base=--output=x").status_code == 404
    assert client.get("/designs/aila/test-cube/compare/?head=" + "0" * 40).status_code == 404


def test_what_is_private_is_not_there_for_others(private: Design, client: Client, neighbour: User, maker: User) -> None:
    diffs.compare(private, *ends(private), by=maker)
    finish()
    found = diffs.compare(private, *ends(private), by=maker)
    client.force_login(maker)
    (row,) = client.get("/api/v1/designs/aila/secret-cube/diff/").json()
    model = row["geometry"]["glb"].removeprefix("http://testserver")
    addresses = ["/designs/aila/secret-cube/compare/", "/api/v1/designs/aila/secret-cube/diff/", model]
    assert all(client.get(address).status_code == 200 for address in addresses)
    assert client.get(model)["Cache-Control"].startswith("private")
    for visitor in (Client(), Client()):
        assert [visitor.get(address).status_code for address in addresses] == [404, 404, 404]
    client.force_login(neighbour)
    assert [client.get(address).status_code for address in addresses] == [404, 404, 404]
    reads = {"HTTP_AUTHORIZATION": f"Bearer {create_token(user=maker, name='r', scopes=['designs:read'])[1]}"}
    assert Client().get(addresses[1], **reads).status_code == 200
    assert Client().get(model, **reads).status_code == 200
    assert found.waiting == 0


def test_a_difference_is_served_only_through_versions_that_show_it(design: Design, client: Client, maker: User) -> None:
    diffs.compare(design, *ends(design), by=maker)
    finish()
    (row,) = client.get("/api/v1/designs/aila/test-cube/diff/").json()
    model = row["geometry"]["glb"].removeprefix("http://testserver")
    stranger = create_design(owner=maker.handle, name="Round thing", licence="MIT", by=maker)
    write_files(design=stranger, files={"cube.stl": cube_stl(3)}, message="Small", author=maker, by=maker)
    assert client.get(model).status_code == 200
    assert client.get(model.replace("test-cube", "round-thing")).status_code == 404


def test_visitors_without_an_account_begin_only_so_many(
    design: Design, client: Client, monkeypatch: pytest.MonkeyPatch, maker: User
) -> None:
    monkeypatch.setattr(diffs, "ANONYMOUS_AN_HOUR", 0)
    held = client.get("/designs/aila/test-cube/compare/")
    assert held.status_code == 200
    assert "Many comparisons were asked for" in held.content.decode()
    assert not Run.objects.filter(kind="designs.diff").exists()
    answer = client.get("/api/v1/designs/aila/test-cube/diff/")
    assert (answer.status_code, answer["Retry-After"]) == (202, "60")
    client.force_login(maker)
    client.get("/designs/aila/test-cube/compare/")
    assert Run.objects.filter(kind="designs.diff").count() == 1


def test_work_that_died_is_asked_for_again_and_in_the_end_given_up(design: Design, maker: User) -> None:
    for attempt in range(1, diffs.MAX_TRIES + 1):
        found = diffs.compare(design, *ends(design), by=maker)
        assert found.run is not None
        assert ShapeDiff.objects.get().tries == attempt
        Run.objects.filter(pk=found.run.pk).update(status=Run.Status.FAILED)
    last = diffs.compare(design, *ends(design), by=maker)
    assert (last.run, last.files[0].status) == (None, "failed")


def test_a_file_that_cannot_be_read_fails_with_its_reason(design: Design, client: Client, maker: User) -> None:
    write_files(design=design, files={"cube.stl": b"no shape at all"}, message="Broken", author=maker, by=maker)
    index_now(design=design, by=maker)
    diffs.compare(design, *ends(design), by=maker)
    finish()
    page = client.get("/designs/aila/test-cube/compare/").content.decode()
    assert "We could not compare these two" in page
    assert "after the change" in page


def test_words_that_differ_are_marked() -> None:
    lines = (
        Line(" ", "same", 1, 1), Line("-", "The bolt is M8 x 60.", 2, None), Line("+", "The bolt is M8 x 65.", None, 2),
        Line("+", "A strap.", None, 3),
    )  # fmt: skip
    rows = rows_of(lines)
    assert [(row.line.sign, "".join(word.text for word in row.words)) for row in rows] == [
        (line.sign, line.text) for line in lines
    ]
    assert [[word.text for word in row.words if word.changed] for row in rows] == [[], ["60"], ["65"], []]


def test_a_parts_list_tells_parts_apart() -> None:
    before = b"Part,Qty,Note\nBolt A2,4,M8 x 60\nNut,4,\nWasher,8,\n"
    after = b"Part,Qty,Note\nBolt A2,4,M8 x 65\nWasher,4,\nStrap,1,25 mm\n"
    found = tables.differences(before, after, "bom.csv")
    assert found is not None
    assert {line.name: (line.kind, line.before, line.after) for line in found} == {
        "Bolt A2": ("changed", "4", "4"), "Washer": ("changed", "8", "4"), "Strap": ("added", "", "1"),
        "Nut": ("removed", "4", ""),
    }  # fmt: skip
    assert found[0].notes == (("note", "M8 x 60", "M8 x 65"),)


def test_a_parts_list_is_shown_as_one(design: Design, client: Client, maker: User) -> None:
    for count in (2, 3):
        table = f"Part,Qty\nBolt,{count}\n".encode()
        write_files(design=design, files={"bom.csv": table}, message=f"{count} bolts", author=maker, by=maker)
    page = client.get("/designs/aila/test-cube/compare/?path=bom.csv").content.decode()
    assert '<span class="del">2</span>' in page
    assert '<span class="ins">3</span>' in page
