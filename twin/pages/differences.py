"""What differs on the map between today and a scenario, as GeoJSON and as layers of the map."""

from typing import Any

from twin.models import ScenarioResult

LAYERS = ("buildings", "streets")


def features(result: ScenarioResult, layer: str) -> dict[str, Any]:
    """The differences of a layer as a FeatureCollection."""
    return {"type": "FeatureCollection", "features": []}
