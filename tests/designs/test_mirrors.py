"""Designs that follow a repository on a real https server, and the large files that come along."""

import datetime as dt
import hashlib
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.errors import Archived, Mirrored, NotYours, TooMany
from designs.git import environment, fetching, pinned
from designs.models import Design, LfsLink, LfsObject, Mirror
from designs.queries.lfs import path_of
from designs.services import create_design, import_later, lfs, mirrors, wish, write_files
from designs.services.lifecycle import archive
from designs.services.proposals import open_proposal
from designs.services.releases import publish
from tests.designs.test_import_https import certificate

pytestmark = pytest.mark.django_db


class Source:
    """A repository that is served, with a work tree to change it, and large files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work, self.bare = folder, folder / "work", folder / "thing.git"
        self.large: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.trick = ""
        self.base = ""
        self.run("init", "-q", "-b", "main", str(self.work))
        self.run("init", "-q", "--bare", "-b", "main", str(self.bare))
        self.run("-C", str(self.bare), "config", "receive.denyDeleteCurrent", "ignore")
        self.commit({"part.txt": "a part"}, "First")

    def run(self, *words: str) -> str:
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        who = ["-c", "user.name=A", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *who, *words], env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def at(self, *words: str) -> str:
        return self.run("-C", str(self.work), *words)

    def commit(self, files: dict[str, str], message: str) -> str:
        for name, text in files.items():
            (self.work / name).write_text(text)
        self.at("add", "-A")
        self.at("commit", "-qm", message)
        self.publish()
        return self.at("rev-parse", "HEAD")

    def publish(self) -> None:
        """What is in the work tree's repository, and nothing else, is served."""
        self.at("push", "-q", "--mirror", str(self.bare))
        self.run("-C", str(self.bare), "update-server-info")

    def pointer(self, content: bytes, *, have: bool = True, size: int | None = None) -> str:
        oid = hashlib.sha256(content).hexdigest()
        if have:
            self.large[oid] = content
        return (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\n"
            f"size {len(content) if size is None else size}\n"
        )

    @property
    def url(self) -> str:
        return f"{self.base}/thing.git"


class Handler(BaseHTTPRequestHandler):
    """Plain files as git's dumb protocol reads them; the batch API and basic transfer of Git LFS."""

    source: Source

    def log_message(self, *_words: Any) -> None:
        """Nothing."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/store/"):
            self.stored(path.removeprefix("/store/"))
            return
        file = self.source.folder / path.lstrip("/")
        if file.is_file():
            self.answer(file.read_bytes())
        else:
            self.answer(b"", 404)

    def stored(self, oid: str) -> None:
        self.source.asked.append(oid)
        content = self.source.large[oid]
        if self.source.trick == "redirect":
            self.answer(b"", 302, Location=f"{self.source.base}/store/{oid}?again")
        elif self.headers.get("X-Word") != "please":
            self.answer(b"", 403)
        elif self.source.trick == "wrong":
            self.answer(b"x" * len(content))
        elif self.source.trick == "longer":
            self.answer(content + b"more")
        else:
            self.answer(content)

    def do_POST(self) -> None:
        assert self.path == "/thing.git/info/lfs/objects/batch"
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert (asked["operation"], asked["transfers"]) == ("download", ["basic"])
        if self.source.trick == "no batch":
            self.answer(b"", 404)
            return
        told = [self.offer(one["oid"], one["size"]) for one in asked["objects"]]
        document = json.dumps({"transfer": "basic", "objects": told}).encode()
        self.answer(document, **{"Content-Type": "application/vnd.git-lfs+json"})

    def offer(self, oid: str, size: int) -> dict[str, Any]:
        if oid not in self.source.large:
            return {"oid": oid, "size": size, "error": {"code": 404, "message": "It was lost."}}
        base = {"inside": "https://127.0.0.2", "plain": "http://thing.example"}.get(self.source.trick, self.source.base)
        header = {"X-Word": "please", "Host": "elsewhere.example", "Content-Length": "7"}
        return {"oid": oid, "size": size, "actions": {"download": {"href": f"{base}/store/{oid}", "header": header}}}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Source]:
    """Served at `https://thing.example:PORT`, which only this test takes for a public address."""
    settings.LFS_DIR = tmp_path / "lfs"
    folder = tmp_path / "source"
    folder.mkdir()
    made, pem = Source(folder), certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Handler,), {"source": made}))
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    clean = environment.clean
    monkeypatch.setattr(environment, "clean", lambda **more: clean(GIT_SSL_CAINFO=str(pem), **more))
    monkeypatch.setattr(pinned, "context", lambda: ssl.create_default_context(cafile=str(pem)))
    monkeypatch.setattr(fetching, "is_outside", lambda address: address == "127.0.0.1")
    here = {"thing.example": "127.0.0.1", "127.0.0.2": "127.0.0.2"}
    monkeypatch.setattr(fetching, "resolve", lambda host, port: [here[host]] if host in here else [])
    monkeypatch.setattr(fetching.check_address, "__kwdefaults__", {"resolver": fetching.resolve})
    usual = fetching.from_https.__kwdefaults__
    monkeypatch.setattr(fetching.from_https, "__kwdefaults__", {**usual, "resolver": fetching.resolve})
    made.base = f"https://thing.example:{httpd.server_port}"
    yield made
    httpd.shutdown()
    httpd.server_close()


def bring(source: Source, maker: User, *, follow_hours: int = 6, **more: Any) -> Design:
    """Import it by a run, and read it."""
    wanted = wish(source=source.url, owner=maker.handle, by=maker, licence="MIT", follow_hours=follow_hours, **more)
    run = import_later(wanted=wanted, by=maker)
    do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == ("done", "")
    return read(Design.objects.get(slug=wanted.slug))


def read(design: Design) -> Design:
    for run in Run.objects.filter(kind="designs.index", status="queued", subject=f"designs.design:{design.pk}"):
        do(run.pk)
    return Design.objects.get(pk=design.pk)


def look(design: Design) -> Run:
    """What beat does when the time has come."""
    Mirror.objects.filter(design=design).update(next_at=timezone.now())
    assert mirrors.start_due() == 1
    run = Run.objects.filter(kind="designs.mirror").latest("created_at")
    do(run.pk)
    run.refresh_from_db()
    read(design)
    return run


def names(design: Design) -> list[str]:
    return sorted(entry.path for entry in git.of(design.repository).files(Design.objects.get(pk=design.pk).head))


def internal(design: Design) -> dict[str, str]:
    out = subprocess.run(
        ["git", "--git-dir", str(git.of(design.repository).path), "for-each-ref", "--format=%(refname) %(objectname)",
         "refs/internal/"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(line.split() for line in out.splitlines())


def test_what_the_source_adds_comes_along(source: Source, maker: User) -> None:
    design = bring(source, maker)
    assert (design.mirror.url, design.mirror.every_hours, design.mirror.failures) == (source.url, 6, 0)
    head = source.commit({"second.txt": "more"}, "Second")
    source.at("branch", "try/out")
    source.at("tag", "-a", "v1", "-m", "one")
    source.publish()
    assert mirrors.start_due() == 0  # not yet
    run = look(design)
    assert (run.status, run.error) == ("done", "")
    assert run.result == {"changed": 3, "rewritten": 0, "large_files": 0, "note": ""}
    design.refresh_from_db()
    assert (design.head, names(design)) == (head, ["part.txt", "second.txt"])
    assert design.file_versions.count() == 2
    assert set(git.of(design.repository).refs()) == {"refs/heads/main", "refs/heads/try/out", "refs/tags/v1"}
    assert internal(design) == {}
    pushed = design.pushed_at
    assert look(design).result["changed"] == 0
    design.refresh_from_db()
    assert design.pushed_at == pushed


def test_rewritten_history_is_followed_and_the_old_one_kept(source: Source, maker: User) -> None:
    source.at("branch", "old-idea")
    first = source.at("rev-parse", "HEAD")
    second = source.commit({"second.txt": "more"}, "Second")
    design = bring(source, maker)
    source.at("reset", "-q", "--hard", first)
    source.at("branch", "-D", "old-idea")
    third = source.commit({"third.txt": "otherwise"}, "Third")
    source.at("branch", "old-idea/again")  # stands where a branch has just gone
    source.publish()
    run = look(design)
    assert (run.status, run.result["rewritten"]) == ("done", 2)
    assert git.of(design.repository).refs() == {"refs/heads/main": third, "refs/heads/old-idea/again": third}
    kept = internal(design)
    assert sorted(ref.split("/", 4)[4] for ref in kept) == ["heads/main", "heads/old-idea"]
    assert all(ref.startswith("refs/internal/old/20") for ref in kept)
    assert set(kept.values()) == {second, first}
    assert names(design) == ["part.txt", "third.txt"]


def test_the_tag_of_a_release_stays(source: Source, maker: User) -> None:
    source.at("tag", "1.0.0")
    source.at("tag", "loose")
    source.publish()
    design = bring(source, maker)
    released = publish(design=design, version="1.0.0", notes="", by=maker)  # a mirror may be released
    before = git.of(design.repository).refs()
    source.commit({"part.txt": "other"}, "Changed")
    source.at("tag", "-f", "1.0.0")
    source.at("tag", "-f", "loose")
    source.publish()
    look(design)
    after = git.of(design.repository).refs()
    assert after["refs/tags/1.0.0"] == before["refs/tags/1.0.0"] == released.commit
    assert after["refs/tags/loose"] != before["refs/tags/loose"]
    source.at("tag", "-d", "1.0.0")
    source.at("tag", "-d", "loose")
    source.publish()
    look(design)
    assert set(git.of(design.repository).refs()) == {"refs/heads/main", "refs/tags/1.0.0"}


def test_nobody_writes_to_a_mirror_here(source: Source, maker: User, neighbour: User) -> None:
    design = bring(source, maker)
    with pytest.raises(Mirrored, match=source.url) as refused:
        write_files(design=design, files={"a.txt": b"a"}, message="x", author=maker, by=maker)
    assert refused.value.data["url"] == source.url
    with pytest.raises(NotYours):
        write_files(design=design, files={"a.txt": b"a"}, message="x", author=neighbour, by=neighbour)
    with pytest.raises(Mirrored):
        lfs.lock(design=design, path="a.stl", by=maker)
    with pytest.raises(Mirrored):
        open_proposal(design=design, source=design, source_branch="main", title="x", by=neighbour)
    mirrors.let_go(design=design, by=maker)
    design = Design.objects.get(pk=design.pk)
    write_files(design=design, files={"a.txt": b"a"}, message="x", author=maker, by=maker)
    assert not Mirror.objects.exists()


def test_only_its_owner_decides(source: Source, maker: User, neighbour: User) -> None:
    design = bring(source, maker)
    for act in (mirrors.fetch_now, mirrors.let_go):
        with pytest.raises(NotYours):
            act(design=design, by=neighbour)
    with pytest.raises(NotYours):
        mirrors.change(design=design, by=neighbour, every_hours=1)
    run = mirrors.fetch_now(design=design, by=maker)
    assert mirrors.fetch_now(design=design, by=maker) == run  # one at a time
    do(run.pk)
    with pytest.raises(TooMany):
        mirrors.fetch_now(design=design, by=maker)
    archive(design=design, by=maker)
    Mirror.objects.update(next_at=timezone.now())
    assert mirrors.start_due() == 0
    with pytest.raises(Archived):
        mirrors.let_go(design=design, by=maker)


def test_a_source_that_is_away_is_asked_less_and_less(source: Source, maker: User) -> None:
    design = bring(source, maker)
    head, away = design.head, source.bare.rename(source.folder / "away")
    waits = []
    for number in range(1, 5):
        before = timezone.now()
        run = look(design)
        assert (run.status, run.error_code) == ("failed", "design:bad-source")
        mirror = Mirror.objects.get()
        assert mirror.failures == number
        assert "thing.git" in mirror.last_error
        waits.append(round((mirror.next_at - before) / dt.timedelta(hours=1)))
        assert Notice.objects.filter(kind="designs.mirror", person=maker).count() == (number >= 3)
    assert waits == [12, 24, 48, 96]
    assert (Design.objects.get().head, names(design)) == (head, ["part.txt"])
    away.rename(source.bare)
    assert look(design).status == "done"
    mirror = Mirror.objects.get()
    assert (mirror.failures, mirror.last_error) == (0, "")


def test_a_source_without_branches_takes_nothing_away(source: Source, maker: User) -> None:
    design = bring(source, maker)
    source.run("-C", str(source.bare), "update-ref", "-d", "refs/heads/main")
    source.run("-C", str(source.bare), "tag", "left", source.at("rev-parse", "HEAD"))
    source.run("-C", str(source.bare), "update-server-info")
    assert look(design).status == "failed"
    assert git.of(design.repository).refs() == {"refs/heads/main": design.head}
    assert internal(design) == {}


def test_another_main_branch_is_shown(source: Source, maker: User) -> None:
    design = bring(source, maker)
    source.at("branch", "-m", "main", "trunk")
    source.publish()
    look(design)
    design.refresh_from_db()
    assert (design.default_branch, names(design)) == ("trunk", ["part.txt"])


def test_more_than_there_is_room_for_is_not_taken(source: Source, maker: User, settings: Any) -> None:
    design = bring(source, maker)
    noise = "".join(hashlib.sha512(str(n).encode()).hexdigest() for n in range(8000))
    source.commit({"noise.txt": noise}, "Much")
    settings.OWNER_QUOTA_BYTES = design.size_bytes + 100_000
    run = look(design)
    assert (run.status, run.error_code) == ("failed", "design:over-quota")
    assert names(design) == ["part.txt"]
    settings.OWNER_QUOTA_BYTES = 10_000_000
    assert look(design).status == "done"
    assert names(design) == ["noise.txt", "part.txt"]


def test_an_address_that_became_private_is_not_fetched(
    source: Source, maker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = bring(source, maker)
    monkeypatch.setattr(fetching, "is_outside", lambda _address: False)
    run = look(design)
    assert (run.status, run.error_code) == ("failed", "design:address-refused")


def test_large_files_come_along_with_an_import(source: Source, maker: User) -> None:
    big, lost = b"solid " * 5000, b"lost"
    source.commit({"big.stl": source.pointer(big), "lost.stl": source.pointer(lost, have=False)}, "Large")
    design = bring(source, maker, follow_hours=0)
    oid = hashlib.sha256(big).hexdigest()
    assert [link.object.oid for link in LfsLink.objects.filter(design=design)] == [oid]
    assert path_of(oid).read_bytes() == big
    assert design.file_versions.get(path="big.stl").blob.sha256 == oid
    assert not design.file_versions.filter(path="lost.stl").exists()
    assert "1 large file" in design.index_note
    run = Run.objects.get(kind="designs.import")
    assert run.result["large_files"] == 1
    assert "It was lost." in run.result["note"]


def test_large_files_come_along_with_a_mirror(source: Source, maker: User) -> None:
    design = bring(source, maker)
    big = b"facet " * 5000
    source.commit({"big.stl": source.pointer(big)}, "Large")
    source.trick = "no batch"
    assert look(design).status == "done"
    assert "404" in Mirror.objects.get().last_error
    assert Mirror.objects.get().failures == 0
    source.trick = ""
    assert look(design).result["large_files"] == 1
    assert Mirror.objects.get().last_error == ""
    assert design.file_versions.get(path="big.stl").blob.size == len(big)
    asked = len(source.asked)
    look(design)
    assert len(source.asked) == asked  # what is here is not got again


@pytest.mark.parametrize("trick", ["redirect", "wrong", "longer", "inside", "plain"])
def test_a_store_that_cheats_gives_nothing(source: Source, maker: User, trick: str) -> None:
    source.commit({"big.stl": source.pointer(b"solid " * 500)}, "Large")
    source.trick = trick
    design = bring(source, maker)
    assert not LfsObject.objects.exists()
    assert not [file for file in Path(conf.LFS_DIR).rglob("*") if file.is_file()]
    assert design.mirror.last_error.startswith("1 large file")


def test_a_hash_alone_gives_nothing(source: Source, maker: User, neighbour: User, tmp_path: Path) -> None:
    secret = b"a secret " * 50
    other = create_design(owner=neighbour.handle, name="Other", licence="MIT", by=neighbour, visibility="private")
    (tmp_path / "secret").write_bytes(secret)
    lfs.add_file(design=other, source=tmp_path / "secret")
    source.commit({"big.stl": source.pointer(secret, have=False)}, "A pointer to what the city has")
    design = bring(source, maker)
    assert not LfsLink.objects.filter(design=design).exists()


def test_limits_of_large_files(source: Source, maker: User, settings: Any) -> None:
    settings.LFS_MAX_BYTES = 1000
    source.commit({"a.stl": source.pointer(b"a" * 2000), "b.stl": source.pointer(b"b" * 900, size=10)}, "Large")
    design = bring(source, maker)
    assert not LfsLink.objects.filter(design=design).exists()
    assert design.mirror.last_error.startswith("2 large files")


def test_the_certificate_must_be_of_the_host(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(url: str) -> int:
        with pinned.request("GET", url, headers={}, wall_s=10) as answer:
            return answer.status

    assert ask(f"{source.url}/HEAD") == 200
    monkeypatch.setattr(fetching, "resolve", lambda _host, _port: ["127.0.0.1"])
    monkeypatch.setattr(fetching.check_address, "__kwdefaults__", {"resolver": fetching.resolve})
    with pytest.raises(fetching.BadSource, match="certificate"):
        ask(f"{source.url}/HEAD".replace("thing.example", "other.example"))


def test_the_pages_of_a_mirror(source: Source, maker: User, neighbour: User) -> None:
    browser, stranger = Client(), Client()
    browser.force_login(maker)
    stranger.force_login(neighbour)
    form = {"name": "Thing", "licence": "MIT", "visibility": "public", "source": source.url, "follow_hours": "24"}
    answer = browser.post("/designs/new/", form)
    do(Run.objects.get(kind="designs.import").pk)
    assert answer.status_code == 302
    read(Design.objects.get())
    page = browser.get("/designs/aila/thing/").content.decode()
    assert source.url in page
    assert "/designs/aila/thing/add/" not in page
    assert browser.get("/designs/aila/thing/add/").status_code == 409
    assert "/designs/aila/thing/add/" not in stranger.get("/designs/aila/thing/").content.decode()
    assert stranger.post("/designs/aila/thing/settings/", {"do": "mirror_end"}).status_code == 403
    settings_page = "/designs/aila/thing/settings/"
    assert "Turn it into an ordinary design" in browser.get(settings_page).content.decode()
    assert browser.post(settings_page, {"do": "mirror_every", "every_hours": "1"}).status_code == 302
    assert Mirror.objects.get().every_hours == 1
    assert browser.post(settings_page, {"do": "mirror_every", "every_hours": "0"}).status_code == 400
    assert browser.post(settings_page, {"do": "mirror_fetch"}).status_code == 302
    assert Run.objects.filter(kind="designs.mirror", owner=maker).count() == 1
    assert browser.post(settings_page, {"do": "mirror_end"}).status_code == 302
    assert "Turn it into" not in browser.get(settings_page).content.decode()
    assert browser.get("/designs/aila/thing/add/").status_code == 200


def test_a_mirror_over_the_api(source: Source, maker: User, neighbour: User) -> None:
    browser, stranger = Client(), Client()
    browser.force_login(maker)
    stranger.force_login(neighbour)
    sent = {"source": source.url, "follow_hours": 24, "visibility": "private", "licence": "MIT"}
    asked = browser.post("/api/v1/designs/import/", sent, content_type="application/json")
    assert asked.status_code == 202
    do(asked.json()["id"])
    read(Design.objects.get())
    assert browser.get("/api/v1/designs/aila/thing/").json()["mirror_of"] == source.url
    at = "/api/v1/designs/aila/thing/mirror/"
    assert browser.get(at).json()["every_hours"] == 24
    assert stranger.get(at).status_code == 404
    assert Client().get(at).status_code in {401, 403}
    changed = browser.patch(at, {"every_hours": 2}, content_type="application/json")
    assert (changed.status_code, changed.json()["every_hours"]) == (200, 2)
    assert browser.patch(at, {"every_hours": 0}, content_type="application/json").status_code == 400
    assert browser.post(f"{at}fetch/").status_code == 202
    assert browser.delete(at).status_code == 204
    assert browser.get(at).status_code == 404
    assert Design.objects.get().head
