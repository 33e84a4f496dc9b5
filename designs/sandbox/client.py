"""The worker's end: one fork server for each worker process, started when first needed, started anew when it died.

Works inside a Celery prefork child too, whose processes may have no multiprocessing children.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from designs.sandbox.limits import Limits
from designs.sandbox.results import Result, read_result

ROOT = Path(__file__).resolve().parents[2]
START_S = 120.0
SENTENCES = {
    6: "It made the reader stop with an error of its own.",
    9: "It needed more time or memory than one file may take.",
    11: "It made the reader crash.",
    24: "It needed more computing time than one file may take.",
    25: "Its picture or model would be larger than we keep.",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the sandbox made of a file, checked, with what it cost."""

    result: Result
    cpu_s: float
    memory_bytes: int
    walls: tuple[str, ...]


class _Server:
    """A running fork server and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        env = {k: os.environ[k] for k in ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "NUMBA_CACHE_DIR") if k in os.environ}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        env |= {"OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "designs.sandbox.server"],
            stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=ROOT,
            start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self.socket = ours
        self.lines = ours.makefile("r")
        self.owner = os.getpid()

    def ask(self, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        self.socket.settimeout(timeout_s)
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        line = self.lines.readline()
        if not line:
            raise ConnectionError("the fork server ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End it; only the process that started it does."""
        self.socket.close()
        if self.owner == os.getpid() and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


_lock = threading.Lock()
_server: _Server | None = None


def _running() -> _Server:
    """This process's server. One inherited over a fork belongs to the parent and is left alone."""
    global _server  # noqa: PLW0603 one for each process, by design
    if _server is None or _server.owner != os.getpid() or _server.process.poll() is not None:
        _server = _Server()
    return _server


def stop() -> None:
    """End this process's server, if there is one."""
    global _server  # noqa: PLW0603
    with _lock:
        if _server is not None:
            _server.stop()
        _server = None


atexit.register(stop)


def draw(source: Path, file_format: str, *, limits: Limits | None = None, work: str = "preview") -> Drawn:
    """Facts, picture and model of a file, made where it can hurt nothing. Never raises because of the file."""
    with answered(source, file_format, limits=limits or Limits(), work=work) as (answer, folder):
        return _drawn(answer, folder)


@contextlib.contextmanager
def answered(source: Path, file_format: str, *, limits: Limits, work: str) -> Iterator[tuple[dict[str, Any], Path]]:
    """How a child ended that did this work, and the folder where it left what it made, until the context ends."""
    with tempfile.TemporaryDirectory(prefix="lc-draw-") as name:
        folder = Path(name) / "out"
        folder.mkdir()
        request = {
            "source": str(source), "folder": str(folder), "format": file_format, "work": work,
            "limits": limits.as_json(),
        }  # fmt: skip
        with _lock:
            answer = _ask(request, limits)
        yield answer, folder


def ask(*, source: Path, folder: Path, file_format: str, work: str, limits: Limits) -> dict[str, Any]:
    """Do a kind of work on a file behind the walls; what came of it lies in the folder. How the child ended."""
    request = {
        "source": str(source), "folder": str(folder), "format": file_format, "work": work, "limits": limits.as_json(),
    }  # fmt: skip
    with _lock:
        return _ask(request, limits)


def _ask(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    for again in (True, False):
        try:
            return _running().ask(request, timeout_s=START_S + limits.wall_s + 10)
        except (OSError, ConnectionError, ValueError):
            if _server is not None:
                _server.stop()
            if not again:
                return {"status": None, "signal": 9, "timeout": False, "cpu_s": 0.0, "memory_bytes": 0}
    raise AssertionError("not reached")


def _drawn(answer: dict[str, Any], folder: Path) -> Drawn:
    walls: tuple[str, ...] = ()
    with contextlib.suppress(OSError, ValueError):
        walls = tuple(json.loads((folder / "walls.json").read_text()))
    result = read_result(folder) if answer["status"] == 0 else Result.failed(sentence(answer))
    return Drawn(result, float(answer["cpu_s"]), int(answer["memory_bytes"]), walls)


def sentence(answer: dict[str, Any]) -> str:
    """Why a child ended without a result, for the maker of the file."""
    if answer["timeout"]:
        return "Drawing it took too long; it was stopped."
    if answer["status"] == 3:
        return "Drawing it needs more memory than one file may take."
    return SENTENCES.get(answer["signal"] or 0, "The reader could not cope with this file.")
