"""The picture of a district for its page, made once for each version and kept in the cache."""

import gzip

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
    streets = queries.things("streets", of).values_list("geometry", "car")
    areas = queries.things("areas", of).values_list("geometry", "kind")
    return drawing.picture(solids, streets, areas, of.bounds)
