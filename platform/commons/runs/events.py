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
import json
import logging
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import redis.asyncio as valkey
from django.conf import settings
from django.contrib import auth
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.http import HttpRequest
from django.utils import translation
from redis.exceptions import RedisError

from commons.errors import CityError
from commons.people.authentication import person_of
from commons.runs import queries
from commons.runs.models import Run
from commons.runs.signals import channel
from commons.said import language_of
from commons.web.problems import PROBLEM_JSON, problem

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
State = dict[str, Any]

PATH = re.compile(r"^/api/v1/runs/([0-9a-fA-F-]{36})/events/?$")
KEEP_ALIVE_S = 10.0
SHORTEST_STEP_S = 0.1
SEND_PATIENCE_S = 30.0
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
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    found = PATH.match(scope["path"])
    if scope["method"] not in {"GET", "HEAD"}:
        await _answer(send, problem(405, "Method not allowed", "Events are read with GET."), (b"allow", b"GET"))
        return
    try:
        run_id = UUID(found[1]) if found else None
        reader = Reader(headers, _language(scope))
        state = await _in_thread(_state, run_id, reader) if run_id else None
    except ValueError:
        state = None
    except CityError as refusal:
        await _answer(send, refusal.problem())
        return
    if state is None or run_id is None:
        await _answer(send, problem(404, "Not found", "There is no such run, or it is not yours to see."))
    elif state["status"] in OVER and headers.get("last-event-id") == "done":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif _open >= MOST_STREAMS:
        sentence = "Too many pages watch runs just now; ask for the run itself meanwhile."
        await _answer(send, problem(503, "Busy", sentence, "run:too-many-streams"), (b"retry-after", b"5"))
    else:
        _open += 1
        try:
            await _until_gone(receive, _tell(send, run_id, reader))
        finally:
            _open -= 1


def _language(scope: Scope) -> str:
    """The language that the page of the caller is in, as the address names it; the site's own without one."""
    return language_of(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[-1])


async def _until_gone(receive: Receive, work: Any) -> None:
    """Do the work until it ends or the client goes away."""
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    except (OSError, RuntimeError, TimeoutError):
        log.debug("a stream of events was cut", exc_info=True)
    finally:
        for task in (doing, gone):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _tell(send: Send, run_id: UUID, reader: Reader) -> None:
    start = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    async with contextlib.aclosing(_lines(run_id, reader)) as lines:
        async for line in lines:
            message = {"type": "http.response.body", "body": line, "more_body": True}
            await asyncio.wait_for(send(message), SEND_PATIENCE_S)
    await send({"type": "http.response.body", "body": b""})


async def _lines(run_id: UUID, reader: Reader) -> AsyncGenerator[bytes, None]:
    """What goes over the wire, until the run is over or no longer the caller's to see."""
    said: State | None = None
    number = 0
    with newsroom.watching(run_id) as news:
        while True:
            news.clear()
            state = await _in_thread(_state, run_id, reader)
            if state is None:
                return
            over = state["status"] in OVER
            if state != said:
                number += 1
                yield _event("done" if over else "progress", "done" if over else str(number), state)
            else:
                yield b": still here\n\n"
            if over:
                return
            said = state
            await asyncio.sleep(SHORTEST_STEP_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), KEEP_ALIVE_S)


def _event(name: str, ident: str, state: State) -> bytes:
    return f"id: {ident}\nevent: {name}\ndata: {json.dumps(state, cls=DjangoJSONEncoder)}\n\n".encode()


async def _in_thread(work: Callable[..., State | None], *arguments: Any) -> State | None:
    return await asyncio.get_running_loop().run_in_executor(_readers, work, *arguments)


def _state(run_id: UUID, reader: Reader) -> State | None:
    """The run as the caller may see it now; the connection goes back with the thread."""
    try:
        run = queries.visible_to(*_person(reader.headers)).filter(pk=run_id).first()
    finally:
        if connection.connection is not None:
            connection.close_if_unusable_or_obsolete()
    if run is None:
        return None
    with translation.override(reader.language):
        state: State = {"status": run.status, "progress": round(run.progress, 4), "stage": run.doing}
    if run.is_over:
        error = {"code": run.error_code, "detail": run.error} if run.error_code else None
        state |= {"result": run.result if run.status == Run.Status.DONE else None, "error": error}
    return state


def _person(headers: dict[str, str]) -> tuple[Any, Any]:
    """Who asks and with which token: by bearer token, or by the session's cookie; nobody for a stranger."""
    scheme, _space, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = person_of(secret.strip())
        return found or (None, None)
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(headers.get("cookie", ""))
    if settings.SESSION_COOKIE_NAME not in cookies:
        return None, None
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(cookies[settings.SESSION_COOKIE_NAME].value)
    return auth.get_user(request), None


async def _answer(send: Send, document: dict[str, Any], *more: tuple[bytes, bytes]) -> None:
    """A problem document."""
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": document["status"], "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
