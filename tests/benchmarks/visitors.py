"""People who open pages, in asyncio: connections that are kept, answers with their times."""

import asyncio
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer."""

    name: str
    status: int
    took_s: float
    at: float
    retry_after_s: float | None = None


@dataclass
class Line:
    """A kept connection."""

    port: int
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, name: str, path: str, *, head: str = "", body: bytes = b"") -> Seen:
        """Open a page, or POST a body; status 0 when the connection broke."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, headers = await self._exchange(path, head, body)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
            self.close()
            return Seen(name, 0, time.monotonic() - began, time.monotonic())
        retry = headers.get("retry-after")
        now = time.monotonic()
        return Seen(name, status, now - began, now, float(retry) if retry else None)

    async def _exchange(self, path: str, head: str, body: bytes) -> tuple[int, dict[str, str]]:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        reader, writer = self.streams
        method, size = ("POST", f"Content-Length: {len(body)}\r\n") if body else ("GET", "")
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}{size}\r\n".encode() + body)
        top, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            while size_ := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await reader.readexactly(size_ + 2)
            await reader.readuntil(b"\r\n")
        return int(top.split()[1]), headers

    def close(self) -> None:
        """Give it up."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def people(
    port: int, pages: dict[str, str], *, count: int, seconds: float, think_s: float, seed: int = 1
) -> list[Seen]:
    """So many people for so long, each: open a page, read it (an exponential time of this mean), open another."""
    until = time.monotonic() + seconds

    async def one(number: int) -> list[Seen]:
        chance, line, seen = random.Random(seed * 1000 + number), Line(port), []
        await asyncio.sleep(chance.random() * min(think_s, seconds / 4))
        while time.monotonic() < until:
            name = chance.choice(list(pages))
            seen.append(await line.ask(name, pages[name]))
            await asyncio.sleep(chance.expovariate(1 / think_s) if think_s else 0)
        line.close()
        return seen

    return [answer for answers in await asyncio.gather(*map(one, range(count))) for answer in answers]


@dataclass
class Crowd:
    """Requests at a rate of their own, whether or not answers come: what an overload is."""

    port: int
    pages: dict[str, str]
    idle: list[Line] = field(default_factory=list)
    asking: "set[asyncio.Task[None]]" = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)

    async def come(self, *, rate: float, seconds: float, seed: int = 1) -> None:
        """Come at random, so many in a second on average; ends when the last is answered."""
        chance = random.Random(seed)
        began, due = time.monotonic(), 0.0
        while (due := due + chance.expovariate(rate)) < seconds:
            await asyncio.sleep(max(began + due - time.monotonic(), 0))
            task = asyncio.create_task(self._one(chance.choice(list(self.pages))))
            self.asking.add(task)
            task.add_done_callback(self.asking.discard)
        await asyncio.gather(*self.asking)

    async def _one(self, name: str) -> None:
        line = self.idle.pop() if self.idle else Line(self.port)
        self.seen.append(await line.ask(name, self.pages[name]))
        self.idle.append(line)


def by_name(seen: list[Seen]) -> dict[str, list[float]]:
    """Times of the good answers, by page, in ms."""
    found: dict[str, list[float]] = defaultdict(list)
    for answer in seen:
        if 200 <= answer.status < 400:
            found[answer.name].append(answer.took_s * 1000)
    return found
