# ruff: noqa: T201 a benchmark prints its figures
"""Speed of the energy engine as ratios measured in one run: `python tests/benchmarks/bench_energy.py [--homes
N] [--fontana FILE]`.

Rule: compiled, sixteen homes at once, against numpy stepping over all homes, and against what the memory can
stream (both arrays read and summed by as many threads). Then 10,000 homes as slices, one after another in
this process, with the most memory it held. Dispatch: the exact kernel against HiGHS on the same home-year, of
three real homes where the file of Fontana is given, and 1,000 home-years. Sharing: all coalition values of 17
members. The best of several is taken; load on the machine moves all figures, ratios less.
"""

import argparse
import csv
import gzip
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from energy.engine import dispatch, fleet, game, programme, slices  # noqa: E402 the path must be set first
from energy.engine.compiled import compiled_sums  # noqa: E402 as above

ETA = float(np.sqrt(0.9))


def best_of(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest run, after one that compiles."""
    work()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def numpy_rule(load: np.ndarray, pv: np.ndarray, kwh: float, step_kwh: float, buy: np.ndarray, sell: np.ndarray):  # type: ignore[no-untyped-def] # noqa: ANN201
    """The same rule and sums, vectorised over homes, one step at a time (arrays steps by homes)."""
    steps, homes = load.shape
    held, bought, sold, cost, peak = (np.zeros(homes) for _ in range(5))
    series = np.empty((4, steps))
    for t in range(steps):
        need = load[t].astype(np.float64) - pv[t]
        into = np.minimum(np.minimum(np.maximum(-need, 0), step_kwh), (kwh - held) / ETA)
        back = np.minimum(np.minimum(np.maximum(need, 0), step_kwh), held * ETA)
        held += into * ETA - back / ETA
        grid = need + into - back
        taken = np.maximum(grid, 0)
        given = taken - grid
        bought += taken
        sold += given
        cost += taken * buy[t] - given * sell[t]
        peak = np.maximum(peak, taken)
        series[:, t] = grid.sum(), into.sum(), back.sum(), held.sum()
    return bought, sold, cost, series


@compiled_sums
def stream(a: np.ndarray, b: np.ndarray) -> float:
    """Read two arrays once."""
    total = np.float32(0)
    for i in range(a.size):
        total += a[i] + b[i]
    return total  # type: ignore[return-value]


def homes_of(homes: int, steps: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Load and solar of made-up homes, single precision, homes by steps."""
    dice = np.random.default_rng(seed)
    load = dice.gamma(1.5, 0.1, (homes, steps)).astype(np.float32)
    pv = np.maximum(0, dice.normal(0, 0.5, (homes, steps))).astype(np.float32)
    return load, pv


def prices(steps: int) -> dict[str, np.ndarray]:
    """A tariff of two prices."""
    return {"import_price": np.where(np.arange(steps) % 96 < 64, 0.22, 0.54), "export_price": np.full(steps, 0.08)}


def batteries(homes: int) -> fleet.Fleet:
    """6.4 kWh behind 5 kW in quarters of an hour."""
    return fleet.Fleet.batteries(np.full(homes, 6.4), np.full(homes, 1.25), np.full(homes, ETA))


def rule(homes: int, steps: int) -> None:
    """Home-steps a second, and the two ratios."""
    load, pv = homes_of(homes, steps)
    owned, at = batteries(homes), prices(steps)
    turned = [np.ascontiguousarray(x.T) for x in (load, pv)]
    start = time.perf_counter()
    expected = numpy_rule(*turned, 6.4, 1.25, at["import_price"], at["export_price"])
    theirs = time.perf_counter() - start
    del turned
    flat = [x.reshape(-1) for x in (load, pv)]
    n, volume = homes * steps / 1e6, load.nbytes + pv.nbytes
    for threads in (1, 2):
        with ThreadPoolExecutor(threads) as pool:
            edges = np.linspace(0, flat[0].size, threads + 1).astype(int)
            pieces = [slice(a, b) for a, b in pairwise(edges)]
            reading = best_of(
                lambda pool=pool, pieces=pieces: list(pool.map(lambda s: stream(flat[0][s], flat[1][s]), pieces))
            )  # type: ignore[misc]
        ours = best_of(lambda threads=threads: fleet.run(load, pv, owned, threads=threads, **at))  # type: ignore[misc]
        print(
            f"rule, {threads} threads: {n / ours:.0f} M home-steps/s; numpy by steps {n / theirs:.1f} M/s: "
            f"{theirs / ours:.1f} x; streams {volume / reading / 1e9:.1f} GB/s, rule {volume / ours / 1e9:.1f} GB/s: "
            f"{reading / ours:.0%} of the bound"
        )
    found = fleet.run(load, pv, owned, threads=2, **at)
    np.testing.assert_allclose(found.totals["import_kwh"], expected[0], atol=1e-7)
    np.testing.assert_allclose(found.totals["cost"], expected[2], atol=1e-7)
    np.testing.assert_allclose(found.series["grid"], expected[3][0], atol=1e-8)
    np.testing.assert_allclose(found.series["stored"], expected[3][3], atol=1e-8)


def large(homes: int = 10_000, steps: int = 35_040) -> None:
    """Slices as workers take them, one after another."""
    at, took = prices(steps), 0.0
    bounds = slices.bounds(homes, steps)
    for number, (_first, count) in enumerate(bounds):
        load, pv = (x.astype(np.float64) for x in homes_of(count, steps, number))
        start = time.perf_counter()
        fleet.run(load, pv, batteries(count), **at)
        took += time.perf_counter() - start
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{homes:,} homes x {steps:,} steps: {len(bounds)} slices, {took:.1f} s of rule, at most {peak_gb:.2f} GB")


def made_up_year() -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """A home that nobody lives in."""
    dice, hour = np.random.default_rng(2), np.arange(8760) % 24
    pv = np.maximum(0, 3 * np.sin((hour - 6) / 12 * np.pi)) * dice.uniform(0.2, 1, 8760)
    return [("made up", dice.gamma(2, 0.5, 8760) - pv, pv, np.where((hour >= 16) & (hour < 21), 0.54, 0.22))]


def fontana(path: Path) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Homes 1, 12 and 14."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    buy = column("price_import_usd_kwh")
    found = []
    for home in (1, 12, 14):
        pv = column(f"pv_kwh_{home:02d}")
        found.append((f"Fontana {home}", column(f"load_kwh_{home:02d}") - pv, pv, buy))
    return found


def optimum(years: list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]) -> None:
    """Seconds for a home-year, the ratio to HiGHS, and 1,000 home-years."""
    storage, sell = dispatch.Storage(6.4, 5.0, 5.0, ETA), np.full(8760, 0.08)
    for name, net, pv, buy in years:
        task = dispatch.Task.at_home(net, pv, buy, sell)
        store = programme.Store(6.4, 5.0, 5.0, ETA, task.trips_kwh, task.away)

        def by_highs(task: dispatch.Task = task, store: programme.Store = store) -> programme.Solution:
            return programme.solve(
                task.net_kwh, task.pv_kwh, task.import_price, sell, [store], limit_step_kwh=None, cyclic=False
            )

        ours = best_of(lambda task=task: dispatch.best(task, storage), 20)  # type: ignore[misc]
        theirs = best_of(by_highs, 2)
        cost = dispatch.best(task, storage).cost
        apart = abs(cost - by_highs().cost)
        print(
            f"optimum, {name}: {cost:.6f} in {ours * 1e3:.2f} ms; HiGHS simplex {theirs:.2f} s: {theirs / ours:.0f} x, "
            f"apart {apart:.0e}"
        )
    net, pv = (np.array([np.roll(year[k], 24 * i) for i in range(1000) for year in years[:1]]) for k in (1, 2))
    for threads in (1, 2):
        took = best_of(
            lambda threads=threads: dispatch.best_many(net, pv, years[0][3], sell, [storage] * 1000, threads=threads),  # type: ignore[misc]
            2,
        )
        print(f"optimum, 1,000 home-years, {threads} threads: {took:.2f} s")


def coalitions() -> None:
    """Seconds for all 131,072 groups of 17 members over a year, and Shapley from them."""
    net = np.random.default_rng(3).normal(0.1, 1.0, (17, 8760))
    buy, sell = np.full(8760, 0.3), np.full(8760, 0.08)
    values = best_of(lambda: game.coalition_savings(net, buy, sell))
    table = game.coalition_savings(net, buy, sell)
    print(f"sharing: {values:.2f} s for 131,072 groups, {best_of(lambda: game.shapley(table)):.3f} s Shapley")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--homes", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=35_040)
    parser.add_argument("--fontana", type=Path, help="fontana17_hourly.csv.gz of the reference data")
    asked = parser.parse_args()
    rule(asked.homes, asked.steps)
    large()
    optimum(fontana(asked.fontana) if asked.fontana else made_up_year())
    coalitions()
