"""A job is what its events say, folded by their numbers: any order of arrival gives the same job."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

STARTED, PROGRESS, PAUSED, FINISHED, FAILED, CANCELLED = (
    "started",
    "progress",
    "paused",
    "finished",
    "failed",
    "cancelled",
)
EVENTS = (STARTED, PROGRESS, PAUSED, FINISHED, FAILED, CANCELLED)
ENDINGS = frozenset({FINISHED, FAILED, CANCELLED})
FILE_FIELDS = ("name", "sha256", "sha1", "blob", "source_sha256")


class Event(NamedTuple):
    """One message of a device: `progress` is 0..1, `material_g` in grams."""

    seq: int
    ts: dt.datetime
    event: str
    file: Mapping[str, str]
    progress: float | None
    material_g: float | None


@dataclass
class Folded:
    """What the events add up to. `finished_at` is None while the job goes on."""

    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    outcome: str = "running"
    progress: float = 0.0
    material_g: float | None = None
    file: dict[str, str] = field(default_factory=dict)


def fold(events: Iterable[Event]) -> Folded:
    """The job of these events; ValueError when there is none.

    The start is the first `started`, or the earliest word when that never came. The last ending counts, and
    an ending is never undone by a message with a lower number. An end before the start (a wrong clock) is
    the start.
    """
    ordered = sorted(events, key=lambda e: e.seq)
    if not ordered:
        raise ValueError("a job without events")
    starts = [e.ts for e in ordered if e.event == STARTED]
    job = Folded(started_at=starts[0] if starts else min(e.ts for e in ordered))
    for event in ordered:
        _apply(job, event)
    if job.finished_at is not None and job.finished_at < job.started_at:
        job.finished_at = job.started_at
    return job


def _apply(job: Folded, event: Event) -> None:
    job.file.update({name: value for name, value in event.file.items() if value})
    if event.material_g is not None:
        job.material_g = event.material_g
    if event.progress is not None:
        job.progress = min(max(event.progress, 0.0), 1.0)
    if event.event in ENDINGS:
        job.outcome, job.finished_at = event.event, event.ts
        if event.event == FINISHED:
            job.progress = 1.0
    elif job.finished_at is None:
        job.outcome = PAUSED if event.event == PAUSED else "running"
