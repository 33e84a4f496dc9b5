# ruff: noqa: T201 a benchmark prints its figures
"""The power flow of a year against pandapower, in one run: `python tests/benchmarks/bench_grid.py [--steps N]
[--rival N]`.

The same feeder (CIGRE residential, 19 nodes) and the same powers: the sweep over all steps, and `pandapower.runpp` with
its compiled solver and the last solution as the start, over as many steps as `--rival` says; what is compared is the
CPU time a step. Then pandapower's own `run_timeseries` over the same steps, what both say, and how long hosting
capacities of all nodes take. The best of three; the rival runs once.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from energy.engine import gridcheck, gridfolder, hosting, oracle  # noqa: E402 the path must be set first
from energy.engine.grid import Grid  # noqa: E402 as above

FOLDER = ROOT / "tests" / "engines" / "grids" / "cigre"


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of the fastest."""
    took = []
    for _ in range(times):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def powers(grid: Grid, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Use and sun at the six connection points: kW net, kvar, and a profile of solar."""
    dice = np.random.default_rng(1)
    sun = np.maximum(0.0, np.sin((np.arange(steps) / 4 % 24 - 6) / 12 * np.pi))
    p, q = np.zeros((len(grid.network.nodes), steps)), np.zeros((len(grid.network.nodes), steps))
    for node in grid.network.homes:
        use = dice.gamma(2.0, 4.0, steps)
        p[grid.network.place[node]] = use - dice.uniform(10, 60) * sun
        q[grid.network.place[node]] = 0.33 * use
    return p, q, -sun


def by_timeseries(grid: Grid, p: np.ndarray, q: np.ndarray) -> Callable[[], object]:
    """pandapower's own loop over steps, with controllers for every load."""
    import pandas as pd
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData, OutputWriter, run_timeseries

    net, steps = oracle.net_of(grid.network), range(p.shape[1])
    for name, values in (("p_mw", p), ("q_mvar", q)):
        data = DFData(pd.DataFrame(values.T * 1e-3))
        ConstControl(net, "load", name, net.load.index, profile_name=list(net.load.index), data_source=data)
    OutputWriter(net, steps, log_variables=[("res_bus", "vm_pu"), ("res_line", "loading_percent")])
    return lambda: run_timeseries(net, steps, verbose=False)


def by_loop(grid: Grid, p: np.ndarray, q: np.ndarray) -> float:
    """CPU seconds a step of runpp with its compiled solver, from the last solution and with what it can reuse."""
    import pandapower as pp

    net = oracle.net_of(grid.network)
    pp.runpp(net)
    start = time.process_time()
    for t in range(p.shape[1]):
        net.load["p_mw"], net.load["q_mvar"] = p[:, t] * 1e-3, q[:, t] * 1e-3
        pp.runpp(net, init="results", recycle={"bus_pq": True, "gen": False, "trafo": False})
    return (time.process_time() - start) / p.shape[1]


def told(words: str, rival: float, ours: float) -> None:
    """A rival's time with the ratio."""
    print(f"{words}; the sweep is {rival / ours:,.0f} x as fast")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=35_040)
    parser.add_argument("--rival", type=int, default=300)
    asked = parser.parse_args()
    grid = Grid(gridfolder.read(FOLDER).network)
    p, q, sun = powers(grid, asked.steps)
    grid.solve(p[:, :16], q[:, :16])
    ours = seconds(lambda: grid.solve(p, q))
    found = grid.solve(p, q)
    print(f"sweep: {asked.steps} steps in {ours:.3f} s CPU, {asked.steps / ours:,.0f} steps/s, {found.rounds} rounds")
    matrix = seconds(lambda: grid.meshes.solve(p, q), 1)
    print(f"matrix (as for meshed grids): {matrix:.2f} s CPU, {matrix / ours:.0f} x the sweep")
    few = slice(0, asked.rival)
    loop = by_loop(grid, p[:, few], q[:, few])
    told(f"pandapower runpp: {loop * 1e3:.2f} ms CPU a step", loop, ours / asked.steps)
    series = by_timeseries(grid, p[:, few], q[:, few])
    start = time.process_time()
    series()
    loop = (time.process_time() - start) / asked.rival
    told(f"run_timeseries: {loop * 1e3:.2f} ms CPU a step", loop, ours / asked.steps)
    voltage, loading = oracle.solve(grid.network, p[:, few], q[:, few])
    far = np.abs(voltage - found.voltage[:, few]).max(), np.abs(loading - found.loading[:, few]).max()
    print(f"largest difference on {asked.rival} steps: {far[0]:.1e} per unit, {far[1]:.1e} of a rating")
    taken = gridcheck.Powers(p, q, np.maximum(p, 0))
    nodes = [grid.network.place[home] for home in grid.network.homes]
    room = seconds(lambda: hosting.capacity(grid, taken, sun, nodes=nodes), 1)
    print(f"evenly: {hosting.capacity(grid, taken, sun, nodes=nodes)['evenly']}")
    print(f"hosting capacity of solar at {len(nodes)} nodes and evenly, all steps each time: {room:.2f} s CPU")


if __name__ == "__main__":
    main()
