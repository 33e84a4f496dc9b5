"""Smart HTTP, protocol version 2: `git upload-pack` and `git receive-pack --stateless-rpc`, streamed both ways.

Memory stays constant whatever the size: a fetch's request is small and spooled, its answer streamed; a push is pumped
into git in pieces of 256 KiB, and git's answer to it is a few lines.
"""

import contextlib
import fcntl
import logging
import os
import re
import selectors
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Protocol

from django.utils.translation import gettext as _

from designs.errors import TooLarge
from designs.git import environment, incoming, moving, process, wants
from designs.git.repository import Repository

log = logging.getLogger(__name__)

PIECE = 65536
PUSH_PIECE = 256 * 1024
PIPE_BYTES = 1 << 20
#: What a client sends before a large push, to learn whether it may: a request that asks for nothing.
PROBE = b"0000"
FETCH_WALL_S = 3600.0
PUSH_WALL_S = 1800.0
MAX_FETCH_REQUEST = 16 * 1024 * 1024
MAX_ANSWER = 8 * 1024 * 1024
MAX_QUESTION = 2 * 1024 * 1024
REFUSED = "no"
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


def plain(body: Source, encoding: str, *, limit: int, size: int = PIECE) -> Iterator[bytes]:
    """The body in pieces, unpacked if the client sent it as gzip. Raises TooLarge over `limit` unpacked bytes."""
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding in {"gzip", "x-gzip"} else None
    total = 0
    while piece := body.read(size):
        while piece:
            out, piece = (unpack.decompress(piece, size), unpack.unconsumed_tail) if unpack else (piece, b"")
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
    with (
        request,
        process.started(
            arguments, env=_env(protocol), stdin=request.fileno(), stderr=process.NOWHERE, wall_s=FETCH_WALL_S
        ) as git,
    ):
        assert git.stdout is not None  # noqa: S101 a pipe was asked for
        while piece := git.stdout.read1(PIECE):  # type: ignore[attr-defined]  # a buffered reader
            yield piece


def push(repository: Repository, *, body: Source, encoding: str, protocol: str, rules: incoming.Rules) -> Push:
    """Let git take a push. Its pre-receive hook asks us before any ref moves, and we hold it against the rules."""
    pieces = plain(body, encoding, limit=2 * environment.MAX_PUSH_BYTES, size=PUSH_PIECE)
    first = list(islice(pieces, 2))
    if first == [PROBE]:
        return Push(b"", is_probe=True)
    with contextlib.ExitStack() as pipes:
        question, asks = _pipe(pipes)
        hears, word = _pipe(pipes)
        theirs = (asks.fileno(), hears.fileno())
        env = _env(protocol, LIVINGCITY_ASK=str(theirs[0]), LIVINGCITY_WORD=str(theirs[1]))
        with process.started(
            ["receive-pack", "--stateless-rpc", repository.path],
            env=env, stdin=process.PIPE, stderr=process.NOWHERE, wall_s=PUSH_WALL_S, pass_fds=theirs,
        ) as git:  # fmt: skip
            asks.close()
            hears.close()
            assert git.stdout is not None  # noqa: S101 a pipe was asked for
            pump = Pump(chain(first, pieces), git)
            answer = _converse(git.stdout, question, lambda asked: _answer(word, asked, repository, rules))
            pump.finish()
            git.wait()
    return Push(answer)


def _pipe(until: contextlib.ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """A pipe, closed with the stack: where it is read, and where it is written."""
    reads, writes = os.pipe()
    return until.enter_context(os.fdopen(reads, "rb", 0)), until.enter_context(os.fdopen(writes, "wb", 0))


def _converse(stdout: IO[bytes], question: IO[bytes], answer: Callable[[bytes], None]) -> bytes:
    """Gather what git prints until it ends, and answer what its hook asks meanwhile, if it comes so far."""
    printed, asked, end = bytearray(), bytearray(), b""
    with selectors.DefaultSelector() as ready:
        ready.register(stdout, selectors.EVENT_READ)
        ready.register(question, selectors.EVENT_READ)
        while stdout in ready.get_map():
            for key, _events in ready.select():
                piece = os.read(key.fd, PIECE)
                if not piece:
                    ready.unregister(key.fileobj)
                elif key.fileobj is stdout:
                    printed += piece[: MAX_ANSWER - len(printed)]
                else:
                    asked += piece[: MAX_QUESTION - len(asked)]
                    end = (end + piece)[-len(incoming.END) :]
                    if end == incoming.END:
                        ready.unregister(question)
                        answer(bytes(asked))
    return bytes(printed)


def _answer(word: IO[bytes], asked: bytes, repository: Repository, rules: incoming.Rules) -> None:
    """Tell the hook whether the push may come in. What cannot be looked at may not."""
    try:
        faults = incoming.faults(incoming.read(asked, repository.path), rules)
        if not faults:
            moving.announce(repository.path)
    except Exception:
        log.exception("a push to %s could not be looked at", repository.path.name)
        faults = ["what was pushed could not be looked at; try again, or tell the steward of the city"]
    lines = [f"Living City: {fault}" for fault in faults]
    with contextlib.suppress(BrokenPipeError):
        word.write("".join(f"{line}\n" for line in [REFUSED if lines else environment.COME_IN, *lines]).encode())
    word.close()


class Pump:
    """A thread that feeds a body to git. One that has already refused stops reading; the rest is thrown away."""

    def __init__(self, pieces: Iterator[bytes], git: "process.Running") -> None:
        self._pieces, self._git = pieces, git
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait until the whole body was read. Raises what reading it raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        assert self._git.stdin is not None  # noqa: S101 a pipe was asked for
        try:
            _widen(self._git.stdin)
            _pump(self._pieces, self._git.stdin)
        except BaseException as fault:  # raised again by `finish`
            self._fault = fault
            with contextlib.suppress(OSError):  # git hears the end too early, and takes back what it has written
                self._git.stdin.close()


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
