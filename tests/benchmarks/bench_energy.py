# ruff: noqa: T201 a benchmark prints its figures
"""Speed of the energy engine as ratios measured in one run: `python tests/benchmarks/bench_energy.py [--homes
N]`.

Rule: compiled member by member against numpy stepping over all members. Dispatch: the exact kernel against
HiGHS on the same home-year. Sharing: all coalition values of 17 members. The best of three is taken; load on
the machine moves all figures, ratios less.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from energy.engine import dispatch, game, programme  # noqa: E402 the path must be set first
from energy.engine.rule import run_storage  # noqa: E402 as above


def best_of(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest run, after one that compiles."""
    work()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def numpy_rule(net: np.ndarray, kwh: float, step_kwh: float, eta: float) -> np.ndarray:
    """The same rule, vectorised over members, one step at a time."""
    held = np.zeros(len(net))
    out = np.empty_like(net)
    for t in range(net.shape[1]):
        need = net[:, t]
        into = np.minimum(np.minimum(np.maximum(-need, 0), step_kwh), (kwh - held) / eta)
        back = np.minimum(np.minimum(np.maximum(need, 0), step_kwh), held * eta)
        held += into * eta - back / eta
        out[:, t] = need + into - back
    return out


def rule(homes: int, steps: int) -> None:
    """Members-steps a second, and the ratio."""
    dice = np.random.default_rng(1)
    net = dice.normal(0.1, 0.8, (homes, steps))
    kwh, step_kwh, eta = 6.4, 1.25, float(np.sqrt(0.9))
    trips, away, sums = np.zeros(steps), np.zeros(steps, dtype=bool), np.zeros((4, steps))
    out = np.empty_like(net)

    def compiled() -> None:
        for row in range(homes):
            run_storage(net[row], trips, away, kwh, step_kwh, eta, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, True, out[row], *sums)

    ours, theirs = best_of(compiled), best_of(lambda: numpy_rule(net, kwh, step_kwh, eta), 1)
    np.testing.assert_allclose(out, numpy_rule(net, kwh, step_kwh, eta), atol=1e-9)
    n = homes * steps / 1e6
    print(f"rule: {n / ours:.0f} M steps/s compiled, {n / theirs:.1f} M numpy: {theirs / ours:.1f} x")


def optimum() -> None:
    """Seconds for a home-year, and the ratio to HiGHS."""
    dice = np.random.default_rng(2)
    steps, hour = 8760, np.arange(8760) % 24
    pv = np.maximum(0, 3 * np.sin((hour - 6) / 12 * np.pi)) * dice.uniform(0.2, 1, steps)
    net = dice.gamma(2, 0.5, steps) - pv
    buy = np.where((hour >= 16) & (hour < 21), 0.54, 0.22)
    sell = np.full(steps, 0.08)
    kw, eta = 5.0, float(np.sqrt(0.9))
    task = dispatch.Task.at_home(net, pv, buy, sell)
    storage = dispatch.Storage(6.4, kw, kw, eta)
    store = programme.Store(6.4, kw, kw, eta, task.trips_kwh, task.away)

    def by_highs() -> programme.Solution:
        return programme.solve(net, pv, buy, sell, [store], limit_step_kwh=None, cyclic=False)

    ours, theirs = best_of(lambda: dispatch.best(task, storage)), best_of(by_highs, 2)
    gap = abs(dispatch.best(task, storage).cost / by_highs().cost - 1)
    print(f"optimum: {ours * 1e3:.2f} ms kernel, {theirs:.2f} s HiGHS: {theirs / ours:.0f} x, apart {gap:.0e}")


def coalitions() -> None:
    """Seconds for all 131,072 groups of 17 members over a year, and Shapley from them."""
    net = np.random.default_rng(3).normal(0.1, 1.0, (17, 8760))
    buy, sell = np.full(8760, 0.3), np.full(8760, 0.08)
    values = best_of(lambda: game.coalition_savings(net, buy, sell))
    table = game.coalition_savings(net, buy, sell)
    print(f"sharing: {values:.2f} s for 131,072 groups, {best_of(lambda: game.shapley(table)):.3f} s Shapley")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--homes", type=int, default=200)
    parser.add_argument("--steps", type=int, default=35_040)
    asked = parser.parse_args()
    rule(asked.homes, asked.steps)
    optimum()
    coalitions()
