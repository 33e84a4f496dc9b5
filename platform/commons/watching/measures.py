"""What the city counts of itself, in each process; `shared` brings it together, `gauges` looks at the rest.

A count is a dictionary entry under a lock: some hundred nanoseconds, no network. Names and labels are Prometheus'.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Labels = tuple[tuple[str, str], ...]

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True, slots=True)
class About:
    """What a measure is."""

    kind: Literal["counter", "gauge", "histogram"]
    words: str


KNOWN = {
    "city_http_requests_total": About("counter", "Requests answered, by route, method and status."),
    "city_http_request_seconds": About("histogram", "From a request's arrival to its answer's beginning, by route."),
    "city_http_refused_total": About("counter", "Requests refused because too many were waiting, by pool."),
    "city_streams_open": About("gauge", "Event streams that are open, by kind."),
    "city_faults_total": About("counter", "Faults of ours that were written down, by logger."),
    "city_runs_ended_total": About("counter", "Runs that ended, by kind and status."),
    "city_run_seconds": About("histogram", "What a worker spent on a run, by kind."),
    "city_leases_lost_total": About("counter", "Runs that another worker took over, by kind."),
    "city_leases_expired_total": About("counter", "Runs found without their worker by the sweep, by kind."),
    "city_ingest_bodies_total": About("counter", "Bodies of devices answered by the ingest, by kind and status."),
    "city_ingest_readings_total": About("counter", "Readings in bodies that the ingest was given."),
    "city_ingest_seconds": About("histogram", "From a body's arrival in the ingest to its answer, by kind."),
    "city_spans_dropped_total": About("counter", "Spans that no collector took."),
    "city_process_memory_bytes": About("gauge", "Resident memory of a process."),
    "city_process_open_files": About("gauge", "Open files and sockets of a process."),
    "city_process_started_seconds": About("gauge", "When a process began to be measured, in Unix time."),
    "city_runs_waiting": About("gauge", "Runs that wait for a worker, by kind."),
    "city_runs_running": About("gauge", "Runs that are worked on, by kind."),
    "city_run_oldest_waiting_seconds": About("gauge", "How long the oldest waiting run has waited."),
    "city_queue_rings": About("gauge", "Rings that stand in a queue of the broker."),
    "city_queue_workers": About("gauge", "Living workers that take a queue."),
    "city_worker_beat_age_seconds": About("gauge", "Since a worker was last heard."),
    "city_heartbeat_age_seconds": About("gauge", "Age of the newest heartbeat reading that went through the ingest."),
    "city_database_connections": About("gauge", "Connections to PostgreSQL, by state."),
    "city_database_connections_most": About("gauge", "How many connections PostgreSQL allows."),
    "city_database_oldest_transaction_seconds": About("gauge", "Age of the oldest open transaction."),
    "city_database_bytes": About("gauge", "Size of the database."),
    "city_disk_free_bytes": About("gauge", "Room on the disk of the city's data."),
    "city_disk_bytes": About("gauge", "Size of the disk of the city's data."),
    "city_check_ok": About("gauge", "Whether a check of /readyz holds."),
    "city_check_alarm": About("gauge", "Whether a check of /readyz needs somebody, such as backups that are too old."),
    "city_up": About("gauge", "What could be asked: 1, or 0 where it did not answer."),
}


@dataclass(slots=True)
class Histogram:
    """How many fell into each bucket (the last: beyond all), and their sum."""

    buckets: list[int]
    total_s: float = 0.0

    @classmethod
    def empty(cls) -> "Histogram":
        """Nothing yet."""
        return cls([0] * (len(BUCKETS_S) + 1))

    def put(self, seconds: float) -> None:
        """One more."""
        self.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds


class Counts:
    """What one process has counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plain: dict[tuple[str, Labels], float] = {}
        self._histograms: dict[tuple[str, Labels], Histogram] = {}
        self.role = ""

    def count(self, name: str, by: float, labels: Labels) -> None:
        """Count on."""
        key = (name, labels)
        with self._lock:
            self._plain[key] = self._plain.get(key, 0) + by

    def set(self, name: str, value: float, labels: Labels) -> None:
        """It is so now."""
        with self._lock:
            self._plain[name, labels] = value

    def observe(self, name: str, seconds: float, labels: Labels) -> None:
        """It took so long."""
        key = (name, labels)
        with self._lock:
            found = self._histograms.get(key)
            if found is None:
                found = self._histograms[key] = Histogram.empty()
            found.put(seconds)

    def clear(self) -> None:
        """Nothing was counted: a process that was forked begins anew."""
        self._lock = threading.Lock()
        self._plain, self._histograms = {}, {}

    def snapshot(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        with self._lock:
            plain = [[name, labels, value] for (name, labels), value in self._plain.items()]
            spread = [[name, labels, [*h.buckets], h.total_s] for (name, labels), h in self._histograms.items()]
        return {"role": self.role, "plain": plain, "histograms": spread}


counts = Counts()


def role() -> str:
    """What this process is."""
    return counts.role


def count(name: str, by: float = 1, **labels: str) -> None:
    """Count on."""
    counts.count(name, by, tuple(sorted(labels.items())))


def observe(name: str, seconds: float, **labels: str) -> None:
    """Something took so long."""
    counts.observe(name, seconds, tuple(sorted(labels.items())))


def gauge(name: str, value: float, **labels: str) -> None:
    """Something is so now."""
    counts.set(name, value, tuple(sorted(labels.items())))


# --- Prometheus' text format 0.0.4 -------------------------------------------------------------------------------


def text(snapshots: dict[str, dict[str, Any]], plain: list[tuple[str, dict[str, str], float]]) -> str:
    """What processes counted, each under its name, and what was looked at just now."""
    lines: dict[str, list[str]] = {}
    for process, said in snapshots.items():
        for name, labels, value in said["plain"]:
            lines.setdefault(name, []).append(_line(name, [*labels, ("process", process)], value))
        for name, labels, buckets, total_s in said["histograms"]:
            lines.setdefault(name, []).extend(_spread(name, [*labels, ("process", process)], buckets, total_s))
    for name, more, value in plain:
        lines.setdefault(name, []).append(_line(name, list(more.items()), value))
    return "".join(_block(name, lines[name]) for name in sorted(lines))


def _block(name: str, lines: list[str]) -> str:
    about = KNOWN[name]
    return f"# HELP {name} {about.words}\n# TYPE {name} {about.kind}\n" + "".join(lines)


def _spread(name: str, labels: list[Any], buckets: list[int], total_s: float) -> Iterator[str]:
    so_far = 0
    for bound, inside in zip((*BUCKETS_S, "+Inf"), buckets, strict=True):
        so_far += inside
        yield _line(f"{name}_bucket", [*labels, ("le", str(bound))], so_far)
    yield _line(f"{name}_sum", labels, total_s)
    yield _line(f"{name}_count", labels, so_far)


def _line(name: str, labels: list[Any], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(str(said))}"' for key, said in labels)
    return f"{name}{{{inside}}} {value!r}\n" if inside else f"{name} {value!r}\n"


def _escaped(said: str) -> str:
    return said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
