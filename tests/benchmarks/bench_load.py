"""Fifty people open the ten main pages of the demo city.

    python tests/benchmarks/bench_load.py [--city FOLDER] [--people 50] [--seconds 60] [--think 2] [--short]

The city is the whole of `manage.py up` on this machine, with its demo, its devices and its workers; FOLDER is the data
folder of one that is seeded already. Each of the people opens a page chosen at random, reads it for two seconds on
average (an exponential time), and opens another. They are strangers, who share what is kept for a moment
(`PAGES_KEPT_S`). The clients share the machine's processors with the city.

Prints the p95 of each page and of all, what a page costs the web processes in CPU (made anew each time, one after
the other), and the same people without reading, which is as much as this machine can. Ends with 1 when the p95 of all
is 200 ms or more, or when any page did not answer.
"""

import argparse
import asyncio
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.cities import City, cpu_s, figure, main_pages, p95, running, say
from tests.benchmarks.visitors import Line, Seen, by_name, people

LIMIT_MS = 200.0


async def cost_ms(city: City, path: str, times: int) -> float:
    """CPU of the web processes for one opening of a page, once it is warm; a cookie for each, so that none is kept."""
    line, web = Line(city.port), city.pids()["web"]
    for _ in range(6):
        await line.ask("warm", path)
    before = cpu_s(web)
    for number in range(times):
        await line.ask("cost", path, head=f"Cookie: opening={number}\r\n")
    line.close()
    return (cpu_s(web) - before) / times * 1000


def failed(seen: list[Seen]) -> list[Seen]:
    """What was no page."""
    return [answer for answer in seen if not 200 <= answer.status < 400]


def main() -> None:
    """Start the city, let people in, say how it was."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--city")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=2.0)
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    seconds, times = (15.0, 10) if asked.short else (asked.seconds, 40)
    with running(asked.city) as city:
        pages = main_pages(city)
        costs = {name: asyncio.run(cost_ms(city, path, times)) for name, path in pages.items()}
        asyncio.run(people(city.port, pages, count=asked.people, seconds=5, think_s=asked.think, seed=2))
        seen = asyncio.run(people(city.port, pages, count=asked.people, seconds=seconds, think_s=asked.think))
        most = asyncio.run(people(city.port, pages, count=8, seconds=seconds / 3, think_s=0))
    times_ms = by_name(seen)
    say(f"{asked.people} people, {asked.think:g} s between pages, {seconds:g} s: {len(seen) / seconds:.1f} pages/s")
    for name, path in pages.items():
        found = times_ms.get(name, [0.0])
        say(
            f"{name:10} median {statistics.median(found):5.0f} ms  p95 {p95(found):5.0f} ms  "
            f"CPU {costs[name]:5.1f} ms  {path}"
        )
    everything = [t for found in times_ms.values() for t in found]
    lost = failed(seen)
    figure("load_p95_50_people", p95(everything), "ms")
    figure("load_cpu_a_page", statistics.mean(costs.values()), "ms")
    figure("load_most_pages", sum(200 <= a.status < 400 for a in most) / (seconds / 3), "pages/s")
    figure("load_failed", len(lost), "pages")
    if lost:
        say(f"not answered: {[(a.name, a.status) for a in lost[:10]]}")
    sys.exit(1 if lost or p95(everything) >= LIMIT_MS else 0)


if __name__ == "__main__":
    main()
