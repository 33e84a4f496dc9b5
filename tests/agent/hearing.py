"""A sink that writes down what an adapter tells, and an adapter at work in a thread."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from livingcity_agent.adapters.base import Adapter, JobEvent, Reading


class Heard:
    """What was told, and the adapter's memory."""

    def __init__(self, memory: dict[str, Any] | None = None) -> None:
        self.readings: list[Reading] = []
        self.jobs: list[JobEvent] = []
        self.memory = memory if memory is not None else {}

    def reading(self, reading: Reading) -> None:
        self.readings.append(reading)

    def job(self, event: JobEvent, *, remember: Mapping[str, Any] | None = None) -> None:
        self.jobs.append(event)
        self.remember(remember or {})

    def remember(self, facts: Mapping[str, Any]) -> None:
        self.memory.update(facts)

    def recall(self, name: str) -> Any:
        return self.memory.get(name)

    def events(self, job: str = "") -> list[str]:
        """What happened, in order, without the messages about progress."""
        return [e.event for e in self.jobs if e.event != "progress" and (not job or e.job == job)]

    def file(self, job: str) -> Any:
        """What was told of a job's file in the end."""
        return next((e.file for e in reversed(self.jobs) if e.job == job and e.file and e.file.sha256), None)


class AtWork:
    """An adapter that listens in a loop of its own; `ask` runs its coroutines there."""

    def __init__(self, adapter: Adapter, sink: Heard) -> None:
        self.adapter, self.sink, self.loop = adapter, sink, asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listening = asyncio.run_coroutine_threadsafe(adapter.run(sink), self.loop)

    def ask(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@contextmanager
def at_work(adapter: Adapter, memory: dict[str, Any] | None = None) -> Iterator[AtWork]:
    """The adapter, listening."""
    worker = AtWork(adapter, Heard(memory))
    try:
        yield worker
    finally:
        worker.stop()
