"""Prints told by their shape: meshes sliced by chance and looked for again; and the search among 100,000 profiles.

    python tests/benchmarks/bench_matchprint.py [FOLDER] [--count 75] [--gcode FOLDER] [--profiles 100000]

FOLDER holds meshes (STL); without it those of the reference data are taken. Each is sliced by PrusaSlicer with a random
turn about z, 10 to 50 % fill and 2 to 4 perimeters, and looked for among all of them; then again with its own mesh and
all that have just its shape, taken out of the index, where the right answer is that nobody knows. The rival is the
hull's area and perimeter at the same heights alone. Last, prints are looked for among many profiles in a PostgreSQL
of its own. It ends with 1 when fewer than 85 % are right at rank 1, or when the search takes more than 50 ms.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

from designs.engine.load import load  # noqa: E402 after the path
from labs.engine import extrusion  # noqa: E402
from labs.engine.extrusion import comparing  # noqa: E402
from labs.engine.extrusion.profiles import Profile  # noqa: E402

Ranked = list[tuple[str, comparing.Match]]
#: Nearer than this, in mm of all heights and features, two meshes are one shape under two names; the same mesh turned
#: by some angle is sampled in other directions.
TWIN_MM = 0.12
LEAST_RIGHT, MOST_MS = 0.85, 50.0


def cpu_s() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def sliced(mesh: Path, out: Path, chance: random.Random) -> bool:
    """Slice a mesh by chance; whether PrusaSlicer could."""
    turn, fill, walls = f"{chance.uniform(0, 360):.1f}", f"{chance.randint(10, 50)}%", str(chance.randint(2, 4))
    options = ["--rotate", turn, "--fill-density", fill, "--perimeters", walls, "--layer-height", "0.2",
               "--bed-shape", "0x0,400x0,400x400,0x400", "--center",
               "200,200"]  # fmt: skip
    if out.exists():
        return True
    with tempfile.TemporaryDirectory() as data:
        command = ["prusa-slicer", "--export-gcode", *options, "--datadir", data, "--output", str(out), str(mesh)]
        done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    return done.returncode == 0 and out.exists()


def hull_only(one: Profile, others: list[Profile]) -> list[float]:
    """The rival: mean relative difference of the hulls' perimeters and areas."""

    def told(profile: Profile) -> np.ndarray:
        around = profile.support.mean(axis=1) * 2 * np.pi
        turns = np.fft.rfft(profile.support, axis=1) / profile.support.shape[1]
        order = np.arange(turns.shape[1])
        area = np.pi * (np.abs(turns) ** 2 * np.where(order == 0, 1, 2) * (1 - order**2)).sum(axis=1)
        return np.concatenate([around, np.sqrt(np.maximum(area, 0))])

    mine = told(one)
    return [float(np.abs(told(other) - mine).sum() / max(mine.sum(), 1e-9)) for other in others]


class Index:
    """The meshes with all their profiles."""

    def __init__(self, meshes: list[Path]) -> None:
        self.names: list[str] = []
        self.profiles: list[Profile] = []
        started = cpu_s()
        for path in meshes:
            parts = load(path, "stl").parts
            starts = np.cumsum([0, *(len(part.points) for part in parts)])
            triangles = np.vstack([part.triangles + start for part, start in zip(parts, starts, strict=False)])
            for _up, one in extrusion.of_mesh(np.vstack([part.points for part in parts]), triangles):
                self.names.append(path.stem)
                self.profiles.append(one)
        self.cpu_s = (cpu_s() - started) / max(len(meshes), 1)
        self.twins = self._twins()

    def _twins(self) -> dict[str, set[str]]:
        """For each mesh those of just its shape, itself too."""
        first = dict(zip(reversed(self.names), reversed(self.profiles), strict=True))
        return {name: {name} | {n for n, m in self.ranked(one) if m.strict_mm < TWIN_MM} for name, one in first.items()}

    def ranked(self, one: Profile, without: set[str] = frozenset()) -> Ranked:  # type: ignore[assignment]
        """Meshes by nearness."""
        best: dict[str, comparing.Match] = {}
        for name, match in zip(self.names, extrusion.distances(one, self.profiles), strict=True):
            if name not in without and (name not in best or match.mm < best[name].mm):
                best[name] = match
        return sorted(best.items(), key=lambda pair: pair[1].mm)

    def rival(self, one: Profile) -> str:
        """What the hull's figures alone say."""
        return self.names[int(np.argmin(hull_only(one, self.profiles)))]


def answer(printed: list[extrusion.Printed], ranked: Callable[[Profile], Ranked]) -> Ranked:
    """What the city would answer."""
    for one in printed:
        if one.whole or one.share >= comparing.LEAST_SHARE:
            hits = comparing.close(ranked(one.profile), one.profile)
            if hits:
                return hits
    return []


def say(*words: object) -> None:
    """A line."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def tell(index: Index, meshes: list[Path], kept: Path, chance: random.Random, most: int) -> float:
    """Slice, look, count; the share that is right at rank 1."""
    table = dict.fromkeys(("alone", "one of these", "nobody", "wrong", "rank 1", "rival rank 1", "held out: wrong"), 0)
    spent: list[float] = []
    remarks: list[tuple[object, ...]] = []
    done = 0
    for path in meshes:
        program = kept / f"{path.stem}.gcode"
        if done >= most or not sliced(path, program, chance):
            continue
        started = cpu_s()
        printed = extrusion.of_program(extrusion.read(program.read_bytes()))
        spent.append(cpu_s() - started)
        twins, done = index.twins[path.stem], done + 1
        hits = [name for name, _match in answer(printed, index.ranked)]
        table["rank 1"] += bool(hits) and hits[0] in twins
        table["rival rank 1"] += index.rival(printed[0].profile) in twins
        kind = "alone" if set(hits) <= twins else "one of these" if twins & set(hits) else "wrong"
        kind = kind if hits else "nobody"
        table[kind] += 1
        if kind != "alone":
            remarks.append((path.stem, kind, *hits))
        out = answer(printed, lambda one, gone=twins: index.ranked(one, gone))  # type: ignore[misc]
        table["held out: wrong"] += bool(out)
        if out:
            remarks.append((path.stem, "held out, taken for", out[0][0], f"{out[0][1].mm:.3f} mm"))
    for name, count in table.items():
        say(f"{name:>16}: {count:3d} of {done}  {count / max(done, 1):.1%}")
    say(f"reading: {np.mean(spent):.2f} CPU s a program, at most {max(spent):.2f}")
    for line in remarks:
        say("   ", *line)
    return table["rank 1"] / max(done, 1)


def search(profiles: list[Profile], many: int) -> float:
    """Milliseconds (median) of looking for one print among that many profiles of public designs."""
    from django.utils import timezone

    from commons.people.services import create_user
    from designs.models import Blob, Design, FileVersion
    from designs.queries.origins import seen_at
    from labs.models import ShapeProfile
    from labs.queries import shapes

    owner, chance, now = create_user(username="bench"), np.random.default_rng(3), timezone.now()
    designs = [Design(owner=owner.handle, slug=f"d{n}", name=f"D {n}", visibility="public") for n in range(500)]
    Design.objects.bulk_create(designs)
    count = many // 6 + 1
    blobs = [Blob(oid=f"{n:040x}", sha1=f"{n:040x}", sha256=f"{n:064x}", size=1, format="stl") for n in range(count)]
    Blob.objects.bulk_create(blobs, 2000)
    FileVersion.objects.bulk_create(
        (
            FileVersion(design=designs[n % 500], blob=blob, path=f"{n}.stl", commit="c", committed_at=now, current=True)
            for n, blob in enumerate(blobs)
        ),
        2000,
    )  # fmt: skip
    packed = [extrusion.pack(one) for one in profiles]
    for start in range(0, many, 5000):
        rows = []
        for n in range(start, min(start + 5000, many)):
            one, scale = profiles[n % len(profiles)], float(np.exp(chance.normal(0, 0.5)))
            rows.append(
                ShapeProfile(
                    blob=blobs[n // 6], up=extrusion.UPS[n % 6], version=extrusion.PROFILE_VERSION,
                    height_mm=one.height_mm * scale, girth_mm=one.girth_mm * scale, hull_mm2=one.hull_mm2 * scale**2,
                    packed=packed[n % len(profiles)],
                )
            )  # fmt: skip
        ShapeProfile.objects.bulk_create(rows, 1000)
    from django.db import connection

    connection.cursor().execute("ANALYZE")
    times, cpus = [], []
    for one in profiles[:40]:
        started, used = time.perf_counter(), cpu_s()
        shapes.near(one, seen_at(None))
        times.append((time.perf_counter() - started) * 1000)
        cpus.append((cpu_s() - used) * 1000)
    say(f"search among {many}: {np.median(times):.1f} ms (90 %: {np.percentile(times, 90):.1f}), "
        f"of it {np.median(cpus):.1f} ms CPU of this process")  # fmt: skip
    return float(np.median(times))


def main() -> None:
    """Slice, look, count; then search."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("LIVINGCITY_SHARED", str(ROOT.parent / "shared"))) / "data" / "designs"
    ask.add_argument("folder", type=Path, nargs="?", default=shared)
    ask.add_argument("--count", type=int, default=75)
    ask.add_argument("--gcode", type=Path, default=None, help="keep the slicings here and use those that are there")
    ask.add_argument("--seed", type=int, default=7)
    ask.add_argument("--profiles", type=int, default=100_000, help="profiles in the search; 0 leaves it out")
    given = ask.parse_args()
    meshes = sorted(given.folder.rglob("*.stl"))
    if not meshes or shutil.which("prusa-slicer") is None:
        say("no meshes, or no prusa-slicer: nothing is measured")
        return
    chance = random.Random(given.seed)
    kept = given.gcode or Path(tempfile.mkdtemp(prefix="lc-matchprint-"))
    kept.mkdir(parents=True, exist_ok=True)
    index = Index(meshes)
    say(f"{len(meshes)} meshes, {len(index.profiles)} profiles, {index.cpu_s:.3f} CPU s a mesh")
    chance.shuffle(meshes)
    right = tell(index, meshes, kept, chance, given.count)
    took = 0.0
    if given.profiles:
        from tests.benchmarks.servers import city

        with city():
            took = search(index.profiles, given.profiles)
    sys.exit(0 if right >= LEAST_RIGHT and took < MOST_MS else 1)


if __name__ == "__main__":
    main()
