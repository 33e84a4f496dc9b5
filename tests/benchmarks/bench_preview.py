"""Facts, two pictures and the packed model of a mesh in a warm worker, against f3d drawing one picture as a process.

python -m tests.benchmarks.bench_preview [--f3d PYTHON] [--sizes 20000,100000,1000000] [FILE.stl …]

PYTHON is an interpreter that has f3d (also F3D_PYTHON). CPU seconds and peak memory of the child that opened the file,
by the kernel's own count; the least of three. An identical blob is no work: `tests/designs/test_previews.py`.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from designs import sandbox

TIMES = 3
F3D = """
import sys, f3d
f3d.Log.set_verbose_level(f3d.Log.QUIET)
engine = f3d.Engine.create(True)
engine.options["render.effect.ambient_occlusion"] = True
engine.options["render.effect.antialiasing.mode"] = "ssaa"
engine.scene.add(sys.argv[1])
engine.window.size = 640, 480
engine.window.camera.reset_to_bounds()
engine.window.render_to_image().save(sys.argv[2])
"""


@dataclass(frozen=True)
class Row:
    """What one file cost."""

    name: str
    triangles: int
    source_kb: float
    ours_cpu_s: float
    ours_mb: float
    glb_kb: float
    f3d_cpu_s: float | None
    f3d_mb: float | None


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ring(triangles: int) -> bytes:
    """A binary STL of a closed ring with bumps, about that many triangles."""
    n = math.isqrt(triangles // 2)
    a, b = np.meshgrid(*[np.linspace(0, 2 * np.pi, n, endpoint=False)] * 2, indexing="ij")
    r = 12 + np.sin(9 * a) * np.sin(7 * b)
    points = np.stack([(40 + r * np.cos(b)) * np.cos(a), (40 + r * np.cos(b)) * np.sin(a), r * np.sin(b)], -1)
    points = points.reshape(-1, 3)
    i, j = (grid.reshape(-1) for grid in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    here, right, up, both = i * n + j, (i + 1) % n * n + j, i * n + (j + 1) % n, (i + 1) % n * n + (j + 1) % n
    faces = np.concatenate([np.stack([here, right, both], 1), np.stack([here, both, up], 1)])
    record = np.zeros(len(faces), np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")]))
    record["c"] = points[faces]
    return b"\0" * 80 + np.uint32(len(faces)).tobytes() + record.tobytes()


def ours(path: Path) -> tuple[sandbox.Drawn, float]:
    """The cheapest of some, by CPU seconds; and the most memory that any took."""
    drawn = [sandbox.draw(path, "stl") for _ in range(TIMES)]
    for one in drawn:
        if not (one.result.ready and one.result.png and one.result.small and one.result.glb):
            sys.exit(f"{path.name} was not drawn: {one.result.reason}")
    return min(drawn, key=lambda one: one.cpu_s), max(one.memory_bytes for one in drawn)


def f3d(python: str, path: Path, folder: Path) -> tuple[float, float] | None:
    """CPU seconds and peak MB of f3d as a process: it starts, reads, draws one picture, ends."""
    if not python:
        return None
    costs = []
    for _ in range(TIMES):
        picture = folder / "f3d.png"
        picture.unlink(missing_ok=True)
        child = subprocess.Popen(
            [python, "-c", F3D, str(path), str(picture)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _pid, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if not picture.exists():
            sys.exit(f"f3d made no picture of {path.name} (exit {child.returncode})")
        costs.append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    return min(costs)


def measure(path: Path, python: str, folder: Path) -> Row:
    """One line of the table."""
    best, memory = ours(path)
    rival = f3d(python, path, folder)
    facts = best.result.facts or {}
    return Row(
        path.stem, facts["triangles"], path.stat().st_size / 1e3, best.cpu_s, memory / 1e6,
        len(best.result.glb) / 1e3, rival[0] if rival else None, rival[1] if rival else None,
    )  # fmt: skip


def main() -> None:
    """Print the table; fail when 100,000 triangles take over 6 CPU seconds or a million over 1.2 GB."""
    words = argparse.ArgumentParser()
    words.add_argument("--f3d", default=os.environ.get("F3D_PYTHON", ""))
    words.add_argument("--sizes", default="20000,100000,1000000")
    words.add_argument("files", nargs="*", type=Path)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = []
        for size in filter(None, asked.sizes.split(",")):
            path = folder / f"ring-{size}.stl"
            path.write_bytes(ring(int(size)))
            paths.append(path)
        (folder / "warm.stl").write_bytes(ring(200))
        sandbox.draw(folder / "warm.stl", "stl")
        heads = f"{'CPU s':>6} {'MB':>6} {'GLB kB':>7} {'1/':>4}"
        say(f"{'file':24} {'triangles':>9} {'STL kB':>8} {heads}  f3d CPU s, MB, ratio")
        rows = [measure(path, asked.f3d, folder) for path in [*paths, *asked.files]]
    for row in rows:
        rival = f"{row.f3d_cpu_s:.2f}, {row.f3d_mb:.0f}, {row.ours_cpu_s / row.f3d_cpu_s:.2f}" if row.f3d_cpu_s else "–"
        say(
            f"{row.name[:24]:24} {row.triangles:9} {row.source_kb:8.0f} {row.ours_cpu_s:6.2f} {row.ours_mb:6.0f} "
            f"{row.glb_kb:7.0f} {row.source_kb / row.glb_kb:4.0f}  {rival}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"this process itself: {peak:.0f} MB")
    slow = [r.name for r in rows if r.triangles <= 100_000 and r.ours_cpu_s > 6]
    large = [r.name for r in rows if r.triangles <= 1_000_000 and r.ours_mb > 1200]
    if slow or large:
        sys.exit(f"too slow: {slow}; too large: {large}")


if __name__ == "__main__":
    main()
