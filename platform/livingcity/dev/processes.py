"""Child processes that never outlive us.

Each child leads its own process group (Ctrl-C reaches only us), reads nothing from the terminal, and asks the kernel
for a signal when its parent dies, so that `kill -9` of the parent leaves nothing behind. The kernel ties that signal
to the thread that forked: spawn from a thread that lives as long as the process.
"""

import contextlib
import ctypes
import multiprocessing
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from livingcity.dev.places import ROOT

PR_SET_PDEATHSIG = 1
_libc: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Child = subprocess.Popen[bytes]


class Account(NamedTuple):
    """A system account that a child runs as."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """The account for servers that refuse root: `nobody` when we are root, None (ourselves) otherwise."""
    if os.getuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account("nobody", entry.pw_uid, entry.pw_gid)


def child_environment(**more: str) -> dict[str, str]:
    """Our environment for a child that runs Python code of this tree.

    Two malloc arenas: with one for each of many threads a process keeps memory that no thread uses any more.
    """
    path = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    return {"MALLOC_ARENA_MAX": "2", **os.environ, "PYTHONPATH": path, **more}


def die_with_parent(death_signal: int = signal.SIGKILL) -> None:
    """Ask the kernel to send us this signal when the thread that forked us ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def die_with_spawner() -> None:
    """In a process that a web server or a pool has spawned: end when it ends, even if it was killed."""
    spawner = multiprocessing.parent_process()
    if spawner is not None and _libc is not None:
        die_with_parent(signal.SIGKILL)
        if os.getppid() != spawner.pid:
            os._exit(1)


def spawn(
    argv: Sequence[str | Path],
    *,
    death_signal: int = signal.SIGTERM,
    log: Path | IO[bytes] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    keep: Sequence[int] = (),
    nice: int = 0,
) -> Child:
    """Start a child. `log` is a file to append to (None: our own output), `keep` are descriptors it inherits.

    `nice` lowers its share of the processors (10: it works when nobody else needs them).
    """
    parent = os.getpid()

    def bind() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job inherits it as ignored
        die_with_parent(death_signal)
        if nice:
            os.nice(nice)
        if os.getppid() != parent:
            os._exit(1)

    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if isinstance(log, Path) else log
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            process_group=0,
            preexec_fn=bind,  # noqa: PLW1509 nothing else sets PDEATHSIG after the change of account
            pass_fds=tuple(keep),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def stop(child: Child, how: int = signal.SIGTERM, patience_s: float = 10.0) -> None:
    """Ask the child to end; after `patience_s` its whole group is killed. Safe to call twice."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def stop_all(children: Sequence[tuple[Child, int]], patience_s: float = 10.0) -> None:
    """Ask all to end at once, then wait for each; the patience is shared."""
    for child, how in children:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(how)
    until = time.monotonic() + patience_s
    for child, _how in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, until - time.monotonic()))
        stop(child, signal.SIGKILL, 1.0)
