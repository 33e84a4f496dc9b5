"""Running git: an argument list, a clean environment, a wall clock, and an error in words."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from commons.web.faults import NO_SPACE, DiskFull
from designs.errors import GitFailed, GitTimeout
from designs.git import environment

READ_TIMEOUT_S = 60.0
PIPE, NOWHERE = subprocess.PIPE, subprocess.DEVNULL
Running = subprocess.Popen[bytes]


def run(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    repository: Path | None = None,
    stdin: bytes | IO[bytes] | None = None,
    env: dict[str, str] | None = None,
    timeout_s: float = READ_TIMEOUT_S,
    accept: Sequence[int] = (0,),
) -> bytes:
    """Run `git ARGUMENTS` on a repository and answer what it prints. Raises GitFailed or GitTimeout."""
    code, out, err = attempt(arguments, repository=repository, stdin=stdin, env=env, timeout_s=timeout_s)
    if code not in accept:
        if NO_SPACE in err.decode(errors="replace"):
            raise DiskFull(_("Nothing more can be written until room is made there; what is kept can still be read."))
        raise GitFailed(_("git said: %(words)s") % {"words": last_line(err)})
    return out


def attempt(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    repository: Path | None = None,
    stdin: bytes | IO[bytes] | None = None,
    env: dict[str, str] | None = None,
    timeout_s: float = READ_TIMEOUT_S,
) -> tuple[int, bytes, bytes]:
    """Like `run`, but a failure is an answer: (exit status, what it printed, what it complained)."""
    feed = stdin if isinstance(stdin, bytes) else None
    source: int | IO[bytes] = subprocess.PIPE
    if not isinstance(stdin, bytes):
        source = stdin if stdin is not None else subprocess.DEVNULL
    with started(arguments, repository=repository, env=env, stdin=source) as process:
        try:
            out, err = process.communicate(feed, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise GitTimeout(_("git was stopped after %(s)d s.") % {"s": timeout_s}) from None
        return process.returncode, out, err


@contextmanager
def started(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    repository: Path | None = None,
    env: dict[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int = subprocess.PIPE,
    wall_s: float | None = None,
    pass_fds: Sequence[int] = (),
) -> "Iterator[subprocess.Popen[bytes]]":
    """A running git whose whole process group is gone when the block ends, or after `wall_s`. It has the descriptors
    `pass_fds` of ours under the same numbers."""
    where = [f"--git-dir={repository}"] if repository is not None else []
    process = subprocess.Popen(
        ["git", *where, *arguments],
        env=env or environment.clean(),
        cwd="/",
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        process_group=0,
        pass_fds=pass_fds,
    )
    clock = threading.Timer(wall_s, _kill, [process]) if wall_s else None
    if clock:
        clock.daemon = True
        clock.start()
    try:
        yield process
    finally:
        if clock:
            clock.cancel()
        _kill(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                _close(pipe)
        process.wait()


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End it and everything that it started."""
    _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def last_line(complaint: bytes) -> str:
    """The last words that git said, without its prefix and without our paths."""
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    words = lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else "nothing"
    return words[:300]
