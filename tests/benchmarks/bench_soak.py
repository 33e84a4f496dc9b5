"""Does anything grow while nothing changes?

    python tests/benchmarks/bench_soak.py [--city FOLDER] [--minutes 10] [--people 10] [--short]

Ten people open pages of the demo city for ten minutes while its devices report and its clock rings. Every ten seconds
each process is weighed. After a warm-up of a fifth of the time the memory of none may grow by 1 MB a minute or more
(least squares), and the open files of each and the connections of PostgreSQL stay as they are (their last median is at
most three above their first). The p95 of pages in the last third is compared with that of the first.
"""

import argparse
import asyncio
import statistics
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.cities import City, descriptors, figure, main_pages, p95, rss_mb, running, say
from tests.benchmarks.visitors import people

SLOPE_MB_MIN, DRIFT = 1.0, 3
OWN = ("web", "worker", "heavy worker", "clock", "ingest", "valkey")
"""Parts whose processes are weighed each; PostgreSQL's share their memory, so its connections are counted."""


class Scales:
    """Weighs every process again and again, in a thread."""

    def __init__(self, city: City, every_s: float) -> None:
        self.city, self.every_s = city, every_s
        self.memory: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
        self.files: dict[tuple[str, int], list[int]] = defaultdict(list)
        self.connections: list[int] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Scales":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopped.is_set():
            pids = self.city.pids()
            for part in OWN:
                for pid in pids[part]:
                    try:
                        self.memory[part, pid].append(((time.monotonic() - began) / 60, rss_mb(pid)))
                        self.files[part, pid].append(descriptors(pid))
                    except OSError:
                        continue
            self.connections.append(self._backends())
            self._stopped.wait(self.every_s)

    def _backends(self) -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            return int(cursor.fetchone()[0])


def slope(points: list[tuple[float, float]]) -> float:
    """MB a minute, by least squares over what was weighed; of a process that ended before, nothing."""
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 3 else 0.0


def drift(values: list[int]) -> float:
    """How much the last third lies above the first, by their medians."""
    third = max(len(values) // 3, 1)
    return statistics.median(values[-third:]) - statistics.median(values[:third])


def main() -> None:
    """Start the city, live in it, say what grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--city")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    minutes = 1.0 if asked.short else asked.minutes
    with running(asked.city) as city:
        pages = main_pages(city)
        live = {"count": asked.people, "think_s": 0.5}
        asyncio.run(people(city.port, pages, seconds=60 * minutes / 5, seed=2, **live))
        with Scales(city, 2.0 if asked.short else 10.0) as scales:
            seen = asyncio.run(people(city.port, pages, seconds=60 * minutes, **live))
    grew = {key: slope(points) for key, points in scales.memory.items()}
    for (part, pid), found in sorted(grew.items()):
        last = scales.memory[part, pid][-1][1]
        say(f"{part:12} {pid:8} {last:6.0f} MB {found:+6.2f} MB/min  files {drift(scales.files[part, pid]):+g}")
    files = max(map(drift, scales.files.values()))
    seen.sort(key=lambda answer: answer.at)
    third = len(seen) // 3
    early, late = (p95([a.took_s * 1000 for a in part]) for part in (seen[:third], seen[-third:]))
    failed = sum(not 200 <= a.status < 400 for a in seen)
    figure("soak_memory_slope", max(grew.values()), "MB/min")
    figure("soak_files_drift", files, "files")
    figure("soak_connections_drift", drift(scales.connections), "connections")
    figure("soak_p95_drift", (late / early - 1) * 100, "%")
    figure("soak_failed", failed, "pages")
    flat = max(grew.values()) < SLOPE_MB_MIN and files <= DRIFT and drift(scales.connections) <= DRIFT
    sys.exit(0 if flat and not failed else 1)


if __name__ == "__main__":
    main()
