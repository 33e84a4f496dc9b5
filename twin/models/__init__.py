"""Tables of the twin, by noun."""

from twin.models.districts import (
    LAYER_MODELS,
    Access,
    Area,
    Building,
    District,
    DistrictVersion,
    People,
    Service,
    Street,
    Thing,
)
from twin.models.offers import Conflict, Correction, Offer

__all__ = [
    "LAYER_MODELS",
    "Access",
    "Area",
    "Building",
    "Conflict",
    "Correction",
    "District",
    "DistrictVersion",
    "Offer",
    "People",
    "Service",
    "Street",
    "Thing",
]
