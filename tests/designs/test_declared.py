"""What a design's own files say of it reaches page, API, manifest and readiness; nothing private leaks."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from commons.people.models import User
from designs import okh
from designs.models import Design, PartUse
from designs.okh.check import check
from designs.queries.readiness import readiness
from designs.services import create_design, index_now, write_files
from designs.services.hiding import hide_make, show_make
from designs.services.makes import add_make, delete_make
from designs.services.releases import publish
from tests.designs.conftest import cube_stl, make

pytestmark = pytest.mark.django_db

MANIFEST = b"""okhv = "OKH-LOSHv1.0"
name = "Their name"
license = "LicenseRef-CC BY-SA-4.0"
function = "Their sentence."
keywords = ["Light", "Lamp"]
fork-of = "https://example.org/original"
"""


def put(design: Design, maker: User, **files: bytes) -> Design:
    named = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
    write_files(design=design, files=named, message="Put", author=maker, by=maker)
    return index_now(design=design, by=maker)


def test_a_manifest_fills_what_the_owner_left_empty(maker: User) -> None:
    design = create_design(owner=maker.handle, name="My lamp", licence="LicenseRef-Unknown", by=maker)
    design = put(design, maker, okh_toml=MANIFEST)
    assert (design.name, design.summary, design.licence) == ("My lamp", "Their sentence.", "CC-BY-SA-4.0")
    assert set(design.tags) == {"light", "lamp"}
    assert list(design.sources.values_list("url", flat=True)) == ["https://example.org/original"]
    put(design, maker, okh_toml=MANIFEST + b"# again\n")
    assert design.sources.count() == 1


def test_a_manifest_never_overwrites_what_the_owner_typed(maker: User) -> None:
    design = create_design(owner=maker.handle, name="My lamp", licence="MIT", summary="Mine.", by=maker)
    design = put(design, maker, okh_toml=MANIFEST)
    assert (design.summary, design.licence) == ("Mine.", "MIT")


@pytest.mark.parametrize("content", [b"\0\0", b"a = [", b"x" * 300_000, b"= = ="])
def test_a_manifest_that_cannot_be_read_hinders_nothing(maker: User, client_: Client, content: bytes) -> None:
    design = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    design = put(design, maker, okh_toml=content, bom_csv=content)
    assert design.head
    for page in ("", "bom/", "manifest/"):
        assert client_.get(f"/designs/aila/lamp/{page}").status_code == 200


@pytest.fixture
def client_() -> Client:
    """Django's own client of pages."""
    return Client()


@pytest.fixture
def lamp(maker: User) -> Design:
    base = create_design(owner=maker.handle, name="Base", licence="MIT", by=maker)
    put(base, maker, bom_csv=b"part,qty,mass g,cost EUR\nplate,2,10,3\nscrew,4,1,0.25\n")
    lamp = create_design(owner=maker.handle, name="Lamp", licence="CERN-OHL-S-2.0", summary="Gives light.", by=maker)
    table = b"part,qty,mass g,cost EUR,design\nshade,1,50,2.50,\nfoot,3,,,aila/base\n=cmd|' /C calc'!A0,1,,,\n"
    return put(lamp, maker, bom_csv=table, lamp_scad=b"cube(1);", lamp_stl=cube_stl(3))


def test_the_list_adds_up_with_its_sub_assemblies(client_: Client, lamp: Design) -> None:
    answer = client_.get("/api/v1/designs/aila/lamp/bom/").json()
    # 50 + 3×(2×10 + 4×1) g, 2.50 + 3×(2×3 + 4×0.25) EUR, by hand
    assert answer["totals"]["mass_g"] == 122
    assert answer["totals"]["costs"] == [{"currency": "EUR", "amount": "23.5000"}]
    assert answer["totals"]["mass_unknown"] == 1
    assert [(line["level"], line["name"]) for line in answer["lines"]][:4] == [
        (0, "shade"), (0, "foot"), (1, "plate"), (1, "screw"),
    ]  # fmt: skip
    page = client_.get("/designs/aila/lamp/bom/").content.decode()
    assert "plate" in page and "122" in page and "<details>" in page
    assert "Lamp" in client_.get("/designs/aila/base/bom/").content.decode().split("A part of")[1]


def test_an_older_version_has_its_older_list(client_: Client, lamp: Design, maker: User) -> None:
    old = lamp.head
    put(lamp, maker, bom_csv=b"part,qty\nnew,1\n")
    newest = client_.get("/api/v1/designs/aila/lamp/bom/").json()
    older = client_.get(f"/api/v1/designs/aila/lamp/bom/?ref={old}").json()
    assert [line["name"] for line in newest["lines"]] == ["new"]
    assert (older["commit"], older["lines"][0]["name"]) == (old, "shade")
    assert client_.get("/api/v1/designs/aila/lamp/bom/?ref=nothing").status_code == 404
    assert PartUse.objects.filter(design=lamp).count() == 0


def test_the_table_that_goes_out_holds_no_formulas(client_: Client, lamp: Design) -> None:
    answer = client_.get("/designs/aila/lamp/bom.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=cmd|" in answer.content.decode()
    assert "\n=cmd" not in answer.content.decode()


def test_a_part_that_came_later_is_found(maker: User) -> None:
    lamp = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    put(lamp, maker, bom_csv=b"part,qty,design\nfoot,1,aila/base\n")
    assert PartUse.objects.get().used is None
    base = create_design(owner=maker.handle, name="Base", licence="MIT", by=maker)
    put(base, maker, README_md=b"# Base")
    assert PartUse.objects.get().used == base


def test_private_designs_are_as_if_they_were_not_there(client_: Client, maker: User, neighbour: User) -> None:
    secret = make(maker, name="Secret base", visibility="private")
    put(secret, maker, bom_csv=b"part,qty,mass g,design\nhidden thing,1,77,\nlamp,1,,aila/lamp\n", okh_toml=MANIFEST)
    lamp = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    put(lamp, maker, bom_csv=b"part,qty,design\nfoot,1,aila/secret-base\n")
    paths = ("/designs/{}/bom/", "/designs/{}/bom.csv", "/designs/{}/manifest/", "/designs/{}/okh.toml",
             "/designs/{}/okh.yml", "/api/v1/designs/{}/bom/", "/api/v1/designs/{}/okh.toml",
             "/api/v1/designs/{}/okh.yml")  # fmt: skip
    for path in paths:
        answers = [client_.get(path.format(name)) for name in ("aila/secret-base", "aila/no-such")]
        assert [answer.status_code for answer in answers] == [404, 404], path
    for path in ("/designs/aila/lamp/bom/", "/api/v1/designs/aila/lamp/bom/"):
        text = client_.get(path).content.decode()
        assert "hidden thing" not in text
        assert "Secret base" not in text
    assert "A part of" not in client_.get("/designs/aila/lamp/bom/").content.decode()
    client_.force_login(maker)
    assert "hidden thing" in client_.get("/designs/aila/lamp/bom/").content.decode()
    assert "Secret base" in client_.get("/designs/aila/lamp/bom/").content.decode()


def test_the_manifest_that_goes_out_says_what_the_city_knows(client_: Client, lamp: Design, settings: Any) -> None:
    settings.PUBLIC_URL = "https://city.example"
    answer = client_.get("/api/v1/designs/aila/lamp/okh.toml")
    assert answer["Content-Type"].startswith("application/toml")
    said = tomllib.loads(answer.content.decode())
    assert (said["name"], said["license"], said["function"]) == ("Lamp", "CERN-OHL-S-2.0", "Gives light.")
    assert (said["bom"], said["source"], said["export"]) == ("bom.csv", "lamp.scad", "lamp.stl")
    assert said["licensor"] == "Aila"
    older = yaml.safe_load(client_.get("/api/v1/designs/aila/lamp/okh.yml").content)
    assert older["title"] == "Lamp" and older["design-files"] == [{"path": "lamp.scad"}]
    assert check(answer.content, "okh.toml").is_good
    assert client_.get("/designs/aila/lamp/okh.toml").content == answer.content
    settings.PUBLIC_URL = "http://localhost:8000"
    ours = client_.get("/designs/aila/lamp/okh.toml").content
    assert not check(ours, "okh.toml").is_good and not check(ours, "okh.toml", site="http://localhost:80").is_good
    assert check(ours, "okh.toml", site=settings.PUBLIC_URL).is_good
    assert "Wrong:" not in client_.post("/designs/okh/", {"text": ours.decode()}).content.decode()


def test_its_own_manifest_stands_and_is_completed(maker: User) -> None:
    design = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    design = put(design, maker, okh_toml=b'version = "3.1"\nfunction = "Own."\nintended-use = "At night."\nx-own = 1\n')
    said = tomllib.loads(okh.write(design, design.head).decode())
    assert (said["version"], said["function"], said["intended-use"], said["x-own"]) == ("3.1", "Own.", "At night.", 1)
    assert said["license"] == "MIT"


def test_readiness_rises_one_level_at_a_time(maker: User) -> None:
    design = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    assert readiness(design, "").level == 0
    steps = [
        (1, {"README_md": b"# Lamp", "okh_toml": b'function = "Gives light."'}),
        (2, {"LICENSE": b"MIT License"}),
        (3, {"lamp_stl": cube_stl(3), "bom_csv": b"part,qty\nshade,1\n", "assembly_md": b"Put it together."}),
    ]
    for level, files in steps:
        design = put(design, maker, **files)
        assert design.readiness == level == readiness(design, design.head).level
    found = readiness(design, design.head)
    assert {item.slug for item in found.next} == {"sources", "release"}
    assert all(item.how for item in found.missing)
    design = put(design, maker, bom_csv=b"nothing")
    assert design.readiness == 3
    private = put(design, maker, LICENSE=b"x", assembly_md=b"")
    assert private.readiness == 3


def test_a_release_and_a_make_count_at_once(maker: User, neighbour: User) -> None:
    design = create_design(owner=maker.handle, name="Lamp", licence="MIT", by=maker)
    files = {"README_md": b"# Lamp", "okh_toml": b'function = "Gives light."', "LICENSE": b"MIT License"}
    files |= {"lamp_step": b"ISO-10303-21;", "bom_csv": b"part,qty\nshade,1\n", "assembly_md": b"Put it together."}
    design = put(design, maker, **files)
    levels = [design.readiness]
    publish(design=design, version="1.0", notes="", by=maker)
    design.refresh_from_db()
    levels.append(design.readiness)
    made = add_make(design=design, author=neighbour, text="It shines.")
    levels.append(Design.objects.get(pk=design.pk).readiness)
    hide_make(str(made.pk), "a test")
    levels.append(Design.objects.get(pk=design.pk).readiness)
    show_make(str(made.pk))
    levels.append(Design.objects.get(pk=design.pk).readiness)
    delete_make(make=made, by=neighbour)
    levels.append(Design.objects.get(pk=design.pk).readiness)
    assert levels == [3, 4, 5, 4, 5, 4]


def test_a_closed_licence_keeps_a_design_at_the_first_level(maker: User) -> None:
    design = create_design(owner=maker.handle, name="Lamp", licence="CC-BY-NC-4.0", summary="Light.", by=maker)
    design = put(design, maker, README_md=b"# Lamp", LICENSE=b"x", lamp_stl=cube_stl(3))
    assert design.readiness == 1


def test_owners_see_what_to_do_and_visitors_a_line(client_: Client, lamp: Design, maker: User) -> None:
    page = client_.get("/designs/aila/lamp/").content.decode()
    assert "Readiness" in page and 'class="todo"' not in page
    client_.force_login(maker)
    assert 'class="todo"' in client_.get("/designs/aila/lamp/").content.decode()


def test_anybody_checks_a_manifest_without_an_account(client_: Client) -> None:
    assert client_.get("/designs/okh/").status_code == 200
    page = client_.post("/designs/okh/", {"text": 'name = "<b>x</b>"\nfuction = "y"'}).content.decode()
    assert "<code>function</code>" in page and "<b>x</b>" not in page
    file = SimpleUploadedFile("okh.yml", b"title: A\n  bad: [")
    page = client_.post("/designs/okh/", {"file": file}).content.decode()
    assert "cannot be read" in page and "Line 2" in page
    assert client_.post("/designs/okh/", {"text": ""}).status_code == 422
    assert client_.post("/designs/okh/", {"text": "\0"}).status_code == 400
    assert Design.objects.count() == 0


SHARED_SKIP = "LIVINGCITY_SHARED is not set"


@pytest.mark.shared
def test_the_folder_of_139_would_become_139_designs(maker: User, capsys: pytest.CaptureFixture[str]) -> None:
    import os

    folder = Path(os.environ.get("LIVINGCITY_SHARED", "/nowhere")) / "data/okh/losh"
    if not folder.is_dir():
        pytest.skip(SHARED_SKIP)
    call_command("import_okh", str(folder), "--json", owner="aila", dry_run=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["read"], report["of"]) == (139, 139)
    assert len({result["design"] for result in report["results"]}) == 139
    assert Design.objects.count() == 0
    assert {r["licence"] for r in report["results"] if r["written_licence"] == "LicenseRef-CC BY-SA-4.0"} == {
        "CC-BY-SA-4.0"
    }


def test_manifests_become_designs_and_stay_as_they_are(
    maker: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_bytes(MANIFEST)
    (tmp_path / "b.yml").write_bytes(b"title: Their name\ndescription: Another.\nlicense: {hardware: MIT}\n")
    (tmp_path / "c.toml").write_bytes(b"= 1")
    for status in ("made", "kept"):
        with pytest.raises(CommandError):
            call_command("import_okh", str(tmp_path), "--json", owner="aila")
        report = json.loads(capsys.readouterr().out)
        assert [result["status"] for result in report["results"]] == [status, status, "refused"]
    assert set(Design.objects.values_list("slug", "licence")) == {
        ("their-name", "CC-BY-SA-4.0"), ("their-name-2", "MIT"),
    }  # fmt: skip
    from designs import git

    first = Design.objects.get(slug="their-name")
    entry = git.of(first.repository).entry(first.head, "okh.toml")
    assert git.of(first.repository).read(entry.oid, limit=9999) == MANIFEST
