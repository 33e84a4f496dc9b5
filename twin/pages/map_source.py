"""Where the map of a version reads from: layers as GeoJSON, or tiles where the district is large, and 3D roofs."""

from typing import Any

from django.urls import reverse

from twin import map_files, queries
from twin.models import DistrictVersion


def map_source(of: DistrictVersion) -> dict[str, Any]:
    """`layers` (GeoJSON) or `tiles`, and `roofs`: addresses. A large district without tiles has none of them, and
    `run` says what became of them.
    """
    large = map_files.is_large(of)
    return {
        "large": large,
        "layers": not large,
        "tiles": _address(of, "pmtiles", "api:district-map-tiles") if large else "",
        "roofs": _address(of, "mesh.gz", "api:district-map-roofs"),
        "run": queries.reckoning_run(of, "map") if large else None,
    }


def _address(of: DistrictVersion, form: map_files.Form, route: str) -> str:
    found = map_files.newest(of, form)
    if found is None:
        return ""
    return f"{reverse(route, args=[of.district.slug, found.name.removesuffix(f'.{form}')])}?version={of.number}"
