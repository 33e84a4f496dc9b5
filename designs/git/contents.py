"""Many blobs by one git process: their bytes as streams, or only their beginnings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from designs.errors import GitFailed
from designs.git import process
from designs.git.repository import Repository

PIECE = 1 << 18
WALL_S = 3600.0


@dataclass
class Content:
    """A blob while it is read. `pieces` must be read before the next blob is asked for; what is left is thrown away."""

    oid: str
    size: int
    _stdout: IO[bytes]
    _left: int

    def pieces(self) -> Iterator[bytes]:
        """The bytes. Raises GitFailed when git ends too early."""
        while self._left:
            piece = self._stdout.read(min(self._left, PIECE))
            if not piece:
                raise GitFailed("git ended in the middle of a file.")
            self._left -= len(piece)
            yield piece


def contents(repository: Repository, oids: Iterable[str]) -> Iterator[Content]:
    """Each blob in the order asked for, whatever its size, in constant memory. Raises GitFailed for a missing one."""
    with process.started(["cat-file", "--batch"], repository=repository.path, stdin=-1, wall_s=WALL_S) as git:
        assert git.stdin is not None and git.stdout is not None  # noqa: S101 pipes were asked for
        for oid in oids:
            git.stdin.write(f"{oid}\n".encode())
            git.stdin.flush()
            words = git.stdout.readline().decode().split()
            if len(words) != 3 or words[1] != "blob":
                raise GitFailed(f"{oid} is not a file of this repository.")
            content = Content(oid, int(words[2]), git.stdout, int(words[2]))
            yield content
            for _piece in content.pieces():
                pass
            git.stdout.read(1)


def heads(repository: Repository, oids: Iterable[str], *, limit: int) -> dict[str, bytes]:
    """The first bytes of each blob."""
    found: dict[str, bytes] = {}
    for content in contents(repository, dict.fromkeys(oids)):
        head = b""
        for piece in content.pieces():
            head += piece
            if len(head) >= limit:
                break
        found[content.oid] = head[:limit]
    return found
