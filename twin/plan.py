"""The picture of a district for its page, made once for each version and kept in the cache."""

import gzip
from collections.abc import Iterator
from typing import Any

from twin import queries
from twin.engine import drawing
from twin.layers import etag, remembered
from twin.models import DistrictVersion


def gzipped(of: DistrictVersion) -> bytes:
    """The SVG of a version, gzipped."""
    return remembered(f"twin:plan:{etag('plan', of)}", lambda: gzip.compress(_drawn(of).encode(), mtime=0))


def _drawn(of: DistrictVersion) -> str:
    buildings = queries.things("buildings", of).values_list("geometry", "height_m", "properties__min_height_m")
    solids = [drawing.Solid(geometry, top, float(foot or 0)) for geometry, top, foot in buildings]
    return drawing.picture(solids, streets(of), areas(of), of.bounds)


def streets(of: DistrictVersion) -> Iterator[tuple[dict[str, Any], bool]]:
    """Lines of the streets of a version, and whether cars drive there; where there are more than a picture holds, the
    longest pieces that are open to cars.
    """
    rows = queries.things("streets", of)
    if of.counts.get("streets", 0) > drawing.MOST_STREETS:
        rows = rows.filter(car=True).order_by("-length_m", "key")[: drawing.MOST_STREETS]
    yield from rows.values_list("geometry", "car").iterator(chunk_size=5000)


def areas(of: DistrictVersion) -> Iterator[tuple[dict[str, Any], str]]:
    """Outlines of a version's green and water, and which of them they are."""
    yield from queries.things("areas", of).values_list("geometry", "kind").iterator(chunk_size=5000)
