"""What adapters are tested on: a sink that keeps what it is told, tables from TOML, look-alikes of machines."""

import asyncio
import datetime as dt
import json
import shutil
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from livingcity_agent.adapters.base import Adapter, Command, CommandKind, JobEvent, Name, Reading
from livingcity_agent.tables import Table

A = TypeVar("A", bound=Adapter)


@dataclass
class Kept:
    """A sink that keeps everything."""

    readings: list[Reading] = field(default_factory=list)
    jobs: list[JobEvent] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)

    def reading(self, reading: Reading) -> None:
        self.readings.append(reading)

    def job(self, event: JobEvent, *, remember: Mapping[str, Any] | None = None) -> None:
        self.jobs.append(event)
        self.remember(remember or {})

    def remember(self, facts: Mapping[str, Any]) -> None:
        self.memory |= json.loads(json.dumps(dict(facts)))
        self.memory = {k: v for k, v in self.memory.items() if v is not None}

    def recall(self, name: str) -> Any:
        return self.memory.get(name)

    def values(self, channel: str) -> list[float | str]:
        return [r.value for r in self.readings if r.channel == channel]

    @property
    def events(self) -> list[str]:
        return [job.event for job in self.jobs]


def made(kind: type[A], toml: str, folder: Path | None = None) -> A:
    """An adapter from its table; fails where the table has faults."""
    adapter, faults = tried(kind, toml, folder)
    assert faults == []
    return adapter


def tried(kind: type[A], toml: str, folder: Path | None = None) -> tuple[A, list[str]]:
    """An adapter and the faults of its table."""
    table = Table(tomllib.loads(toml), (), toml, folder or Path())
    adapter = kind.configure(table, Name("Plug 1", "d1", "source 1"))
    table.done()
    return adapter, [str(fault) for fault in table.faults]


def until(adapter: Adapter, sink: Kept, enough: Callable[[Kept], bool], *, within_s: float = 15.0) -> None:
    """Let an adapter run until enough was heard. What it raises is raised."""

    async def go() -> None:
        await run_until(adapter, sink, lambda: enough(sink), within_s=within_s)

    asyncio.run(go())


async def run_until(
    adapter: Adapter,
    sink: Kept,
    enough: Callable[[], bool],
    *,
    meanwhile: Coroutine[Any, Any, None] | None = None,
    within_s: float = 15.0,
) -> None:
    """The same inside a loop, with something else that happens meanwhile."""
    task = asyncio.create_task(adapter.run(sink))
    other = asyncio.create_task(meanwhile) if meanwhile else None
    try:
        async with asyncio.timeout(within_s):
            while not enough():
                if task.done():
                    task.result()
                    raise AssertionError("The adapter ended by itself.")
                if other and other.done():
                    other.result()
                await asyncio.sleep(0.01)
    finally:
        for running in (task, other):
            if running:
                running.cancel()
        await asyncio.gather(*filter(None, (task, other)), return_exceptions=True)


def sentences(adapter: Adapter) -> tuple[bool, str]:
    """What `check` finds: whether all is well, and its sentences."""
    found = asyncio.run(adapter.check())
    assert found
    return all(f.ok for f in found), " ".join(f.sentence for f in found)


def command(kind: CommandKind, *, body: Mapping[str, Any], late_s: float = 60.0, file: Path | None = None) -> Command:
    """Something asked for, which ends in so many seconds."""
    return Command("c1", kind, body, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=late_s), file)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes no log and sends JSON."""

    here: Any = None

    def get(self) -> None:
        """Answer a GET."""
        self.send(b"", 405)

    def post(self) -> None:
        """Answer a POST."""
        self.send(b"", 405)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def send(self, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(handler: type[Quiet], here: Any) -> Iterator[str]:
    """A look-alike on a real socket; its address."""
    bound = type(handler.__name__, (handler,), {"here": here})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Mosquitto:
    """Debian's broker; `lab` with the password `labpass` may do everything, `guest` nothing."""

    port: int

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def toml(self, password: str = "labpass") -> str:  # noqa: S107 of this broker alone
        return f'broker = "{self.url}"\nuser = "lab"\npassword = "{password}"\n'


@contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """A broker with an account, on a free port of this machine."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    port = free_port()
    passwords = folder / "passwords"
    passwords.touch(mode=0o644)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "lab", "labpass"], check=True, capture_output=True)
    folder.chmod(0o755)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\npersistence false\nuser root\n"
    )
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None, "mosquitto does not start"
                time.sleep(0.02)
        yield Mosquitto(port)
    finally:
        process.terminate()
        process.wait(10)
