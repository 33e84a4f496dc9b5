# ruff: noqa: T201 a benchmark prints its figures
"""How much more of a lab's kWh falls on local surplus when the sun chooses: `python -m tests.benchmarks.bench_sunshine`

Fontana's year of real use and solar, twenty seeded demands, twelve seeds (`sunshine_demands` says how they are drawn).
Prints the distribution of the demands, the share of kWh on local surplus by each way of choosing times, the gain over
first come, first served, with forecasts and with perfect foresight, what was moved, and whether anything was broken.
Aim: suggested times raise the share by 25 % or more, by what was known when they were suggested.
"""

import os
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tests.benchmarks import sunshine_demands as world

SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "../shared"))
SEEDS = range(1, 13)


def main() -> None:
    """Print the figures."""
    began = time.process_time()
    load, pv = world.read(SHARED)
    known = {
        "no forecast, the last four weeks alone": world.World(load, pv, world.nothing_learned),
        "day-ahead forecast, then the last four weeks": world.World(load, pv, world.learned(load, pv)),
    }
    asked = [d for seed in SEEDS for d in world.demands(seed, len(load))]
    print(f"{len(asked)} demands, 20 for each of {len(SEEDS)} seeds, of four machines:")
    for what, values in (
        ("asked at, h", [d.asked.hour for d in asked]),
        ("length, h", [d.length / world.HOUR for d in asked]),
        ("machine", [world.MACHINES[d.machine] for d in asked]),
    ):
        print(f"  {what:12s}" + ", ".join(f"{value} {n}" for value, n in sorted(Counter(values).items())))
    late = np.array([(d.deadline - d.asked) / world.DAY for d in asked])
    print(f"  deadline   {late.min():.1f} to {late.max():.1f} days later, mean {late.mean():.1f}")
    for what, one in known.items():
        print(what)
        shares: dict[str, list[float]] = {way: [] for way in world.WAYS}
        sums: dict[str, list[float]] = {way: [0.0, 0.0] for way in world.WAYS}
        moves, wrong = 0, 0
        for seed in SEEDS:
            wanted = world.demands(seed, len(load))
            for way in world.WAYS:
                book, moved = world.place(way, one, wanted)
                kwh, sun = book.covered()
                shares[way].append(sun / kwh)
                sums[way][0] += kwh
                sums[way][1] += sun
                moves += moved
                wrong += len(world.broken(book))
        base = sums["first"][1] / sums["first"][0]
        for way in world.WAYS:
            total = sums[way][1] / sums[way][0]
            gains = np.array(shares[way]) / np.array(shares["first"]) - 1
            print(
                f"  {way:10s} {total:6.1%} of {sums[way][0]:.1f} kWh, {total / base - 1:+.0%} against first come"
                f" (seeds {gains.min():+.0%} to {gains.max():+.0%}, median {np.median(gains):+.0%})"
            )
        print(f"  moved {moves} of {len(asked)} flexible bookings; deadlines, hours or overlaps broken: {wrong}")
    print(f"{time.process_time() - began:.1f} CPU s")


if __name__ == "__main__":
    main()
