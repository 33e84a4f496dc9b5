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

__all__ = [
    "LAYER_MODELS",
    "Access",
    "Area",
    "Building",
    "District",
    "DistrictVersion",
    "Service",
    "Street",
    "Thing",
]
