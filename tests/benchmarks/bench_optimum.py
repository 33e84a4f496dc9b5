# ruff: noqa: T201 a benchmark prints its figures
"""The community optimum against the whole linear programme and against PyPSA, as ratios of one run.

`python tests/benchmarks/bench_optimum.py FOLDER [--homes 1000] [--varied] [--full] [--pypsa] [--most-s 600]`;
FOLDER is a community folder such as `fontana10-storage`. Homes beyond the folder's are its homes again, each round
shifted by a week. `--varied` draws batteries, vehicles and trips, so that no two are alike. `--full` solves the
programme without classes. `--pypsa` makes an environment of its own (PyPSA wants another pandas than ours) and
solves the same data there with HiGHS' simplex. Seconds are CPU seconds; every case runs in its own process, so that
memory is its own.
"""

import argparse
import dataclasses
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2])]

PYPSA = ("pypsa==1.4.0", "highspy==1.15.1")
PYPSA_CODE = """
import json, resource, sys, time
import numpy as np, pypsa
data = np.load(sys.argv[1], allow_pickle=True)
stores = json.loads(str(data["stores"]))
steps = len(data["net"])
n = pypsa.Network(snapshots=range(steps))
n.add("Bus", "hub")
n.add("Bus", "grid")
big = float(data["limit"])
n.add("Generator", "buy", bus="hub", p_nom=big, marginal_cost=data["buy"])
n.add("Generator", "sell", bus="hub", p_nom=big, p_min_pu=-1, p_max_pu=0, marginal_cost=data["sell"])
n.add("Generator", "sun", bus="hub", p_nom=1.0, p_max_pu=data["pv"])
n.add("Load", "use", bus="hub", p_set=data["net"] + data["pv"])
for k, s in enumerate(stores):
    name, there = f"s{k}", 1.0 - np.array(data[f"away{k}"], dtype=float)
    n.add("Bus", name)
    n.add("Store", name, bus=name, e_nom=s["kwh"], e_cyclic=True)
    n.add("Link", name + " in", bus0="hub", bus1=name, p_nom=s["up"], efficiency=s["eta"], p_max_pu=there)
    n.add("Link", name + " out", bus0=name, bus1="hub", p_nom=s["down"] / s["eta"], efficiency=s["eta"], p_max_pu=there)
    if np.any(data[f"trips{k}"]):
        n.add("Load", name + " trips", bus=name, p_set=data[f"trips{k}"])
options = {"solver": "simplex", "threads": 1, "time_limit": float(sys.argv[2]), "output_flag": False}
n.optimize(solver_name="highs", solver_options=options)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cost": float(n.objective), "cpu_s": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}))
"""


def community(folder: Path, homes: int, varied: bool, steps: int = 0):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The folder's community with as many homes, of its first `steps` alone where that is not 0."""
    from energy.engine import folder as reader
    from energy.engine.community import Battery

    c, dice = reader.read(folder), np.random.default_rng(1)
    own, week = len(c.members), 168 * 60 // c.step_minutes
    members, load, pv = [], [], []
    for i in range(homes):
        member, shift = c.members[i % own], -week * (i // own)
        if varied and member.vehicle:
            car = dataclasses.replace(
                member.vehicle,
                kwh=float(dice.choice([40, 52, 58, 64, 77, 82])),
                kw=float(dice.choice([3.7, 7.4, 11])),
                kwh_per_day=round(float(dice.uniform(3, 14)), 1),
                v2g=bool(dice.random() < 0.5),
            )
            battery = Battery(round(float(dice.uniform(4, 14)), 1), round(float(dice.uniform(2, 8)), 1))
            member = dataclasses.replace(member, battery=battery, vehicle=car)
        members.append(dataclasses.replace(member, id=f"h{i}", name=f"h{i}"))
        load.append(np.roll(c.load_kwh[i % own], shift))
        pv.append(np.roll(c.pv_kwh[i % own], shift))
    part, shared = homes / own, c.battery
    only = slice(0, steps or c.steps)
    return dataclasses.replace(
        c,
        members=tuple(members),
        load_kwh=np.array(load)[:, only],
        pv_kwh=np.array(pv)[:, only],
        import_price=c.import_price[only],
        export_price=c.export_price[only],
        co2_kg_per_kwh=None if c.co2_kg_per_kwh is None else c.co2_kg_per_kwh[only],
        grid_limit_kw=None if c.grid_limit_kw is None else c.grid_limit_kw * part,
        battery=Battery(shared.kwh * part, shared.kw * part, shared.efficiency) if shared else None,
    )


def case(what: str, folder: Path, homes: int, varied: bool, steps: int) -> dict[str, object]:
    """One case in this process."""
    from energy.engine import decomposition, optimum

    c = community(folder, homes, varied, steps)
    at, stores = optimum.connection(c), optimum.all_stores(c)
    before, wall = time.process_time(), time.perf_counter()
    if what == "full":
        found: dict[str, object] = {"cost": decomposition.whole(at, stores).cost}
    elif what == "alone":
        found = {"cost": sum(a.cost for a in optimum.everyone_alone(c, lambda _share, _stage: None))}
    else:
        best = decomposition.solve(at, stores)
        found = {"cost": best.solution.cost, "gap": best.gap, "classes": best.classes, "method": best.method}
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found | {"cpu_s": time.process_time() - before, "wall_s": time.perf_counter() - wall, "mb": mb}


def apart(what: str, asked: argparse.Namespace, homes: int) -> dict[str, object]:
    """One case in its own process; what it said."""
    words = [sys.executable, str(HERE), str(asked.folder), "--case", what, "--homes", str(homes)]
    words += ["--steps", str(asked.steps), *(["--varied"] if asked.varied else [])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=asked.most_s, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def environment(asked: argparse.Namespace) -> Path:
    """PyPSA's own environment, made once, with uv where it is and with pip where not; its Python. One that was left
    half made is made anew.
    """
    python: Path = asked.environment / "bin" / "python"
    ready = asked.environment / "ready"
    if not ready.exists():
        shutil.rmtree(asked.environment, ignore_errors=True)
        uv = shutil.which("uv")
        make = [uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, str(asked.environment)], check=True, capture_output=True)
        add = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
        subprocess.run([*add, *PYPSA], check=True, capture_output=True)
        ready.touch()
    return python


def by_pypsa(asked: argparse.Namespace, homes: int) -> dict[str, object]:
    """The same data by PyPSA in an environment of its own."""
    from energy.engine import optimum

    c = community(asked.folder, homes, asked.varied, asked.steps)
    at, stores = optimum.connection(c), optimum.all_stores(c)
    sizes = [{"kwh": s.kwh, "up": s.charge_step_kwh, "down": s.discharge_step_kwh, "eta": s.efficiency} for s in stores]
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data.npz"
        arrays = {f"trips{k}": s.trips_kwh for k, s in enumerate(stores)}
        arrays |= {f"away{k}": s.away for k, s in enumerate(stores)}
        limit = 1e6 if at.limit_step_kwh is None else at.limit_step_kwh
        np.savez(
            data,
            net=at.net_kwh,
            pv=at.pv_kwh,
            buy=at.buy,
            sell=at.sell,
            limit=limit,
            stores=json.dumps(sizes),
            **arrays,
        )
        script = Path(place) / "by_pypsa.py"
        script.write_text(PYPSA_CODE)
        words = [str(environment(asked)), str(script), str(data), str(asked.most_s)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=asked.most_s, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done in {asked.most_s:.0f} s", "cpu_s": float(asked.most_s)}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Run what was asked and print ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--homes", type=int, nargs="+", default=[10])
    parser.add_argument("--varied", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--alone", action="store_true", help="also each member's own optimum")
    parser.add_argument("--pypsa", action="store_true")
    parser.add_argument("--environment", type=Path, default=Path(tempfile.gettempdir()) / "bench-pypsa")
    parser.add_argument("--steps", type=int, default=0, help="the first so many steps alone, to try it out")
    parser.add_argument("--most-s", type=float, default=600.0)
    parser.add_argument("--case", default="")
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(case(asked.case, asked.folder, asked.homes[0], asked.varied, asked.steps)))
        return
    for homes in asked.homes:
        ours = apart("classes", asked, homes)
        print(f"{homes} homes:", ours)
        rivals = {"alone": apart("alone", asked, homes)} if asked.alone else {}
        rivals |= {"full programme": apart("full", asked, homes)} if asked.full else {}
        rivals |= {"PyPSA": by_pypsa(asked, homes)} if asked.pypsa else {}
        for name, theirs in rivals.items():
            ratio = ""
            if "cpu_s" in theirs and "cpu_s" in ours:
                ratio = f"{float(str(theirs['cpu_s'])) / float(str(ours['cpu_s'])):.1f} x our time"
            print(f"  {name}:", theirs, ratio)


if __name__ == "__main__":
    main()
