"""Stock git clients against the served site: identical bytes both ways, refusals in words, private is not there."""

import filecmp
import os
from pathlib import Path
from typing import Any

from commons.people.models import User
from commons.people.services import create_token
from designs.models import Design
from designs.queries import origins
from tests.designs.conftest import Git, address, cube_stl, head_of, wait_for


def test_what_is_pushed_is_what_others_clone(
    live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path
) -> None:
    work, copy = tmp_path / "work", tmp_path / "copy"
    git_client("clone", address(live_city, design), str(work))
    assert (work / "cube.stl").read_bytes() == cube_stl(12)
    (work / "large.bin").write_bytes(os.urandom(3_000_000))  # over http.postBuffer: a chunked body
    (work / "ball ö.stl").write_bytes(cube_stl(33))
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "More", at=work)
    git_client("push", address(live_city, design, token), "main", at=work)
    git_client("clone", address(live_city, design), str(copy))
    same = filecmp.dircmp(work, copy, ignore=[".git"])
    assert sorted(same.same_files) == ["README.md", "ball ö.stl", "cube.stl", "large.bin"]
    assert filecmp.cmp(work / "large.bin", copy / "large.bin", shallow=False)
    git_client("fsck", "--strict", at=copy)
    import hashlib

    found = wait_for(lambda: origins(sha256=hashlib.sha256(cube_stl(33)).hexdigest()))
    assert (found[0].path, found[0].commit) == ("ball ö.stl", head_of(git_client, work))


def test_fetch_shallow_and_partial_clones_work(
    live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path
) -> None:
    shallow, partial, work = tmp_path / "shallow", tmp_path / "partial", tmp_path / "work"
    git_client("clone", "--depth", "1", address(live_city, design), str(shallow))
    assert git_client("rev-list", "--count", "HEAD", at=shallow).stdout.strip() == "1"
    git_client("fetch", "--unshallow", at=shallow)
    assert git_client("rev-list", "--count", "HEAD", at=shallow).stdout.strip() == "2"
    git_client("clone", "--filter=blob:none", "--no-checkout", address(live_city, design), str(partial))
    git_client("clone", address(live_city, design), str(work))
    (work / "n.txt").write_text("n")
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "n", at=work)
    git_client("push", address(live_city, design, token), "main:main", "main:refs/tags/v1", at=work)
    git_client("fetch", "--tags", at=shallow)
    assert git_client("rev-parse", "v1", at=shallow).stdout.strip() == head_of(git_client, work)


def test_a_private_design_is_not_there(
    live_city: Any, private: Design, token: str, neighbour: User, git_client: Git, tmp_path: Path
) -> None:
    stranger = create_token(user=neighbour, name="n", scopes=["designs:write"])[1]
    missing = Design(owner=private.owner, slug="no-such-design")
    said = [
        git_client("ls-remote", address(live_city, wanted, secret), good=False).stderr.replace(wanted.slug, "…")
        for wanted in (private, missing)
        for secret in ("", stranger)
    ]
    assert said[:2] == said[2:]
    git_client("clone", address(live_city, private, token), str(tmp_path / "mine"))
    assert (tmp_path / "mine/cube.stl").read_bytes() == cube_stl(12)


def test_pushes_that_may_not_be_are_refused_in_words(
    live_city: Any, design: Design, token: str, neighbour: User, maker: User, git_client: Git, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    git_client("clone", address(live_city, design), str(work))
    before = git_client("ls-remote", address(live_city, design)).stdout
    mine = address(live_city, design, token)

    def refused(*words: str, says: str) -> None:
        assert says in git_client("push", *words, at=work, good=False).stderr

    stranger = create_token(user=neighbour, name="n", scopes=["designs:write"])[1]
    reader = create_token(user=maker, name="r", scopes=["designs:read"])[1]
    refused(address(live_city, design), "main", says="could not read Username")
    refused(address(live_city, design, "lcu_wrong"), "main", says="Authentication failed")
    refused(address(live_city, design, stranger), "main", says="403")
    refused(address(live_city, design, reader), "main", says="403")
    refused(mine, "main:refs/heads/-x", says="")
    refused(mine, "main:refs/replace/x", says="only branches and tags")
    refused(mine, ":main", says="cannot be deleted")
    git_client("commit", "--amend", "-m", "Another past", at=work)
    refused("--force", mine, "main", says="cannot be rewritten")
    git_client("reset", "--hard", "origin/main", at=work)
    (work / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = ext::sh -c id\n')
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "Submodule", at=work)
    refused(mine, "main", says="not https")
    assert git_client("ls-remote", address(live_city, design)).stdout == before


def test_a_blob_bomb_is_refused(live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git_client("clone", address(live_city, design), str(work))
    with (work / "zeros.bin").open("wb") as file:
        file.truncate(140_000_000)
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "Zeros", at=work)
    said = git_client("push", address(live_city, design, token), "main", at=work, good=False).stderr
    assert "zeros.bin: 147 MB is more than" in said or "zeros.bin: 140 MB is more than" in said
