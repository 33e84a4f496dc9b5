"""Standard tables and typical years that come with the wheel demandlib (MIT), found without importing it."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import gettext as _

from energy.errors import BadCommunity

#: Where nothing is known of a place: the coast of the Baltic Sea.
USUAL_STATION = "TRY2010_02_Jahr.dat"


def folder() -> Path | None:
    """The folder of demandlib's files, or None where the wheel is not installed."""
    spec = find_spec("demandlib")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def needed() -> Path:
    """The folder. Raises BadCommunity where it is not there."""
    found = folder()
    if found is None:
        raise BadCommunity(_("The standard profiles are not installed here, so nothing can be modelled."))
    return found


@cache
def _stations() -> tuple[tuple[str, float, float], ...]:
    found = []
    for path in sorted((needed() / "vdi" / "resources_weather").glob("TRY2010_*_Jahr.dat")):
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(600)
        where = re.search(r"Lage:\s*(\d+)°(\d+)'N.*?(\d+)°(\d+)'O", head)
        if where:
            degrees = [float(x) for x in where.groups()]
            found.append((str(path), degrees[0] + degrees[1] / 60, degrees[2] + degrees[3] / 60))
    return tuple(found)


def nearest_station(where: tuple[float, float] | None) -> str:
    """The file of the nearest of Germany's fifteen stations; Rostock's where nothing is known."""
    if where is None:
        return str(needed() / "vdi" / "resources_weather" / USUAL_STATION)
    lat, lon = where
    return min(_stations(), key=lambda one: (one[1] - lat) ** 2 + ((one[2] - lon) * 0.6) ** 2)[0]
