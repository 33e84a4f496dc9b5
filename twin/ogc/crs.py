"""Coordinate systems by their addresses, and geometry in them with the axes in the order of their authority.

pyproj is loaded only when somebody asks for another system than the degrees that are stored.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from commons.errors import BadInput
from twin.ogc import shapes

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
COMMON = (CRS84, f"{_EPSG}4326", f"{_EPSG}3857")

Move = Callable[[Sequence[shapes.Pair]], list[list[float]]]


def of_district(epsg: int) -> tuple[str, ...]:
    """What a district's collections are given in: degrees both ways round, the web's metres, and its own metres."""
    return tuple(dict.fromkeys((*COMMON, f"{_EPSG}{epsg}")))


def known(uri: str, among: Sequence[str], where: str) -> str:
    """The system of that address, written as an address or as [EPSG:3067]; refused if the collection has it not."""
    short = re.fullmatch(r"\[?(EPSG|OGC):([\w.]+)\]?", uri)
    if short:
        uri = CRS84 if short[2] == "CRS84" else f"{_EPSG}{short[2]}"
    if uri not in among:
        raise BadInput(
            _("“%(uri)s” is not one of the coordinate systems of this collection: %(all)s.")
            % {"uri": uri[:120], "all": ", ".join(among)},
            where=where,
        )
    return uri


def _authority(uri: str) -> str:
    return "OGC:CRS84" if uri == CRS84 else "EPSG:" + uri.rsplit("/", 1)[1]


@lru_cache(maxsize=64)
def _transform(source: str, target: str) -> Callable[[float, float], tuple[float, float]]:
    from pyproj import Transformer  # noqa: PLC0415 opens its database, so not before it is needed

    way: Callable[[float, float], tuple[float, float]] = Transformer.from_crs(
        _authority(source), _authority(target), always_xy=False
    ).transform
    return way


def geometry(stored: dict[str, Any], uri: str) -> dict[str, Any]:
    """A stored geometry in a system, its axes in that system's own order."""
    if uri == CRS84:
        return stored
    way = _transform(CRS84, uri)
    digits = 8 if uri.endswith("/4326") else 3
    moved = [[round(c, digits) for c in way(p[0], p[1])] for p in shapes.positions(stored)]
    return {"type": stored["type"], "coordinates": shapes.moved(stored["coordinates"], moved)}


def box_in_degrees(box: shapes.Box, uri: str) -> shapes.Box:
    """The smallest box in CRS84 around a box of another system, from points along its sides."""
    if uri == CRS84:
        return box
    way = _transform(uri, CRS84)
    steps = [i / 20 for i in range(21)]
    xs = [box[0] + t * (box[2] - box[0]) for t in steps]
    ys = [box[1] + t * (box[3] - box[1]) for t in steps]
    rim = [(x, y) for x in xs for y in (box[1], box[3])] + [(x, y) for y in ys for x in (box[0], box[2])]
    moved = [way(x, y) for x, y in rim]
    if not all(math.isfinite(c) for p in moved for c in p):
        raise BadInput(_("The box lies outside what its coordinate system is made for."), where="bbox")
    lons, lats = zip(*moved, strict=True)
    return (min(lons), min(lats), max(lons), max(lats))
