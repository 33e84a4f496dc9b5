"""Sending: the oldest first, one batch on its way for each lane, again until it is acknowledged.

Readings and job events go through two doors, so that one that is shut does not hold up the other. After a failure the
pause doubles up to five minutes and is drawn at random below that, so that a hundred agents do not come back at once.
"""

import asyncio
import datetime as dt
import json
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.city import Ack, City, NotNow, TokenRefused, TooMuch, WillNot
from livingcity_agent.http import NoAnswer
from livingcity_agent.journal import Batch, Enrolled, Journal, Kind

log = logging.getLogger("livingcity_agent")

DOORS: dict[Kind, str] = {"r": "readings", "j": "events"}
WORDS: dict[Kind, str] = {"r": "readings", "j": "job messages"}
MOST_EVENTS = 200
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 300.0
MOST_FILLED = 5000


class Line(Protocol):
    """A way to the city: HTTP or MQTT. Both raise AdapterError as `City.send` does."""

    async def send(self, kind: Kind, body: bytes) -> Ack:
        """Send a body and wait until it is acknowledged."""


class HttpLine:
    """By POST."""

    def __init__(self, device: Enrolled) -> None:
        self._city = City(device.url, device.token)

    async def send(self, kind: Kind, body: bytes) -> Ack:
        """Send a body and wait until it is acknowledged."""
        return await (self._city.readings(body) if kind == "r" else self._city.jobs(body))


def stamp(at: float) -> str:
    """A moment as the city reads it."""
    moment = dt.datetime.fromtimestamp(min(max(at, 0.0), 4e9), dt.UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def body_of(batch: Batch) -> bytes:
    """The batch as it goes over the wire."""
    items = (f'{{"seq":{i.seq},"ts":"{stamp(i.at)}",{i.body[1:]}' for i in batch.items)
    return f'{{"{DOORS[batch.kind]}":[{",".join(items)}]}}'.encode()


def filling(numbers: range) -> bytes:
    """Messages that say nothing, for numbers that were lost with a journal: the city refuses and settles them, and
    `acked` goes on."""
    return json.dumps({"readings": [{"seq": n, "lost": True} for n in numbers]}, separators=(",", ":")).encode()


class Lane:
    """One kind of message of one device on its way to the city."""

    def __init__(
        self,
        journal: Journal,
        device: Enrolled,
        kind: Kind,
        line: Line,
        *,
        most: int = 1000,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._journal, self._device, self._kind, self._line, self._pause = journal, device, kind, line, pause
        self._most = self._now_most = most if kind == "r" else min(most, MOST_EVENTS)
        self._failures = 0
        self._said = ""

    async def run(self, every_s: float) -> None:
        """Send what there is, look again after a while, until cancelled."""
        while True:
            while await self.once():
                pass
            await asyncio.sleep(every_s)

    async def once(self) -> bool:
        """Send one batch; whether to go on at once. After a failure it has paused."""
        batch = self._journal.take(self._device.key, self._kind, self._now_most)
        if batch is None:
            return False
        try:
            ack = await self._line.send(self._kind, body_of(batch))
        except TooMuch as refusal:
            if len(batch.items) > 1:
                self._now_most = max(1, len(batch.items) // 2)
                return True
            await self._failed(refusal, LONGEST_PAUSE_S)
        except NotNow as refusal:
            await self._failed(refusal, refusal.after_s)
        except (TokenRefused, WillNot) as refusal:
            await self._failed(refusal, 60.0)
        except (NoAnswer, AdapterError, OSError, TimeoutError) as error:
            await self._failed(error, 0.0)
        else:
            await self._answered(batch, ack)
        return True

    async def _answered(self, batch: Batch, ack: Ack) -> None:
        if self._said:
            log.info("%s: the city answers again; %d messages wait.", self._device.name, self._journal.waiting()[0])
        self._failures, self._said = 0, ""
        self._now_most = min(self._most, self._now_most * 2)
        if batch.fresh and ack.stored == 0 and ack.duplicates == len(batch.items) and ack.acked >= batch.last:
            log.warning(
                "%s: the city has these numbers already, so the journal is an old copy; it goes on at %d.",
                self._device.name, ack.acked + 1,
            )  # fmt: skip
            self._journal.again(batch, ack.acked + 1)
            return
        for sentence in ack.rejected[:5]:
            log.warning("%s: the city will not keep a message: %s", self._device.name, sentence)
        for sentence in ack.flagged[:1]:
            log.warning("%s: %d messages are flagged: %s", self._device.name, len(ack.flagged), sentence)
        self._journal.settled(batch, ack.acked)
        hole = self._journal.hole(self._device.key, ack.acked)
        if hole:
            await self._fill(hole)

    async def _fill(self, hole: range) -> None:
        """Tell the city of numbers that will never come, so that it does not wait for them."""
        if self._kind != "r":
            return
        log.warning("%s: numbers %d to %d were lost with a journal.", self._device.name, hole[0], hole[-1])
        try:
            ack = await self._line.send("r", filling(hole[:MOST_FILLED]))
            self._journal.told_acked(self._device.key, ack.acked)
        except (AdapterError, OSError, TimeoutError):
            log.info("%s: that could not be told yet.", self._device.name)

    async def _failed(self, error: BaseException, least_s: float) -> None:
        said = f"{self._device.name}: {WORDS[self._kind]} cannot be sent: {error}"
        self._failures += 1
        if said != self._said and self._failures > 1:  # once is nothing
            log.warning("%s They are kept.", said)
            self._said = said
        longest = min(LONGEST_PAUSE_S, 2.0 ** min(self._failures, 9))
        await self._pause(max(least_s, random.uniform(SHORTEST_PAUSE_S, longest)))  # noqa: S311 no secret
