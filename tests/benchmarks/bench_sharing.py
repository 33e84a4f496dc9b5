# ruff: noqa: T201 a benchmark prints its figures
"""Sharing: all groups of 17 homes over a year, Shapley and nucleolus from them, against a plain walk and coopgame; and
with --optimal the shares of ten homes with storage, each group a programme of its own.

python -m tests.benchmarks.bench_sharing [--optimal] [--members N]

CPU seconds, best of three; the limits are those that the house has set itself, and the run fails above them. Needs the
reference data (LIVINGCITY_SHARED).
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import coopgame
import numpy as np

from energy.engine import folder, game, groups, optimum, sharing, simulate
from energy.engine.community import Community
from energy.engine.compiled import compiled
from energy.engine.nucleolus import Known, nucleolus

VALUES_S, SHARES_S, OWEN_S, OPTIMAL_S = 1.5, 2.0, 5.0, 300.0
BLOCKING = {"owen": 0, "shapley": 1_017, "mid-market": 14_564, "equal": 30_098, "proportional": 35_356, "nucleolus": 0}


def least(work: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of the fastest run, after one that compiles."""
    work()
    took = []
    for _ in range(times):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def within(what: str, took: float, most: float, more: str = "") -> bool:
    """Print a figure beside its limit; whether it keeps to it."""
    print(f"{what}: {took:.2f} s of at most {most} s{more}")
    return took <= most


@compiled
def gray(net: np.ndarray, spread: np.ndarray, costs: np.ndarray) -> None:
    """The plain way: from group to group by one member (Gray code), a step at a time."""
    n, steps = net.shape
    now = np.zeros(steps)
    mask = 0
    for k in range(1, 1 << n):
        bit = 0
        while not (k >> bit) & 1:
            bit += 1
        mask ^= 1 << bit
        sign = 1.0 if (mask >> bit) & 1 else -1.0
        total = 0.0
        for t in range(steps):
            now[t] += sign * net[bit, t]
            total += spread[t] * max(now[t], 0.0)
        costs[mask] = total


def seventeen(community: Community) -> bool:
    """All 131,072 groups, the shares and the groups that would leave."""
    net, buy, sell = community.net_kwh, community.import_price, community.export_price
    values = game.coalition_savings(net, buy, sell)
    took = least(lambda: game.coalition_savings(net, buy, sell))
    plain = least(lambda: gray(net, buy - sell, np.zeros(1 << 17)), 1)
    good = within("131,072 group values", took, VALUES_S, f"; plain walk {plain:.2f} s: {plain / took:.1f} x")
    shapley = least(lambda: game.shapley(values))
    ours = least(lambda: nucleolus(Known(values)))
    theirs = least(lambda: coopgame.nucleolus(coopgame.Game(list(values[1:]))), 1)
    apart = np.abs(nucleolus(Known(values)) - coopgame.nucleolus(coopgame.Game(list(values[1:])))["allocation"]).max()
    good &= within("Shapley and nucleolus", shapley + ours, SHARES_S, f" ({shapley:.3f} + {ours:.3f})")
    print(f"nucleolus: coopgame {theirs:.2f} s: {theirs / ours:.1f} x, apart {apart:.0e}")
    for rule, expected in BLOCKING.items():
        shared = simulate.simulate(community, control="none", sharing_rule=rule).document["sharing"]
        assert isinstance(shared, dict)
        print(f"{rule}: {shared['blocking_coalitions']} groups would leave, worst {shared['worst_excess']:+.4f}")
        good &= shared["blocking_coalitions"] == expected and abs(shared["total_saving"] - 3438.0635) < 1e-3
    return good


def many(community: Community, members: int) -> bool:
    """Owen shares of many members: homes repeated, moved by whole weeks."""
    n = len(community.members)
    net = np.array([np.roll(community.net_kwh[i % n], 168 * (i // n)) for i in range(members)])
    grid = net.sum(axis=0)
    cost = float(np.maximum(grid, 0) @ community.import_price - np.maximum(-grid, 0) @ community.export_price)
    wide = Community(
        **{
            **{name: getattr(community, name) for name in ("name", "currency", "timezone", "start", "step_minutes")},
            "members": tuple(community.members[i % n] for i in range(members)),
            "load_kwh": np.maximum(net, 0),
            "pv_kwh": np.maximum(-net, 0),
            "import_price": community.import_price,
            "export_price": community.export_price,
        }
    )
    took = least(lambda: sharing.share("owen", sharing.table(wide, net, cost, netting=True)), 1)
    return within(f"Owen for {members:,} members without storage", took, OWEN_S)


def optimal(community: Community) -> bool:
    """Ten homes with batteries, vehicles and a common battery: Owen beyond the dispatch, and sampled Shapley."""
    best = optimum.answer(community)
    owen = least(lambda: groups.owen_costs(community, best))
    good = within("Owen from the duals, beyond the dispatch", owen, OWEN_S)
    start = time.perf_counter()
    shared = simulate.simulate(community, control="optimal", sharing_rule="shapley").document["sharing"]
    assert isinstance(shared, dict)
    took = time.perf_counter() - start
    good &= within("Shapley with intervals and the worst group, whole run", took, OPTIMAL_S)
    print(
        {name: shared[name] for name in ("total_saving", "intervals", "stable", "worst_excess", "worst_bound", "gini")}
    )
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimal", action="store_true")
    parser.add_argument("--members", type=int, default=1000)
    asked = parser.parse_args()
    data = Path(os.environ.get("LIVINGCITY_SHARED", "../shared")) / "data" / "communities"
    mixed = folder.read(data / "fontana17-mixed")
    kept = seventeen(mixed) & many(mixed, asked.members)
    if asked.optimal:
        kept &= optimal(folder.read(data / "fontana10-storage"))
    sys.exit(0 if kept else 1)
