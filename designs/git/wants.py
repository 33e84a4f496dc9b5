"""What a fetch may ask for: objects that the design's own branches and tags lead to.

In protocol 2 git serves any object that lies in its store, whoever it belongs to: what a hidden ref keeps, what a
force-push left behind, and through a pool what another fork holds. So the wishes of a request are read before git sees
it, and one that no branch or tag leads to is refused with git's own words.
"""

import re
from collections.abc import Iterable, Iterator
from typing import IO

from designs.git import process
from designs.git.repository import BRANCHES, TAGS, Repository

WANT = re.compile(rb"^want ([0-9a-f]{40})\b")
SHOWN = ("--branches", "--tags")


def wanted(request: IO[bytes]) -> set[str]:
    """The objects that a fetch request asks for: the pkt-lines that begin with "want"."""
    found = set()
    while head := request.read(4):
        try:
            size = int(head, 16)
        except ValueError:
            break
        line = request.read(size - 4) if size > 4 else b""
        if match := WANT.match(line):
            found.add(match[1].decode())
    return found


def out_of_reach(repository: Repository, oids: Iterable[str]) -> set[str]:
    """Those of the objects that no branch or tag of the repository leads to."""
    left = set(oids)
    left -= _tips(repository)
    if not left:
        return left
    kinds = _kinds(repository, left)
    commits = {oid for oid in left if kinds.get(oid) == "commit"}
    if commits and not _beyond(repository, commits):
        left -= commits
    if left:
        for oid in _reachable(repository, only_commits=left <= commits):
            left.discard(oid)
            if not left:
                break
    return left


def refusal(oid: str) -> bytes:
    """The answer to a request that is refused, as a pkt-line that stops the client with these words."""
    line = f"ERR upload-pack: not our ref {oid}".encode()
    return b"%04x" % (len(line) + 4) + line


def _tips(repository: Repository) -> set[str]:
    out = process.run(
        ["for-each-ref", "--format=%(objectname) %(*objectname)", BRANCHES, TAGS], repository=repository.path
    )
    return set(out.decode().split())


def _kinds(repository: Repository, oids: set[str]) -> dict[str, str]:
    out = process.run(
        ["cat-file", "--batch-check=%(objectname) %(objecttype)"],
        repository=repository.path, stdin="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
    )  # fmt: skip
    return dict(line.split()[:2] for line in out.decode().splitlines())


def _beyond(repository: Repository, commits: set[str]) -> bool:
    """Whether one of the commits has history that the branches and tags have not."""
    out = process.run(
        ["rev-list", "--max-count=1", "--stdin", "--not", *SHOWN],
        repository=repository.path, stdin="".join(f"{oid}\n" for oid in sorted(commits)).encode(), timeout_s=120,
    )  # fmt: skip
    return bool(out.strip())


def _reachable(repository: Repository, *, only_commits: bool) -> Iterator[str]:
    """Every object behind the branches and tags; by the bitmap where there is one."""
    objects = [] if only_commits else ["--objects", "--no-object-names", "--use-bitmap-index"]
    with process.started(["rev-list", *objects, *SHOWN], repository=repository.path, wall_s=300) as git:
        assert git.stdout is not None  # noqa: S101 a pipe was asked for
        for line in git.stdout:
            yield line.decode().strip()
