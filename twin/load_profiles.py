"""When in the year a building uses its power: the standard profiles of households and of trade (BDEW 2025), which the
wheel demandlib carries; evenly where it is not installed.
"""

import datetime as dt
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energy.engine.community import Floats

_FILES = {"home": ("h25", True), "work": ("g25", False)}


def hourly_shares(hours: int, zone: str = "UTC") -> "dict[str, Floats]":
    """The share of the year's use in each hour (UTC, 2025), for "home" and "work", whose days are those of the clock
    `zone`. For workers: loads numpy.
    """
    import numpy as np  # noqa: PLC0415 a worker's

    from energy.engine.profiles import quarters, read_bdew25  # noqa: PLC0415 a worker's

    spec = importlib.util.find_spec("demandlib")
    folders = spec.submodule_search_locations if spec else None
    found = {}
    for name, (file, dynamic) in _FILES.items():
        path = Path(folders[0]) / "bdew" / "bdew_data" / f"{file}.csv" if folders else None
        if path is None or not path.is_file() or hours != 8760:
            found[name] = np.full(hours, 1 / hours)
            continue
        start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
        laid = quarters(read_bdew25(path), start, 365, zone, frozenset(), dynamic=dynamic)
        by_hour = laid.reshape(-1, 4).sum(axis=1)
        found[name] = by_hour / by_hour.sum()
    return found
