"""What files say of themselves: names and sentences for new designs."""

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commons.people.models import User
from designs import git, naming
from designs.models import Design

README = """# Rail *clamp*, [v2](https://example.org)

![Photo](a.jpg)

| a | b |
|---|---|

Holds a `panel` to a _rail_ of
my_house, see [notes](notes.md).

More words.
"""


def test_a_readme_gives_name_and_sentence() -> None:
    told = naming.of_readme(README)
    assert told.name == "Rail clamp, v2"
    assert told.summary == "Holds a panel to a rail of my_house, see notes."
    assert naming.of_readme("Words alone.\n") == naming.About("", "Words alone.")
    assert naming.of_readme("# " + "n" * 500 + "\n\n" + "s" * 900) == naming.About("n" * 120, "s" * 400)


@pytest.mark.parametrize(
    ("path", "name"),
    [("parts/rail_clamp-v2.stl", "Rail clamp v2"), ("M3 Nut.STEP", "M3 Nut"), ("LICENSE", "LICENSE"), ("", "")],
)
def test_a_file_gives_its_name(path: str, name: str) -> None:
    assert naming.of_name(path) == name


def test_the_readme_goes_before_shapes_and_shapes_before_other_files(tmp_path: Path) -> None:
    files: dict[str, object] = {"a.txt": b"x", "deep/body.stl": b"x", "notes/README.md": b"no heading"}
    assert naming.of_files(files) == naming.About("Body", "no heading")
    large = tmp_path / "README.md"
    large.write_text("# Large\n\nFrom a file.\n\n" + "x" * 200_000)
    assert naming.of_files(files | {"README.md": large}) == naming.About("Large", "From a file.")
    assert naming.of_files({}) == naming.About()


def test_several_files_without_a_name_become_a_design_that_the_readme_names(client: Client, maker: User) -> None:
    client.force_login(maker)
    files = [SimpleUploadedFile("body.stl", b"solid x\nendsolid x\n"), SimpleUploadedFile("README.md", README.encode())]
    sent = {"name": "", "licence": "CC0-1.0", "visibility": "public", "file": files}
    answer = client.post("/designs/new/", sent | {"paths": ["parts/body.stl", "README.md"]})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    design = Design.objects.get(owner=maker.handle)
    assert (design.name, design.summary) == ("Rail clamp, v2", "Holds a panel to a rail of my_house, see notes.")
    repository = git.of(design.repository)
    assert {entry.path for entry in repository.files(repository.head("main"))} == {"parts/body.stl", "README.md"}


def test_without_a_name_a_file_or_an_address_nothing_is_made(client: Client, maker: User) -> None:
    client.force_login(maker)
    answer = client.post("/designs/new/", {"name": " ", "licence": "CC0-1.0", "visibility": "public"})
    assert answer.status_code == 422
    assert "Give it a name, or a file that names it." in answer.content.decode()
    assert not Design.objects.exists()


def test_a_browser_asks_for_no_second_licence(client: Client, maker: User) -> None:
    client.force_login(maker)
    page = client.get("/designs/new/").content.decode()
    inputs = re.findall(r"<(?:input|select)[^>]*name=\"licence(?:_other)?\"[^>]*>", page)
    assert len(inputs) == 2
    assert not any("required" in one for one in inputs)
