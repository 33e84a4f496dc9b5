"""Jobs of a machine that tells no more than what it does just now, each with a name of its own.

Its memory outlasts a restart of the agent: a job that was told as begun is not begun again, and one that ended
meanwhile is told as ended as soon as the machine is heard.
"""

import datetime as dt
from dataclasses import dataclass

from livingcity_agent.adapters.base import Event, JobEvent, JobFile, Reading, Sink

PROGRESS_EVERY_S = 60.0
STATE_EVERY_S = 60.0
_ENDS: dict[str, Event] = {"idle": "finished", "off": "cancelled", "error": "failed"}


@dataclass
class Making:
    """Turns states (words of base.STATES) into readings of `state` and events of jobs."""

    sink: Sink
    prefix: str = "job"

    def __post_init__(self) -> None:
        kept = self.sink.recall("job")
        self._job: str = kept["job"] if isinstance(kept, dict) else ""
        self._file: str = kept.get("file", "") if isinstance(kept, dict) else ""
        self._paused = bool(kept.get("paused")) if isinstance(kept, dict) else False
        self._state = ""
        self._told: dt.datetime | None = None
        self._progress: dt.datetime | None = None

    @property
    def running(self) -> bool:
        """Whether a job was begun and has not ended."""
        return bool(self._job)

    @property
    def job(self) -> str:
        """The name of the job that runs, or an empty text."""
        return self._job

    def see(
        self,
        state: str,
        at: dt.datetime,
        *,
        file: JobFile | None = None,
        progress: float | None = None,
        ends_as: Event | None = None,
    ) -> None:
        """The machine does this since `at`. `ends_as`: how the job ended, where that is known."""
        self._tell_state(state, at)
        if state in {"making", "warming"}:
            self._go_on(at, file, progress)
        elif state == "paused" and self._job and not self._paused:
            self._event("paused", at, progress)
            self._keep(paused=True)
        elif state in _ENDS and self._job:
            self.end(ends_as or _ENDS[state], at)

    def end(self, event: Event, at: dt.datetime, *, material_g: float | None = None) -> None:
        """The job that runs is over; nothing where none does."""
        if not self._job:
            return
        job, self._job, self._file, self._paused = self._job, "", "", False
        self.sink.job(JobEvent(event, job, material_g=material_g, at=at), remember={"job": None})

    def begin(self, at: dt.datetime, file: JobFile | None = None, name: str = "") -> str:
        """A job begins; one that still runs is over as finished. Its name."""
        self.end("finished", at)
        stamp = at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._job = f"{name or (file.name if file else '') or self.prefix}"[: 119 - len(stamp)] + f"@{stamp}"
        self._file, self._paused, self._progress = file.name if file else "", False, at
        facts = {"job": {"job": self._job, "file": self._file, "paused": False}}
        self.sink.job(JobEvent("started", self._job, file=file, at=at), remember=facts)
        return self._job

    def _go_on(self, at: dt.datetime, file: JobFile | None, progress: float | None) -> None:
        other = file is not None and bool(file.name and self._file) and file.name != self._file
        if not self._job or other:
            self.begin(at, file)
        elif self._paused:
            self._keep(paused=False)
            self._event("progress", at, progress)
        elif progress is not None and self._due(self._progress, at, PROGRESS_EVERY_S):
            self._event("progress", at, progress)

    def _event(self, event: Event, at: dt.datetime, progress: float | None) -> None:
        self._progress = at
        self.sink.job(JobEvent(event, self._job, progress=progress, at=at))

    def _keep(self, *, paused: bool) -> None:
        self._paused = paused
        self.sink.remember({"job": {"job": self._job, "file": self._file, "paused": paused}})

    def _tell_state(self, state: str, at: dt.datetime) -> None:
        if state != self._state or self._due(self._told, at, STATE_EVERY_S):
            self._state, self._told = state, at
            self.sink.reading(Reading("state", state, at))

    @staticmethod
    def _due(last: dt.datetime | None, at: dt.datetime, every_s: float) -> bool:
        return last is None or (at - last).total_seconds() >= every_s
