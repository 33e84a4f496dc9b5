"""Round trips of stock git: every kind of clone and push gives the same bytes, in constant memory."""

import gzip
import hashlib
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from designs import git
from designs.models import Design
from tests.benchmarks.bench_git import memory_mb
from tests.designs.conftest import Git, address, head_of


def sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of a work tree."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def commit(git_client: Git, work: Path, name: str, content: bytes) -> str:
    (work / name).write_bytes(content)
    git_client("add", "-A", at=work)
    git_client("commit", "-q", "-m", name, at=work)
    return head_of(git_client, work)


def test_every_kind_of_clone_gives_the_same_files(
    live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    git_client("clone", address(live_city, design), str(work))
    for number in range(12):
        commit(git_client, work, f"f{number % 3}.bin", os.urandom(20_000))
    git_client("tag", "-a", "v1", "-m", "one", "HEAD~3", at=work)
    git_client("push", address(live_city, design, token), "main", "v1", at=work)
    mine, where = sums(work), address(live_city, design)
    for name, options in {
        "v0": ("-c", "protocol.version=0", "clone"), "v1": ("-c", "protocol.version=1", "clone"),
        "v2": ("-c", "protocol.version=2", "clone"), "shallow": ("clone", "--depth", "3"),
        "blobless": ("clone", "--filter=blob:none"), "treeless": ("clone", "--filter=tree:0"),
        "small": ("clone", "--filter=blob:limit=10k"), "single": ("clone", "--single-branch", "--no-tags"),
    }.items():  # fmt: skip
        git_client(*options, where, str(tmp_path / name))
        assert sums(tmp_path / name) == mine, name
    shallow = tmp_path / "shallow"
    assert git_client("rev-list", "--count", "HEAD", at=shallow).stdout.strip() == "3"
    git_client("fetch", "--deepen", "4", at=shallow)
    assert git_client("rev-list", "--count", "HEAD", at=shallow).stdout.strip() == "7"
    git_client("fetch", "--unshallow", at=shallow)
    assert git_client("rev-list", "--count", "HEAD", at=shallow).stdout.strip() == "14"
    # What a partial clone left out comes when it is wanted: an old version's blobs, one by one.
    blobless = tmp_path / "blobless"
    git_client("checkout", "-q", "v1", at=blobless)
    git_client("checkout", "-q", "v1", at=work)
    assert sums(blobless) == sums(work)
    git_client("log", "-p", "--all", "--stat", at=tmp_path / "treeless")
    # A push of gzip and chunked bodies from each of them, and a fetch of what the others pushed.
    for name in ("v0", "shallow", "blobless"):
        git_client("checkout", "-q", "main", at=tmp_path / name)
        git_client("pull", "-q", "--ff-only", where, "main", at=tmp_path / name)
        commit(git_client, tmp_path / name, f"{name}.txt", name.encode())
        git_client("push", address(live_city, design, token), "main", at=tmp_path / name)
    assert git.of(design.repository).head("main") == head_of(git_client, tmp_path / "blobless")


def test_a_request_packed_by_gzip_is_a_request(live_city: Any, design: Design) -> None:
    """git packs requests over a kilobyte; here a small one, so that nothing but the packing differs."""
    oid = git.of(design.repository).head("main")

    def line(text: str) -> bytes:
        return b"%04x" % (len(text) + 5) + text.encode() + b"\n"

    plain = line("command=fetch") + b"0001" + line("no-progress") + line(f"want {oid}") + line("done") + b"0000"

    def packed(answer: bytes) -> bytes:
        """The pack in an answer: what its first band holds, however it was cut into lines."""
        at, out = 0, b""
        while at < len(answer):
            size = int(answer[at : at + 4], 16)
            piece = answer[at + 4 : at + size] if size > 4 else b""
            out += piece[1:] if piece[:1] == b"\x01" else b""
            at += max(size, 4)
        return out

    def ask(body: bytes, **more: str) -> bytes:
        head = {"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2", **more}
        request = urllib.request.Request(f"{address(live_city, design)}/git-upload-pack", body, head)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return packed(answer.read())

    assert ask(gzip.compress(plain), **{"Content-Encoding": "gzip"}) == ask(plain)
    assert ask(plain).startswith(b"PACK")


@pytest.mark.drill
def test_200_mb_pass_in_constant_memory_and_eight_at_once(
    live_city: Any, design: Design, token: str, git_client: Git, tmp_path: Path
) -> None:
    work, copy = tmp_path / "work", tmp_path / "copy"
    git_client("clone", address(live_city, design), str(work))
    for number in range(2):
        with (work / f"noise{number}.bin").open("wb") as file:
            for _piece in range(100):
                file.write(os.urandom(1_000_000))
    fast = ("-c", "core.compression=0", "-c", "pack.compression=0", "-c", "pack.window=0")
    git_client(*fast, "add", "-A", at=work)
    git_client("commit", "-q", "-m", "Noise", at=work)
    git_client(*fast, "push", address(live_city, design, token), "main", at=work)
    git_client("clone", address(live_city, design), str(copy))
    assert sums(copy) == sums(work)
    after_one = memory_mb(live_city.process.pid)
    with ThreadPoolExecutor(8) as threads:
        targets = [tmp_path / f"many{number}" for number in range(8)]
        list(
            threads.map(
                lambda t: git_client("clone", "--depth=1", "--bare", address(live_city, design), str(t)), targets
            )
        )
    for target in targets:
        git_client("fsck", "--connectivity-only", at=target)
        assert head_of(git_client, target) == head_of(git_client, work)
    most = memory_mb(live_city.process.pid)
    print(  # noqa: T201 a figure
        f"web process: {after_one:.0f} MB after 200 MB each way, {most:.0f} MB after eight clones at once"
    )
    assert most < 250, "the whole city's web process; the benchmark holds the room alone to 150"
