"""Files changed in the browser and over the API: each write is a commit, nothing typed is lost, others may offer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client

from commons.people.models import User
from designs import git
from designs.models import Design, Proposal
from designs.services import write_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Callable[[User | None], Client]:
    def make(user: User | None) -> Client:
        browser = Client()
        if user is not None:
            browser.force_login(user)
        return browser

    return make


def held(design: Design, branch: str = "main") -> dict[str, bytes]:
    repository = git.of(design.repository)
    return {e.path: repository.read(e.oid, limit=1 << 24) for e in repository.files(repository.commit_of(branch))}


def oid(design: Design, path: str) -> str:
    repository = git.of(design.repository)
    return repository.entry(repository.commit_of("main"), path).oid


BASE = "/designs/aila/test-cube/"


def test_many_files_with_their_folders_are_one_commit(at: Any, design: Design, maker: User) -> None:
    before = len(git.of(design.repository).history("main"))
    large = TemporaryUploadedFile("large.bin", "application/octet-stream", 300_000, None)
    large.write(b"L" * 300_000)
    large.seek(0)
    sent = {
        "files": [SimpleUploadedFile("a.txt", b"a"), SimpleUploadedFile("a.txt", b"b"), large],
        "paths": ["one/a.txt", "two/a.txt", "large.bin"], "folder": "parts", "message": "",
    }  # fmt: skip
    answer = at(maker).post(f"{BASE}add/", sent)
    assert (answer.status_code, answer["Location"]) == (302, BASE)
    files = held(design)
    assert files["parts/one/a.txt"] == b"a"
    assert files["parts/two/a.txt"] == b"b"
    assert files["parts/large.bin"] == b"L" * 300_000
    history = git.of(design.repository).history("main")
    assert len(history) == before + 1
    assert history[0].subject.startswith("Add 3 files: parts/large.bin")


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["../out.txt"], "inside the design"),
        ([".git/config"], "own"),
        (["a/../../b"], "inside"),
        (["x" * 800], "longer"),
    ],
)
def test_bad_paths_change_nothing(at: Any, design: Design, maker: User, paths: list[str], words: str) -> None:
    before = git.of(design.repository).head("main")
    answer = at(maker).post(f"{BASE}add/", {"files": [SimpleUploadedFile("a.txt", b"a")], "paths": paths})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    nothing = at(maker).post(f"{BASE}add/", {"message": "Nothing"})
    assert nothing.status_code == 422
    assert git.of(design.repository).head("main") == before


def test_a_text_is_written_previewed_moved_and_deleted(at: Any, design: Design, maker: User) -> None:
    browser = at(maker)
    new = browser.post(f"{BASE}write/", {"path": "docs/how.md", "text": "# How\r\n\r\nturn it\r\n", "seen": ""})
    assert new.status_code == 302
    assert held(design)["docs/how.md"] == b"# How\n\nturn it\n"
    shown = browser.get(f"{BASE}write/docs/how.md").content.decode()
    assert "turn it" in shown
    words = {"path": "docs/how.md", "text": "# Why\n", "seen": oid(design, "docs/how.md")}
    preview = browser.post(f"{BASE}write/docs/how.md", {**words, "preview": "1"})
    assert preview.status_code == 200
    assert "<h2>Why</h2>" in preview.content.decode()
    assert held(design)["docs/how.md"] == b"# How\n\nturn it\n"
    assert browser.post(f"{BASE}write/docs/how.md", {**words, "path": "why.md"}).status_code == 302
    assert held(design)["why.md"] == b"# Why\n"
    assert "docs/how.md" not in held(design)
    assert browser.post(f"{BASE}move/why.md", {"to": "docs/why.md"})["Location"] == f"{BASE}files/docs/why.md"
    assert held(design)["docs/why.md"] == b"# Why\n"
    assert browser.post(f"{BASE}move/docs/why.md", {"to": "cube.stl"}).status_code == 409
    assert browser.get(f"{BASE}remove/docs/why.md").status_code == 200
    gone = browser.post(f"{BASE}remove/docs/why.md", {"seen": oid(design, "docs/why.md")})
    assert gone.status_code == 302
    assert "docs/why.md" not in held(design)
    assert browser.get(f"{BASE}write/cube.stl").status_code == 404  # not a text


def test_what_two_people_typed_is_not_lost(at: Any, design: Design, maker: User) -> None:
    seen = oid(design, "README.md")
    write_files(design=design, files={"README.md": b"# Theirs\n"}, message="Theirs", author=maker, by=maker)
    mine = {"path": "README.md", "text": "# Mine\n", "seen": seen, "message": "Mine"}
    answer = at(maker).post(f"{BASE}write/README.md", mine)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "# Theirs" in page
    assert "# Mine" in page
    assert "meanwhile" in page
    assert held(design)["README.md"] == b"# Theirs\n"
    again = at(maker).post(f"{BASE}write/README.md", {**mine, "seen": oid(design, "README.md")})
    assert again.status_code == 302
    assert held(design)["README.md"] == b"# Mine\n"


def test_a_neighbour_offers_what_they_may_not_write(at: Any, design: Design, neighbour: User) -> None:
    before = git.of(design.repository).head("main")
    page = at(neighbour).get(f"{BASE}write/README.md").content.decode()
    assert "offer" in page
    sent = {"path": "README.md", "text": "# Cube, better\n", "seen": oid(design, "README.md"), "message": "Say more"}
    answer = at(neighbour).post(f"{BASE}write/README.md", sent)
    change = Proposal.objects.get()
    assert answer["Location"] == f"{BASE}changes/{change.number}/"
    assert (change.title, change.author, change.source.owner.name) == ("Say more", neighbour, "niko")
    assert held(change.source, change.source_branch)["README.md"] == b"# Cube, better\n"
    assert git.of(design.repository).head("main") == before
    # A second offer goes to a branch of its own in the same fork.
    sent = {"files": [SimpleUploadedFile("lid.stl", b"solid")], "message": "A lid"}
    assert at(neighbour).post(f"{BASE}add/", sent).status_code == 302
    branches = set(Proposal.objects.values_list("source_branch", flat=True))
    assert branches == {"change-1", "change-2"}
    assert Design.objects.filter(forked_from=design).count() == 1


def test_who_may_not_is_told(at: Any, design: Design, private: Design, neighbour: User, maker: User) -> None:
    for path in ("add/", "write/", "write/README.md", "remove/README.md"):
        assert at(None).get(f"{BASE}{path}").status_code == 302
        assert at(neighbour).get(f"/designs/aila/secret-cube/{path}").status_code == 404
        assert at(maker).get(f"/designs/aila/no-such/{path}").status_code == 404
    assert at(neighbour).post(f"{BASE}move/README.md", {"to": "x.md"}).status_code == 403


# --- the API -----------------------------------------------------------------------------------------------------

API = "/api/v1/designs/aila/test-cube/files/"


def test_files_over_the_api(design: Design, token: str, private: Design, neighbour: User) -> None:
    browser, head = Client(), {"authorization": f"Bearer {token}"}
    put = browser.put(f"{API}new/a.txt?message=Hi", b"one", "text/plain", headers=head)
    assert (put.status_code, put.json()["branch"]) == (200, "main")
    assert held(design)["new/a.txt"] == b"one"
    seen = oid(design, "new/a.txt")
    stale = browser.put(f"{API}new/a.txt", b"two", "x/y", headers={**head, "if-match": '"' + "0" * 40 + '"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["blob"]) == (409, "design:file-changed", seen)
    assert browser.put(f"{API}new/a.txt", b"two", "x/y", headers={**head, "if-match": f'"{seen}"'}).status_code == 200
    assert browser.put(f"{API}new/a.txt", b"x", "x/y", headers={**head, "if-match": '""'}).status_code == 409
    assert browser.put(f"{API}a.txt?branch=absent", b"x", "x/y", headers=head).status_code == 404
    assert browser.put(f"{API}.git/config", b"x", "x/y", headers=head).status_code == 422
    many = browser.post(
        API, {"files": [SimpleUploadedFile("b.txt", b"b"), SimpleUploadedFile("c.txt", b"c")], "folder": "new"},
        headers=head,
    )  # fmt: skip
    assert many.status_code == 201
    assert browser.delete(f"{API}new/a.txt", headers=head).status_code == 200
    assert browser.delete(f"{API}new/a.txt", headers=head).status_code == 404
    assert {p for p in held(design) if p.startswith("new/")} == {"new/b.txt", "new/c.txt"}
    assert browser.put(f"{API}a.txt", b"x", "x/y").status_code == 401
    hidden = "/api/v1/designs/aila/secret-cube/files/a.txt"
    from commons.people.services import create_token

    theirs = create_token(user=neighbour, name="t", scopes=["designs:write"])[1]
    assert browser.put(hidden, b"x", "x/y", headers={"authorization": f"Bearer {theirs}"}).status_code == 404
    assert browser.put(f"{API}a.txt", b"x", "x/y", headers={"authorization": f"Bearer {theirs}"}).status_code == 403
