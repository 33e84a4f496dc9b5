"""Which flat coordinates a district is measured in.

A city model that comes in its own projected, metric system keeps it. Else Finland takes its national grid
(EPSG:3067, ETRS89 / TM35FIN) and every other place the UTM zone of its centre, with the bent zones of Norway
and Svalbard. UTM lengths err by at most 0.04 % in the middle of a zone and 0.1 % at its rim, well under what
a foot path is known by.
"""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Projection: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Floats]]

_FINLAND = (19.0, 59.4, 31.7, 70.2)


def metric_epsg(lon: float, lat: float) -> int:
    """The EPSG code of the metric system for a centre in degrees."""
    west, south, east, north = _FINLAND
    if west <= lon <= east and south <= lat <= north:
        return 3067
    zone = min(int((lon + 180) // 6) + 1, 60)
    if 56 <= lat < 64 and 3 <= lon < 12:
        zone = 32
    elif 72 <= lat <= 84 and 0 <= lon < 42:
        zone = 31 + 2 * int((lon + 3) // 12)
    return (32600 if lat >= 0 else 32700) + zone


@cache
def to_metres(epsg: int) -> Projection:
    """Degrees (WGS 84) to metres east and north."""
    from pyproj import Transformer  # noqa: PLC0415 opens its database, so not before it is needed

    transform: Projection = Transformer.from_crs(4326, epsg, always_xy=True).transform
    return transform


@cache
def to_degrees(epsg: int) -> Projection:
    """Metres east and north to degrees (WGS 84)."""
    from pyproj import Transformer  # noqa: PLC0415 as above

    transform: Projection = Transformer.from_crs(epsg, 4326, always_xy=True).transform
    return transform
