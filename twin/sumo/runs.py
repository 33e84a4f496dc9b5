"""Runs of SUMO: several seeds of the mesoscopic model, or one of the microscopic with emissions.

An answer is made of one network and one equilibrium; a comparison runs both of its sides with the same seeds, and its
interval is that of the differences. The engine never changes between the sides.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from twin.engine.assignment import Assignment, Demand
from twin.engine.network import RoadNetwork
from twin.sumo import network as net
from twin.sumo import trips as trip_files
from twin.sumo.program import run

FIGURES = ("vehicles", "arrived", "mean_min", "loss_min", "speed_kmh", "vehicle_km", "teleports")
LONGEST_S = 5400
"""After the hour of departures SUMO goes on until all have arrived, but no longer than this in all."""
Say = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its roads and its equilibrium; of each pair's trips (k,) the share that it has, all
    without it.
    """

    network: RoadNetwork
    found: Assignment
    share: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and its 95 % interval (Student's t); each seed's own value beside it."""

    mean: float
    low: float
    high: float
    values: tuple[float, ...]


def interval(values: Sequence[float]) -> Interval:
    """Of the values of the seeds; of a single one it is as wide as nothing."""
    sample = np.asarray(values, dtype=np.float64)
    mean, n = float(sample.mean()), len(sample)
    half = float(student.ppf(0.975, n - 1) * sample.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    return Interval(mean, mean - half, mean + half, tuple(float(v) for v in sample))


def seeds(
    sides: Sequence[Side], od: Demand, numbers: Sequence[int], say: Say = lambda _share: None
) -> list[dict[str, Interval]]:
    """Each side's figures over the mesoscopic model with these seeds; paired, so the values stand in their order.

    Raises NoSumo, SumoFailed.
    """
    trips = trip_files.possible(od)
    found: list[dict[str, list[float]]] = [{name: [] for name in FIGURES} for _side in sides]
    with TemporaryDirectory(prefix="sumo-") as place:
        folders = []
        for s, side in enumerate(sides):
            folder = Path(place) / str(s)
            folder.mkdir()
            net.write(side.network, folder)
            folders.append(folder)
        for k, seed in enumerate(numbers):
            keep = trip_files.kept(trips, seed)
            for s, (side, folder) in enumerate(zip(sides, folders, strict=True)):
                done = (k * len(sides) + s) / (len(numbers) * len(sides))
                here = keep & trip_files.within(trips, side.share)
                number = trip_files.write(folder / "trips.rou.xml", side.network, side.found, trips, here)
                figures = _meso(folder, seed, _at(say, done))
                for name, value in (figures | {"vehicles": float(number)}).items():
                    found[s][name].append(value)
                say(done + 1 / (len(numbers) * len(sides)))
    return [{name: interval(values) for name, values in side.items()} for side in found]


def _at(say: Say, share: float) -> Callable[[float], None]:
    """A tick that says how far all seeds are."""
    return lambda _seconds: say(share)


def differences(sides: Sequence[dict[str, Interval]]) -> dict[str, Interval]:
    """The second side less the first, seed by seed."""
    before, after = sides
    return {
        name: interval([b - a for a, b in zip(before[name].values, after[name].values, strict=True)]) for name in before
    }


def _words(seed: int) -> list[str]:
    return [
        "--net-file", net.NET, "--route-files", "trips.rou.xml", "--seed", str(seed), "--begin", "0",
        "--end", str(LONGEST_S), "--no-step-log", "true", "--no-warnings", "true", "--statistic-output", "stats.xml",
        "--ignore-route-errors", "true", "--duration-log.statistics", "true", "--xml-validation", "never",
    ]  # fmt: skip


def _meso(folder: Path, seed: int, tick: Callable[[float], None]) -> dict[str, float]:
    words = [*_words(seed), "--mesosim", "true", "--meso-junction-control", "true"]
    words += ["--meso-junction-control.limited", "true", "--meso-tls-penalty", "1", "--time-to-teleport", "120"]
    run("sumo", words, folder=folder, tick=tick)
    return statistics(folder / "stats.xml")


def statistics(path: Path) -> dict[str, float]:
    """The figures of SUMO's statistic output."""
    root = ET.parse(path).getroot()  # noqa: S314 written by our own SUMO

    def number(tag: str, name: str) -> float:
        found = root.find(tag)
        return float(found.get(name, 0)) if found is not None else 0.0

    count = number("vehicleTripStatistics", "count")
    metres, seconds = number("vehicleTripStatistics", "routeLength"), number("vehicleTripStatistics", "duration")
    return {
        "arrived": count,
        "mean_min": seconds / 60,
        "loss_min": number("vehicleTripStatistics", "timeLoss") / 60,
        "speed_kmh": metres / seconds * 3.6 if seconds > 0 else 0.0,
        "vehicle_km": metres * count / 1000,
        "teleports": number("teleports", "total"),
    }


def deep(side: Side, od: Demand, seed: int, say: Say = lambda _share: None) -> dict[str, float]:
    """One hour vehicle by vehicle, with emissions (HBEFA 4, passenger car, petrol, Euro 4: SUMO's default class).

    Adds `co2_kg`, `nox_g`, `pmx_g`, `fuel_kg`. `say` hears the share of the hour of departures that has passed.
    """
    trips = trip_files.possible(od)
    with TemporaryDirectory(prefix="sumo-") as place:
        folder = Path(place)
        net.write(side.network, folder)
        keep = trip_files.kept(trips, seed) & trip_files.within(trips, side.share)
        number = trip_files.write(folder / "trips.rou.xml", side.network, side.found, trips, keep)
        words = [w if w != "--no-step-log" else "--step-log.period" for w in _words(seed)]
        words[words.index("--step-log.period") + 1] = "50"
        words += ["--device.emissions.probability", "1", "--tripinfo-output", "tripinfo.xml"]
        words += ["--time-to-teleport", "120", "--tripinfo-output.write-unfinished", "false"]
        run("sumo", words, folder=folder, tick=lambda _s: say(_passed(folder / "sumo.out")))
        found = statistics(folder / "stats.xml") | {"vehicles": float(number)}
        return found | _emissions(folder / "tripinfo.xml")


_STEP = re.compile(rb"Step #(\d+)")


def _passed(path: Path) -> float:
    """The share of the hour that SUMO's log has reached."""
    with path.open("rb") as said:
        said.seek(0, 2)
        said.seek(max(said.tell() - 4000, 0))
        steps = _STEP.findall(said.read())
    return min(float(steps[-1]) / 3600, 0.99) if steps else 0.0


def _emissions(path: Path) -> dict[str, float]:
    """Sums over the vehicles that arrived."""
    sums = {"CO2_abs": 0.0, "NOx_abs": 0.0, "PMx_abs": 0.0, "fuel_abs": 0.0}
    for _event, element in ET.iterparse(path):  # noqa: S314 written by our own SUMO
        if element.tag == "emissions":
            for name in sums:
                sums[name] += float(element.get(name, 0))
        elif element.tag == "tripinfo":
            element.clear()
    return {
        "co2_kg": sums["CO2_abs"] / 1e6,
        "nox_g": sums["NOx_abs"] / 1e3,
        "pmx_g": sums["PMx_abs"] / 1e3,
        "fuel_kg": sums["fuel_abs"] / 1e6,
    }
