"""Live progress of a run as server-sent events, natively in asyncio: an open stream costs a small object, not a thread.

The row is the truth and Valkey's news may be lost, so a stream begins with the row, and reads it again with each
keep-alive. Visibility is that of `queries.visible_to`; what the caller may not see answers 404 like what is not there.
The stage is said in the language that the address names (`?lang=fi`).
One subscription for each process serves all streams; a slow reader gets the newest state, not a queue.

Events: `progress` and, last, `done`; data: {"status", "progress", "stage"} and, when done, {"result", "error"}. A
browser connects again after the end: it then says `Last-Event-ID: done` and hears 204, which stops it.
"""

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio as valkey
from django.conf import settings
from django.utils import translation
from redis.exceptions import RedisError

from commons.errors import CityError
from commons.runs import queries
from commons.runs.models import Run
from commons.runs.signals import channel
from commons.web import streams
from commons.web.problems import problem
from commons.web.streams import Receive, Scope, Send

log = logging.getLogger(__name__)

State = dict[str, Any]

PATH = re.compile(r"^/api/v1/runs/([0-9a-fA-F-]{36})/events/?$")
KEEP_ALIVE_S = 10.0
SHORTEST_STEP_S = 0.1
MOST_STREAMS = 1000
OVER = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a stream: the headers of the request, and the language of the page."""

    headers: dict[str, str]
    language: str


_readers = ThreadPoolExecutor(4, "run-events")


class Newsroom:
    """One subscription to the news of all runs, handed to the streams of this process."""

    def __init__(self) -> None:
        self.watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def watching(self, run_id: UUID) -> Any:
        """An event that is set whenever there is news of the run."""
        name, news = channel(run_id), asyncio.Event()
        self.watchers[name].add(news)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._listen())
        try:
            yield news
        finally:
            self.watchers[name].discard(news)
            if not self.watchers[name]:
                del self.watchers[name]
            if not self.watchers:
                self.task.cancel()
                self.task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with valkey.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as line:
                    await line.psubscribe(channel("*"))
                    async for message in line.listen():
                        if message["type"] == "pmessage":
                            for news in self.watchers.get(message["channel"].decode(), ()):
                                news.set()
            except (RedisError, OSError):
                log.warning("no news of runs from Valkey; streams read the rows meanwhile")
                await asyncio.sleep(2.0)


newsroom = Newsroom()
_open = 0


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of `runs/{id}/events`."""
    global _open  # noqa: PLW0603 a count of this process
    headers = streams.headers_of(scope)
    found = PATH.match(scope["path"])
    if scope["method"] not in {"GET", "HEAD"}:
        await streams.answer(send, problem(405, "Method not allowed", "Events are read with GET."), (b"allow", b"GET"))
        return
    try:
        run_id = UUID(found[1]) if found else None
        reader = Reader(headers, streams.language(scope))
        state = await streams.in_thread(_readers, _state, run_id, reader) if run_id else None
    except ValueError:
        state = None
    except CityError as refusal:
        await streams.answer(send, refusal.problem())
        return
    if state is None or run_id is None:
        await streams.answer(send, problem(404, "Not found", "There is no such run, or it is not yours to see."))
    elif state["status"] in OVER and headers.get("last-event-id") == "done":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif _open >= MOST_STREAMS:
        sentence = "Too many pages watch runs just now; ask for the run itself meanwhile."
        await streams.answer(send, problem(503, "Busy", sentence, "run:too-many-streams"), (b"retry-after", b"5"))
    else:
        _open += 1
        try:
            await streams.until_gone(receive, streams.tell(send, _lines(run_id, reader)))
        finally:
            _open -= 1


async def _lines(run_id: UUID, reader: Reader) -> AsyncGenerator[bytes, None]:
    """What goes over the wire, until the run is over or no longer the caller's to see."""
    said: State | None = None
    number = 0
    with newsroom.watching(run_id) as news:
        while True:
            news.clear()
            try:
                state = await streams.in_thread(_readers, _state, run_id, reader)
            except CityError:
                return
            if state is None:
                return
            over = state["status"] in OVER
            if state != said:
                number += 1
                yield streams.event("done" if over else "progress", "done" if over else str(number), state)
            else:
                yield streams.STILL_HERE
            if over:
                return
            said = state
            await asyncio.sleep(SHORTEST_STEP_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await news.wait()


def _state(run_id: UUID, reader: Reader) -> State | None:
    """The run as the caller may see it now."""
    run = queries.visible_to(*streams.person(reader.headers)).filter(pk=run_id).first()
    if run is None:
        return None
    with translation.override(reader.language):
        state: State = {"status": run.status, "progress": round(run.progress, 4), "stage": run.doing}
    if run.is_over:
        error = {"code": run.error_code, "detail": run.error} if run.error_code else None
        state |= {"result": run.result if run.status == Run.Status.DONE else None, "error": error}
    return state
