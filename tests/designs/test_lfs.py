"""Large files by stock git-lfs: the same bytes both ways, only through the design that holds them, locks, sweeping."""

import datetime as dt
import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from commons.people.models import User
from commons.people.services import create_token
from designs.errors import LargeFileWrong, Locked, NotYours, OverQuota, TooLarge
from designs.git import pointers
from designs.models import Blob, Design, LfsLink, LfsObject
from designs.queries import lfs as queries
from designs.queries import origins
from designs.queries.room import used_bytes
from designs.services import fork_design, index_now, write_files
from designs.services import lfs as services
from tests.designs.conftest import Git, address, cube_stl, wait_for


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pointer(content: bytes) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(content)}\nsize {len(content)}\n".encode()


@pytest.fixture(autouse=True)
def own_large_files(tmp_path: Path, settings: Any, request: pytest.FixtureRequest) -> None:
    if "live_city" not in request.fixturenames:
        settings.LFS_DIR = tmp_path / "lfs"


# --- pointers ----------------------------------------------------------------------------------------------------


def test_a_pointer_is_read_and_nothing_else_is() -> None:
    real = b"version https://git-lfs.github.com/spec/v1\next-0-foo sha256:ab\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    assert pointers.read(real) == pointers.Pointer("a" * 64, 12)
    assert pointers.read(pointer(b"x")) == pointers.Pointer(sha256(b"x"), 1)
    for other in (
        b"", b"solid cube", real.replace(b"sha256:a", b"md5:a"), real.replace(b"12", b"-1"), real + b" " * 1024,
        real.replace(b"size", b"length"), real.replace(b"spec/v1", b"spec/v9"), real.replace(b"a" * 64, b"A" * 64),
    ):  # fmt: skip
        assert pointers.read(other) is None


# --- taking and giving -------------------------------------------------------------------------------------------


def test_bytes_that_are_not_what_was_announced_leave_nothing(design: Design, maker: User, settings: Any) -> None:
    with pytest.raises(LargeFileWrong, match="3 bytes"):
        services.take(design=design, oid="0" * 64, body=io.BytesIO(b"abc"), by=maker)
    settings.LFS_MAX_BYTES = 10
    with pytest.raises(TooLarge):
        services.take(design=design, oid=sha256(b"x" * 11), body=io.BytesIO(b"x" * 11), by=maker)
    assert LfsObject.objects.count() == 0
    assert [p for p in Path(settings.LFS_DIR).rglob("*") if p.is_file()] == []


def test_only_who_may_push_sends(design: Design, neighbour: User) -> None:
    with pytest.raises(NotYours):
        services.take(design=design, oid=sha256(b"abc"), body=io.BytesIO(b"abc"), by=neighbour)
    assert LfsObject.objects.count() == 0


def test_a_pointer_is_known_by_the_bytes_of_its_file(design: Design, maker: User) -> None:
    """Its names, size and format are the file's own, so that a machine's hash leads to it."""
    stl = cube_stl(33)
    services.take(design=design, oid=sha256(stl), body=io.BytesIO(stl), by=maker)
    write_files(design=design, files={"ball.stl": pointer(stl)}, message="Large", author=maker, by=maker)
    index_now(design=design, by=maker)
    found = origins(sha256=sha256(stl))
    assert [(o.path, o.design.pk) for o in found] == [("ball.stl", design.pk)]
    assert origins(sha1=hashlib.sha1(stl, usedforsecurity=False).hexdigest()) == found
    blob = Blob.objects.get(lfs=sha256(stl))
    assert (blob.size, blob.format, blob.preview) == (len(stl), "stl", "pending")


def test_a_pointer_to_a_strangers_file_shows_nothing(design: Design, private: Design, maker: User) -> None:
    """Knowing a hash is not having the file: neither picture, nor facts, nor provenance come of it."""
    from designs.queries.files import file_at, holds_blob

    stl = cube_stl(44)
    services.take(design=private, oid=sha256(stl), body=io.BytesIO(stl), by=maker)
    write_files(design=private, files={"secret.stl": pointer(stl)}, message="Large", author=maker, by=maker)
    index_now(design=private, by=maker)
    write_files(design=design, files={"guess.stl": pointer(stl)}, message="Guess", author=maker, by=maker)
    indexed = index_now(design=design, by=maker)
    assert origins(sha256=sha256(stl)) == []
    shown = file_at(design, indexed.head, "guess.stl")
    assert shown.blob is None
    assert holds_blob(design, shown.entry.oid) is None
    assert "large files" in indexed.index_note
    # Once its own people send the bytes, it is a file like any other.
    services.take(design=indexed, oid=sha256(stl), body=io.BytesIO(stl), by=maker)
    indexed = index_now(design=design, by=maker)
    assert [o.path for o in origins(sha256=sha256(stl))] == ["guess.stl"]
    assert indexed.index_note == ""


def test_a_fork_holds_what_its_parent_held(design: Design, private: Design, maker: User) -> None:
    services.take(design=design, oid=sha256(b"abc"), body=io.BytesIO(b"abc"), by=maker)
    services.take(design=design, oid=sha256(b"def"), body=io.BytesIO(b"def"), by=maker)
    assert services.share(source=design, target=private, oids=[sha256(b"abc")]) == 1
    assert set(queries.oids_of(private)) == {sha256(b"abc")}
    services.share(source=design, target=private)
    assert set(queries.oids_of(private)) == {sha256(b"abc"), sha256(b"def")}
    assert queries.used_bytes(maker.handle) == 6


def test_what_nobody_holds_is_swept_after_a_while(design: Design, private: Design, maker: User) -> None:
    for one in (design, private):
        services.take(design=one, oid=sha256(b"abc"), body=io.BytesIO(b"abc"), by=maker)
    now = timezone.now()
    LfsLink.objects.filter(design=design).delete()
    assert services.sweep(now=now) == 0
    assert services.sweep(now=now + dt.timedelta(days=30)) == 0  # the other design holds it
    LfsLink.objects.all().delete()
    assert services.sweep(now=now + dt.timedelta(days=40)) == 0
    assert services.sweep(now=now + dt.timedelta(days=50)) == 0
    assert queries.path_of(sha256(b"abc")).is_file()
    assert services.sweep(now=now + dt.timedelta(days=55)) == 1
    assert not queries.path_of(sha256(b"abc")).exists()
    services.take(design=design, oid=sha256(b"abc"), body=io.BytesIO(b"abc"), by=maker)
    assert queries.path_of(sha256(b"abc")).read_bytes() == b"abc"


def test_the_archive_holds_the_files_not_the_pointers(client_of: Any, design: Design, maker: User) -> None:
    content = os.urandom(300_000)
    services.take(design=design, oid=sha256(content), body=io.BytesIO(content), by=maker)
    write_files(design=design, files={"large.bin": pointer(content)}, message="Large", author=maker, by=maker)
    index_now(design=design, by=maker)
    answer = client_of(None).get(f"/designs/aila/{design.slug}/archive/main.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        assert archive.read("test-cube-main/large.bin") == content
        assert archive.read("test-cube-main/cube.stl") == cube_stl(12)
    raw = client_of(None).get(f"/designs/aila/{design.slug}/raw/main/large.bin")
    assert b"".join(raw.streaming_content) == content
    assert raw["Content-Length"] == "300000"


@pytest.fixture
def client_of() -> Callable[[User | None], Any]:
    from django.test import Client

    def make(user: User | None) -> Any:
        made = Client()
        if user is not None:
            made.force_login(user)
        return made

    return make


# --- locks -------------------------------------------------------------------------------------------------------


def test_a_lock_is_one_persons(design: Design, maker: User, neighbour: User) -> None:
    design.collaborators.create(user=neighbour, role="maintainer")
    held = services.lock(design=design, path="a/b.stl", by=maker)
    with pytest.raises(Locked, match="Aila works on"):
        services.lock(design=design, path="a/b.stl", by=neighbour)
    with pytest.raises(NotYours):
        services.unlock(design=design, number=held.pk, by=neighbour, force=True)
    other = services.lock(design=design, path="c.stl", by=neighbour)
    services.unlock(design=design, number=other.pk, by=maker, force=True)
    services.unlock(design=design, number=held.pk, by=maker)
    assert design.lfs_locks.count() == 0


# --- stock git-lfs -----------------------------------------------------------------------------------------------


@pytest.fixture
def lfs(git_client: Git, tmp_path: Path) -> Git:
    git_client("lfs", "install", "--skip-repo")
    return git_client


def test_stock_git_lfs_brings_and_gets_the_same_bytes(
    live_city: Any, design: Design, maker: User, neighbour: User, token: str, lfs: Git, tmp_path: Path
) -> None:
    work, copy, large, stl = tmp_path / "work", tmp_path / "copy", os.urandom(5_000_000), cube_stl(55)
    lfs("clone", address(live_city, design, token), str(work))
    lfs("lfs", "track", "*.bin", "*.stl", at=work)
    (work / "large.bin").write_bytes(large)
    (work / "ball.stl").write_bytes(stl)
    lfs("add", "-A", at=work)
    lfs("commit", "-m", "Large files", at=work)
    lfs("push", "origin", "main", at=work)
    lfs("clone", address(live_city, design), str(copy))  # public: no token asked
    assert (copy / "large.bin").read_bytes() == large
    assert (copy / "ball.stl").read_bytes() == stl
    assert wait_for(lambda: origins(sha256=sha256(stl)))[0].path == "ball.stl"
    lfs("lfs", "lock", "ball.stl", at=work)
    assert "ball.stl" in lfs("lfs", "locks", at=work).stdout
    design.collaborators.create(user=neighbour, role="maintainer")
    theirs = create_token(user=neighbour, name="git", scopes=["designs:write"])[1]
    lfs("remote", "set-url", "origin", address(live_city, design, theirs), at=copy)
    assert "Aila" not in lfs("lfs", "lock", "ball.stl", at=copy, good=False).stdout
    (copy / "ball.stl").write_bytes(cube_stl(56))
    lfs("commit", "-am", "Over a lock", at=copy)
    lfs("config", "lfs.locksverify", "true", at=copy)
    assert "locked" in lfs("push", "origin", "main", at=copy, good=False).stderr.lower()
    lfs("lfs", "unlock", "ball.stl", at=work)
    lfs("push", "origin", "main", at=copy)


def test_a_push_without_its_large_files_is_refused_in_words(
    live_city: Any,
    design: Design,
    token: str,
    git_client: Git,
    tmp_path: Path,
) -> None:
    work = tmp_path / "work"
    git_client("clone", address(live_city, design, token), str(work))
    (work / "gone.stl").write_bytes(pointer(b"never sent"))
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "A pointer alone", at=work)
    said = git_client("push", "origin", "main", at=work, good=False).stderr
    assert "gone.stl: its large file" in said
    assert "git lfs push --all" in said


def test_the_door_for_large_files_says_no_in_json(
    live_city: Any, private: Design, design: Design, maker: User, token: str
) -> None:
    base = f"{live_city.url}/designs/aila"
    body = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 3}]}
    auth = ("x", token)

    def post(path: str, **more: Any) -> requests.Response:
        return requests.post(f"{base}/{path}", timeout=20, **more)

    hidden = post("secret-cube.git/info/lfs/objects/batch", json=body)
    missing = post("no-such.git/info/lfs/objects/batch", json=body)
    assert (hidden.status_code, missing.status_code) == (401, 401)
    assert hidden.headers["LFS-Authenticate"].startswith("Basic")
    fine = post("test-cube.git/info/lfs/objects/batch", json=body)
    assert fine.json()["objects"][0]["error"]["code"] == 404
    assert fine.headers["Content-Type"] == "application/vnd.git-lfs+json"
    assert post("test-cube.git/info/lfs/objects/batch", json={**body, "operation": "upload"}).status_code == 401
    for wrong, status in (
        (b"[1]", 400), (b"{", 400), (b"[" * 100_000, 400), (b'{"objects":[{"oid":"\\u0000"}]}', 400),
        (b'{"operation":"erase","objects":[]}', 400),
        (b'{"operation":"download","objects":[{"oid":5,"size":"x"}]}', 400),
        (b'{"operation":"download","objects":[],"hash_algo":"md5"}', 422),
        (b'{"operation":"download","objects":[],"transfers":["ssh"]}', 422),
    ):  # fmt: skip
        answer = post("test-cube.git/info/lfs/objects/batch", data=wrong, auth=auth)
        assert (answer.status_code, "message" in answer.json()) == (status, True), wrong
    assert requests.get(f"{base}/test-cube.git/info/lfs/objects/batch", timeout=20).status_code == 405
    assert requests.get(f"{base}/test-cube.git/info/lfs/objects/{'0' * 64}", timeout=20, auth=auth).status_code == 404


def test_a_broken_download_goes_on_where_it_stopped(
    live_city: Any, design: Design, private: Design, maker: User, token: str
) -> None:
    content, auth = os.urandom(200_000), ("x", token)
    here = f"{live_city.url}/designs/aila/secret-cube.git/info/lfs/objects"
    put = requests.put(f"{here}/{sha256(content)}", data=content, auth=auth, timeout=20)
    assert put.status_code == 200
    rest = requests.get(f"{here}/{sha256(content)}", auth=auth, headers={"Range": "bytes=150000-"}, timeout=20)
    assert (rest.status_code, rest.content) == (206, content[150_000:])
    assert rest.headers["Content-Range"] == "bytes 150000-199999/200000"
    past = requests.get(f"{here}/{sha256(content)}", auth=auth, headers={"Range": "bytes=200000-"}, timeout=20)
    assert past.status_code == 416
    # Another design of the same owner does not hold it, so it is not there, whoever asks.
    other = f"{live_city.url}/designs/aila/test-cube.git/info/lfs/objects/{sha256(content)}"
    assert requests.get(other, auth=auth, timeout=20).status_code == 404
    assert requests.get(f"{here}/{sha256(content)}", timeout=20).status_code == 401


# --- room --------------------------------------------------------------------------------------------------------


def test_large_files_beyond_the_room_of_the_owner_are_refused_whole(
    design: Design, maker: User, neighbour: User, settings: Any
) -> None:
    """Also without a batch before, and two that fit one by one and not together."""
    settings.OWNER_QUOTA_BYTES = used_bytes(maker.handle) + 1500
    first, second = os.urandom(1000), os.urandom(1000)
    services.take(design=design, oid=sha256(first), body=io.BytesIO(first), by=maker)
    with pytest.raises(OverQuota, match="steward"):
        services.take(design=design, oid=sha256(second), body=io.BytesIO(second), by=maker)
    services.take(design=design, oid=sha256(first), body=io.BytesIO(first), by=maker)  # takes no more room
    assert [kept.oid for kept in LfsObject.objects.all()] == [sha256(first)]
    assert len([path for path in Path(settings.LFS_DIR).rglob("*") if path.is_file()]) == 1
    before = used_bytes(neighbour.handle)
    made = fork_design(design=design, owner=neighbour.handle, by=neighbour)
    assert used_bytes(neighbour.handle) - before == made.size_bytes  # the large file is the parent's
    LfsLink.objects.filter(design=design).delete()
    assert used_bytes(neighbour.handle) - before == made.size_bytes + 1000


def test_the_batch_says_so_before_the_first_byte(design: Design, maker: User, token: str, client: Any) -> None:
    where = "/designs/aila/test-cube.git/info/lfs/objects/batch"
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    small = {"oid": "a" * 64, "size": 1_900_000_000}
    asked = {"operation": "upload", "transfers": ["basic"], "objects": [small]}
    assert client.post(where, asked, content_type="application/json", **head).status_code == 200
    asked["objects"] = [{"oid": letter * 64, "size": 1_900_000_000} for letter in "abc"]
    answer = client.post(where, asked, content_type="application/json", **head)
    assert answer.status_code == 413 and "are left" in answer.json()["message"]
