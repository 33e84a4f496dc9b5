"""What machines do now, as server-sent events: `GET /api/v1/live/{board}/{key}/?lang=fi`.

A board is plugged in by who shows it (`sockets.live_boards`); the ground floor's own is `device`. Each process
reckons a board once for all its viewers, when its devices have news and at most once a second, and not at all when
nobody looks. Between news it is reckoned anew every ten seconds, for news may be lost and "heard 5 s ago" grows older.

Events: `message`, data: the document; the first one whole, then what has changed. After a break the browser connects
again by itself and hears the whole document first, so `Last-Event-ID` needs no history. A viewer who is slow gets the
newest state, not a queue. Who may no longer see the board is left within a minute.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import redis.asyncio as valkey
from django.conf import settings
from django.utils import translation
from redis.exceptions import RedisError

from commons import sockets
from commons.devices.news import CHANNEL
from commons.errors import CityError, NotFound
from commons.sockets import Watched
from commons.web import streams
from commons.web.problems import problem
from commons.web.streams import Receive, Scope, Send

log = logging.getLogger(__name__)

PATH = re.compile(r"^/api/v1/live/([a-z]{1,20})/([A-Za-z0-9_.-]{1,100})/?$")
STEP_S = 1.0
KEEP_ALIVE_S = 10.0
SLOW_S = 30.0
ASK_AGAIN_S = 60.0
MOST_STREAMS = 2000
RETRY_MS = b"retry: 3000\n\n"

_readers = ThreadPoolExecutor(3, "live")


@dataclass(frozen=True, slots=True)
class Name:
    """A board as its viewers see it."""

    slug: str
    key: str
    language: str


@dataclass(eq=False)
class Board:
    """One board with its viewers: the document they see, and its number."""

    name: Name
    watched: Watched
    document: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    failed: bool = False
    slow_at: float = -SLOW_S
    news: asyncio.Event = field(default_factory=asyncio.Event)
    viewers: set[asyncio.Event] = field(default_factory=set)
    task: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Reckon the document, now and whenever there is news, until nobody looks."""
        while self.viewers:
            self.news.clear()
            with_slow = time.monotonic() - self.slow_at >= SLOW_S
            try:
                told = await streams.in_thread(_readers, self._told, with_slow)
            except Exception:
                log.warning("the board %s/%s could not be told", self.name.slug, self.name.key, exc_info=True)
                self.failed = True
            else:
                if with_slow:
                    self.slow_at = time.monotonic()
                self.document = _joined(self.document, told)
                self.version += 1
            for viewer in self.viewers:
                viewer.set()
            await asyncio.sleep(STEP_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_S - STEP_S):
                    await self.news.wait()

    def _told(self, with_slow: bool) -> dict[str, Any]:
        with translation.override(self.name.language):
            found = dict(self.watched.tell())
            if with_slow and self.watched.slow is not None:
                found = _joined(found, self.watched.slow())
        return found


def _joined(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The old document with the new one's words over it, two levels deep."""
    found = dict(old)
    for key, value in new.items():
        mine = found.get(key)
        found[key] = {**mine, **value} if isinstance(mine, dict) and isinstance(value, dict) else value
    return found


def changes(said: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """What is new in the document, two levels deep."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        before = said.get(key)
        if before == value:
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            value = {name: one for name, one in value.items() if name not in before or before[name] != one}  # noqa: PLW2901
        found[key] = value
    return found


class Newsroom:
    """The boards that somebody looks at in this process, and its one line to Valkey."""

    def __init__(self) -> None:
        self.boards: dict[Name, Board] = {}
        self.task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def viewing(self, name: Name, watched: Watched) -> Iterator[tuple[Board, asyncio.Event]]:
        """The board, and an event that is set whenever it has a new version."""
        board = self.boards.setdefault(name, Board(name, watched))
        board.watched = watched  # whoever comes last has asked the database last
        viewer = asyncio.Event()
        board.viewers.add(viewer)
        if board.task is None:
            board.task = asyncio.create_task(board.keep())
        elif board.version:
            viewer.set()
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._listen())
        try:
            yield board, viewer
        finally:
            board.viewers.discard(viewer)
            if not board.viewers:
                board.task.cancel()
                self.boards.pop(name, None)
            if not self.boards and self.task is not None:
                self.task.cancel()
                self.task = None

    async def _listen(self) -> None:
        """Hear of news while this is the newsroom's listener: a client's library may swallow the word to stop."""
        me = asyncio.current_task()
        while self.task is me:
            try:
                async with valkey.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as line:
                    await line.subscribe(CHANNEL)
                    while self.task is me:
                        message = await line.get_message(ignore_subscribe_messages=True, timeout=STEP_S)
                        if message is not None:
                            self._wake({UUID(device) for device in orjson.loads(message["data"])})
            except (RedisError, OSError):
                log.warning("no news of devices from Valkey; boards are told every %g s meanwhile", KEEP_ALIVE_S)
                await asyncio.sleep(2.0)

    def _wake(self, devices: set[UUID]) -> None:
        for board in self.boards.values():
            if not devices.isdisjoint(board.watched.devices):
                board.news.set()


newsroom = Newsroom()
_open = 0


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of `live/{board}/{key}/`."""
    global _open  # noqa: PLW0603 a count of this process
    if scope["method"] not in {"GET", "HEAD"}:
        document = problem(405, "Method not allowed", "Live boards are read with GET.")
        await streams.answer(send, document, (b"allow", b"GET"))
        return
    headers = streams.headers_of(scope)
    path = PATH.match(scope["path"])
    assert path is not None  # noqa: S101 livingcity.asgi has looked
    name = Name(path[1], path[2], streams.language(scope))
    try:
        watched = await streams.in_thread(_readers, _found, name, headers)
    except CityError as refusal:
        await streams.answer(send, refusal.problem())
        return
    if _open >= MOST_STREAMS:
        sentence = "Too many pages look at machines just now; this one asks from time to time meanwhile."
        document = problem(503, "Busy", sentence, "live:too-many-streams")
        await streams.answer(send, document, (b"retry-after", b"30"))
        return
    _open += 1
    try:
        await streams.until_gone(receive, streams.tell(send, _lines(name, watched, headers)))
    finally:
        _open -= 1


def _found(name: Name, headers: dict[str, str]) -> Watched:
    """What the caller asks for, if it is there and theirs to see. Raises NotFound."""
    board = sockets.live_boards.get(name.slug)
    with translation.override(name.language):
        if board is None:
            raise NotFound(translation.gettext("There is no such board, or it is not yours to see."))
        person, token = streams.person(headers)
        return board.find(name.key, person if person is not None and person.is_authenticated else None, token)


async def _lines(name: Name, watched: Watched, headers: dict[str, str]) -> AsyncGenerator[bytes, None]:
    """What goes over the wire, until the board is no longer the caller's to see."""
    said: dict[str, Any] = {}
    asked = time.monotonic()
    yield RETRY_MS
    with newsroom.viewing(name, watched) as (board, news):
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_S * 2):
                    await news.wait()
            news.clear()
            if time.monotonic() - asked > ASK_AGAIN_S:
                asked = time.monotonic()
                try:
                    await streams.in_thread(_readers, _found, name, headers)
                except CityError:
                    return
            document = board.document
            fresh = changes(said, document)
            yield streams.event("message", str(board.version), fresh)  # empty: nothing has changed, we are here
            said = document


def device_board(key: str, person: Any, token: Any) -> Watched:
    """The ground floor's own board: the newest values of one device. Raises DeviceNotFound."""
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415 apps are ready only now

    from commons.devices import policies, queries  # noqa: PLC0415
    from commons.devices.errors import DeviceNotFound  # noqa: PLC0415

    found = None
    with contextlib.suppress(ValueError):
        found = policies.readable_by(person or AnonymousUser(), token).filter(pk=UUID(key)).first()
    if found is None:
        raise DeviceNotFound(translation.gettext("There is no such device, or it is not yours to see."))
    device = found

    def tell() -> dict[str, Any]:
        values = queries.last_values([device])[device]
        return {slug: {"value": value.value, "ts": value.ts} for slug, value in sorted(values.items())}

    return Watched(frozenset({device.pk}), tell)
