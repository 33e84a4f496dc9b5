"""A bad network: a TCP proxy that refuses, cuts in the middle, and swallows answers after the request went through."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Flaky:
    """Hands bytes on until its luck runs out. `bad` is the share of connections that end badly."""

    def __init__(self, port: int, *, bad: float, seed: int) -> None:
        self.port, self.bad, self.luck = port, bad, random.Random(seed)
        self.listens_on = 0
        self.cut = {"refused": 0, "in the request": 0, "in the answer": 0}

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up: asyncio.StreamWriter | None = None
        try:
            fate = self.luck.choice(list(self.cut)) if self.luck.random() < self.bad else ""
            if fate:
                self.cut[fate] += 1
            if fate == "refused":
                return
            back, up = await asyncio.open_connection("127.0.0.1", self.port)
            limit = self.luck.randrange(1, 400)
            there = self.pipe(reader, up, limit if fate == "in the request" else None)
            here = self.pipe(back, writer, limit if fate == "in the answer" else None)
            await asyncio.wait([asyncio.create_task(there), asyncio.create_task(here)], return_when="FIRST_COMPLETED")
        except OSError:
            pass
        finally:
            for one in (writer, up):
                if one is not None:
                    one.close()

    async def pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, limit: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data if limit is None else data[:limit])
                await sink.drain()
                if limit is not None:
                    return

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        async with await asyncio.start_server(self.connection, "127.0.0.1", 0) as server:
            self.listens_on = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()


@contextmanager
def flaky(port: int, *, bad: float = 0.3, seed: int = 1) -> Iterator[Flaky]:
    """A proxy in front of a port of this computer."""
    proxy, ready, loop = Flaky(port, bad=bad, seed=seed), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(proxy.serve(ready, stop)), daemon=True)
    thread.start()
    ready.wait(10)
    yield proxy
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
