"""Differences of shapes in a warm sandbox: CPU seconds, memory, and the ratio to three plain booleans.

python -m tests.benchmarks.bench_diff
"""

import resource
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import manifold3d
import numpy as np
import trimesh

from designs import sandbox
from designs.engine.load import load
from designs.sandbox.client import answered
from designs.sandbox.limits import Limits

Mesh = tuple[np.ndarray, np.ndarray]


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")


def cpu_s() -> float:
    """CPU seconds of this process and its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ring(around: int, across: int) -> Mesh:
    """A bumpy ring of 2 x around x across triangles, 110 mm wide, in single precision as STL keeps it."""
    u, v = np.meshgrid(
        np.linspace(0, 2 * np.pi, around, endpoint=False), np.linspace(0, 2 * np.pi, across, endpoint=False),
        indexing="ij",
    )  # fmt: skip
    r = 15 + 0.6 * np.sin(7 * u) * np.cos(5 * v)
    points = np.stack([(40 + r * np.cos(v)) * np.cos(u), (40 + r * np.cos(v)) * np.sin(u), r * np.sin(v)], -1)
    i, j = np.arange(around)[:, None], np.arange(across)[None]
    a, b = (i * across + j).ravel(), ((i + 1) % around * across + j).ravel()
    c, d = ((i + 1) % around * across + (j + 1) % across).ravel(), (i * across + (j + 1) % across).ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return points.reshape(-1, 3).astype(np.float32).astype(float), faces


def drilled(mesh: Mesh) -> Mesh:
    """The ring with a hole of 8 mm through it."""
    body = manifold3d.Manifold(manifold3d.Mesh64(mesh[0], mesh[1].astype(np.uint64)))
    hole = manifold3d.Manifold.cylinder(60, 4, 4, 64, True).translate([40, 0, 0])
    cut = (body - hole).to_mesh64()
    return np.asarray(cut.vert_properties)[:, :3].astype(np.float32).astype(float), np.asarray(cut.tri_verts, np.int64)


def save(mesh: Mesh, path: Path) -> None:
    """A binary STL."""
    points, faces = mesh
    rows = np.zeros(len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["corners"] = points[faces]
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(faces)) + rows.tobytes())


def plain(folder: Path) -> dict[str, float]:
    """The rival without our cuts: read both, weld, three whole booleans."""
    sides = []
    for name in ("base", "head"):
        part = load(folder / name, "stl").parts[0]
        sides.append(manifold3d.Manifold(manifold3d.Mesh64(part.points, part.triangles.astype(np.uint64))))
    base, head = sides
    pieces = {"added_mm3": head - base, "removed_mm3": base - head, "common_mm3": base ^ head}
    return {name: piece.volume() for name, piece in pieces.items()}


def by_trimesh(folder: Path) -> dict[str, float]:
    """The rival with trimesh's own reader and booleans."""
    base, head = (trimesh.load_mesh(folder / name, file_type="stl") for name in ("base", "head"))
    found = {
        "added_mm3": trimesh.boolean.difference([head, base], engine="manifold"),
        "removed_mm3": trimesh.boolean.difference([base, head], engine="manifold"),
        "common_mm3": trimesh.boolean.intersection([base, head], engine="manifold"),
    }
    return {name: float(mesh.volume) for name, mesh in found.items()}


def timed(work: Callable[[Path], Any], folder: Path) -> tuple[float, Any]:
    """The lesser CPU seconds of two runs."""
    least, found = np.inf, None
    for _ in range(2):
        start = cpu_s()
        found = work(folder)
        least = min(least, cpu_s() - start)
    return float(least), found


def ours(folder: Path) -> tuple[float, float, sandbox.Compared]:
    """CPU seconds of figures and model, of the picture, and what came; in a warm server."""
    best = min((sandbox.compare(folder, "stl/stl") for _ in range(2)), key=lambda found: found.cpu_s)
    layers = folder / "layers.npz"
    layers.write_bytes(best.layers)
    with answered(layers, "npz", limits=Limits(), work="diff-picture") as (answer, _folder):
        return best.cpu_s, float(answer["cpu_s"]), best


def main() -> None:
    """Print the figures; fail where the volumes differ from the rival's or the work is over its bounds."""
    whole = ring(320, 160)
    pairs = {
        "100 k, a hole": drilled(whole),
        "100 k, shifted 0.3 mm": (whole[0] + np.array([0.3, 0, 0]), whole[1]),
        "100 k, open": (whole[0], whole[1][60:]),
        "100 k, rows in another order": (whole[0], whole[1][::-1]),
    }
    say(f"{'pair':32}{'ours s':>8}{'MB':>6}{'+picture s':>12}{'3 booleans s':>14}{'trimesh s':>11}{'method':>10}")
    bad = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(whole, folder / "base")
        sandbox.compare(folder, "stl/stl")  # starts the server
        for title, head in pairs.items():
            save(head, folder / "head")
            used, picture, found = ours(folder)
            three, expected = timed(plain, folder)
            other, _figures = timed(by_trimesh, folder) if "open" not in title else (float("nan"), None)
            figures = found.figures or {}
            memory = found.memory_bytes / 1e6
            method = figures.get("method", "–")
            say(f"{title:32}{used:8.2f}{memory:6.0f}{picture:12.2f}{three:14.2f}{other:11.2f}{method:>10}")
            if used > 4:
                bad.append(f"{title}: {used:.2f} CPU s")
            if figures.get("method") == "boolean":
                bad += [
                    f"{title}: {key} {figures[key]} against {value}"
                    for key, value in expected.items()
                    if abs(figures[key] - value) > 1e-5 * expected["common_mm3"]
                ]
            elif "open" not in title or not figures.get("max_deviation_mm"):
                bad.append(f"{title}: {figures.get('method')} {found.reason}")
            else:
                say(f"{'':32}the rival says {expected}, which reads as no change")
        big = ring(1000, 500)
        save(big, folder / "base")
        save(drilled(big), folder / "head")
        found = sandbox.compare(folder, "stl/stl")
        say(f"{'1 M, a hole':32}{found.cpu_s:8.2f}{found.memory_bytes / 1e6:6.0f}{'':37}"
            f"{(found.figures or {}).get('method', found.reason):>10}")  # fmt: skip
    if bad:
        sys.exit("\n".join(bad))


if __name__ == "__main__":
    main()
