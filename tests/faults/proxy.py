"""A bad line between a client and a server: slow, thin, broken off, or dead without a word."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Line:
    """What the line does to each connection. `breaks_after` counts bytes from the client; then the line is reset, or
    with `silent` nothing passes any more in either direction while both ends believe in it."""

    port: int
    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    breaks_after: int | None = None
    silent: bool = False
    passed: int = field(default=0, init=False)

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection."""
        server, up = await asyncio.open_connection("127.0.0.1", self.port)
        ways = (self._pass(client, up, counts=True), self._pass(server, answer))
        tasks = [asyncio.create_task(way) for way in ways]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for end in (up, answer):
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counts: bool = False) -> None:
        sent = 0
        while piece := await source.read(4096):
            await asyncio.sleep(self.latency_s + (len(piece) / self.bytes_per_s if self.bytes_per_s else 0.0))
            if counts and self.breaks_after is not None and sent + len(piece) > self.breaks_after:
                target.write(piece[: self.breaks_after - sent])
                await target.drain()
                if self.silent:
                    await asyncio.sleep(3600)
                return
            target.write(piece)
            await target.drain()
            sent += len(piece)
            self.passed += len(piece)


@contextmanager
def bad_line(line: Line) -> Iterator[int]:
    """The port of the bad line, which leads to `line.port`."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()

    async def run() -> None:
        server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve_forever()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        thread.join(10)
        loop.close()
