"""Smart HTTP, protocol version 2: `git upload-pack` and `git receive-pack --stateless-rpc`, streamed both ways.

Memory stays constant whatever the size: a fetch's request is small and spooled, its answer streamed; a push is pumped
into git in pieces of 64 KiB, and git's answer to it is a few lines.
"""

import contextlib
import fcntl
import re
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Protocol

from django.utils.translation import gettext as _

from designs.errors import TooLarge
from designs.git import environment, process, wants
from designs.git.repository import Repository

PIECE = 65536
PIPE_BYTES = 1 << 20
#: What a client sends before a large push, to learn whether it may: a request that asks for nothing.
PROBE = b"0000"
FETCH_WALL_S = 3600.0
PUSH_WALL_S = 1800.0
MAX_FETCH_REQUEST = 16 * 1024 * 1024
MAX_ANSWER = 8 * 1024 * 1024
VERSION = re.compile(r"^version=[0-9]$")


class Source(Protocol):
    """The body of a request."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; nothing at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Push:
    """git's answer to a push."""

    answer: bytes
    is_probe: bool = False

    @property
    def changed(self) -> bool:
        """Whether the push was accepted, wholly or in part: git reports each ref. A client that wants no report gets
        none, and may have changed something."""
        return not self.is_probe and (b"unpack " not in self.answer or b"ok refs/" in self.answer)


def plain(body: Source, encoding: str, *, limit: int) -> Iterator[bytes]:
    """The body in pieces, unpacked if the client sent it as gzip. Raises TooLarge over `limit` unpacked bytes."""
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding in {"gzip", "x-gzip"} else None
    total = 0
    while piece := body.read(PIECE):
        while piece:
            out, piece = (unpack.decompress(piece, PIECE), unpack.unconsumed_tail) if unpack else (piece, b"")
            total += len(out)
            if total > limit:
                raise TooLarge(_("This request is larger than %(n)d MB.") % {"n": limit // 1_000_000})
            if out:
                yield out


def _env(protocol: str, **more: str) -> dict[str, str]:
    version = {"GIT_PROTOCOL": protocol} if VERSION.match(protocol) else {}
    return environment.clean(**version, **more)


def advertise(repository: Repository, *, service: str, protocol: str) -> bytes:
    """The answer to `info/refs?service=…`."""
    out = process.run(
        [service.removeprefix("git-"), "--stateless-rpc", "--advertise-refs", repository.path],
        env=_env(protocol),
    )
    line = f"# service={service}\n".encode()
    return b"%04x" % (len(line) + 4) + line + b"0000" + out


def fetch(repository: Repository, *, body: Source, encoding: str, protocol: str) -> Iterator[bytes]:
    """Answer a fetch or clone in pieces. The request is read whole first, so that bad input is an answer.

    What no branch or tag leads to is not given, even to those who know its name (`wants`).
    """
    request = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 lives as long as the stream
    for piece in plain(body, encoding, limit=MAX_FETCH_REQUEST):
        request.write(piece)
    request.seek(0)
    beyond = wants.out_of_reach(repository, wants.wanted(request))
    if beyond:
        request.close()
        return iter([wants.refusal(min(beyond))])
    request.seek(0)
    return _fetch(repository, request, protocol)


def _fetch(repository: Repository, request: "tempfile.SpooledTemporaryFile[bytes]", protocol: str) -> Iterator[bytes]:
    request.rollover()
    arguments: list[str | Path] = ["upload-pack", "--stateless-rpc", "--strict", "--timeout=600", repository.path]
    with request, process.started(arguments, env=_env(protocol), stdin=request.fileno(), wall_s=FETCH_WALL_S) as git:
        assert git.stdout is not None and git.stderr is not None  # noqa: S101 pipes were asked for
        silent = threading.Thread(target=_drain, args=(git.stderr, None), daemon=True)
        silent.start()
        while piece := git.stdout.read1(PIECE):  # type: ignore[attr-defined]  # a buffered reader
            yield piece


def push(
    repository: Repository,
    *,
    body: Source,
    encoding: str,
    protocol: str,
    protected: str,
    large: Iterable[str] = (),
    room_bytes: int | None = None,
) -> Push:
    """Let git take a push; the pre-receive hook of ours looks at it before any ref moves.

    `large` names the large files (Git LFS) that the design holds; a pointer to any other is refused. `room_bytes` is
    how much the push may add to the disk.
    """
    pieces = plain(body, encoding, limit=2 * environment.MAX_PUSH_BYTES)
    first = list(islice(pieces, 2))
    if first == [PROBE]:
        return Push(b"", is_probe=True)
    with tempfile.NamedTemporaryFile("w", prefix="lc-large-") as listed:
        listed.writelines(f"{oid}\n" for oid in large)
        listed.flush()
        env = _env(
            protocol,
            LIVINGCITY_PROTECTED=protected,
            LIVINGCITY_MAX_BLOB_BYTES=str(environment.MAX_BLOB_BYTES),
            LIVINGCITY_LARGE=listed.name,
            **({} if room_bytes is None else {"LIVINGCITY_ROOM_BYTES": str(room_bytes)}),
        )
        return _push(repository, env, chain(first, pieces))


def _push(repository: Repository, env: dict[str, str], pieces: Iterator[bytes]) -> Push:
    arguments: list[str | Path] = ["receive-pack", "--stateless-rpc", repository.path]
    with process.started(arguments, env=env, stdin=-1, wall_s=PUSH_WALL_S) as git:
        assert git.stdin is not None and git.stdout is not None and git.stderr is not None  # noqa: S101
        answer = bytearray()
        _widen(git.stdin)
        readers = [
            threading.Thread(target=_drain, args=(git.stdout, answer), daemon=True),
            threading.Thread(target=_drain, args=(git.stderr, None), daemon=True),
        ]
        for reader in readers:
            reader.start()
        _pump(pieces, git.stdin)
        for reader in readers:
            reader.join()
        git.wait()
    return Push(bytes(answer))


def _widen(pipe: IO[bytes]) -> None:
    """Let more bytes wait in the pipe, so that git and we work at the same time. A limit of the system is no fault."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _pump(pieces: Iterator[bytes], stdin: IO[bytes]) -> None:
    """Feed git; one that has already refused stops reading, the rest of the body is thrown away."""
    listening = True
    for piece in pieces:
        if listening:
            try:
                stdin.write(piece)
            except BrokenPipeError:
                listening = False
    with contextlib.suppress(BrokenPipeError):
        stdin.close()


def _drain(pipe: IO[bytes], into: bytearray | None) -> None:
    while piece := pipe.read1(PIECE):  # type: ignore[attr-defined]  # a buffered reader
        if into is not None and len(into) < MAX_ANSWER:
            into += piece
