"""The index leads any bytes back to design, path and commit, and is a function of git alone."""

import hashlib
import subprocess
from typing import Any

import pytest

from commons.people.models import User
from designs import git
from designs.errors import BranchMoved
from designs.git import commits
from designs.models import Blob, Design, FileVersion
from designs.queries import origins
from designs.services import index_now, rebuild, write_files
from tests.designs.conftest import FIRST, cube_stl, make

pytestmark = pytest.mark.django_db


def sha1_of(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def rows(design: Design) -> set[tuple[Any, ...]]:
    fields = ("path", "blob__oid", "blob__sha256", "blob__sha1", "commit", "committed_at", "current")
    return set(design.file_versions.values_list(*fields))


def test_both_versions_are_found_by_each_of_their_names(design: Design) -> None:
    for size, is_now in ((10, False), (12, True)):
        content = cube_stl(size)
        sha256, sha1 = hashlib.sha256(content).hexdigest(), sha1_of(content)
        blob = sha1_of(b"blob %d\0" % len(content) + content)
        for name in ({"sha256": sha256}, {"sha1": sha1}, {"blob": blob}):
            (found,) = origins(**name)
            assert (found.design, found.path, found.blob) == (design, "cube.stl", blob)
            assert found.ref == ("main" if is_now else "")
        assert origins(sha256=sha256)[0].commit == origins(sha1=sha1)[0].commit
    assert origins() == []
    assert origins(sha256="0" * 64) == []
    assert origins(sha256=hashlib.sha256(cube_stl(10)).hexdigest(), sha1="0" * 40) == []


def test_commits_are_those_that_git_says(design: Design) -> None:
    path = git.of(design.repository).path
    log = subprocess.run(
        ["git", "--git-dir", path, "log", "--format=%H", "--", "cube.stl"], check=True, capture_output=True, text=True
    )
    assert set(design.file_versions.filter(path="cube.stl").values_list("commit", flat=True)) == set(log.stdout.split())


def test_private_bytes_are_told_only_to_those_who_see_them(private: Design, maker: User, neighbour: User) -> None:
    name = {"sha256": hashlib.sha256(cube_stl(12)).hexdigest()}
    assert origins(**name) == []
    assert origins(**name, visible_to=neighbour) == []
    assert [o.design for o in origins(**name, visible_to=maker)] == [private]


def test_the_newest_comes_first(design: Design, maker: User) -> None:
    other = make(maker, name="Copy")
    write_files(design=other, files={"again.stl": cube_stl(12)}, message="Again", author=maker, by=maker)
    index_now(design=other, by=maker)
    found = origins(sha256=hashlib.sha256(cube_stl(12)).hexdigest())
    assert found[0].path == "again.stl"
    assert [o.committed_at for o in found] == sorted((o.committed_at for o in found), reverse=True)
    assert len(found) == 3


def test_a_rebuild_gives_the_same_rows(design: Design, maker: User) -> None:
    write_files(
        design=design, files={"cube.stl": cube_stl(10), "a/ö.txt": b"x"}, message="Back", author=maker, by=maker
    )
    write_files(design=design, files={"README.md": None}, message="Less", author=maker, by=maker)
    write_files(
        design=design, files={"side.stl": cube_stl(3)}, message="Side", author=maker, by=maker, branch="side"
    )  # fmt: skip
    index_now(design=design, by=maker)
    grown = rows(design)
    assert len(grown) == 6
    rebuild(design=design)
    assert rows(design) == grown
    FileVersion.objects.filter(design=design).delete()
    rebuild(design=design)
    assert rows(design) == grown


def test_a_rewritten_history_leaves_nothing_of_the_old_one(design: Design, maker: User) -> None:
    repository = git.of(design.repository)
    first = repository.history(design.head, limit=5)[-1].oid
    subprocess.run(["git", "--git-dir", repository.path, "update-ref", "refs/heads/main", first], check=True)
    index_now(design=design, by=maker)
    assert origins(sha256=hashlib.sha256(cube_stl(12)).hexdigest()) == []
    assert origins(sha256=hashlib.sha256(cube_stl(10)).hexdigest())[0].ref == "main"


def test_the_same_bytes_are_one_blob(design: Design, maker: User) -> None:
    before = Blob.objects.count()
    make(maker, name="Copy")
    assert Blob.objects.count() == before


def test_a_write_on_an_old_head_changes_nothing(design: Design, maker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = git.of(design.repository)
    real = commits.commit_tree

    def slow(*arguments: Any, **words: Any) -> str:
        made = real(*arguments, **words)
        monkeypatch.setattr(commits, "commit_tree", real)
        write_files(design=design, files={"quick.txt": b"1"}, message="Quick", author=maker, by=maker)
        return made

    monkeypatch.setattr(commits, "commit_tree", slow)
    with pytest.raises(BranchMoved):
        write_files(design=design, files={"slow.txt": b"2"}, message="Slow", author=maker, by=maker)
    assert [e.path for e in repository.files(repository.head("main"))] == ["README.md", "cube.stl", "quick.txt"]


def test_commits_of_the_same_files_at_the_same_time_have_the_same_id(maker: User) -> None:
    heads = {make(maker, name=name).head for name in ("One", "Two")}
    assert len(heads) == 1
    assert Design.objects.get(slug="one").file_versions.get(current=True, path="cube.stl").committed_at > FIRST
