"""What the adapters of printers share: one job at a time, told once whatever is killed in between.

The file's hashes come later than the start: they are told as soon as the file is read, also after the end.
"""

import asyncio
import datetime as dt
import logging
import re
from collections.abc import Awaitable, Callable

from livingcity_agent.adapters.base import AdapterError, Event, JobEvent, JobFile, Reading, Sink

log = logging.getLogger("livingcity_agent")

PROGRESS_S = 60.0
TEMPERATURE_S = 30.0
WEIGHING_S = (5.0, 20.0, 120.0)
"""When it is asked again how much material a print took, in seconds one after the other."""


def plain_name(name: str, sha256: str = "") -> str:
    """A file name that every printer takes and that is the same for the same file."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "_", name.rpartition("/")[2]).strip("._") or "file.gcode"
    stem, _dot, end = words.rpartition(".")
    stem, end = (stem, end) if stem else (end, "gcode")
    return f"{stem[:60]}-{sha256[:8]}.{end}" if sha256 else f"{stem[:80]}.{end}"


class PrintJob:
    """The job of one printer, kept in the adapter's memory under "job"."""

    def __init__(self, sink: Sink, read: Callable[[str], Awaitable[JobFile]]) -> None:
        """`read` fetches and hashes the file of that path; it may raise AdapterError."""
        self._sink, self._read = sink, read
        self._tasks: set[asyncio.Task[None]] = set()
        self._told_at = self._warmth_at = float("-inf")
        self._state = ""

    @property
    def name(self) -> str:
        """The job that goes on; empty when none does."""
        return str((self._sink.recall("job") or {}).get("name", ""))

    @property
    def path(self) -> str:
        """Its file."""
        return str((self._sink.recall("job") or {}).get("path", ""))

    @property
    def started(self) -> dt.datetime | None:
        """When it began."""
        text = (self._sink.recall("job") or {}).get("started")
        return dt.datetime.fromisoformat(text) if text else None

    def start(self, path: str, *, name: str = "", at: dt.datetime | None = None) -> None:
        """It began, now or earlier. `name` where the machine has one of its own. The same again is nothing."""
        if self.name and (self.name == name or (not name and self.path == path)):
            return
        if name and self._sink.recall("last") == name:  # its end was told already
            return
        if self.name:
            self.end("failed")
        began = at or dt.datetime.now(dt.UTC)
        name = name or f"{began:%Y%m%dT%H%M%SZ} {path}"[:120]
        file = JobFile(path.rpartition("/")[2])
        facts = {"name": name, "path": path, "started": began.isoformat(), "hashed": False}
        self._sink.job(JobEvent("started", name, file, at=at), remember={"job": facts})
        self._told_at = float("-inf")
        self.hash()

    def hash(self) -> None:
        """Read the file and tell its hashes, beside everything else; nothing where that is done."""
        facts = self._sink.recall("job") or {}
        if facts and not facts.get("hashed"):
            task = asyncio.create_task(self._hashing(str(facts["name"]), str(facts["path"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hashing(self, name: str, path: str) -> None:
        try:
            file = await self._read(path)
        except (AdapterError, OSError) as error:
            log.warning("The file %s cannot be read, so nothing proves what it is: %s", path, error)
            return
        facts = self._sink.recall("job") or {}
        mine = facts.get("name") == name
        remember = {"job": {**facts, "hashed": True}} if mine else None
        waits = mine and facts.get("paused")
        self._sink.job(JobEvent("paused" if waits else "progress", name, file), remember=remember)

    def progress(self, share: float, *, again: bool = False) -> None:
        """How far it is; told about every minute. A pause is over only by `again`: late news of it may still come."""
        now = asyncio.get_running_loop().time()
        facts = self._sink.recall("job")
        if facts and (again or (now - self._told_at >= PROGRESS_S and not facts.get("paused"))):
            self._told_at = now
            remember = {"job": {**facts, "paused": False}}
            self._sink.job(JobEvent("progress", facts["name"], progress=share), remember=remember)

    def pause(self, share: float | None = None) -> None:
        """It waits."""
        if facts := self._sink.recall("job"):
            remember = {"job": {**facts, "paused": True}}
            self._sink.job(JobEvent("paused", facts["name"], progress=share), remember=remember)

    def end(self, event: Event, *, material_g: float | None = None, at: dt.datetime | None = None) -> None:
        """It is over."""
        if self.name:
            done = JobEvent(event, self.name, material_g=material_g, at=at)
            self._sink.job(done, remember={"job": None, "last": self.name})

    def weigh(self, name: str, weighed: Callable[[], Awaitable[float | None]]) -> None:
        """Tell the material of a job that is over as soon as it is known: the file may still be looked through."""
        task = asyncio.create_task(self._weighing(name, weighed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _weighing(self, name: str, weighed: Callable[[], Awaitable[float | None]]) -> None:
        for pause_s in WEIGHING_S:
            await asyncio.sleep(pause_s)
            if (grams := await weighed()) is not None:
                self._sink.job(JobEvent("progress", name, material_g=grams))
                return

    def state(self, word: str) -> None:
        """What the machine does; told when it is new."""
        if word != self._state:
            self._sink.reading(Reading("state", word))
            self._state = word

    def warmth(self, celsius: object) -> None:
        """The tool's temperature; told every half minute."""
        now = asyncio.get_running_loop().time()
        if isinstance(celsius, int | float) and now - self._warmth_at >= TEMPERATURE_S:
            self._warmth_at = now
            self._sink.reading(Reading("temperature_c", float(celsius)))
