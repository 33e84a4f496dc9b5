"""Both sides of a scenario in SUMO: the same seeds, the same trips where both have them, the same engine.

Trips are drawn once from the larger of the two sides' demand, pair by pair; each carries a number of its own, and a
side has those whose number lies under its share of the pair. So a trip that both sides make is the same trip, and a
trip that a measure takes away is taken from the baseline's, not drawn anew.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from energy.engine.refusals import gettext_noop
from twin.engine.assignment import Assignment, Demand
from twin.engine.network import RoadNetwork
from twin.engine.scenario import rounded
from twin.sumo import runs
from twin.sumo.runs import Side

One: TypeAlias = tuple[RoadNetwork, Assignment, Demand]

MESO = (
    ("mean_min", gettext_noop("A trip by car takes"), "min", "down"),
    ("loss_min", gettext_noop("of it lost in traffic"), "min", "down"),
    ("vehicle_km", gettext_noop("Driven on its streets in the busiest hour"), "km", "down"),
    ("speed_kmh", gettext_noop("Mean speed of cars"), "km/h", "none"),
    ("arrived", gettext_noop("Cars that arrived"), "", "up"),
    ("teleports", gettext_noop("Cars that stood so long that SUMO moved them on"), "", "down"),
)
EMITTED = (
    ("co2_kg", gettext_noop("CO₂ of cars in that hour"), "kg", "down"),
    ("nox_g", gettext_noop("Nitrogen oxides in that hour"), "g", "down"),
    ("pmx_g", gettext_noop("Fine dust in that hour"), "g", "down"),
    ("fuel_kg", gettext_noop("Fuel in that hour"), "kg", "down"),
)
OF_SEEDS = gettext_noop(
    "The mean over the seeds, each the same for both sides; the interval is Student’s, 95 %, of the differences."
)
OF_ONE = gettext_noop("One seed for both sides; how far chance would move it is not known.")


def joint(a: Demand, b: Demand) -> tuple[Demand, list[Any]]:
    """The larger of both, pair by pair, and each side's share of it (k,)."""
    pairs: dict[tuple[int, int], list[float]] = {}
    for side, od in enumerate((a, b)):
        for origin, destination, trips in zip(
            od.origin.tolist(), od.destination.tolist(), od.trips.tolist(), strict=True
        ):
            pairs.setdefault((origin, destination), [0.0, 0.0])[side] += trips
    both = np.array(list(pairs.values()), dtype=np.float64).reshape(-1, 2)
    most = both.max(axis=1)
    at = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    shares = [np.divide(both[:, s], most, out=np.zeros(len(most)), where=most > 0) for s in (0, 1)]
    return Demand(at[:, 0].copy(), at[:, 1].copy(), most), shares


def _sides(both: Sequence[One]) -> tuple[list[Side], Demand]:
    od, shares = joint(both[0][2], both[1][2])
    return [Side(network, found, share) for (network, found, _od), share in zip(both, shares, strict=True)], od


def seeds(
    both: Sequence[One], numbers: Sequence[int], engine: str, say: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Figures of today and the scenario over the seeds. Raises NoSumo, SumoFailed."""
    sides, od = _sides(both)
    before, after = runs.seeds(sides, od, numbers, say)
    apart = runs.differences([before, after])
    return [
        _figure(
            f"sumo_{key}", (label, unit, better, engine), before[key].mean, after[key].mean,
            {"low": rounded(apart[key].low), "high": rounded(apart[key].high), "how": OF_SEEDS},
        )
        for key, label, unit, better in MESO
    ]  # fmt: skip


def deep(both: Sequence[One], seed: int, engine: str, say: Callable[[float], None]) -> list[dict[str, Any]]:
    """Figures of one seed of the microscopic model with emissions. Raises NoSumo, SumoFailed."""
    sides, od = _sides(both)
    before, after = (
        runs.deep(side, od, seed, lambda part, s=s: say((s + part) / 2))  # type: ignore[misc]
        for s, side in enumerate(sides)
    )
    return [
        _figure(
            f"deep_{key}", (label, unit, better, engine), before[key], after[key],
            {"low": None, "high": None, "how": OF_ONE},
        )
        for key, label, unit, better in (*MESO, *EMITTED)
    ]  # fmt: skip


def _figure(
    key: str, about: tuple[str, str, str, str], before: float, after: float, range_: dict[str, Any]
) -> dict[str, Any]:
    label, unit, better, engine = about
    return {
        "key": key, "label": label, "unit": unit, "group": "carbon" if unit in {"kg", "g"} else "traffic",
        "baseline": rounded(before), "scenario": rounded(after), "difference": rounded(after - before),
        "better": better, "engine": engine, **range_,
    }  # fmt: skip
