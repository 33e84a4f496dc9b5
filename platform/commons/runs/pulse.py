"""The pulse: a small process beside each process that does runs, which holds their leases.

A thread would be starved by a call that never lets go of Python's lock (a solver in C, a slow `import`), and its run
would be taken for dead and begun again. The pulse has a lock of its own. It hears over a pipe which runs are at work,
and writes their leases into PostgreSQL; it never loads Django, and connects only when a run lasts longer than a beat.

It ends with the process that it serves: the pipe closes, or its parent is another. Then it gives back the leases that
it held, so that the work of a killed process is found at the next sweep instead of when the lease runs out. A process
that stands still (SIGSTOP) is not kept alive by it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

#: Times are the database's own. `%s`: seconds, the run, its fence.
HOLD = """
UPDATE runs_run SET lease_until = statement_timestamp() + make_interval(secs => %s)
WHERE id = %s AND fence = %s AND status = 'running' AND NOT cancel_requested
"""
GIVE_BACK = """
UPDATE runs_run SET lease_until = statement_timestamp() WHERE id = %s AND fence = %s AND status = 'running'
"""
#: A database that hangs must not hold the pulse up for longer than a lease has.
PATIENCE_MS = 4000
IDLE_S = 5.0


class Pulse:
    """This process's end of the pipe. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._holds: dict[str, int] = {}
        os.register_at_fork(after_in_child=self._forget)

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def hold(self, run_id: str, fence: int, *, database: Mapping[str, Any], lease_s: float) -> None:
        """Keep the lease of a run until it is dropped."""
        with self._lock:
            self._holds[run_id] = fence
            if self.pid is None:
                self._start(database, lease_s)
                self._tell(*self._holds.items())
            else:
                self._tell((run_id, fence))

    def drop(self, run_id: str) -> None:
        """Let go of it; its end is written by who did the work."""
        with self._lock:
            if self._holds.pop(run_id, None) is not None:
                self._tell((run_id, None))

    def _start(self, database: Mapping[str, Any], lease_s: float) -> None:
        argv = [sys.executable, "-P", str(Path(__file__).resolve())]
        self._child = subprocess.Popen(argv, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._write({"parent": os.getpid(), "database": dict(database), "lease_s": lease_s})

    def _tell(self, *holds: tuple[str, int | None]) -> None:
        for run_id, fence in holds:
            self._write({"run": run_id, "fence": fence})

    def _write(self, word: dict[str, Any]) -> None:
        """A pulse that has died is started again by the next run."""
        if self._child is not None and self._child.stdin is not None:
            with suppress(BrokenPipeError):
                self._child.stdin.write(json.dumps(word).encode() + b"\n")

    def _forget(self) -> None:
        """A forked process has not our runs: our pipe is closed there, or our end would go unheard."""
        self._lock, child, self._child, self._holds = threading.Lock(), self._child, None, {}
        if child is not None and child.stdin is not None:
            child.stdin.close()
            child.returncode = 0  # not ours to wait for


pulse = Pulse()


# --- the process itself: without Django ---------------------------------------------------------------------------


class Beating:
    """What the process knows: whom it serves, and which leases it holds."""

    def __init__(self, hello: Mapping[str, Any]) -> None:
        self.parent = int(hello["parent"])
        self.database = hello["database"]
        self.lease_s = float(hello["lease_s"])
        self.holds: dict[str, int] = {}
        self._connection: psycopg.Connection[Any] | None = None

    @property
    def every_s(self) -> float:
        """How long from beat to beat."""
        return self.lease_s / 5

    def hear(self, line: bytes) -> None:
        """A run to hold, or to let go of."""
        word = json.loads(line)
        if word["fence"] is None:
            self.holds.pop(word["run"], None)
        else:
            self.holds[word["run"]] = int(word["fence"])

    def beat(self) -> None:
        """Extend every lease; a database that is away costs this beat. Between runs no connection stays open."""
        if not self.holds:
            self._hang_up()
        elif not _stands_still(self.parent):
            self._write(lambda run, fence: (HOLD, (self.lease_s, run, fence)))

    def end(self) -> None:
        """Whom it served is gone: give back what it held."""
        self._write(lambda run, fence: (GIVE_BACK, (run, fence)))
        self._hang_up()

    def _write(self, statement: Callable[[str, int], tuple[str, tuple[Any, ...]]]) -> None:
        for run, fence in list(self.holds.items()):
            try:
                self._connected().execute(*statement(run, fence))
            except Exception as fault:
                sys.stderr.write(f"the lease of run {run} was not written: {' '.join(str(fault).split())[:200]}\n")
                self._hang_up()
                return

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            import psycopg  # noqa: PLC0415 most runs are over before it is needed

            where = {**self.database, "connect_timeout": str(PATIENCE_MS // 1000)}
            self._connection = psycopg.connect(**where, autocommit=True)
            self._connection.execute(f"SET statement_timeout = {PATIENCE_MS}")
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def _stands_still(pid: int) -> bool:
    """Whether a process is stopped; False where the kernel does not say."""
    try:
        said = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return said.rpartition(b") ")[2][:1] in {b"T", b"t"}


def main() -> int:
    """Beat until whom we serve is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whom we serve
    pipe = sys.stdin.fileno()
    os.set_blocking(pipe, False)
    beating: Beating | None = None
    unread, next_beat = b"", 0.0
    while beating is None or os.getppid() == beating.parent:
        wait_s = IDLE_S if beating is None or not beating.holds else max(0.0, next_beat - time.monotonic())
        ready, _, _ = select.select([pipe], [], [], min(wait_s, 1.0) if beating and beating.holds else wait_s)
        if ready:
            piece = os.read(pipe, 65536)
            if not piece:
                break
            *lines, unread = (unread + piece).split(b"\n")
            for line in lines:
                if beating is None:
                    beating = Beating(json.loads(line))
                else:
                    if not beating.holds:
                        next_beat = time.monotonic() + beating.every_s
                    beating.hear(line)
        if beating is not None and time.monotonic() >= next_beat:
            beating.beat()
            next_beat = time.monotonic() + beating.every_s
    if beating is not None:
        beating.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
