"""The long question for commands, natively in asyncio: a waiting agent costs a small object, not a thread.

The row is the truth and Valkey's news may be lost, so the row is looked at again every few seconds. Whatever is not a
good question goes to Django, which answers it like any other.
"""

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
import redis.asyncio as valkey
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from commons.devices.api_commands import shown
from commons.devices.authentication import device_of
from commons.devices.models import Device
from commons.devices.services import commands

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PATH = "/api/v1/device/commands/"
LONGEST_S, LOOK_AGAIN_S = 30, 5.0
MOST_WAITING = 2000

_readers = ThreadPoolExecutor(2, "commands")


class Bell:
    """One subscription of this process to the news of commands, handed to those who wait."""

    def __init__(self) -> None:
        self.waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def heard(self, device: UUID) -> Any:
        """An event that is set when something is asked of the device."""
        name, news = str(device), asyncio.Event()
        self.waiting[name].add(news)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._listen())
        try:
            yield news
        finally:
            self.waiting[name].discard(news)
            if not self.waiting[name]:
                del self.waiting[name]

    async def _listen(self) -> None:
        while True:
            try:
                async with valkey.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as line:
                    await line.subscribe(commands.NEWS)
                    async for message in line.listen():
                        if message["type"] == "message":
                            for news in self.waiting.get(message["data"].decode(), ()):
                                news.set()
            except (RedisError, OSError):
                log.info("no news of commands from Valkey; the rows are looked at meanwhile")
                await asyncio.sleep(2.0)


bell = Bell()


def waits(scope: Scope) -> bool:
    """Whether this is a question that may wait."""
    return scope["path"] == PATH and scope["method"] == "GET" and b"wait=" in scope.get("query_string", b"")


async def poll(scope: Scope, receive: Receive, send: Send, otherwise: Callable[..., Awaitable[None]]) -> None:
    """Answer as soon as something is asked of the device, else with nothing when the time is over."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("wait", [""])[-1]
    device = await _in_thread(_device, scope)
    waiting = sum(map(len, bell.waiting.values()))
    if device is None or not re.fullmatch(r"\d{1,3}", asked) or waiting >= MOST_WAITING:
        await otherwise(scope, receive, send)
        return
    gone = asyncio.ensure_future(_gone(receive))
    work = asyncio.ensure_future(_found(device, min(int(asked), LONGEST_S)))
    try:
        await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await _answer(send, work.result())
    finally:
        for task in (gone, work):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _found(device: Device, seconds: int) -> list[dict[str, Any]]:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with bell.heard(device.pk) as news:
        while True:
            news.clear()
            found: list[dict[str, Any]] = await _in_thread(_take, device)
            left = end - loop.time()
            if found or left <= 0:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_AGAIN_S)):
                    await news.wait()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, found: list[dict[str, Any]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"commands": found})})


async def _in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_readers, _on_connection, work, *arguments)


def _on_connection(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return work(*arguments)
    finally:
        if connection.connection is not None:
            connection.close_if_unusable_or_obsolete()


def _device(scope: Scope) -> Device | None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    scheme, _space, secret = headers.get("authorization", "").partition(" ")
    return device_of(secret.strip()) if scheme.lower() == "bearer" else None


def _take(device: Device) -> list[dict[str, Any]]:
    """What is open, if the device's token still stands; without a write where nothing waits."""
    if not commands.open_for(device=device) or not Device.objects.filter(pk=device.pk, revoked_at=None).exists():
        return []
    return [shown(one) for one in commands.take(device=device)]
