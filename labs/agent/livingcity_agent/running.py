"""The agent at work: every source heard, every message on disk and on its way, until it is told to stop."""

import asyncio
import contextlib
import logging
import random
import signal
import sqlite3
import time
from collections.abc import Callable

from livingcity_agent.adapters.base import Adapter, AdapterError, Sink
from livingcity_agent.city import City, TokenRefused, WillNot, plain_http
from livingcity_agent.config import Config, DeviceConfig
from livingcity_agent.journal import Enrolled, Journal, Kind
from livingcity_agent.orders import Orders
from livingcity_agent.sending import HttpLine, Lane, Line
from livingcity_agent.sinks import Buffer, SourceSink

log = logging.getLogger("livingcity_agent")

FLUSH_S = 1.0
LONGEST_PAUSE_S = 120.0
LANES: tuple[Kind, ...] = ("r", "j")


class Agent:
    """All devices of one configuration."""

    def __init__(self, config: Config, *, now: Callable[[], float] = time.time) -> None:
        self.config = config
        self.journal = Journal(config.journal, most_bytes=config.most_mb * 1_000_000, now=now)
        self.buffer = Buffer(self.journal, now=now)
        self._full = ""

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises Busy."""
        self.journal.hold()
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        log.info("Here is the agent for %s.", ", ".join(device.name for device in self.config.devices))
        count, oldest = self.journal.waiting()
        if count:
            log.info("%d messages wait since %s.", count, time.strftime("%Y-%m-%d %H:%M", time.localtime(oldest)))
        tasks = [asyncio.create_task(work) for work in (self._flushing(), *map(self._device, self.config.devices))]
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
        self._flush()
        self.journal.close()
        for task in done - {stopping}:
            task.result()
        log.info("Stopped; what waits is kept.")

    # --- the journal -------------------------------------------------------------------------------------------

    async def _flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self._flush()

    def _flush(self) -> None:
        try:
            before = len(self.buffer.items)
            self.buffer.flush()
            if before and not self.journal.fits():
                for thinned in self.journal.thin():
                    log.warning("The journal was full: %d older readings were dropped.", thinned.dropped)
            self._full = ""
        except sqlite3.Error as error:
            if str(error) != self._full:
                log.error("The journal cannot be written: %s. Readings wait in memory.", error)
                self._full = str(error)
        if len(self.buffer.items) > 100_000:
            del self.buffer.items[:50_000]

    # --- a device ----------------------------------------------------------------------------------------------

    async def _device(self, config: DeviceConfig) -> None:
        key = self.journal.device_key(config.name)
        adapters = [source.adapter for source in config.sources]
        async with asyncio.TaskGroup() as group:
            for source in config.sources:
                beside = [other for other in adapters if other is not source.adapter]
                sink = SourceSink(self.buffer, key, source.label, source.adapter, beside)
                group.create_task(self._source(source.adapter, sink))
            enrolled = await self._enrolment(config)
            for adapter in adapters:
                adapter.name = type(adapter.name)(adapter.name.label, enrolled.id, adapter.name.place)
            line = self._line(enrolled, group)
            for kind in LANES:
                lane = Lane(self.journal, enrolled, kind, line, most=self.config.batch)
                group.create_task(lane.run(self.config.send_every_s if kind == "r" else FLUSH_S))
            if config.circuit:
                group.create_task(self._circuit(config, enrolled))
            if config.commands:
                group.create_task(Orders(self.journal, enrolled, config).run())

    async def _circuit(self, config: DeviceConfig, enrolled: Enrolled) -> None:
        """Tell which circuit the plug feeds, as the configuration says now; what the city refuses is for a person."""
        pause = 2.0
        while True:
            try:
                await City(enrolled.url, enrolled.token).feeds(config.circuit)
            except (WillNot, TokenRefused) as error:
                log.warning("%s: %s", config.name, error)
            except (AdapterError, OSError, TimeoutError):
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 no secret
                pause = min(pause * 2, 300.0)
                continue
            return

    def _line(self, enrolled: Enrolled, group: asyncio.TaskGroup) -> Line:
        http = HttpLine(enrolled)
        if plain_http(enrolled.url):
            log.warning("%s speaks with the city without TLS: its token can be read on the way.", enrolled.name)
        if not (self.config.mqtt and enrolled.mqtt.get("url")):
            return http
        from livingcity_agent.mqtt import MqttLine  # noqa: PLC0415 not loaded where the city has no broker

        line = MqttLine(enrolled, http)
        group.create_task(line.run())
        return line

    async def _enrolment(self, config: DeviceConfig) -> Enrolled:
        said = False
        while (found := self.journal.enrolled(config.name)) is None:
            if not said:
                log.warning(
                    "%s is not enrolled; what it says is kept. Run: livingcity-agent enrol CODE --device “%s”",
                    config.name, config.name,
                )  # fmt: skip
                said = True
            await asyncio.sleep(2.0)
        return found

    async def _source(self, adapter: Adapter, sink: Sink) -> None:
        """Run an adapter for ever; a pause after each failure, said once."""
        said, failures = "", 0
        while True:
            began = time.monotonic()
            try:
                await adapter.run(sink)
                sentence = "it ended by itself"
            except (AdapterError, OSError, TimeoutError, EOFError) as error:
                sentence = str(error) or type(error).__name__
            except Exception as error:
                log.exception("%s went wrong", adapter.name.place)
                sentence = f"{type(error).__name__}: {error}"
            failures = 0 if time.monotonic() - began > 60 else failures + 1
            if sentence != said or failures == 1:
                log.warning("%s: %s It is tried again.", adapter.name.place, sentence)
                said = sentence
            await asyncio.sleep(min(LONGEST_PAUSE_S, random.uniform(0.5, 2.0 ** min(failures, 7))))  # noqa: S311


def run(config: Config) -> None:
    """Work until told to stop. Raises Busy."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Agent(config).run())
