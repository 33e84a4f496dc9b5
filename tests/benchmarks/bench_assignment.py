# ruff: noqa: T201 a benchmark prints its figures
"""User equilibrium on published networks, against the limits we set ourselves and AequilibraE in the same run.

`python tests/benchmarks/bench_assignment.py --networks DIR [--gap 1e-6] [--aequilibrae] [--most-s 120]`; DIR is a
copy of github.com/bstabler/TransportationNetworks (for research alone, so never part of this repository).
`--aequilibrae` makes an environment of its own with AequilibraE 1.7.2 and runs its bi-conjugate Frank-Wolfe on one
core. Seconds are CPU seconds: ours after warm-up, the best of `--rounds`; theirs of the assignment alone, without
building its graph.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2])]

#: Name: (folder, published objective, our limit in CPU seconds)
NETWORKS: dict[str, tuple[str, float, float]] = {
    "SiouxFalls": ("SiouxFalls", 4231335.28710744, 0.1),
    "Anaheim": ("Anaheim", 1286032.171096032, 0.1),
    "Barcelona": ("Barcelona", 1265654.92203176, 2.5),
    "Winnipeg": ("Winnipeg", 827911.494629963, 9.0),
}
RIVAL = ("aequilibrae==1.7.2",)
RIVAL_CODE = """
import json, sys, time, logging
import numpy as np, pandas as pd
from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass
from aequilibrae.matrix import AequilibraeMatrix
logging.disable(logging.CRITICAL)
data = np.load(sys.argv[1])
zones = int(data["zones"])
links = pd.DataFrame({
    "link_id": np.arange(1, len(data["tail"]) + 1), "a_node": data["tail"] + 1, "b_node": data["head"] + 1,
    "direction": 1, "capacity": data["capacity"], "free_flow_time": data["free_flow"], "b": data["b"],
    "power": data["power"],
})
graph = Graph()
graph.network = links
graph.mode = "c"
graph.prepare_graph(np.arange(1, zones + 1))
graph.set_graph("free_flow_time")
graph.set_skimming(["free_flow_time"])
graph.set_blocked_centroid_flows(bool(data["blocked"]))
matrix = AequilibraeMatrix()
matrix.create_empty(zones=zones, matrix_names=["trips"], memory_only=True)
matrix.index[:] = np.arange(1, zones + 1)
matrix.matrices[:, :, 0] = data["trips"]
matrix.computational_view(["trips"])
job = TrafficAssignment()
kind = TrafficClass("car", graph, matrix)
job.set_classes([kind])
job.set_vdf("BPR")
job.set_vdf_parameters({"alpha": "b", "beta": "power"})
job.set_capacity_field("capacity")
job.set_time_field("free_flow_time")
job.set_algorithm("bfw")
job.max_iter = int(sys.argv[3])
job.rgap_target = float(sys.argv[2])
job.set_cores(1)
before = time.process_time()
job.execute()
seconds = time.process_time() - before
found = job.results()
flow = found["trips_ab"].to_numpy() if "trips_ab" in found else found.iloc[:, 0].to_numpy()
flow = np.nan_to_num(flow)
power, b, t0, c = data["power"], data["b"], data["free_flow"], data["capacity"]
objective = float(np.sum(t0 * flow + t0 * b * flow ** (power + 1) / c ** power / (power + 1)))
report = job.report()
print("ANSWER " + json.dumps({"cpu_s": seconds, "objective": objective, "gap": float(report["rgap"].iloc[-1]),
                              "iterations": int(report["iteration"].iloc[-1])}))
"""


def environment(place: Path) -> Path:
    """AequilibraE's own environment, made once, with uv where it is and with pip where not; its Python."""
    python = place / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv")
        make = [uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, str(place)], check=True, capture_output=True)
        add = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
        subprocess.run([*add, *RIVAL], check=True, capture_output=True)
    return python


def by_rival(asked: argparse.Namespace, network, od) -> dict[str, float | str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """The same arrays by AequilibraE; what it said. Links whose cost is constant get a power of 1 (it refuses 0)."""
    table = network.links()
    trips = np.zeros((network.zones, network.zones))
    np.add.at(trips, (od.origin, od.destination), od.trips)
    np.fill_diagonal(trips, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "data.npz", Path(folder) / "by_rival.py"
        np.savez(
            data,
            tail=table.tail,
            head=table.head,
            capacity=table.capacity,
            free_flow=table.free_flow,
            b=table.b,
            power=np.where(table.power == 0, 1.0, table.power),
            trips=trips,
            zones=network.zones,
            blocked=not table.through.all(),
        )
        script.write_text(RIVAL_CODE)
        words = [
            str(environment(asked.environment)),
            str(script),
            str(data),
            str(asked.gap),
            str(asked.most_iterations),
        ]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=asked.most_s, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done in {asked.most_s:.0f} s of wall time", "cpu_s": asked.most_s}
    said = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    if not said:
        return {"failed": (done.stderr.strip().splitlines() or ["?"])[-1][:200]}
    answer: dict[str, float | str] = json.loads(said[-1].removeprefix("ANSWER "))
    return answer


def main() -> int:
    """Run what was asked; 1 when a limit or an objective is missed."""
    from twin.engine import assignment, tntp

    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=sorted(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--gap", type=float, default=1e-6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--aequilibrae", action="store_true")
    parser.add_argument("--environment", type=Path, default=Path(tempfile.gettempdir()) / "bench-aequilibrae")
    parser.add_argument("--most-s", type=float, default=120.0)
    parser.add_argument("--most-iterations", type=int, default=5000)
    asked = parser.parse_args()
    assignment.warm_up()
    missed = 0
    for name in asked.only:
        folder, objective, limit_s = NETWORKS[name]
        at = asked.networks / folder
        network = tntp.network((at / f"{name}_net.tntp").read_text())
        od = tntp.trips((at / f"{name}_trips.tntp").read_text(), network.zones)
        seconds = []
        for _round in range(asked.rounds):
            before = time.process_time()
            found = assignment.assign(network, od, gap=asked.gap)
            seconds.append(time.process_time() - before)
        error, ours = found.objective / objective - 1, min(seconds)
        good = ours <= limit_s and abs(error) <= 1e-6 and found.gap <= asked.gap
        missed += not good
        print(
            f"{name}: {ours:.4f} CPU s (limit {limit_s} s, {limit_s / ours:.0f} x below), gap {found.gap:.1e} after "
            f"{found.iterations} rounds, objective {found.objective:.6f} (error {error:.1e}) {'' if good else 'MISSED'}"
        )
        if asked.aequilibrae:
            theirs = by_rival(asked, network, od)
            ratio = f"{float(theirs['cpu_s']) / ours:.0f} x our time" if "cpu_s" in theirs else ""
            off = f", error {float(theirs['objective']) / objective - 1:.1e}" if "objective" in theirs else ""
            print(f"  AequilibraE 1.7.2 (bfw, 1 core): {theirs}{off} {ratio}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
