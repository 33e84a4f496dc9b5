"""Tables of the twin, by noun."""

from twin.models.districts import (
    LAYER_MODELS,
    Access,
    Area,
    Building,
    District,
    DistrictVersion,
    Service,
    Street,
    Thing,
)
from twin.models.reckonings import Reckoning
from twin.models.traffic import Traffic

__all__ = [
    "LAYER_MODELS",
    "Access",
    "Area",
    "Building",
    "District",
    "DistrictVersion",
    "Reckoning",
    "Service",
    "Street",
    "Thing",
    "Traffic",
]
